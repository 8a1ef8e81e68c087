//! What adds to a version.

use chatkeep_domain::{Append, Content, MessageEdit, MessageQuery, StoreError, ThreadUpdate, Version};

use crate::fixture::{Fixture, Talk, at, message, message_id, numbered, say_each};

/// A version to begin at.
pub(crate) fn version(number: i64) -> Version {
    Version::new(number).expect("a version")
}

/// A new thread begins at the version that it is given, up to the greatest number below 2^52.
pub(crate) async fn a_thread_begins_at_the_version_that_it_is_given(fixture: Fixture) {
    let ada = fixture.tenant();
    for number in [0, 1, 77, (1 << 52) - 1] {
        let begun = version(number);
        let created = ada.create(ada.new_thread().with_version(begun)).await.unwrap();
        assert_eq!(created.version, begun, "what creating gives");
        let again = ada.new_thread().with_version(version(5));
        let again = ada.create(with!(again, id: created.id)).await.unwrap();
        assert_eq!(again.version, begun, "what creating again gives");
        let talk = Talk::of(&ada, created.id);
        assert_eq!(talk.thread().await.version, begun, "what is read");
        talk.say(numbered(1)).await;
        assert_eq!(talk.thread().await.version, begun.next());
    }
}

/// A thread that is created with an id that was deleted begins at its own version, and not where the other one was.
pub(crate) async fn an_id_that_is_there_again_begins_at_its_own_version(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk_from(ada.new_thread().with_version(version(100))).await;
    talk.say(numbered(3)).await;
    talk.delete().await.unwrap();
    let again = ada.new_thread().with_version(version(7));
    let again = ada.create(with!(again, id: talk.id)).await.unwrap();
    assert_eq!((again.version, talk.thread().await.version), (version(7), version(7)));
}

/// An append, however many messages it has, an edit, a delete, an update and a clear add 1 each.
pub(crate) async fn each_write_adds_one(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 4).await;
    let mut before = talk.thread().await.version;
    for write in ["append", "append many", "edit", "delete", "rename", "re-tag", "touch", "clear"] {
        match write {
            "append" => drop(talk.say(numbered(1)).await),
            "append many" => drop(talk.say(numbered(70)).await),
            "edit" => drop(talk.edit(said[0].id, "edited", at(2)).await.unwrap()),
            "delete" => talk.delete_message(said[1].id, at(2)).await.unwrap(),
            "rename" => drop(talk.update(ThreadUpdate::new(at(0)).name("another")).await.unwrap()),
            "re-tag" => {
                let tags = [("a".to_owned(), 1.into())].into_iter().collect();
                drop(talk.update(ThreadUpdate::new(at(0)).metadata(tags)).await.unwrap());
            }
            "touch" => drop(talk.update(ThreadUpdate::new(at(50))).await.unwrap()),
            _ => drop(talk.clear(at(60)).await.unwrap()),
        }
        let now = talk.thread().await.version;
        assert_eq!(now, before.next(), "{write}");
        before = now;
    }
}

/// A retry, an edit to the same content, an update to what is there, a clear of nothing and a read add nothing.
pub(crate) async fn what_changes_nothing_adds_nothing(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let append = Append::new(numbered(3));
    let said = talk.append(append.clone()).await.unwrap().messages;
    let edit = MessageEdit::new("edited", at(5));
    talk.edit_as(said[0].id, edit.clone()).await.unwrap();
    let metadata = serde_json::from_str(r#"{"a": {"b": [1, 0.5]}}"#).expect("an object");
    let update = ThreadUpdate::new(at(9)).name("named").metadata(metadata);
    let before = talk.update(update.clone()).await.unwrap();

    talk.append(append).await.unwrap();
    talk.append(Append::default()).await.unwrap();
    talk.edit_as(said[0].id, edit).await.unwrap();
    talk.edit(said[0].id, "edited", at(99)).await.unwrap();
    assert_eq!(talk.update(update).await.unwrap(), before, "what an update again gives");
    talk.update(ThreadUpdate::new(at(3)).name("named")).await.unwrap();
    talk.update(ThreadUpdate::new(at(3))).await.unwrap();
    talk.read(&MessageQuery::default()).await;
    talk.get(said[0].id).await.unwrap();
    assert_eq!(talk.thread().await, before);

    talk.clear(at(10)).await.unwrap();
    let cleared = talk.thread().await;
    assert_eq!(talk.clear(at(11)).await.unwrap(), 0);
    assert_eq!(talk.thread().await, cleared);
}

/// A write that is refused adds nothing.
pub(crate) async fn what_is_refused_adds_nothing(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    let too_large = Content::text("x".repeat(chatkeep_domain::MAX_CONTENT_BYTES));
    assert!(talk.append(Append::new([message(too_large.clone())])).await.is_err());
    assert!(
        talk.append(Append::new(numbered(1)).expect_head(before.0.head.advance(1).unwrap())).await.is_err()
    );
    assert!(talk.edit(said[0].id, too_large, at(2)).await.is_err());
    assert!(talk.update(ThreadUpdate::new(at(2)).name("x".repeat(2_000))).await.is_err());
    assert_refused!(talk.delete_message(message_id(), at(2)).await, StoreError::NotFound { .. });
    assert_refused!(talk.edit(message_id(), "edited", at(2)).await, StoreError::NotFound { .. });
    assert_eq!(talk.snapshot().await, before);
}

/// An append of which the thread holds a part adds 1 for the rest.
pub(crate) async fn an_append_held_in_part_adds_one(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut batch = numbered(2);
    talk.say(batch.clone()).await;
    let before = talk.thread().await.version;
    batch.extend(numbered(2));
    let appended = talk.append(Append::new(batch)).await.unwrap();
    assert_eq!(appended.messages.len(), 4);
    assert_eq!((appended.version, talk.thread().await.version), (before.next(), before.next()));
}

/// A call of several appends adds 1 to a thread for each of them that is to it.
pub(crate) async fn a_call_of_appends_adds_one_for_each(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, other, aside) = (ada.talk().await, ada.talk().await, ada.talk().await);
    let begun = [&one, &other, &aside].map(|talk| talk.id);
    let mut before = Vec::new();
    for id in begun {
        before.push(Talk::of(&ada, id).thread().await.version.get());
    }
    let append = |talk: &Talk, count| talk.appending(Append::new(numbered(count)));
    say_each(&fixture.repo, [append(&one, 1), append(&other, 3), append(&one, 2), append(&one, 1)]).await;
    let now =
        [one.thread().await, other.thread().await, aside.thread().await].map(|thread| thread.version.get());
    assert_eq!([now[0] - before[0], now[1] - before[1], now[2] - before[2]], [3, 1, 0]);
}

/// A write to one thread leaves the versions of the others as they are.
pub(crate) async fn a_write_to_one_thread_leaves_the_others(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 2).await;
    let (other, _) = Talk::with(&ada, 2).await;
    let before = other.thread().await;
    talk.edit(said[0].id, "edited", at(2)).await.unwrap();
    talk.delete_message(said[1].id, at(2)).await.unwrap();
    talk.clear(at(3)).await.unwrap();
    assert_eq!(other.thread().await, before);
}
