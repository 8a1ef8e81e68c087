//! Branches: other answers, questions that were rewritten.

use std::fmt;
use std::future::IntoFuture;

use chatkeep_domain::{
    Append, Branch, BranchId, BranchPoint, BranchRename, BranchRepository, ChatMessage, Content, Hidden,
    MessageId, MessageQuery, NewBranch, NewMessage, Position, Removal, RequestId, StoreError, ThreadId,
    ThreadUpdate,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::BoxFuture;
use crate::state_manager::StateManager;

impl StateManager {
    /// A handle on the conversation in this thread, on the branch that was [chosen](Conversation::switch_branch) last.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread.
    pub async fn resume_conversation(&self, thread: ThreadId) -> Result<Conversation, Error> {
        let chat = self.conversation(thread);
        let active = chat.get_thread().await?.active_branch;
        Ok(chat.on_branch(active))
    }

    pub(crate) fn branches(&self) -> Result<&dyn BranchRepository, Error> {
        let repository = self.repository();
        let branches = repository.branches();
        Ok(branches.ok_or_else(|| StoreError::unsupported("branches", repository.name()))?)
    }
}

impl Conversation {
    /// The same conversation on another branch. Does not ask the store whether the branch exists.
    #[must_use]
    pub fn on_branch(&self, branch: BranchId) -> Self {
        Self { branch, ..self.clone() }
    }

    /// All branches of the thread, the main one first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread; [`StoreError::Unsupported`] where the store declines branches.
    pub async fn branches(&self) -> Result<Vec<Branch>, Error> {
        Ok(self.state.branches()?.list_branches(self.state.scope(), self.thread).await?)
    }

    /// A new branch that starts behind this position, [`Position::ZERO`] for the beginning: it shows what this one shows up
    /// to there, and goes on by itself.
    ///
    /// ```
    /// use chatkeep::Role;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// let question = chat.add_message(Role::User, "How is the weather in Oslo?").await?;
    /// chat.add_message(Role::Assistant, "Rain.").await?;
    ///
    /// let other = chat.create_branch(question.position).name("another model").await?;
    /// other.add_message(Role::Assistant, "It rains.").await?;
    /// assert_eq!(chat.get_messages().await?.len(), 2);
    /// assert_eq!(other.get_messages().last(1).await?[0].content.as_text(), Some("It rains."));
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_branch(&self, through: Position) -> CreateBranch {
        CreateBranch {
            conversation: self.clone(),
            start: Start::Behind(through),
            name: String::new(),
            request: None,
        }
    }

    /// A new branch that starts ahead of this message, for another answer in its place.
    pub fn regenerate_from(&self, message: MessageId) -> CreateBranch {
        CreateBranch {
            conversation: self.clone(),
            start: Start::AheadOf(message),
            name: String::new(),
            request: None,
        }
    }

    /// A new branch that starts ahead of this message, with the message in its place saying something else. The message itself
    /// stays as it is.
    ///
    /// ```
    /// use chatkeep::Role;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// let question = chat.add_message(Role::User, "How is the weather in Oslo?").await?;
    ///
    /// let (other, rewritten) = chat.edit_and_branch(question.id, "How is the weather in Bergen?").await?;
    /// assert_eq!(other.get_messages().await?, [rewritten.clone()]);
    ///
    /// let siblings = other.siblings(rewritten.id).await?;
    /// assert_eq!((siblings.place(), siblings.count()), (2, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit_and_branch(&self, message: MessageId, content: impl Into<Content>) -> EditAndBranch {
        EditAndBranch { branch: self.regenerate_from(message), message, content: content.into() }
    }

    /// The alternatives to a message: what the branches of the thread have in its place, behind the same messages.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread, or for a message that the branch does not show;
    /// [`StoreError::Unsupported`] where the store declines branches.
    pub async fn siblings(&self, message: MessageId) -> Result<Siblings, Error> {
        let (before, of) = self.place_of(message).await?;
        let branches = self.branches().await?;
        let own = branches.iter().find(|branch| branch.id == self.branch);
        let own = own.ok_or_else(|| StoreError::branch_not_found(self.branch))?.path.up_to(before);
        let mut siblings = Siblings { all: Vec::new(), place: 0 };
        let mut seen = Vec::new();
        for branch in branches.iter().filter(|branch| branch.path.up_to(before) == own) {
            // Branches that go on in the same way have the same message there.
            let next = branch.path.segments().iter().find(|one| one.through.is_none_or(|end| end > before));
            let next = next.map(|one| (one.branch, one.after.max(before), one.through));
            if seen.contains(&next) {
                continue;
            }
            seen.push(next);
            let first = MessageQuery::first(1).branch(branch.id).after(before);
            let (repository, scope) = (self.state.repository(), self.state.scope());
            let page = repository.list_messages(scope, self.thread, &first).await?;
            let message = page.items.into_iter().next();
            siblings.all.extend(message.map(|message| Sibling { branch: branch.id, message }));
        }
        siblings.all.sort_by_key(|sibling| sibling.message.position);
        siblings.all.dedup_by_key(|sibling| sibling.message.id);
        siblings.place = siblings.all.iter().take_while(|sibling| sibling.message.id != of.id).count();
        Ok(siblings)
    }

    /// Makes this branch the one that a later session [resumes](StateManager::resume_conversation). It is kept with the
    /// thread.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the branch.
    pub async fn switch_branch(&self) -> Result<(), Error> {
        let update = ThreadUpdate::new(self.state.clock().now()).active_branch(self.branch);
        self.state.repository().update_thread(self.state.scope(), self.thread, update).await?;
        Ok(())
    }

    /// Renames this branch.
    ///
    /// # Errors
    /// As [`rename_branch`](BranchRepository::rename_branch); [`StoreError::Unsupported`] where the store declines branches.
    pub async fn rename_branch(&self, name: impl Into<String>) -> Result<Branch, Error> {
        let rename = BranchRename::new(name, self.state.clock().now());
        let branches = self.state.branches()?;
        Ok(branches.rename_branch(self.state.scope(), self.thread, self.branch, rename).await?)
    }

    /// Deletes this branch with the messages of its own; gives their number.
    ///
    /// # Errors
    /// As [`delete_branch`](BranchRepository::delete_branch); [`StoreError::Unsupported`] where the store declines branches.
    pub async fn delete_branch(&self) -> Result<u64, Error> {
        let removal = Removal::new(self.state.clock().now());
        let branches = self.state.branches()?;
        Ok(branches.delete_branch(self.state.scope(), self.thread, self.branch, removal).await?)
    }

    /// Deletes what this branch has of its own behind this position; gives the number of messages.
    ///
    /// # Errors
    /// As [`truncate_branch`](BranchRepository::truncate_branch); [`StoreError::Unsupported`] where the store declines
    /// branches.
    pub async fn truncate_branch(&self, after: Position) -> Result<u64, Error> {
        let removal = Removal::new(self.state.clock().now());
        let branches = self.state.branches()?;
        Ok(branches.truncate_branch(self.state.scope(), self.thread, self.branch, after, removal).await?)
    }

    /// The last position that this branch shows or ever had.
    pub(crate) async fn head(&self) -> Result<Position, Error> {
        let branches = self.branches().await?;
        let own = branches.into_iter().find(|branch| branch.id == self.branch);
        Ok(own.ok_or_else(|| StoreError::branch_not_found(self.branch))?.head)
    }

    /// A message that the branch shows, and the position of the one ahead of it, [`Position::ZERO`] where there is none.
    async fn place_of(&self, id: MessageId) -> Result<(Position, ChatMessage), Error> {
        let (repository, scope) = (self.state.repository(), self.state.scope());
        let message = repository.get_message(scope, self.thread, id).await?;
        let up_to = MessageQuery::newest(2).branch(self.branch);
        let up_to = match message.position.advance(1) {
            Ok(behind) => up_to.before(behind),
            Err(_) => up_to,
        };
        let shown = repository.list_messages(scope, self.thread, &up_to).await?.items;
        if shown.first().map(|last| last.id) != Some(id) {
            return Err(StoreError::message_not_found(id).into());
        }
        Ok((shown.get(1).map_or(Position::ZERO, |ahead| ahead.position), message))
    }
}

