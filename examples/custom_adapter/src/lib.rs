//! A store of your own: all conversations in one JSON file, in a few functions.
//!
//! ```sh
//! cargo run -p custom_adapter                         # in a temporary folder
//! cargo run -p custom_adapter -- --file chats.json
//! cargo test -p custom_adapter                        # the whole conformance suite
//! ```
//!
//! Every write copies all that is kept, changes the copy, saves it, and only then makes it the current state. That is
//! slow and short, and it gives what the ports ask for: a write happens as a whole or not at all, and readers never
//! see a part of one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use chatkeep::domain::search::{SearchCandidate, SearchPlan};
use chatkeep::domain::{
    Append, BoxError, BranchRepository, MessageEdit, MessageRepository, MessageSearch, MessageStream,
    NewThread, Removal, ThreadKey, ThreadRepository, ThreadUpdate, stream_by_pages,
};
use chatkeep::{
    Appended, ChatMessage, ChatThread, ConversationRepository, Expected, MessageId, MessageQuery,
    MessageRevision, NewMessage, Order, OrgId, Page, Scope, SearchPage, SearchQuery, StoreError, ThreadId,
    ThreadPreview, ThreadQuery, Timestamp, Version,
};
use serde::{Deserialize, Serialize};

/// Conversations in a JSON file.
pub struct JsonFile(Arc<Inner>);

struct Inner {
    /// Any kind of path, also one that removes its file in the end.
    path: Box<dyn AsRef<Path> + Send + Sync>,
    /// Readers take the `Arc` and never wait for the disk.
    current: RwLock<Arc<State>>,
    one_writer: Mutex<()>,
}

/// An id is unique within its organization: both together are the key.
#[derive(Clone, Default)]
struct State(BTreeMap<(OrgId, ThreadId), Record>);

/// A thread with all that is in it.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    thread: ChatThread,
    /// By position.
    messages: Vec<Stored>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    message: ChatMessage,
    /// The time that the edit brought by which the message says what it says; `None` before the first.
    edited_at: Option<Timestamp>,
    revisions: Vec<MessageRevision>,
    /// The same of each revision.
    revised_at: Vec<Option<Timestamp>>,
}

impl JsonFile {
    /// Opens the file, which the first write makes. It must not be open anywhere else.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for a file that cannot be read, or holds something else.
    pub fn open(path: impl AsRef<Path> + Send + Sync + 'static) -> Result<Self, StoreError> {
        let state = match fs::read(&path) {
            Ok(json) => State::from_json(&json)?,
            Err(error) if error.kind() == ErrorKind::NotFound => State::default(),
            Err(error) => return Err(failed(error)),
        };
        Ok(Self(Arc::new(Inner {
            path: Box::new(path),
            current: RwLock::new(Arc::new(state)),
            one_writer: Mutex::default(),
        })))
    }

    fn read<T>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnOnce(&Record) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let state = self.0.current();
        work(&state.0[&state.find(scope, id)?])
    }

    /// Does `work` on a thread, all or nothing.
    async fn write<T: Send + 'static>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnOnce(&mut Record) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let scope = scope.clone();
        self.change(move |state| {
            let key = state.find(&scope, id)?;
            state.0.get_mut(&key).map(work).ok_or_else(|| StoreError::thread_not_found(id))?
        })
        .await
    }

    /// Does `work` on the whole state. On a thread of its own, where a disk may be waited for; and to the end, also
    /// when the caller has stopped waiting.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.0);
        let write = move || {
            let _alone = inner.one_writer.lock().unwrap_or_else(PoisonError::into_inner);
            let mut next = State::clone(&inner.current());
            let answer = work(&mut next)?;
            next.save((*inner.path).as_ref())?;
            *inner.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
            Ok(answer)
        };
        tokio::task::spawn_blocking(write).await.map_err(failed)?
    }
}

impl Inner {
    fn current(&self) -> Arc<State> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for JsonFile {
    /// No `Debug` of a store shows what is kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonFile").finish_non_exhaustive()
    }
}

impl State {
    fn from_json(json: &[u8]) -> Result<Self, StoreError> {
        // Not the parser's own error, which may quote what it read: no error shows content.
        let broken = |error: serde_json::Error| failed(format!("broken JSON in line {}", error.line()));
        let records: Vec<Record> = serde_json::from_slice(json).map_err(broken)?;
        let key = |record: &Record| (record.thread.org_id.clone(), record.thread.id);
        Ok(Self(records.into_iter().map(|record| (key(&record), record)).collect()))
    }

