use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatkeep_domain::{Content, Role, ThreadId};

use super::{WriteBehind, WriteBehindConfig};
use crate::error::Error;
use crate::history::ConversationHistory;
use crate::input::MessageInput;
use crate::state_manager::StateManager;
use crate::testing::Faulty;

async fn thread(state: &StateManager) -> ThreadId {
    state.create_thread("behind").await.unwrap().id
}

async fn texts(state: &StateManager, thread: ThreadId) -> Vec<String> {
    let messages = state.conversation(thread).get_messages().await.unwrap();
    messages.iter().map(|message| message.content.as_text().unwrap().to_owned()).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn unsaved(error: &Error) -> usize {
    match error {
        Error::WriteBehind { unsaved, .. } => *unsaved,
        other => panic!("another error: {other}"),
    }
}

/// Lets the task do what it can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn push_all(behind: &WriteBehind, thread: ThreadId, range: std::ops::Range<u32>) {
    for text in numbers(range) {
        behind.push(thread, (Role::User, text)).await.unwrap();
    }
}

#[tokio::test]
async fn what_waits_is_stored_in_batches_and_in_order() {
    let store = Faulty::new();
    let state = store.state();
    let (first, second) = (thread(&state).await, thread(&state).await);
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default().max_batch(10)).unwrap();
    for text in numbers(0..25) {
        behind.push(first, (Role::User, text.clone())).await.unwrap();
        behind.push(second, (Role::User, text)).await.unwrap();
    }
    behind.flush().await.unwrap();
    assert_eq!(texts(&state, first).await, numbers(0..25));
    assert_eq!(texts(&state, second).await, numbers(0..25));
    assert_eq!(store.appends.load(Ordering::SeqCst), 6, "three batches a thread");
    assert_eq!(behind.unsaved(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_nobodys_error() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
    Faulty::set(&store.down, true);
    push_all(&behind, thread, 0..3).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    Faulty::set(&store.down, false);
    behind.push(thread, (Role::User, "3")).await.unwrap();
    behind.flush().await.unwrap();
    assert_eq!(texts(&state, thread).await, numbers(0..4));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_stores_nothing_twice() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
    Faulty::set(&store.loses_answers, true);
    push_all(&behind, thread, 0..3).await;
    assert!(behind.flush().await.unwrap_err().is_transient());
    push_all(&behind, thread, 3..5).await;
    Faulty::set(&store.loses_answers, false);
    behind.flush().await.unwrap();
    assert_eq!(texts(&state, thread).await, numbers(0..5));
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_is_told_to_the_next_call_and_mends_itself() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default().retries(2)).unwrap();
    Faulty::set(&store.down, true);
    push_all(&behind, thread, 0..3).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let error = behind.push(thread, (Role::User, "refused")).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(unsaved(&error), 3);
    push_all(&behind, thread, 3..4).await;

    Faulty::set(&store.down, false);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(behind.unsaved(), 0, "no call was needed");
    push_all(&behind, thread, 4..5).await;
    behind.close().await.unwrap();
    assert_eq!(texts(&state, thread).await, numbers(0..5));
}

#[tokio::test]
async fn a_lasting_error_is_told_at_the_next_call_and_at_flush() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
    Faulty::set(&store.broken, true);
    push_all(&behind, thread, 0..2).await;
    let error = behind.flush().await.unwrap_err();
    assert_eq!((unsaved(&error), error.is_transient()), (2, false));
    assert_eq!(unsaved(&behind.flush().await.unwrap_err()), 2, "each flush tries again");
    assert_eq!(store.appends.load(Ordering::SeqCst), 2);

    // The next push tries again as well; its failure comes with the one after.
    push_all(&behind, thread, 2..3).await;
    while store.appends.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(unsaved(&behind.push(thread, (Role::User, "refused")).await.unwrap_err()), 3);

    assert_eq!(unsaved(&behind.close().await.unwrap_err()), 3);
    Faulty::set(&store.broken, false);
    push_all(&behind, thread, 3..4).await;
    behind.close().await.unwrap();
    assert_eq!(texts(&state, thread).await, numbers(0..4));
    let error = behind.push(thread, (Role::User, "late")).await.unwrap_err();
    assert!(matches!(error, Error::Closed { unsaved: 0 }));
}

