//! A search sees every write at once, also while others write.

use chatkeep_domain::{Append, MAX_PAGE_LEN, Position, SearchOrder, SearchQuery, StoreError, ThreadUpdate};

use crate::fixture::search::said;
use crate::fixture::{Fixture, append_each, at, ids, message, message_id};

/// Every message of a batch of 1,000 is found as soon as the append returns.
pub(crate) async fn a_batch_is_found_as_soon_as_it_is_stored(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let stored = talk.say((0..1_000).map(|number| message(format!("common word{number}")))).await;
    let query = SearchQuery::new("common").order(SearchOrder::Oldest).limit(MAX_PAGE_LEN);
    let found: Vec<_> = ada.hits(&query).await.iter().map(|hit| hit.message.id).collect();
    assert!(found == ids(&stored), "{} of 1,000 are found, in order", found.len());
    for number in [0, 499, 999] {
        let (word, text) = (format!("word{number}"), format!("common word{number}"));
        assert_eq!(ada.found_by(&word).await, text);
    }
}

/// An append of several batches in a row is found after each of them.
pub(crate) async fn each_append_is_found_before_the_next(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    for number in 0..20_usize {
        talk.say([message(format!("x {number}"))]).await;
        assert_eq!(ada.hits(&SearchQuery::new("x")).await.len(), number + 1);
        assert_eq!(ada.found(&SearchQuery::new("x").limit(1)).await, format!("x {number}"));
    }
}

/// What one call appends to several threads is found as soon as it returns; what it refuses is not.
pub(crate) async fn what_is_appended_together_is_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, two) = (ada.talk().await, ada.says(["first"]).await);
    let (new, late) = (message("x 1"), Append::new(["x 4"].map(message)).expect_head(Position::ZERO));
    let appends = [
        one.appending(Append::new([new.clone(), message("x 2")])),
        two.appending(late),
        two.appending(Append::new(["x 3"].map(message))),
        one.appending(Append::new([new, message("x 5")])),
    ];
    let refused = append_each(&fixture.repo, appends).await.remove(1);
    assert_refused!(refused, StoreError::Conflict { .. });
    for (talk, expected) in [(&one, "x 1 / x 2 / x 5"), (&two, "x 3")] {
        assert_eq!(
            ada.found(&SearchQuery::new("x").thread(talk.id).order(SearchOrder::Oldest)).await,
            expected
        );
    }
    ada.assert_finds(&[("x -2", "x 1 / x 5 / x 3"), ("4", ""), ("\"x 3\"", "x 3")]).await;
}

/// A retry of an append is found once.
pub(crate) async fn a_retry_of_an_append_is_found_once(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let append = Append::new(["x 1", "x 2"].map(message));
    for _ in 0..3 {
        talk.append(append.clone()).await.unwrap();
    }
    let mut other = append.messages[0].clone();
    other.content = "y, which is not stored".into();
    talk.append(Append::new([other, message("x 3")])).await.unwrap();
    ada.assert_finds(&[("x", "x 1 / x 2 / x 3"), ("", "x 1 / x 2 / x 3"), ("y", "")]).await;
}

/// An append that is refused leaves nothing to be found.
pub(crate) async fn a_refused_append_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["first"]).await;
    let id = message_id();
    let twice = ["x 1", "x 2"].map(|text| with!(message(text), id));
    assert_refused!(talk.append(Append::new(twice)).await, StoreError::InvalidArgument(_));
    let late = Append::new(["x 3"].map(message)).expect_head(Position::ZERO);
    assert_refused!(talk.append(late).await, StoreError::Conflict { .. });
    ada.assert_finds(&[("x", ""), ("", "first")]).await;
}

