//! Free data of a thread or a content: a JSON object.

use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::invalid::InvalidArgument;
use crate::json::{self, json_size};

/// The largest metadata of a thread, in bytes of JSON. It leaves room beside it in the smallest backend's item
/// (DynamoDB: 400 KB).
pub const MAX_METADATA_BYTES: usize = 64 * 1_024;

/// Free data about a thread: a JSON object. [`metadata_from_json`] reads it from text without loss.
pub type Metadata = Map<String, Value>;

/// Reads metadata from JSON text, of which nothing is rounded or lost: `serde_json` alone would round a large integer.
///
/// ```
/// use chatkeep_domain::metadata_from_json;
///
/// assert_eq!(metadata_from_json(r#"{"stars": 5}"#)?["stars"], 5);
/// assert!(metadata_from_json(r#"{"id": 18446744073709551616}"#).is_err());
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
///
/// # Errors
/// [`InvalidArgument`] for what is not a JSON object, and otherwise as
/// [`Content::from_json`](crate::Content::from_json).
pub fn metadata_from_json(text: &str) -> Result<Metadata, InvalidArgument> {
    // As most are.
    if text == "{}" {
        return Ok(Metadata::new());
    }
    json::read_object("metadata", text)
}

/// Whether two are the same in every bit: `-0.0` is equal to `0.0`, and not identical.
pub(crate) fn is_identical(one: &Metadata, other: &Metadata) -> bool {
    one == other && serde_json::to_string(one).ok() == serde_json::to_string(other).ok()
}

/// Checks the limit of a thread's metadata.
pub(crate) fn check_metadata(metadata: &Metadata) -> Result<(), StoreError> {
    let actual = json_size(metadata)?;
    if actual > MAX_METADATA_BYTES {
        return Err(StoreError::too_large("metadata, in bytes of JSON", MAX_METADATA_BYTES, actual));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_whole_or_refused() {
        assert_eq!(metadata_from_json(r#"{"type":"text","text":"x"}"#).unwrap().len(), 2);
        for (bad, told) in [
            ("[]", "metadata must be a JSON object (got an array)"),
            ("7", "metadata must be a JSON object (got a number)"),
            ("{", "metadata must be JSON (got an error at line 1 column 1: EOF while parsing an object)"),
            (
                r#"{"n":-9223372036854775809}"#,
                "metadata must have integers from -2^63 to 2^64 - 1, and others written as strings \
                 (got another one at line 1 column 6)",
            ),
            (
                r#"{"secret":1,"secret":2}"#,
                "metadata must be JSON that can be kept whole (got an error at line 1 column 20: \
                 invalid value: a key twice in one object, expected each key once)",
            ),
        ] {
            assert_eq!(metadata_from_json(bad).unwrap_err().to_string(), told);
        }
    }
}
