//! What a list of messages asks for.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::id::ThreadId;
use crate::invalid::InvalidArgument;
use crate::message_filter::MessageFilter;
use crate::page::{DEFAULT_PAGE_LEN, MAX_PAGE_LEN, check_limit};
use crate::path::BranchId;
use crate::position::Position;

/// The direction of a list of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Oldest first: as the messages were said.
    #[default]
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

/// Which messages of a thread, by position.
///
/// ```
/// use chatkeep_domain::{MessageFilter, MessageQuery, Order, Role};
/// let last_questions = MessageQuery::newest(50).filter(MessageFilter::new().role(Role::User));
/// assert_eq!((last_questions.limit, last_questions.order), (50, Order::NewestFirst));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MessageQuery {
    /// What this branch shows: its own messages, and those that it shares.
    pub branch: BranchId,
    /// Only messages behind this position.
    pub after: Option<Position>,
    /// Only messages ahead of this position.
    pub before: Option<Position>,
    /// Only messages that pass this filter.
    pub filter: MessageFilter,
    /// The direction of the list.
    pub order: Order,
    /// How many messages to leave out at the beginning of the list, after the filters.
    pub offset: u64,
    /// The most items of the page, at most [`MAX_PAGE_LEN`]. 0 gives an empty page.
    pub limit: usize,
    /// Goes on behind an earlier page of the same thread, branch and order.
    pub cursor: Option<Cursor>,
}

impl Default for MessageQuery {
    /// The first [`DEFAULT_PAGE_LEN`] messages.
    fn default() -> Self {
        Self {
            branch: BranchId::MAIN,
            after: None,
            before: None,
            filter: MessageFilter::default(),
            order: Order::OldestFirst,
            offset: 0,
            limit: DEFAULT_PAGE_LEN,
            cursor: None,
        }
    }
}

impl MessageQuery {
    /// The first `limit` messages, oldest first.
    pub fn first(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The last `limit` messages, newest first.
    pub fn newest(limit: usize) -> Self {
        Self { limit, order: Order::NewestFirst, ..Self::default() }
    }

    /// What this branch shows.
    #[must_use]
    pub fn branch(mut self, branch: BranchId) -> Self {
        self.branch = branch;
        self
    }

    /// Only messages behind this position.
    #[must_use]
    pub fn after(mut self, position: Position) -> Self {
        self.after = Some(position);
        self
    }

    /// Only messages ahead of this position.
    #[must_use]
    pub fn before(mut self, position: Position) -> Self {
        self.before = Some(position);
        self
    }

    /// Only messages that pass this filter, in place of an earlier one.
    #[must_use]
    pub fn filter(mut self, filter: MessageFilter) -> Self {
        self.filter = filter;
        self
    }

    /// The direction of the list.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Leaves out this many of the messages that the rest of the query finds.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The most items of the page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same with a limit that a page can have: [`DEFAULT_PAGE_LEN`] in place of 0, and at most
    /// [`MAX_PAGE_LEN`]. Stores use it to give a stream by pages.
    #[must_use]
    pub fn with_page_limit(mut self) -> Self {
        self.limit = if self.limit == 0 { DEFAULT_PAGE_LEN } else { self.limit.min(MAX_PAGE_LEN) };
        self
    }

    /// The page behind an earlier one; the offset was used up there.
    #[must_use]
    pub fn behind(mut self, cursor: Cursor) -> Self {
        (self.cursor, self.offset) = (Some(cursor), 0);
        self
    }

    /// Checks the limits and reads the cursor. Gives two positions, behind and ahead of which the query asks for
    /// messages. The positions themselves are not included, and `None` leaves a side open.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a limit over [`MAX_PAGE_LEN`], an offset of 2⁶³ or more, what
    /// [`MessageFilter::validate`] refuses, or a cursor that is damaged or of another list.
    pub fn validate(&self, thread: ThreadId) -> Result<(Position, Option<Position>), InvalidArgument> {
        check_limit(self.limit)?;
        if i64::try_from(self.offset).is_err() {
            return Err(InvalidArgument::new("offset", "must be below 2^63", self.offset.to_string()));
        }
        self.filter.validate()?;
        let (mut after, mut before) = (self.after.unwrap_or(Position::ZERO), self.before);
        if let Some(cursor) = &self.cursor {
            let place = self.open(cursor, thread)?;
            match self.order {
                Order::OldestFirst => after = after.max(place),
                Order::NewestFirst => before = Some(before.map_or(place, |before| before.min(place))),
            }
        }
        Ok((after, before))
    }

    /// The cursor behind the message at this position of the thread, in this query's order.
    pub fn cursor_behind(&self, thread: ThreadId, position: Position) -> Cursor {
        Cursor::seal(KIND, &self.context(thread), &position.get().to_be_bytes())
    }

    fn open(&self, cursor: &Cursor, thread: ThreadId) -> Result<Position, InvalidArgument> {
        let key = cursor.open(KIND, &self.context(thread))?;
        let number = key.try_into().map(i64::from_be_bytes).map_err(|_| Cursor::damaged())?;
        Position::new(number).map_err(|_| Cursor::damaged())
    }

    /// What a cursor is bound to: the order, the thread and the branch.
    fn context(&self, thread: ThreadId) -> [u8; 21] {
        let mut context = [u8::from(self.order == Order::NewestFirst); 21];
        context[1..17].copy_from_slice(thread.as_uuid().as_bytes());
        context[17..].copy_from_slice(&self.branch.get().to_be_bytes());
        context
    }
}

/// The kind of the cursors of lists of messages.
const KIND: u8 = b'm';

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_cursor_reads_back_for_its_thread_and_order_only() {
        let (one, other): (ThreadId, ThreadId) = (Uuid::from_u128(7).into(), Uuid::from_u128(8).into());
        let (newest, oldest) = (MessageQuery::newest(5), MessageQuery::first(5));
        let position = Position::new(i64::MAX).unwrap();
        let cursor = newest.cursor_behind(one, position);
        assert_eq!(newest.open(&cursor, one), Ok(position));
        assert_eq!(newest.clone().behind(cursor.clone()).validate(one), Ok((Position::ZERO, Some(position))));
        assert!(oldest.open(&cursor, one).is_err());
        assert!(newest.open(&cursor, other).is_err());
        assert!(newest.branch(BranchId::new(1)).open(&cursor, one).is_err());
    }

    #[test]
    fn a_query_is_the_same_after_serde() {
        let filter = MessageFilter::new().created(crate::time::Timestamp::UNIX_EPOCH, None);
        let query = MessageQuery::newest(7).offset(3).filter(filter);
        let text = serde_json::to_string(&query).unwrap();
        assert_eq!(serde_json::from_str::<MessageQuery>(&text).unwrap(), query);
        assert_eq!(serde_json::from_str::<MessageQuery>("{}").unwrap(), MessageQuery::default());
    }
}
