use serde_json::json;

use super::texts::{MAX_TEXT_BYTES, Texts};
use super::*;

fn words(content: &Content) -> Vec<String> {
    let document = SearchDocument::of(content);
    let mut words: Vec<_> = document
        .words()
        .flat_map(|(word, positions)| positions.iter().map(move |position| (*position, word.to_owned())))
        .collect();
    words.sort();
    words.into_iter().map(|(position, word)| format!("{position}:{word}")).collect()
}

#[test]
fn reads_every_shape_with_a_gap_between_texts() {
    let parts = Content::parts([
        Content::text("look at this"),
        Content::image("https://example.org/secret.png"),
        Content::tool_call("call_1", "weather", json!({"city": "Oslo", "days": 3, "now": true})),
        Content::tool_result("call_1", "weather", json!([{"type": "text", "text": "rain"}, 8])),
    ]);
    let expected = ["1:look", "2:at", "3:this", "5:weather", "7:oslo", "9:3", "11:rain", "13:8"];
    assert_eq!(words(&parts), expected);
    let custom = json!({"type": "poll", "options": ["yes", "no"], "metadata": {"hidden": "x"}});
    assert_eq!(words(&Content::from_value(custom).unwrap()), ["1:yes", "3:no"]);
}

#[test]
fn other_readings_come_behind_all_texts() {
    let parts = Content::parts([Content::text("call getUserName now, PR7"), Content::text("at 10:00:05Z")]);
    let expected = [
        "1:call",
        "2:getusername",
        "3:now",
        "4:pr7",
        "6:at",
        "7:10",
        "8:00",
        "9:05z", // as it is written
        "11:get",
        "12:user",
        "13:name",
        "15:pr",
        "16:7",
        "18:10",
        "19:00",
        "20:05",
        "21:z",
    ];
    let mut found = words(&parts);
    found.sort_by_key(|word| word.split(':').next().unwrap().parse::<u16>().unwrap());
    assert_eq!(found, expected);
    assert_eq!(words(&Content::text("Anna's don't")), ["1:annas", "2:dont", "4:anna", "5:s"]);
}

#[test]
fn a_piece_is_read_again_once() {
    let found = words(&Content::text("aB/cD"));
    assert_eq!(found, ["1:ab", "2:cd", "4:a", "5:b", "6:c", "7:d"]);
}

#[test]
fn other_readings_take_no_position_of_a_word() {
    let text = "aB ".repeat(16_382) + "last";
    let document = SearchDocument::of(&Content::text(&*text));
    assert_eq!(document.positions("last"), [16_383]);
    assert_eq!(document.positions("a"), [0u16; 0]);
    let document = SearchDocument::of(&Content::text(&text[3..]));
    assert_eq!((document.positions("last"), document.positions("a")), (&[16_382][..], &[0u16; 0][..]));
    let document = SearchDocument::of(&Content::text(&text[6..]));
    assert_eq!((document.positions("last"), document.positions("a")), (&[16_381][..], &[16_383][..]));
}

#[test]
fn goes_as_far_as_a_tsvector() {
    let numbered: Vec<_> = (1..=20_000).map(|number| format!("w{number}")).collect();
    let document = SearchDocument::of(&Content::text(numbered.join(" ")));
    assert_eq!(document.positions("w16383"), [16_383]);
    assert_eq!(document.positions("w16384"), [0u16; 0]);

    let document = SearchDocument::of(&Content::text("again ".repeat(300) + "last"));
    assert_eq!(document.positions("again").len(), 255);
    assert_eq!(document.positions("last"), [301]);

    let long: Vec<_> = (0..16_000).map(|number| format!("{number:0>120}")).collect();
    let bytes: usize = SearchDocument::of(&Content::text(long.join(" ")))
        .words()
        .map(|(word, at)| word.len() + 1 + 2 + 2 * at.len())
        .sum();
    assert!((900_000..=960 * 1_024).contains(&bytes), "{bytes}");
}

#[test]
fn what_is_asked_alone_has_as_much_room_as_all_words() {
    let long: Vec<_> = (1..=16_000).map(|number| format!("{number:0>120}")).collect();
    let content = Content::text(long.join(" "));
    let document = SearchDocument::of(&content);
    let (last, _) = document.words().last().unwrap();
    let unread = format!("{:0>120}", last.parse::<usize>().unwrap() + 1);
    let is_asked = |word: &str| [last, &unread].contains(&word);
    let asked = SearchDocument::of_asked(&content, is_asked);
    assert_eq!(asked.positions(last), document.positions(last));
    assert_eq!((asked.positions(&unread), asked.len()), (&[][..], document.len()));
}

#[test]
fn debug_shows_no_words() {
    assert_eq!(format!("{:?}", SearchDocument::of(&Content::text("my secret"))), "SearchDocument of 2 words");
}

#[test]
fn reads_the_first_mebibyte() {
    let text = |blanks: usize| Content::text(format!("first{}last", " ".repeat(blanks)));
    assert_eq!(words(&text(MAX_TEXT_BYTES - 9)), ["1:first", "2:last"]);
    assert_eq!(words(&text(MAX_TEXT_BYTES - 8)), ["1:first", "2:las"]);
    let two = Content::parts([Content::text("é".repeat(MAX_TEXT_BYTES)), Content::text("unread")]);
    assert_eq!(texts(&two).len(), 1);
    let exact = Content::parts([Content::text("x".repeat(MAX_TEXT_BYTES)), Content::text("unread")]);
    assert_eq!(texts(&exact).len(), 1);
}

#[test]
fn collects_no_more_than_it_reads() {
    let numbers = json!({"type": "poll", "options": vec![1_234; 1_000_000], "unread": "x"});
    let content = Content::from_value(numbers).unwrap();
    let mut collected = Texts { texts: Vec::new(), room: 10 };
    assert!(collected.add_all(&content).is_break());
    assert_eq!(collected.texts, ["1234", "1234", "12"]);
    assert_eq!(texts(&content).len(), MAX_TEXT_BYTES / 4);
}