/// A message in the place of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sibling {
    /// A branch that shows it.
    pub branch: BranchId,
    /// The message.
    pub message: ChatMessage,
}

/// [`Conversation::siblings`]: never empty, in the order in which they were said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Siblings {
    all: Vec<Sibling>,
    place: usize,
}

impl Siblings {
    /// All of them, the message that was asked for among them.
    pub fn all(&self) -> &[Sibling] {
        &self.all
    }

    /// The 2 of "2 / 3": which of them the message is that was asked for, from 1 on.
    pub fn place(&self) -> usize {
        self.place + 1
    }

    /// The 3 of "2 / 3": how many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The one ahead of the message that was asked for.
    pub fn previous(&self) -> Option<&Sibling> {
        self.all.get(self.place.checked_sub(1)?)
    }

    /// The one behind it.
    pub fn next(&self) -> Option<&Sibling> {
        self.all.get(self.place + 1)
    }
}

/// Where a new branch starts.
#[derive(Debug, Clone, Copy)]
enum Start {
    Behind(Position),
    AheadOf(MessageId),
}

/// [`Conversation::create_branch`] and [`Conversation::regenerate_from`]. Gives the conversation on the new branch.
#[must_use = "nothing happens until it is awaited"]
pub struct CreateBranch {
    conversation: Conversation,
    start: Start,
    name: String,
    request: Option<RequestId>,
}

