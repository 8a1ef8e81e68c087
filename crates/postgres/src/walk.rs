//! Which messages a search or a filter has to look at, in order.
//!
//! What the words decide is looked for in two ways, and what the messages say decides which of them, not PostgreSQL's guess
//! of how frequent a word is. First a few of the nearest messages are walked through. Where the hits among them say that a
//! walk ten times as long finds what is missing, it is gone; where they are too few for that, the index is asked for all
//! hits, and they are sorted.

use chatkeep_domain::search::SearchKey;
use chatkeep_domain::{BoxError, OrgId, Position, StoreError, UserId, Version};
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use crate::candidates::{Bounds, Candidates, KEYS, Source, Within};
use crate::error::{Failure, STORE};
use crate::row::{self, MESSAGE_COLUMNS, MESSAGE_WIDTH};
use crate::sql::{Sql, integers, numbers, texts, uuids};
use crate::statements::MESSAGES_AT;
use crate::target::Target;
use crate::words::Question;

/// How many messages are walked through at first, and after that. A step costs 1 to 2 µs, a hit of the index ten times as
/// much, and the index is asked for all hits.
const WALKS: [usize; 3] = [500, 5_000, 50_000];

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
        let (sql, Source { from, order, number }) = self.source(sql, read, &range, &steps_limit);
        let sql = sql
            .text(&format!("WITH near AS MATERIALIZED (SELECT {columns} FROM (SELECT {columns}{number}, "))
            // A query of its own is run once, and not for each message.
            .bind("(m.search @@ (SELECT ", question.of_message.as_str())
            .text("::text::tsquery)) IS TRUE");
        let sql = self
            .let_through(sql)
            .text(&format!(" AS is_hit FROM {from}{order}{steps_limit}"))
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
            .text(&format!(" UNION ALL (SELECT {columns}, '', TRUE FROM {from}"))
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
