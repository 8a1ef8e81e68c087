//! The thread after a kill: its versions and heads, what each branch shows, and its forks.

use std::collections::{BTreeMap, HashMap, HashSet};

use chatkeep::{
    Branch, BranchId, ChatMessage, ChatThread, Conversation, MessageId, Position, StateManager, ThreadId,
    ThreadQuery,
};

use crate::check_order;
use crate::told::{Fork, State, Told, ToldBranch};

/// Looks at all of it. What a kill left in doubt is known afterwards, and the forks are gone. Gives how many the kill had left
/// unfinished, of how many.
pub(crate) async fn check(state: &StateManager, origin: ThreadId, told: &mut Told) -> (usize, usize) {
    let chat = state.conversation(origin);
    let thread = chat.get_thread().await.expect("the thread is there");
    assert!(thread.version.get() >= told.version, "{} is behind {}", thread.version, told.version);
    let main = chat.get_messages().await.expect("its messages");
    check_order(&main, false);
    assert_eq!(Some(thread.head), main.last().map(|last| last.position), "the head of main");
    let ids = ids(&main);
    let lost: Vec<_> = told.main.iter().filter(|id| !ids.contains(id)).collect();
    assert!(lost.is_empty(), "told of and not stored: {lost:?}");

    let there = chat.branches().await.expect("its branches");
    assert!(there.iter().any(|branch| branch.id == thread.active_branch), "the active branch is there");
    for (id, told) in &mut told.branches {
        let branch = there.iter().find(|branch| branch.id.get() == *id);
        told.state = check_state(&format!("branch {id}"), told.state, branch.is_some());
        assert!(branch.is_none_or(|branch| branch.head.get() >= told.head), "the head of branch {id}");
    }
    let mut shown = BTreeMap::from([(0, main)]);
    for branch in there.iter().filter(|branch| !branch.id.is_main()) {
        let (number, from) = (branch.id.get(), branch.from.expect("it starts somewhere"));
        // What it shares is what its parent has there, and stays so: to look at that once is enough.
        let is_new = told.seen.insert(number);
        let messages = chat.on_branch(branch.id).get_messages();
        let messages = if is_new { messages } else { messages.after(from.through) };
        let messages = messages.await.expect("what it shows");
        check_shown(branch, &messages, told.branches.get_mut(&number));
        if is_new {
            let up_to =
                |messages: &[ChatMessage]| messages.partition_point(|one| one.position <= from.through);
            let parent = &shown[&from.branch.get()];
            assert!(messages[..up_to(&messages)] == parent[..up_to(parent)], "what branch {number} shares");
        }
        shown.insert(number, messages);
    }
    let distinct: HashSet<_> = shown.values().flatten().map(|message| message.id).collect();
    check_forks(state, &chat, told, (&shown[&0], distinct.len())).await
}

fn ids(messages: &[ChatMessage]) -> HashSet<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// What is there and what was told. Gives what is known by now.
fn check_state(what: &str, told: State, is_there: bool) -> State {
    match told {
        State::Stored => assert!(is_there, "{what} was told of and is not there"),
        State::Removed => assert!(!is_there, "{what} was removed and is there"),
        State::Doubtful => {}
    }
    if is_there { State::Stored } else { State::Removed }
}

/// What a branch shows. Nothing may have been told of it: then the kill came in between.
fn check_shown(branch: &Branch, messages: &[ChatMessage], told: Option<&mut ToldBranch>) {
    let what = format!("branch {}", branch.id);
    check_order(messages, told.as_ref().is_some_and(|told| !told.is_whole()));
    let last = messages.last().map_or(0, |last| last.position.get());
    let Some(told) = told else { return };
    let from = branch.from.expect("it starts somewhere");
    assert_eq!((from.branch.get(), from.through.get()), (told.parent, told.through), "the start of {what}");
    assert!(branch.head.get() >= last, "the head of {what} is behind its last message");
    let own = messages.iter().filter(|message| message.branch == branch.id);
    let places: HashMap<_, _> = own.map(|message| (message.id, message.position.get())).collect();
    let in_doubt = told.own.iter().filter(|own| own.state == State::Doubtful);
    let doubtful: HashSet<_> = in_doubt.map(|own| places.contains_key(&own.id)).collect();
    assert!(doubtful.len() < 2, "a part of {what} was removed, and a part was not");
    for own in &mut told.own {
        let place = places.get(&own.id);
        own.state = check_state(&format!("message {} of {what}", own.position), own.state, place.is_some());
        assert!(place.is_none_or(|place| *place == own.position), "a message of {what} moved");
    }
    if told.is_whole() {
        assert_eq!(branch.head.get(), last.max(told.through), "the head of {what}");
    }
}

/// Each fork that is seen is whole, and each that was told of is seen. One that was begun can be finished.
async fn check_forks(
    state: &StateManager,
    chat: &Conversation,
    told: &mut Told,
    (main, count): (&[ChatMessage], usize),
) -> (usize, usize) {
    let forks = ThreadQuery::default().forked_from(chat.thread_id());
    let seen = state.list_threads(&forks).await.expect("the forks").items;
    let all = state.list_threads(&ThreadQuery::default().with_preview()).await.expect("the threads").items;
    assert_eq!(all.len(), seen.len() + 1, "a thread that is no fork");
    let origin = all.iter().find(|thread| thread.id == chat.thread_id()).expect("it is listed");
    assert_eq!(origin.preview.as_ref().map(|preview| preview.message_count), Some(count as u64), "its count");
    let begun = std::mem::take(&mut told.forks);
    for fork in &seen {
        assert!(begun.contains_key(&fork.id), "a fork that nobody made");
    }
    for (id, fork) in &begun {
        let found = seen.iter().find(|thread| thread.id == *id);
        assert!(found.is_some() || !fork.is_finished, "a fork was told of and is not there");
        let (branch, through) = (fork.branch, fork.through);
        let again = chat.on_branch(BranchId::new(branch)).fork("fork").id(*id);
        let through = again.through(Position::new(through).expect("a position"));
        let thread = match found {
            Some(thread) => thread.clone(),
            None => through.await.expect("it goes on"),
        };
        check_fork(state, &thread, fork, told.branches[&branch].through, main).await;
        assert!(state.delete_thread(*id).await.expect("it is deleted"));
    }
    (begun.len() - seen.len(), begun.len())
}

async fn check_fork(
    state: &StateManager,
    thread: &ChatThread,
    fork: &Fork,
    shared: i64,
    main: &[ChatMessage],
) {
    let messages = state.conversation(thread.id).get_messages().await.expect("its messages");
    let of_main = main.iter().take_while(|message| message.position.get() <= shared);
    let expected = of_main.map(|message| message.id).chain(fork.own.iter().copied());
    let stored = messages.iter().map(|message| message.id);
    assert!(stored.eq(expected), "fork {} has not what it is to have", thread.id);
    assert_eq!(thread.head.get(), fork.through, "the head of fork {}", thread.id);
    check_order(&messages, false);
}
