use serde_json::json;

use super::*;
use crate::json::MAX_JSON_DEPTH;

#[test]
fn refuses_what_has_no_type_and_does_not_repeat_it() {
    for (bad, message) in [
        (json!("secret"), "content must be a JSON object (got a string)"),
        (json!({"text": "secret"}), "content must have a string \"type\" (got none)"),
        (json!({"type": 7}), "content must have a string \"type\" (got a number)"),
    ] {
        assert_eq!(Content::from_value(bad).unwrap_err().to_string(), message);
    }
    let error = Content::from_json("{\"type\": secret").unwrap_err();
    assert_eq!(error.to_string(), "content must be JSON (got an error at line 1 column 10: expected value)");
}

#[test]
fn debug_shows_no_content() {
    assert_eq!(format!("{:?}", Content::text("secret")), "Content(text, 31 bytes)");
    let call = Content::tool_call("c", "t", json!({"city": "secret"}));
    assert_eq!(
        format!("{:?}", call.tool_calls()),
        r#"[ToolCall { id: "c", name: "t", arguments: an object }]"#
    );
    let result = Content::tool_result("c", "t", "secret");
    assert_eq!(
        format!("{:?}", result.tool_results()),
        r#"[ToolResult { tool_call_id: "c", name: "t", content: a string }]"#
    );
}

#[test]
fn size_and_depth_have_exact_limits() {
    let frame = Content::text("").encode().unwrap().len();
    let full = Content::text("x".repeat(MAX_CONTENT_BYTES - frame));
    assert_eq!(full.encode().unwrap().len(), MAX_CONTENT_BYTES);
    let over = Content::text("x".repeat(MAX_CONTENT_BYTES - frame + 1));
    assert!(matches!(over.encode(), Err(StoreError::TooLarge { actual, .. }) if actual == 8_388_609));
    assert!(over.validate().is_err());

    let nested = |levels| {
        let deep = (0..levels).fold(Value::Null, |inner, _| json!([inner]));
        Content::from_value(json!({"type": "deep", "deep": deep})).unwrap()
    };
    let text = nested(MAX_JSON_DEPTH - 1).encode().unwrap();
    assert_eq!(Content::from_json(&text).unwrap(), nested(MAX_JSON_DEPTH - 1));
    assert!(matches!(nested(MAX_JSON_DEPTH).encode(), Err(StoreError::TooLarge { limit: 100, .. })));
}

#[test]
fn finds_calls_and_results_in_every_shape() {
    let call = |id| Content::tool_call(id, "t", json!({}));
    let openai = json!({"type": "message", "tool_calls": [{"id": "c", "function": {"name": "f"}}]});
    let ids = |content: &Content| -> Vec<String> {
        content.tool_calls().iter().map(|call| format!("{}:{}", call.id, call.name)).collect()
    };
    assert_eq!(ids(&Content::parts([Content::text("x"), call("a"), call("b")])), ["a:t", "b:t"]);
    assert_eq!(ids(&Content::from_value(openai).unwrap()), ["c:f"]);
    let results = Content::parts([Content::tool_result("a", "t", "1"), Content::tool_result("b", "t", 2)]);
    assert_eq!(results.tool_results().len(), 2);
    assert_eq!(results.to_plain_text(), "1\n2");
}

