//! Which messages a search or a filter has to look at, in order.
//!
//! There are three ways. Without words, the tables' own indexes are in the order of the search. Where the words are rare, all that the
//! search index finds is read and sorted, by narrow keys. Where they are common, the newest (or oldest) messages are walked through in
//! order, and the search index is asked about each stretch of them: the first hits are near then.

use std::cmp::Ordering;
use std::collections::HashSet;

use chatkeep_domain::search::SearchKey;
use chatkeep_domain::{BranchId, MessageFilter, OrgId, Position};
use chrono::DateTime;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use crate::error::Result;
use crate::index::Wanted;
use crate::parts::{Range, Within};
use crate::places::{Bounds, Place};
use crate::row::uuid;
use crate::sql::Sql;
use crate::stored;

/// With so many hits words are common.
const MANY: usize = 4_096;

/// How many messages are walked through at first, and at most at a time.
const STRETCH: usize = 1_024;
const LONGEST_STRETCH: usize = 16_384;

/// After so many messages without enough hits the hits are sorted after all.
const WALKED: usize = 32_768;

const HITS: &str = "SELECT rowid FROM chat_message_words WHERE chat_message_words MATCH ?1 LIMIT ?2";

const HITS_BETWEEN: &str =
    "SELECT rowid FROM chat_message_words WHERE chat_message_words MATCH ?1 AND rowid BETWEEN ?2 AND ?3";

const IS_THERE: &str = "
    SELECT 1 FROM chat_message m JOIN chat_thread t ON t.key = m.thread AND t.org = m.org WHERE m.key = ?1";

const KEYS: &str = "SELECT m.key, m.created_at, m.chat_thread_id, m.position";

/// The same with the branch, which the indexes across threads do not have.
const KEYS_ON_BRANCHES: &str = "SELECT m.key, m.created_at, m.chat_thread_id, m.position, m.branch";

/// The candidates within one organization, or one thread of it.
pub(crate) struct Candidates<'a> {
    org_id: OrgId,
    org: i64,
    thread: Option<i64>,
    /// What of the thread.
    within: Option<&'a Within>,
    user: Option<String>,
    filter: &'a MessageFilter,
    /// What the index is asked. `None`: it has nothing to say.
    question: Option<String>,
    is_exact: bool,
    way: Option<Way>,
}

enum Way {
    /// All of them, in order.
    Sorted(Vec<Place>),
    /// The keys of those that no word finds yet; the others are walked to.
    Walk(HashSet<i64>),
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(
        org_id: &OrgId,
        wanted: &Wanted<'_>,
        within: Option<&'a Within>,
        filter: &'a MessageFilter,
    ) -> Self {
        let Wanted { org, thread, user, .. } = *wanted;
        let (org_id, user) = (org_id.clone(), user.map(str::to_owned));
        let (question, is_exact) = (wanted.question(), wanted.is_exact());
        Self { org_id, org, thread, within, user, filter, question, is_exact, way: None }
    }

    /// The next ones.
    pub(crate) fn next(&mut self, connection: &Connection, bounds: &Bounds) -> Result<Vec<Place>> {
        let Some(question) = self.question.clone() else {
            return self.in_order(connection, bounds, bounds.limit);
        };
        if self.way.is_none() {
            let hits = first_hits(connection, &question)?;
            self.way = Some(if hits.len() > MANY {
                Way::Walk(self.pending(connection)?.iter().map(|place| place.row).collect())
            } else {
                let rows = serde_json::Value::from(hits).to_string();
                let sql = Sql::new(KEYS_ON_BRANCHES).bind(" FROM json_each(", rows);
                Way::Sorted(self.sorted(connection, sql.text(") hit"), bounds)?)
            });
        }
        if let Some(Way::Walk(pending)) = &self.way {
            if let Some(places) = self.walk(connection, &question, bounds, pending)? {
                return Ok(places);
            }
            let sql = Sql::new(KEYS_ON_BRANCHES).bind(
                " FROM (SELECT rowid AS value FROM chat_message_words WHERE chat_message_words MATCH ",
                question,
            );
            self.way = Some(Way::Sorted(self.sorted(connection, sql.text(") hit"), bounds)?));
        }
        let Some(Way::Sorted(places)) = &self.way else { return Ok(Vec::new()) };
        Ok(places.iter().filter(|place| bounds.contains(place)).take(bounds.limit).cloned().collect())
    }

