//! Which appends go together, and what becomes of each when something goes wrong.
//!
//! A test's tasks run on one thread, in the order in which they were started: who waits, and in which order, is
//! certain.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use chatkeep_domain::{
    Append, Appended, Clock as _, ConversationRepository as _, ConversationRepositoryExt as _,
    IdGenerator as _, MessageRepository as _, NewMessage, NewThread, OrgId, Outcome, Position, Role, Scope,
    StoreError, SystemClock, ThreadAppend, ThreadId, ThreadRepository as _, UserId, UuidV7Generator,
};
use chatkeep_layers::{Coalescing, MAX_GROUP_MESSAGES};
use tokio::task::JoinHandle;

use crate::slow::Slow;

type Answer = Result<Appended, StoreError>;

/// A slow store behind the decorator, with threads.
struct Bench {
    slow: Arc<Slow>,
    store: Arc<Coalescing>,
    scope: Scope,
    threads: Vec<ThreadId>,
}

impl Bench {
    async fn new(set: impl FnOnce(Coalescing) -> Coalescing) -> Self {
        let slow = Slow::new();
        let store = Arc::new(set(Coalescing::new(Arc::clone(&slow) as _)));
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        let scope = Scope::user(org.clone(), user.clone());
        let mut threads = Vec::new();
        for _ in 0..8 {
            let id = UuidV7Generator.thread_id();
            let new = NewThread::new(id, org.clone(), user.clone(), "a thread", SystemClock.now());
            store.create_thread(&scope, new).await.unwrap();
            threads.push(id);
        }
        Self { slow, store, scope, threads }
    }

    fn start(&self, thread: ThreadId, append: Append) -> JoinHandle<Answer> {
        let (store, scope) = (Arc::clone(&self.store), self.scope.clone());
        tokio::spawn(async move { store.append(&scope, thread, append).await })
    }

    /// Says a text in the thread of this number.
    fn say(&self, thread: usize, text: &str) -> JoinHandle<Answer> {
        self.start(self.threads[thread], Append::new([message(text)]))
    }

    /// Says a text in each thread from the second on, while the first is being written to.
    async fn say_together(&self, texts: &[&str]) -> (JoinHandle<Answer>, Vec<JoinHandle<Answer>>) {
        let first = self.say(0, "first");
        self.until(1, 0).await;
        let waiting = texts.iter().zip(1..).map(|(text, thread)| self.say(thread, text)).collect();
        self.until(1, texts.len()).await;
        (first, waiting)
    }

    /// Waits until as many are under way, and as many wait.
    async fn until(&self, in_flight: usize, waiting: usize) {
        let expected = format!("Coalescing {{ in_flight: {in_flight}, waiting: {waiting},");
        let reached = async {
            while !format!("{:?}", self.store).starts_with(&expected) {
                tokio::task::yield_now().await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_mins(1), reached).await;
        assert!(reached.is_ok(), "{expected} is not reached: {:?}", self.store);
    }

    fn let_go_on(&self, calls: usize) {
        self.slow.gate.add_permits(calls);
    }

    async fn texts(&self, thread: usize) -> Vec<String> {
        let read = self.store.last_messages(&self.scope, self.threads[thread], 100).await.unwrap();
        read.iter().map(|message| message.content.as_text().unwrap().to_owned()).collect()
    }
}

fn message(text: &str) -> NewMessage {
    NewMessage::new(UuidV7Generator.message_id(), Role::User, text, SystemClock.now())
}

/// An end that must come: a test that hangs fails.
async fn ends<T>(ending: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), ending).await.expect("it ends")
}

async fn answer(caller: JoinHandle<Answer>) -> Answer {
    ends(caller).await.expect("the caller ends well")
}

async fn said(caller: JoinHandle<Answer>) -> String {
    let stored = answer(caller).await.expect("it is stored");
    stored.messages[0].content.as_text().unwrap().to_owned()
}

fn assert_unanswered(answer: Answer) {
    match answer {
        Err(error @ StoreError::Unavailable { outcome: Outcome::Unknown, .. }) => {
            assert!(error.is_transient(), "the ids make it safe to call again");
        }
        other => panic!("expected that the outcome is unknown, got {other:?}"),
    }
}