impl CreateBranch {
    /// With a name, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the request is recognized by, instead of a new id. Calling again with the same gives the branch that is there.
    pub fn request(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    async fn run(self) -> Result<Conversation, Error> {
        let Self { conversation: chat, start, name, request } = self;
        let state = &chat.state;
        let through = match start {
            Start::Behind(position) => position,
            Start::AheadOf(message) => chat.place_of(message).await?.0,
        };
        let request = request.unwrap_or_else(|| state.ids().request_id());
        let from = BranchPoint::new(chat.branch, through);
        let new = NewBranch::new(request, from, state.clock().now()).name(name);
        let branch = state.branches()?.create_branch(state.scope(), chat.thread, new).await?;
        Ok(chat.on_branch(branch.id))
    }
}

impl fmt::Debug for CreateBranch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateBranch")
            .field("conversation", &self.conversation)
            .field("start", &self.start)
            .field("name", &Hidden::text(&self.name))
            .field("request", &self.request)
            .finish()
    }
}

impl IntoFuture for CreateBranch {
    type Output = Result<Conversation, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`Conversation::edit_and_branch`]. Gives the conversation on the new branch, and the message there.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct EditAndBranch {
    branch: CreateBranch,
    message: MessageId,
    content: Content,
}

impl EditAndBranch {
    /// With a name of the branch, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.branch = self.branch.name(name);
        self
    }

    /// What the request is recognized by, instead of a new id. Calling again with the same, after an error too, makes one
    /// branch with one message.
    pub fn request(mut self, request: RequestId) -> Self {
        self.branch = self.branch.request(request);
        self
    }

    async fn run(self) -> Result<(Conversation, ChatMessage), Error> {
        let Self { mut branch, message, content } = self;
        let (state, thread) = (branch.conversation.state.clone(), branch.conversation.thread);
        let request = *branch.request.get_or_insert_with(|| state.ids().request_id());
        let (_, original) = branch.conversation.place_of(message).await?;
        let chat = branch.run().await?;
        let id = original.id.on_branch(request);
        let mut new = NewMessage::new(id, original.sender_role, content, state.clock().now());
        (new.sender_id, new.external_id) = (original.sender_id, original.external_id);
        let append = Append::new([new]).branch(chat.branch);
        let appended = state.repository().append(state.scope(), thread, append).await?;
        let stored = appended.messages.into_iter().next().ok_or_else(|| StoreError::message_not_found(id))?;
        Ok((chat, stored))
    }
}

impl IntoFuture for EditAndBranch {
    type Output = Result<(Conversation, ChatMessage), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

#[cfg(test)]
mod tests;
