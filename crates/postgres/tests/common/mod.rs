//! What the tests share.

use chatkeep_domain::{
    Append, ChatThread, ConversationRepository, MessageId, NewMessage, NewThread, OrgId, Role, Scope,
    StoreError, ThreadId, Timestamp, UserId,
};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use uuid::Uuid;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + seconds, 0).expect("a time within range")
}

pub(crate) fn scope() -> Scope {
    Scope::user(OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"))
}

pub(crate) fn thread_id() -> ThreadId {
    Uuid::from_u128(0x71).into()
}

pub(crate) fn message_id(number: u128) -> MessageId {
    Uuid::from_u128(number).into()
}

pub(crate) fn message(number: u128, text: &str) -> NewMessage {
    NewMessage::new(message_id(number), Role::User, text, at(0))
}

pub(crate) fn new_thread() -> NewThread {
    let (org, user) = (OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"));
    NewThread::new(thread_id(), org, user, "a thread", at(0))
}

pub(crate) async fn create_thread(repository: &dyn ConversationRepository) -> Result<ChatThread, StoreError> {
    repository.create_thread(&scope(), new_thread()).await
}

/// A thread of three messages, 1 to 3.
pub(crate) async fn three_messages(repository: &dyn ConversationRepository) {
    create_thread(repository).await.expect("the thread is new");
    let messages = [message(1, "one"), message(2, "two"), message(3, "three")];
    repository.append(&scope(), thread_id(), Append::new(messages)).await.expect("the thread is there");
}

pub(crate) async fn execute(connection: &DatabaseConnection, sql: &str) {
    connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The error with all its sources, as a log would show it, and its `Debug` beside it.
pub(crate) fn everything_shown(error: &StoreError) -> String {
    let mut shown = vec![format!("{error} / {error:?} / {error:#?}")];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        shown.push(format!("{error} / {error:?}"));
        source = error.source();
    }
    shown.join(" / ")
}
