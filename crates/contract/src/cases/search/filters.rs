//! The filters of a search, alone and with words.

use chatkeep_domain::{
    MAX_METADATA_FILTERS, MessageFilter, Role, SearchOrder, SearchQuery, StoreError, Timestamp, UserId,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::fixture::search::{tagged, with_metadata};
use crate::fixture::{Fixture, Tenant, at, message};

fn oldest(text: &str) -> SearchQuery {
    SearchQuery::new(text).order(SearchOrder::Oldest)
}

async fn assert_found(ada: &Tenant, searches: impl IntoIterator<Item = (SearchQuery, &str)>) {
    for (query, expected) in searches {
        assert_eq!(ada.found(&query).await, expected, "{:?} {query:?}", query.text);
    }
}

/// A role, a sender and a thread find their messages, with words and without.
pub(crate) async fn roles_senders_and_threads_narrow_a_search(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, two) = (ada.talk().await, ada.talk().await);
    let user = |name: &str| UserId::new(name).expect("a user id");
    for (talk, text, role, sender) in [
        (&one, "tea 1", Role::User, Some("ada")),
        (&one, "tea 2", Role::Assistant, None),
        (&two, "tea 3", Role::User, Some("bob")),
        (&two, "milk", Role::User, Some("ada")),
        (&two, "tea 5", Role::Tool, Some("Ada")),
    ] {
        let created_at = at(text.len().try_into().unwrap());
        let sender_id = sender.map(user);
        talk.say([with!(message(text), sender_role: role, sender_id, created_at)]).await;
    }
    for (query, with_words, without) in [
        (oldest("").thread(one.id), "tea 1 / tea 2", "tea 1 / tea 2"),
        (oldest("").thread(two.id), "tea 3 / tea 5", "tea 3 / milk / tea 5"),
        (oldest("").filter(MessageFilter::new().role(Role::Assistant)), "tea 2", "tea 2"),
        (oldest("").filter(MessageFilter::new().role(Role::System)), "", ""),
        (oldest("").filter(MessageFilter::new().role(Role::User)).thread(two.id), "tea 3", "tea 3 / milk"),
        (oldest("").filter(MessageFilter::new().sender_id(user("ada"))).thread(two.id), "", "milk"),
        (oldest("").filter(MessageFilter::new().sender_id(user("Ada"))), "tea 5", "tea 5"),
        (oldest("").filter(MessageFilter::new().sender_id(user("eve"))), "", ""),
        (oldest("").filter(MessageFilter::new().sender_id(user("ada")).role(Role::Tool)), "", ""),
    ] {
        let worded = with!(query.clone(), text: "tea".to_owned());
        assert_found(&ada, [(query, without), (worded, with_words)]).await;
    }
}

/// A date range of a search takes in its start and leaves out its end, to the microsecond, in every order.
pub(crate) async fn a_search_range_is_half_open_to_the_microsecond(fixture: Fixture) {
    let ada = fixture.tenant();
    let micros = |count| at(1) + TimeDelta::microseconds(count);
    let talks = [ada.talk().await, ada.talk().await];
    for (number, talk) in (0..).zip([0, 1, 0, 1]) {
        let created_at = micros(number);
        talks[talk].say([with!(message(format!("x {number}")), created_at)]).await;
    }
    for text in ["x", ""] {
        for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
            let all = || SearchQuery::new(text).order(order);
            for (query, expected) in [
                (all().filter(MessageFilter::new().created(micros(1), micros(3))), &["x 1", "x 2"][..]),
                (all().filter(MessageFilter::new().created(micros(2), None)), &["x 2", "x 3"]),
                (all().filter(MessageFilter::new().created(None, micros(1))), &["x 0"]),
                (all().filter(MessageFilter::new().created(micros(3), micros(4))), &["x 3"]),
                (all().filter(MessageFilter::new().created(micros(1), micros(1))), &[]),
                (all().filter(MessageFilter::new().created(micros(3), micros(1))), &[]),
                (
                    all().filter(MessageFilter::new().created(micros(1), micros(3))).thread(talks[0].id),
                    &["x 2"],
                ),
            ] {
                let mut expected = expected.to_vec();
                if order != SearchOrder::Oldest {
                    expected.reverse();
                }
                assert_eq!(ada.found(&query).await, expected.join(" / "), "{text:?} {query:?}");
            }
        }
    }
    let refused = ada
        .search(&SearchQuery::new("x").filter(MessageFilter::new().created(None, Timestamp::MAX_UTC)))
        .await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "created.until");
}

/// Metadata narrows a search by path and value: nested, in arrays, `null`, U+0000, numbers as written, and of more
/// values than an index may keep.
pub(crate) async fn metadata_narrows_a_search(fixture: Fixture) {
    let ada = fixture.tenant();
    let many: Value = (0..90).map(|key| (format!("k{key}"), json!(key))).collect();
    let said = [
        ("tea 0", json!({"a": {"b": [1, {"c": null}]}, "n": 1})),
        ("tea 1", json!({"a": {"b": [1.0]}, "n": 1.0})),
        ("tea 2", json!({"x\0y": "v\0", "n": 0.0})),
        ("tea 3", many),
        ("milk", json!({"n": 1, "x\0y": "v\0", "z": -0.0})),
        ("tea 5", json!({"n": "1", "k89": 1})),
    ];
    ada.says(said.iter().map(|(text, metadata)| with_metadata(text, metadata)).chain(["tea 6".into()])).await;
    for (path, value, with_words, without) in [
        ("/a/b/0", json!(1), "tea 0", "tea 0"),
        ("/a/b/1/c", json!(null), "tea 0", "tea 0"),
        ("/a/b", json!([1.0]), "tea 1", "tea 1"),
        ("/n", json!(1), "tea 0", "tea 0 / milk"),
        ("/n", json!(1.0), "tea 1", "tea 1"),
        ("/n", json!(-0.0), "tea 2", "tea 2"),
        ("/z", json!(0.0), "", "milk"),
        ("/n", json!("1"), "tea 5", "tea 5"),
        ("/x\0y", json!("v\0"), "tea 2", "tea 2 / milk"),
        ("/x\0y", json!("v"), "", ""),
        ("/k89", json!(89), "tea 3", "tea 3"),
        ("/k89", json!(88), "", ""),
        ("/nothing", json!(null), "", ""),
    ] {
        let query = oldest("").filter(MessageFilter::new().metadata(tagged(path, value)));
        let worded = with!(query.clone(), text: "tea".to_owned());
        assert_found(&ada, [(query, without), (worded, with_words)]).await;
    }
}

