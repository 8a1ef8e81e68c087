//! What a search finds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hidden::Hidden;
use crate::id::OrgId;
use crate::message::ChatMessage;
use crate::search::snippet::Snippet;

/// A message that a search found. `Debug` shows no content and no name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchHit {
    /// The message; its `chat_thread_id` is the thread's id.
    pub message: ChatMessage,
    /// The organization of the thread.
    pub org_id: OrgId,
    /// The name of the thread.
    pub thread_name: String,
    /// How well it fits, greater than 0, where the order is [`SearchOrder::Relevance`](crate::SearchOrder::Relevance) and the query has words. It
    /// compares hits of one query.
    pub score: Option<f64>,
    /// A part of the message's text, with what was found in it.
    pub snippet: Snippet,
}

impl SearchHit {
    /// A hit without a score.
    pub const fn new(message: ChatMessage, org_id: OrgId, thread_name: String, snippet: Snippet) -> Self {
        Self { message, org_id, thread_name, score: None, snippet }
    }
}

impl fmt::Debug for SearchHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchHit")
            .field("message", &self.message)
            .field("org_id", &self.org_id)
            .field("thread_name", &Hidden::text(&self.thread_name))
            .field("score", &self.score)
            .field("snippet", &self.snippet)
            .finish()
    }
}
