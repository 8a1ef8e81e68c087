//! The pages of a search: none skips or repeats a hit, whatever is written in between.

use chatkeep_domain::{MAX_RANKED, NewMessage, Role, SearchOrder, SearchQuery};

use crate::fixture::{Fixture, Talk, Tenant, at, message_id};

const ORDERS: [SearchOrder; 3] = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance];

pub(crate) fn dated(text: impl Into<String>, second: usize) -> NewMessage {
    let second = i64::try_from(second).expect("a second");
    NewMessage::new(message_id(), Role::User, text.into(), at(second))
}

/// Two threads with the hits "x 0" to "x 9" at every tenth second, in turn, and others between them.
pub(crate) async fn ten_hits(ada: &Tenant) -> [Talk; 2] {
    let talks = [ada.talk().await, ada.talk().await];
    for number in 0..10 {
        let batch = [dated(format!("x {number}"), 10 * number), dated("other", 10 * number)];
        talks[usize::from(number % 2 == 1)].say(batch).await;
    }
    talks
}

fn numbers(read: &[String]) -> String {
    let numbers: Vec<_> = read.iter().map(|text| text.strip_prefix("x ").expect("a hit")).collect();
    numbers.join(" ")
}

/// Page by page, every hit is given once and in order, however long the pages are, and the last page says so.
pub(crate) async fn pages_of_a_search_hold_every_hit_once(fixture: Fixture) {
    let ada = fixture.tenant();
    ten_hits(&ada).await;
    for text in ["x", "x OR y", "x*", "\"x\"", "x -y"] {
        for order in ORDERS {
            let query = SearchQuery::new(text).order(order);
            let expected: Vec<_> = ada
                .hits(&query)
                .await
                .iter()
                .map(|hit| hit.message.content.as_text().unwrap().to_owned())
                .collect();
            assert_eq!(expected.len(), 10, "{text:?} by {order:?}");
            for limit in [1, 2, 3, 5, 10] {
                let read = ada.search_through(query.clone().limit(limit), async |_| {}).await;
                assert_eq!(read, expected, "{text:?} by {order:?}, {limit} a page");
            }
        }
    }
}

/// Pages of hits of equal times and equal scores give each once.
pub(crate) async fn hits_of_equal_times_are_given_once_each(fixture: Fixture) {
    let ada = fixture.tenant();
    for thread in 0..3 {
        ada.says((0..3).map(|number| format!("x {thread}{number}"))).await;
    }
    for order in ORDERS {
        for text in ["x", ""] {
            let query = SearchQuery::new(text).order(order).limit(2);
            let read = ada.search_through(query, async |_| {}).await;
            let mut distinct = read.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!((read.len(), distinct.len()), (9, 9), "{text:?} by {order:?}: {read:?}");
        }
    }
}

/// Newest first, what is said meanwhile ahead of the page changes nothing; what is stored with an earlier time, behind
/// the page, follows.
pub(crate) async fn newest_pages_leave_out_what_is_said_meanwhile(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = ten_hits(&ada).await;
    let between = async |page: usize| {
        talks[page % 2].say([dated(format!("x new{page}"), 200)]).await;
        if page == 1 {
            talks[0].say([dated("x 1.5", 15), dated("x 8.5", 85)]).await;
        }
    };
    let read = ada.search_through(SearchQuery::new("x").limit(3), between).await;
    assert_eq!(numbers(&read), "9 8 7 6 5 4 3 2 1.5 1 0");
}

/// Oldest first, what is said meanwhile follows; what is stored ahead of the page is not given.
pub(crate) async fn oldest_pages_go_on_into_what_is_said_meanwhile(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = ten_hits(&ada).await;
    let between = async |page: usize| {
        if page < 2 {
            talks[page].say([dated(format!("x new{page}"), 200 + 10 * page)]).await;
            talks[page].say([dated("x early", 1)]).await;
        }
    };
    let query = SearchQuery::new("x").order(SearchOrder::Oldest).limit(4);
    let read = ada.search_through(query, between).await;
    assert_eq!(numbers(&read), "0 1 2 3 4 5 6 7 8 9 new0 new1");
}

/// By relevance, what is said after the first page is not ranked: the others are given once each, in their order.
pub(crate) async fn ranked_pages_leave_out_what_is_said_meanwhile(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let batch = (0..9).map(|number| dated(format!("x {}", "x ".repeat(number % 4)), number));
    talk.say(batch).await;
    let query = SearchQuery::new("x").order(SearchOrder::Relevance);
    let expected = ada.found(&query).await;
    let between = async |page: usize| {
        talk.say([dated("x x x x x x new", 100), dated("x and many other words", 101 + page)]).await;
    };
    let read = ada.search_through(query.limit(2), between).await;
    assert_eq!(read.join(" / "), expected);
}

