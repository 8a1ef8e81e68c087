//! Appends to branches.

use chatkeep_domain::{Append, BranchId, Entity, Expected, StoreError, ThreadUpdate};

use crate::fixture::branches::position;
use crate::fixture::{Fixture, Talk, answers_to_each, at, message, numbered, positions, say_each};

const MAIN: BranchId = BranchId::MAIN;

/// An append to a branch is on that branch alone, and has its number; one to the main branch is not on those that start ahead of it.
pub(crate) async fn an_append_is_on_its_branch_alone(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let (one, other) = (talk.branch(MAIN, 2).await, talk.branch(MAIN, 3).await);
    let said = talk.say_on(one, [message("a"), message("b")]).await;
    assert!(said.iter().all(|message| message.branch == one), "{said:?}");
    talk.say_on(other, [message("x")]).await;
    talk.say([message("3")]).await;
    for (branch, heard) in [(MAIN, "0 1 2 3"), (one, "0 1 a b"), (other, "0 1 2 x")] {
        assert_eq!(talk.heard(branch).await, heard, "on {branch}");
    }
    assert_eq!(talk.shown(one).await[2..], said);
    assert_eq!(talk.shown(one).await[0].branch, MAIN, "what is shared is the other's own");
}

/// Positions are unique across the branches of a thread, and grow along every branch.
pub(crate) async fn positions_are_unique_across_branches(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let branch = talk.branch(MAIN, 1).await;
    let mut all = positions(&said);
    for number in 0..6 {
        let on = if number % 2 == 0 { branch } else { MAIN };
        all.extend(positions(&talk.say_on(on, numbered(2)).await));
    }
    assert_eq!(all, (1..=14).collect::<Vec<_>>());
    for on in [MAIN, branch] {
        assert!(talk.shown(on).await.is_sorted_by(|one, next| one.position < next.position), "on {on}");
    }
}

/// Each branch has a head of its own, which an append tells; the thread's is that of main.
pub(crate) async fn each_branch_has_its_own_head(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let branch = talk.branch(MAIN, 2).await;
    let version = talk.thread().await.version;
    let appended = talk.append(Append::new(numbered(2)).branch(branch)).await.unwrap();
    assert_eq!((appended.head, appended.version), (position(5), version.next()));
    let appended = talk.append(Append::new(numbered(1))).await.unwrap();
    assert_eq!((appended.head, appended.version), (position(6), version.next().next()));
    assert_eq!((talk.thread().await.head, talk.stored_branch(branch).await.head), (position(6), position(5)));
}

/// `expect_head` is compared with the head of the append's own branch.
pub(crate) async fn expect_head_is_of_the_branch(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let branch = talk.branch(MAIN, 2).await;
    let append = |head| Append::new(numbered(1)).branch(branch).expect_head(position(head));
    assert_refused!(
        talk.append(append(3)).await,
        StoreError::Conflict { of: Expected::Head, expected: 3, actual: 2, .. }
    );
    let appended = talk.append(append(2)).await.unwrap();
    assert_eq!(appended.head, position(4));
    // The others' writes leave it alone.
    talk.say(numbered(2)).await;
    talk.append(append(4)).await.unwrap();
    assert_refused!(talk.append(append(4)).await, StoreError::Conflict { actual: 7, .. });
}

/// A message that the branch shows, of its own or shared, is not stored again.
pub(crate) async fn a_retry_on_a_branch_gives_the_stored_messages(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let (shared, own) = (numbered(2), numbered(2));
    let of_main = talk.say(shared.clone()).await;
    let branch = talk.branch(MAIN, 2).await;
    let of_branch = talk.say_on(branch, own.clone()).await;
    let before = talk.thread().await;
    assert_eq!(talk.say_on(branch, own.clone()).await, of_branch);
    assert_eq!(talk.say_on(branch, shared.clone()).await, of_main);
    let both = talk.say_on(branch, [shared, own].concat()).await;
    assert_eq!(both, [of_main, of_branch].concat());
    assert_eq!(talk.thread().await, before);
}

/// An id that the thread holds on a branch which this one does not show is refused, and nothing is written.
pub(crate) async fn an_id_that_the_branch_does_not_show_is_refused(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let said = numbered(3);
    talk.say(said.clone()).await;
    let branch = talk.branch(MAIN, 2).await;
    let own = numbered(1);
    talk.say_on(branch, own.clone()).await;
    let before = (talk.thread().await, talk.shown(MAIN).await, talk.shown(branch).await);
    for (on, held) in [(branch, said[2].clone()), (MAIN, own[0].clone())] {
        for batch in [vec![held.clone()], vec![message("new"), held, message("new")]] {
            let refused = talk.append(Append::new(batch).branch(on)).await;
            assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "messages");
        }
    }
    assert_eq!((talk.thread().await, talk.shown(MAIN).await, talk.shown(branch).await), before);
}

/// An append to a branch that is not there is not found, alone and in a call.
pub(crate) async fn an_append_to_an_absent_branch_is_not_found(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    for append in
        [Append::new(numbered(2)).branch(BranchId::new(3)), Append::default().branch(BranchId::new(3))]
    {
        let absent = talk.append(append.clone()).await;
        assert_refused!(absent, StoreError::NotFound { entity: Entity::Branch, .. });
        let mut answers = answers_to_each(&fixture.repo, [talk.appending(append)]).await;
        assert_refused!(answers.remove(0), StoreError::NotFound { entity: Entity::Branch, .. });
    }
    assert_eq!(talk.snapshot().await, before);
}

/// Appends of a call to several branches of a thread take effect in their order, each on its own branch.
pub(crate) async fn appends_of_a_call_are_each_on_their_branch(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let (one, other) = (talk.branch(MAIN, 1).await, talk.branch(MAIN, 0).await);
    let append = |branch, text: &str| talk.appending(Append::new([message(text)]).branch(branch));
    let call = [append(one, "a"), append(MAIN, "b"), append(other, "c"), append(one, "d")];
    let said = say_each(&fixture.repo, call).await.concat();
    assert_eq!(positions(&said), [2, 3, 4, 5]);
    for (branch, heard) in [(MAIN, "0 b"), (one, "0 a d"), (other, "c")] {
        assert_eq!(talk.heard(branch).await, heard, "on {branch}");
    }
}

/// An append to a branch raises the thread's `updated_at` and version as any does.
pub(crate) async fn an_append_to_a_branch_is_a_write_of_the_thread(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let branch = talk.branch(MAIN, 1).await;
    talk.update(ThreadUpdate::new(at(3))).await.unwrap();
    let before = talk.thread().await;
    talk.say_on(branch, [with!(message("later"), created_at: at(50))]).await;
    let expected = with!(before.clone(), version: before.version.next(), updated_at: at(50));
    assert_eq!(talk.thread().await, expected);
}