    /// Beside the file and then over it, so that a crash leaves the old one or the new one.
    fn save(&self, path: &Path) -> Result<(), StoreError> {
        let beside = path.with_added_extension("saving");
        let records: Vec<&Record> = self.0.values().collect();
        let mut file = File::create(&beside).map_err(failed)?;
        file.write_all(&serde_json::to_vec(&records).map_err(failed)?).map_err(failed)?;
        // On the disk before it takes the other's place, or a power cut could leave an empty file.
        file.sync_all().map_err(failed)?;
        fs::rename(&beside, path).map_err(failed)
    }

    fn find(&self, scope: &Scope, id: ThreadId) -> Result<(OrgId, ThreadId), StoreError> {
        let seen = self.0.iter().filter(|((_, of), record)| *of == id && record.is_of(scope));
        let mut keys = seen.map(|(key, _)| key);
        match (keys.next(), keys.next()) {
            (None, _) => Err(StoreError::thread_not_found(id)),
            (Some(key), None) => Ok(key.clone()),
            (Some(_), Some(_)) => Err(StoreError::ambiguous_thread_id()),
        }
    }
}

#[async_trait]
impl ConversationRepository for JsonFile {
    fn search(&self) -> Option<&dyn MessageSearch> {
        Some(self)
    }

    fn name(&self) -> &'static str {
        "JSON file"
    }

    /// This store declines branches: a thread has its main one.
    fn branches(&self) -> Option<&dyn BranchRepository> {
        None
    }

    /// Nothing is held open.
    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl ThreadRepository for JsonFile {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        new.validate(scope)?;
        self.change(move |state| {
            let key = (new.org_id.clone(), new.id);
            let record = state.0.entry(key).or_insert_with(|| Record::new(new.clone().into_thread()));
            new.held(record.thread.clone())
        })
        .await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.read(scope, id, |record| Ok(record.thread.clone()))
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        update.validate()?;
        update.active_branch.unwrap_or_default().require_main()?;
        self.write(scope, id, move |record| {
            update.apply(&mut record.thread)?;
            Ok(record.thread.clone())
        })
        .await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        let scope = scope.clone();
        self.change(move |state| {
            let key = state.find(&scope, id)?;
            state.0[&key].check_version(expect_version)?;
            Ok(state.0.remove(&key).map_or(0, |record| record.messages.len() as u64))
        })
        .await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let behind = query.validate()?;
        let Some(owner) = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref()) else {
            return Ok(Page::empty());
        };
        let state = self.0.current();
        let is_asked_for = |thread: &ChatThread| {
            owner.matches(&thread.org_id, &thread.user_id)
                && query.matches(thread)
                && behind.as_ref().is_none_or(|behind| ThreadKey::from(thread) < *behind)
        };
        let mut records: Vec<_> = state.0.values().filter(|record| is_asked_for(&record.thread)).collect();
        records.sort_by_cached_key(|record| std::cmp::Reverse(ThreadKey::from(&record.thread)));
        let threads = records.into_iter().map(|record| Ok(record.shown(query.with_preview)));
        Page::cut(threads, query.limit, |last| query.cursor_behind(&last.into()))
    }
}

#[async_trait]
impl MessageRepository for JsonFile {
    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        append.validate()?;
        append.branch.require_main()?;
        self.write(scope, thread, move |record| record.append(append)).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.read(scope, thread, |record| Ok(record.messages[record.index(id)?].message.clone()))
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let (after, before) = query.validate(thread)?;
        query.branch.require_main()?;
        self.read(scope, thread, |record| {
            let asked = |message: &&ChatMessage| {
                message.position > after
                    && before.is_none_or(|before| message.position < before)
                    && query.filter.matches(message)
            };
            let mut found: Vec<_> =
                record.messages.iter().map(|stored| &stored.message).filter(asked).collect();
            if query.order == Order::NewestFirst {
                found.reverse();
            }
            // One more than the limit tells that there is another page.
            let skipped = usize::try_from(query.offset).unwrap_or(usize::MAX);
            let items = found.into_iter().skip(skipped).take(query.limit + 1).cloned();
            let page =
                Page::cut(items.map(Ok), query.limit, |last| query.cursor_behind(thread, last.position))?;
            Ok(page.at_version(record.thread.version))
        })
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        let page = self.list_messages(scope, thread, query).await?;
        Ok(Some(page).filter(|page| page.version != Some(version)))
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        stream_by_pages(self, scope, thread, query)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.validate()?;
        self.write(scope, thread, move |record| record.edit(id, edit)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.read(scope, thread, |record| Ok(record.messages[record.index(id)?].revisions.clone()))
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        removal.validate()?;
        self.write(scope, thread, move |record| {
            let index = record.index(id)?;
            record.check_version(removal.expect_version)?;
            record.messages.remove(index);
            record.touch(removal.at);
            Ok(())
        })
        .await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        removal.validate()?;
        self.write(scope, thread, move |record| {
            if record.messages.is_empty() {
                return Ok(0);
            }
            record.check_version(removal.expect_version)?;
            record.touch(removal.at);
            Ok(record.messages.drain(..).len() as u64)
        })
        .await
    }
}

