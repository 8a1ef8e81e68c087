//! Every call of the ports, by its name.

use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRename, BranchRepository, Clock as _, ConversationRepository, Fork,
    IdGenerator as _, MessageEdit, MessageId, MessageQuery, NewBranch, NewMessage, NewThread, OrgId,
    Position, Role, Scope, SearchQuery, StoreError, SystemClock, ThreadAppend, ThreadId, ThreadQuery,
    ThreadUpdate, UserId, UuidV7Generator, Version, next_message,
};

/// The calls that read.
pub(crate) const READS: [&str; 9] = [
    "get_thread",
    "list_threads",
    "get_message",
    "list_messages",
    "list_messages_unless",
    "stream_messages",
    "list_revisions",
    "search_messages",
    "list_branches",
];

/// The writes that a store recognizes when they come again.
pub(crate) const RECOGNIZED: [&str; 6] =
    ["create_thread", "append", "append_each", "edit_message", "create_branch", "fork_thread"];

/// The writes that it does not.
pub(crate) const BLIND: [&str; 7] = [
    "update_thread",
    "delete_thread",
    "delete_message",
    "clear_messages",
    "rename_branch",
    "delete_branch",
    "truncate_branch",
];

pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    READS.into_iter().chain(RECOGNIZED).chain(BLIND)
}

/// A thread with a message, and with a branch that starts behind it.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub(crate) scope: Scope,
    pub(crate) thread: ThreadId,
    pub(crate) message: MessageId,
    branch: BranchId,
}

impl Talk {
    pub(crate) async fn begin(store: &dyn ConversationRepository) -> Self {
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        let scope = Scope::user(org.clone(), user.clone());
        let new = NewThread::new(UuidV7Generator.thread_id(), org, user, "a thread", SystemClock.now());
        let thread = store.create_thread(&scope, new).await.unwrap().id;
        let first = message("first");
        let message = first.id;
        store.append(&scope, thread, Append::new([first])).await.unwrap();
        let branch = branches(store).create_branch(&scope, thread, new_branch()).await.unwrap().id;
        Self { scope, thread, message, branch }
    }

    /// Makes the call of this name.
    pub(crate) async fn call(
        &self,
        store: &dyn ConversationRepository,
        name: &str,
    ) -> Result<(), StoreError> {
        let Self { scope, thread, message: id, branch } = self;
        let branch = *branch;
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
            "list_messages_unless" => {
                let query = MessageQuery::first(9);
                store.list_messages_unless(scope, thread, &query, Version::beginning(7)).await.map(drop)
            }
            "create_branch" => branches(store).create_branch(scope, thread, new_branch()).await.map(drop),
            "list_branches" => branches(store).list_branches(scope, thread).await.map(drop),
            "rename_branch" => {
                let rename = BranchRename::new("a name", at);
                branches(store).rename_branch(scope, thread, branch, rename).await.map(drop)
            }
            "delete_branch" => {
                branches(store).delete_branch(scope, thread, branch, at.into()).await.map(drop)
            }
            "truncate_branch" => {
                let after = new_branch().from.through;
                branches(store).truncate_branch(scope, thread, branch, after, at.into()).await.map(drop)
            }
            "fork_thread" => {
                let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
                let new = NewThread::new(UuidV7Generator.thread_id(), org, user, "a fork", at);
                let fork = Fork::new(new, new_branch().from);
                branches(store).fork_thread(scope, thread, fork).await.map(drop)
            }
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

fn branches(store: &dyn ConversationRepository) -> &dyn BranchRepository {
    store.branches().expect("it has branches")
}

/// Behind the first message.
fn new_branch() -> NewBranch {
    let from = BranchPoint::new(BranchId::MAIN, Position::new(1).unwrap());
    NewBranch::new(UuidV7Generator.request_id(), from, SystemClock.now())
}

pub(crate) fn message(text: &str) -> NewMessage {
    NewMessage::new(UuidV7Generator.message_id(), Role::User, text, SystemClock.now())
}
