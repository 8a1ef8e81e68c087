//! The request that adds to a history.

use std::future::IntoFuture;

use chatkeep_domain::{InvalidArgument, MessageId, Metadata, Position, UserId};

use super::ConversationHistory;
use crate::Error;
use crate::input::{BoxFuture, MessageInput};

/// [`ConversationHistory::add_message`] and its kin.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddToHistory<'a> {
    history: &'a mut ConversationHistory,
    input: Result<MessageInput, InvalidArgument>,
    id: Option<MessageId>,
}

/// What became of a message that was added to a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// Its id, where it is stored or will be; without a store, the one that was given.
    pub id: Option<MessageId>,
    /// Its place in the thread, where it is stored already.
    pub position: Option<Position>,
    /// Whether it shows in the window: a tool's result whose call is not there does not, nor does a message that was
    /// added before and has left.
    pub in_window: bool,
}

impl<'a> AddToHistory<'a> {
    pub(super) fn new(
        history: &'a mut ConversationHistory,
        input: Result<MessageInput, InvalidArgument>,
    ) -> Self {
        Self { history, input, id: None }
    }

    /// Goes into the content's `metadata`, over what is there.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.input = self.input.map(|input| input.metadata(metadata));
        self
    }

    /// The user who sent it; for the store.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.input = self.input.map(|input| input.sender(sender));
        self
    }

    /// Its id, instead of a new one: with the same id, a retry stores nothing twice, and shows nothing twice.
    pub fn id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self.input = self.input.map(|input| input.id(id));
        self
    }

    async fn run(self) -> Result<Added, Error> {
        match (self.input, self.id) {
            (Ok(input), _) => self.history.add(input).await,
            // The first try may have answered the call already.
            (Err(refused), Some(id)) => self.history.find(id).await?.ok_or_else(|| refused.into()),
            (Err(refused), None) => Err(refused.into()),
        }
    }
}

impl<'a> IntoFuture for AddToHistory<'a> {
    type Output = Result<Added, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
