use serde_json::json;

use super::*;

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
    assert_eq!(error.to_string(), "content must be JSON (got an error at line 1 column 10)");
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
