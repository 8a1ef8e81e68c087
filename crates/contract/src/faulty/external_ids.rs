//! Faults of external ids.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatThread, ConversationRepository, Decorator, ExternalId, NewThread, Scope, StoreError,
    ThreadAppend, ThreadId, UserId,
};

use crate::faulty::{Answer, Fault, append_in_turn, held};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct ExternalIds {
    inner: Repo,
    fault: Fault,
}

impl ExternalIds {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }
}

#[async_trait]
impl Decorator for ExternalIds {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn create_thread(&self, scope: &Scope, mut new: NewThread) -> Result<ChatThread, StoreError> {
        match self.fault {
            Fault::SharesExternalIds => {
                if let (Some(external), Ok(everyone)) = (&new.external_id, UserId::new("everyone")) {
                    new.id = ThreadId::of_external(&new.org_id, &everyone, external);
                }
            }
            Fault::TakesAnyExternalIdOfThreads if self.inner.get_thread(scope, new.id).await.is_ok() => {
                new.external_id = None;
            }
            _ => {}
        }
        self.inner.create_thread(scope, new).await
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Answer {
        let held = held(&self.inner, scope, thread, &append).await;
        for (message, is_held) in append.messages.iter_mut().zip(held) {
            match self.fault {
                Fault::ForgetsExternalIds => message.external_id = None,
                Fault::TakesAnyExternalId if is_held => message.external_id = None,
                Fault::FoldsExternalIds => {
                    let folded = message.external_id.as_ref().map(|id| id.as_str().to_lowercase());
                    message.external_id = folded.and_then(|id| ExternalId::new(id).ok());
                }
                _ => {}
            }
        }
        self.inner.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }
}
