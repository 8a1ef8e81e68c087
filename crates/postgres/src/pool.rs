//! Connections that are kept open: sqlx's, in a pool of deadpool's.
//!
//! sqlx's own pool asks the server for a sign of life after each use, which costs a second round trip behind the
//! answer: measured, 70 µs of the client's time for an append instead of 30. It also gives out the connection that has
//! rested longest, whose server process has cold caches. Here the last one back is the next one out, and only one that
//! was given back in the middle of something is asked.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_stream::try_stream;
use deadpool::managed::{
    Manager, Metrics, Object, Pool as Deadpool, PoolConfig, PoolError, QueueMode, RecycleResult, TimeoutType,
    Timeouts, WeakPool,
};
use futures_core::Stream;
use futures_util::StreamExt as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{
    self, AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, SqlSafeStr as _, SqlStr,
};
use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use tokio::runtime::Handle;
use tokio::time::MissedTickBehavior;

use crate::error::{is_read_only, query_failed};

/// The rows of a statement, as they come.
pub(crate) type RowStream = Pin<Box<dyn Stream<Item = Result<QueryResult, DbErr>> + Send>>;

/// More connections than any server takes; what is asked beyond it is held to be this.
const MAX_SIZE: u32 = 65_535;

/// How often connections are looked at that nobody has used.
const TIDY_EVERY: Duration = Duration::from_secs(30);

/// How often a pool that closes looks whether its connections have come back.
const CLOSE_LOOK: Duration = Duration::from_millis(2);

/// How a pool is kept.
#[derive(Debug, Clone)]
pub(crate) struct PoolLimits {
    pub(crate) size: u32,
    /// How long a call waits for a connection, and for a new one to be made.
    pub(crate) acquire_timeout: Duration,
    /// After how long without use a connection is closed, and at what age.
    pub(crate) rest: (Duration, Duration),
    /// Whether statements are prepared once a connection, under a name. Otherwise each is in a transaction of its own,
    /// because sqlx prepares in one round trip and runs in the next, and between the two a pooler may change the server's
    /// connection.
    pub(crate) is_named: bool,
    /// How a transaction begins that will write; `None` is the usual way.
    pub(crate) begin: Option<SqlStr>,
}

/// Connections to one database, as many as are needed and no more than the limit. Clones share them. Statements run on it
/// as on any [`ConnectionTrait`](sea_orm::ConnectionTrait) of SeaORM's.
#[derive(Clone)]
pub struct ConnectionPool {
    connections: Deadpool<Connector>,
    is_named: bool,
    begin: SqlStr,
}

struct Connector(Arc<PgConnectOptions>);

impl Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        // In a box, for it is large, and seldom: each call would have it in its future.
        Box::pin(PgConnection::connect_with(&self.0)).await
    }

    async fn recycle(&self, _: &mut PgConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(())
    }
}

impl fmt::Debug for ConnectionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionPool").finish_non_exhaustive()
    }
}

impl ConnectionPool {
    /// Connects to nothing yet.
    pub(crate) fn new(options: PgConnectOptions, limits: PoolLimits) -> Result<Self, DbErr> {
        let timeouts = Timeouts {
            wait: Some(limits.acquire_timeout),
            create: Some(limits.acquire_timeout),
            recycle: None,
        };
        let size = usize::try_from(limits.size.clamp(1, MAX_SIZE)).unwrap_or(1);
        let connections = Deadpool::builder(Connector(Arc::new(options)))
            .config(PoolConfig { max_size: size, timeouts, queue_mode: QueueMode::Lifo })
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        let (idle, age) = limits.rest;
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tidy(connections.weak(), idle, age));
        }
        let begin = limits.begin.unwrap_or(SqlStr::from_static("BEGIN"));
        Ok(Self { connections, is_named: limits.is_named, begin })
    }

    /// How connections are made.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.connections.manager().0
    }

    /// How long a connection may take to be made.
    pub(crate) fn acquire_timeout(&self) -> Duration {
        self.connections.timeouts().create.unwrap_or_default()
    }

    pub(crate) async fn lease(&self) -> Result<Lease, DbErr> {
        let connection = self.connections.get().await.map_err(not_connected)?;
        let begin = self.begin.clone();
        Ok(Lease {
            connection: Some(connection),
            pool: self.connections.weak(),
            is_named: self.is_named,
            begin,
            left: Left::Clean,
        })
    }

    /// Closes the connections that are not in use.
    pub(crate) async fn rest(&self) {
        close_all(self.connections.retain(|_, _| false).removed).await;
    }

    /// Once those in use have come back, all are closed.
    pub(crate) async fn close(&self) {
        self.rest().await;
        self.connections.close();
        while self.connections.status().size > 0 {
            tokio::time::sleep(CLOSE_LOOK).await;
        }
    }
}

/// A connection that is lent out. What is dropped in the middle of something is put right first.
pub(crate) struct Lease {
    connection: Option<Object<Connector>>,
    pool: WeakPool<Connector>,
    is_named: bool,
    begin: SqlStr,
    left: Left,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("left", &self.left).finish_non_exhaustive()
    }
}

/// In what state a connection would be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Clean,
    /// A statement failed, or was broken off: the connection may be gone.
    InDoubt,
    InTransaction,
    /// It is of no use any more.
    Useless,
}

