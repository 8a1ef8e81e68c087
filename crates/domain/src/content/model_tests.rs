//! A content is what the plain way makes of it: read as a [`Value`], kept as its object, written from there; except that what
//! the plain way reads as another value is refused.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Body, Content};
use crate::invalid::InvalidArgument;
use crate::json::kind as json_kind;
use crate::message::Message;
use crate::role::Role;
use crate::search::SearchDocument;
use crate::token::{CharEstimate, TokenCounter};

fn plainly(text: &str) -> Result<Map<String, Value>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column, text) = (error.line(), error.column(), error.to_string());
        let (reason, _) = text.rsplit_once(" at line ").unwrap();
        format!("content must be JSON (got an error at line {line} column {column}: {reason})")
    })?;
    if is_rounded(&value) {
        let rule = "content must have integers from -2^63 to 2^64 - 1, and others written as strings";
        return Err(format!("{rule} (got another one at "));
    }
    let Value::Object(object) = value else {
        return Err(format!("content must be a JSON object (got {})", json_kind(&value)));
    };
    match object.get("type") {
        Some(Value::String(_)) => Ok(object),
        other => {
            let actual = other.map_or("none", json_kind);
            Err(format!("content must have a string \"type\" (got {actual})"))
        }
    }
}

/// Whether one of [`json_text`]'s integers was rounded.
fn is_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.is_f64() && [2_f64.powi(64), -2_f64.powi(63)].contains(&number.as_f64().unwrap())
        }
        Value::Array(items) => items.iter().any(is_rounded),
        Value::Object(object) => object.values().any(is_rounded),
        _ => false,
    }
}

/// Whether the plain way lost one of two values: there are more colons than members.
fn is_lost(text: &str, value: &Value) -> bool {
    fn members(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(members).sum(),
            Value::Object(object) => object.values().map(|value| 1 + members(value)).sum(),
            _ => 0,
        }
    }
    let (mut colons, mut within, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'"' => within = !within,
            b'\\' => is_escaped = true,
            b':' if !within => colons += 1,
            _ => {}
        }
    }
    colons != members(value)
}

fn assert_same(content: &Content, object: &Map<String, Value>) {
    let text = Value::Object(object.clone()).to_string();
    assert_eq!(content.encode().unwrap(), text);
    assert_eq!(content.checked_size().unwrap(), text.len());
    assert_eq!(serde_json::to_value(content).unwrap(), Value::Object(object.clone()));
    assert_eq!(content.kind(), object["type"]);
    for key in ["type", "text", "metadata", "other"] {
        assert_eq!(content.get(key), object.get(key));
    }
    // A copy shares the object, whichever is asked first.
    assert_eq!(content.clone().as_object(), object);
    assert_eq!(content.as_object(), object);
    assert_eq!(Value::from(content.clone()), Value::Object(object.clone()));

    let is_text =
        object.len() == 2 && object["type"] == "text" && object.get("text").is_some_and(Value::is_string);
    assert_eq!(matches!(content.0, Body::Text(_)), is_text);
    let from_value = Content::from_value(Value::Object(object.clone())).unwrap();
    assert!(from_value == *content && from_value.is_identical(content));
    let borrowed: Content = serde_json::from_str(&text).unwrap();
    assert!(borrowed == *content && borrowed.is_identical(content));
    let owned: Content = serde_json::from_reader(text.as_bytes()).unwrap();
    assert!(owned == *content && owned.is_identical(content));
    let moved: Content = serde_json::from_value(Value::Object(object.clone())).unwrap();
    assert!(moved == *content && moved.is_identical(content));
}

/// Both ways accept it, or refuse it in the same words; what the plain way loses is refused.
fn read(text: &str) -> Option<(Content, Map<String, Value>)> {
    #[derive(Deserialize)]
    #[serde(try_from = "Value")]
    struct Plain(Content);

    impl TryFrom<Value> for Plain {
        type Error = InvalidArgument;

        fn try_from(value: Value) -> Result<Self, InvalidArgument> {
            Content::from_value(value).map(Self)
        }
    }

    let got = Content::from_json(text);
    let is_lost = serde_json::from_str(text).map(|value| is_lost(text, &value));
    if got.as_ref().is_err_and(|error| error.actual.contains("a key twice in one object")) {
        assert!(is_lost.unwrap_or(true), "{text}");
        return None;
    }
    assert!(!is_lost.unwrap_or(false), "{text}");
    let direct = serde_json::from_str::<Content>(text).map_err(|error| error.to_string());
    let plain = serde_json::from_str::<Plain>(text).map(|plain| plain.0).map_err(|error| error.to_string());
    assert_eq!(direct, plain);
    match (got, plainly(text)) {
        (Ok(content), Ok(object)) => Some((content, object)),
        (Err(error), Err(expected)) => {
            assert!(error.to_string().starts_with(&expected), "{error} / {expected}");
            None
        }
        (got, expected) => panic!("{text}\n     got {:?}\nexpected {expected:?}", got.map(Value::from)),
    }
}

