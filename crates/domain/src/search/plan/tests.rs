use std::cmp::Reverse;

use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::content::Content;
use crate::error::Entity;
use crate::id::{MessageId, OrgId, ThreadId};
use crate::message::ChatMessage;
use crate::position::Position;
use crate::role::Role;
use crate::search::grammar;

/// One thread, from its oldest message to its newest; and what a store would read of it.
struct Store(Vec<SearchCandidate>);

impl Store {
    fn of(texts: impl IntoIterator<Item = String>) -> Self {
        let candidate = |(at, text): (i64, String)| {
            let message = ChatMessage::new(
                MessageId::from(Uuid::from_u128(at.unsigned_abs().into())),
                ThreadId::from(Uuid::nil()),
                Position::new(at).unwrap(),
                Role::User,
                Content::text(text),
                DateTime::from_timestamp(at, 0).unwrap(),
            );
            SearchCandidate::new(OrgId::new("acme").unwrap(), "t".to_owned(), message)
        };
        Self((1..).zip(texts).map(candidate).collect())
    }

    /// Every third of them says it, as often as its number says.
    fn scored(count: usize) -> Self {
        let text =
            |at: usize| if at.is_multiple_of(3) { "x ".repeat(1 + at * 7 % 40) } else { "y".to_owned() };
        Self::of((1..=count).map(text))
    }

    fn read(&self, plan: &SearchPlan<'_>, read: &SearchRead) -> Vec<SearchCandidate> {
        let mut found: Vec<_> = self.0.iter().filter(|found| read.contains(&plan.key(found))).collect();
        if read.newest_first {
            found.reverse();
        }
        found.into_iter().take(read.limit).cloned().collect()
    }

    /// The page, all that was read for it, and the most messages that were held at once.
    fn search(&self, query: &SearchQuery) -> (SearchPage, Vec<SearchRead>, usize) {
        let mut plan = SearchPlan::new(query).unwrap();
        let (mut reads, mut held) = (Vec::new(), 0);
        while let Some(read) = plan.next_read() {
            let candidates = self.read(&plan, &read);
            held = held.max(plan.found.len() + candidates.len());
            plan.add(candidates.into_iter().map(Ok));
            reads.push(read);
        }
        (plan.finish().unwrap(), reads, held)
    }

    /// The positions of the hits of every page.
    fn pages(&self, query: &SearchQuery) -> Vec<Vec<i64>> {
        let mut query = query.clone();
        let mut pages = Vec::new();
        loop {
            let page = self.search(&query).0;
            pages.push(page.items.iter().map(|hit| hit.message.position.get()).collect());
            let Some(next) = page.next else { return pages };
            query = query.behind(next);
        }
    }
}

fn limits(reads: &[SearchRead]) -> Vec<usize> {
    reads.iter().map(|read| read.limit).collect()
}

fn ranked() -> SearchQuery {
    SearchQuery::new("x").order(SearchOrder::Relevance)
}

#[test]
fn where_few_candidates_match_each_read_is_larger() {
    let store = Store::of((0..6_000).map(|at| if at < 5 { "x" } else { "y" }.to_owned()));
    let (page, reads, _) = store.search(&SearchQuery::new("x").limit(20));
    assert_eq!(page.items.len(), 5);
    assert_eq!(limits(&reads), [21, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000]);
    let (page, reads, _) = store.search(&ranked().limit(20));
    assert_eq!(page.items.len(), 5);
    assert_eq!(limits(&reads), [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000]);
}

#[test]
fn a_ranking_holds_little_more_than_its_page() {
    let store = Store::of((0..1_500).map(|_| "x".to_owned()));
    let (page, reads, held) = store.search(&ranked().limit(20));
    assert_eq!(page.items.len(), 20);
    assert_eq!(limits(&reads), [100; 10]);
    assert!(held <= 121, "{held}");
    let (_, reads, held) = store.search(&ranked().limit(20).behind(page.next.unwrap()));
    assert_eq!(limits(&reads), [100; 11], "the last is the one that is not full");
    assert!(held <= 121, "{held}");
}

