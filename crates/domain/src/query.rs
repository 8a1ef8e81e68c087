//! What a list asks for.

use std::fmt;

use crate::metadata::{all_match, check_filters};
use crate::search::fold_text;
use crate::{
    ChatMessage, ChatThread, Cursor, Hidden, InvalidArgument, MAX_NAME_BYTES, MetadataFilter, OrgId,
    Position, Role, ThreadId, Timestamp, UserId, time,
};

/// How many items a page holds when the query does not say.
pub const DEFAULT_PAGE_LEN: usize = 100;

/// The most items of a page. More is read page by page.
pub const MAX_PAGE_LEN: usize = 1_000;

/// The direction of a list of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// As they were said.
    #[default]
    OldestFirst,
    /// From the latest back.
    NewestFirst,
}

/// Which messages of a thread, by position.
///
/// ```
/// use chatkeep_domain::{MessageQuery, Order, Role};
/// let last_questions = MessageQuery::newest(50).role(Role::User);
/// assert_eq!((last_questions.limit, last_questions.order), (50, Order::NewestFirst));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MessageQuery {
    /// Only messages behind this position.
    pub after: Option<Position>,
    /// Only messages ahead of this position.
    pub before: Option<Position>,
    /// Only messages created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only messages created before this moment.
    pub created_until: Option<Timestamp>,
    /// Only messages of this role.
    pub role: Option<Role>,
    /// Only messages of this sender.
    pub sender_id: Option<UserId>,
    /// Only messages whose content's `metadata` has all of these, at most
    /// [`MAX_METADATA_FILTERS`](crate::MAX_METADATA_FILTERS).
    pub metadata: Vec<MetadataFilter>,
    /// The direction of the list.
    pub order: Order,
    /// Leaves out this many of the messages that the rest of the query finds.
    pub offset: u64,
    /// The most items of the page, at most [`MAX_PAGE_LEN`]. 0 gives an empty page.
    pub limit: usize,
    /// Goes on behind an earlier page of the same thread and order.
    pub cursor: Option<Cursor>,
}

