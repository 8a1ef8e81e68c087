//! Branches of threads outside the scope.

use chatkeep_domain::{BranchId, BranchPoint, BranchRename, Entity, Fork, Removal, Scope, StoreError};

use crate::fixture::branches::{branching, new_branch, position};
use crate::fixture::{Fixture, Talk, at, message, thread_id};

/// A thread of another user, or of another organization, is not found by any call about branches, as one that is not there; and
/// nothing of it changes. The organization and the operator reach it.
pub(crate) async fn branches_of_others_are_not_found(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let branch = talk.branch(BranchId::MAIN, 2).await;
    talk.say_on(branch, [message("a")]).await;
    let before = (talk.thread().await, talk.branches().await, talk.shown(branch).await);
    let (bob, stranger) = (talk.tenant.colleague(), fixture.tenant());
    let branches = branching(&fixture.repo);
    for (other, id) in [(&bob, talk.id), (&stranger, talk.id), (&talk.tenant, thread_id())] {
        let (scope, removal) = (&other.scope, Removal::new(at(9)));
        let fork = Fork::new(other.new_thread(), BranchPoint::new(BranchId::MAIN, position(1)));
        let rename = BranchRename::new("theirs", at(9));
        let answers = [
            branches.create_branch(scope, id, new_branch(BranchId::MAIN, 1)).await.map(drop),
            branches.list_branches(scope, id).await.map(drop),
            branches.rename_branch(scope, id, branch, rename).await.map(drop),
            branches.truncate_branch(scope, id, branch, position(2), removal).await.map(drop),
            branches.delete_branch(scope, id, branch, removal).await.map(drop),
            branches.fork_thread(scope, id, fork).await.map(drop),
        ];
        for (number, answer) in answers.into_iter().enumerate() {
            let told = id.to_string();
            assert_refused!(answer, StoreError::NotFound { entity: Entity::Thread, id, .. } if id == told, "call {number}");
        }
    }
    assert_eq!((talk.thread().await, talk.branches().await, talk.shown(branch).await), before);
    for scope in [talk.tenant.org_scope(), Scope::operator()] {
        assert_eq!(branches.list_branches(&scope, talk.id).await.unwrap(), before.1);
        let made = branches.create_branch(&scope, talk.id, new_branch(branch, 1)).await.unwrap();
        assert_eq!(branches.delete_branch(&scope, talk.id, made.id, Removal::new(at(9))).await.unwrap(), 0);
    }
}
