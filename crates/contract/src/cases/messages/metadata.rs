//! What a filter on metadata finds: its path, and when two values are equal.

use chatkeep_domain::{Content, MessageFilter, MessageQuery};
use serde_json::{Value, json};

use crate::fixture::search::{assert_tagged, tagged, tagged_messages};
use crate::fixture::{Fixture, message};

/// Metadata is found by a path into objects and arrays.
pub(crate) async fn metadata_is_found_by_its_path(fixture: Fixture) {
    let talk = tagged_messages(
        &fixture.repo,
        &[
            json!({"a": {"b": [10, {"c": "deep"}]}, "plain": true}),
            json!({"a": {"b": [{"c": "deep"}, 10]}}),
            json!({"a.b": 10, "": {"": "empty"}, "a": {"b": {"0": 10}}}),
            json!({"x/y": {"m~n": "escaped"}, "~1": 1, "/": 2}),
        ],
    )
    .await;
    assert_tagged(
        &talk,
        &[
            ("/a/b/0", json!(10), "0 2"),
            ("/a/b/1", json!(10), "1"),
            ("/a/b/1/c", json!("deep"), "0"),
            ("/a/b/0/c", json!("deep"), "1"),
            ("/a.b", json!(10), "2"),
            ("//", json!("empty"), "2"),
            ("/x~1y/m~0n", json!("escaped"), "3"),
            ("/~01", json!(1), "3"),
            ("/~1", json!(2), "3"),
            ("/plain", json!(true), "0"),
            ("/plain", json!(false), ""),
            ("/a/b/00", json!(10), ""),
            ("/a/b/-", json!(10), ""),
            ("/a/b/2", json!(null), ""),
            ("/b", json!(10), ""),
        ],
    )
    .await;
}

/// Whole objects and arrays are equal as JSON: an array's order counts, an object's does not, and nothing is left out.
pub(crate) async fn whole_values_are_compared(fixture: Fixture) {
    let talk = tagged_messages(
        &fixture.repo,
        &[
            json!({"v": {"a": 1, "b": 2}}),
            json!({"v": {"b": 2, "a": 1}}),
            json!({"v": {"a": 1}}),
            json!({"v": [1, 2]}),
            json!({"v": [2, 1]}),
            json!({"v": [1, 2, 3]}),
            json!({"v": []}),
            json!({"v": {}}),
            json!({"v": null}),
            json!({"w": 1}),
            json!({"v": [[]]}),
        ],
    )
    .await;
    assert_tagged(
        &talk,
        &[
            ("/v", json!({"a": 1, "b": 2}), "0 1"),
            ("/v", json!({"a": 1}), "2"),
            ("/v", json!([1, 2]), "3"),
            ("/v", json!([]), "6"),
            ("/v", json!({}), "7"),
            ("/v", json!(null), "8"),
            ("/v/0", json!([]), "10"),
            ("/v/0", json!(1), "3 5"),
        ],
    )
    .await;
}

/// Numbers are equal as they were written: 1 is not 1.0 and not "1", and 2⁵³ is not 2⁵³ + 1; but 0.0 is -0.0.
pub(crate) async fn numbers_are_compared_as_written(fixture: Fixture) {
    let big = 9_007_199_254_740_992_u64;
    let talk = tagged_messages(
        &fixture.repo,
        &[
            json!({"n": 1}),
            json!({"n": 1.0}),
            json!({"n": "1"}),
            json!({"n": true}),
            json!({"n": 0.0}),
            json!({"n": -0.0}),
            json!({"n": 0}),
            json!({"n": big}),
            json!({"n": big + 1}),
            json!({"n": u64::MAX}),
            json!({"n": i64::MIN}),
            json!({"n": 0.1}),
            json!({"n": 1e300}),
        ],
    )
    .await;
    assert_tagged(
        &talk,
        &[
            ("/n", json!(1), "0"),
            ("/n", json!(1.0), "1"),
            ("/n", json!("1"), "2"),
            ("/n", json!(true), "3"),
            ("/n", json!(0.0), "4 5"),
            ("/n", json!(-0.0), "4 5"),
            ("/n", json!(0), "6"),
            ("/n", json!(big), "7"),
            ("/n", json!(big + 1), "8"),
            ("/n", json!(u64::MAX), "9"),
            ("/n", json!(i64::MIN), "10"),
            ("/n", json!(0.1), "11"),
            ("/n", json!(1e300), "12"),
            ("/n", json!([0.0]), ""),
        ],
    )
    .await;
}