impl Default for MessageQuery {
    /// The first [`DEFAULT_PAGE_LEN`] messages.
    fn default() -> Self {
        Self {
            after: None,
            before: None,
            created_from: None,
            created_until: None,
            role: None,
            sender_id: None,
            metadata: Vec::new(),
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

    /// Only messages created in `[from, until)`, to the microsecond.
    #[must_use]
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.created_from = from.into().map(time::ceil_to_micros);
        self.created_until = until.into().map(time::ceil_to_micros);
        self
    }

    /// Only messages of this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Only messages of this sender.
    #[must_use]
    pub fn sender_id(mut self, sender: UserId) -> Self {
        self.sender_id = Some(sender);
        self
    }

    /// Only messages whose content's `metadata` has this too.
    #[must_use]
    pub fn metadata(mut self, filter: MetadataFilter) -> Self {
        self.metadata.push(filter);
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

    /// Whether the filters let a message through: its role, its sender, its metadata and when it was created.
    /// Position, offset and limit are not looked at.
    pub fn matches(&self, message: &ChatMessage) -> bool {
        is_of(message, self.role, self.sender_id.as_ref())
            && is_within(message.created_at, self.created_from, self.created_until)
            && all_match(&self.metadata, &message.content)
    }

    /// The page behind an earlier one; the offset was used up there.
    #[must_use]
    pub fn behind(mut self, cursor: Cursor) -> Self {
        (self.cursor, self.offset) = (Some(cursor), 0);
        self
    }

    /// Checks the limits, reads the cursor, and gives the open interval of positions that is asked for: behind the
    /// first, ahead of the second, `None` where a side is open.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a limit over [`MAX_PAGE_LEN`], an offset of 2⁶³ or more, a moment out of range, too
    /// many filters, or a cursor that is damaged or of another list.
    pub fn validate(&self, thread: ThreadId) -> Result<(Position, Option<Position>), InvalidArgument> {
        check_limit(self.limit)?;
        if i64::try_from(self.offset).is_err() {
            return Err(InvalidArgument::new("offset", "must be below 2^63", self.offset.to_string()));
        }
        check_range(["created_from", "created_until"], self.created_from, self.created_until)?;
        check_filters(&self.metadata)?;
        let (mut after, mut before) = (self.after.unwrap_or(Position::ZERO), self.before);
        if let Some(cursor) = &self.cursor {
            let place = cursor.message_position(thread, self.order)?;
            match self.order {
                Order::OldestFirst => after = after.max(place),
                Order::NewestFirst => before = Some(before.map_or(place, |before| before.min(place))),
            }
        }
        Ok((after, before))
    }
}

/// Which threads, the newest update first.
///
/// A filter outside the scope finds nothing. `Debug` shows how long the words of `name_contains` are, not what they say.
#[derive(Clone, PartialEq)]
pub struct ThreadQuery {
    /// Only threads of this organization.
    pub org_id: Option<OrgId>,
    /// Only threads of this user.
    pub user_id: Option<UserId>,
    /// Only threads whose name holds this, with case and diacritics folded ([`fold_text`]): "cafe" is in "My Café".
    /// At most [`MAX_NAME_BYTES`] bytes. What folds to nothing is in every name.
    pub name_contains: Option<String>,
    /// Only threads created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only threads created before this moment.
    pub created_until: Option<Timestamp>,
    /// Only threads updated at this moment or later.
    pub updated_from: Option<Timestamp>,
    /// Only threads updated before this moment.
    pub updated_until: Option<Timestamp>,
    /// Only threads whose metadata has all of these, at most
    /// [`MAX_METADATA_FILTERS`](crate::MAX_METADATA_FILTERS).
    pub metadata: Vec<MetadataFilter>,
    /// The most items of the page, at most [`MAX_PAGE_LEN`]. 0 gives an empty page.
    pub limit: usize,
    /// Goes on behind an earlier page.
    pub cursor: Option<Cursor>,
}

impl Default for ThreadQuery {
    /// The first [`DEFAULT_PAGE_LEN`] threads of the scope.
    fn default() -> Self {
        Self {
            org_id: None,
            user_id: None,
            name_contains: None,
            created_from: None,
            created_until: None,
            updated_from: None,
            updated_until: None,
            metadata: Vec::new(),
            limit: DEFAULT_PAGE_LEN,
            cursor: None,
        }
    }
}

impl ThreadQuery {
    /// The first `limit` threads of the scope.
    pub fn first(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Only threads of this organization.
    #[must_use]
    pub fn org_id(mut self, org: OrgId) -> Self {
        self.org_id = Some(org);
        self
    }

    /// Only threads of this user.
    #[must_use]
    pub fn user_id(mut self, user: UserId) -> Self {
        self.user_id = Some(user);
        self
    }

    /// Only threads whose name holds this, with case and diacritics folded.
    #[must_use]
    pub fn name_contains(mut self, words: impl Into<String>) -> Self {
        self.name_contains = Some(words.into());
        self
    }

    /// Only threads created in `[from, until)`, to the microsecond.
    #[must_use]
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.created_from = from.into().map(time::ceil_to_micros);
        self.created_until = until.into().map(time::ceil_to_micros);
        self
    }

    /// Only threads last updated in `[from, until)`, to the microsecond.
    #[must_use]
    pub fn updated(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.updated_from = from.into().map(time::ceil_to_micros);
        self.updated_until = until.into().map(time::ceil_to_micros);
        self
    }

    /// Only threads whose metadata has this too.
    #[must_use]
    pub fn metadata(mut self, filter: MetadataFilter) -> Self {
        self.metadata.push(filter);
        self
    }

    /// The most items of the page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The page behind an earlier one.
    #[must_use]
    pub fn behind(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Whether the filters let a thread through, its owner aside: its name, its metadata, when it was created and
    /// when it was updated.
    pub fn matches(&self, thread: &ChatThread) -> bool {
        is_within(thread.created_at, self.created_from, self.created_until)
            && is_within(thread.updated_at, self.updated_from, self.updated_until)
            && self.folded_name().is_none_or(|words| fold_text(&thread.name).contains(&words))
            && self.metadata.iter().all(|filter| filter.matches(&thread.metadata))
    }

    /// `name_contains` as it is looked for in folded names; `None` where every name holds it.
    pub fn folded_name(&self) -> Option<String> {
        self.name_contains.as_deref().map(fold_text).filter(|words| !words.is_empty())
    }

    /// Checks the limits and reads the cursor.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a limit over [`MAX_PAGE_LEN`], a moment out of range, a name over its limit, too many
    /// filters, or a cursor that is damaged or of another list.
    pub fn validate(&self) -> Result<Option<crate::ThreadKey>, InvalidArgument> {
        check_limit(self.limit)?;
        check_range(["created_from", "created_until"], self.created_from, self.created_until)?;
        check_range(["updated_from", "updated_until"], self.updated_from, self.updated_until)?;
        check_filters(&self.metadata)?;
        if let Some(words) = self.name_contains.as_ref().filter(|words| words.len() > MAX_NAME_BYTES) {
            let rule = format!("must be at most {MAX_NAME_BYTES} bytes long");
            return Err(InvalidArgument::new("name_contains", rule, format!("{} bytes", words.len())));
        }
        self.cursor.as_ref().map(Cursor::thread_key).transpose()
    }
}

impl fmt::Debug for ThreadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadQuery")
            .field("org_id", &self.org_id)
            .field("user_id", &self.user_id)
            .field("name_contains", &self.name_contains.as_deref().map(Hidden::text))
            .field("created", &(self.created_from, self.created_until))
            .field("updated", &(self.updated_from, self.updated_until))
            .field("metadata", &self.metadata)
            .field("limit", &self.limit)
            .field("cursor", &self.cursor)
            .finish()
    }
}

/// Whether a message is of this role and of this sender, where they are asked for.
pub(crate) fn is_of(message: &ChatMessage, role: Option<Role>, sender: Option<&UserId>) -> bool {
    role.is_none_or(|role| message.sender_role == role)
        && sender.is_none_or(|sender| message.sender_id.as_ref() == Some(sender))
}

/// Whether a moment is in `[from, until)`.
pub(crate) fn is_within(moment: Timestamp, from: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    from.is_none_or(|from| moment >= from) && until.is_none_or(|until| moment < until)
}

pub(crate) fn check_range(
    names: [&'static str; 2],
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<(), InvalidArgument> {
    from.map_or(Ok(()), |moment| time::check_timestamp(names[0], moment))?;
    until.map_or(Ok(()), |moment| time::check_timestamp(names[1], moment))
}

pub(crate) fn check_limit(limit: usize) -> Result<(), InvalidArgument> {
    if limit > MAX_PAGE_LEN {
        let rule = format!("must be at most {MAX_PAGE_LEN}; read further page by page");
        return Err(InvalidArgument::new("limit", rule, limit.to_string()));
    }
    Ok(())
}
