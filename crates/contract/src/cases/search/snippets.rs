//! What a hit shows of its message.

use chatkeep_domain::{MAX_SNIPPET_CHARS, SearchHit, SearchOrder, SearchQuery};

use crate::fixture::{Fixture, texts};

const ORDERS: [SearchOrder; 3] = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance];

/// What the ranges of a snippet mark.
fn marked(hit: &SearchHit) -> Vec<&str> {
    let snippet = &hit.snippet;
    assert!(snippet.text.chars().count() <= MAX_SNIPPET_CHARS, "the snippet {:?}", snippet.text);
    let is_apart = snippet.ranges.is_sorted_by(|one, next| one.end <= next.start);
    assert!(is_apart, "ranges in order and apart: {:?}", snippet.ranges);
    let part =
        |range: &std::ops::Range<usize>| snippet.text.get(range.clone()).expect("on character boundaries");
    snippet.ranges.iter().map(part).collect()
}

/// A snippet marks what was asked for, as it was written, and nothing that was excluded.
pub(crate) async fn a_snippet_marks_what_was_found(fixture: Fixture) {
    for (text, asked, expected) in [
        ("One Apple, two apples", "apple", "Apple"),
        ("One Apple, two apples", "app*", "Apple / apples"),
        ("crème in the Café, a CAFE\u{301}", "cafe", "Café / CAFE\u{301}"),
        ("tea with milk", "tea milk -coffee", "tea / milk"),
        ("GROSSE Straße 5", "strasse", "Straße"),
        ("tea with milk", "coffee OR milk", "milk"),
        ("🦀🦀 crab 🦀", "crab", "crab"),
    ] {
        for order in ORDERS {
            let ada = fixture.tenant();
            ada.says([text]).await;
            let hits = ada.hits(&SearchQuery::new(asked).order(order)).await;
            assert_eq!(hits.len(), 1, "{asked:?} in {text:?}");
            assert_eq!(marked(&hits[0]).join(" / "), expected, "{asked:?} in {text:?}");
        }
    }
}

/// A snippet marks a part within its whole.
pub(crate) async fn a_snippet_marks_the_part_that_was_found(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["call getUserName(id)", "Anna's report", "at 2026-11-26T10:00:00Z", "about 1,234,567 rows"])
        .await;
    for (asked, expected) in [
        ("user", "User"),
        ("getUser", "getUser"),
        ("getusername", "getUserName"),
        ("anna", "Anna"),
        ("anna's report", "Anna's / report"),
        ("2026-11-26", "2026-11-26"),
        ("10:00", "10:00"),
        ("1234567", "1,234,567"),
        ("234", "234"),
    ] {
        let hits = ada.hits(&SearchQuery::new(asked)).await;
        assert_eq!(hits.len(), 1, "{asked:?}");
        assert_eq!(marked(&hits[0]).join(" / "), expected, "{asked:?}");
    }
}

/// A snippet marks runs of a script without spaces.
pub(crate) async fn a_snippet_marks_runs_without_spaces(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["我喜欢吃北京烤鸭", "東京タワー", "สวัสดีชาวโลก"]).await;
    for (asked, expected) in [("北京烤", "北京烤"), ("鸭", "鸭"), ("タワー", "タワー"), ("ชาว", "ชาว")]
    {
        let hits = ada.hits(&SearchQuery::new(asked)).await;
        assert_eq!(hits.len(), 1, "{asked:?}");
        assert_eq!(marked(&hits[0]).concat(), expected);
    }
}

/// The snippet of a long message shows a place where something was found; without words, the beginning.
pub(crate) async fn the_snippet_of_a_long_message_shows_what_was_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let filler = "größere Wörter davor ";
    let text = format!("{}der Schatz {}", filler.repeat(100), filler.repeat(100));
    let talk = ada.says([text.as_str()]).await;
    let hits = ada.hits(&SearchQuery::new("schatz")).await;
    assert_eq!(marked(&hits[0]), ["Schatz"]);
    let hits = ada.hits(&SearchQuery::default().thread(talk.id)).await;
    assert!(marked(&hits[0]).is_empty(), "no words, no marks");
    let shown = hits[0].snippet.text.trim_end_matches('…').trim_end();
    assert!(!shown.is_empty() && text.starts_with(shown), "the snippet {shown:?}");
    assert_eq!(texts(&[hits[0].message.clone()]), [text], "the message is whole");
}