#[tokio::test]
async fn what_failed_is_handed_back_and_holds_up_no_other_thread() {
    let store = Faulty::new();
    let state = store.state();
    let (gone, kept) = (thread(&state).await, thread(&state).await);
    state.delete_thread(gone).await.unwrap();
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
    let id = behind.push(gone, (Role::User, "lost?")).await.unwrap();
    assert_eq!(unsaved(&behind.flush().await.unwrap_err()), 1);
    push_all(&behind, kept, 0..2).await;
    while behind.unsaved() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(texts(&state, kept).await, numbers(0..2));

    let failed = behind.take_failed().await;
    assert_eq!((failed.len(), failed[0].thread, failed[0].message.id), (1, gone, id));
    assert_eq!(failed[0].message.content, Content::text("lost?"));
    behind.close().await.unwrap();
    assert_eq!(behind.take_failed().await, []);
}

#[tokio::test]
async fn a_dead_thread_is_no_other_threads_error() {
    let store = Faulty::new();
    let state = store.state();
    let (gone, kept) = (thread(&state).await, thread(&state).await);
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
    store.gate.forget_permits(usize::MAX);
    behind.push(gone, (Role::User, "lost?")).await.unwrap();
    state.delete_thread(gone).await.unwrap();
    store.gate.add_permits(100);
    for text in numbers(0..20) {
        behind.push(kept, (Role::User, text)).await.unwrap();
        settle().await;
    }
    assert_eq!(texts(&state, kept).await, numbers(0..20));
    assert_eq!(store.appends.load(Ordering::SeqCst), 21, "the dead thread is not tried again for the others");

    // Its own next call gets the error, and so does a flush, which stores the others all the same.
    let error = behind.push(gone, (Role::User, "refused")).await.unwrap_err();
    assert!(matches!(error, Error::WriteBehind { thread, unsaved: 1, .. } if thread == gone), "{error}");
    assert!(error.to_string().contains(&gone.to_string()), "{error}");
    behind.push(kept, (Role::User, "20")).await.unwrap();
    let error = behind.flush().await.unwrap_err();
    assert!(matches!(error, Error::WriteBehind { thread, unsaved: 1, .. } if thread == gone), "{error}");
    assert_eq!(texts(&state, kept).await, numbers(0..21));
    assert_eq!(unsaved(&behind.close().await.unwrap_err()), 1);
    assert_eq!(behind.take_failed().await.len(), 1);
    behind.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_of_others_failures_is_an_error_and_no_deadlock() {
    for lasting in [true, false] {
        let store = Faulty::new();
        let state = store.state();
        let (failing, other) = (thread(&state).await, thread(&state).await);
        let behind = WriteBehind::new(state, WriteBehindConfig::default().capacity(1)).unwrap();
        Faulty::set(if lasting { &store.broken } else { &store.down }, true);
        behind.push(failing, (Role::User, "0")).await.unwrap();
        for _ in 0..3 {
            let error = behind.push(other, (Role::User, "1")).await.unwrap_err();
            assert!(matches!(error, Error::WriteBehind { thread, .. } if thread == failing), "{error}");
            assert_eq!(error.is_transient(), !lasting);
        }
        // It was told to others: the thread's own next call gets it all the same.
        assert_eq!(unsaved(&behind.push(failing, (Role::User, "1")).await.unwrap_err()), 1);
    }
}

#[tokio::test]
async fn the_same_id_is_queued_once_and_the_first_stays() {
    let store = Faulty::new();
    let state = store.state();
    let (first, second) = (thread(&state).await, thread(&state).await);
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default().capacity(3)).unwrap();
    store.gate.forget_permits(usize::MAX);
    let id = state.ids().message_id();
    let again = |text: &str| MessageInput::new(Role::User, text).id(id);
    assert_eq!(behind.push(first, again("first")).await.unwrap(), id);
    assert_eq!(behind.push(first, again("again")).await.unwrap(), id);
    settle().await;
    assert_eq!(behind.push(first, again("in flight")).await.unwrap(), id);
    behind.push(second, again("elsewhere")).await.unwrap();
    behind.push(first, (Role::User, "other")).await.unwrap();
    assert_eq!(behind.push(first, again("full")).await.unwrap(), id);
    assert_eq!(behind.unsaved(), 3);

    store.gate.add_permits(100);
    behind.flush().await.unwrap();
    assert_eq!(behind.push(first, again("stored")).await.unwrap(), id);
    behind.close().await.unwrap();
    assert_eq!(texts(&state, first).await, ["first", "other"]);
    assert_eq!(texts(&state, second).await, ["elsewhere"]);
}

