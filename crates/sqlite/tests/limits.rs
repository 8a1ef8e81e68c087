//! The largest questions that the grammar lets through: FTS5 takes expressions of a depth of 256.

mod common;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{MAX_METADATA_FILTERS, MessageSearch as _, MetadataFilter, SearchQuery, ThreadId};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};

use crate::common::{message, say, scope, thread_of};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Three messages: the alphabet, one letter of it, and the alphabet many times.
async fn store() -> (SqliteRepository, ThreadId) {
    let store = SqliteRepository::open(SqliteConfig::in_memory()).await.expect("a database in memory");
    let thread = thread_of(&store, "ada").await;
    let spelled: Vec<_> = LETTERS.chars().map(String::from).collect();
    let alphabet = spelled.join(" ");
    let often = vec![alphabet.as_str(); 80].join(" ");
    say(&store, thread, [message(alphabet, 1), message("b", 2), message(often, 3)]).await;
    (store, thread)
}

/// What is found in every order, as positions.
async fn found(store: &SqliteRepository, query: SearchQuery) -> Vec<i64> {
    let mut answers = Vec::new();
    for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
        let query = query.clone().order(order).limit(1_000);
        let page = store.search_messages(&scope(), &query).await.expect("it is answered");
        let mut positions: Vec<_> = page.items.iter().map(|hit| hit.message.position.get()).collect();
        positions.sort_unstable();
        answers.push(positions);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    answers.remove(0)
}

async fn of_text(store: &SqliteRepository, text: &str) -> Vec<i64> {
    found(store, SearchQuery::new(text)).await
}

#[tokio::test]
async fn two_thousand_words_at_once() {
    let (store, _) = store().await;
    let letters: Vec<_> = LETTERS.chars().cycle().take(2_000).map(String::from).collect();
    assert_eq!(of_text(&store, &letters.join(" ")).await, [1, 3]);
    assert_eq!(of_text(&store, &format!("\"{}\"", letters.join(" "))).await, [3]);
    assert_eq!(of_text(&store, &format!("-({}) b", letters[2..26].join(" OR "))).await, [2]);
    // OR takes four bytes more.
    assert_eq!(of_text(&store, &letters[..800].join(" OR ")).await, [1, 2, 3]);
    let neither: Vec<_> =
        letters[2..1_300].iter().filter(|letter| *letter != "b").map(|it| format!("-{it}")).collect();
    assert_eq!(of_text(&store, &format!("b {}", neither.join(" "))).await, [2]);
}

/// Of equal words, a store may make one.
#[tokio::test]
async fn a_thousand_different_words() {
    let (store, thread) = store().await;
    let pairs = |first: &'static str, second: &'static str| {
        first.chars().flat_map(move |first| second.chars().map(move |second| format!("{first}{second}")))
    };
    let digits = "0123456789";
    let words: Vec<String> =
        pairs(LETTERS, LETTERS).chain(pairs(digits, LETTERS)).chain(pairs(LETTERS, digits)).collect();
    say(&store, thread, [message(words.join(" "), 4)]).await;
    assert_eq!(of_text(&store, &words.join(" ")).await, [4]);
    assert_eq!(of_text(&store, &format!("\"{}\"", words.join(" "))).await, [4]);
    assert_eq!(of_text(&store, &words[..580].join(" OR ")).await, [4]);
    let prefixes: Vec<_> = words[..1_000].iter().map(|word| format!("{word}*")).collect();
    assert_eq!(of_text(&store, &prefixes.join(" ")).await, [4]);
    let without: Vec<_> = words[1..1_000].iter().map(|word| format!("-{word}")).collect();
    // Nothing has the one word and none of the others: read as text, all of them are wanted.
    assert_eq!(of_text(&store, &format!("aa {}", without.join(" "))).await, [4]);
}

#[tokio::test]
async fn groups_as_deep_as_they_go() {
    let (store, _) = store().await;
    let all = |joined: fn(String, char) -> String| {
        LETTERS.chars().take(16).fold("z".to_owned(), |inner, letter| format!("({})", joined(inner, letter)))
    };
    assert_eq!(of_text(&store, &all(|inner, letter| format!("{inner} {letter}"))).await, [1, 3]);
    assert_eq!(of_text(&store, &all(|inner, letter| format!("{inner} OR {letter}"))).await, [1, 2, 3]);
    // Not (not (… z, or a) …, or p): what has none of it is found or not by turns.
    let expected = of_text(&store, &all(|inner, letter| format!("{letter} OR -{inner}"))).await;
    assert!(expected.contains(&1) && expected.contains(&3), "{expected:?}");
    // Sixteen groups beside each other at every depth.
    let wide = LETTERS.chars().take(15).fold("z".to_owned(), |inner, letter| {
        let beside: Vec<_> = (0..16).map(|_| format!("({letter} OR y)")).collect();
        format!("({inner} {})", beside.join(" "))
    });
    assert_eq!(of_text(&store, &wide).await, [1, 3]);
}

#[tokio::test]
async fn one_letter_and_a_star() {
    let (store, thread) = store().await;
    say(&store, thread, (0..300).map(|number| message(format!("q{number}x"), 4 + number))).await;
    assert_eq!(of_text(&store, "q*").await.len(), 302);
    let every: Vec<_> = LETTERS.chars().map(|letter| format!("{letter}*")).collect();
    assert_eq!(of_text(&store, &every.join(" OR ")).await.len(), 303);
    assert_eq!(of_text(&store, "\"a b\"*").await, [1, 3]);
}

#[tokio::test]
async fn the_longest_words_and_the_most_filters() {
    let (store, thread) = store().await;
    let long = "x".repeat(4_000);
    let values: serde_json::Map<_, _> =
        (0..MAX_METADATA_FILTERS).map(|number| (format!("key{number}"), vec![number; 20].into())).collect();
    let mut with_all = message(long.as_str(), 4);
    with_all.content = with_all.content.with_metadata(values.clone());
    say(&store, thread, [with_all]).await;
    let mut query = SearchQuery::new(long);
    for (key, value) in values {
        query.filter =
            query.filter.metadata(MetadataFilter::new(format!("/{key}"), value).expect("a filter"));
    }
    assert_eq!(found(&store, query).await, [4]);
}
