//! How a content is kept: plain text as its text alone, anything else as its object.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use triomphe::HeaderSlice;

use crate::json::text_object;

/// One content has one form: [`Body::from`] makes text of every object that is nothing but text. Copies share it.
#[derive(Clone)]
pub(super) enum Body {
    /// `{"type":"text","text":…}` and nothing else.
    Text(Text),
    /// Any other object.
    Object(Arc<Map<String, Value>>),
}

/// The text, with its object in one allocation: the object is made when somebody asks for it.
#[derive(Clone)]
pub(super) struct Text(triomphe::Arc<HeaderSlice<OnceLock<Map<String, Value>>, str>>);

impl Text {
    pub(super) fn as_str(&self) -> &str {
        &self.0.slice
    }

    #[cfg(test)]
    pub(super) fn has_object(&self) -> bool {
        self.0.header.get().is_some()
    }
}

impl Body {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Text(triomphe::Arc::from_header_and_str(OnceLock::new(), text)))
    }

    pub(super) fn object(&self) -> &Map<String, Value> {
        match self {
            Self::Text(text) => text.0.header.get_or_init(|| text_object(text.as_str())),
            Self::Object(object) => object,
        }
    }

    pub(super) fn into_object(self) -> Map<String, Value> {
        match self {
            Self::Text(text) => text_object(text.as_str()),
            Self::Object(object) => Arc::unwrap_or_clone(object),
        }
    }
}

impl From<Map<String, Value>> for Body {
    fn from(object: Map<String, Value>) -> Self {
        match (object.len(), object.get("type"), object.get("text")) {
            (2, Some(Value::String(kind)), Some(Value::String(text))) if kind == "text" => Self::text(text),
            _ => Self::Object(Arc::new(object)),
        }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.as_str() == other.as_str(),
            (Self::Object(one), Self::Object(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Text(text) => text.as_str().hash(state),
            Self::Object(object) => object.hash(state),
        }
    }
}

impl Serialize for Body {
    /// The keys of text are in the order that the object has them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("text", text.as_str())?;
                map.serialize_entry("type", "text")?;
                map.end()
            }
            Self::Object(object) => object.serialize(serializer),
        }
    }
}
