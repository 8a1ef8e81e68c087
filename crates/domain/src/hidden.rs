//! What `Debug` output shows instead of what people said.

use std::fmt;

use crate::metadata::Metadata;

/// Stands in `Debug` output for what must not be shown there, and tells how much of it there is.
///
/// ```
/// use chatkeep_domain::Hidden;
/// assert_eq!(format!("{:?}", Hidden::text("a secret")), "8 bytes");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hidden(usize, &'static str);

impl Hidden {
    /// In place of text: its bytes.
    pub const fn text(text: &str) -> Self {
        Self(text.len(), "bytes")
    }

    /// In place of metadata: its keys.
    pub fn keys(metadata: &Metadata) -> Self {
        Self(metadata.len(), "keys")
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}
