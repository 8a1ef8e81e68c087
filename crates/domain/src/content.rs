//! What a message says: a JSON object with a string `type`.

mod body;
mod limits;
mod object;
mod shapes;
mod tools;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

pub use crate::content::limits::MAX_CONTENT_BYTES;
pub(crate) use crate::content::shapes::Tools;
pub use crate::content::tools::{ToolCall, ToolResult};

use crate::content::body::Body;
use crate::content::limits::{check_size, text_size};
use crate::content::object::{list, plain, string};
use crate::error::StoreError;
use crate::invalid::InvalidArgument;
use crate::json::{self, Read, check_values, json_size, kind as json_kind, unwritable};
use crate::metadata::Metadata;

/// What a message says: a JSON object with a string `type`. What goes in comes out equal.
///
/// Constructors make the usual shapes. Any other object with a `type` is kept as it is.
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
/// Each may carry `metadata`, an object. `Debug` shows the type and the size, never what is said. Cheap to clone.
///
/// # Numbers
///
/// An integer from -2⁶³ to 2⁶⁴ - 1 is kept exactly. Every other number is an `f64` and keeps all its bits; `-0` is
/// the float -0.0. Write larger integers as strings: [`Content::from_json`] refuses a larger integer, while
/// `serde_json` alone rounds it to the nearest `f64`. So a [`Value`] that was parsed elsewhere may hold rounded
/// numbers. So may a content that was read by `Deserialize`, because `serde_json` passes such an integer on as a
/// float. Read JSON text with `from_json` where that matters.
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
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Content(Body);

impl Content {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(Body::text(&text.into()))
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

    /// Any object with a string `type`. Its numbers may have been rounded when it was parsed: see [Numbers](Self#numbers).
    ///
    /// # Errors
    /// [`InvalidArgument`] for another JSON value, or an object without a string `type`.
    pub fn from_value(value: Value) -> Result<Self, InvalidArgument> {
        let Value::Object(object) = value else {
            return Err(InvalidArgument::new("content", "must be a JSON object", json_kind(&value)));
        };
        match object.get("type") {
            Some(Value::String(_)) => Ok(Self(object.into())),
            other => {
                let actual = other.map_or("none", json_kind);
                Err(InvalidArgument::new("content", "must have a string \"type\"", actual))
            }
        }
    }

    /// A content from JSON text. No number is rounded and no key is lost.
    ///
    /// ```
    /// use chatkeep_domain::Content;
    ///
    /// let error = Content::from_json(r#"{"type": "order", "number": 18446744073709551616}"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "content must have integers from -2^63 to 2^64 - 1, and others written as strings \
    ///      (got another one at line 1 column 29)"
    /// );
    /// ```
    ///
    /// # Errors
    /// As [`Content::from_value`]; and for text that is not JSON, a number that is out of range (`1e400`), an integer
    /// that does not fit 64 bits, and an object that has a key twice. The error says where the text is wrong and why,
    /// and repeats nothing of the text.
    pub fn from_json(text: &str) -> Result<Self, InvalidArgument> {
        Self::from_read(json::read("content", text)?)
    }

    fn from_read(read: Read<'_>) -> Result<Self, InvalidArgument> {
        match read {
            Read::Text(text) => Ok(Self(Body::text(&text))),
            other => Self::from_value(other.into()),
        }
    }

