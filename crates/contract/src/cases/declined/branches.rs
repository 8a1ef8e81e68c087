//! What a store without branches answers. Its case takes the place of those about branches.

use chatkeep_domain::{
    Append, BranchId, Entity, MessageQuery, SearchQuery, StoreError, ThreadQuery, ThreadUpdate, next_message,
};

use crate::fixture::{Fixture, Talk, answers_to_each, at, numbered};

/// A store that declines branches has none to hand out: any but the main one is not found, and nothing is written.
pub(crate) async fn branches_are_declined(fixture: Fixture) {
    assert!(fixture.repo.branches().is_none(), "{} declines branches", fixture.repo.name());
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    let other = BranchId::new(1);
    let absent = |error: StoreError| match error {
        StoreError::NotFound { entity: Entity::Branch, id, .. } => assert_eq!(id, "1"),
        other => panic!("the branch is not there, and not {other:?}"),
    };
    let append = Append::new(numbered(1)).branch(other);
    absent(talk.append(append.clone()).await.unwrap_err());
    absent(answers_to_each(&fixture.repo, [talk.appending(append)]).await.remove(0).unwrap_err());
    let query = MessageQuery::newest(5).branch(other);
    absent(talk.page(&query).await.unwrap_err());
    absent(talk.page_unless(&query, before.0.version).await.unwrap_err());
    absent(next_message(&mut talk.stream(&query)).await.expect("an error").unwrap_err());
    absent(talk.update(ThreadUpdate::new(at(9)).active_branch(other)).await.unwrap_err());
    if fixture.repo.search().is_some() {
        absent(talk.tenant.search(&SearchQuery::new("").thread(talk.id).branch(other)).await.unwrap_err());
    }
    // The main one is there, by its number too.
    let main = MessageQuery::first(5).branch(BranchId::MAIN);
    assert_eq!(talk.page(&main).await.unwrap().items, before.1);
    assert_eq!(talk.tenant.list(&ThreadQuery::default().forked_from(talk.id)).await.unwrap().items, []);
    assert_eq!(talk.snapshot().await, before);
}
