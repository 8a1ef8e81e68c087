//! How rows are damaged behind a store's back.

use async_trait::async_trait;
use chatkeep_domain::{MessageId, OrgId, ThreadId};

/// A row that a store keeps JSON in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Row {
    /// A thread, with its metadata.
    Thread(OrgId, ThreadId),
    /// A message, with its content.
    Message(OrgId, ThreadId, MessageId),
    /// The earlier contents of a message.
    Revisions(OrgId, ThreadId, MessageId),
}

/// Reaches into a store behind its back.
#[async_trait]
pub trait Damage: Send + Sync {
    /// Puts this text in place of the JSON that the store keeps in the row. Nothing else in the store changes, and no
    /// search index.
    ///
    /// The text is no JSON, or JSON of which a part cannot be kept exactly. A store that does not keep JSON as text puts
    /// there what its own reader must refuse for the same reason.
    async fn overwrite(&self, row: &Row, json: &str);
}