#[test]
fn the_newest_thousand_are_ranked_and_each_is_given_once() {
    let store = Store::scored(3_600);
    let mut expected: Vec<_> = (1..=1_200).rev().map(|number| number * 3).take(MAX_RANKED).collect();
    expected.sort_by_key(|at| {
        let document = SearchDocument::of(&store.0[at - 1].message.content);
        let expr = grammar::parse("x").unwrap();
        Reverse((rank::score(&expr, &document), *at))
    });
    let expected: Vec<_> = expected.into_iter().map(|at| i64::try_from(at).unwrap()).collect();
    for limit in [1_000, 999, 334, 70] {
        let pages = store.pages(&ranked().limit(limit));
        assert!(pages.concat() == expected, "{limit} a page");
        assert_eq!(pages.len(), MAX_RANKED.div_ceil(limit));
    }
}

#[test]
fn later_pages_of_a_ranking_begin_at_its_newest() {
    let mut store = Store::scored(400);
    let (page, reads, _) = store.search(&ranked().limit(20));
    assert!(reads.iter().all(|read| read.from.is_none() && read.until.is_none()));
    store.0.extend(Store::scored(2_000).0.split_off(400));
    let query = ranked().limit(20).behind(page.next.unwrap());
    let (_, reads, _) = store.search(&query);
    let position = |key: &Option<SearchKey>| key.as_ref().map(|key| key.position.get());
    assert_eq!(position(&reads[0].from), Some(399));
    assert!(reads.iter().all(|read| position(&read.until) == Some(3)));
    assert!(reads[1..].iter().all(|read| read.from.is_none() && read.behind.is_some()));

    // A store that begins at the newest all the same finds the same.
    let mut plan = SearchPlan::new(&query).unwrap();
    while let Some(read) = plan.next_read() {
        plan.add(store.read(&plan, &SearchRead { from: None, ..read }).into_iter().map(Ok));
    }
    assert_eq!(plan.finish().unwrap(), store.search(&query).0);
}

#[test]
fn the_bounds_of_a_read_follow_its_order() {
    let store = Store::scored(9);
    let query = SearchQuery::default();
    let plan = SearchPlan::new(&query).unwrap();
    let key = |at: usize| Some(plan.key(&store.0[at - 1]));
    for (newest_first, from, behind, until, expected) in [
        (true, key(7), None, key(5), vec![7, 6, 5]),
        (true, key(7), key(8), key(5), vec![7, 6, 5]),
        (true, None, key(7), key(5), vec![6, 5]),
        (false, key(5), None, key(7), vec![5, 6, 7]),
        (false, None, key(5), key(7), vec![6, 7]),
    ] {
        let read = SearchRead { newest_first, from, behind, until, limit: 100 };
        let found = store.read(&plan, &read);
        assert_eq!(found.iter().map(|found| found.message.position.get()).collect::<Vec<_>>(), expected);
    }
}

/// Reads pages to the end, of a store in which the messages at these positions cannot be decoded. Gives the positions as
/// they come, those of corrupt rows below 0, with 0 between pages.
fn read_around(store: &Store, bad: &[i64], query: &SearchQuery) -> Vec<i64> {
    let mut query = query.clone();
    let mut read = Vec::new();
    loop {
        let mut plan = SearchPlan::new(&query).unwrap();
        while let Some(next) = plan.next_read() {
            let rows = store.read(&plan, &next).into_iter().map(|candidate| {
                let position = candidate.message.position;
                if !bad.contains(&position.get()) {
                    return Ok(candidate);
                }
                let (entity, id) = (Entity::Message, position.to_string());
                let error = StoreError::CorruptRow { entity, id, behind: None, source: "damaged".into() };
                Err(Box::new(CorruptCandidate { key: Some(plan.key(&candidate)), error }))
            });
            let rows: Vec<_> = rows.collect();
            plan.add(rows);
        }
        let next = match plan.finish() {
            Ok(page) => {
                read.extend(page.items.iter().map(|hit| hit.message.position.get()));
                page.next
            }
            Err(StoreError::CorruptRow { id, behind, .. }) => {
                read.push(-id.parse::<i64>().unwrap());
                assert!(behind.is_some());
                behind
            }
            Err(other) => panic!("{other:?}"),
        };
        let Some(next) = next else { return read };
        query = query.behind(next);
        read.push(0);
    }
}

