//! JSON as chatkeep reads it: as [`Value`] does, but without loss.
//!
//! `serde_json` alone rounds an integer that 64 bits do not hold, keeps the last of two values of one key, and makes null of
//! a float that is not finite. All three are refused here.

mod integers;
mod reader;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

pub(crate) use self::integers::is_of_64_bits;
use self::integers::wide_integer;
use self::reader::Reader;
use crate::InvalidArgument;

/// The rule of integers, behind the name of a field.
pub(crate) const INTEGERS: &str = "must have integers from -2^63 to 2^64 - 1, and others written as strings";

/// Any JSON value, read in one pass.
pub(crate) enum Read<'a> {
    /// An object that is nothing but text, as [`Content::text`](crate::Content::text) makes it.
    Text(Cow<'a, str>),
    /// Not copied yet: it may be the text of an object.
    String(Cow<'a, str>),
    Value(Value),
}

/// Reads JSON text. Errors name `field`, and say where the text is wrong, not what it says.
pub(crate) fn read<'a>(field: &'static str, text: &'a str) -> Result<Read<'a>, InvalidArgument> {
    let read: Read<'a> = serde_json::from_str(text).map_err(|error| refused(field, &error))?;
    // What is nothing but text has no numbers.
    if matches!(read, Read::Value(_))
        && let Some(at) = wide_integer(text)
    {
        return Err(InvalidArgument::new(field, INTEGERS, format!("another one at {}", place(text, at))));
    }
    Ok(read)
}

/// The same for an object.
pub(crate) fn read_object(field: &'static str, text: &str) -> Result<Map<String, Value>, InvalidArgument> {
    object(read(field, text)?).map_err(|kind| InvalidArgument::new(field, "must be a JSON object", kind))
}

/// An object of a larger value that is deserialized.
pub(crate) fn deserialize_object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    object(Read::deserialize(deserializer)?)
        .map_err(|kind| de::Error::invalid_type(de::Unexpected::Other(kind), &"an object"))
}

fn object(read: Read<'_>) -> Result<Map<String, Value>, &'static str> {
    match read.into() {
        Value::Object(object) => Ok(object),
        other => Err(kind(&other)),
    }
}

/// What kind of value it is, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The parser's reasons are fixed texts, and those of [`Reader`] are its own: none repeats what was read.
fn refused(field: &'static str, error: &serde_json::Error) -> InvalidArgument {
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let reason = text.strip_suffix(&format!(" at {place}")).unwrap_or(&text);
    let rule = if error.is_data() { "must be JSON that can be kept whole" } else { "must be JSON" };
    InvalidArgument::new(field, rule, format!("an error at {place}: {reason}"))
}

/// Lines and columns count from 1, columns in bytes.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().map_or(0, str::len);
    format!("line {line} column {column}")
}

impl<'de> Deserialize<'de> for Read<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::DeserializeSeed::deserialize(Reader::Whole, deserializer)
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

/// The object of a content that is nothing but text.
pub(crate) fn text_object(text: impl Into<String>) -> Map<String, Value> {
    let entries = [("type", Value::from("text")), ("text", Value::String(text.into()))];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
