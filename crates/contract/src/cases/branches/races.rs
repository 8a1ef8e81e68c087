//! Branches at the same time.

use std::collections::BTreeSet;

use chatkeep_domain::{Append, BranchId, Entity, StoreError, ThreadQuery};

use crate::cases::races::racing::{ROUNDS, race, signed};
use crate::fixture::branches::new_branch;
use crate::fixture::{Fixture, Talk, positions};

const MAIN: BranchId = BranchId::MAIN;

/// Creating by one request at the same time, through two handles, makes one branch.
pub(crate) async fn creating_at_the_same_time_makes_one_branch(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    for round in 0..ROUNDS {
        let new = new_branch(MAIN, 1);
        let creator = |number: usize| {
            let talk = if number == 0 { talk.through(&fixture.other) } else { talk.clone() };
            let new = new.clone();
            async move { talk.create_branch(new).await.expect("a branch") }
        };
        let made = race((0..3).map(creator).collect()).await;
        assert!(made.iter().all(|branch| *branch == made[0]), "{made:?}");
        assert_eq!(talk.branches().await.len(), round + 2);
    }
}

/// Of appends at one head of a branch, exactly one wins.
pub(crate) async fn one_of_many_appends_at_a_head_of_a_branch_wins(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let branch = talk.branch(MAIN, 1).await;
    for round in 0..ROUNDS {
        let head = talk.stored_branch(branch).await.head;
        let racer = |writer: usize| {
            let talk = if writer == 0 { talk.through(&fixture.other) } else { talk.clone() };
            let append = Append::new(signed(writer, 0..2)).branch(branch).expect_head(head);
            async move { talk.append(append).await }
        };
        let answers = race((0..3).map(racer).collect()).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "winners of round {round}");
        for answer in answers {
            match answer {
                Ok(appended) => assert_eq!(talk.stored_branch(branch).await.head, appended.head),
                Err(StoreError::Conflict { expected, actual, .. }) => {
                    assert!(
                        expected == head.get() && actual > expected,
                        "told {actual}, expected {expected}"
                    );
                }
                Err(other) => panic!("a lost race is a Conflict, not {other:?}"),
            }
        }
        assert_eq!(talk.shown(branch).await.len(), 2 * round + 3);
    }
}

/// Writers of different branches lose and double nothing: no position is given twice, and each branch keeps its order.
pub(crate) async fn writers_of_different_branches_lose_and_double_nothing(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let mut branches = vec![MAIN];
    for _ in 0..3 {
        branches.push(talk.branch(MAIN, 1).await);
    }
    let writer = |writer: usize| {
        let talk = if writer.is_multiple_of(2) { talk.through(&fixture.other) } else { talk.clone() };
        let branch = branches[writer % 4];
        async move {
            let mut given = Vec::new();
            for number in 0..10 {
                given.extend(positions(
                    &talk.say_on(branch, signed(writer, [2 * number, 2 * number + 1])).await,
                ));
            }
            given
        }
    };
    let given = race((0..8).map(writer).collect()).await;
    let distinct: BTreeSet<_> = given.iter().flatten().copied().collect();
    assert_eq!(distinct, (2..=161).collect());
    for (number, branch) in branches.iter().enumerate() {
        let mut expected = [given[number].clone(), given[number + 4].clone()].concat();
        expected.sort_unstable();
        assert_eq!(positions(&talk.shown(*branch).await)[1..], expected, "on {branch}");
    }
}

/// A branch that is deleted while others write to it takes with it what was written before, and nothing is written afterwards.
pub(crate) async fn a_branch_that_is_deleted_under_load_leaves_nothing(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    for _ in 0..ROUNDS {
        let branch = talk.branch(MAIN, 1).await;
        let racer = |number: usize| {
            let talk = if number == 1 { talk.through(&fixture.other) } else { talk.clone() };
            async move {
                if number == 0 {
                    return talk.delete_branch(branch).await.map(drop);
                }
                for _ in 0..3 {
                    talk.append(Append::new(signed(number, [0])).branch(branch)).await?;
                }
                Ok(())
            }
        };
        for answer in race((0..3).map(racer).collect()).await {
            match answer {
                Ok(()) | Err(StoreError::NotFound { entity: Entity::Branch, .. }) => {}
                Err(other) => panic!("the branch is there or not, and not {other:?}"),
            }
        }
        let listed = talk.tenant.list(&ThreadQuery::default().with_preview()).await.unwrap().items;
        assert_eq!(listed[0].preview.as_ref().expect("a preview").message_count, 1);
        assert_eq!(talk.branches().await.len(), 1);
    }
}