#[test]
fn a_corrupt_row_comes_in_its_place_and_ends_the_page_ahead_of_it() {
    let store = Store::of((0..7).map(|_| "x".to_owned()));
    let oldest = SearchQuery::new("x").order(SearchOrder::Oldest);
    assert_eq!(read_around(&store, &[3], &oldest.clone().limit(2)), [1, 2, 0, -3, 0, 4, 5, 0, 6, 7]);
    assert_eq!(read_around(&store, &[3], &oldest.clone().limit(9)), [1, 2, 0, -3, 0, 4, 5, 6, 7]);
    assert_eq!(read_around(&store, &[1, 2, 7], &oldest.limit(3)), [-1, 0, -2, 0, 3, 4, 5, 0, 6, 0, -7, 0]);
    let newest = SearchQuery::default();
    assert_eq!(read_around(&store, &[7, 5], &newest.limit(9)), [-7, 0, 6, 0, -5, 0, 4, 3, 2, 1]);
}

#[test]
fn by_relevance_corrupt_rows_come_last() {
    let store = Store::of([3, 1, 2, 1, 4].map(|count| "x ".repeat(count)));
    assert_eq!(read_around(&store, &[], &ranked().limit(9)), [5, 1, 3, 4, 2]);
    assert_eq!(read_around(&store, &[3, 5], &ranked().limit(9)), [1, 4, 2, 0, -5, 0, -3, 0]);
    assert_eq!(read_around(&store, &[3, 5], &ranked().limit(2)), [1, 4, 0, 2, 0, -5, 0, -3, 0]);
}

/// A message of each of these texts, and what is read of them.
fn says(texts: &[&str]) -> Store {
    Store::of(texts.iter().map(|text| (*text).to_owned()))
}

#[test]
fn a_text_that_excludes_and_finds_nothing_is_searched_as_text() {
    let store = says(&["run rm -rf node_modules", "rm it", "grep -v foo", "foo"]);
    for (text, count, expected, reading) in [
        ("rm -rf node_modules", 1, 2, SearchReading::Text),
        ("rm -rf", 1, 1, SearchReading::Query),
        ("rm -it -rf", 0, 2, SearchReading::Text),
        ("grep -v foo", 1, 2, SearchReading::Text),
        ("-v", 1, 1, SearchReading::Text),
        ("-v -(foo)", 1, 1, SearchReading::Text),
        ("pear", 0, 1, SearchReading::Query),
        ("pear -x", 0, 2, SearchReading::Text),
        ("-pear", 0, 1, SearchReading::Text),
        ("!!!", 0, 0, SearchReading::Query),
        ("", 4, 1, SearchReading::Query),
    ] {
        for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
            let (page, reads, _) = store.search(&SearchQuery::new(text).order(order));
            assert_eq!((page.items.len(), page.reading, reads.len()), (count, reading, expected), "{text}");
        }
    }
}

#[test]
fn a_limit_of_0_reads_nothing_in_any_reading() {
    for (text, reading) in [("a -b", SearchReading::Query), ("-b", SearchReading::Text)] {
        let (page, reads, _) = says(&["a b"]).search(&SearchQuery::new(text).limit(0));
        assert_eq!((page.items.len(), reads.len(), page.reading), (0, 0, reading), "{text}");
    }
}

#[test]
fn a_reading_that_reads_far_and_finds_nothing_is_given_up_once() {
    let store = Store::of((0..250).map(|at| if at == 3 { "a b" } else { "a c b" }.to_owned()));
    // The store reads more than matches, and the plan leaves it out.
    let (page, reads, _) = store.search(&SearchQuery::new("\"a b\" -b").limit(20));
    assert_eq!((page.items.len(), page.reading), (20, SearchReading::Text));
    let behind: Vec<bool> = reads.iter().map(|read| read.behind.is_some()).collect();
    assert_eq!(behind.iter().filter(|is_behind| !**is_behind).count(), 2, "{behind:?}");
}

