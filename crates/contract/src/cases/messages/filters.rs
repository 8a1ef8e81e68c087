//! Filters on lists of messages: the sender and the metadata, with offsets, limits and pages.

use std::ops::Range;

use chatkeep_domain::{MAX_METADATA_FILTERS, MessageFilter, MessageQuery, Order, Role, StoreError, UserId};
use serde_json::{Value, json};

use crate::fixture::search::{assert_tagged, tagged, tagged_messages, with_metadata};
use crate::fixture::{Fixture, at, message, texts};

fn user(name: &str) -> UserId {
    UserId::new(name).expect("a user id")
}

/// A sender finds the messages of that sender, byte by byte.
pub(crate) async fn a_sender_finds_their_messages(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let senders = [Some("ada"), Some("bob"), None, Some("Ada"), Some("ada "), Some("ada")];
    talk.say(
        senders
            .into_iter()
            .enumerate()
            .map(|(number, sender)| with!(message(number.to_string()), sender_id: sender.map(user))),
    )
    .await;
    for (sender, expected) in [("ada", "0 5"), ("bob", "1"), ("Ada", "3"), ("ada ", "4"), ("eve", "")] {
        let query = MessageQuery::default().filter(MessageFilter::new().sender_id(user(sender)));
        assert_eq!(texts(&talk.read(&query).await).join(" "), expected, "{sender:?}");
    }
}

/// Filters hold together, and are applied before the offset and the limit.
pub(crate) async fn filters_are_applied_before_offset_and_limit(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let batch = (0..40u8).map(|number| {
        let metadata = json!({"third": number % 3, "fifth": {"is": number % 5}});
        let sender = user(if number % 2 == 0 { "ada" } else { "bob" });
        let role = if number < 20 { Role::User } else { Role::Assistant };
        let new = message(with_metadata(&number.to_string(), &metadata));
        with!(new, sender_id: Some(sender), sender_role: role, created_at: at(number.into()))
    });
    let said = talk.say(batch).await;
    let filter = MessageFilter::new().metadata(tagged("/third", 0));
    let third = MessageQuery::first(3).filter(filter.clone());
    let and = |more: fn(MessageFilter) -> MessageFilter| third.clone().filter(more(filter.clone()));
    for (query, expected) in [
        (third.clone(), "0 3 6"),
        (third.clone().offset(2), "6 9 12"),
        (and(|filter| filter.sender_id(user("bob"))).offset(1), "9 15 21"),
        (and(|filter| filter.role(Role::Assistant)), "21 24 27"),
        (and(|filter| filter.role(Role::Assistant).role(Role::User)), "0 3 6"),
        (and(|filter| filter.metadata(tagged("/fifth", json!({"is": 0})))), "0 15 30"),
        (and(|filter| filter.metadata(tagged("/third", 1))), ""),
        (and(|filter| filter.created(at(14), at(20))).after(said[10].position), "15 18"),
        (third.clone().order(Order::NewestFirst), "39 36 33"),
        (third.clone().order(Order::NewestFirst).offset(12), "3 0"),
    ] {
        assert_eq!(texts(&talk.read(&query).await).join(" "), expected, "{query:?}");
    }
    let page = talk.page(&third.clone().limit(14)).await.unwrap();
    assert_eq!((page.items.len(), page.next), (14, None), "no next page where no more match");
}

/// Pages of a filtered list neither skip nor repeat, whatever is written in between.
pub(crate) async fn pages_of_filtered_messages_go_on(fixture: Fixture) {
    for (order, expected) in [
        (Order::OldestFirst, "0 2 4 6 8 10 12 14 16 18 new0 new1"),
        (Order::NewestFirst, "18 16 14 12 10 8 6 4 2 0"),
    ] {
        let even =
            |number: i32| message(with_metadata(&number.to_string(), &json!({"even": number % 2 == 0})));
        let talk = fixture.tenant().talk().await;
        talk.say((0..20).map(even)).await;
        let mut query =
            with!(MessageQuery::first(3), order).filter(MessageFilter::new().metadata(tagged("/even", true)));
        let (mut read, mut pages) = (Vec::new(), 0);
        loop {
            let page = talk.page(&query).await.unwrap();
            read.extend(texts(&page.items).into_iter().map(str::to_owned));
            let Some(next) = page.next else { break };
            if pages < 2 {
                talk.say([message(with_metadata(&format!("new{pages}"), &json!({"even": true})))]).await;
            }
            talk.delete_message(page.items[2].id, at(9)).await.unwrap();
            query = query.behind(next);
            pages += 1;
            assert!(pages < 10, "the pages have no end");
        }
        assert_eq!(read.join(" "), expected, "{order:?}");
    }
}

/// A filter follows an edit at once.
pub(crate) async fn filters_follow_an_edit(fixture: Fixture) {
    let talk = tagged_messages(&fixture.repo, &[json!({"state": "draft"}), json!({"state": "draft"})]).await;
    let first = talk.all().await[0].id;
    talk.edit(first, with_metadata("0", &json!({"state": "final"})), at(2)).await.unwrap();
    assert_tagged(&talk, &[("/state", json!("draft"), "1"), ("/state", json!("final"), "0")]).await;
    talk.edit(first, "0", at(3)).await.unwrap();
    assert_tagged(&talk, &[("/state", json!("final"), ""), ("/state", json!("draft"), "1")]).await;
}

/// A query has at most 16 filters on metadata.
pub(crate) async fn more_than_16_metadata_filters_are_refused(fixture: Fixture) {
    let keys: Value = (0..=MAX_METADATA_FILTERS).map(|key| (format!("k{key}"), json!(key))).collect();
    let talk = tagged_messages(&fixture.repo, &[keys, json!({"k0": 0})]).await;
    let of = |keys: Range<usize>| {
        let filters = keys.map(|key| tagged(&format!("/k{key}"), key));
        MessageQuery::default().filter(filters.fold(MessageFilter::new(), MessageFilter::metadata))
    };
    assert_eq!(texts(&talk.read(&of(0..MAX_METADATA_FILTERS)).await), ["0"]);
    let refused = talk.page(&of(0..MAX_METADATA_FILTERS + 1)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "metadata");
}