#[async_trait]
impl MessageSearch for JsonFile {
    /// Without an index: every message is a candidate, and the plan finds those that match.
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut plan = SearchPlan::new(query)?;
        query.branch.unwrap_or_default().require_main()?;
        let state = self.0.current();
        let records: Vec<&Record> = match query.thread {
            Some(id) => vec![&state.0[&state.find(scope, id)?]],
            None => state.0.values().filter(|record| record.is_of(scope)).collect(),
        };
        let mut all: Vec<SearchCandidate> = records.into_iter().flat_map(Record::candidates).collect();
        all.sort_by_cached_key(|candidate| plan.key(candidate));
        while let Some(read) = plan.next_read() {
            let mut found: Vec<_> =
                all.iter().filter(|candidate| read.contains(&plan.key(candidate))).collect();
            if read.newest_first {
                found.reverse();
            }
            plan.add(found.into_iter().take(read.limit).cloned().map(Ok));
        }
        plan.finish()
    }
}

impl Record {
    fn new(thread: ChatThread) -> Self {
        Self { thread, messages: Vec::new() }
    }

    /// The one place where it is decided who sees a thread.
    fn is_of(&self, scope: &Scope) -> bool {
        scope.contains(&self.thread.org_id, &self.thread.user_id)
    }

    fn candidates(&self) -> impl Iterator<Item = SearchCandidate> {
        let (org, name) = (&self.thread.org_id, &self.thread.name);
        let messages = self.messages.iter();
        messages.map(|stored| SearchCandidate::new(org.clone(), name.clone(), stored.message.clone()))
    }

    /// The thread as a list shows it.
    fn shown(&self, with_preview: bool) -> ChatThread {
        let mut thread = self.thread.clone();
        if with_preview {
            let last = self.messages.last().map(|stored| stored.message.clone());
            thread.preview = Some(Box::new(ThreadPreview::new(last, self.messages.len() as u64)));
        }
        thread
    }

    fn check_version(&self, expected: Option<Version>) -> Result<(), StoreError> {
        StoreError::unless_expected(Expected::Version, expected, self.thread.version)
    }

    /// The thread was changed. Time never goes back.
    fn touch(&mut self, at: Timestamp) {
        self.thread.updated_at = self.thread.updated_at.max(at);
        self.thread.version = self.thread.version.next();
    }

    fn index(&self, id: MessageId) -> Result<usize, StoreError> {
        let index = self.messages.iter().position(|stored| stored.message.id == id);
        index.ok_or_else(|| StoreError::message_not_found(id))
    }

    fn append(&mut self, append: Append) -> Result<Appended, StoreError> {
        let ids = self.messages.iter().map(|stored| stored.message.id);
        let held: HashMap<MessageId, usize> = ids.zip(0..).collect();
        let mut latest = None;
        for new in &append.messages {
            match held.get(&new.id) {
                Some(&index) => new.check_held(&self.messages[index].message)?,
                None => latest = latest.max(Some(new.created_at)),
            }
        }
        // Where nothing is new, the append came before and comes again, whatever it expects.
        if let Some(at) = latest {
            append.check_expected(self.thread.head, self.thread.version)?;
            self.touch(at);
        }
        let store = |new: NewMessage| match held.get(&new.id) {
            Some(&index) => Ok(self.messages[index].message.clone()),
            None => self.push(new),
        };
        let messages = append.messages.into_iter().map(store).collect::<Result<_, StoreError>>()?;
        Ok(Appended::new(messages, self.thread.head, self.thread.version))
    }