#[test]
fn all_pages_of_a_search_have_the_reading_of_the_first() {
    let mut store = says(&["a b 1", "a b 2", "a b 3", "a b 4", "a b 5"]);
    for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
        let query = SearchQuery::new("a -b").order(order).limit(2);
        let (first, ..) = store.search(&query);
        assert_eq!(first.reading, SearchReading::Text);
        // What the query would find now changes nothing for the pages that follow.
        store.0.extend(says(&["x", "x", "x", "x", "x", "a alone"]).0.split_off(5));
        let (second, reads, _) = store.search(&query.clone().behind(first.next.unwrap()));
        assert_eq!((second.items.len(), second.reading), (2, SearchReading::Text), "{order:?}");
        assert!(second.items.iter().all(|hit| hit.message.content.as_text() != Some("a alone")));
        assert!(!reads.is_empty());
        store.0.truncate(5);
    }
    // The other way round: a later page of the query that finds nothing does not begin with the text.
    let query = SearchQuery::new("a -c").limit(5);
    let (first, ..) = says(&["a 1", "a 2", "a 3", "a 4", "a 5", "a 6"]).search(&query);
    let (second, reads, _) = says(&["a c"]).search(&query.clone().behind(first.next.unwrap()));
    assert_eq!((second.items.len(), second.reading, reads.len()), (0, SearchReading::Query, 1));
}

#[test]
fn a_cursor_of_a_reading_that_the_text_has_not_is_refused() {
    let place = |reading| {
        let plan_of = SearchQuery::new("x");
        let plan = SearchPlan::new(&plan_of).unwrap();
        Place { reading, key: plan.key(&says(&["x"]).0[0]), ranked: None }
    };
    for (text, as_query, as_text) in [
        ("a", true, false),
        ("a -b", true, true),
        ("-b", false, true),
        ("", true, false),
        ("!!!", true, false),
        ("-(-a)", true, false),
    ] {
        for (reading, is_fit) in [(SearchReading::Query, as_query), (SearchReading::Text, as_text)] {
            let query = SearchQuery::new(text);
            let cursor = place(reading).seal(&query);
            let refused = SearchPlan::new(&query.clone().behind(cursor)).err();
            assert_eq!(
                refused.map(|error| error.field == "cursor"),
                (!is_fit).then_some(true),
                "{text} {reading:?}"
            );
        }
    }
}

/// Texts with what is code elsewhere, in words that are not all alike.
fn pasted() -> impl Strategy<Value = Vec<String>> {
    let pieces = prop::sample::select(vec![
        "-",
        "--",
        "\"",
        "(",
        ")",
        "*",
        "OR",
        "+",
        "/",
        ":",
        ".",
        ",",
        "'",
        "’",
        "=",
        "|",
        "“",
        "rm",
        "node",
        "getUser",
        "URLs",
        "PR7",
        "1,234",
        "05Z",
        "2026",
        "Anna's",
        "l'été",
        "don't",
        "東京",
        "東",
        "ที่",
        "👍",
        "👩\u{200d}👧",
        "é",
        "e\u{301}",
        "\u{301}",
        "\u{200b}",
        "\u{ad}",
        "½",
        "㎏",
        "\u{a0}",
    ]);
    let word = prop::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat());
    prop::collection::vec(word, 1..8)
}

proptest! {
    /// Whatever a text is, it finds the message that it was copied out of, where no other message is in the way.
    #[test]
    fn words_that_are_copied_find_their_message(words in pasted(), from in 0..8_usize, count in 1..8_usize) {
        let from = from % words.len();
        let part = words[from..].iter().take(count).cloned().collect::<Vec<_>>().join(" ");
        let store = Store::of([words.join(" ")]);
        let page = store.search(&SearchQuery::new(&*part)).0;
        let has_words = grammar::as_text(&part).is_none_or(|expr| !expr.is_nothing());
        prop_assert_eq!(page.items.len(), usize::from(has_words), "{}", part);
    }
}

#[test]
fn words_that_the_index_is_sure_of_are_not_checked_again() {
    for (order, count) in [(SearchOrder::Newest, 1), (SearchOrder::Relevance, 0)] {
        let query = SearchQuery::new("apples").order(order);
        let mut plan = SearchPlan::new(&query).unwrap();
        let Store(candidates) = Store::of(["pears", "plums"].map(str::to_owned));
        let [sure, unsure] = candidates.try_into().unwrap();
        plan.add([Ok(sure.with_exact_words()), Ok(unsure)]);
        let page = plan.finish().unwrap();
        assert_eq!(page.items.len(), count, "{order:?}: a score needs the words");
    }
}
