//! What a content's object has under its keys.

use serde_json::{Map, Value};

/// A key's string; empty where it has none.
pub(super) fn string<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The objects of a key's list.
pub(super) fn list<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// What a person would read of an object.
pub(super) fn plain(object: &Map<String, Value>) -> String {
    let key = match string(object, "type") {
        "text" => "text",
        "tool_result" => "content",
        "tool_call" => {
            let arguments = object.get("arguments").unwrap_or(&Value::Null);
            return format!("{}({arguments})", string(object, "name"));
        }
        _ => "",
    };
    match object.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => Value::Object(object.clone()).to_string(),
    }
}
