//! Cursors: an envelope around the place where a list goes on. Each list seals and opens its own.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::invalid::InvalidArgument;

/// Where a list goes on: opaque text, safe in a URL.
///
/// It holds the place of the last item that was read, not a count, so that writes in between neither skip nor
/// repeat an item. A cursor that is damaged, or that belongs to another list, thread or order, is an
/// [`InvalidArgument`] of the query that it is given to. It grants nothing: the scope is checked on every call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

const VERSION: u8 = 1;
const CHECKSUM_LEN: usize = 4;

impl Cursor {
    /// The text, to be sent to a client.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Seals a place. `kind` is the list's own letter; `context` is what the cursor is bound to without carrying it, such
    /// as the thread.
    pub(crate) fn seal(kind: u8, context: &[u8], key: &[u8]) -> Self {
        let mut bytes = vec![VERSION, kind];
        bytes.extend_from_slice(key);
        let sum = checksum(&bytes, context);
        bytes.extend_from_slice(&sum);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The place that was sealed with the same kind and context. The checksum is no secret: anybody can make a cursor, so
    /// the list checks what is in it.
    pub(crate) fn open(&self, kind: u8, context: &[u8]) -> Result<Vec<u8>, InvalidArgument> {
        let mut bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| Self::damaged())?;
        let sum = bytes.split_off(bytes.len().saturating_sub(CHECKSUM_LEN));
        if sum != checksum(&bytes, context) || !bytes.starts_with(&[VERSION, kind]) {
            return Err(Self::damaged());
        }
        Ok(bytes.split_off(2))
    }

    /// The error of a cursor that the list did not make.
    pub(crate) fn damaged() -> InvalidArgument {
        InvalidArgument::new(
            "cursor",
            "must be the `next` of an earlier page of the same list",
            "another text",
        )
    }
}

fn checksum(bytes: &[u8], context: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(bytes);
    sum.update(context);
    sum.finalize().to_be_bytes()
}

impl From<String> for Cursor {
    /// Any text; it is checked when a query uses it.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Cursor {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_kind_and_context_only() {
        let cursor = Cursor::seal(b'x', b"thread", b"place");
        assert_eq!(cursor.open(b'x', b"thread"), Ok(b"place".to_vec()));
        assert_eq!(cursor.open(b'y', b"thread"), Err(Cursor::damaged()));
        assert_eq!(cursor.open(b'x', b"another"), Err(Cursor::damaged()));
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let cursor = Cursor::seal(b'x', b"thread", b"place");
        for at in 0..cursor.as_str().len() {
            for other in ["A", "B", "é", ""] {
                let mut text = cursor.as_str().to_owned();
                text.replace_range(at..=at, other);
                if text != cursor.as_str() {
                    assert!(Cursor::from(text).open(b'x', b"thread").is_err());
                }
            }
        }
        for short in ["", "A", "AAAA", "AAAAAAAA"] {
            assert!(Cursor::from(short).open(b'x', b"").is_err());
        }
    }
}
