//! Cursors: opaque to callers, made and read here, the same for every store.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::search::{Place, Score, SearchKey, SearchReading};
use crate::{
    ChatThread, InvalidArgument, Order, OrgId, Position, SearchOrder, SearchQuery, ThreadId, Timestamp,
};

/// Where a list goes on: opaque text, safe in a URL.
///
/// It holds the place of the last item that was read, not a count, so that writes in between neither skip nor
/// repeat an item. A cursor that is damaged, or that belongs to another list, thread or order, is an
/// [`InvalidArgument`] of the query that it is given to. It grants nothing: the scope is checked on every call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// The place of a thread in the list of threads, newest update first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThreadKey {
    /// Sorted by this first.
    pub updated_at: Timestamp,
    /// Then by this.
    pub id: ThreadId,
    /// Then by this: across organizations, ids may repeat.
    pub org_id: OrgId,
}

impl From<&ChatThread> for ThreadKey {
    fn from(thread: &ChatThread) -> Self {
        Self { updated_at: thread.updated_at, id: thread.id, org_id: thread.org_id.clone() }
    }
}

const VERSION: u8 = 1;
const MESSAGES: u8 = b'm';
const THREADS: u8 = b't';
const SEARCH: u8 = b's';
const CHECKSUM_LEN: usize = 4;

impl Cursor {
    /// The text, to be sent to a client.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A cursor behind the message at `position`.
    pub fn after_message(thread: ThreadId, order: Order, position: Position) -> Self {
        Self::seal(MESSAGES, &message_context(thread, order), &position.get().to_be_bytes())
    }

    /// The position that this cursor stands behind.
    ///
    /// # Errors
    /// [`InvalidArgument`] when it is damaged, or was not made for this thread and order.
    pub fn message_position(&self, thread: ThreadId, order: Order) -> Result<Position, InvalidArgument> {
        let key = self.open(MESSAGES, &message_context(thread, order))?;
        let number = key.try_into().map(i64::from_be_bytes).map_err(|_| damaged())?;
        Position::new(number).map_err(|_| damaged())
    }

    /// A cursor behind a thread.
    pub fn after_thread(thread: &ChatThread) -> Self {
        Self::after_thread_key(&thread.into())
    }

    /// A cursor behind the place of a thread.
    pub fn after_thread_key(place: &ThreadKey) -> Self {
        let mut key = place.updated_at.timestamp_micros().to_be_bytes().to_vec();
        key.extend_from_slice(place.id.as_uuid().as_bytes());
        key.extend_from_slice(place.org_id.as_str().as_bytes());
        Self::seal(THREADS, &[], &key)
    }

    /// The thread that this cursor stands behind.
    ///
    /// # Errors
    /// [`InvalidArgument`] when it is damaged, or was not made for a list of threads.
    pub fn thread_key(&self) -> Result<ThreadKey, InvalidArgument> {
        let key = self.open(THREADS, &[])?;
        let (micros, rest) = key.split_first_chunk().ok_or_else(damaged)?;
        let (id, org) = rest.split_first_chunk().ok_or_else(damaged)?;
        Ok(ThreadKey {
            updated_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)).ok_or_else(damaged)?,
            id: Uuid::from_bytes(*id).into(),
            org_id: std::str::from_utf8(org).ok().and_then(|org| OrgId::new(org).ok()).ok_or_else(damaged)?,
        })
    }

    pub(crate) fn after_search_place(query: &SearchQuery, place: &Place) -> Self {
        let mut bytes = vec![u8::from(place.reading == SearchReading::Text)];
        write_search_key(&mut bytes, &place.key);
        if let Some((score, newest, oldest)) = &place.ranked {
            bytes.extend_from_slice(&score.to_bits().to_be_bytes());
            write_search_key(&mut bytes, newest);
            write_search_key(&mut bytes, oldest);
        }
        Self::seal(SEARCH, &search_context(query), &bytes)
    }

    pub(crate) fn search_place(&self, query: &SearchQuery) -> Result<Place, InvalidArgument> {
        let bytes = self.open(SEARCH, &search_context(query))?;
        let rest = &mut bytes.as_slice();
        let place = read_search_place(rest).filter(|_| rest.is_empty()).ok_or_else(damaged)?;
        if fits(&place, query) { Ok(place) } else { Err(damaged()) }
    }

    fn seal(kind: u8, context: &[u8], key: &[u8]) -> Self {
        let mut bytes = vec![VERSION, kind];
        bytes.extend_from_slice(key);
        let sum = checksum(&bytes, context);
        bytes.extend_from_slice(&sum);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn open(&self, kind: u8, context: &[u8]) -> Result<Vec<u8>, InvalidArgument> {
        let mut bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| damaged())?;
        let sum = bytes.split_off(bytes.len().saturating_sub(CHECKSUM_LEN));
        if sum != checksum(&bytes, context) || !bytes.starts_with(&[VERSION, kind]) {
            return Err(damaged());
        }
        Ok(bytes.split_off(2))
    }
}

/// What a message cursor is bound to without carrying it.
fn message_context(thread: ThreadId, order: Order) -> Vec<u8> {
    let mut context = vec![u8::from(order == Order::NewestFirst)];
    context.extend_from_slice(thread.as_uuid().as_bytes());
    context
}

/// All that decides what is found and in which order.
fn search_context(query: &SearchQuery) -> Vec<u8> {
    let SearchQuery { text, thread, role, sender_id, created_from, created_until, metadata, order, .. } =
        query;
    let metadata: Vec<_> = metadata.iter().map(|filter| (filter.path(), filter.value())).collect();
    let micros = |moment: &Option<Timestamp>| moment.map(|moment| moment.timestamp_micros());
    let range = (micros(created_from), micros(created_until));
    let context = (text, thread, role, sender_id, range, metadata, order);
    serde_json::to_vec(&context).unwrap_or_default()
}

