//! How large and how deep JSON may be.

use std::io;

use serde_json::{Map, Value};

use crate::json::{INTEGERS, is_of_64_bits};
use crate::{InvalidArgument, StoreError};

/// The largest content, in bytes of JSON: 8 MiB.
pub const MAX_CONTENT_BYTES: usize = 8 * 1_024 * 1_024;

/// The deepest nesting of content and metadata, the object itself included. JSON parsers stop at 128 levels, and
/// what could not be read back is not taken in.
pub const MAX_JSON_DEPTH: usize = 100;

pub(super) fn check_size(actual: usize) -> Result<(), StoreError> {
    if actual > MAX_CONTENT_BYTES {
        let (limit, actual) = (MAX_CONTENT_BYTES as u64, actual as u64);
        return Err(StoreError::TooLarge { what: "content, in bytes of JSON", limit, actual });
    }
    Ok(())
}

/// Refuses what could be written and not read again: what is too deep, and a number that 64 bits do not hold. This comes
/// first: the serializer recurses.
pub(super) fn check_values(object: &Map<String, Value>) -> Result<(), StoreError> {
    object.values().try_for_each(|value| check_value(value, MAX_JSON_DEPTH - 1))
}

fn check_value(value: &Value, room: usize) -> Result<(), StoreError> {
    match value {
        Value::Array(_) | Value::Object(_) if room == 0 => {
            let (limit, actual) = (MAX_JSON_DEPTH as u64, MAX_JSON_DEPTH as u64 + 1);
            Err(StoreError::TooLarge { what: "JSON, in levels of nesting", limit, actual })
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, room - 1)),
        Value::Object(items) => items.values().try_for_each(|item| check_value(item, room - 1)),
        Value::Number(number) if !is_of_64_bits(number) => {
            Err(InvalidArgument::new("JSON", INTEGERS, "another number").into())
        }
        _ => Ok(()),
    }
}

pub(super) fn unwritable(_: serde_json::Error) -> InvalidArgument {
    InvalidArgument::new("content", "must be writable as JSON", "another value")
}

/// The size of `{"type":"text","text":…}`.
pub(super) fn text_size(text: &str) -> usize {
    /// What an escape takes besides: two bytes where it is short, six for another control character. Without a branch,
    /// for many bytes at once.
    fn extra(byte: u8) -> u8 {
        let short_control = u8::from(byte.wrapping_sub(0x08) < 6) - u8::from(byte == 0x0B);
        let control = u8::from(byte < 0x20) - short_control;
        5 * control + short_control + u8::from(byte == b'"') + u8::from(byte == b'\\')
    }
    let sum = |bytes: &[u8]| usize::from(bytes.iter().map(|byte| extra(*byte)).sum::<u8>());
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    let extra = chunks.iter().map(|chunk| sum(chunk)).sum::<usize>() + sum(rest);
    r#"{"text":"","type":"text"}"#.len() + text.len() + extra
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
