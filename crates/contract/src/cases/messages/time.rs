//! Times: UTC, to the microsecond, as they were given.

use chatkeep_domain::{
    Append, MessageEdit, MessageFilter, MessageQuery, NewMessage, NewThread, Role, StoreError, ThreadQuery,
    ThreadUpdate, Timestamp, to_micros,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::fixture::{Fixture, Repo, Talk, Tenant, at, message, message_id, numbered};

fn moment(text: &str) -> Timestamp {
    let moment = DateTime::parse_from_rfc3339(text).expect("a moment");
    moment.with_timezone(&Utc)
}

/// Stores a thread and a message of this moment, and reads them back in every way there is.
async fn round_trip(repo: &Repo, moment: Timestamp) {
    let ada = Tenant::new(repo);
    let new = with!(ada.new_thread(), created_at: moment);
    let talk = ada.talk_from(new).await;
    let thread = talk.thread().await;
    assert_eq!((thread.created_at, thread.updated_at), (moment, moment), "the thread");
    let listed = ada.list(&ThreadQuery::default()).await.unwrap().items;
    assert_eq!(listed, [thread], "the list of threads");

    let mut new = message("dated");
    new.created_at = moment;
    let stored = talk.say([new]).await;
    assert_eq!((stored[0].created_at, stored[0].updated_at), (moment, moment), "the message");
    assert_eq!(talk.get(stored[0].id).await.unwrap(), stored[0], "read alone");
    assert_eq!(talk.all().await, stored, "listed");
    assert_eq!(
        talk.read(&MessageQuery::default().filter(MessageFilter::new().created(moment, None))).await,
        stored,
        "from it"
    );
    assert_eq!(
        talk.read(&MessageQuery::default().filter(MessageFilter::new().created(None, moment))).await,
        [],
        "until it"
    );
}

/// A time comes back equal to the microsecond.
pub(crate) async fn times_come_back_to_the_microsecond(fixture: Fixture) {
    for text in [
        "2024-02-29T23:59:59.999999Z",
        "2024-01-01T00:00:00.000001Z",
        "2024-01-01T00:00:00.100000Z",
        "2024-06-01T12:34:56.123456Z",
        "2024-06-01T12:34:56Z",
        "2016-12-31T23:59:59.999999Z",
    ] {
        round_trip(&fixture.repo, moment(text)).await;
    }
}

/// Times before 1970, and at the ends of the years 1 and 9999, come back equal.
pub(crate) async fn the_first_and_the_last_moments_come_back(fixture: Fixture) {
    for text in [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00.000001Z",
        "1582-10-10T00:00:00Z",
        "1899-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2038-01-19T03:14:08Z",
        "9999-12-31T23:59:59.999999Z",
    ] {
        round_trip(&fixture.repo, moment(text)).await;
    }
}

/// Moments around clock changes come back equal: those that a time zone counts twice, and those whose local hour was
/// left out. A store gets UTC alone, for that is what [`Timestamp`] holds: the offsets tell where the moments are from.
pub(crate) async fn offsets_and_clock_changes_keep_the_moment(fixture: Fixture) {
    for (given, utc) in [
        ("2024-03-31T02:30:00.5+01:00", "2024-03-31T01:30:00.5Z"),
        ("2024-10-27T02:30:00+02:00", "2024-10-27T00:30:00Z"),
        ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00Z"),
        ("2024-03-10T02:30:00-05:00", "2024-03-10T07:30:00Z"),
        ("2024-01-01T05:45:00+05:45", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00-12:00", "2024-01-01T12:00:00Z"),
    ] {
        assert_eq!(moment(given), moment(utc));
        round_trip(&fixture.repo, moment(given)).await;
    }
}

/// The constructors cut a time to microseconds, and it comes back as they cut it.
pub(crate) async fn constructors_cut_to_microseconds(fixture: Fixture) {
    let ada = fixture.tenant();
    let fine = at(5) + TimeDelta::nanoseconds(999);
    let new = NewThread::new(ada.new_thread().id, ada.org.clone(), ada.user.clone(), "fine", fine);
    let talk = ada.talk_from(new).await;
    assert_eq!(talk.thread().await.created_at, at(5));
    let said = talk.say([NewMessage::new(message_id(), Role::User, "fine", fine)]).await;
    assert_eq!(talk.get(said[0].id).await.unwrap().created_at, at(5));
    let edited = talk.edit(said[0].id, "edited", fine + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(edited.updated_at, at(6));
    let update = ThreadUpdate::new(fine + TimeDelta::seconds(2));
    let updated = fixture.repo.update_thread(&ada.scope, talk.id, update).await.unwrap();
    assert_eq!(updated.updated_at, at(7));
    assert_eq!(talk.thread().await.updated_at, to_micros(updated.updated_at));
}

/// A time that a store could not keep is refused, finer than a microsecond or out of range, and nothing is written.
pub(crate) async fn times_that_cannot_be_kept_are_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 1).await;
    let before = talk.snapshot().await;
    let last = moment("9999-12-31T23:59:59.999999Z");
    let first = moment("0001-01-01T00:00:00Z");
    let micro = TimeDelta::microseconds(1);
    for bad in [at(1) + TimeDelta::nanoseconds(1), last + micro, first - micro, Timestamp::MAX_UTC] {
        let new = with!(ada.new_thread(), created_at: bad);
        assert_refused!(ada.create(new).await, StoreError::InvalidArgument(error) if error.field == "created_at");
        let mut batch = numbered(2);
        batch[1].created_at = bad;
        let refused = talk.append(Append::new(batch)).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "created_at");
        let update = with!(ThreadUpdate::new(at(9)).name("x"), at: bad);
        let refused = fixture.repo.update_thread(&ada.scope, talk.id, update).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "at");
        let edit = with!(MessageEdit::new("x", at(9)), at: bad);
        let refused = fixture.repo.edit_message(&ada.scope, talk.id, said[0].id, edit).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "at");
        let query = with!(MessageQuery::default(), filter.created.from: Some(bad));
        let refused = talk.page(&query).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "created.from");
    }
    assert_eq!(talk.snapshot().await, before);
    assert_eq!(ada.list_ids(&ada.scope).await, [talk.id]);
}

/// The list of threads pages over the first and the last moments, and over those a microsecond apart.
pub(crate) async fn threads_of_every_time_are_listed_in_order(fixture: Fixture) {
    let ada = fixture.tenant();
    let ordered = [
        "9999-12-31T23:59:59.999999Z",
        "2024-01-01T00:00:00.000002Z",
        "2024-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
    ]
    .map(moment);
    for created_at in [3, 0, 4, 1, 2].map(|index: usize| ordered[index]) {
        let new = with!(ada.new_thread(), created_at);
        ada.create(new).await.unwrap();
    }
    let mut query = ThreadQuery::first(1);
    for expected in ordered {
        let page = ada.list(&query).await.unwrap();
        assert_eq!(page.items[0].updated_at, expected);
        if let Some(next) = page.next {
            query = query.behind(next);
        } else {
            assert_eq!(expected, ordered[4], "the end of the list");
        }
    }
}
