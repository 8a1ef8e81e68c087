//! What the index keeps of a message, and what it is asked, in the form that PostgreSQL takes.

use chatkeep_domain::search::{SearchDocument, SearchExpr};
use chatkeep_domain::{Content, MetadataFilter, MetadataTags, OrgId, UserId};
use uuid::Uuid;

use super::tsvector;
use crate::threads::Target;

/// A message's entry. The thread's owner is in it where the target names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The text of a `tsvector`, with the marks in it.
    pub(crate) words: String,
}

impl Entry {
    pub(crate) fn of(target: &Target, content: &Content, sender: Option<&UserId>) -> Self {
        let document = SearchDocument::of(content);
        let tags = document.tags();
        let incomplete = tags.is_incomplete.then(Uuid::nil);
        let mut marks: Vec<Mark<'_>> = tags.tags.iter().copied().chain(incomplete).map(Mark::Tag).collect();
        marks.extend(sender.map(Mark::Sender));
        marks.extend(target.user.as_ref().map(|user| Mark::User(Some(&target.org), user)));
        Self { words: tsvector::write(&target.org, &document, &marks) }
    }
}

/// What is looked up beside the words.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark<'a> {
    User(Option<&'a OrgId>, &'a UserId),
    Sender(&'a UserId),
    Tag(Uuid),
}

/// What the index is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) org: Option<&'a OrgId>,
    pub(crate) user: Option<&'a UserId>,
    pub(crate) sender: Option<&'a UserId>,
    pub(crate) metadata: &'a [MetadataFilter],
    pub(crate) expr: Option<&'a SearchExpr>,
}

impl<'a> Wanted<'a> {
    /// The candidates of filters on metadata alone.
    pub(crate) fn metadata(org: &'a OrgId, metadata: &'a [MetadataFilter]) -> Self {
        Self { org: Some(org), user: None, sender: None, metadata, expr: None }
    }

    /// The question as a `tsquery`. `None` where the index has nothing to say.
    pub(crate) fn render(&self) -> Option<String> {
        tsvector::question(self)
    }

    /// What the filters on metadata look up: nothing, or one of these lists, of which all marks are to be there.
    pub(super) fn tags(&self) -> Vec<Vec<Mark<'static>>> {
        let incomplete = vec![Mark::Tag(Uuid::nil())];
        match MetadataTags::wanted(self.metadata) {
            MetadataTags { is_incomplete: true, .. } => vec![incomplete],
            MetadataTags { tags, .. } if tags.is_empty() => Vec::new(),
            MetadataTags { tags, .. } => vec![tags.into_iter().map(Mark::Tag).collect(), incomplete],
        }
    }
}
