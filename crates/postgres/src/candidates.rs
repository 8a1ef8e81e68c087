//! Which messages a search or a filter has to look at, in order.
//!
//! What the words decide is looked for in two ways, and what the messages say decides which of them, not PostgreSQL's guess
//! of how frequent a word is. First a few of the nearest messages are walked through. Where the hits among them say that a
//! walk ten times as long finds what is missing, it is gone; where they are too few for that, the index is asked for all
//! hits, and they are sorted.

use chatkeep_domain::search::{SearchKey, SearchRead};
use chatkeep_domain::{BoxError, MessageFilter, OrgId, Path, Position, StoreError, UserId, Version};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use crate::branches::path_values;
use crate::error::{Failure, STORE};
use crate::messages::roles_are;
use crate::row::{self, MESSAGE_COLUMNS, MESSAGE_WIDTH};
use crate::sql::{Sql, integers, numbers, size, texts, uuids};
use crate::statements::MESSAGES_AT;
use crate::threads::Target;
use crate::words::Question;

/// How many messages are walked through at first, and after that. A step costs 1 to 2 µs, a hit of the index ten times as
/// much, and the index is asked for all hits.
const WALKS: [usize; 3] = [500, 5_000, 50_000];

const KEYS: &str = "m.created_at, m.chat_thread_id, m.position, m.org_id, m.branch";

/// What a walk brings of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bring {
    Places,
    /// The messages too, with the names of their threads: all is there when a hit is found, and need not be looked up. As many
    /// as are asked for are in memory then.
    Messages,
}

/// A place, and its message's row if that was brought.
pub(crate) struct Hit {
    pub(crate) place: SearchKey,
    branch: i32,
    /// A message's row, with the name of its thread at [`NAME`].
    pub(crate) row: Option<QueryResult>,
}

/// What a walk found.
struct Walk {
    hits: Vec<Hit>,
    /// The last message that it went past, if there may be more hits behind it.
    end: Option<SearchKey>,
    /// The version of the thread that it looked at too.
    version: Option<Version>,
}

/// The column of the thread's name, behind the message's and one more.
pub(crate) const NAME: usize = MESSAGE_WIDTH + 1;

/// Where to look.
#[derive(Debug, Clone)]
pub(crate) enum Within {
    /// What a path shows, or all branches.
    Thread(Target, Option<Path>),
    Org(OrgId),
    /// These are all organizations.
    Everywhere(Vec<String>),
}

/// Messages that may match.
pub(crate) struct Candidates<'a> {
    pub(crate) within: Within,
    /// `None`: what the filter lets through.
    pub(crate) question: Option<Question>,
    /// What columns say. Metadata is the question's.
    pub(crate) filter: &'a MessageFilter,
    /// Whose threads they have to be in.
    pub(crate) user: Option<&'a UserId>,
}

/// Between which places is read, how, and how much.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) newest_first: bool,
    pub(crate) from: Option<SearchKey>,
    pub(crate) behind: Option<SearchKey>,
    pub(crate) until: Option<SearchKey>,
    /// The end, which is not read itself.
    pub(crate) ahead: Option<SearchKey>,
    pub(crate) limit: usize,
}

impl Bounds {
    pub(crate) fn of(read: SearchRead) -> Self {
        let SearchRead { newest_first, from, behind, until, limit, .. } = read;
        Self { newest_first, from, behind, until, ahead: None, limit }
    }
}