    fn push(&mut self, new: NewMessage) -> Result<ChatMessage, StoreError> {
        // The head is what was allotted last, whatever was deleted since.
        self.thread.head = self.thread.head.advance(1)?;
        let message = new.into_message(self.thread.id, self.thread.head);
        self.messages.push(Stored::new(message.clone()));
        Ok(message)
    }

    fn edit(&mut self, id: MessageId, edit: MessageEdit) -> Result<ChatMessage, StoreError> {
        let (index, version) = (self.index(id)?, self.thread.version);
        let stored = &mut self.messages[index];
        if stored.has_written(&edit) {
            return Ok(stored.message.clone());
        }
        edit.check_expected(stored.message.revision, version)?;
        let at = edit.at;
        let edited = stored.edit(edit);
        self.touch(at);
        Ok(edited)
    }
}

impl Stored {
    fn new(message: ChatMessage) -> Self {
        Self { message, edited_at: None, revisions: Vec::new(), revised_at: Vec::new() }
    }

    /// Whether an edit changes nothing: the message says so already, or this is a retry of an edit that was written.
    fn has_written(&self, edit: &MessageEdit) -> bool {
        let mut earlier = self.revisions.iter().zip(&self.revised_at);
        self.message.content.is_identical(&edit.content)
            || earlier
                .any(|(earlier, at)| *at == Some(edit.at) && earlier.content.is_identical(&edit.content))
    }

    fn edit(&mut self, edit: MessageEdit) -> ChatMessage {
        let message = &mut self.message;
        let before = std::mem::replace(&mut message.content, edit.content);
        self.revisions.push(MessageRevision::new(message.revision, before, message.updated_at));
        message.revision += 1;
        self.revised_at.push(self.edited_at.replace(edit.at));
        message.updated_at = message.updated_at.max(edit.at);
        message.clone()
    }
}

/// An error of the file system stays whole, as the source.
fn failed(error: impl Into<BoxError>) -> StoreError {
    StoreError::backend("JSON file", error)
}

#[cfg(test)]
mod tests {
    use chatkeep::{Metadata, Role, StateManager, UserId};
    use chatkeep_contract::{Capability, Repo, Suite};

    use super::*;

    /// A new store for each case; its file goes with it.
    async fn make() -> Repo {
        let path = tempfile::Builder::new().make(|_| Ok(())).expect("a free path").into_temp_path();
        Arc::new(JsonFile::open(path).expect("the store opens"))
    }

    #[test]
    fn it_keeps_the_whole_contract() {
        Suite::new("json_file", make).declining(&[Capability::Branches]).check();
    }

    fn state_of(path: &Path) -> anyhow::Result<StateManager> {
        let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
        Ok(StateManager::new(Arc::new(JsonFile::open(path.to_owned())?), scope))
    }

    #[tokio::test]
    async fn a_file_that_is_opened_again_holds_the_same() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("chats.json");
        let before = state_of(&path)?;
        let tags = Metadata::from_iter([("third".to_owned(), (1.0 / 3.0).into())]);
        let thread = before.create_thread("Stores").metadata(tags).await?.id;
        let chat = before.conversation(thread);
        let said = chat.add_message(Role::User, "Where do you kep this?").await?.id;
        chat.message(said).edit("Where do you keep this?").await?;

        let after = state_of(&path)?;
        let whole = before.get_thread_with_messages(thread).await?;
        assert!(whole.is_some());
        assert_eq!(after.get_thread_with_messages(thread).await?, whole);
        let revisions = chat.message(said).revisions().await?;
        assert_eq!(revisions.len(), 1);
        assert_eq!(after.conversation(thread).message(said).revisions().await?, revisions);
        Ok(())
    }

    #[tokio::test]
    async fn what_could_not_be_saved_is_not_there() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("chats.json");
        let state = state_of(&path)?;
        let thread = state.create_thread("Stores").await?;
        folder.close()?;
        let chat = state.conversation(thread.id);
        assert!(chat.add_message(Role::User, "Where do you keep this?").await.is_err());
        assert_eq!(state.get_thread(thread.id).await?, Some(thread));
        assert_eq!(chat.get_messages().await?, []);
        Ok(())
    }
}