/// All that a search asks for holds together.
pub(crate) async fn the_parts_of_a_search_hold_together(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = [ada.talk().await, ada.talk().await];
    let bob = UserId::new("bob").expect("a user id");
    for number in 0..32_u8 {
        let text = format!("{} {number}", if number % 2 == 0 { "tea" } else { "milk" });
        let role = if number % 4 < 2 { Role::User } else { Role::Assistant };
        let sender = (number % 8 < 4).then(|| bob.clone());
        let new = message(with_metadata(&text, &json!({"half": number < 16})));
        let new = with!(new, created_at: at(number.into()), sender_role: role, sender_id: sender);
        talks[usize::from(number >= 28)].say([new]).await;
    }
    let filter = MessageFilter::new().role(Role::Assistant).sender_id(bob).created(at(3), at(26));
    let query = oldest("tea OR coffee").filter(filter.clone());
    let in_half = |is: bool| filter.clone().metadata(tagged("/half", is));
    let first = query.clone().filter(in_half(true));
    let empty: SearchQuery = with!(first.clone(), text: String::new());
    assert_found(
        &ada,
        [
            (query.clone(), "tea 10 / tea 18"),
            (first.clone(), "tea 10"),
            (empty, "milk 3 / tea 10 / milk 11"),
            (query.clone().thread(talks[0].id).limit(1), "tea 10"),
            (query.clone().thread(talks[1].id), ""),
            (query.clone().order(SearchOrder::Newest), "tea 18 / tea 10"),
            (query.filter(in_half(false)), "tea 18"),
            (first.filter(in_half(true).metadata(tagged("/half", false))), ""),
        ],
    )
    .await;
}

/// Filters are applied before the limit: hits that they leave out take no place on the page, and pages go on.
pub(crate) async fn filters_of_a_search_are_applied_before_the_limit(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let batch = (0..300).map(|number| {
        let metadata = json!({"tenth": number % 100 == 0});
        with!(message(with_metadata(&format!("x {number}"), &metadata)), created_at: at(number))
    });
    talk.say(batch).await;
    for text in ["x", "", "-y x", "x*"] {
        for (order, expected) in [
            (SearchOrder::Newest, "x 200 / x 100 / x 0"),
            (SearchOrder::Oldest, "x 0 / x 100 / x 200"),
            (SearchOrder::Relevance, "x 200 / x 100 / x 0"),
        ] {
            let query = SearchQuery::new(text)
                .order(order)
                .filter(MessageFilter::new().metadata(tagged("/tenth", true)));
            assert_eq!(ada.found(&query.clone().limit(3)).await, expected, "{text:?} by {order:?}");
            let read = ada.search_through(query.limit(1), async |_| {}).await;
            assert_eq!(read.join(" / "), expected, "{text:?} by {order:?}, page by page");
        }
    }
}

/// Words are looked for where the filters hold, and a message that has the words late in a long list is found.
pub(crate) async fn a_hit_far_behind_others_is_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    // The words of the phrase are in all of them, and side by side in the oldest alone.
    let texts = ["the red door".to_owned()].into_iter();
    let texts = texts.chain((0..400).map(|number| format!("door {number} is red")));
    talk.say(texts.map(message)).await;
    for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
        let query = SearchQuery::new("\"red door\"").order(order).limit(5);
        let page = ada.search(&query).await.unwrap();
        assert_eq!((page.items.len(), page.next), (1, None), "{order:?}");
        assert_eq!(page.items[0].message.content.as_text(), Some("the red door"));
    }
}

/// A filter of a search follows an edit at once, where the words stay too.
pub(crate) async fn filters_of_a_search_follow_an_edit(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says([with_metadata("tea", &json!({"state": "draft"}))]).await;
    let id = talk.all().await[0].id;
    talk.edit(id, with_metadata("tea", &json!({"state": "final"})), at(2)).await.unwrap();
    for text in ["tea", ""] {
        let draft = oldest(text).filter(MessageFilter::new().metadata(tagged("/state", "draft")));
        let last = oldest(text).filter(MessageFilter::new().metadata(tagged("/state", "final")));
        assert_found(&ada, [(draft, ""), (last, "tea")]).await;
    }
}

/// A search has at most 16 filters on metadata.
pub(crate) async fn more_than_16_filters_of_a_search_are_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let keys: Value = (0..MAX_METADATA_FILTERS).map(|key| (format!("k{key}"), json!(key))).collect();
    ada.says([with_metadata("tea", &keys)]).await;
    let filters = (0..MAX_METADATA_FILTERS).map(|key| tagged(&format!("/k{key}"), key));
    let most = filters.fold(MessageFilter::new(), MessageFilter::metadata);
    assert_found(&ada, [(oldest("tea").filter(most.clone()), "tea")]).await;
    let refused = ada.search(&oldest("tea").filter(most.metadata(tagged("/k0", 0)))).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "metadata");
}