    /// Every hit of the index, of which there is a table, and every pending message, in order.
    fn sorted(&self, connection: &Connection, hits: Sql, bounds: &Bounds) -> Result<Vec<Place>> {
        let sql = hits
            .text(" CROSS JOIN chat_message m ON m.key = hit.value")
            .text(" CROSS JOIN chat_thread t ON t.key = m.thread AND t.org = m.org WHERE m.pending IS NULL");
        let mut places = self.shown(connection, &self.filtered(sql))?;
        for place in &mut places {
            place.is_exact = self.is_exact;
        }
        places.extend(self.pending(connection)?);
        bounds.sort(&mut places);
        Ok(places)
    }

    fn pending(&self, connection: &Connection) -> Result<Vec<Place>> {
        let sql = Sql::new(KEYS_ON_BRANCHES)
            .text(" FROM chat_message m CROSS JOIN chat_thread t ON t.key = m.thread AND t.org = m.org")
            .text(" WHERE m.pending = 1");
        self.shown(connection, &self.filtered(sql))
    }

    /// Goes on with the owner and the filter.
    fn filtered(&self, sql: Sql) -> Sql {
        let sql = sql
            .bind(" AND m.org = ", self.org)
            .bind_some(" AND m.thread = ", self.thread)
            .bind_some(" AND t.user_id = ", self.user.clone());
        stored::filter(sql, self.filter)
    }

    /// Goes through the messages in order until enough are found. `None`: that would take too long.
    fn walk(
        &self,
        connection: &Connection,
        question: &str,
        bounds: &Bounds,
        pending: &HashSet<i64>,
    ) -> Result<Option<Vec<Place>>> {
        let (mut bounds, mut found, mut stretch) = (bounds.clone(), Vec::new(), STRETCH);
        let (limit, mut walked) = (bounds.limit, 0);
        loop {
            let places = self.in_walk(connection, &bounds, stretch)?;
            let rows = || places.iter().map(|place| place.row);
            let hits: HashSet<i64> = match (rows().min(), rows().max()) {
                (Some(first), Some(last)) => connection
                    .prepare_cached(HITS_BETWEEN)?
                    .query_map((question, first, last), |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?,
                _ => HashSet::new(),
            };
            for place in &places {
                let is_pending = pending.contains(&place.row);
                if is_pending || hits.contains(&place.row) && is_there(connection, place)? {
                    found.push(Place { is_exact: self.is_exact && !is_pending, ..place.clone() });
                    if found.len() == limit {
                        return Ok(Some(found));
                    }
                }
            }
            if places.len() < stretch {
                return Ok(Some(found));
            }
            walked += places.len();
            if walked > WALKED {
                return Ok(None);
            }
            bounds.behind = places.last().cloned();
            stretch = (stretch * 2).min(LONGEST_STRETCH);
        }
    }

    /// The messages in order, from the tables' own indexes.
    fn in_order(&self, connection: &Connection, bounds: &Bounds, limit: usize) -> Result<Vec<Place>> {
        let sql = Sql::new(KEYS)
            .text(" FROM chat_message m CROSS JOIN chat_thread t ON t.key = m.thread AND t.org = m.org")
            .text(" WHERE TRUE");
        self.first(connection, &self.filtered(sql), bounds, limit)
    }

    /// The same, from the index alone, without a look at the messages.
    fn in_walk(&self, connection: &Connection, bounds: &Bounds, limit: usize) -> Result<Vec<Place>> {
        let sql = Sql::new(KEYS).text(" FROM chat_message m WHERE m.org = ").bind("", self.org);
        self.first(connection, &sql.bind_some(" AND m.thread = ", self.thread), bounds, limit)
    }

    /// The first ones between the bounds. In a thread, part by part: what is found in one narrows what is looked for in the next.
    fn first(&self, connection: &Connection, sql: &Sql, bounds: &Bounds, limit: usize) -> Result<Vec<Place>> {
        let Some(within) = self.within else {
            return self.places(connection, &self.bounded(sql.clone(), bounds).limit(limit));
        };
        let (mut range, mut found) = (self.range(bounds), Vec::new());
        let order = if bounds.newest_first { " ORDER BY m.position DESC" } else { " ORDER BY m.position" };
        for segment in within.segments(bounds.newest_first) {
            let Some(part) = range.part(segment) else { continue };
            let places = self.places(connection, &part.condition(sql.clone()).text(order).limit(limit))?;
            if places.is_empty() {
                continue;
            }
            found.extend(places);
            bounds.sort(&mut found);
            found.truncate(limit);
            if let Some(last) = found.get(limit.saturating_sub(1)) {
                let position = last.key.position.get();
                range = if bounds.newest_first { range.behind(position) } else { range.ahead_of(position) };
            }
        }
        Ok(found)
    }

    /// The ends of what is asked for: a place, on which side of it, and whether it is in.
    fn ends<'b>(&self, bounds: &'b Bounds) -> impl Iterator<Item = (&'b Place, char, bool)> {
        let (on, back) = if bounds.newest_first { ('<', '>') } else { ('>', '<') };
        let ends = [
            (&bounds.from, on, true),
            (&bounds.behind, on, false),
            (&bounds.ahead, back, false),
            (&bounds.until, back, true),
        ];
        ends.into_iter().filter_map(|(end, side, is_closed)| {
            let place = end.as_ref()?;
            // The organization is the last key of the order, and here it is the same in every row.
            let ours = self.org_id.cmp(&place.key.org_id);
            let is_in = ours == if side == '<' { Ordering::Less } else { Ordering::Greater };
            Some((place, side, is_in || is_closed && ours.is_eq()))
        })
    }