/// A content with this value, and the same value in a list of a key that comes before the type.
fn with(value: &str) -> [String; 2] {
    [
        format!(r#"{{"type":"number","value":{value}}}"#),
        format!("{{\"a\":\n[1, {{\"b\": {value}}}], \"type\": \"text\", \"text\": \"\\\"\"}}"),
    ]
}

#[test]
fn an_integer_that_64_bits_do_not_hold_is_refused_not_rounded() {
    for wide in [
        "18446744073709551616",
        "-9223372036854775809",
        "99999999999999999999",
        "-18446744073709551615",
        "100000000000000000000",
        "123456789012345678901234567890",
    ] {
        let [line_1, line_2] = with(wide).map(|text| Content::from_json(&text).unwrap_err().to_string());
        let rule = "content must have integers from -2^63 to 2^64 - 1, and others written as strings";
        assert_eq!(line_1, format!("{rule} (got another one at line 1 column 26)"));
        assert_eq!(line_2, format!("{rule} (got another one at line 2 column 11)"));
    }
}

#[test]
fn every_other_number_keeps_its_bits() {
    for (text, value) in [
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("0", json!(0)),
        ("-0", json!(-0.0)),
        ("1.0", json!(1.0)),
        ("1e16", json!(1e16)),
        ("1E+300", json!(1e300)),
        ("123456789012345678901234567890.0", json!(123_456_789_012_345_678_901_234_567_890.0)),
        ("-100000000000000000000e-2", json!(-1e18)),
        ("0.1234567890123456789012345", json!(0.123_456_789_012_345_68)),
        ("1.8446744073709552e19", json!(18_446_744_073_709_551_616.0)),
        (r#""18446744073709551616""#, json!("18446744073709551616")),
        (r#""\"18446744073709551616,""#, json!("\"18446744073709551616,")),
    ] {
        let [content, _] = with(text).map(|text| Content::from_json(&text).unwrap());
        assert_eq!(content.get("value").unwrap().to_string(), value.to_string(), "{text}");
        assert_eq!(Content::from_json(&content.encode().unwrap()).unwrap(), content, "{text}");
    }
}

#[test]
fn a_key_twice_in_one_object_is_refused_not_lost() {
    for (text, column) in [
        (r#"{"type":"a","b":1,"b":1}"#, 21),
        (r#"{"type":"a","b":[{"c":{},"d":2,"c":3}]}"#, 34),
        (r#"{"type":"a","b":{"":1,"":2}}"#, 24),
        (r#"{"type":"a","type":"a"}"#, 18),
        (r#"{"type":"text","text":1,"t\u0065xt":"b"}"#, 35),
    ] {
        let error = Content::from_json(text).unwrap_err().to_string();
        let rule = "content must be JSON that can be kept whole";
        let reason = "invalid value: a key twice in one object, expected each key once";
        assert_eq!(error, format!("{rule} (got an error at line 1 column {column}: {reason})"));
        let error = serde_json::from_str::<Content>(text).unwrap_err().to_string();
        assert_eq!(error, format!("{reason} at line 1 column {column}"));
    }
    assert!(Content::from_json(r#"{"type":"a","b":{"b":1},"c":{"b":1},"B":1}"#).is_ok());
}

#[test]
fn what_is_no_json_is_refused_with_the_reason() {
    for (bad, place) in [
        (r#"{"type":"a","n":1e400}"#, "column 21: number out of range"),
        (r#"{"type":"a","s":"\ud800"}"#, "column 24: unexpected end of hex escape"),
        (&format!(r#"{{"type":"a","d":{}"#, "[".repeat(200)), "column 143: recursion limit exceeded"),
    ] {
        let error = Content::from_json(bad).unwrap_err().to_string();
        assert_eq!(error, format!("content must be JSON (got an error at line 1 {place})"));
    }
}

/// In programs with `serde_json`'s feature `arbitrary_precision` a value may hold such an integer.
#[test]
fn what_is_written_can_be_read_again() {
    for number in ["18446744073709551616", "-9223372036854775809", "0.10", "1e300"] {
        let value: Value = serde_json::from_str(&format!(r#"{{"type":"n","n":[{number}]}}"#)).unwrap();
        let content = Content::from_value(value).unwrap();
        match content.encode() {
            Ok(text) => assert_eq!(Content::from_json(&text).unwrap(), content, "{number}"),
            Err(error) => {
                assert!(error.to_string().contains("must have integers from -2^63"), "{error}");
                assert!(content.validate().is_err());
                let filter =
                    crate::metadata_filter::MetadataFilter::new("/n", content.get("n").unwrap().clone());
                assert!(filter.unwrap_err().to_string().starts_with("metadata must have integers"));
            }
        }
    }
}
