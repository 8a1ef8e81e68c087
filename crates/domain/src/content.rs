//! What a message says: a JSON object with a string `type`.

mod limits;
mod tools;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::limits::json_size;
pub use self::limits::{MAX_CONTENT_BYTES, MAX_JSON_DEPTH};
use self::limits::{check_depth, check_size, unwritable};
pub use self::tools::{ToolCall, ToolResult};
use crate::{InvalidArgument, Metadata, StoreError};

/// What a message says: a JSON object with a string `type`. What goes in comes out equal.
///
/// Typed constructors make the usual shapes; any other object with a `type` is kept as it came.
///
/// | `type` | further keys | made by |
/// |---|---|---|
/// | `text` | `text` | [`Content::text`] |
/// | `tool_call` | `id`, `name`, `arguments` | [`Content::tool_call`] |
/// | `tool_result` | `tool_call_id`, `name`, `content` | [`Content::tool_result`] |
/// | `image` | `url` | [`Content::image`] |
/// | `file` | `url`, `name` | [`Content::file`] |
/// | `parts` | `parts`: a list of the above | [`Content::parts`] |
///
/// Each may carry `metadata`, an object. Numbers are those of JSON as `serde_json` reads it: integers of `i64` and
/// `u64`, else `f64`. `Debug` shows the type and the size, never what is said.
///
/// ```
/// use chatkeep_domain::Content;
/// use serde_json::json;
///
/// let text = Content::text("hello");
/// assert_eq!(text.as_text(), Some("hello"));
///
/// let call = Content::tool_call("call_1", "weather", json!({"city": "Oslo"}));
/// assert_eq!(call.tool_calls()[0].arguments["city"], "Oslo");
///
/// let custom = Content::from_value(json!({"type": "poll", "options": ["a", "b"]}))?;
/// assert_eq!(custom.kind(), "poll");
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Content(Map<String, Value>);

impl Content {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::object("text", [("text", text.into().into())])
    }

    /// A model's request to run a tool. Parallel calls are [`Content::parts`] of one message, or several messages in a
    /// row.
    pub fn tool_call(id: impl Into<String>, name: impl Into<String>, arguments: Value) -> Self {
        let (id, name) = (id.into().into(), name.into().into());
        Self::object("tool_call", [("id", id), ("name", name), ("arguments", arguments)])
    }

    /// A tool's answer to the call with this id. `content` is any JSON; a string is the usual one.
    pub fn tool_result(
        tool_call_id: impl Into<String>,
        name: impl Into<String>,
        content: impl Into<Value>,
    ) -> Self {
        let (id, name) = (tool_call_id.into().into(), name.into().into());
        Self::object("tool_result", [("tool_call_id", id), ("name", name), ("content", content.into())])
    }

    /// An image by its URL; a `data:` URL carries the image itself.
    pub fn image(url: impl Into<String>) -> Self {
        Self::object("image", [("url", url.into().into())])
    }

    /// A file by its URL and name.
    pub fn file(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self::object("file", [("url", url.into().into()), ("name", name.into().into())])
    }

    /// Several contents said at once: text beside images, or parallel tool calls.
    pub fn parts(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::object("parts", [("parts", parts.into_iter().map(Value::from).collect())])
    }

    /// Any object with a string `type`.
    ///
    /// # Errors
    /// [`InvalidArgument`] for another JSON value, or an object without a string `type`.
    pub fn from_value(value: Value) -> Result<Self, InvalidArgument> {
        let Value::Object(object) = value else {
            return Err(InvalidArgument::new("content", "must be a JSON object", json_kind(&value)));
        };
        match object.get("type") {
            Some(Value::String(_)) => Ok(Self(object)),
            other => {
                let actual = other.map_or("none", json_kind);
                Err(InvalidArgument::new("content", "must have a string \"type\"", actual))
            }
        }
    }

    /// The same, from JSON text.
    ///
    /// # Errors
    /// [`InvalidArgument`] also for what is not JSON; it says where, not what.
    pub fn from_json(text: &str) -> Result<Self, InvalidArgument> {
        let value = serde_json::from_str(text).map_err(|error| {
            let place = format!("an error at line {} column {}", error.line(), error.column());
            InvalidArgument::new("content", "must be JSON", place)
        })?;
        Self::from_value(value)
    }

    /// With `metadata`, in place of what it had.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.insert("metadata".to_owned(), Value::Object(metadata));
        self
    }

    /// The `type`.
    pub fn kind(&self) -> &str {
        string(&self.0, "type")
    }

    /// The text, when the type is `text`.
    pub fn as_text(&self) -> Option<&str> {
        (self.kind() == "text").then(|| self.0.get("text")?.as_str()).flatten()
    }

    /// The `metadata`, where it is an object.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.0.get("metadata")?.as_object()
    }

    /// Any key's value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The whole object.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// What a person would read, for prompts and estimates: the text of text, of tool results and of every part,
    /// one a line; a tool call as `name(arguments)`; any other shape as its JSON.
    pub fn to_plain_text(&self) -> String {
        let lines: Vec<String> =
            self.pieces().filter(|object| !object.contains_key("parts")).map(plain).collect();
        lines.join("\n")
    }

    /// Whether the two are the same JSON text. It tells 0.0 from -0.0, which `==` does not.
    pub fn is_identical(&self, other: &Self) -> bool {
        self == other && serde_json::to_string(&self.0).ok() == serde_json::to_string(&other.0).ok()
    }

    /// Refuses what no store takes: over [`MAX_CONTENT_BYTES`] of JSON, or deeper than [`MAX_JSON_DEPTH`].
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn validate(&self) -> Result<(), StoreError> {
        self.checked_size().map(drop)
    }

    /// The same check, and the content as JSON text.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn encode(&self) -> Result<String, StoreError> {
        check_depth(&self.0)?;
        let text = serde_json::to_string(&self.0).map_err(unwritable)?;
        check_size(text.len())?;
        Ok(text)
    }

    pub(crate) fn checked_size(&self) -> Result<usize, StoreError> {
        let size = json_size(&self.0)?;
        check_size(size)?;
        Ok(size)
    }

    fn object<const N: usize>(kind: &str, entries: [(&str, Value); N]) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
        Self(std::iter::once(("type".to_owned(), kind.into())).chain(entries).collect())
    }

    /// Itself and its parts, as objects.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Map<String, Value>> {
        std::iter::once(&self.0).chain(list(&self.0, "parts"))
    }
}

fn string<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn plain(object: &Map<String, Value>) -> String {
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

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = json_size(&self.0).unwrap_or_default();
        write!(f, "Content({}, {size} bytes)", self.kind().chars().take(32).collect::<String>())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Content> for Value {
    fn from(content: Content) -> Self {
        Self::Object(content.0)
    }
}

impl TryFrom<Value> for Content {
    type Error = InvalidArgument;

    fn try_from(value: Value) -> Result<Self, InvalidArgument> {
        Self::from_value(value)
    }
}

#[cfg(test)]
mod tests {
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
        let results =
            Content::parts([Content::tool_result("a", "t", "1"), Content::tool_result("b", "t", 2)]);
        assert_eq!(results.tool_results().len(), 2);
        assert_eq!(results.to_plain_text(), "1\n2");
    }
}
