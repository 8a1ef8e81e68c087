//! What a faulty store makes of rows that cannot be decoded.

use async_trait::async_trait;
use chatkeep_domain::{ConversationRepository, Cursor, Page, SearchPage, StoreError};
use serde_json::Value;

use super::{Fault, Faulty};
use crate::damage::{Damage, Row};

/// What a page is of.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Of {
    Messages,
    Threads,
    Hits,
    RankedHits,
}

/// A page of a list or of a search: how many items it has, and where the rest begins.
pub(super) trait Part {
    fn part(&self) -> (usize, Option<&Cursor>);
}

impl<T> Part for Page<T> {
    fn part(&self) -> (usize, Option<&Cursor>) {
        (self.items.len(), self.next.as_ref())
    }
}

impl Part for SearchPage {
    fn part(&self) -> (usize, Option<&Cursor>) {
        (self.items.len(), self.next.as_ref())
    }
}

impl<R> Faulty<R> {
    /// Where a store with this fault looks before it answers with the page.
    pub(super) fn looks_at(
        &self,
        of: Of,
        page: &Result<impl Part, StoreError>,
        limit: usize,
    ) -> Option<Cursor> {
        let (count, next) = match page {
            Ok(page) => page.part(),
            Err(StoreError::CorruptRow { behind, .. }) if self.fault == Fault::SkipsCorruptRows => {
                return behind.clone();
            }
            Err(_) => return None,
        };
        let is_cut = count < limit;
        let looks = match self.fault {
            Fault::FailsPagesWithCorruptRows => of == Of::Messages && is_cut,
            Fault::DecodesTheNextRow => of == Of::Messages && !is_cut,
            Fault::FailsListsWithCorruptThreads => of == Of::Threads,
            Fault::FailsSearchesWithCorruptRows => of == Of::Hits,
            Fault::FailsRankingsWithCorruptRows => of == Of::RankedHits,
            _ => false,
        };
        next.filter(|_| looks).cloned()
    }
}

/// What it answers when it has looked.
pub(super) fn having_looked<T>(
    page: Result<T, StoreError>,
    further: Result<T, StoreError>,
) -> Result<T, StoreError> {
    match (page, further) {
        (Err(_), further) => further,
        (Ok(_), Err(error @ StoreError::CorruptRow { .. })) => Err(error),
        (page, _) => page,
    }
}

#[async_trait]
impl<R: ConversationRepository + Damage> Damage for Faulty<R> {
    async fn overwrite(&self, row: &Row, json: &str) {
        // Any JSON can be read, if numbers may become others.
        let is_read = self.fault == Fault::RoundsWideIntegers && serde_json::from_str::<Value>(json).is_ok();
        if !is_read {
            self.inner.overwrite(row, json).await;
        }
    }
}