#[tokio::test(start_paused = true)]
async fn every_one_of_several_flushes_gets_the_error() {
    for lasting in [true, false] {
        let store = Faulty::new();
        let state = store.state();
        let thread = thread(&state).await;
        let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
        Faulty::set(if lasting { &store.broken } else { &store.down }, true);
        push_all(&behind, thread, 0..2).await;
        let all = async { tokio::join!(behind.flush(), behind.close(), behind.flush()) };
        let (one, two, three) = tokio::time::timeout(Duration::from_mins(10), all).await.unwrap();
        for result in [one, two, three] {
            assert_eq!(unsaved(&result.unwrap_err()), 2);
        }
        // One that begins while another waits has no end of its own to wait for.
        let later = async {
            tokio::time::sleep(Duration::from_millis(75)).await;
            behind.flush().await
        };
        let all = async { tokio::join!(behind.flush(), later) };
        let (one, two) = tokio::time::timeout(Duration::from_mins(10), all).await.unwrap();
        assert!(one.is_err() && two.is_err());
        Faulty::set(if lasting { &store.broken } else { &store.down }, false);
        behind.close().await.unwrap();
        assert_eq!(texts(&state, thread).await, numbers(0..2));
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_flush_again_and_again_do_not_put_off_each_others_error() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state, WriteBehindConfig::default()).unwrap();
    Faulty::set(&store.down, true);
    push_all(&behind, thread, 0..1).await;
    let impatient = async {
        loop {
            let _ = tokio::time::timeout(Duration::from_millis(10), behind.flush()).await;
        }
    };
    let patient = tokio::time::timeout(Duration::from_mins(10), behind.flush());
    let result = tokio::select! { result = patient => result.unwrap(), () = impatient => unreachable!() };
    assert_eq!(unsaved(&result.unwrap_err()), 1);
}

#[tokio::test]
async fn a_flush_that_is_dropped_swallows_no_error() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state, WriteBehindConfig::default()).unwrap();
    Faulty::set(&store.broken, true);
    push_all(&behind, thread, 0..1).await;
    settle().await;
    store.gate.forget_permits(usize::MAX);
    tokio::select! {
        biased;
        _ = behind.flush() => panic!("the gate is shut"),
        () = settle() => {}
    }
    assert_eq!(unsaved(&behind.push(thread, (Role::User, "refused")).await.unwrap_err()), 1);
}

#[tokio::test]
async fn a_close_that_is_dropped_leaves_the_queue_open() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
    store.gate.forget_permits(usize::MAX);
    push_all(&behind, thread, 0..1).await;
    {
        let mut dropped = std::pin::pin!(behind.close());
        let mut other = std::pin::pin!(behind.close());
        tokio::select! {
            biased;
            _ = &mut other => panic!("the gate is shut"),
            _ = &mut dropped => panic!("the gate is shut"),
            () = settle() => {}
        }
        let push = behind.push(thread, (Role::User, "refused")).await;
        assert!(matches!(push.unwrap_err(), Error::Closed { unsaved: 1 }));
    }
    push_all(&behind, thread, 1..2).await;
    store.gate.add_permits(100);
    behind.close().await.unwrap();
    behind.close().await.unwrap();
    assert_eq!(texts(&state, thread).await, numbers(0..2));
    let push = behind.push(thread, (Role::User, "late")).await;
    assert!(matches!(push.unwrap_err(), Error::Closed { unsaved: 0 }));
}

#[tokio::test]
async fn a_close_that_goes_on_keeps_the_queue_closed_when_another_is_dropped() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state, WriteBehindConfig::default()).unwrap();
    store.gate.forget_permits(usize::MAX);
    push_all(&behind, thread, 0..1).await;
    let mut kept = std::pin::pin!(behind.close());
    tokio::select! {
        biased;
        _ = &mut kept => panic!("the gate is shut"),
        _ = behind.close() => panic!("the gate is shut"),
        () = settle() => {}
    }
    let push = behind.push(thread, (Role::User, "refused")).await;
    assert!(matches!(push.unwrap_err(), Error::Closed { unsaved: 1 }));
    store.gate.add_permits(100);
    kept.await.unwrap();
}

#[tokio::test]
async fn a_full_queue_makes_the_caller_wait() {
    for config in [
        WriteBehindConfig::default().capacity(2),
        WriteBehindConfig::default().max_bytes(2 * r#"{"type":"text","text":"0"}"#.len()),
    ] {
        let store = Faulty::new();
        let state = store.state();
        let thread = thread(&state).await;
        let behind = Arc::new(WriteBehind::new(state.clone(), config).unwrap());
        store.gate.forget_permits(usize::MAX);
        push_all(&behind, thread, 0..2).await;

        let third = {
            let behind = Arc::clone(&behind);
            tokio::spawn(async move { behind.push(thread, (Role::User, "2")).await })
        };
        settle().await;
        assert!(!third.is_finished());
        assert_eq!(behind.unsaved(), 2);
        store.gate.add_permits(10);
        third.await.unwrap().unwrap();
        behind.flush().await.unwrap();
        assert_eq!(texts(&state, thread).await, numbers(0..3));
    }
}

#[tokio::test]
async fn a_full_queue_that_cannot_empty_is_an_error_and_no_deadlock() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state, WriteBehindConfig::default().capacity(1)).unwrap();
    Faulty::set(&store.broken, true);
    push_all(&behind, thread, 0..1).await;
    assert_eq!(unsaved(&behind.push(thread, (Role::User, "1")).await.unwrap_err()), 1);
}

