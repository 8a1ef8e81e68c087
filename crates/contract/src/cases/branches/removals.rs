//! What is removed with branches.

use chatkeep_domain::{
    Append, BranchId, Entity, MessageQuery, Removal, StoreError, ThreadQuery, ThreadUpdate, Version,
};

use crate::cases::branches::reads::tree;
use crate::fixture::branches::{branching, position};
use crate::fixture::{Fixture, Talk, at, message, numbered};

const MAIN: BranchId = BranchId::MAIN;

async fn count(talk: &Talk) -> u64 {
    let listed = talk.tenant.list(&ThreadQuery::default().with_preview()).await.unwrap().items;
    let listed = listed.into_iter().find(|thread| thread.id == talk.id).expect("the thread is listed");
    listed.preview.expect("a preview").message_count
}

/// Deleting a branch gives the number of its own messages and removes them; what it shares stays.
pub(crate) async fn deleting_a_branch_leaves_what_it_shares(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let own = talk.shown(second).await[8..].to_vec();
    let before = talk.thread().await;
    assert_eq!(talk.delete_branch(second).await.unwrap(), 2);
    let expected = with!(before.clone(), version: before.version.next(), updated_at: at(7));
    assert_eq!(talk.thread().await, expected);
    assert_eq!(talk.branches().await.iter().map(|branch| branch.id).collect::<Vec<_>>(), [MAIN, first]);
    assert_eq!((talk.heard(MAIN).await.len(), &*talk.heard(first).await), (19, "0 1 2 3 4 5 a b c"));
    for message in own {
        assert_refused!(talk.get(message.id).await, StoreError::NotFound { .. });
    }
    assert_eq!(count(&talk).await, 13);
    let again = talk.delete_branch(second).await;
    assert_refused!(again, StoreError::NotFound { entity: Entity::Branch, .. });
}

/// A branch whose own part another one shows is in use, until that one is deleted.
pub(crate) async fn a_branch_that_others_stand_on_is_in_use(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let third = talk.branch(second, 14).await;
    let before = (talk.thread().await, talk.branches().await, talk.shown(third).await);
    for (used, by) in [(first, second), (second, third)] {
        assert_refused!(talk.delete_branch(used).await, StoreError::InUse { entity: Entity::Branch, id, by: told, .. }
            if id == used.to_string() && (told == by.to_string() || told == third.to_string()));
    }
    assert_eq!((talk.thread().await, talk.branches().await, talk.shown(third).await), before);
    for branch in [third, second, first] {
        talk.delete_branch(branch).await.unwrap();
    }
    assert_eq!(talk.branches().await.len(), 1);
}

/// A branch that starts where another one has nothing of its own yet does not stand on it.
pub(crate) async fn siblings_do_not_stand_on_each_other(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    // Another answer in the place of "x", the first of the second's own.
    let sibling = talk.branch(second, talk.shown(second).await[8].position.get() - 1).await;
    talk.say_on(sibling, [message("X")]).await;
    assert_eq!(talk.delete_branch(second).await.unwrap(), 2);
    assert_eq!(talk.heard(sibling).await, "0 1 2 3 4 5 a b X");
    assert_refused!(talk.delete_branch(first).await, StoreError::InUse { .. });
}

/// The main branch cannot be deleted.
pub(crate) async fn the_main_branch_cannot_be_deleted(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    assert_refused!(talk.delete_branch(MAIN).await, StoreError::InvalidArgument(error) if error.field == "branch");
    assert_eq!(talk.snapshot().await, before);
}

/// Where the active branch is deleted, the one that it started from is active.
pub(crate) async fn an_active_branch_that_is_deleted_gives_way_to_its_parent(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    talk.update(ThreadUpdate::new(at(1)).active_branch(second)).await.unwrap();
    talk.delete_branch(second).await.unwrap();
    assert_eq!(talk.thread().await.active_branch, first);
    let other = talk.branch(MAIN, 1).await;
    talk.delete_branch(other).await.unwrap();
    assert_eq!(talk.thread().await.active_branch, first, "another one was deleted");
    talk.delete_branch(first).await.unwrap();
    assert_eq!(talk.thread().await.active_branch, MAIN);
}

/// Truncating gives the number of messages behind the position and removes them; the head stays, and no position comes back.
pub(crate) async fn truncating_removes_the_end_and_keeps_the_head(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    for (branch, after, removed, heard) in [
        (second, 14, 1, "0 1 2 3 4 5 a b x"),
        (MAIN, 8, 2, "0 1 2 3 4 5 6 7"),
        (second, 12, 1, "0 1 2 3 4 5 a b"),
    ] {
        let (head, version) = (talk.stored_branch(branch).await.head, talk.thread().await.version);
        assert_eq!(talk.truncate(branch, after).await.unwrap(), removed, "behind {after} on {branch}");
        assert_eq!(talk.heard(branch).await, heard);
        assert_eq!(
            (talk.stored_branch(branch).await.head, talk.thread().await.version),
            (head, version.next())
        );
    }
    assert_eq!(talk.heard(first).await, "0 1 2 3 4 5 a b c", "the others stay");
    let next = talk.append(Append::new([message("next")]).expect_head(position(10))).await.unwrap();
    assert_eq!(next.head, position(16));
}