/// After an edit the new text is found and the old one is not, in every part of a query.
pub(crate) async fn an_edit_is_found_at_once(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["old kept words", "other"]).await;
    let first = talk.all().await[0].id;
    talk.edit(first, "new kept sentence", at(2)).await.unwrap();
    let edited = "new kept sentence";
    ada.assert_finds(&[
        ("old", ""),
        ("words", ""),
        ("new", edited),
        ("kept", edited),
        ("\"new kept\"", edited),
        ("\"old kept\"", ""),
        ("kept -old", edited),
        ("ol*", ""),
        ("other", "other"),
    ])
    .await;
    talk.edit(first, "old kept words", at(3)).await.unwrap();
    ada.assert_finds(&[("old", "old kept words"), ("new", "")]).await;
    talk.edit(first, "", at(4)).await.unwrap();
    ada.assert_finds(&[("old", ""), ("kept", ""), ("", " / other")]).await;
}

/// A deleted message is not found any more, nor counted.
pub(crate) async fn a_deleted_message_is_found_no_more(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["x 1", "x 2", "x 3"]).await;
    let all = talk.all().await;
    talk.delete_message(all[2].id, at(2)).await.unwrap();
    ada.assert_finds(&[("x", "x 1 / x 2"), ("3", ""), ("", "x 1 / x 2")]).await;
    let page = ada.search(&SearchQuery::new("x").limit(2)).await.unwrap();
    assert_eq!((said(&page.items), page.next), (vec!["x 2", "x 1"], None));
    let again = with!(message("y again"), id: all[2].id);
    talk.say([again]).await;
    ada.assert_finds(&[("3", ""), ("again", "y again")]).await;
}

/// The messages of a cleared thread are found no more; those that follow are.
pub(crate) async fn a_cleared_thread_is_found_no_more(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says((0..30).map(|number| format!("x {number}"))).await;
    let other = ada.says(["x other"]).await;
    talk.clear(at(2)).await.unwrap();
    ada.assert_finds(&[("x", "x other"), ("7", ""), ("", "x other")]).await;
    assert_eq!(ada.found(&SearchQuery::new("x").thread(talk.id)).await, "");
    talk.say([message("x new")]).await;
    assert_eq!(ada.found(&SearchQuery::new("x").thread(talk.id)).await, "x new");
    assert_eq!(ada.found(&SearchQuery::new("x").thread(other.id)).await, "x other");
}

/// The messages of a deleted thread are found no more, and none of them in a new thread of the same id.
pub(crate) async fn a_deleted_thread_is_found_no_more(fixture: Fixture) {
    let ada = fixture.tenant();
    let new = ada.new_thread();
    let talk = ada.talk_from(new.clone()).await;
    let old = talk.say(["x 1", "x 2"].map(message)).await;
    ada.says(["x other"]).await;
    talk.delete().await.unwrap();
    ada.assert_finds(&[("x", "x other"), ("", "x other")]).await;
    let refused = ada.search(&SearchQuery::new("x").thread(talk.id)).await;
    assert_refused!(refused, StoreError::NotFound { .. });
    let again = ada.talk_from(with!(new, name: "again".to_owned())).await;
    ada.assert_finds(&[("x", "x other"), ("", "x other")]).await;
    again.say([with!(message("x new"), id: old[0].id)]).await;
    assert_eq!(ada.found(&SearchQuery::new("x").thread(again.id)).await, "x new");
    ada.assert_finds(&[("1", ""), ("2", "")]).await;
}

/// A hit shows the name that its thread has now.
pub(crate) async fn a_rename_shows_in_the_hits(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["x"]).await;
    let other = ada.says(["x"]).await;
    for name in ["renamed", "renamed again"] {
        let update = ThreadUpdate::new(at(2)).name(name);
        fixture.repo.update_thread(&ada.scope, talk.id, update).await.unwrap();
        let hits = ada.hits(&SearchQuery::new("x")).await;
        assert_eq!(hits.len(), 2);
        for hit in hits {
            let is_renamed = hit.message.chat_thread_id == talk.id;
            assert_eq!(hit.thread_name, if is_renamed { name } else { "a thread" });
        }
    }
    assert_eq!(other.thread().await.name, "a thread");
    ada.assert_finds(&[("renamed", "")]).await;
}
