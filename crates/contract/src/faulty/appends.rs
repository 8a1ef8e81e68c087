//! Faults of a single append.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ConversationRepository, Decorator, Expected, Position, Scope, StoreError, ThreadAppend, ThreadId,
    ThreadUpdate,
};
use tokio::sync::Mutex;

use crate::faulty::{Answer, Fault, GAP, append_in_turn, held, invented, latest, rename, together};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Appends {
    inner: Repo,
    fault: Fault,
    /// Makes the outcome of a lost race certain.
    one_writer: Mutex<()>,
}

impl Appends {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, one_writer: Mutex::new(()) }
    }

    /// What is handed on of an append.
    async fn change(&self, scope: &Scope, thread: ThreadId, append: &mut Append) -> Result<(), StoreError> {
        match self.fault {
            Fault::DropsFromBatches => {
                let mut number = 0;
                append.messages.retain(|_| {
                    number += 1;
                    number % 3 != 0
                });
            }
            Fault::ReordersBatches => append.messages.sort_by_key(|message| message.id),
            Fault::StoresRetriesTwice => {
                let held = held(&self.inner, scope, thread, append).await;
                rename(append, held);
            }
            Fault::IgnoresExpectHead => append.expect_head = None,
            Fault::ComparesThenAppends | Fault::ForgetsWonRaces => {
                self.compare(scope, thread, append.expect_head.take()).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn compare(
        &self,
        scope: &Scope,
        thread: ThreadId,
        head: Option<Position>,
    ) -> Result<(), StoreError> {
        let Some(expected) = head else { return Ok(()) };
        let actual = self.inner.get_thread(scope, thread).await?.head;
        if actual != expected {
            return Err(StoreError::conflict(Expected::Head, expected, actual));
        }
        if self.fault == Fault::ComparesThenAppends {
            tokio::time::sleep(GAP).await;
        }
        Ok(())
    }

    async fn append_singly(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        if self.fault == Fault::InterleavesBatches {
            append.validate()?;
        }
        let mut answers = Vec::new();
        for message in append.messages {
            answers.push(self.inner.append(scope, thread, Append::new([message])).await?);
            tokio::task::yield_now().await;
        }
        match together(answers) {
            Some(answer) => Ok(answer),
            None => self.inner.append(scope, thread, Append::default()).await,
        }
    }

    async fn append_in_halves(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        let mut first = append.messages;
        let second = first.split_off(first.len() / 2);
        let first = self.inner.append(scope, thread, Append::new(first)).await?;
        tokio::time::sleep(GAP).await;
        let mut second = self.inner.append(scope, thread, Append::new(second)).await?;
        second.messages.splice(..0, first.messages);
        Ok(second)
    }

    async fn check_then_append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Answer {
        let before = held(&self.inner, scope, thread, &append).await;
        tokio::time::sleep(GAP).await;
        let _writing = self.one_writer.lock().await;
        let now = held(&self.inner, scope, thread, &append).await;
        let missed = before.iter().zip(now).map(|(before, now)| now && !before);
        rename(&mut append, missed);
        self.inner.append(scope, thread, append).await
    }
}

#[async_trait]
impl Decorator for Appends {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Answer {
        self.change(scope, thread, &mut append).await?;
        match self.fault {
            Fault::SplitsBatches | Fault::InterleavesBatches => {
                self.append_singly(scope, thread, append).await
            }
            Fault::ShowsHalves => self.append_in_halves(scope, thread, append).await,
            Fault::ChecksThenStores => self.check_then_append(scope, thread, append).await,
            Fault::SwallowsErrors => {
                let answer = invented(thread, &append);
                let stored = self.inner.append(scope, thread, append).await;
                Ok(stored.unwrap_or(answer))
            }
            Fault::LosesWritesUnderLoad => {
                let Ok(_writing) = self.one_writer.try_lock() else {
                    return Ok(invented(thread, &append));
                };
                tokio::task::yield_now().await;
                self.inner.append(scope, thread, append).await
            }
            Fault::RaisesForHeldMessages => {
                let (latest, held) = (latest(&append), held(&self.inner, scope, thread, &append).await);
                let stored = self.inner.append(scope, thread, append).await?;
                // A retry alone it leaves alone.
                if let Some(at) = latest.filter(|_| held.contains(&false)) {
                    self.inner.update_thread(scope, thread, ThreadUpdate::new(at)).await?;
                }
                Ok(stored)
            }
            _ => self.inner.append(scope, thread, append).await,
        }
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }
}