/// What a branch shares cannot be truncated from it.
pub(crate) async fn truncating_ahead_of_the_own_part_is_refused(fixture: Fixture) {
    let (talk, first, _) = tree(&fixture).await;
    let third = talk.branch(first, 13).await;
    let before = (talk.thread().await, talk.shown(third).await);
    for after in [0, 6, 12] {
        let refused = talk.truncate(third, after).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "after");
    }
    assert_refused!(
        talk.truncate(BranchId::new(99), 1).await,
        StoreError::NotFound { entity: Entity::Branch, .. }
    );
    assert_eq!((talk.thread().await, talk.shown(third).await), before);
}

/// Behind a position where another branch starts nothing is truncated; ahead of it, the rest is.
pub(crate) async fn what_others_stand_on_cannot_be_truncated(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let before = (talk.thread().await, talk.shown(second).await);
    assert_refused!(talk.truncate(first, 11).await, StoreError::InUse { .. });
    assert_refused!(talk.truncate(MAIN, 5).await, StoreError::InUse { .. });
    assert_eq!((talk.thread().await, talk.shown(second).await), before);
    assert_eq!(talk.truncate(first, 12).await.unwrap(), 1);
    assert_eq!(talk.truncate(MAIN, 6).await.unwrap(), 4);
    assert_eq!(talk.heard(second).await, "0 1 2 3 4 5 a b x y");
}

/// Where nothing is behind the position, nothing changes, whatever is expected, also where another branch starts behind it.
pub(crate) async fn truncating_nothing_changes_nothing(fixture: Fixture) {
    let (talk, first, _) = tree(&fixture).await;
    talk.truncate(first, 12).await.unwrap();
    talk.branch(first, 13).await;
    let before = talk.thread().await;
    let late = Version::new(1).unwrap();
    for removal in [Removal::new(at(90)), Removal::new(at(90)).expect_version(late)] {
        let branches = branching(&fixture.repo);
        let truncated =
            branches.truncate_branch(&talk.tenant.scope, talk.id, first, position(12), removal).await;
        assert_eq!(truncated.unwrap(), 0);
    }
    assert_eq!(talk.thread().await, before);
}

/// A clear removes the messages of all branches and keeps the branches, with their heads and names.
pub(crate) async fn a_clear_empties_all_branches_and_keeps_them(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let before = talk.branches().await;
    assert_eq!(talk.clear(at(7)).await.unwrap(), 15);
    assert_eq!(talk.branches().await, before);
    for branch in [MAIN, first, second] {
        assert_eq!(talk.heard(branch).await, "");
    }
    assert_eq!(count(&talk).await, 0);
    let next = talk.say_on(second, [message("next")]).await;
    assert_eq!((next[0].position, &*talk.heard(second).await), (position(16), "next"));
}

/// The id of a message that went with a branch, or was truncated, can be appended again, on any branch.
pub(crate) async fn ids_of_what_was_removed_are_free_again(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let (one, other) = (talk.branch(MAIN, 1).await, talk.branch(MAIN, 1).await);
    let (first, second) = (numbered(1), numbered(2));
    talk.say_on(one, first.clone()).await;
    talk.say_on(other, second.clone()).await;
    talk.delete_branch(one).await.unwrap();
    talk.truncate(other, 1).await.unwrap();
    let said = talk.say([first, second].concat()).await;
    assert_eq!(said.iter().map(|message| message.position.get()).collect::<Vec<_>>(), [6, 7, 8]);
    assert_eq!(talk.all().await.len(), 5);
}

/// A branch is deleted and truncated only at the version that is expected.
pub(crate) async fn a_removal_is_at_the_version_that_is_expected(fixture: Fixture) {
    let (talk, _, second) = tree(&fixture).await;
    let (branches, scope) = (branching(&fixture.repo), &talk.tenant.scope);
    let before = (talk.thread().await, talk.branches().await, talk.shown(second).await);
    let version = before.0.version;
    let removal = |version| Removal::new(at(7)).expect_version(version);
    let late = removal(version.next());
    let deleted = branches.delete_branch(scope, talk.id, second, late).await;
    assert_refused!(deleted, StoreError::Conflict { .. });
    let truncated = branches.truncate_branch(scope, talk.id, second, position(14), late).await;
    assert_refused!(truncated, StoreError::Conflict { .. });
    assert_eq!((talk.thread().await, talk.branches().await, talk.shown(second).await), before);
    branches.truncate_branch(scope, talk.id, second, position(14), removal(version)).await.unwrap();
    branches.delete_branch(scope, talk.id, second, removal(version.next())).await.unwrap();
}

/// A thread is deleted with its branches: one of its id that is created then has the main branch alone.
pub(crate) async fn deleting_the_thread_deletes_its_branches(fixture: Fixture) {
    let (talk, first, _) = tree(&fixture).await;
    assert_eq!(talk.delete().await.unwrap(), 15);
    talk.tenant.create(with!(talk.tenant.new_thread(), id: talk.id)).await.unwrap();
    assert_eq!(talk.branches().await.len(), 1);
    let absent = talk.page(&MessageQuery::newest(5).branch(first)).await;
    assert_refused!(absent, StoreError::NotFound { entity: Entity::Branch, .. });
}
