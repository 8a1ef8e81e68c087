//! How branches are made, named and listed.

use chatkeep_domain::{
    BranchId, BranchPoint, BranchRename, Entity, MAX_NAME_BYTES, NewBranch, Path, Position, StoreError,
    ThreadUpdate, Version,
};

use crate::fixture::branches::{branching, new_branch, position, request_id};
use crate::fixture::{Fixture, Talk, at, numbered, thread_id};

const MAIN: BranchId = BranchId::MAIN;

/// A branch comes back with every field, when it is created and when branches are listed; the main one is listed first.
pub(crate) async fn a_branch_comes_back_with_every_field(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 5).await;
    let new = with!(new_branch(MAIN, 3).name("Ünïcode"), at: at(4));
    let created = talk.create_branch(new.clone()).await.unwrap();
    assert_eq!((created.id, created.chat_thread_id), (BranchId::new(1), talk.id));
    assert_eq!((created.request, &*created.name), (Some(new.request), "Ünïcode"));
    assert_eq!((created.from, created.head, created.created_at), (Some(new.from), position(3), at(4)));
    assert_eq!(created.path, Path::main().branch_off(position(3), created.id, position(5)).unwrap());
    let other = talk.create_branch(new_branch(created.id, 2)).await.unwrap();
    let listed = talk.branches().await;
    assert_eq!(listed[1..], [created, other]);
    let main = &listed[0];
    assert_eq!((main.id, main.request, main.from, main.head), (MAIN, None, None, position(5)));
    assert_eq!((&*main.name, &main.path, main.created_at), ("", &Path::main(), at(0)));
}

/// Creating again by the same request gives the branch as it is by now, and changes nothing.
pub(crate) async fn creating_again_by_a_request_gives_the_branch(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let new = new_branch(MAIN, 2).name("first").expect_version(talk.thread().await.version);
    let id = talk.create_branch(new.clone()).await.unwrap().id;
    talk.say_on(id, numbered(2)).await;
    let rename = BranchRename::new("second", at(5));
    branching(&fixture.repo).rename_branch(&talk.tenant.scope, talk.id, id, rename).await.unwrap();
    let before = (talk.thread().await, talk.branches().await);
    let elsewhere = with!(new.clone(), from: BranchPoint::new(MAIN, position(1)), at: at(99));
    for again in [new, elsewhere] {
        assert_eq!(talk.create_branch(again).await.unwrap(), before.1[1]);
    }
    assert_eq!((talk.thread().await, talk.branches().await), before);
}

/// A branch starts at most at the head of its parent: also where that was deleted, and at a position that has no message.
pub(crate) async fn a_branch_starts_at_a_position_up_to_the_head(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 4).await;
    talk.delete_message(said[3].id, at(2)).await.unwrap();
    talk.delete_message(said[1].id, at(2)).await.unwrap();
    for (through, shown) in [(4, "0 2"), (3, "0 2"), (2, "0"), (1, "0"), (0, "")] {
        let branch = talk.branch(MAIN, through).await;
        assert_eq!(talk.heard(branch).await, shown, "behind {through}");
        assert_eq!(talk.stored_branch(branch).await.head, position(through));
    }
    let before = (talk.thread().await, talk.branches().await);
    let refused = talk.create_branch(new_branch(MAIN, 5)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "from");
    let refused = talk.create_branch(new_branch(BranchId::new(2), 4)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "from");
    assert_eq!((talk.thread().await, talk.branches().await), before);
}

/// A branch of a branch or a thread that is not there is not found.
pub(crate) async fn a_branch_of_nothing_is_not_found(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.thread().await;
    let refused = talk.create_branch(new_branch(BranchId::new(7), 1)).await;
    assert_refused!(refused, StoreError::NotFound { entity: Entity::Branch, id, .. } if id == "7");
    for absent in [Talk::of(&talk.tenant, thread_id()), Talk::of(&talk.tenant.colleague(), talk.id)] {
        let refused = absent.create_branch(new_branch(MAIN, 1)).await;
        assert_refused!(refused, StoreError::NotFound { entity: Entity::Thread, .. });
    }
    assert_eq!(talk.thread().await, before);
}

/// Branches of branches show what their paths say: from the own part of the parent, from the part that it shares, and from where
/// it has nothing of its own.
pub(crate) async fn branches_of_branches_share_what_is_up_to_their_points(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 4).await;
    let first = talk.branch(MAIN, 2).await;
    talk.say_on(first, ["a", "b", "c"].map(crate::fixture::message)).await;
    let own = talk.branch(first, 6).await;
    talk.say_on(own, ["x"].map(crate::fixture::message)).await;
    let shared = talk.branch(own, 1).await;
    let between = talk.branch(own, 4).await;
    let end = talk.branch(own, 8).await;
    talk.say([crate::fixture::message("4")]).await;
    for (branch, heard) in [
        (MAIN, "0 1 2 3 4"),
        (first, "0 1 a b c"),
        (own, "0 1 a b x"),
        (shared, "0"),
        (between, "0 1"),
        (end, "0 1 a b x"),
    ] {
        assert_eq!(talk.heard(branch).await, heard, "on {branch}");
    }
    assert_eq!(talk.stored_branch(between).await.path.segments().len(), 2, "nothing of the parents' own");
}

