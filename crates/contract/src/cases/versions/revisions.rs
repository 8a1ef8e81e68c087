//! The revisions of messages.

use chatkeep_domain::{MessageQuery, Page};

use crate::fixture::{Fixture, Talk, at, message};

/// A message begins at revision 1, and each edit that changes it adds 1.
pub(crate) async fn a_message_counts_its_contents(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    assert_eq!((said[0].revision, said[1].revision), (1, 1));
    for (seconds, text, revision) in
        [(2, "a", 2), (3, "b", 3), (3, "b", 3), (9, "b", 3), (2, "a", 3), (4, "a", 4)]
    {
        let edited = talk.edit(said[0].id, text, at(seconds)).await.unwrap();
        assert_eq!(edited.revision, revision, "{text:?} at {seconds}");
        assert_eq!(talk.get(said[0].id).await.unwrap().revision, revision);
    }
    assert_eq!(talk.get(said[1].id).await.unwrap().revision, 1, "of the other message");
}

/// Every way to read a message gives its revision.
pub(crate) async fn every_read_has_the_revision(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let new = message("first");
    let id = talk.say([new.clone()]).await[0].id;
    talk.edit(id, "second", at(2)).await.unwrap();
    let stored = [talk.get(id).await.unwrap()];
    assert_eq!(stored[0].revision, 2);
    let Page { items, .. } = talk.page(&MessageQuery::newest(5)).await.unwrap();
    assert_eq!(items, stored, "a list");
    assert_eq!(talk.streamed(&MessageQuery::default()).await, stored, "a stream");
    assert_eq!(talk.say([new]).await, stored, "a retry of the append");
}

/// An earlier content has the number that the message had with it.
pub(crate) async fn a_revision_has_the_number_that_its_message_had(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    for number in 2..5 {
        talk.edit(said[0].id, number.to_string(), at(number)).await.unwrap();
    }
    let earlier = talk.revisions(said[0].id).await.unwrap();
    let told: Vec<_> =
        earlier.iter().map(|one| (one.revision, one.content.as_text().unwrap_or_default())).collect();
    assert_eq!(told, [(1, "0"), (2, "2"), (3, "3")]);
    assert_eq!(talk.get(said[0].id).await.unwrap().revision, 4);
}

/// A message that is appended with an id that was deleted begins at revision 1.
pub(crate) async fn a_deleted_id_counts_anew(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let new = message("first");
    talk.say([new.clone()]).await;
    talk.edit(new.id, "second", at(2)).await.unwrap();
    talk.delete_message(new.id, at(3)).await.unwrap();
    assert_eq!(talk.say([new.clone()]).await[0].revision, 1);
    assert_eq!(talk.revisions(new.id).await.unwrap(), []);
}
