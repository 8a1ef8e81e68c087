//! Faults of versions and revisions, and of what writes expect.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, ConversationRepository, Decorator, Expected, MessageEdit, MessageId,
    MessageQuery, NewThread, Page, Removal, Scope, StoreError, ThreadAppend, ThreadId, ThreadUpdate, Version,
};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::faulty::{Answer, Fault, GAP, append_in_turn};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Versions {
    inner: Repo,
    fault: Fault,
    /// The heads at the versions that pages had.
    heads: Mutex<HashMap<(ThreadId, Version), i64>>,
}

impl Versions {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, heads: Mutex::default() }
    }

    async fn compare(
        &self,
        scope: &Scope,
        thread: ThreadId,
        expected: Option<Version>,
    ) -> Result<(), StoreError> {
        let actual = self.inner.get_thread(scope, thread).await?.version;
        StoreError::unless_expected(Expected::Version, expected, actual)
    }
}

#[async_trait]
impl Decorator for Versions {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        let new =
            if self.fault == Fault::BeginsElsewhere { new.with_version(Version::beginning(1)) } else { new };
        self.inner.create_thread(scope, new).await
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Answer {
        match self.fault {
            Fault::IgnoresExpectedVersions => append.expect_version = None,
            Fault::ComparesVersionsThenAppends => {
                self.compare(scope, thread, append.expect_version.take()).await?;
                tokio::time::sleep(GAP).await;
            }
            Fault::ForgetsAppendsAtVersions => {
                self.compare(scope, thread, append.expect_version.take()).await?;
            }
            _ => {}
        }
        let before = self.inner.get_thread(scope, thread).await?.version;
        let mut appended = self.inner.append(scope, thread, append).await?;
        if self.fault == Fault::TellsTheVersionBefore {
            appended.version = before;
        }
        Ok(appended)
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        if self.fault != Fault::TellsWhatTheCallMade {
            return append_in_turn(self, appends).await;
        }
        let threads: Vec<_> = appends.iter().map(|it| it.thread).collect();
        let mut answers = append_in_turn(self, appends).await;
        let mut made = HashMap::new();
        for (thread, answer) in threads.iter().zip(&mut answers).rev() {
            if let Ok(appended) = answer {
                (appended.head, appended.version) =
                    *made.entry(*thread).or_insert((appended.head, appended.version));
            }
        }
        answers
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        mut update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        if self.fault == Fault::UpdatesAtAnyVersion {
            update.expect_version = None;
        }
        self.inner.update_thread(scope, id, update).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        let mut message = self.inner.get_message(scope, thread, id).await?;
        if self.fault == Fault::CountsEditsNotContents {
            message.revision -= 1;
        }
        Ok(message)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        mut edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        match self.fault {
            Fault::EditsAtAnyRevision => edit.expect_revision = None,
            Fault::ComparesRevisionsThenEdits => {
                let actual = self.inner.get_message(scope, thread, id).await?.revision;
                StoreError::unless_expected(Expected::Revision, edit.expect_revision.take(), actual)?;
                tokio::time::sleep(GAP).await;
            }
            _ => {}
        }
        self.inner.edit_message(scope, thread, id, edit).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        mut removal: Removal,
    ) -> Result<(), StoreError> {
        match self.fault {
            Fault::RemovesAtAnyVersion => removal.expect_version = None,
            Fault::ComparesBeforeItLooks => self.compare(scope, thread, removal.expect_version).await?,
            _ => {}
        }
        self.inner.delete_message(scope, thread, id, removal).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let mut page = self.inner.list_messages(scope, thread, query).await?;
        if self.fault == Fault::ReadsTheVersionLater {
            tokio::time::sleep(GAP).await;
            page.version = Some(self.inner.get_thread(scope, thread).await?.version);
        }
        if let Some(version) = page.version {
            let head = self.inner.get_thread(scope, thread).await?.head;
            let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
            heads.insert((thread, version), head.get());
        }
        Ok(page)
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        if self.fault == Fault::ComparesHeadsOfPages {
            let head = self.inner.get_thread(scope, thread).await?.head.get();
            let seen =
                self.heads.lock().unwrap_or_else(PoisonError::into_inner).get(&(thread, version)).copied();
            if seen == Some(head) {
                return Ok(None);
            }
        }
        match self.inner.list_messages_unless(scope, thread, query, version).await {
            Err(error) if error.is_not_found() && self.fault == Fault::KnowsAbsentThreadsUnchanged => {
                Ok(None)
            }
            answer => answer,
        }
    }
}