impl Lease {
    /// Does something that is to be by itself: see [`PoolLimits::is_named`].
    pub(crate) async fn alone<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        if self.is_named {
            return work(self).await;
        }
        self.begin().await.map_err(query_failed)?;
        let done = work(self).await?;
        self.commit().await.map_err(query_failed)?;
        Ok(done)
    }

    pub(crate) async fn rows(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (before, is_named) = (self.left, self.is_named);
        let (text, values) = parts(statement);
        let query = sqlx::query_with::<Postgres, _>(text, values).persistent(is_named);
        let rows = query.fetch_all(self.start(Left::InDoubt)?).await;
        self.end(before, rows.map(|rows| rows.into_iter().map(QueryResult::from).collect()))
    }

    /// The rows one after the other, as they come from the socket. Where they are dropped before the last, the connection is
    /// closed: the server may have much more to send.
    pub(crate) fn into_rows(mut self, statement: Statement) -> RowStream {
        Box::pin(try_stream! {
            if !self.is_named {
                self.begin().await.map_err(query_failed)?;
            }
            let (before, is_named) = (self.left, self.is_named);
            let (text, values) = parts(statement);
            let query = sqlx::query_with::<Postgres, _>(text, values).persistent(is_named);
            let mut rows = query.fetch(self.start(Left::Useless)?);
            let ended = loop {
                match rows.next().await {
                    Some(Ok(row)) => yield QueryResult::from(row),
                    Some(Err(error)) => break Err(error),
                    None => break Ok(()),
                }
            };
            drop(rows);
            self.left = before;
            self.end(before, ended)?;
            if !is_named {
                self.commit().await.map_err(query_failed)?;
            }
        })
    }

    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (before, is_named) = (self.left, self.is_named);
        let (text, values) = parts(statement);
        let query = sqlx::query_with::<Postgres, _>(text, values).persistent(is_named);
        let done = query.execute(self.start(Left::InDoubt)?).await;
        self.end(before, done.map(ExecResult::from))
    }

    pub(crate) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let before = self.left;
        let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let done = self.start(Left::InDoubt)?.execute(sqlx::raw_sql(text)).await;
        self.end(before, done.map(ExecResult::from))
    }

    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let begin = self.begin.clone();
        control(self.start(Left::InTransaction).map_err(|_| sqlx::Error::PoolClosed)?, begin).await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.finish(SqlStr::from_static("COMMIT")).await
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.finish(SqlStr::from_static("ROLLBACK")).await
    }

    async fn finish(&mut self, how: SqlStr) -> Result<(), sqlx::Error> {
        control(self.start(Left::InTransaction).map_err(|_| sqlx::Error::PoolClosed)?, how).await?;
        self.left = Left::Clean;
        Ok(())
    }

    /// Until all has gone well, what is to be done is in doubt.
    fn start(&mut self, left: Left) -> Result<&mut PgConnection, DbErr> {
        self.left = self.left.max(left);
        self.connection.as_deref_mut().ok_or_else(closed)
    }

    fn end<T>(&mut self, left: Left, done: Result<T, sqlx::Error>) -> Result<T, DbErr> {
        match &done {
            // The server that this connection is to takes no writes: another one may by now, and so new ones are made.
            Err(error) if is_read_only(error) => {
                self.left = Left::Useless;
                if let Some(pool) = self.pool.upgrade() {
                    pool.retain(|_, _| false);
                }
            }
            Err(error) if !is_of_the_living(error) => {}
            _ => self.left = left,
        }
        done.map_err(query_failed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.left {
            Left::Clean => {}
            Left::Useless => drop(self.connection.take().map(Object::take)),
            Left::InDoubt | Left::InTransaction => {
                let unsettled = Unsettled(self.connection.take());
                let is_in_transaction = self.left == Left::InTransaction;
                if let Ok(runtime) = Handle::try_current() {
                    runtime.spawn(unsettled.settle(is_in_transaction));
                }
            }
        }
    }
}

/// The values are bound; the text is of this crate, or of a caller who writes statements.
fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    (AssertSqlSafe(statement.sql), SqlxValues(statement.values.unwrap_or(Values(Vec::new()))))
}

/// Runs a statement without values that changes the transaction.
async fn control(connection: &mut PgConnection, text: SqlStr) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(text)).await?;
    Ok(())
}

/// A connection that is not to be used again before it is settled: dropping it closes it.
struct Unsettled(Option<Object<Connector>>);

impl Unsettled {
    /// Ends what was begun, and gives the connection back if it is alive.
    async fn settle(mut self, is_in_transaction: bool) {
        let Some(connection) = &mut self.0 else { return };
        let is_rolled_back =
            is_in_transaction && control(connection, SqlStr::from_static("ROLLBACK")).await.is_ok();
        // Where nothing was begun, the server says so, and is alive.
        if is_rolled_back || connection.ping().await.is_ok() {
            drop(self.0.take());
        }
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.0.take().map(Object::take);
    }
}

/// Closes connections that have rested too long, until the pool is gone.
async fn tidy(pool: WeakPool<Connector>, idle: Duration, age: Duration) {
    let mut ticks = tokio::time::interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) else { return };
        let kept = |metrics: Metrics| metrics.last_used() < idle && metrics.age() < age;
        close_all(pool.retain(|_, metrics| kept(metrics)).removed).await;
    }
}

async fn close_all<C: sqlx::Connection>(connections: Vec<C>) {
    for connection in connections {
        // It is out of the pool, whatever the server says to its farewell.
        let _ = connection.close().await;
    }
}

/// Whether a server that says this goes on with the connection: all but what it says as it ends one, which is
/// of the classes of connections (08), of transactions' states (25) and of operators (57).
fn is_of_the_living(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().map(|error| error.code().unwrap_or_default());
    code.is_some_and(|code| !["08", "25", "57"].iter().any(|class| code.starts_with(class)))
}

fn not_connected(error: PoolError<sqlx::Error>) -> DbErr {
    match error {
        PoolError::Timeout(TimeoutType::Wait | TimeoutType::Create | TimeoutType::Recycle) => {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
        }
        PoolError::Backend(error) => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => closed(),
    }
}

fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}