/// The number of a deleted branch is not given again.
pub(crate) async fn numbers_of_branches_are_not_given_again(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let mut seen = vec![];
    for _ in 0..3 {
        let branch = talk.branch(MAIN, 2).await;
        assert!(!seen.contains(&branch), "{branch} was there before");
        talk.delete_branch(branch).await.unwrap();
        seen.push(branch);
    }
    assert_eq!(talk.branches().await.len(), 1);
}

/// A branch is created, and renamed, only at the version that is expected.
pub(crate) async fn a_branch_is_written_at_the_version_that_is_expected(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let version = talk.thread().await.version;
    let late = Version::new(version.get() + 5).unwrap();
    assert_refused!(
        talk.create_branch(new_branch(MAIN, 1).expect_version(late)).await,
        StoreError::Conflict { .. }
    );
    let branch = talk.create_branch(new_branch(MAIN, 1).expect_version(version)).await.unwrap();
    assert_eq!(talk.thread().await.version, version.next());
    let rename = |version| BranchRename::new("named", at(2)).expect_version(version);
    let renamed =
        |rename| branching(&fixture.repo).rename_branch(&talk.tenant.scope, talk.id, branch.id, rename);
    assert_refused!(renamed(rename(version)).await, StoreError::Conflict { .. });
    let expected = with!(branch.clone(), name: "named".to_owned());
    assert_eq!(renamed(rename(version.next())).await.unwrap(), expected);
    assert_eq!(renamed(rename(version)).await.unwrap(), expected, "to the name that it has");
    assert_eq!(talk.thread().await.version, version.next().next());
    assert_eq!(talk.stored_branch(branch.id).await, expected);
}

/// A name has the limits of a thread's name; the main branch has none.
pub(crate) async fn a_name_of_a_branch_has_exact_limits(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let longest = "x".repeat(MAX_NAME_BYTES);
    let branch = talk.create_branch(new_branch(MAIN, 1).name(longest.clone())).await.unwrap();
    assert_eq!(branch.name, longest);
    let before = (talk.thread().await, talk.branches().await);
    for bad in [longest + "x", "a\0b".to_owned()] {
        let refused = talk.create_branch(new_branch(MAIN, 1).name(bad.clone())).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "name");
        let rename = BranchRename::new(bad, at(2));
        let scope = &talk.tenant.scope;
        let refused = branching(&fixture.repo).rename_branch(scope, talk.id, branch.id, rename).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "name");
    }
    let rename = BranchRename::new("main", at(2));
    let refused = branching(&fixture.repo).rename_branch(&talk.tenant.scope, talk.id, MAIN, rename).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "branch");
    assert_eq!((talk.thread().await, talk.branches().await), before);
}

/// The active branch is kept with the thread; one that is not there is not found.
pub(crate) async fn the_active_branch_is_kept_with_the_thread(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let branch = talk.branch(MAIN, 1).await;
    assert_eq!(talk.thread().await.active_branch, MAIN);
    let switch = ThreadUpdate::new(at(1)).active_branch(branch);
    let switched = talk.update(switch.clone()).await.unwrap();
    assert_eq!((switched.active_branch, talk.thread().await), (branch, switched.clone()));
    assert_eq!(talk.update(switch).await.unwrap(), switched, "again");
    let absent = ThreadUpdate::new(at(9)).name("named").active_branch(BranchId::new(7));
    assert_refused!(talk.update(absent).await, StoreError::NotFound { entity: Entity::Branch, .. });
    assert_eq!(talk.thread().await, switched);
    let back = talk.update(ThreadUpdate::new(at(1)).active_branch(MAIN)).await.unwrap();
    assert_eq!(back.active_branch, MAIN);
}

/// A chain of branches as deep as it may be is read like any other; one deeper, and one branch more, are refused.
pub(crate) async fn branches_are_as_many_and_as_deep_as_they_may_be(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let (mut last, mut through) = (MAIN, 1);
    for number in 1..1_000 {
        last = talk.branch(last, through).await;
        // Some have messages, and some have none.
        if number % 100 == 0 {
            through = talk.say_on(last, numbered(1)).await[0].position.get();
        }
    }
    assert_eq!(talk.shown(last).await.len(), 10);
    assert_eq!(talk.branches().await.len(), 1_000);
    let new = NewBranch::new(request_id(), BranchPoint::new(MAIN, Position::ZERO), at(1));
    assert_refused!(talk.create_branch(new).await, StoreError::TooLarge { limit: 1_000, actual: 1_001, .. });
}