#[tokio::test]
async fn appends_that_wait_go_together() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, waiting) = bench.say_together(&["a", "b", "c", "d", "e"]).await;
    bench.let_go_on(2);
    assert_eq!(said(first).await, "first");
    for (caller, expected) in waiting.into_iter().zip(["a", "b", "c", "d", "e"]) {
        assert_eq!(said(caller).await, expected);
    }
    assert_eq!(bench.slow.calls(), ["append first", "each a b c d e"]);
    bench.until(0, 0).await;
}

#[tokio::test]
async fn who_writes_alone_is_never_grouped() {
    let bench = Bench::new(|store| store).await;
    bench.let_go_on(20);
    for number in 0..10 {
        let stored =
            bench.store.append(&bench.scope, bench.threads[0], Append::new([message("alone")])).await;
        assert_eq!(stored.unwrap().messages.len(), 1, "append {number}");
        bench.until(0, 0).await;
    }
    assert_eq!(bench.slow.calls(), ["append alone"; 10]);
}

#[tokio::test]
async fn one_that_waits_by_itself_goes_in_an_append() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, waiting) = bench.say_together(&["a"]).await;
    bench.let_go_on(2);
    assert_eq!(said(first).await, "first");
    for caller in waiting {
        assert_eq!(said(caller).await, "a");
    }
    assert_eq!(bench.slow.calls(), ["append first", "append a"]);
}

#[tokio::test]
async fn a_caller_that_gives_up_passes_its_place_on() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, waiting) = bench.say_together(&["a", "b"]).await;
    first.abort();
    assert!(ends(first).await.unwrap_err().is_cancelled());
    bench.let_go_on(1);
    for (caller, expected) in waiting.into_iter().zip(["a", "b"]) {
        assert_eq!(said(caller).await, expected);
    }
    assert_eq!(bench.slow.calls(), ["append first", "each a b"]);
    assert!(bench.texts(0).await.is_empty());
}

#[tokio::test]
async fn a_caller_that_gives_up_while_it_waits_is_left_out() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, mut waiting) = bench.say_together(&["a", "b", "c"]).await;
    let gone = waiting.remove(1);
    gone.abort();
    assert!(ends(gone).await.unwrap_err().is_cancelled());
    bench.let_go_on(2);
    assert_eq!(said(first).await, "first");
    for (caller, expected) in waiting.into_iter().zip(["a", "c"]) {
        assert_eq!(said(caller).await, expected);
    }
    assert_eq!(bench.slow.calls(), ["append first", "each a c"]);
    assert!(bench.texts(2).await.is_empty(), "b is not stored");
    bench.until(0, 0).await;
}

#[tokio::test]
async fn a_group_goes_on_when_one_of_its_callers_gives_up() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, mut waiting) = bench.say_together(&["a", "b", "c"]).await;
    bench.let_go_on(1);
    assert_eq!(said(first).await, "first");
    bench.until(1, 0).await;
    waiting.remove(0).abort();
    bench.let_go_on(1);
    for (caller, expected) in waiting.into_iter().zip(["b", "c"]) {
        assert_eq!(said(caller).await, expected);
    }
}

#[tokio::test]
async fn a_group_whose_callers_all_gave_up_passes_its_place_on() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, waiting) = bench.say_together(&["a", "b"]).await;
    bench.let_go_on(1);
    assert_eq!(said(first).await, "first");
    bench.until(1, 0).await;
    let next = bench.say(3, "next");
    bench.until(1, 1).await;
    for caller in waiting {
        caller.abort();
        assert!(ends(caller).await.unwrap_err().is_cancelled());
    }
    // The store never lets the group go on.
    bench.let_go_on(1);
    assert_eq!(said(next).await, "next");
    assert_eq!(bench.slow.calls(), ["append first", "each a b", "append next"]);
    assert!(bench.texts(1).await.is_empty() && bench.texts(2).await.is_empty());
}

#[tokio::test]
async fn an_error_reaches_its_own_caller_alone() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let first = bench.say(0, "first");
    bench.until(1, 0).await;
    let good = bench.say(1, "good");
    let late = Position::new(7).unwrap();
    let conflict = bench.start(bench.threads[2], Append::new([message("late")]).expect_head(late));
    let absent = bench.start(UuidV7Generator.thread_id(), Append::new([message("absent")]));
    let other = bench.say(3, "other");
    bench.until(1, 4).await;
    bench.let_go_on(2);
    assert_eq!(said(first).await, "first");
    assert_eq!((said(good).await.as_str(), said(other).await.as_str()), ("good", "other"));
    assert!(
        matches!(answer(conflict).await, Err(StoreError::Conflict { expected, .. }) if expected == late.get())
    );
    assert!(matches!(answer(absent).await, Err(StoreError::NotFound { .. })));
    assert_eq!(bench.slow.calls(), ["append first", "each good late absent other"]);
}

