//! A codec to test with. It keeps no secret: its key is fixed.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use chatkeep_domain::search::SearchDocument;
use chatkeep_domain::{BoxError, Codec, Content, ContentKey, MessageId};

/// Seals a content as numbers that say its place too, and indexes all its words.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    lost: Mutex<HashSet<MessageId>>,
}

impl Toy {
    /// From now on the contents of this message cannot be opened.
    pub(crate) fn lose(&self, message: MessageId) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(message);
    }
}

/// What stands ahead of the content.
fn place(key: &ContentKey<'_>) -> String {
    format!("{}/{}/{}:", key.org_id, key.thread, key.message)
}

impl Codec for Toy {
    fn seal(&self, content: &Content, key: &ContentKey<'_>) -> Result<String, BoxError> {
        let plain = place(key) + &serde_json::to_string(content)?;
        Ok(plain.bytes().map(|byte| char::from(byte ^ 0x5A)).collect())
    }

    fn open(&self, sealed: &str, key: &ContentKey<'_>) -> Result<Content, BoxError> {
        if self.lost.lock().unwrap_or_else(PoisonError::into_inner).contains(&key.message) {
            return Err("its key is lost".into());
        }
        let bytes = sealed.chars().map(|sign| Ok(u8::try_from(u32::from(sign))? ^ 0x5A));
        let plain = String::from_utf8(bytes.collect::<Result<_, std::num::TryFromIntError>>()?)?;
        let content = plain.strip_prefix(&place(key)).ok_or("it was sealed for another place")?;
        Ok(Content::from_json(content)?)
    }

    fn document(&self, content: &Content) -> Option<SearchDocument> {
        Some(SearchDocument::of(content))
    }
}