fn check(text: &str) {
    if let Some((content, object)) = read(text) {
        assert_same(&content, &object);
    }
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => ".*".prop_map(|text| json!(text).to_string()),
        2 => "[\u{0}-\u{1F}\"\\\\/\u{7F}a-c]*".prop_map(|text| json!(text).to_string()),
        2 => proptest::sample::select(vec![
            r#""text""#, r#""te\u0078t""#, r#""\u0000""#, r#""\ud83d\ude00""#, r#""\ud83d""#, r#""\udc00""#,
            r#""\x""#, "\"\u{0}\"", r#""unended"#, r#""\/\b\f\n\r\t""#,
        ])
        .prop_map(str::to_owned),
    ]
}

/// JSON, or nearly, as text.
fn json_text() -> impl Strategy<Value = String> {
    let plain = proptest::sample::select(vec![
        "null",
        "true",
        "0",
        "-0",
        "-0.0",
        "0.1",
        "1e16",
        "1e-7",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e308",
        "1e999",
        "01",
        "1.",
        "tru",
        "",
    ]);
    let leaf = prop_oneof![plain.prop_map(str::to_owned), string()];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            members(inner),
        ]
    })
}

fn members(value: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let key = proptest::sample::select(vec![
        r#""type""#,
        r#""type""#,
        r#""text""#,
        r#""t\u0065xt""#,
        r#""metadata""#,
        r#""other""#,
        r#""\ud800""#,
        "7",
    ]);
    let value = prop_oneof![2 => string(), 1 => Just(r#""text""#.to_owned()), 1 => value];
    let member = (key, value).prop_map(|(key, value)| format!("{key}: {value}"));
    proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(" ,\n")))
}

/// What most texts are: an object with a type.
fn content_text() -> impl Strategy<Value = String> {
    let text = string().prop_map(|text| format!(r#""text":{text}"#));
    let texts = proptest::collection::vec(text, 1..3).prop_map(|texts| texts.join(","));
    let rest = proptest::option::of(json_text().prop_map(|value| format!(r#","metadata":{value}"#)));
    (texts, rest, any::<bool>()).prop_map(|(texts, rest, is_last)| {
        let rest = rest.unwrap_or_default();
        if is_last {
            format!(r#"{{{texts}{rest},"type":"text"}}"#)
        } else {
            format!(r#"{{"type":"text",{texts}{rest}}}"#)
        }
    })
}

proptest! {
    #[test]
    fn reads_and_writes_as_the_plain_way_does(
        text in prop_oneof![3 => content_text(), 2 => members(json_text()), 1 => json_text()],
        behind in proptest::sample::select(vec!["", "", "", " \n", "x", "{}"]),
        cut in proptest::option::weighted(0.1, any::<proptest::sample::Index>()),
    ) {
        let text = text + behind;
        let len = cut.map_or(text.len(), |cut| text.floor_char_boundary(cut.index(text.len() + 1)));
        check(&text[..len]);
    }

    #[test]
    fn made_text_is_the_same_as_read_text(text in ".*|[\u{0}-\u{1F}\"\\\\a]*") {
        let object = Map::from_iter([("type".to_owned(), json!("text")), ("text".to_owned(), json!(text))]);
        assert_same(&Content::text(&*text), &object);
        assert_same(&Content::from(text), &object);
    }

    #[test]
    fn texts_are_equal_where_their_objects_are(one in content_text(), other in content_text()) {
        if let (Ok(one), Ok(other)) = (Content::from_json(&one), Content::from_json(&other)) {
            assert_eq!(one == other, one.as_object() == other.as_object());
        }
    }
}

#[test]
fn nesting_is_refused_where_the_plain_way_refuses_it() {
    let nested = |levels: usize, open: &str, close: &str| open.repeat(levels) + "1" + &close.repeat(levels);
    for levels in 120..135 {
        for deep in [nested(levels, "[", "]"), nested(levels, r#"{"a":"#, "}")] {
            for key in ["text", "type", "other"] {
                read(&format!(r#"{{"type":"deep","{key}":{deep}}}"#));
            }
            read(&deep);
        }
    }
}

#[test]
fn text_goes_to_a_store_and_into_an_index_without_its_object() {
    let content = Content::from_json(r#"{"type":"text","text":"said"}"#).unwrap();
    content.encode().unwrap();
    content.validate().unwrap();
    assert!(content.is_identical(&content.clone()));
    assert_eq!((content.kind(), content.as_text()), ("text", Some("said")));
    assert_eq!((content.metadata(), content.get("metadata")), (None, None));
    assert_eq!((content.tool_calls().len(), content.tool_results().len()), (0, 0));
    assert_eq!(SearchDocument::of(&content).words().count(), 1);
    assert_eq!(CharEstimate.count(&Message::new(Role::User, content.clone())), 1);
    assert!(matches!(&content.0, Body::Text(text) if !text.has_object()));
    assert_eq!(content.get("text"), Some(&json!("said")));
    assert!(matches!(&content.0, Body::Text(text) if text.has_object()));
}