#[tokio::test]
async fn a_panic_of_a_group_hangs_nobody() {
    let bench = Bench::new(|store| store.max_in_flight(1).max_group_len(2)).await;
    let (first, waiting) = bench.say_together(&["a", "b", "c", "d"]).await;
    bench.let_go_on(1);
    assert_eq!(said(first).await, "first");
    bench.until(1, 2).await;
    bench.slow.panics.store(true, SeqCst);
    bench.let_go_on(2);
    for (number, caller) in waiting.into_iter().enumerate() {
        match number {
            0 | 1 => assert_unanswered(answer(caller).await),
            _ => assert_eq!(said(caller).await, ["c", "d"][number - 2]),
        }
    }
    bench.until(0, 0).await;
    bench.let_go_on(1);
    assert_eq!(said(bench.say(1, "a again")).await, "a again");
}

#[tokio::test]
async fn a_panic_of_one_caller_passes_its_place_on() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, waiting) = bench.say_together(&["a", "b"]).await;
    bench.slow.panics.store(true, SeqCst);
    bench.let_go_on(2);
    assert!(ends(first).await.unwrap_err().is_panic());
    for (caller, expected) in waiting.into_iter().zip(["a", "b"]) {
        assert_eq!(said(caller).await, expected);
    }
}

#[tokio::test]
async fn a_wrong_number_of_answers_hangs_nobody_and_gives_nobody_anothers() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    bench.slow.forgets_an_answer.store(true, SeqCst);
    let (first, waiting) = bench.say_together(&["a", "b", "c"]).await;
    bench.let_go_on(2);
    assert_eq!(said(first).await, "first");
    for caller in waiting {
        assert_unanswered(answer(caller).await);
    }
    bench.until(0, 0).await;
}

#[tokio::test]
async fn no_more_are_in_flight_than_allowed() {
    for allowed in [0, 1, 2, 3] {
        let bench = Bench::new(|store| store.max_in_flight(allowed).max_group_len(2)).await;
        let callers: Vec<_> = (0..8).map(|thread| bench.say(thread, "x")).collect();
        let places = allowed.max(1);
        bench.until(places, 8 - places).await;
        bench.let_go_on(8);
        for caller in callers {
            assert_eq!(said(caller).await, "x");
        }
        bench.until(0, 0).await;
        assert_eq!(bench.slow.most_in_flight.load(SeqCst), places);
        assert_eq!(bench.slow.calls().len(), places + (8 - places).div_ceil(2), "for {allowed}");
    }
}

#[tokio::test]
async fn a_group_has_a_greatest_length_in_appends_and_in_messages() {
    let bench = Bench::new(|store| store.max_in_flight(1).max_group_len(0)).await;
    let (first, waiting) = bench.say_together(&["a", "b"]).await;
    bench.let_go_on(3);
    assert_eq!(said(first).await, "first");
    for caller in waiting {
        answer(caller).await.unwrap();
    }
    assert_eq!(bench.slow.calls(), ["append first", "append a", "append b"], "0 is taken for 1");

    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let first = bench.say(0, "first");
    bench.until(1, 0).await;
    let half = MAX_GROUP_MESSAGES / 2;
    let batches = [("a", half), ("b", half), ("c", 1), ("d", MAX_GROUP_MESSAGES + 1), ("e", 1), ("f", 1)];
    let callers: Vec<_> = batches
        .iter()
        .zip(1..)
        .map(|((text, count), thread)| {
            bench.start(bench.threads[thread], Append::new((0..*count).map(|_| message(text))))
        })
        .collect();
    bench.until(1, 6).await;
    bench.let_go_on(5);
    assert_eq!(said(first).await, "first");
    for (caller, (_, count)) in callers.into_iter().zip(batches) {
        assert_eq!(answer(caller).await.unwrap().messages.len(), count);
    }
    assert_eq!(bench.slow.calls(), ["append first", "each a b", "append c", "append d", "each e f"]);
}

