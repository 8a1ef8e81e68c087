//! Every call of the ports, by its name.

use chatkeep_domain::{
    Append, Clock as _, ConversationRepository, IdGenerator as _, MessageEdit, MessageId, MessageQuery,
    NewMessage, NewThread, OrgId, Role, Scope, SearchQuery, StoreError, SystemClock, ThreadAppend, ThreadId,
    ThreadQuery, ThreadUpdate, UserId, UuidV7Generator, next_message,
};

/// The calls that read.
pub(crate) const READS: [&str; 7] = [
    "get_thread",
    "list_threads",
    "get_message",
    "list_messages",
    "stream_messages",
    "list_revisions",
    "search_messages",
];

/// The writes that a store recognizes when they come again.
pub(crate) const RECOGNIZED: [&str; 4] = ["create_thread", "append", "append_each", "edit_message"];

/// The writes that it does not.
pub(crate) const BLIND: [&str; 4] = ["update_thread", "delete_thread", "delete_message", "clear_messages"];

pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    READS.into_iter().chain(RECOGNIZED).chain(BLIND)
}

/// A thread with a message.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub(crate) scope: Scope,
    pub(crate) thread: ThreadId,
    pub(crate) message: MessageId,
}

impl Talk {
    pub(crate) async fn begin(store: &dyn ConversationRepository) -> Self {
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        let scope = Scope::user(org.clone(), user.clone());
        let new = NewThread::new(UuidV7Generator.thread_id(), org, user, "a thread", SystemClock.now());
        let thread = store.create_thread(&scope, new).await.unwrap().id;
        let first = message("first");
        let talk = Self { scope, thread, message: first.id };
        store.append(&talk.scope, thread, Append::new([first])).await.unwrap();
        talk
    }

    /// Makes the call of this name.
    pub(crate) async fn call(
        &self,
        store: &dyn ConversationRepository,
        name: &str,
    ) -> Result<(), StoreError> {
        let Self { scope, thread, message: id } = self;
        let (thread, id, at) = (*thread, *id, SystemClock.now());
        match name {
            "create_thread" => {
                let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
                let new = NewThread::new(UuidV7Generator.thread_id(), org, user, "another", at);
                store.create_thread(scope, new).await.map(drop)
            }
            "get_thread" => store.get_thread(scope, thread).await.map(drop),
            "update_thread" => {
                store.update_thread(scope, thread, ThreadUpdate::new(at).name("a name")).await.map(drop)
            }
            "delete_thread" => store.delete_thread(scope, thread, None).await.map(drop),
            "list_threads" => store.list_threads(scope, &ThreadQuery::default()).await.map(drop),
            "append" => store.append(scope, thread, Append::new([message("second")])).await.map(drop),
            "append_each" => {
                let append = ThreadAppend::new(scope.clone(), thread, Append::new([message("second")]));
                store.append_each(vec![append]).await.remove(0).map(drop)
            }
            "get_message" => store.get_message(scope, thread, id).await.map(drop),
            "list_messages" => store.list_messages(scope, thread, &MessageQuery::first(9)).await.map(drop),
            "stream_messages" => {
                let mut stream = store.stream_messages(scope, thread, MessageQuery::first(9));
                while let Some(message) = next_message(&mut stream).await {
                    message?;
                }
                Ok(())
            }
            "edit_message" => {
                store.edit_message(scope, thread, id, MessageEdit::new("edited", at)).await.map(drop)
            }
            "list_revisions" => store.list_revisions(scope, thread, id).await.map(drop),
            "delete_message" => store.delete_message(scope, thread, id, at.into()).await,
            "clear_messages" => store.clear_messages(scope, thread, at.into()).await.map(drop),
            "search_messages" => {
                let search = store.search().expect("it can search");
                search.search_messages(scope, &SearchQuery::new("first")).await.map(drop)
            }
            _ => panic!("no call is named {name}"),
        }
    }
}

pub(crate) fn message(text: &str) -> NewMessage {
    NewMessage::new(UuidV7Generator.message_id(), Role::User, text, SystemClock.now())
}