impl Candidates<'_> {
    /// The first hits within a thread, as [`next`](Self::next) gives them, and the thread's version at that moment.
    pub(crate) async fn first(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        read: &Bounds,
    ) -> Result<(Vec<Hit>, Version), Failure> {
        let Some(question) = &self.question else {
            return Err(StoreError::unsupported("a list by no index", STORE).into());
        };
        let (mut hits, version) = self.walked(on, read, question, Bring::Places, Some(target)).await?;
        hits.truncate(read.limit);
        Ok((hits, version.ok_or_else(|| target.not_found())?))
    }

    /// The next hits in order, as many as are asked for. If there are fewer, there are no more.
    pub(crate) async fn next(
        &self,
        on: &impl ConnectionTrait,
        read: &Bounds,
        bring: Bring,
    ) -> Result<Vec<Hit>, Failure> {
        let mut hits = match (&self.question, &self.within) {
            (None, _) => self.places(self.all(read), on).await?,
            // No index has the messages of all organizations in order: a walk would sort them at each step.
            (Some(Question { of_index, of_message, .. }), Within::Everywhere(_)) => {
                let index = of_index.as_ref().unwrap_or(of_message);
                self.places(self.looked_up(read, index, of_message), on).await?
            }
            (Some(question), _) => self.walked(on, read, question, bring, None).await?.0,
        };
        hits.truncate(read.limit);
        Ok(hits)
    }

    /// The rows of these hits, in the same order; without those that are gone, are not this user's, or have not any more what
    /// is asked for. What was brought with its place is not looked up.
    pub(crate) async fn messages(
        &self,
        on: &impl ConnectionTrait,
        mut hits: Vec<Hit>,
    ) -> Result<Vec<(SearchKey, QueryResult)>, Failure> {
        let is_brought = |hit: &Hit| hit.row.is_some();
        let places = hits.split_off(hits.iter().position(|hit| !is_brought(hit)).unwrap_or(hits.len()));
        let mut found: Vec<_> = hits.into_iter().filter_map(|hit| Some((hit.place, hit.row?))).collect();
        if places.is_empty() {
            return Ok(found);
        }
        let question = self.question.as_ref();
        let values = [
            texts(places.iter().map(|hit| hit.place.org_id.as_str())),
            uuids(places.iter().map(|hit| *hit.place.thread.as_uuid())),
            integers(places.iter().map(|hit| hit.branch)),
            numbers(places.iter().map(|hit| hit.place.position.get())),
            self.user.map(UserId::as_str).into(),
            question.map(|question| question.of_message.as_str()).into(),
        ];
        for row in Sql::constant(MESSAGES_AT, values).rows(on).await? {
            let number: i64 = row::value(&row, MESSAGE_WIDTH)?;
            let hit = usize::try_from(number - 1).ok().and_then(|number| places.get(number));
            found.extend(hit.map(|hit| (hit.place.clone(), row)));
        }
        Ok(found)
    }

    /// Everything that the filter lets through, in the order of an index. Of each organization as many as are wanted of all.
    fn all(&self, read: &Bounds) -> Sql {
        let (order, limit) = (self.order(read), limit(read.limit));
        let sql = if let Within::Everywhere(orgs) = &self.within {
            let sql = Sql::new(format!("SELECT {KEYS} FROM "));
            let sql = sql.bind("unnest(", texts(orgs.iter().map(String::as_str)));
            let sql = sql.text("::text[]) o (org_id) CROSS JOIN LATERAL (SELECT * FROM chat_message m WHERE");
            let sql = self.filtered(sql.text(" m.status >= 0 AND m.org_id = o.org_id"), read);
            sql.text(&format!("{}{limit}) m", in_order(&ACROSS[..3], read.newest_first)))
        } else {
            let mut sql = self.filtered(Sql::new(""), read);
            let conditions = sql.take_text();
            let (sql, messages) = self.source(sql, read, &conditions, &limit);
            sql.text(&format!("SELECT {KEYS} FROM {messages}"))
        };
        sql.text(&order).text(&limit)
    }

    /// Walks, and asks the index where the walk says that the words are rare. Where it is to look at a thread too, it gives
    /// the thread's version when the walk began; none if there is no such thread.
    async fn walked(
        &self,
        on: &impl ConnectionTrait,
        read: &Bounds,
        question: &Question,
        bring: Bring,
        mut thread: Option<&Target>,
    ) -> Result<(Vec<Hit>, Option<Version>), Failure> {
        let mut version = None;
        let mut walks = WALKS.into_iter().skip_while(|steps| *steps < read.limit);
        let (mut hits, mut read) = (Vec::new(), read.clone());
        let mut steps = walks.next().unwrap_or(WALKS[2]);
        loop {
            let Walk { hits: found, end, version: read_at } =
                self.walk(on, &read, question, steps, bring, thread.take()).await?;
            version = version.or(read_at);
            let (density, next) = (found.len(), walks.next());
            read.limit = read.limit.saturating_sub(found.len());
            hits.extend(found);
            let Some(end) = end.filter(|_| read.limit > 0) else { return Ok((hits, version)) };
            read.behind = Some(end);
            // Whether the next walk is as good as certain to find what is missing.
            let is_enough = next.is_some_and(|next| density * (next / steps) >= read.limit);
            if let Some(index) = question.of_index.as_ref().filter(|_| !is_enough) {
                let sql = self.looked_up(&read, index, &question.of_message);
                hits.extend(self.places(sql, on).await?);
                return Ok((hits, version));
            }
            steps = next.unwrap_or(steps);
        }
    }

    /// The hits among so many messages, and the last of these, if there may be more hits behind it. It stops at the last hit
    /// that is wanted, and only where there are fewer its end is looked for. A number for each row instead, from
    /// `row_number()`, costs half as much again.
    async fn walk(
        &self,
        on: &impl ConnectionTrait,
        read: &Bounds,
        question: &Question,
        steps: usize,
        bring: Bring,
        thread: Option<&Target>,
    ) -> Result<Walk, Failure> {
        let order = self.order(read);
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let (wanted, steps) = (number(read.limit), number(steps));
        let columns = match bring {
            Bring::Places => KEYS.to_owned(),
            Bring::Messages => format!("{MESSAGE_COLUMNS}, m.org_id"),
        };
        // Of a number that it does not know PostgreSQL expects a tenth of the messages, and so takes the index in this order.
        // Of 5,000 it may expect them all, before a table is analyzed, and would sort an organization.
        let mut sql = Sql::new("").bind("", steps);
        let steps_limit = format!(" LIMIT (SELECT {}::bigint)", sql.take_text());
        let mut sql = self.between(sql, read);
        let range = sql.take_text();
        let (sql, messages) = self.source(sql, read, &range, &steps_limit);
        let sql = sql
            .text(&format!("WITH near AS MATERIALIZED (SELECT {columns} FROM (SELECT {columns}, "))
            // A query of its own is run once, and not for each message.
            .bind("(m.search @@ (SELECT ", question.of_message.as_str())
            .text("::text::tsquery)) IS TRUE");
        let sql = self
            .let_through(sql)
            .text(&format!(" AS is_hit FROM {messages}{order}{steps_limit}"))
            .bind(&format!(") m WHERE is_hit{order} LIMIT (SELECT "), wanted)
            .text(&format!("::bigint)) SELECT {columns}, "));
        let sql = match bring {
            Bring::Places => sql.text("'', FALSE FROM near m"),
            Bring::Messages => sql
                .text("t.name, FALSE FROM near m CROSS JOIN LATERAL (SELECT name FROM chat_thread")
                .text(" WHERE org_id = m.org_id AND id = m.chat_thread_id")
                .bind_some(" AND user_id || '' = ", self.user.map(UserId::as_str))
                .text(" OFFSET 0) t"),
        };
        let sql = sql
            .text(&format!(" UNION ALL (SELECT {columns}, '', TRUE FROM {messages}"))
            .bind(" AND (SELECT count(*) FROM near) < ", wanted)
            .bind(&format!("{order} LIMIT 1 OFFSET (SELECT "), steps - 1)
            .text("::bigint))");
        let width = if bring == Bring::Messages { NAME + 2 } else { 7 };
        let sql = match thread {
            Some(target) => target.beside(sql),
            None => sql,
        };
        let (mut hits, mut end, mut version) = (Vec::new(), None, None);
        for row in sql.rows(on).await? {
            if thread.is_some() {
                version = Some(Version::new(row::value(&row, width)?).map_err(StoreError::from)?);
                if row::value::<Option<Uuid>>(&row, 1)?.is_none() {
                    continue;
                }
            }
            let (time, branch, org, is_end) = match bring {
                Bring::Places => (0, 4, 3, 6),
                Bring::Messages => (6, MESSAGE_WIDTH - 1, MESSAGE_WIDTH, NAME + 1),
            };
            let place = self.place(&row, (time, org))?;
            if row::value(&row, is_end)? {
                end = Some(place);
            } else {
                let branch = row::value(&row, branch)?;
                hits.push(Hit { place, branch, row: (bring == Bring::Messages).then_some(row) });
            }
        }
        // SQL promises no order of what is put together.
        hits.sort_unstable_by(|one, other| {
            let order = one.place.cmp(&other.place);
            if read.newest_first { order.reverse() } else { order }
        });
        Ok(Walk { hits, end, version })
    }

    /// The hits of the index. No other index is to serve this: of a value that it does not know PostgreSQL thinks that one
    /// message in 200 has it, and would rather walk through an organization.
    fn looked_up(&self, read: &Bounds, index: &str, message: &str) -> Sql {
        let sql = Sql::new(format!("SELECT {KEYS} FROM (SELECT "))
            .bind("", index)
            .bind("::text::tsquery AS of_index, ", message)
            .text("::text::tsquery AS of_message OFFSET 0) asked JOIN chat_message m ON m.search @@ asked.of_index")
            .text(" WHERE (m.search @@ asked.of_message) IS TRUE");
        let sql = match &self.within {
            Within::Everywhere(_) => sql,
            Within::Org(org) => sql.bind(" AND m.org_id || '' = ", org.as_str()),
            Within::Thread(target, path) => {
                let sql = sql
                    .bind(" AND m.org_id || '' = ", target.org.as_str())
                    .bind(" AND m.chat_thread_id || '' = ", target.id.to_string());
                match path {
                    None => sql,
                    Some(path) => {
                        let mut sql = sql;
                        let text = sql.take_text();
                        let (sql, segments) = segments(sql, path);
                        sql.text(&text).text(&format!(
                            " AND EXISTS (SELECT 1 FROM {segments} WHERE s.branch = m.branch AND {IS_IN_SEGMENT})"
                        ))
                    }
                }
            }
        };
        self.filtered(sql, read).text(&self.order(read)).text(&limit(read.limit))
    }

    /// Messages in the order of an index, under these conditions, as what stands behind FROM up to a condition. Of each part that
    /// it is put together from, no more is read than the limit says. The text so far is empty, and stays so.
    fn source(&self, sql: Sql, read: &Bounds, conditions: &str, limit: &str) -> (Sql, String) {
        let (target, path) = match &self.within {
            Within::Everywhere(_) => return (sql, format!("chat_message m WHERE TRUE{conditions}")),
            Within::Org(org) => {
                // The condition of the index in this order.
                let mut sql = sql.bind("m.status >= 0 AND m.org_id = ", org.as_str());
                let place = sql.take_text();
                return (sql, format!("chat_message m WHERE {place}{conditions}"));
            }
            Within::Thread(target, path) => (target, path),
        };
        let mut sql = target.filter_revisions(sql);
        let own = format!("chat_message m WHERE {}{conditions} AND m.branch =", sql.take_text());
        let order = self.order(read);
        match path {
            Some(path) if *path == Path::main() => (sql, format!("{own} 0")),
            Some(path) => {
                let (sql, segments) = segments(sql, path);
                let of_segment = format!("SELECT * FROM {own} s.branch AND {IS_IN_SEGMENT}{order}{limit}");
                let direction = if read.newest_first { " DESC" } else { "" };
                let order = format!("ORDER BY s.n{direction}, m.position{direction}{limit}");
                let segments = format!("(SELECT * FROM {segments} ORDER BY n{direction}) s");
                let text = format!("SELECT m.* FROM {segments} CROSS JOIN LATERAL ({of_segment}) m {order}");
                (sql, format!("({text}) m WHERE TRUE"))
            }
            None => {
                let mut sql = sql
                    .bind("b.org_id = ", target.org.as_str())
                    .bind(" AND b.chat_thread_id = ", *target.id.as_uuid());
                let of_thread = sql.take_text();
                // Each side in order: PostgreSQL merges them, and reads no more of the main branch than it gives.
                let of_main = format!("SELECT * FROM {own} 0{order}{limit}");
                let of_branch = format!("SELECT * FROM {own} b.branch{order}{limit}");
                let others = format!("chat_branch b CROSS JOIN LATERAL ({of_branch}) m WHERE {of_thread}");
                let text = format!("({of_main}) UNION ALL (SELECT m.* FROM {others}{order}{limit})");
                (sql, format!("({text}) m WHERE TRUE"))
            }
        }
    }

    /// Goes on with the filter, and with the ends of what is read.
    fn filtered(&self, sql: Sql, read: &Bounds) -> Sql {
        self.between(self.let_through(sql), read)
    }

    /// Goes on with what the filter says of a message by itself. A walk counts those too that it does not let through, or it
    /// would have no end where they are many.
    fn let_through(&self, sql: Sql) -> Sql {
        sql.text(&roles_are("m.sender_role", &self.filter.roles))
            .bind_some(" AND m.sender_id = ", self.filter.sender_id.as_ref().map(UserId::as_str))
            .bind_some(" AND m.created_at >= ", self.filter.created.from.filter(|_| self.is_in_thread()))
            .bind_some(" AND m.created_at < ", self.filter.created.until.filter(|_| self.is_in_thread()))
    }

    /// Goes on with the ends of what is read. Times are ends where they are the order.
    fn between(&self, sql: Sql, read: &Bounds) -> Sql {
        let mut sql = sql
            .bind_some(" AND m.created_at >= ", self.filter.created.from.filter(|_| !self.is_in_thread()))
            .bind_some(" AND m.created_at < ", self.filter.created.until.filter(|_| !self.is_in_thread()));
        let columns = self.columns();
        let (from, behind, until, ahead) =
            if read.newest_first { ("<=", "<", ">=", ">") } else { (">=", ">", "<=", "<") };
        let ends = [(&read.from, from), (&read.behind, behind), (&read.until, until), (&read.ahead, ahead)];
        for (key, comparison) in ends {
            if let Some(key) = key {
                let values = self.values(key);
                sql = sql.bind_tuple(&format!(" AND ({}) {comparison}", columns.join(", ")), values);
            }
        }
        sql
    }

    fn is_in_thread(&self) -> bool {
        matches!(self.within, Within::Thread(..))
    }

    /// What the order is by. Ids repeat only across organizations; within one, the shorter key is the index's own.
    fn columns(&self) -> &'static [&'static str] {
        match self.within {
            Within::Thread(..) => &["m.position"],
            Within::Org(_) => &ACROSS[..3],
            Within::Everywhere(_) => &ACROSS,
        }
    }

    fn order(&self, read: &Bounds) -> String {
        in_order(self.columns(), read.newest_first)
    }

    fn values(&self, key: &SearchKey) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        if let Some(created_at) = key.created_at {
            values.extend([created_at.into(), (*key.thread.as_uuid()).into()]);
        }
        values.extend([key.position.get().into(), key.org_id.as_str().into()]);
        values.truncate(self.columns().len());
        values
    }

    async fn places(&self, sql: Sql, on: &impl ConnectionTrait) -> Result<Vec<Hit>, Failure> {
        let rows = sql.rows(on).await?;
        let hit = |row| Ok(Hit { place: self.place(row, (0, 3))?, branch: row::value(row, 4)?, row: None });
        Ok(rows.iter().map(hit).collect::<Result<_, BoxError>>()?)
    }

    /// The columns are the message's time and its organization.
    fn place(&self, row: &QueryResult, (time, org): (usize, usize)) -> Result<SearchKey, BoxError> {
        let created_at = match self.within {
            Within::Thread(..) => None,
            _ => Some(row::moment(row, time)?),
        };
        let (thread, position) = (row::value::<Uuid>(row, 1)?.into(), Position::new(row::value(row, 2)?)?);
        Ok(SearchKey::new(created_at, thread, position, OrgId::new(row::value::<&str>(row, org)?)?))
    }
}

/// The segments of a path, as what stands behind FROM. The text so far is empty, and stays so.
fn segments(sql: Sql, path: &Path) -> (Sql, String) {
    let [branches, after, through] = path_values(path.segments());
    let mut sql = sql.bind("unnest(", branches).bind("::integer[], ", after).bind("::bigint[], ", through);
    let text = format!("{}::bigint[]) WITH ORDINALITY AS s (branch, after, through, n)", sql.take_text());
    (sql, text)
}

const IS_IN_SEGMENT: &str = "m.position > s.after AND m.position <= s.through";

const ACROSS: [&str; 4] = ["m.created_at", "m.chat_thread_id", "m.position", "m.org_id"];

fn in_order(columns: &[&str], is_descending: bool) -> String {
    let direction = if is_descending { " DESC" } else { "" };
    let columns: Vec<_> = columns.iter().map(|column| format!("{column}{direction}")).collect();
    format!(" ORDER BY {}", columns.join(", "))
}

fn limit(rows: usize) -> String {
    format!(" LIMIT {}", size(rows))
}