    /// The content with this `metadata`, in place of earlier metadata.
    #[must_use]
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        let mut object = self.0.into_object();
        object.insert("metadata".to_owned(), Value::Object(metadata));
        Self(object.into())
    }

    /// The `type`.
    pub fn kind(&self) -> &str {
        match &self.0 {
            Body::Text(_) => "text",
            Body::Object(object) => string(object, "type"),
        }
    }

    /// The text, when the type is `text`.
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Body::Text(text) => Some(text.as_str()),
            Body::Object(_) => (self.kind() == "text").then(|| self.get("text")?.as_str()).flatten(),
        }
    }

    /// The `metadata`, where it is an object.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.get("metadata")?.as_object()
    }

    /// Any key's value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0 {
            Body::Text(_) if !matches!(key, "type" | "text") => None,
            body => body.object().get(key),
        }
    }

    /// The whole object.
    pub fn as_object(&self) -> &Map<String, Value> {
        self.0.object()
    }

    /// Every tool call in the content, in order. Recognized are the shapes of chatkeep; of the APIs of OpenAI (chat
    /// and Responses), Anthropic, Bedrock, Gemini and Ollama; and of the AI SDK, LangChain and the files of coding
    /// agents. Calls are looked for in `parts`, `content` and the like, and not in the arguments of a call or the
    /// text of a result.
    pub fn tool_calls(&self) -> Vec<ToolCall<'_>> {
        self.tools().calls
    }

    /// Every tool result in the content, in order, in the shapes of [`tool_calls`](Self::tool_calls). A call that
    /// holds its own result is found by both methods.
    pub fn tool_results(&self) -> Vec<ToolResult<'_>> {
        self.tools().results
    }

    /// The calls and the results, in one pass.
    pub(crate) fn tools(&self) -> Tools<'_> {
        if self.only_text().is_some() { Tools::default() } else { Tools::of(self.as_object()) }
    }

    /// The content as a person would read it, for prompts and estimates. The text of a text, of a tool result and of
    /// every part stands on a line of its own. A tool call is `name(arguments)`, and any other shape is its JSON.
    pub fn to_plain_text(&self) -> String {
        self.plain_text().into_owned()
    }

    /// The same as [`to_plain_text`](Self::to_plain_text), borrowed where the content is nothing but text.
    pub(crate) fn plain_text(&self) -> Cow<'_, str> {
        if let Some(text) = self.only_text() {
            return text.into();
        }
        let lines: Vec<String> =
            self.pieces().filter(|object| !object.contains_key("parts")).map(plain).collect();
        lines.join("\n").into()
    }

    /// Whether both contents are the same JSON text. Unlike `==`, this tells 0.0 from -0.0.
    pub fn is_identical(&self, other: &Self) -> bool {
        let is_text = self.only_text().is_some();
        self == other && (is_text || serde_json::to_string(self).ok() == serde_json::to_string(other).ok())
    }

    /// Refuses what no store takes: more than [`MAX_CONTENT_BYTES`] of JSON, or JSON that is deeper than
    /// [`MAX_JSON_DEPTH`](crate::MAX_JSON_DEPTH).
    ///
    /// # Errors
    /// [`StoreError::TooLarge`]; and in a program that has `serde_json`'s feature `arbitrary_precision`
    /// [`StoreError::InvalidArgument`] for a number that 64 bits do not hold.
    pub fn validate(&self) -> Result<(), StoreError> {
        self.checked_size().map(drop)
    }

    /// Checks the content as [`validate`](Self::validate) does, and gives it as JSON text.
    ///
    /// # Errors
    /// As [`Content::validate`].
    pub fn encode(&self) -> Result<String, StoreError> {
        if let Body::Object(object) = &self.0 {
            check_values(object)?;
        }
        let text = serde_json::to_string(self).map_err(unwritable)?;
        check_size(text.len())?;
        Ok(text)
    }

    pub(crate) fn checked_size(&self) -> Result<usize, StoreError> {
        let size = self.size()?;
        check_size(size)?;
        Ok(size)
    }

    /// In bytes of JSON.
    fn size(&self) -> Result<usize, StoreError> {
        match &self.0 {
            Body::Text(text) => Ok(text_size(text.as_str())),
            Body::Object(object) => json_size(object),
        }
    }

    fn object<const N: usize>(kind: &str, entries: [(&str, Value); N]) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
        let object: Map<_, _> = std::iter::once(("type".to_owned(), kind.into())).chain(entries).collect();
        Self(object.into())
    }

    /// The text of a content that is nothing else.
    pub(crate) fn only_text(&self) -> Option<&str> {
        match &self.0 {
            Body::Text(text) => Some(text.as_str()),
            Body::Object(_) => None,
        }
    }

    /// The content and its parts as objects. A content that is [nothing but text](Self::only_text) gives none,
    /// because it has no object.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let object = match &self.0 {
            Body::Text(_) => None,
            Body::Object(object) => Some(&**object),
        };
        object.into_iter().flat_map(|object| std::iter::once(object).chain(list(object, "parts")))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size().unwrap_or_default();
        write!(f, "Content({}, {size} bytes)", self.kind().chars().take(32).collect::<String>())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self(Body::text(text))
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Content> for Value {
    fn from(content: Content) -> Self {
        Self::Object(content.0.into_object())
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_read(Read::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl TryFrom<Value> for Content {
    type Error = InvalidArgument;

    fn try_from(value: Value) -> Result<Self, InvalidArgument> {
        Self::from_value(value)
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