#[tokio::test]
async fn what_no_store_takes_is_refused_at_once() {
    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let behind = WriteBehind::new(state, WriteBehindConfig::default()).unwrap();
    let huge = Content::text("x".repeat(chatkeep_domain::MAX_CONTENT_BYTES));
    assert!(matches!(behind.push(thread, (Role::User, huge)).await.unwrap_err(), Error::Store(_)));
    behind.close().await.unwrap();
    assert_eq!(store.appends.load(Ordering::SeqCst), 0);
}

#[test]
fn it_is_set_up_on_a_runtime_and_with_room() {
    let state = Faulty::new().state();
    let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default());
    assert!(matches!(behind.unwrap_err(), Error::NoRuntime));
    for config in [
        WriteBehindConfig::default().capacity(0),
        WriteBehindConfig::default().max_batch(0),
        WriteBehindConfig::default().max_bytes(0),
    ] {
        let error = WriteBehind::new(state.clone(), config).unwrap_err();
        assert!(error.to_string().ends_with("must be at least 1 (got 0)"), "{error}");
    }
    let config = WriteBehindConfig::default().max_batch(chatkeep_domain::MAX_BATCH_LEN + 1);
    let error = WriteBehind::new(state.clone(), config).unwrap_err();
    assert!(error.to_string().starts_with("max_batch must be at most 10000"), "{error}");
    let config = WriteBehindConfig::default().max_delay(Duration::ZERO);
    let error = WriteBehind::new(state, config).unwrap_err();
    assert_eq!(error.to_string(), "max_delay must be at least 1 ms (got 0ns)");
}

#[test]
fn the_end_of_the_runtime_is_told_and_never_waited_for() {
    let store = Faulty::new();
    let state = store.state();
    let first = tokio::runtime::Runtime::new().unwrap();
    let (behind, thread) = first.block_on(async {
        let thread = thread(&state).await;
        store.gate.forget_permits(usize::MAX);
        let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
        push_all(&behind, thread, 0..1).await;
        (behind, thread)
    });
    drop(first);
    let second = tokio::runtime::Runtime::new().unwrap();
    second.block_on(async {
        assert!(matches!(behind.flush().await.unwrap_err(), Error::Closed { unsaved: 1 }));
        let push = behind.push(thread, (Role::User, "late")).await;
        assert!(matches!(push.unwrap_err(), Error::Closed { unsaved: 1 }));
    });
}

#[test]
fn a_runtime_that_ends_before_the_task_began_is_told_too() {
    let state = Faulty::new().state();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let first = runtime();
    let behind = first.block_on(async {
        let thread = thread(&state).await;
        // Nothing here lets the task run.
        let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default()).unwrap();
        push_all(&behind, thread, 0..1).await;
        behind
    });
    drop(first);
    let flushed = runtime().block_on(async {
        tokio::select! {
            biased;
            flushed = behind.flush() => flushed,
            () = tokio::task::yield_now() => panic!("it waits for a task that is gone"),
        }
    });
    assert!(matches!(flushed.unwrap_err(), Error::Closed { unsaved: 1 }));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn dropping_it_logs_how_many_messages_are_lost_but_not_what_they_say() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With a second one alive, tracing asks all of them who wants an event, and not only the one of the thread that
    // logs it first, which may be another test's.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());

    let store = Faulty::new();
    let state = store.state();
    let thread = thread(&state).await;
    let mut history = ConversationHistory::builder()
        .conversation(state.conversation(thread))
        .write_behind(WriteBehindConfig::default())
        .build()
        .unwrap();
    history.add_user_message("stored").await.unwrap();
    history.flush().await.unwrap();
    Faulty::set(&store.broken, true);
    for _ in 0..3 {
        history.add_user_message("secret").await.unwrap();
    }
    assert!(history.flush().await.is_err());
    drop(history);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("ERROR")).unwrap();
    assert!(line.contains("unsaved=3") && line.contains(&thread.to_string()), "{line}");
    assert!(!text.contains("secret") && !text.contains("stored\""), "{text}");
}
