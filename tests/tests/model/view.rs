//! What is compared: the answers of stores and of the model in one form, with small numbers in place of ids.

use chatkeep_domain::{
    Appended, Branch, ChatMessage, ChatThread, ExternalId, MessageRevision, Page, StoreError, Timestamp,
};
use uuid::Uuid;

use crate::step::User;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Done,
    Count(u64),
    Thread(ThreadView),
    Message(MessageView),
    Branch(BranchView),
    Appended { messages: Vec<MessageView>, head: i64, version: i64 },
    Each(Vec<Answer>),
    Page { messages: Vec<MessageView>, has_next: bool, version: Option<i64> },
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    NotFound(String),
    AlreadyExists,
    Conflict {
        of: String,
        expected: i64,
        actual: i64,
    },
    InUse,
    InvalidArgument,
    /// The model knows no other.
    Other(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThreadView {
    pub(crate) id: u8,
    pub(crate) external: Option<u8>,
    pub(crate) owner: User,
    pub(crate) name: String,
    pub(crate) head: i64,
    pub(crate) active: u32,
    /// The thread, the branch and the position.
    pub(crate) forked_from: Option<(u8, u32, i64)>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MessageView {
    pub(crate) id: u32,
    pub(crate) external: Option<u8>,
    pub(crate) thread: u8,
    pub(crate) branch: u32,
    pub(crate) position: i64,
    pub(crate) text: String,
    pub(crate) revision: u32,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RevisionView {
    pub(crate) revision: u32,
    pub(crate) text: String,
    pub(crate) written: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BranchView {
    pub(crate) id: u32,
    pub(crate) request: Option<u8>,
    pub(crate) name: String,
    /// The branch and the position where it starts.
    pub(crate) from: Option<(u32, i64)>,
    pub(crate) head: i64,
    pub(crate) created: i64,
}

/// The small number that an id was made from.
fn number<T: TryFrom<u128>>(id: impl Into<Uuid>) -> T {
    let id = id.into();
    T::try_from(id.as_u128()).unwrap_or_else(|_| panic!("{id} is an id that nobody gave"))
}

fn external(id: Option<ExternalId>) -> Option<u8> {
    id.map(|id| id.as_str().parse().expect("a number"))
}

/// A moment, in microseconds after a fixed one.
pub(crate) fn at(number: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(1_900_000_000_000_000 + number).expect("a time within range")
}

fn moment(time: Timestamp) -> i64 {
    (time - at(0)).num_microseconds().expect("near")
}

impl From<ChatThread> for ThreadView {
    fn from(thread: ChatThread) -> Self {
        let from = thread.forked_from;
        Self {
            id: number(thread.id),
            external: external(thread.external_id),
            owner: if thread.user_id.as_str() == "ada" { User::Ada } else { User::Bob },
            name: thread.name,
            head: thread.head.get(),
            active: thread.active_branch.get(),
            forked_from: from
                .map(|from| (number(from.thread), from.point.branch.get(), from.point.through.get())),
            version: thread.version.get(),
            created: moment(thread.created_at),
            updated: moment(thread.updated_at),
        }
    }
}

impl From<ChatMessage> for MessageView {
    fn from(message: ChatMessage) -> Self {
        Self {
            id: number(message.id),
            external: external(message.external_id),
            thread: number(message.chat_thread_id),
            branch: message.branch.get(),
            position: message.position.get(),
            text: message.content.to_plain_text(),
            revision: message.revision,
            created: moment(message.created_at),
            updated: moment(message.updated_at),
        }
    }
}

impl From<MessageRevision> for RevisionView {
    fn from(revision: MessageRevision) -> Self {
        let text = revision.content.to_plain_text();
        Self { revision: revision.revision, text, written: moment(revision.written_at) }
    }
}

impl From<Branch> for BranchView {
    fn from(branch: Branch) -> Self {
        Self {
            id: branch.id.get(),
            request: branch.request.map(number),
            name: branch.name,
            from: branch.from.map(|from| (from.branch.get(), from.through.get())),
            head: branch.head.get(),
            created: moment(branch.created_at),
        }
    }
}

pub(crate) fn messages(messages: Vec<ChatMessage>) -> Vec<MessageView> {
    messages.into_iter().map(Into::into).collect()
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl From<u64> for Answer {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<ChatThread> for Answer {
    fn from(thread: ChatThread) -> Self {
        Self::Thread(thread.into())
    }
}

impl From<ChatMessage> for Answer {
    fn from(message: ChatMessage) -> Self {
        Self::Message(message.into())
    }
}

impl From<Branch> for Answer {
    fn from(branch: Branch) -> Self {
        Self::Branch(branch.into())
    }
}

impl From<Appended> for Answer {
    fn from(appended: Appended) -> Self {
        let (head, version) = (appended.head.get(), appended.version.get());
        Self::Appended { messages: messages(appended.messages), head, version }
    }
}

impl From<Page<ChatMessage>> for Answer {
    fn from(page: Page<ChatMessage>) -> Self {
        let (has_next, version) = (page.next.is_some(), page.version.map(Into::into));
        Self::Page { messages: messages(page.items), has_next, version }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { entity, .. } => Self::NotFound(entity.to_string()),
            StoreError::AlreadyExists { .. } => Self::AlreadyExists,
            StoreError::Conflict { of, expected, actual, .. } => {
                Self::Conflict { of: of.to_string(), expected, actual }
            }
            StoreError::InUse { .. } => Self::InUse,
            StoreError::InvalidArgument(_) => Self::InvalidArgument,
            other => Self::Other(format!("{other}: {other:?}")),
        }
    }
}

impl<T: Into<Answer>> From<Result<T, StoreError>> for Answer {
    fn from(result: Result<T, StoreError>) -> Self {
        match result {
            Ok(value) => value.into(),
            Err(error) => Self::Failed(error.into()),
        }
    }
}
