//! Appends that are sent together, each of which may need another attempt.

use std::time::Duration;

use chatkeep_domain::{Again, Appended, ConversationRepository, Outcome, StoreError, ThreadAppend};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::retry::past::{Kind, Past};
use crate::retry::pauses::Pauses;

type Answer = Result<Appended, StoreError>;

/// Sends the appends, and again those that failed transiently, until none is left or the deadline passes.
pub(super) async fn append_each(
    store: &dyn ConversationRepository,
    deadline: Duration,
    appends: Vec<ThreadAppend>,
) -> Vec<Answer> {
    if Handle::try_current().is_err() {
        // Nobody measures the time.
        return store.append_each(appends).await;
    }
    let mut calls = Calls { calls: appends.into_iter().map(Call::new).collect(), is_under_way: false };
    // Which ones it left without an answer, the calls know.
    let _ = timeout(deadline, calls.run(store)).await;
    calls.into_answers(store.name())
}

struct Calls {
    calls: Vec<Call>,
    is_under_way: bool,
}

impl Calls {
    async fn run(&mut self, store: &dyn ConversationRepository) {
        let mut pauses = Pauses::default();
        loop {
            let due: Vec<_> = self.due().map(|call| call.append.clone()).collect();
            self.is_under_way = true;
            let answers = store.append_each(due).await;
            self.is_under_way = false;
            let Some(error) = self.take(store.name(), answers) else { return };
            pauses.next_after(error).await;
        }
    }

    fn due(&mut self) -> impl Iterator<Item = &mut Call> {
        self.calls.iter_mut().filter(|call| call.answer.is_none())
    }

    /// Takes the answers of those that were due. Gives an error after which some of them are due again.
    fn take(&mut self, store: &'static str, answers: Vec<Answer>) -> Option<&StoreError> {
        let sent = self.due().count();
        if answers.len() != sent {
            // Whose they are is not known.
            tracing::error!(
                appends = sent,
                answers = answers.len(),
                "append_each gave a wrong number of answers"
            );
            self.due().for_each(|call| call.answer = Some(Err(unanswered(store))));
            return None;
        }
        self.due().zip(answers).fold(None, |due, (call, answer)| call.take(store, answer).or(due))
    }

    fn into_answers(self, store: &'static str) -> Vec<Answer> {
        let is_under_way = self.is_under_way;
        let answer = |call: Call| {
            let passed = |past: Past| Err(past.deadline_passed(store, is_under_way));
            call.answer.unwrap_or_else(|| passed(call.past))
        };
        self.calls.into_iter().map(answer).collect()
    }
}

/// One of the appends.
struct Call {
    append: ThreadAppend,
    past: Past,
    /// Its last one; `None` while it is due.
    answer: Option<Answer>,
}

impl Call {
    const fn new(append: ThreadAppend) -> Self {
        Self { append, past: Past::new(Kind::Recognized), answer: None }
    }

    /// Takes an answer. Gives the error after which it is due again.
    fn take(&mut self, store: &'static str, answer: Answer) -> Option<&StoreError> {
        match answer {
            Err(error) if error.is_transient() => return Some(self.past.note(error)),
            Err(error) => self.answer = Some(Err(self.past.judge(store, error))),
            Ok(stored) => self.answer = Some(Ok(stored)),
        }
        None
    }
}

fn unanswered(store: &'static str) -> StoreError {
    let reason = "append_each gave a wrong number of answers";
    StoreError::unavailable(store, Outcome::Unknown, Again::No, reason, "a fault of the store")
}
