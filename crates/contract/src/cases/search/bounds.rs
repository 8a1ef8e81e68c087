//! How much of a message is searched, and how long a search may be.

use chatkeep_domain::{MAX_CONTENT_BYTES, MAX_SEARCH_BYTES, SearchOrder, SearchQuery, StoreError};

use crate::fixture::{Fixture, Tenant, message};

/// How many words of a message are searched.
const MAX_WORDS: usize = 16_383;

/// How many times one word of it is.
const MAX_TIMES: usize = 255;

async fn count(ada: &Tenant, text: &str) -> usize {
    ada.hits(&SearchQuery::new(text)).await.len()
}

/// The first 16,383 words of a message are found, and no further ones.
pub(crate) async fn a_message_is_searched_up_to_its_word_16383(fixture: Fixture) {
    let ada = fixture.tenant();
    let words: Vec<_> = (1..=MAX_WORDS + 2).map(|number| format!("w{number}")).collect();
    ada.says([words.join(" ")]).await;
    for (text, expected) in [
        ("w1", 1),
        ("w16382 w1", 1),
        ("w16383", 1),
        ("\"w16382 w16383\"", 1),
        ("w16384", 0),
        ("w16385", 0),
        ("\"w16383 w16384\"", 0),
        ("w1 -w16384", 1),
        ("w1638*", 1),
    ] {
        assert_eq!(count(&ada, text).await, expected, "found by {text:?}");
    }
}

/// Of a word, the first 255 places are known to phrases.
pub(crate) async fn a_phrase_is_found_up_to_the_255th_place_of_a_word(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says([format!("{}last one", "again ".repeat(MAX_TIMES))]).await;
    ada.says([format!("{}last two", "again ".repeat(MAX_TIMES + 1))]).await;
    for (text, expected) in [
        ("\"again last\"", 1),
        ("\"again last one\"", 1),
        ("\"again last two\"", 0),
        ("\"last two\"", 1),
        ("again last two", 1),
        ("again last", 2),
    ] {
        assert_eq!(count(&ada, text).await, expected, "found by {text:?}");
    }
}

/// Long words use up a message's room of 1 MiB before there are 16,383 of them: the first are found.
pub(crate) async fn a_message_is_searched_up_to_its_first_mib(fixture: Fixture) {
    let ada = fixture.tenant();
    let word = |number: usize| format!("{number}{}", "w".repeat(100));
    let words: Vec<_> = (1..=12_000).map(word).collect();
    ada.says([words.join(" ")]).await;
    for (number, expected) in [(1, 1), (5_000, 1), (9_000, 1), (11_000, 0), (12_000, 0)] {
        assert_eq!(count(&ada, &word(number)).await, expected, "found by the word {number}");
    }
}

/// A message of 8 MiB is stored, and found by its first words; so is one without a space in it.
pub(crate) async fn a_message_of_8_mib_is_found_by_its_first_words(fixture: Fixture) {
    let ada = fixture.tenant();
    let room = MAX_CONTENT_BYTES - r#"{"type":"text","text":""}"#.len();
    let mut text = format!("unmistakable beginning {}", "and more words of it ".repeat(room / 21));
    text.truncate(room);
    let stored = ada.talk().await.say([message(text)]).await;
    let hits = ada.hits(&SearchQuery::new("\"unmistakable beginning\"")).await;
    assert_eq!(hits.len(), 1);
    assert!(hits[0].message == stored[0], "the message is whole");
    assert!(hits[0].snippet.text.starts_with("unmistakable beginning"));
    let talk = ada.talk().await;
    talk.say([message("x".repeat(room))]).await;
    let hits = ada.hits(&SearchQuery::new("xxxx*").thread(talk.id)).await;
    assert_eq!(hits.len(), 1, "one word of 8 MiB is found by its beginning");
}

/// The text of a search may have 4,096 bytes, and a longer one is refused.
pub(crate) async fn a_search_has_an_exact_length(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["a", "é"]).await;
    for text in ["a ".repeat(MAX_SEARCH_BYTES / 2), format!("{}a", " ".repeat(MAX_SEARCH_BYTES - 1))] {
        assert_eq!(text.len(), MAX_SEARCH_BYTES);
        assert_eq!(count(&ada, &text).await, 1);
        let refused = ada.search(&SearchQuery::new(format!("{text} "))).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "text");
    }
    let refused = ada.search(&SearchQuery::new(" ".repeat(MAX_SEARCH_BYTES + 1))).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "text");
    assert_eq!(count(&ada, &"é".repeat(MAX_SEARCH_BYTES / 2)).await, 0, "bytes count, not characters");
}

/// A search of the greatest length is answered whatever it is made of: deep nesting, many words, many alternatives.
pub(crate) async fn the_longest_searches_are_answered(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["a b c", "猫猫猫"]).await;
    let half = MAX_SEARCH_BYTES / 2;
    let distinct: Vec<_> = (0..500).map(|number| format!("w{number}")).collect();
    let excluded = format!("-{} a", distinct.join(" -"));
    for (text, expected) in [
        (format!("{}a{}", "(".repeat(half - 1), ")".repeat(half - 1)), 1),
        ("(".repeat(MAX_SEARCH_BYTES), 0),
        ("\"".repeat(MAX_SEARCH_BYTES), 0),
        ("-".repeat(MAX_SEARCH_BYTES), 0),
        (format!("{}a", "-(".repeat(10)), 1),
        ("a* ".repeat(1_365), 1),
        ("a OR ".repeat(800) + "b", 1),
        (distinct.join(" OR ") + " OR a", 1),
        (excluded, 1),
        (format!("\"{}\"", "a ".repeat(half - 1)), 0),
        ("猫".repeat(1_365), 0),
        ("猫 ".repeat(1_000), 1),
        ("👍".repeat(1_024), 0),
        ("a\u{301}".repeat(1_365), 0),
        // With parts, and with both readings.
        ("aB ".repeat(1_365), 1),
        ("aB,".repeat(1_365), 1),
        ("aB/".repeat(1_365), 0),
        ("aB OR ".repeat(600) + "c", 1),
        (format!("{}a{}", "(aB,bC OR -xY,z (".repeat(8), ")".repeat(16)), 1),
        (format!("{}c", "-(xY OR ".repeat(16)), 1),
        ("-aB,bC ".repeat(500), 1),
        ("-xY,z9 ".repeat(500) + "xyz", 0),
        (format!("a -a \"{}\"", "b ".repeat(half - 10)), 1),
    ] {
        assert!(text.len() <= MAX_SEARCH_BYTES, "{} bytes", text.len());
        let shown: String = text.chars().take(12).collect();
        for order in [SearchOrder::Newest, SearchOrder::Relevance] {
            let hits = ada.hits(&SearchQuery::new(text.as_str()).order(order)).await;
            assert_eq!(hits.len(), expected, "found by {shown:?}…");
        }
    }
}
