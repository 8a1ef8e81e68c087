//! How a content is kept: plain text as its text alone, anything else as its object.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::json::text_object;

/// One content has one form: [`Body::from`] makes text of every object that is nothing but text.
#[derive(Clone)]
pub(super) enum Body {
    /// `{"type":"text","text":…}` and nothing else. The object is made when somebody asks for it.
    Text(Arc<str>, OnceLock<Arc<Map<String, Value>>>),
    /// Any other object.
    Object(Arc<Map<String, Value>>),
}

impl Body {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into(), OnceLock::new())
    }

    pub(super) fn object(&self) -> &Map<String, Value> {
        match self {
            Self::Text(text, object) => object.get_or_init(|| Arc::new(text_object(&**text))),
            Self::Object(object) => object,
        }
    }

    pub(super) fn into_object(self) -> Map<String, Value> {
        match self {
            Self::Text(text, object) => {
                object.into_inner().map_or_else(|| text_object(&*text), Arc::unwrap_or_clone)
            }
            Self::Object(object) => Arc::unwrap_or_clone(object),
        }
    }
}

impl From<Map<String, Value>> for Body {
    fn from(object: Map<String, Value>) -> Self {
        match (object.len(), object.get("type"), object.get("text")) {
            (2, Some(Value::String(kind)), Some(Value::String(text))) if kind == "text" => {
                Self::text(text.as_str())
            }
            _ => Self::Object(Arc::new(object)),
        }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one, _), Self::Text(other, _)) => one == other,
            (Self::Object(one), Self::Object(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Text(text, _) => text.hash(state),
            Self::Object(object) => object.hash(state),
        }
    }
}

impl Serialize for Body {
    /// The keys of text are in the order that the object has them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text, _) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("text", &**text)?;
                map.serialize_entry("type", "text")?;
                map.end()
            }
            Self::Object(object) => object.serialize(serializer),
        }
    }
}
