//! How large a content may be.

use crate::error::StoreError;

/// The largest content, in bytes of JSON: 8 MiB.
pub const MAX_CONTENT_BYTES: usize = 8 * 1_024 * 1_024;

pub(super) fn check_size(actual: usize) -> Result<(), StoreError> {
    if actual > MAX_CONTENT_BYTES {
        return Err(StoreError::too_large("content, in bytes of JSON", MAX_CONTENT_BYTES, actual));
    }
    Ok(())
}

/// The size of `{"type":"text","text":…}`.
pub(super) fn text_size(text: &str) -> usize {
    /// How many bytes the escape of a byte adds. A short escape has two bytes, that of another control character six.
    /// Without a branch, so that the compiler can do many bytes at once.
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
