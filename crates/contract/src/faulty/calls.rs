//! Faults of calls of several appends.

use std::collections::{HashMap, HashSet};
use std::mem;

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ConversationRepository, Decorator, Expected, InvalidArgument, NewMessage, Position,
    Scope, StoreError, ThreadAppend, ThreadId, ThreadUpdate,
};
use tokio::sync::Mutex;

use crate::faulty::{Answer, Fault, held, invented, latest, rename, together};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Calls {
    inner: Repo,
    fault: Fault,
    one_writer: Mutex<()>,
}

impl Calls {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, one_writer: Mutex::new(()) }
    }

    /// Writes one after the other, but for the fault.
    async fn write_in_turn(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        let heads = self.heads_before(&appends).await;
        let mut held_before = self.held_before(&appends).await.into_iter();
        let latest = appends.iter().filter_map(|it| latest(&it.append)).max();
        let (mut seen, mut answers) = (HashSet::new(), Vec::new());
        for ThreadAppend { scope, thread, mut append, .. } in appends {
            let (is_first, before) = (seen.insert(thread), held_before.next().unwrap_or_default());
            let answer = match self.fault {
                Fault::StopsAtTheFirstError if answers.iter().any(Result::is_err) => Err(deadlock()),
                Fault::KeepsOneAppendOfAThread if !is_first => Ok(invented(thread, &append)),
                Fault::AnswersNothingUnseen if append.messages.is_empty() => Ok(invented(thread, &append)),
                Fault::ComparesBeforeTheCall => self.compare_with(&heads, &scope, thread, append).await,
                Fault::LooksForIdsBeforeTheCall if !is_first => {
                    let now = held(&self.inner, &scope, thread, &append).await;
                    rename(&mut append, now.iter().zip(&before).map(|(now, before)| *now && !before));
                    self.inner.append(&scope, thread, append).await
                }
                Fault::SplitsAppendsOfCalls | Fault::InterleavesCalls => {
                    self.write_singly(&scope, thread, append).await
                }
                Fault::RaisesEveryThreadAlike => {
                    let answer = self.inner.append(&scope, thread, append).await;
                    if let Some(at) = latest {
                        // That the thread may be absent is told by the append.
                        let _ = self.inner.update_thread(&scope, thread, ThreadUpdate::new(at)).await;
                    }
                    answer
                }
                _ => self.inner.append(&scope, thread, append).await,
            };
            answers.push(answer);
        }
        answers
    }

    async fn heads_before(&self, appends: &[ThreadAppend]) -> HashMap<ThreadId, Position> {
        let mut heads = HashMap::new();
        for it in appends.iter().filter(|_| self.fault == Fault::ComparesBeforeTheCall) {
            if let Ok(thread) = self.inner.get_thread(&it.scope, it.thread).await {
                heads.insert(it.thread, thread.head);
            }
        }
        heads
    }

    async fn held_before(&self, appends: &[ThreadAppend]) -> Vec<Vec<bool>> {
        let mut before = Vec::new();
        for it in appends.iter().filter(|_| self.fault == Fault::LooksForIdsBeforeTheCall) {
            before.push(held(&self.inner, &it.scope, it.thread, &it.append).await);
        }
        before
    }

    async fn compare_with(
        &self,
        heads: &HashMap<ThreadId, Position>,
        scope: &Scope,
        thread: ThreadId,
        mut append: Append,
    ) -> Answer {
        if let (Some(expected), Some(actual)) = (append.expect_head.take(), heads.get(&thread).copied())
            && expected != actual
        {
            return Err(StoreError::conflict(Expected::Head, expected, actual));
        }
        self.inner.append(scope, thread, append).await
    }

    async fn write_singly(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        if self.fault == Fault::InterleavesCalls {
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

    /// Makes one append of those to one thread; each gets its part of the answer, or the error of all.
    async fn write_merged(&self, mut appends: Vec<ThreadAppend>) -> Vec<Answer> {
        let unseen = |it: &ThreadAppend| Ok(invented(it.thread, &Append::default()));
        let mut answers: Vec<Answer> = appends.iter().map(unseen).collect();
        for first in 0..appends.len() {
            let (scope, thread) = (appends[first].scope.clone(), appends[first].thread);
            let mut merged = with!(Append::default(), expect_head: appends[first].append.expect_head);
            let mut parts = Vec::new();
            for (number, it) in appends.iter_mut().enumerate().skip(first) {
                if it.thread == thread && it.scope == scope {
                    let messages: Vec<NewMessage> = mem::take(&mut it.append.messages);
                    parts.push((number, messages.len()));
                    merged.messages.extend(messages);
                }
            }
            if merged.messages.is_empty() {
                continue;
            }
            match self.inner.append(&scope, thread, merged).await {
                Ok(mut stored) => {
                    for (number, count) in parts {
                        let rest = stored.messages.split_off(count);
                        let messages = mem::replace(&mut stored.messages, rest);
                        answers[number] = Ok(Appended::new(messages, stored.head, stored.version));
                    }
                }
                Err(_) => parts.iter().for_each(|(number, _)| answers[*number] = Err(refused())),
            }
        }
        answers
    }
}

#[async_trait]
impl Decorator for Calls {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        self.inner.append(scope, thread, append).await
    }

    async fn append_each(&self, mut appends: Vec<ThreadAppend>) -> Vec<Answer> {
        match self.fault {
            Fault::AnswersByThread => appends.sort_by_key(|it| it.thread),
            Fault::UsesTheFirstScope => {
                let first = appends.first().map(|it| it.scope.clone());
                appends.iter_mut().zip(first.iter().cycle()).for_each(|(it, first)| it.scope = first.clone());
            }
            Fault::RefusesTheWholeCall if appends.iter().any(|it| it.append.validate().is_err()) => {
                return appends.iter().map(|_| Err(refused())).collect();
            }
            Fault::MergesByThread => return self.write_merged(appends).await,
            Fault::FailsOverlappingCalls => {
                let Ok(_writing) = self.one_writer.try_lock() else {
                    return appends.iter().map(|_| Err(deadlock())).collect();
                };
                tokio::task::yield_now().await;
                return self.write_in_turn(appends).await;
            }
            Fault::WritesCallsBackwards => {
                appends.reverse();
                let mut answers = self.write_in_turn(appends).await;
                answers.reverse();
                return answers;
            }
            _ => {}
        }
        self.write_in_turn(appends).await
    }
}

fn refused() -> StoreError {
    InvalidArgument::new("messages", "must all be good", "of the call").into()
}

fn deadlock() -> StoreError {
    StoreError::backend("faulty", "deadlock detected")
}
