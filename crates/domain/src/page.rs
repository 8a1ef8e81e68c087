//! A part of a list.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::invalid::InvalidArgument;
use crate::version::Version;

/// How many items a page holds when the query does not say.
pub const DEFAULT_PAGE_LEN: usize = 100;

/// The most items of a page. More is read page by page.
pub const MAX_PAGE_LEN: usize = 1_000;

/// A part of a list, and where the rest begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// At most as many as the query's limit, in the query's order.
    pub items: Vec<T>,
    /// Give it to the next query for what follows. `None`: this was the end when it was read.
    pub next: Option<Cursor>,
    /// Of a page of one thread: the thread's version when the page was read. The page is what is there as long as the
    /// thread has this version. `None` for every other list.
    pub version: Option<Version>,
}

impl<T> Page<T> {
    /// A page of these items.
    pub const fn new(items: Vec<T>, next: Option<Cursor>) -> Self {
        Self { items, next, version: None }
    }

    /// A page without items and without a next one.
    pub const fn empty() -> Self {
        Self::new(Vec::new(), None)
    }

    /// The same page, as it was when its thread had this version.
    #[must_use]
    pub fn at_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// Makes a page of rows. Read one row more than `limit`, so that the page knows whether there is more. `cursor`
    /// makes the cursor that leads behind an item.
    ///
    /// Every list and every search treats rows that cannot be decoded by the same rule. A page ends ahead of such a
    /// row, and its `next` leads to the row. A page that would begin with such a row is the row's error instead. So
    /// the rows around a corrupt row can be read, and a corrupt row never passes unnoticed.
    ///
    /// # Errors
    /// The error of the first row.
    pub fn cut(
        rows: impl IntoIterator<Item = Result<T, StoreError>>,
        limit: usize,
        cursor: impl FnOnce(&T) -> Cursor,
    ) -> Result<Self, StoreError> {
        let mut rows = rows.into_iter();
        let (least, most) = rows.size_hint();
        let mut items = Vec::with_capacity(limit.min(most.unwrap_or(least)));
        let is_more = loop {
            match rows.next() {
                None => break false,
                Some(_) if items.len() == limit => break true,
                Some(Ok(item)) => items.push(item),
                Some(Err(error)) if items.is_empty() => return Err(error),
                Some(Err(_)) => break true,
            }
        };
        let next = items.last().filter(|_| is_more).map(cursor);
        Ok(Self::new(items, next))
    }
}

pub(crate) fn check_limit(limit: usize) -> Result<(), InvalidArgument> {
    if limit > MAX_PAGE_LEN {
        let rule = format!("must be at most {MAX_PAGE_LEN}; read further page by page");
        return Err(InvalidArgument::new("limit", rule, limit.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Entity;

    fn row(number: i32, bad: &[i32]) -> Result<i32, StoreError> {
        if bad.contains(&number) {
            return Err(StoreError::corrupt_row(Entity::Message, number, "damaged"));
        }
        Ok(number)
    }

    /// The items and where the page goes on; or else the corrupt row.
    fn cut(count: i32, bad: &[i32], limit: usize) -> Result<(Vec<i32>, Option<String>), String> {
        let rows = (1..=count).map(|number| row(number, bad));
        match Page::cut(rows, limit, |last| Cursor::from(last.to_string())) {
            Ok(page) => Ok((page.items, page.next.map(|next| next.to_string()))),
            Err(StoreError::CorruptRow { id, .. }) => Err(id),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_goes_on_where_there_is_more_than_the_limit() {
        assert_eq!(cut(3, &[], 3), Ok((vec![1, 2, 3], None)));
        assert_eq!(cut(4, &[], 3), Ok((vec![1, 2, 3], Some("3".to_owned()))));
        assert_eq!(cut(0, &[], 3), Ok((vec![], None)));
        assert_eq!(cut(1, &[], 0), Ok((vec![], None)));
    }

    #[test]
    fn a_page_ends_ahead_of_a_corrupt_row() {
        assert_eq!(cut(4, &[3], 3), Ok((vec![1, 2], Some("2".to_owned()))));
        assert_eq!(cut(3, &[3], 3), Ok((vec![1, 2], Some("2".to_owned()))), "also where it is the last");
        assert_eq!(cut(4, &[4], 3), Ok((vec![1, 2, 3], Some("3".to_owned()))), "also behind the limit");
    }

    #[test]
    fn a_page_that_begins_with_a_corrupt_row_is_its_error() {
        assert_eq!(cut(4, &[1, 2], 3), Err("1".to_owned()));
        assert_eq!(cut(1, &[1], 0), Ok((vec![], None)), "where nothing is asked for, nothing is in the way");
    }
}
