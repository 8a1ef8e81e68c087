//! Which messages of a list or a search.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::invalid::InvalidArgument;
use crate::message::ChatMessage;
use crate::metadata_filter::{MetadataFilter, check_filters};
use crate::role::Role;
use crate::time::{TimeRange, Timestamp};

/// Which messages a list or a search gives: those that pass all of these. The default lets every message pass.
///
/// ```
/// use chatkeep_domain::{MessageFilter, MessageQuery, Role};
///
/// let questions = MessageFilter::new().role(Role::User);
/// let last_questions = MessageQuery::newest(50).filter(questions);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MessageFilter {
    /// Only messages of one of these roles; none lets every role pass.
    pub roles: Vec<Role>,
    /// Only messages of this sender.
    pub sender_id: Option<UserId>,
    /// Only messages created in this range.
    pub created: TimeRange,
    /// Only messages whose content's `metadata` has all of these, at most
    /// [`MAX_METADATA_FILTERS`](crate::MAX_METADATA_FILTERS).
    pub metadata: Vec<MetadataFilter>,
}

impl MessageFilter {
    /// Every message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only messages of this role. Another call adds another role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Only messages of this sender.
    #[must_use]
    pub fn sender_id(mut self, sender: UserId) -> Self {
        self.sender_id = Some(sender);
        self
    }

    /// Only messages created in `[from, until)`; `None` is an open end.
    #[must_use]
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.created = TimeRange::new(from, until);
        self
    }

    /// Only messages whose content's `metadata` has this too.
    #[must_use]
    pub fn metadata(mut self, filter: MetadataFilter) -> Self {
        self.metadata.push(filter);
        self
    }

    /// Whether a message passes.
    pub fn matches(&self, message: &ChatMessage) -> bool {
        (self.roles.is_empty() || self.roles.contains(&message.sender_role))
            && self.sender_id.as_ref().is_none_or(|sender| message.sender_id.as_ref() == Some(sender))
            && self.created.contains(message.created_at)
            && self.matches_metadata(message)
    }

    /// Without a filter, a content needs no metadata.
    fn matches_metadata(&self, message: &ChatMessage) -> bool {
        let all = |metadata| self.metadata.iter().all(|filter| filter.matches(metadata));
        self.metadata.is_empty() || message.content.metadata().is_some_and(all)
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a moment out of range or too many metadata filters.
    pub fn validate(&self) -> Result<(), InvalidArgument> {
        self.created.check(["created.from", "created.until"])?;
        check_filters(&self.metadata)
    }
}
