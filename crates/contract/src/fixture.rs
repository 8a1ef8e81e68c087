//! What the cases are written with.

use chatkeep_domain::{
    Append, ChatMessage, ChatThread, Content, IdGenerator as _, MessageEdit, MessageId, MessageQuery,
    MessageRevision, NewMessage, NewThread, OrgId, Page, Role, Scope, StoreError, ThreadAppend, ThreadId,
    ThreadQuery, Timestamp, UserId, UuidV7Generator,
};
use chrono::{DateTime, TimeDelta};

use crate::Repo;

/// Fails unless the call was refused with this error.
macro_rules! assert_refused {
    ($result:expr, $pattern:pat $(if $guard:expr)? $(, $($context:tt)+)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!(
                "expected {}, got {other:?} {}",
                stringify!($pattern $(if $guard)?),
                String::new() $(+ &format!($($context)+))?
            ),
        }
    };
}

/// A moment some seconds after the start of 2024. Its microseconds are none of them 0, so that every case notices a
/// store that keeps fewer digits.
pub(crate) fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp_micros(1_704_067_200_123_457).expect("a moment") + TimeDelta::seconds(seconds)
}

pub(crate) fn thread_id() -> ThreadId {
    UuidV7Generator.thread_id()
}

pub(crate) fn message_id() -> MessageId {
    UuidV7Generator.message_id()
}

/// A message of a user, at `at(1)`.
pub(crate) fn message(content: impl Into<Content>) -> NewMessage {
    NewMessage::new(message_id(), Role::User, content, at(1))
}

/// As many messages, with their number as text.
pub(crate) fn numbered(count: usize) -> Vec<NewMessage> {
    (0..count).map(|number| message(number.to_string())).collect()
}

pub(crate) fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_text().unwrap_or("not a text")).collect()
}

pub(crate) fn ids(messages: &[ChatMessage]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

pub(crate) fn positions(messages: &[ChatMessage]) -> Vec<i64> {
    messages.iter().map(|message| message.position.get()).collect()
}

/// Several appends in one call, of which each has its answer.
pub(crate) async fn append_each(
    repo: &Repo,
    appends: impl IntoIterator<Item = ThreadAppend>,
) -> Vec<Result<Vec<ChatMessage>, StoreError>> {
    let appends: Vec<_> = appends.into_iter().collect();
    let count = appends.len();
    let answers = repo.append_each(appends).await;
    assert_eq!(answers.len(), count, "one answer an append");
    answers
}

/// The same, where all of them work.
pub(crate) async fn say_each(
    repo: &Repo,
    appends: impl IntoIterator<Item = ThreadAppend>,
) -> Vec<Vec<ChatMessage>> {
    let answers = append_each(repo, appends).await;
    answers.into_iter().map(|answer| answer.expect("the messages are appended")).collect()
}

/// A user of an organization that no other case knows: stores are shared between cases that run at the same time.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) repo: Repo,
    pub(crate) org: OrgId,
    pub(crate) user: UserId,
    pub(crate) scope: Scope,
}

impl Tenant {
    pub(crate) fn new(repo: &Repo) -> Self {
        Self::of(repo, &format!("org-{}", thread_id()), "ada")
    }

    pub(crate) fn of(repo: &Repo, org: &str, user: &str) -> Self {
        let (org, user) = (OrgId::new(org).expect("an org id"), UserId::new(user).expect("a user id"));
        Self { repo: repo.clone(), scope: Scope::user(org.clone(), user.clone()), org, user }
    }

    /// Another user of the same organization.
    pub(crate) fn colleague(&self) -> Self {
        Self::of(&self.repo, self.org.as_str(), "bob")
    }

    pub(crate) fn org_scope(&self) -> Scope {
        Scope::org(self.org.clone())
    }

    /// A thread to be stored, of `at(0)`.
    pub(crate) fn new_thread(&self) -> NewThread {
        NewThread::new(thread_id(), self.org.clone(), self.user.clone(), "a thread", at(0))
    }

    pub(crate) async fn create(&self, new: NewThread) -> Result<ChatThread, StoreError> {
        self.repo.create_thread(&self.scope, new).await
    }

    /// A stored thread of `at(0)`, without messages.
    pub(crate) async fn talk(&self) -> Talk {
        self.talk_from(self.new_thread()).await
    }