/// A cursor stays good when the hit that it stands on is deleted, and those around it, and the thread that it was in.
pub(crate) async fn a_search_cursor_outlives_the_hit_it_stands_on(fixture: Fixture) {
    // What is deleted, what is behind the page then, and what is left of that without the thread of the cursor.
    for (order, deleted, expected, left) in [
        (SearchOrder::Newest, [5, 6, 7], "4 3 2 1 0", "3 1"),
        (SearchOrder::Oldest, [2, 3, 4], "5 6 7 8 9", "6 8"),
        (SearchOrder::Relevance, [5, 6, 7], "4 3 2 1 0", "3 1"),
    ] {
        let ada = fixture.tenant();
        let talks = ten_hits(&ada).await;
        let all = [talks[0].all().await, talks[1].all().await];
        let query = SearchQuery::new("x").order(order).limit(4);
        let next = ada.search(&query).await.unwrap().next.expect("a next page");
        for number in deleted {
            let hit = &all[number % 2][number / 2 * 2];
            talks[number % 2].delete_message(hit.id, at(300)).await.unwrap();
        }
        let rest = query.limit(10).behind(next);
        let found = async || ada.found(&rest).await.replace("x ", "").replace(" / ", " ");
        assert_eq!(found().await, expected, "{order:?}");
        talks[deleted[1] % 2].delete().await.unwrap();
        assert_eq!(found().await, left, "{order:?}, without the thread");
    }
}

/// Edits between the pages: a hit that is edited away is not given any more, one that begins to match is where its
/// place is, and the others are given once each.
pub(crate) async fn edits_between_pages_of_a_search_move_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = ten_hits(&ada).await;
    let all = [talks[0].all().await, talks[1].all().await];
    // Each hit is followed by another message of its second.
    let of_second = |number: usize, is_hit: bool| &all[number % 2][number / 2 * 2 + usize::from(!is_hit)];
    let between = async |page: usize| {
        if page == 0 {
            talks[0].edit(of_second(4, true).id, "away", at(300)).await.unwrap();
            talks[1].edit(of_second(3, false).id, "x 3b", at(300)).await.unwrap();
            talks[1].edit(of_second(9, false).id, "x 9b", at(300)).await.unwrap();
            talks[1].edit(of_second(5, true).id, "x 5 edited", at(300)).await.unwrap();
        }
    };
    let read = ada.search_through(SearchQuery::new("x").limit(3), between).await;
    assert_eq!(numbers(&read), "9 8 7 6 5 edited 3b 3 2 1 0");
}

/// In one thread the pages go by position, whatever times new messages have.
pub(crate) async fn pages_of_one_thread_go_by_position(fixture: Fixture) {
    let ada = fixture.tenant();
    for (order, expected) in
        [(SearchOrder::Newest, "5 4 3 2 1 0"), (SearchOrder::Oldest, "0 1 2 3 4 5 new new")]
    {
        let talk = ada.says((0..6).map(|number| format!("x {number}"))).await;
        ada.says(["x elsewhere"]).await;
        let between = async |page: usize| {
            if page < 2 {
                talk.say([dated("x new", if page == 0 { 500 } else { 0 })]).await;
            }
        };
        let query = SearchQuery::new("x").thread(talk.id).order(order).limit(2);
        assert_eq!(numbers(&ada.search_through(query, between).await), expected, "{order:?}");
    }
}

/// The thousand that were ranked are given once each, also when others with times among theirs are stored meanwhile.
pub(crate) async fn the_1000_ranked_are_given_once_each(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let batch = (0..MAX_RANKED).map(|number| dated(format!("x {number}"), number));
    talk.say(batch).await;
    let between = async |page: usize| {
        if page == 0 {
            talk.say([dated("x new", 500), dated("x newer", 501), dated("x last", 5_000)]).await;
        }
    };
    let query = SearchQuery::new("x").order(SearchOrder::Relevance).limit(400);
    let mut read = ada.search_through(query, between).await;
    read.retain(|text| !text.contains("new"));
    let mut distinct = read.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((read.len(), distinct.len()), (MAX_RANKED, MAX_RANKED), "hits in all, and distinct ones");
}
