//! How large and how deep JSON is.

use std::io;

use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::invalid::InvalidArgument;
use crate::json::integers::{INTEGERS, is_of_64_bits};

/// The deepest nesting of content and metadata, the object itself included. JSON parsers stop at 128 levels, and
/// what could not be read back is not taken in.
pub const MAX_JSON_DEPTH: usize = 100;

/// Refuses what could be written and not read again: what is too deep, and a number that 64 bits do not hold. This comes
/// first: the serializer recurses.
pub(crate) fn check_values(object: &Map<String, Value>) -> Result<(), StoreError> {
    object.values().try_for_each(|value| check_value(value, MAX_JSON_DEPTH - 1))
}

fn check_value(value: &Value, room: usize) -> Result<(), StoreError> {
    match value {
        Value::Array(_) | Value::Object(_) if room == 0 => {
            Err(StoreError::too_large("JSON, in levels of nesting", MAX_JSON_DEPTH, MAX_JSON_DEPTH + 1))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, room - 1)),
        Value::Object(items) => items.values().try_for_each(|item| check_value(item, room - 1)),
        Value::Number(number) if !is_of_64_bits(number) => {
            Err(InvalidArgument::new("JSON", INTEGERS, "another number").into())
        }
        _ => Ok(()),
    }
}

pub(crate) fn unwritable(_: serde_json::Error) -> InvalidArgument {
    InvalidArgument::new("content", "must be writable as JSON", "another value")
}

/// The size as JSON, without making the text.
pub(crate) fn json_size(object: &Map<String, Value>) -> Result<usize, StoreError> {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    check_values(object)?;
    let mut count = Count(0);
    serde_json::to_writer(&mut count, object).map_err(unwritable)?;
    Ok(count.0)
}
