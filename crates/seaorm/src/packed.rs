//! A page of rows as one value, on SQLite.
//!
//! Its driver copies each value of each row by itself, and hands each row from its thread to the caller's: measured,
//! 115 µs for a page of 50 messages, where SQLite needs 30. As one value the page takes 56. What reads it says no more
//! than that a page is not as it should be; then the rows are read one by one, which says what is wrong.

use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use crate::connection::Connection;
use crate::sql::Sql;

/// The bytes of a text that go into the value; a page with a longer one is read row by row. It bounds the value of
/// [`MAX_PAGE_LEN`](chatkeep_domain::MAX_PAGE_LEN) rows to some 64 MiB.
const MAX_TEXT_BYTES: usize = 64 * 1_024;

/// A column by its name and kind.
pub(crate) enum Column {
    Id(&'static str),
    Number(&'static str),
    /// May be NULL.
    Text(&'static str),
}

impl Column {
    /// The pieces that are put together. A text comes behind its length, so that nothing in it can end it.
    fn pieces(&self) -> String {
        match self {
            Self::Id(name) | Self::Number(name) => format!("{name}, ','"),
            Self::Text(name) => format!(
                "octet_length({name}), ',', iif(octet_length({name}) <= {MAX_TEXT_BYTES}, {name}, '')"
            ),
        }
    }
}

/// Runs `select`, which gives these columns, and gives its rows as one value for [`Packed`]. They come in the order of
/// `select`; SQLite does not promise it, so that who reads it has to look.
pub(crate) async fn read(
    select: Sql,
    columns: &[Column],
    connection: Connection<'_>,
) -> Result<Vec<u8>, DbErr> {
    let pieces: Vec<_> = columns.iter().map(Column::pieces).collect();
    let sql = select.within(&format!("SELECT group_concat(concat({}), '') FROM (", pieces.join(", ")), ")");
    let value = |row: QueryResult| row.try_get_by_index::<Option<Vec<u8>>>(0);
    Ok(sql.row(connection).await?.map(value).transpose()?.flatten().unwrap_or_default())
}

/// What is left of the value: each call takes the next column. `None` is a page that is not as it should be.
pub(crate) struct Packed<'a>(&'a [u8]);

impl<'a> Packed<'a> {
    /// Reads all rows.
    pub(crate) fn rows<T>(value: &'a [u8], mut row: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut packed = Self(value);
        let mut rows = Vec::new();
        while !packed.0.is_empty() {
            rows.push(row(&mut packed)?);
        }
        Some(rows)
    }

    pub(crate) fn id(&mut self) -> Option<Uuid> {
        let (id, rest) = self.0.split_first_chunk()?;
        self.0 = rest.strip_prefix(b",")?;
        Some(Uuid::from_bytes(*id))
    }

    pub(crate) fn number(&mut self) -> Option<i64> {
        self.word()?.parse().ok()
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        self.optional_text()?
    }

    /// `None` within is NULL.
    #[expect(clippy::option_option, reason = "as its column is: a value or NULL, where there is one at all")]
    pub(crate) fn optional_text(&mut self) -> Option<Option<&'a str>> {
        let length = self.word()?;
        if length.is_empty() {
            return Some(None);
        }
        let length: usize = length.parse().ok().filter(|length| *length <= MAX_TEXT_BYTES)?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(str::from_utf8(text).ok()?))
    }

    /// What comes before the next comma.
    fn word(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|byte| *byte == b',')?;
        let (word, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        str::from_utf8(word).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[u8] = &[b','; 16];

    fn read(value: &[u8]) -> Option<Vec<(Uuid, i64, Option<String>)>> {
        Packed::rows(value, |row| Some((row.id()?, row.number()?, row.optional_text()?.map(str::to_owned))))
    }

    #[test]
    fn what_was_packed_is_read_and_nothing_in_a_text_ends_it() {
        let id = Uuid::from_slice(ID).unwrap();
        let value = [ID, b",-7,,", ID, b",9,4,1,,2", ID, b",3,0,"].concat();
        let rows = [(id, -7, None), (id, 9, Some("1,,2".to_owned())), (id, 3, Some(String::new()))];
        assert_eq!(read(&value).unwrap(), rows);
        assert_eq!(read(b"").unwrap(), []);
    }

    #[test]
    fn a_page_that_is_not_as_it_should_be_is_none() {
        let bad: [&[&[u8]]; 9] = [
            &[b"short"],
            &[ID, b"x,9,,"],
            &[ID, b",,,"],
            &[ID, b",1.5,,"],
            &[ID, b",9"],
            &[ID, b",9,5,four"],
            &[ID, b",9,-1,"],
            &[ID, b",9,2,\xff\xff"],
            &[ID, b",9,65537,"],
        ];
        for parts in bad {
            let long = vec![b'x'; MAX_TEXT_BYTES + 1];
            let value = [parts, &[&long[..]]].concat().concat();
            assert_eq!(read(&parts.concat()), None, "{parts:?}");
            assert_eq!(read(&value), None, "{parts:?}");
        }
    }
}
