//! Filters on the list of threads: the times and the metadata, alone and with the name.

use chatkeep_domain::{
    MAX_METADATA_FILTERS, Metadata, StoreError, ThreadId, ThreadQuery, ThreadUpdate, Timestamp,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::fixture::search::tagged;
use crate::fixture::{Fixture, Tenant, at, message};

/// Stores a thread of this name, each a second after the one before, so that the first is listed last.
pub(crate) async fn named(ada: &Tenant, names: &[&str]) -> Vec<ThreadId> {
    let mut ids = Vec::new();
    for (name, second) in names.iter().zip(0..) {
        let new = with!(ada.new_thread(), name: (*name).to_owned(), created_at: at(second));
        ids.push(ada.create(new).await.expect("a thread is created").id);
    }
    ids
}

/// The names of the threads that a query finds, oldest update first.
pub(crate) async fn names(ada: &Tenant, query: &ThreadQuery) -> String {
    let page = ada.list(query).await.unwrap_or_else(|error| panic!("{query:?} is refused: {error}"));
    let names: Vec<_> = page.items.iter().rev().map(|thread| thread.name.as_str()).collect();
    names.join(" / ")
}

fn metadata(value: &Value) -> Metadata {
    value.as_object().cloned().expect("an object")
}

/// Ranges of creation and of update are half-open, to the microsecond.
pub(crate) async fn ranges_of_threads_are_half_open(fixture: Fixture) {
    let ada = fixture.tenant();
    let micros = |count: i64| at(1) + TimeDelta::microseconds(count);
    let later = |count: i64| at(100) - TimeDelta::microseconds(count);
    for number in 0..4 {
        let new = with!(ada.new_thread(), name: number.to_string(), created_at: micros(number));
        let id = ada.create(new).await.unwrap().id;
        fixture.repo.update_thread(&ada.scope, id, ThreadUpdate::new(later(number))).await.unwrap();
    }
    let all = ThreadQuery::default;
    for (query, expected) in [
        (all().created(micros(1), micros(3)), "2 / 1"),
        (all().created(micros(2), None), "3 / 2"),
        (all().created(None, micros(1)), "0"),
        (all().created(micros(2), micros(2)), ""),
        (all().updated(later(2), later(0)), "2 / 1"),
        (all().updated(later(1), None), "1 / 0"),
        (all().updated(None, later(2)), "3"),
        (all().created(micros(1), None).updated(later(2), None), "2 / 1"),
        (all().created(None, at(50)).updated(None, at(50)), ""),
    ] {
        assert_eq!(names(&ada, &query).await, expected, "{query:?}");
    }
    let refused = ada.list(&all().updated(None, Timestamp::MAX_UTC)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "updated.until");
    let refused = ada.list(&all().created(Timestamp::MIN_UTC, None)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "created.from");
}

/// An append moves a thread within the ranges of updates, and not within those of creation.
pub(crate) async fn an_append_moves_a_thread_within_the_ranges(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk_from(with!(ada.new_thread(), name: "moved".to_owned())).await;
    let mut new = message("x");
    new.created_at = at(50);
    talk.say([new]).await;
    for (query, expected) in [
        (ThreadQuery::default().updated(at(50), at(51)), "moved"),
        (ThreadQuery::default().updated(None, at(50)), ""),
        (ThreadQuery::default().created(None, at(1)), "moved"),
        (ThreadQuery::default().created(at(50), None), ""),
    ] {
        assert_eq!(names(&ada, &query).await, expected, "{query:?}");
    }
}

/// Metadata is found by path and value as that of messages is, and follows an update at once.
pub(crate) async fn thread_metadata_follows_an_update(fixture: Fixture) {
    let ada = fixture.tenant();
    let ids = named(&ada, &["one", "two", "three"]).await;
    let set = async |number: usize, value: Value| {
        let update = ThreadUpdate::new(at(3)).metadata(metadata(&value));
        fixture.repo.update_thread(&ada.scope, ids[number], update).await.unwrap();
    };
    set(0, json!({"a": {"b": [1, "x\0y"]}, "n": 1, "z": -0.0})).await;
    set(1, json!({"a": {"b": [1.0, "xy"]}, "n": null, "z": 0.0})).await;
    let many = (0..200).map(|key| (format!("k{key}"), json!(key))).collect();
    set(2, Value::Object(many)).await;
    let assert_tagged = async |filters: &[(&str, Value, &str)]| {
        for (path, value, expected) in filters {
            let query = ThreadQuery::default().metadata(tagged(path, value.clone()));
            assert_eq!(names(&ada, &query).await, *expected, "{path} = {value}");
        }
    };
    assert_tagged(&[
        ("/a/b/0", json!(1), "one"),
        ("/a/b/0", json!(1.0), "two"),
        ("/a/b/1", json!("x\0y"), "one"),
        ("/a", json!({"b": [1.0, "xy"]}), "two"),
        ("/n", json!(null), "two"),
        ("/z", json!(0.0), "one / two"),
        ("/k150", json!(150), "three"),
        ("/k150", json!(151), ""),
    ])
    .await;
    set(0, json!({"n": 2})).await;
    set(2, json!({})).await;
    assert_tagged(&[
        ("/n", json!(1), ""),
        ("/n", json!(2), "one"),
        ("/k150", json!(150), ""),
        ("/a/b/1", json!("x\0y"), ""),
    ])
    .await;
    fixture.repo.update_thread(&ada.scope, ids[0], ThreadUpdate::new(at(9)).name("renamed")).await.unwrap();
    assert_tagged(&[("/n", json!(2), "renamed")]).await;
}

/// Creating a thread again changes nothing that filters go by.
pub(crate) async fn creating_again_changes_no_filter(fixture: Fixture) {
    let ada = fixture.tenant();
    let new = with!(ada.new_thread(), name: "kept".to_owned()).with_metadata(metadata(&json!({"k": "old"})));
    ada.create(new.clone()).await.unwrap();
    let again = with!(new, name: "other".to_owned()).with_metadata(metadata(&json!({"k": "new"})));
    ada.create(again).await.unwrap();
    for (part, expected) in [("kept", "kept"), ("other", "")] {
        assert_eq!(names(&ada, &ThreadQuery::default().name_contains(part)).await, expected);
    }
    for (value, expected) in [("old", "kept"), ("new", "")] {
        assert_eq!(names(&ada, &ThreadQuery::default().metadata(tagged("/k", value))).await, expected);
    }
}

/// Filters hold together, are applied before the limit, and pages go on within them: each thread once.
pub(crate) async fn pages_of_filtered_threads_go_on(fixture: Fixture) {
    let ada = fixture.tenant();
    for number in 0..24 {
        let name = if number % 2 == 0 { format!("Évent {number}") } else { format!("talk {number}") };
        let new = with!(ada.new_thread(), name, created_at: at(number));
        ada.create(new.with_metadata(metadata(&json!({"third": number % 3})))).await.unwrap();
    }
    let mut query =
        ThreadQuery::first(2).name_contains("EVENT").metadata(tagged("/third", 0)).created(at(1), at(23));
    let (mut read, mut pages) = (Vec::new(), 0);
    loop {
        let page = ada.list(&query).await.unwrap();
        assert!(page.items.len() <= 2, "a page of {}", page.items.len());
        read.extend(page.items.iter().map(|thread| thread.name.clone()));
        let Some(next) = page.next else { break };
        let new = with!(ada.new_thread(), name: "event new".to_owned(), created_at: at(100 + pages));
        ada.create(new.with_metadata(metadata(&json!({"third": 0})))).await.unwrap();
        query = query.behind(next);
        pages += 1;
        assert!(pages < 10, "the pages have no end");
    }
    assert_eq!(read, ["Évent 18", "Évent 12", "Évent 6"]);
}

/// Filters find nothing outside the scope.
pub(crate) async fn thread_filters_stay_within_the_scope(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    for (tenant, name) in [(&ada, "plan of ada"), (&bob, "plan of bob"), (&eve, "plan of eve")] {
        let new = with!(tenant.new_thread(), name: name.to_owned());
        tenant.create(new.with_metadata(metadata(&json!({"k": 1})))).await.unwrap();
    }
    let query = ThreadQuery::first(1).name_contains("plan").metadata(tagged("/k", 1)).updated(at(0), None);
    for (tenant, expected) in [(&ada, "plan of ada"), (&bob, "plan of bob"), (&eve, "plan of eve")] {
        assert_eq!(names(tenant, &query).await, expected);
    }
    let of_both = fixture.repo.list_threads(&ada.org_scope(), &query.clone().limit(9)).await.unwrap();
    assert_eq!(of_both.items.len(), 2, "the organization's");
    assert_eq!(names(&ada, &query.user_id(bob.user.clone())).await, "");
}

/// A list has at most 16 filters on metadata.
pub(crate) async fn more_than_16_filters_of_threads_are_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let keys: Metadata = (0..MAX_METADATA_FILTERS).map(|key| (format!("k{key}"), json!(key))).collect();
    ada.create(ada.new_thread().with_metadata(keys)).await.unwrap();
    let mut query = ThreadQuery::default();
    for key in 0..MAX_METADATA_FILTERS {
        query = query.metadata(tagged(&format!("/k{key}"), key));
    }
    assert_eq!(names(&ada, &query).await, "a thread");
    let refused = ada.list(&query.metadata(tagged("/k0", 0))).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "metadata");
}