/// Strings are equal byte by byte: no case, space or normal form is folded, and none is a pattern.
pub(crate) async fn strings_are_compared_byte_by_byte(fixture: Fixture) {
    let strings = [
        "gold",
        "Gold",
        "gold ",
        "caf\u{e9}",
        "cafe\u{301}",
        "g%",
        "%",
        "",
        "'",
        "\\",
        "\"",
        "🦀",
        "\u{202e}",
    ];
    let metadata: Vec<_> = strings.iter().map(|text| json!({"t": text, *text: 1})).collect();
    let talk = tagged_messages(&fixture.repo, &metadata).await;
    for (number, text) in strings.iter().enumerate() {
        let expected = number.to_string();
        assert_tagged(&talk, &[("/t", json!(text), &expected), (&format!("/{text}"), json!(1), &expected)])
            .await;
    }
    // The key of a number's text is not an index of an object.
    assert_tagged(&talk, &[("/t/0", json!("g"), ""), ("/T", json!("gold"), "")]).await;
}

/// U+0000 counts in keys and in values.
pub(crate) async fn nul_counts_in_metadata(fixture: Fixture) {
    let talk = tagged_messages(
        &fixture.repo,
        &[
            json!({"a\0b": "x\0y"}),
            json!({"ab": "xy"}),
            json!({"a": "b", "k": "x\0"}),
            json!({"a\\u0000b": "x\\u0000y", "k": "x"}),
        ],
    )
    .await;
    assert_tagged(
        &talk,
        &[
            ("/a\0b", json!("x\0y"), "0"),
            ("/ab", json!("xy"), "1"),
            ("/a\0b", json!("xy"), ""),
            ("/k", json!("x\0"), "2"),
            ("/a\\u0000b", json!("x\\u0000y"), "3"),
            ("/k", json!("x"), "3"),
            ("/k", json!("x\0\0"), ""),
        ],
    )
    .await;
}

/// Metadata of any number of values is found: one more than an index may keep, too.
pub(crate) async fn metadata_of_many_values_is_found(fixture: Fixture) {
    let of = |count: usize| {
        let values = (0..count).map(|key| (format!("k{key}"), json!(key)));
        Value::Object(values.chain([("count".to_owned(), json!(count))]).collect())
    };
    let talk = tagged_messages(
        &fixture.repo,
        &[of(62), of(63), of(64), of(65), of(1_000), json!({"list": vec![7; 500]})],
    )
    .await;
    assert_tagged(
        &talk,
        &[
            ("/k0", json!(0), "0 1 2 3 4"),
            ("/k62", json!(62), "1 2 3 4"),
            ("/k63", json!(63), "2 3 4"),
            ("/k64", json!(64), "3 4"),
            ("/k999", json!(999), "4"),
            ("/count", json!(65), "3"),
            ("/k0", json!(1), ""),
            ("/list/499", json!(7), "5"),
            ("/list/500", json!(7), ""),
        ],
    )
    .await;
}

/// A message without metadata, or with one that is no object, is found by no filter.
pub(crate) async fn what_has_no_metadata_is_not_found(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let contents = [
        json!({"type": "text", "text": "none", "k": 1}),
        json!({"type": "text", "text": "a list", "metadata": [1]}),
        json!({"type": "text", "text": "null", "metadata": null}),
        json!({"type": "parts", "parts": [{"type": "text", "text": "in a part", "metadata": {"k": 1}}]}),
        json!({"type": "poll", "metadata": {"k": 1}}),
    ];
    let said =
        talk.say(contents.map(|content| message(Content::from_value(content).expect("a content")))).await;
    for (path, value, expected) in [
        ("/k", json!(1), &said[4..]),
        ("/0", json!(1), &[]),
        ("/k", json!(null), &[]),
        ("/", json!(null), &[]),
    ] {
        let query =
            MessageQuery::default().filter(MessageFilter::new().metadata(tagged(path, value.clone())));
        assert_eq!(talk.read(&query).await, expected, "{path} = {value}");
    }
}
