//! Appends that are sent together, some of which fail.

use std::sync::Arc;

use chatkeep_domain::{
    Again, Append, ChatMessage, ConversationRepositoryExt as _, MessageRepository as _, Outcome, Position,
    StoreError, ThreadAppend, ThreadId,
};

use chatkeep_domain::Appended;

use super::bench::{assert_may_be_done, bench, lost, refused, unavailable};
use crate::calls::{Talk, message};
use crate::scripted::{Scripted, Step};
use chatkeep_layers::Retry;

type Answer = Result<Appended, StoreError>;

/// A script, and three threads with one message each.
struct Bench {
    store: Arc<Scripted>,
    retry: Retry,
    talks: [Talk; 3],
}

impl Bench {
    async fn new(store: Arc<Scripted>) -> Self {
        let (store, retry, first) = bench(store).await;
        let talks = [first, Talk::begin(&store.memory).await, Talk::begin(&store.memory).await];
        Self { store, retry, talks }
    }

    fn thread(&self, number: usize) -> ThreadId {
        self.talks[number].thread
    }

    /// Appends each text to the thread of its number.
    async fn say(&self, texts: &[(usize, &str)]) -> Vec<Answer> {
        self.append(texts.iter().map(|(thread, text)| (*thread, Append::new([message(text)])))).await
    }

    async fn append(&self, appends: impl IntoIterator<Item = (usize, Append)>) -> Vec<Answer> {
        let scope = &self.talks[0].scope;
        let appends = appends
            .into_iter()
            .map(|(thread, append)| ThreadAppend::new(scope.clone(), self.thread(thread), append));
        self.retry.append_each(appends.collect()).await
    }

    async fn texts(&self, thread: usize) -> Vec<String> {
        let scope = &self.talks[0].scope;
        let read = self.store.memory.last_messages(scope, self.thread(thread), 9).await.unwrap();
        read.iter().map(text).collect()
    }
}

fn text(message: &ChatMessage) -> String {
    message.content.as_text().unwrap().to_owned()
}

fn said(answers: Vec<Answer>) -> Vec<String> {
    answers.into_iter().map(|answer| text(&answer.unwrap().messages[0])).collect()
}

#[tokio::test(start_paused = true)]
async fn only_what_failed_is_sent_again() {
    let steps = [Step::Do, Step::Fail(refused()), Step::Do, Step::Lose(lost())];
    let bench = Bench::new(Scripted::new(steps)).await;
    let answers = bench.say(&[(0, "a"), (1, "b"), (2, "c")]).await;
    assert_eq!(said(answers), ["a", "b", "c"], "each in its place");
    assert_eq!(bench.store.calls(), ["append_each a b c", "append_each b", "append_each b"]);
    assert_eq!(bench.texts(1).await, ["first", "b"], "once, also where an answer was lost");
}

#[tokio::test(start_paused = true)]
async fn appends_to_one_thread_stay_in_their_order() {
    let bench = Bench::new(Scripted::new([Step::Fail(refused())])).await;
    let heads = [1, 2].map(|head| Position::new(head).unwrap());
    let [one, two] = heads.map(|head| Append::new([message(&head.to_string())]).expect_head(head));
    let answers = bench.append([(0, one), (1, Append::new([message("other")])), (0, two)]).await;
    assert_eq!(said(answers), ["1", "other", "2"], "the second expects the head that the first makes");
    assert_eq!(bench.store.calls(), ["append_each 1 other 2", "append_each 1 2"]);
    assert_eq!(bench.texts(0).await, ["first", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_comes_to_stay_takes_nothing_from_the_others() {
    let backend = || StoreError::backend("scripted", "the disk is full");
    let steps = [Step::Fail(backend()), Step::Fail(lost()), Step::Fail(refused()), Step::Fail(backend())];
    let bench = Bench::new(Scripted::new(steps)).await;
    let [first, second, third] =
        <[_; 3]>::try_from(bench.say(&[(0, "a"), (1, "b"), (2, "c")]).await).expect("three answers");
    assert!(matches!(first, Err(StoreError::Backend { .. })), "{first:?}");
    assert_may_be_done(second.unwrap_err(), |error| matches!(error, StoreError::Backend { .. }));
    assert_eq!(text(&third.unwrap().messages[0]), "c");
    assert_eq!(bench.store.calls(), ["append_each a b c", "append_each b c"]);
}

#[tokio::test(start_paused = true)]
async fn when_the_deadline_passes_what_was_answered_stands() {
    let steps = [Step::Do, Step::Fail(refused()), Step::Fail(lost())];
    let bench = Bench::new(Scripted::with_last(steps, || Step::Fail(refused()))).await;
    let answers = bench.say(&[(0, "a"), (1, "b"), (2, "c")]).await;
    let outcomes: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().err().map(StoreError::outcome)).collect();
    assert_eq!(outcomes, [None, Some(Outcome::NotDone), Some(Outcome::Unknown)]);
    assert!(answers[1..].iter().all(|answer| answer.as_ref().is_err_and(StoreError::is_transient)));
}

#[tokio::test(start_paused = true)]
async fn when_the_deadline_passes_what_is_under_way_is_unknown() {
    let steps = [Step::Do, Step::Fail(refused()), Step::Fail(unavailable(Outcome::NotDone, Again::No))];
    let bench = Bench::new(Scripted::with_last(steps, || Step::Hang)).await;
    let answers = bench.say(&[(0, "a"), (1, "b"), (2, "c")]).await;
    let outcomes: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().err().map(StoreError::outcome)).collect();
    assert_eq!(outcomes, [None, Some(Outcome::Unknown), Some(Outcome::NotDone)]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_of_answers_gives_nobody_anothers() {
    let bench = Bench::new(Scripted::new([])).await;
    bench.store.forget_an_answer();
    let answers = bench.say(&[(0, "a"), (1, "b")]).await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!((error.outcome(), error.is_transient()), (Outcome::Unknown, false), "{error:?}");
    }
    assert_eq!(bench.store.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_append_is_passed_on() {
    let bench = Bench::new(Scripted::new([])).await;
    assert!(bench.say(&[]).await.is_empty());
}