#[tokio::test]
async fn the_appends_to_one_thread_are_written_in_order_and_one_after_the_other() {
    // There are places enough: it is the thread that they wait for.
    let bench = Bench::new(|store| store.max_in_flight(4).max_group_len(3)).await;
    let callers: Vec<_> = (0..8).map(|number| bench.say(0, &number.to_string())).collect();
    bench.until(1, 7).await;
    let other = bench.say(1, "other");
    bench.until(2, 7).await;
    bench.let_go_on(5);
    for (number, caller) in callers.into_iter().enumerate() {
        assert_eq!(said(caller).await, number.to_string());
    }
    assert_eq!(said(other).await, "other");
    assert_eq!(bench.texts(0).await, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(bench.slow.calls(), ["append 0", "append other", "each 1 2 3", "each 4 5 6", "append 7"]);
}

#[tokio::test]
async fn one_that_waits_for_its_thread_holds_no_other_up() {
    let bench = Bench::new(|store| store.max_in_flight(2)).await;
    let (first, second) = (bench.say(0, "first"), bench.say(1, "second"));
    bench.until(2, 0).await;
    let callers = [(0, "a"), (2, "b"), (1, "c"), (0, "d"), (1, "e"), (3, "f")]
        .map(|(thread, text)| bench.say(thread, text));
    bench.until(2, 6).await;
    bench.let_go_on(1);
    assert_eq!(said(first).await, "first");
    bench.until(2, 2).await;
    assert_eq!(bench.slow.calls()[2..], ["each a b d f"], "all but those that wait for the second thread");
    bench.let_go_on(3);
    assert_eq!(said(second).await, "second");
    for (caller, expected) in callers.into_iter().zip(["a", "b", "c", "d", "e", "f"]) {
        assert_eq!(said(caller).await, expected);
    }
    assert_eq!(bench.slow.calls()[3..], ["each c e"]);
}

#[tokio::test]
async fn no_task_is_left_when_all_are_answered() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (first, waiting) = bench.say_together(&["a", "b"]).await;
    bench.let_go_on(2);
    for caller in [first].into_iter().chain(waiting) {
        answer(caller).await.unwrap();
    }
    bench.until(0, 0).await;
    let left = async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    ends(left).await;
}

#[tokio::test]
async fn what_goes_together_already_is_passed_on() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let first = bench.say(0, "first");
    bench.until(1, 0).await;
    bench.let_go_on(2);
    let appends = ["a", "b"]
        .map(|text| ThreadAppend::new(bench.scope.clone(), bench.threads[1], Append::new([message(text)])));
    let answers = ends(bench.store.append_each(appends.into())).await;
    assert!(answers.into_iter().all(|answer| answer.is_ok_and(|stored| stored.messages.len() == 1)));
    assert_eq!(said(first).await, "first");
    assert_eq!(bench.slow.calls(), ["append first", "each a b"]);
}

#[tokio::test]
async fn closing_waits_for_what_waits_and_holds_nothing_back_afterwards() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (first, mut waiting) = bench.say_together(&["a", "b", "c"]).await;
    let closing = tokio::spawn({
        let store = Arc::clone(&bench.store);
        async move { store.close().await }
    });
    tokio::task::yield_now().await;
    let late = bench.say(0, "late");
    while bench.slow.calls().len() < 2 {
        tokio::task::yield_now().await;
    }
    waiting.remove(1).abort();
    bench.let_go_on(2);
    assert_eq!((said(first).await.as_str(), said(late).await.as_str()), ("first", "late"));
    bench.until(1, 0).await;
    assert!(!bench.slow.is_closed.load(SeqCst), "a and c are being written");
    bench.let_go_on(1);
    for (caller, expected) in waiting.into_iter().zip(["a", "c"]) {
        assert_eq!(said(caller).await, expected);
    }
    ends(closing).await.unwrap().unwrap();
    assert!(bench.slow.is_closed.load(SeqCst));
    assert_eq!(bench.slow.calls(), ["append first", "append late", "each a c"]);
}

#[tokio::test]
async fn closing_an_idle_store_waits_for_nothing() {
    let bench = Bench::new(|store| store).await;
    ends(bench.store.close()).await.unwrap();
    assert!(bench.slow.is_closed.load(SeqCst));
}

#[tokio::test]
async fn a_debug_output_tells_nothing_of_what_is_said() {
    let bench = Bench::new(|store| store.max_in_flight(1)).await;
    let (_first, _waiting) = bench.say_together(&["secret", "secret"]).await;
    bench.slow.calls.lock().unwrap().clear();
    let shown = format!("{:?}", bench.store);
    assert!(shown.starts_with("Coalescing { in_flight: 1, waiting: 2,"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("acme"), "{shown}");
}