    /// The same in a thread.
    fn range(&self, bounds: &Bounds) -> Range {
        self.ends(bounds).fold(Range::ALL, |range, (place, side, is_in)| {
            let position = place.key.position.get();
            match (side, is_in) {
                ('<', true) => range.through(position),
                ('<', false) => range.ahead_of(position),
                (_, true) => range.from(position),
                (_, false) => range.behind(position),
            }
        })
    }

    /// The same across threads, in order.
    fn bounded(&self, mut sql: Sql, bounds: &Bounds) -> Sql {
        for (place, side, is_in) in self.ends(bounds) {
            let or_equal = if is_in { "=" } else { "" };
            let text = format!(" AND (m.created_at, m.chat_thread_id, m.position) {side}{or_equal}");
            sql = sql.bind_list(&text, values(place));
        }
        let order = if bounds.newest_first {
            " ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC"
        } else {
            " ORDER BY m.created_at, m.chat_thread_id, m.position"
        };
        sql.text(order)
    }

    fn places(&self, connection: &Connection, sql: &Sql) -> Result<Vec<Place>> {
        self.places_if(connection, sql, |_, _| Ok(true))
    }

    /// Those that are looked at, from rows with their branch.
    fn shown(&self, connection: &Connection, sql: &Sql) -> Result<Vec<Place>> {
        self.places_if(connection, sql, |row, place| {
            let Some(within) = self.within else { return Ok(true) };
            Ok(within.contains(BranchId::new(row.get(4)?), place.key.position))
        })
    }

    fn places_if(
        &self,
        connection: &Connection,
        sql: &Sql,
        is_wanted: impl Fn(&Row<'_>, &Place) -> Result<bool>,
    ) -> Result<Vec<Place>> {
        let mut statement = connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(sql.values()))?;
        let mut places = Vec::new();
        while let Some(row) = rows.next()? {
            if let Some(place) = self.place(row)
                && is_wanted(row, &place)?
            {
                places.push(place);
            }
        }
        Ok(places)
    }

    /// `None` for a row that has no place in any order. No statement of ours writes such a row.
    fn place(&self, row: &Row<'_>) -> Option<Place> {
        let thread = uuid(row, 2).ok()?.into();
        let created_at = DateTime::from_timestamp_micros(row.get(1).ok()?)?;
        let created_at = self.thread.is_none().then_some(created_at);
        let position = Position::new(row.get(3).ok()?).ok()?;
        let key = SearchKey::new(created_at, thread, position, self.org_id.clone());
        Some(Place { key, row: row.get(0).ok()?, is_exact: false })
    }
}

/// A thread that was deleted may still have messages. The index knows the owner, and the plan checks the filter.
fn is_there(connection: &Connection, place: &Place) -> Result<bool> {
    let found = connection.prepare_cached(IS_THERE)?.query_row([place.row], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

fn values(place: &Place) -> [Value; 3] {
    let SearchKey { created_at, thread, position, .. } = &place.key;
    let created_at = created_at.map(|at| at.timestamp_micros());
    let thread = thread.as_uuid().as_bytes().to_vec();
    [created_at.into(), Value::Blob(thread), position.get().into()]
}

/// One more than [`MANY`] at most.
fn first_hits(connection: &Connection, question: &str) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(HITS)?;
    let hits = statement.query_map((question, MANY + 1), |row| row.get(0))?;
    Ok(hits.collect::<rusqlite::Result<_>>()?)
}
