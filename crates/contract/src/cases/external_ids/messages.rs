//! External ids of messages.

use chatkeep_domain::{
    Append, ExternalId, MessageId, MessageQuery, NewMessage, Role, SearchQuery, StoreError,
};

use crate::cases::external_ids::threads::external;
use crate::fixture::{Fixture, Talk, append_each, at, message, numbered, say_each, texts};

fn of_external(text: &str) -> NewMessage {
    NewMessage::of_external(external(text), Role::User, format!("by {text}"), at(1))
}

/// Appending, reading, listing, streaming and editing give a message with its external id, or without where it has none:
/// of an append of one message and of many.
pub(crate) async fn the_external_id_of_a_message_comes_back_everywhere(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let one = talk.say([of_external("m-1")]).await;
    let many = talk.say([message("without"), of_external("m-2"), of_external("m-3")]).await;
    let all = [one, many].concat();
    let expected = [Some("m-1"), None, Some("m-2"), Some("m-3")];
    assert_eq!(
        all.iter().map(|one| one.external_id.as_ref().map(ExternalId::as_str)).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(talk.all().await, all, "a list");
    assert_eq!(talk.streamed(&MessageQuery::default()).await, all, "a stream");
    for message in &all {
        assert_eq!(talk.get(message.id).await.unwrap(), *message, "what is read");
    }
    let edited = talk.edit(all[0].id, "edited", at(2)).await.unwrap();
    assert_eq!(edited.external_id, Some(external("m-1")), "what an edit gives");
    assert_eq!(talk.get(edited.id).await.unwrap(), edited);
}

/// A search gives its hits with their external ids.
pub(crate) async fn a_search_gives_the_external_id_of_a_message(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let said = talk.say([of_external("m-1"), message("by nobody")]).await;
    for query in [SearchQuery::new("by"), SearchQuery::new("").thread(talk.id)] {
        let hits = talk.tenant.hits(&query).await;
        assert_eq!(hits.into_iter().rev().map(|hit| hit.message).collect::<Vec<_>>(), said);
    }
}

/// Whoever knows the external id knows the id.
pub(crate) async fn a_message_is_found_through_its_external_id(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let said = talk.say([of_external("m-1"), of_external("m-2")]).await;
    assert_eq!(talk.get(MessageId::of_external(&external("m-2"))).await.unwrap(), said[1]);
    let absent = talk.get(MessageId::of_external(&external("m-3"))).await;
    assert_refused!(absent, StoreError::NotFound { .. });
}

/// A message that comes again with its external id is not stored again; also where its content is another by now.
pub(crate) async fn appending_again_by_an_external_id_stores_once(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let said = talk.say([of_external("m-1"), of_external("m-2")]).await;
    assert_eq!(talk.say([of_external("m-2")]).await, said[1..], "one alone");
    let more = talk.say([of_external("m-1"), of_external("m-3"), of_external("m-2")]).await;
    assert_eq!((&more[0], &more[2]), (&said[0], &said[1]), "among others");
    // By the id alone too.
    let by_id = with!(message("again"), id: said[0].id);
    assert_eq!(talk.say([by_id]).await, said[..1]);
    assert_eq!(texts(&talk.all().await), ["by m-1", "by m-2", "by m-3"]);
}

/// A message has the external id that it was appended with: another one with its id is refused, and nothing of the
/// append is written.
pub(crate) async fn another_external_id_of_a_message_is_refused(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let said = talk.say([of_external("m-1"), message("without")]).await;
    let before = talk.snapshot().await;
    for held in &said {
        for other in ["m-9", "M-1"] {
            let bad = with!(of_external(other), id: held.id);
            for batch in [vec![bad.clone()], vec![message("new"), bad.clone(), message("new")]] {
                let refused = talk.append(Append::new(batch)).await;
                assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "external_id");
            }
            let head = before.0.head;
            let retry = talk.append(Append::new([bad]).expect_head(head.advance(5).unwrap())).await;
            assert_refused!(retry, StoreError::InvalidArgument(error) if error.field == "external_id");
        }
    }
    assert_eq!(talk.snapshot().await, before);
}

/// One external id may be in several threads, with a message of its own in each.
pub(crate) async fn one_external_id_may_be_in_several_threads(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, other) = (ada.talk().await, ada.talk().await);
    let first = one.say([of_external("m-1")]).await;
    let second = other.say(numbered(2).into_iter().chain([of_external("m-1")])).await;
    assert_eq!(first[0].id, second[2].id);
    other.edit(second[2].id, "edited", at(2)).await.unwrap();
    assert_eq!(one.all().await, first);
}

/// An external id of 255 bytes comes back byte by byte.
pub(crate) async fn an_external_id_of_a_message_has_exact_limits(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let ids = ["x", "X", " Ünïcode / ? ", &("é".repeat(127) + "x"), "e\u{301}", "é"];
    let said = talk.say(ids.map(of_external)).await;
    let told: Vec<_> =
        said.iter().filter_map(|one| one.external_id.as_ref()).map(ExternalId::as_str).collect();
    assert_eq!(told, ids);
    assert_eq!(talk.all().await, said);
}

/// The appends of a call keep their external ids; one that is refused takes nothing from the others.
pub(crate) async fn appends_of_a_call_keep_their_external_ids(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, other) = (ada.talk().await, ada.talk().await);
    let append = |talk: &Talk, messages: Vec<NewMessage>| talk.appending(Append::new(messages));
    let said = say_each(
        &fixture.repo,
        [
            append(&one, vec![of_external("m-1"), message("without")]),
            append(&other, vec![of_external("m-1")]),
        ],
    )
    .await;
    assert_eq!((one.all().await, other.all().await), (said[0].clone(), said[1].clone()));
    let bad = with!(of_external("m-9"), id: said[0][0].id);
    let call = [append(&one, vec![bad]), append(&other, vec![of_external("m-2")])];
    let mut answers = append_each(&fixture.repo, call).await;
    assert_eq!(answers.remove(1).unwrap(), other.all().await[1..]);
    assert_refused!(answers.remove(0), StoreError::InvalidArgument(error) if error.field == "external_id");
}