/// Whether the place has the form of those that the query's pages end at. The checksum is no secret: anybody can make
/// a cursor.
fn fits(place: &Place, query: &SearchQuery) -> bool {
    let is_ranked = query.order == SearchOrder::Relevance && !query.text.trim().is_empty();
    let window = place.ranked.iter().flat_map(|(_, newest, oldest)| [newest, oldest]);
    place.ranked.is_some() == is_ranked
        && window.chain([&place.key]).all(|key| key.created_at.is_some() == query.thread.is_none())
}

fn write_search_key(bytes: &mut Vec<u8>, key: &SearchKey) {
    bytes.push(u8::from(key.created_at.is_some()));
    bytes.extend(key.created_at.iter().flat_map(|moment| moment.timestamp_micros().to_be_bytes()));
    bytes.extend_from_slice(key.thread.as_uuid().as_bytes());
    bytes.extend_from_slice(&key.position.get().to_be_bytes());
    let org = key.org_id.as_str().as_bytes();
    // An id has at most 255 bytes.
    bytes.push(u8::try_from(org.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(org);
}

fn read_search_place(rest: &mut &[u8]) -> Option<Place> {
    let reading = match take(rest)? {
        [0] => SearchReading::Query,
        [1] => SearchReading::Text,
        [_] => return None,
    };
    let key = read_search_key(rest)?;
    if rest.is_empty() {
        return Some(Place { reading, key, ranked: None });
    }
    let score = Score::from_bits(u64::from_be_bytes(take(rest)?));
    Some(Place { reading, key, ranked: Some((score, read_search_key(rest)?, read_search_key(rest)?)) })
}

fn read_search_key(rest: &mut &[u8]) -> Option<SearchKey> {
    let created_at = match take(rest)? {
        [0] => None,
        _ => Some(DateTime::from_timestamp_micros(i64::from_be_bytes(take(rest)?))?),
    };
    let thread = Uuid::from_bytes(take(rest)?).into();
    let position = Position::new(i64::from_be_bytes(take(rest)?)).ok()?;
    let [len] = take(rest)?;
    let (org, others) = rest.split_at_checked(len.into())?;
    *rest = others;
    let org_id = OrgId::new(std::str::from_utf8(org).ok()?).ok()?;
    Some(SearchKey { created_at, thread, position, org_id })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*first)
}

fn checksum(bytes: &[u8], context: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(bytes);
    sum.update(context);
    sum.finalize().to_be_bytes()
}

pub(crate) fn damaged() -> InvalidArgument {
    InvalidArgument::new("cursor", "must be the `next` of an earlier page of the same list", "another text")
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

    fn thread() -> ThreadId {
        Uuid::from_u128(7).into()
    }

    #[test]
    fn a_message_cursor_reads_back_for_its_thread_and_order_only() {
        let position = Position::new(i64::MAX).unwrap();
        let cursor = Cursor::after_message(thread(), Order::NewestFirst, position);
        assert_eq!(cursor.message_position(thread(), Order::NewestFirst), Ok(position));
        assert!(cursor.message_position(thread(), Order::OldestFirst).is_err());
        assert!(cursor.message_position(Uuid::from_u128(8).into(), Order::NewestFirst).is_err());
        assert!(cursor.thread_key().is_err());
    }

    #[test]
    fn a_search_cursor_has_the_form_that_its_query_gives() {
        let key = |is_dated: bool| SearchKey {
            created_at: is_dated.then_some(DateTime::UNIX_EPOCH),
            thread: thread(),
            position: Position::ZERO,
            org_id: OrgId::new("acme").unwrap(),
        };
        let score = Score::from_bits(1);
        for (text, order, in_thread) in [
            ("x", SearchOrder::Newest, false),
            ("x", SearchOrder::Oldest, true),
            (" ", SearchOrder::Relevance, false),
            ("x", SearchOrder::Relevance, false),
            ("x", SearchOrder::Relevance, true),
        ] {
            let mut query = SearchQuery::new(text).order(order);
            query.thread = in_thread.then(thread);
            let is_ranked = order == SearchOrder::Relevance && text == "x";
            for bits in 0..16_u8 {
                let [first, newest, oldest, has_window] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
                let ranked = has_window.then(|| (score, key(newest), key(oldest)));
                let reading = if bits % 2 == 0 { SearchReading::Query } else { SearchReading::Text };
                let place = Place { reading, key: key(first), ranked };
                let is_dated = first != in_thread && (!has_window || [newest, oldest] == [!in_thread; 2]);
                let read = Cursor::after_search_place(&query, &place).search_place(&query);
                let expected = if is_dated && has_window == is_ranked { Ok(place) } else { Err(damaged()) };
                assert_eq!(read, expected, "{query:?}");
            }
        }
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let cursor = Cursor::after_message(thread(), Order::OldestFirst, Position::new(5).unwrap());
        for at in 0..cursor.as_str().len() {
            for other in ["A", "B", "é", ""] {
                let mut text = cursor.as_str().to_owned();
                text.replace_range(at..=at, other);
                if text != cursor.as_str() {
                    assert!(Cursor::from(text).message_position(thread(), Order::OldestFirst).is_err());
                }
            }
        }
        for short in ["", "A", "AAAA", "AAAAAAAA"] {
            assert!(Cursor::from(short).thread_key().is_err());
        }
    }
}
