//! JSON as chatkeep reads it: as [`Value`] does, but without loss.
//!
//! `serde_json` alone rounds an integer that 64 bits do not hold, keeps the last of two values of one key, and makes null of
//! a float that is not finite. All three are refused here.

mod integers;
mod reader;
mod size;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use self::integers::{INTEGERS, wide_integer};
pub(crate) use self::reader::{Read, text_object};
pub use self::size::MAX_JSON_DEPTH;
pub(crate) use self::size::{check_values, json_size, unwritable};
use crate::invalid::InvalidArgument;

/// Reads JSON text. Errors name `field`, and say where the text is wrong, not what it says.
pub(crate) fn read<'a>(field: &'static str, text: &'a str) -> Result<Read<'a>, InvalidArgument> {
    if let Some(text) = reader::plain_text(text) {
        return Ok(Read::Text(text));
    }
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
    object(Read::deserialize(deserializer)?).map_err(no_object)
}

/// Any value of a larger one that is deserialized.
pub(crate) fn deserialize_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Read::deserialize(deserializer).map(Value::from)
}

/// The same where the object may be absent or null.
pub(crate) fn deserialize_optional_object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Map<String, Value>>, D::Error> {
    match Read::deserialize(deserializer)? {
        Read::Value(Value::Null) => Ok(None),
        read => object(read).map(Some).map_err(no_object),
    }
}

fn no_object<E: de::Error>(kind: &'static str) -> E {
    E::invalid_type(de::Unexpected::Other(kind), &"an object")
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
