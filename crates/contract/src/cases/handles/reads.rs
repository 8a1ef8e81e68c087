//! What one handle writes, the other reads.

use chatkeep_domain::{MessageQuery, SearchQuery, StoreError, ThreadQuery, ThreadUpdate};

use crate::fixture::{Fixture, at, message, numbered, texts};

/// A read through one handle shows every append that the other one acknowledged, also where the same was read before.
pub(crate) async fn what_one_handle_appends_the_other_reads(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let newest = MessageQuery::newest(2);
    for round in 1..=3 {
        let said = there.say(numbered(2)).await;
        assert_eq!(here.all().await.len(), 2 * round, "round {round}");
        assert_eq!(here.get(said[0].id).await.unwrap(), said[0]);
        assert_eq!(here.read(&newest).await, [said[1].clone(), said[0].clone()]);
        assert_eq!(here.thread().await, there.thread().await);
    }
}

/// An edit through one handle is what the other reads next: the message, the list and the revisions.
pub(crate) async fn an_edit_through_the_other_handle_is_read(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let id = here.say([message("first")]).await[0].id;
    assert_eq!(texts(&here.all().await), ["first"]);
    let edited = there.edit(id, "second", at(2)).await.unwrap();
    assert_eq!(here.get(id).await.unwrap(), edited);
    assert_eq!(texts(&here.all().await), ["second"]);
    assert_eq!(here.revisions(id).await.unwrap(), there.revisions(id).await.unwrap());
}

/// What one handle deletes, the other has no more: a message, all messages, the thread.
pub(crate) async fn what_the_other_handle_deletes_is_gone(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let said = here.say(numbered(3)).await;
    assert_eq!(here.get(said[0].id).await.unwrap(), said[0]);
    there.delete_message(said[0].id, at(2)).await.unwrap();
    assert_refused!(here.get(said[0].id).await, StoreError::NotFound { .. });
    assert_eq!(texts(&here.all().await), ["1", "2"]);
    assert_eq!(there.clear(at(3)).await.unwrap(), 2);
    assert_eq!(here.all().await, []);
    assert_eq!(here.thread().await.head, said[2].position);
    there.delete().await.unwrap();
    assert_refused!(here.page(&MessageQuery::default()).await, StoreError::NotFound { .. });
}

/// A rename and a write through one handle show in the other's list of threads, in its order too.
pub(crate) async fn an_update_through_the_other_handle_is_listed(fixture: Fixture) {
    let ada = fixture.tenant();
    let (first, second) = (ada.talk().await, ada.talk().await);
    first.say([message("x")]).await;
    assert_eq!(ada.list_ids(&ada.scope).await, [first.id, second.id]);
    let there = ada.through(&fixture.other);
    let update = ThreadUpdate::new(at(9)).name("renamed");
    there.repo.update_thread(&ada.scope, second.id, update).await.unwrap();
    let listed = ada.list(&ThreadQuery::default()).await.unwrap().items;
    let listed: Vec<_> = listed.iter().map(|thread| (thread.id, thread.name.as_str())).collect();
    assert_eq!(listed, [(second.id, "renamed"), (first.id, "a thread")]);
}

/// A search through one handle finds what the other appended, and no more what it edited away or deleted.
pub(crate) async fn what_one_handle_writes_the_other_finds(fixture: Fixture) {
    let ada = fixture.tenant();
    let here = ada.talk().await;
    let there = here.through(&fixture.other);
    let found = async |text: &str| ada.hits(&SearchQuery::new(text)).await.len();
    assert_eq!(found("monad").await, 0);
    let said = there.say([message("a monad"), message("another monad")]).await;
    assert_eq!(found("monad").await, 2);
    there.edit(said[0].id, "a burrito", at(2)).await.unwrap();
    assert_eq!((found("monad").await, found("burrito").await), (1, 1));
    there.delete_message(said[1].id, at(3)).await.unwrap();
    assert_eq!(found("monad").await, 0);
}
