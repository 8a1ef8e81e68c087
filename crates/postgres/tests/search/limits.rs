//! The largest questions that the grammar lets through: PostgreSQL takes a `tsquery` of 1 MB.

use chatkeep_domain::{MAX_METADATA_FILTERS, MessageSearch, MetadataFilter, SearchOrder, SearchQuery};
use chatkeep_postgres::PostgresRepository;

use crate::common::{create_thread, message, scope};
use crate::fixture::{Store, append, found, metadata, on_postgres};

on_postgres!(
    two_thousand_words_at_once,
    two_thousand_different_words,
    groups_as_deep_as_they_go,
    one_letter_and_a_star,
    the_longest_words_and_the_most_filters,
);

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

async fn repository(store: &Store) -> PostgresRepository {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    let spelled: Vec<_> = LETTERS.chars().map(String::from).collect();
    let alphabet = spelled.join(" ");
    append(
        &repository,
        [message(1, &alphabet), message(2, "b"), message(3, &vec![alphabet.as_str(); 80].join(" "))],
    )
    .await;
    repository
}

/// Every order, and both ways of reading.
async fn in_every_order(repository: &PostgresRepository, text: &str) -> Vec<i64> {
    let positions = found(repository, SearchQuery::new(text)).await;
    for order in [SearchOrder::Oldest, SearchOrder::Relevance] {
        assert_eq!(found(repository, SearchQuery::new(text).order(order)).await, positions, "{order:?}");
    }
    positions
}

async fn two_thousand_words_at_once(store: Store) {
    let repository = repository(&store).await;
    let letters: Vec<_> = LETTERS.chars().cycle().take(2_000).map(String::from).collect();
    assert_eq!(in_every_order(&repository, &letters.join(" ")).await, [1, 3]);
    let phrase = format!("\"{}\"", letters.join(" "));
    assert_eq!(in_every_order(&repository, &phrase).await, [3]);
    assert_eq!(in_every_order(&repository, &format!("-({}) b", letters[2..26].join(" OR "))).await, [2]);
    // OR takes four bytes more.
    let either = letters[..800].join(" OR ");
    assert_eq!(in_every_order(&repository, &either).await, [1, 2, 3]);
    let neither: Vec<_> =
        letters[2..1_300].iter().filter(|letter| *letter != "b").map(|it| format!("-{it}")).collect();
    assert_eq!(in_every_order(&repository, &format!("b {}", neither.join(" "))).await, [2]);
}

/// Of equal words, a store may make one.
async fn two_thousand_different_words(store: Store) {
    let repository = repository(&store).await;
    // Letters of Latin, Greek and Cyrillic, alone and in pairs, as many as the limit on the text's length takes.
    let words: Vec<String> = LETTERS
        .chars()
        .flat_map(|first| LETTERS.chars().map(move |second| format!("{first}{second}")))
        .chain(('0'..='9').flat_map(|first| LETTERS.chars().map(move |second| format!("{first}{second}"))))
        .chain(LETTERS.chars().flat_map(|first| ('0'..='9').map(move |second| format!("{first}{second}"))))
        .collect();
    append(&repository, [message(4, &words.join(" "))]).await;
    assert_eq!(in_every_order(&repository, &words.join(" ")).await, [4]);
    assert_eq!(in_every_order(&repository, &format!("\"{}\"", words.join(" "))).await, [4]);
    assert_eq!(in_every_order(&repository, &words[..580].join(" OR ")).await, [4]);
    let prefixes: Vec<_> = words[..1_000].iter().map(|word| format!("{word}*")).collect();
    assert_eq!(in_every_order(&repository, &prefixes.join(" ")).await, [4]);
    let without: Vec<_> = words[1..1_000].iter().map(|word| format!("-{word}")).collect();
    // Nothing has the one word and none of the others: read as text, all of them are wanted.
    assert_eq!(in_every_order(&repository, &format!("aa {}", without.join(" "))).await, [4]);
}

async fn groups_as_deep_as_they_go(store: Store) {
    let repository = repository(&store).await;
    let all = |joined: fn(String, char) -> String| {
        LETTERS.chars().take(16).fold("z".to_owned(), |inner, letter| format!("({})", joined(inner, letter)))
    };
    assert_eq!(in_every_order(&repository, &all(|inner, letter| format!("{inner} {letter}"))).await, [1, 3]);
    assert_eq!(
        in_every_order(&repository, &all(|inner, letter| format!("{inner} OR {letter}"))).await,
        [1, 2, 3]
    );
    // Not (not (… z, or a) …, or p): what has none of it is found or not by turns.
    let nested = all(|inner, letter| format!("{letter} OR -{inner}"));
    let expected = in_every_order(&repository, &nested).await;
    assert!(expected.contains(&1) && expected.contains(&3), "{expected:?}");
    // Sixteen groups beside each other at every depth.
    let wide = LETTERS.chars().take(15).fold("z".to_owned(), |inner, letter| {
        let beside: Vec<_> = (0..16).map(|_| format!("({letter} OR y)")).collect();
        format!("({inner} {})", beside.join(" "))
    });
    assert_eq!(in_every_order(&repository, &wide).await, [1, 3]);
}

async fn one_letter_and_a_star(store: Store) {
    let repository = repository(&store).await;
    append(&repository, (0..300).map(|number| message(100 + number, &format!("q{number}x")))).await;
    assert_eq!(found(&repository, SearchQuery::new("q*")).await.len(), 302);
    let every: Vec<_> = LETTERS.chars().map(|letter| format!("{letter}*")).collect();
    assert_eq!(found(&repository, SearchQuery::new(every.join(" OR "))).await.len(), 303);
    assert_eq!(in_every_order(&repository, "\"a b\"*").await, [1, 3]);
}

async fn the_longest_words_and_the_most_filters(store: Store) {
    let repository = repository(&store).await;
    let long = "x".repeat(4_000);
    let mut values = serde_json::Map::new();
    for number in 0..MAX_METADATA_FILTERS {
        values.insert(format!("key{number}"), vec![number; 20].into());
    }
    let mut with_all = message(4, &long);
    with_all.content = with_all.content.with_metadata(metadata(values.clone().into()));
    append(&repository, [with_all]).await;
    let mut query = SearchQuery::new(&long);
    for (key, value) in values {
        query.filter = query.filter.metadata(MetadataFilter::new(format!("/{key}"), value).unwrap());
    }
    assert_eq!(repository.search_messages(&scope(), &query).await.unwrap().items.len(), 1);
}
