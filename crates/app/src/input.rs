//! A message on its way in, before it has an id and a time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use chatkeep_domain::{
    Content, ExternalId, Hidden, IdGenerator, InvalidArgument, Message, MessageId, Metadata, NewMessage,
    Role, Timestamp, UserId,
};

/// What a request becomes when it is awaited.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A message to be added: role and content, and what else the caller knows of it.
///
/// ```
/// use chatkeep::{MessageId, MessageInput, Role};
///
/// let input = MessageInput::new(Role::User, "hello").id("0198c0de-0000-7000-8000-000000000001".parse()?);
/// # Ok::<(), chatkeep::InvalidArgument>(())
/// ```
#[derive(Clone, PartialEq)]
#[must_use]
pub struct MessageInput {
    pub(crate) role: Role,
    pub(crate) content: Content,
    pub(crate) metadata: Option<Metadata>,
    sender: Option<UserId>,
    id: Option<MessageId>,
    external_id: Option<ExternalId>,
}

impl MessageInput {
    /// A message of any content; a `&str` or a `String` is text.
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self { role, content: content.into(), metadata: None, sender: None, id: None, external_id: None }
    }

    /// The user who sent it.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Adds these keys to the content's `metadata`. A key that is there already gets the new value.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata.get_or_insert_default().extend(metadata);
        self
    }

    /// The message's id, instead of a new one. Adding again with the same id stores nothing twice.
    pub fn id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self
    }

    /// The id that the caller has of their own for it, from which its id is derived unless one is given too. Adding again
    /// with the same external id stores nothing twice.
    pub fn external_id(mut self, external: ExternalId) -> Self {
        self.external_id = Some(external);
        self
    }

    /// The id that was chosen for it.
    pub(crate) fn chosen_id(&self) -> Option<MessageId> {
        self.id.or_else(|| self.external_id.as_ref().map(MessageId::of_external))
    }

    /// The message as a model sees it, metadata included.
    pub(crate) fn into_message(self) -> Result<Message, InvalidArgument> {
        let content = merge(self.content, self.metadata)?;
        Ok(Message::new(self.role, content))
    }

    /// The message as it is stored.
    pub(crate) fn into_new(
        self,
        now: Timestamp,
        ids: &dyn IdGenerator,
    ) -> Result<NewMessage, InvalidArgument> {
        let id = self.chosen_id().unwrap_or_else(|| ids.message_id());
        let content = merge(self.content, self.metadata)?;
        let mut new = NewMessage::new(id, self.role, content, now);
        (new.sender_id, new.external_id) = (self.sender, self.external_id);
        Ok(new)
    }
}

impl fmt::Debug for MessageInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, content, metadata, sender, id, external_id } = self;
        f.debug_struct("MessageInput")
            .field("role", role)
            .field("content", content)
            .field("metadata", &metadata.as_ref().map(Hidden::keys))
            .field("sender", sender)
            .field("id", id)
            .field("external_id", external_id)
            .finish()
    }
}

impl From<Message> for MessageInput {
    fn from(message: Message) -> Self {
        Self::new(message.role, message.content)
    }
}

impl<C: Into<Content>> From<(Role, C)> for MessageInput {
    fn from((role, content): (Role, C)) -> Self {
        Self::new(role, content)
    }
}

fn merge(content: Content, metadata: Option<Metadata>) -> Result<Content, InvalidArgument> {
    let Some(metadata) = metadata else { return Ok(content) };
    if content.get("metadata").is_some() && content.metadata().is_none() {
        return Err(InvalidArgument::new(
            "metadata",
            "can only be added where the content's own is an object",
            "another JSON value",
        ));
    }
    let mut merged = content.metadata().cloned().unwrap_or_default();
    merged.extend(metadata);
    Ok(content.with_metadata(merged))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(value: Value) -> Metadata {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn metadata_goes_over_what_is_there_and_leaves_the_rest() {
        let content = Content::text("x").with_metadata(object(json!({"a": 1, "b": 1})));
        let input = MessageInput::new(Role::User, content).metadata(object(json!({"b": 2, "c": 2})));
        let message = input.into_message().unwrap();
        assert_eq!(message.content.get("metadata"), Some(&json!({"a": 1, "b": 2, "c": 2})));
    }

    #[test]
    fn debug_shows_no_content() {
        let input = MessageInput::new(Role::User, "secret").metadata(object(json!({"secret": "secret"})));
        assert_eq!(
            format!("{input:?}"),
            "MessageInput { role: User, content: Content(text, 31 bytes), metadata: Some(1 keys), sender: None, \
             id: None, external_id: None }"
        );
    }

    #[test]
    fn metadata_never_replaces_what_it_cannot_be_merged_with() {
        let content = Content::from_value(json!({"type": "text", "metadata": "mine"})).unwrap();
        let input = MessageInput::new(Role::User, content.clone()).metadata(object(json!({"b": 2})));
        assert_eq!(input.into_message().unwrap_err().field, "metadata");
        let untouched = MessageInput::new(Role::User, content.clone()).into_message().unwrap();
        assert_eq!(untouched.content, content);
    }
}
