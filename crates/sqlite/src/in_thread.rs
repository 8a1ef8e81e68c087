//! The thread that a call means, and what calls read and write in it.

use chatkeep_domain::{
    Branch, BranchId, ChatMessage, ContentKey, Expected, MessageId, OrgId, Path, Position, Scope, StoreError,
    ThreadId, Version,
};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{Answer, Result};
use crate::readers::Work;
use crate::row::{self, BRANCH_COLUMNS, MESSAGE_COLUMNS, Opener};
use crate::store::{Context, SqliteRepository};
use crate::stored;

/// Of all organizations where none is named; two say that the id alone is not enough.
const FIND: &str = "
    SELECT t.key, t.org, o.org_id, t.user_id, t.head, t.message_count, t.version, t.next_position,
        t.next_branch, t.created_at
    FROM chat_thread t JOIN chat_org o ON o.key = t.org
    WHERE t.id = ?1 AND t.org <> 0 AND (?2 IS NULL OR o.org_id = ?2)
    LIMIT 2";

const FIND_MESSAGE: &str = "SELECT key, pending FROM chat_message WHERE thread = ?1 AND id = ?2";

const FIND_ORG: &str = "SELECT key FROM chat_org WHERE org_id = ?1";

/// What is known of a thread that is in a scope.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) key: i64,
    pub(crate) org: i64,
    pub(crate) org_id: OrgId,
    pub(crate) user: String,
    pub(crate) head: Position,
    pub(crate) message_count: i64,
    pub(crate) version: Version,
    /// The position that was allotted last, on whichever branch.
    pub(crate) allotted: Position,
    pub(crate) next_branch: BranchId,
    /// As it is stored.
    pub(crate) created_at: i64,
}

impl Found {
    /// Whether this can be the thread that was found before, later in its life. If not, another one has its id. A thread that was
    /// cleared may have another key, and a key may come back.
    pub(crate) fn can_be(&self, before: &Self) -> bool {
        (self.org, &self.user, self.created_at) == (before.org, &before.user, before.created_at)
            && self.version >= before.version
            && self.allotted >= before.allotted
    }

    pub(crate) fn check_expected(&self, version: Option<Version>) -> Answer<()> {
        StoreError::unless_expected(Expected::Version, version, self.version)
    }

    /// Whether it had branches beside the main one.
    pub(crate) fn is_branched(&self) -> bool {
        self.next_branch > BranchId::MAIN.next()
    }
}

/// The thread that a scope means by an id. It decodes no more than it needs: a corrupt thread is there.
pub(crate) fn find(connection: &Connection, scope: &Scope, id: ThreadId) -> Result<Found> {
    let mut statement = connection.prepare_cached(FIND)?;
    let mut rows = statement.query((id.as_uuid().as_bytes(), scope.org_id().map(OrgId::as_str)))?;
    let absent = || StoreError::thread_not_found(id);
    let row = rows.next()?.ok_or_else(absent)?;
    let found = Found {
        key: row.get(0)?,
        org: row.get(1)?,
        org_id: OrgId::new(row.get::<_, String>(2)?)?,
        user: row.get(3)?,
        head: Position::new(row.get(4)?)?,
        message_count: row.get(5)?,
        version: Version::new(row.get(6)?)?,
        allotted: Position::new(row.get::<_, i64>(7)?.saturating_sub(1))?,
        next_branch: BranchId::new(row.get(8)?),
        created_at: row.get(9)?,
    };
    if rows.next()?.is_some() {
        return Err(StoreError::ambiguous_thread_id().into());
    }
    let is_in = scope.user_id().is_none_or(|user| user.as_str() == found.user);
    if is_in { Ok(found) } else { Err(absent().into()) }
}

/// The thread that a call means, and what reads and writes in it.
#[derive(Debug)]
pub(crate) struct InThread<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) context: &'a Context,
    pub(crate) id: ThreadId,
    pub(crate) thread: Found,
}

impl<'a> InThread<'a> {
    pub(crate) fn find(
        connection: &'a Connection,
        context: &'a Context,
        scope: &Scope,
        id: ThreadId,
    ) -> Result<Self> {
        Ok(Self { connection, context, id, thread: find(connection, scope, id)? })
    }

    pub(crate) fn opener(&self) -> Opener<'_> {
        Opener { codec: &*self.context.codec, org: &self.thread.org_id }
    }

    pub(crate) fn content_key(&self, message: MessageId) -> ContentKey<'_> {
        ContentKey::new(&self.thread.org_id, self.id, message)
    }

    /// A branch that is not the main one.
    pub(crate) fn branch(&self, id: BranchId) -> Result<Branch> {
        let absent = || StoreError::branch_not_found(id);
        if !self.thread.is_branched() {
            return Err(absent().into());
        }
        let text =
            format!("SELECT {BRANCH_COLUMNS} FROM chat_branch b WHERE b.thread = ?1 AND b.branch = ?2");
        let mut statement = self.connection.prepare_cached(&text)?;
        let values = (self.thread.key, id.get());
        let found = statement.query_row(values, |row| Ok(row::branch(row, self.id))).optional()?;
        Ok(found.ok_or_else(absent)??)
    }

    /// Which messages a branch shows.
    pub(crate) fn path(&self, branch: BranchId) -> Result<Path> {
        if branch.is_main() { Ok(Path::main()) } else { Ok(self.branch(branch)?.path) }
    }

    pub(crate) fn find_message(&self, id: MessageId) -> Result<Option<ChatMessage>> {
        let text = format!("SELECT {MESSAGE_COLUMNS} FROM chat_message m WHERE m.thread = ?1 AND m.id = ?2");
        let (values, opener) = ((self.thread.key, id.as_uuid().as_bytes()), self.opener());
        let mut statement = self.connection.prepare_cached(&text)?;
        let found = statement.query_row(values, |row| Ok(opener.message(row))).optional()?;
        Ok(found.transpose()?)
    }

    pub(crate) fn message(&self, id: MessageId) -> Result<ChatMessage> {
        Ok(self.find_message(id)?.ok_or_else(|| StoreError::message_not_found(id))?)
    }

    /// The key of a message, and whether it is in the index. It decodes nothing: a corrupt message is there.
    pub(crate) fn message_key(&self, id: MessageId) -> Result<(i64, bool)> {
        let mut statement = self.connection.prepare_cached(FIND_MESSAGE)?;
        let found =
            statement.query_row((self.thread.key, id.as_uuid().as_bytes()), stored::key).optional()?;
        Ok(found.ok_or_else(|| StoreError::message_not_found(id))?)
    }
}

impl SqliteRepository {
    /// Reads in a thread, in one snapshot.
    pub(crate) async fn read_in<T: Send + 'static>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnMut(&InThread<'_>) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.read(self.in_thread(scope, id, work)).await
    }

    /// Writes in a thread, as a whole or not at all.
    pub(crate) async fn write_in<T: Send + 'static>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnMut(&InThread<'_>) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.write(self.in_thread(scope, id, work)).await
    }

    pub(crate) fn in_thread<T, F>(&self, scope: &Scope, id: ThreadId, mut work: F) -> impl Work<T> + use<T, F>
    where
        F: FnMut(&InThread<'_>) -> Result<T> + Send + 'static,
    {
        let (scope, context) = (scope.clone(), self.context());
        move |connection: &Connection| work(&InThread::find(connection, &context, &scope, id)?)
    }
}

/// The key of an organization that has threads, or had some.
pub(crate) fn find_org(connection: &Connection, org: &OrgId) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(FIND_ORG)?.query_row([org.as_str()], |row| row.get(0)).optional()?)
}