    pub(crate) async fn talk_from(&self, new: NewThread) -> Talk {
        let id = self.create(new).await.expect("a thread is created").id;
        Talk { tenant: self.clone(), id }
    }

    pub(crate) async fn list(&self, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        self.repo.list_threads(&self.scope, query).await
    }

    /// The ids of all threads of a scope, in the order of the list.
    pub(crate) async fn list_ids(&self, scope: &Scope) -> Vec<ThreadId> {
        let page = self.repo.list_threads(scope, &ThreadQuery::default()).await;
        let page = page.expect("threads are listed");
        page.items.iter().map(|thread| thread.id).collect()
    }
}

/// A thread, and what its owner does with it.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) tenant: Tenant,
    pub(crate) id: ThreadId,
}

impl Talk {
    /// With as many numbered messages.
    pub(crate) async fn with(tenant: &Tenant, count: usize) -> (Self, Vec<ChatMessage>) {
        let talk = tenant.talk().await;
        let stored = talk.say(numbered(count)).await;
        (talk, stored)
    }

    fn repo(&self) -> &Repo {
        &self.tenant.repo
    }

    pub(crate) async fn thread(&self) -> ChatThread {
        let thread = self.repo().get_thread(&self.tenant.scope, self.id).await;
        thread.expect("the thread is read")
    }

    pub(crate) async fn append(&self, append: Append) -> Result<Vec<ChatMessage>, StoreError> {
        self.repo().append(&self.tenant.scope, self.id, append).await
    }

    /// One append of several that go in one call.
    pub(crate) fn appending(&self, append: Append) -> ThreadAppend {
        ThreadAppend::new(self.tenant.scope.clone(), self.id, append)
    }

    /// An append that works.
    pub(crate) async fn say(&self, messages: impl IntoIterator<Item = NewMessage>) -> Vec<ChatMessage> {
        let stored = self.append(Append::new(messages)).await;
        stored.expect("the messages are appended")
    }

    pub(crate) async fn page(&self, query: &MessageQuery) -> Result<Page<ChatMessage>, StoreError> {
        self.repo().list_messages(&self.tenant.scope, self.id, query).await
    }

    /// The items of a page that works.
    pub(crate) async fn read(&self, query: &MessageQuery) -> Vec<ChatMessage> {
        self.page(query).await.expect("the messages are listed").items
    }

    /// Up to 1,000 messages, oldest first.
    pub(crate) async fn all(&self) -> Vec<ChatMessage> {
        self.read(&MessageQuery::first(1_000)).await
    }

    pub(crate) async fn get(&self, id: MessageId) -> Result<ChatMessage, StoreError> {
        self.repo().get_message(&self.tenant.scope, self.id, id).await
    }

    pub(crate) async fn edit(
        &self,
        id: MessageId,
        content: impl Into<Content>,
        at: Timestamp,
    ) -> Result<ChatMessage, StoreError> {
        let edit = MessageEdit::new(content, at);
        self.repo().edit_message(&self.tenant.scope, self.id, id, edit).await
    }

    pub(crate) async fn revisions(&self, id: MessageId) -> Result<Vec<MessageRevision>, StoreError> {
        self.repo().list_revisions(&self.tenant.scope, self.id, id).await
    }

    pub(crate) async fn delete_message(&self, id: MessageId, at: Timestamp) -> Result<(), StoreError> {
        self.repo().delete_message(&self.tenant.scope, self.id, id, at).await
    }

    pub(crate) async fn clear(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.repo().clear_messages(&self.tenant.scope, self.id, at).await
    }

    pub(crate) async fn delete(&self) -> Result<u64, StoreError> {
        self.repo().delete_thread(&self.tenant.scope, self.id).await
    }

    /// All that a write could have changed: to compare before and after.
    pub(crate) async fn snapshot(&self) -> (ChatThread, Vec<ChatMessage>, Vec<Vec<MessageRevision>>) {
        let messages = self.all().await;
        let mut revisions = Vec::new();
        for message in &messages {
            let of_one = self.revisions(message.id).await;
            revisions.push(of_one.expect("the revisions are listed"));
        }
        (self.thread().await, messages, revisions)
    }
}
