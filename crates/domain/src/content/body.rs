//! How a content is kept: plain text as its text alone, anything else as its object.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// One content has one form: [`Body::from`] makes text of every object that is nothing but text.
#[derive(Clone)]
pub(super) enum Body {
    /// `{"type":"text","text":…}` and nothing else; the object only where somebody asked for it.
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

fn text_object(text: impl Into<String>) -> Map<String, Value> {
    let entries = [("type", Value::from("text")), ("text", Value::String(text.into()))];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
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

/// Any JSON, read in one pass: takes what [`Value`] takes, and refuses what it refuses.
pub(super) enum Read<'a> {
    /// An object that is nothing but text.
    Text(Cow<'a, str>),
    /// Not copied yet: it may be the text of an object.
    String(Cow<'a, str>),
    Value(Value),
}

impl<'de> Deserialize<'de> for Read<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader::Whole.deserialize(deserializer)
    }
}

impl From<Read<'_>> for Value {
    fn from(read: Read<'_>) -> Self {
        match read {
            Read::Text(text) => Self::Object(text_object(text)),
            Read::String(text) => text.into(),
            Read::Value(value) => value,
        }
    }
}

#[derive(Clone, Copy)]
enum Reader {
    Whole,
    /// The value of a key.
    Member,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Read<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Read<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read<'de>, A::Error> {
        if let Self::Member = self {
            return Value::deserialize(MapAccessDeserializer::new(map)).map(Read::Value);
        }
        let (mut kind, mut text, mut object) = (None, None, Map::new());
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "type" => kind = Some(map.next_value_seed(Self::Member)?),
                "text" => text = Some(map.next_value_seed(Self::Member)?),
                _ => object.extend([(key.into_owned(), map.next_value()?)]),
            }
        }
        match (kind, text) {
            (Some(Read::String(kind)), Some(Read::String(text))) if kind == "text" && object.is_empty() => {
                Ok(Read::Text(text))
            }
            (kind, text) => {
                let members = [("type", kind), ("text", text)];
                let members =
                    members.into_iter().filter_map(|(key, read)| Some((key.to_owned(), read?.into())));
                object.extend(members);
                Ok(Read::Value(object.into()))
            }
        }
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Read<'de>, E> {
        Ok(Read::String(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Read<'de>, E> {
        Ok(Read::String(text.to_owned().into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Read<'de>, E> {
        Ok(Read::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Read<'de>, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(Read::Value)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Read<'de>, E> {
        Ok(Read::Value(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Read<'de>, E> {
        Ok(Read::Value(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<'de>, D::Error> {
        self.deserialize(deserializer)
    }
}

/// Borrowed where it can be.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
