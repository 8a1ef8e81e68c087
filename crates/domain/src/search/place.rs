//! Where a page of a search ends, and the cursor of it.

use chrono::DateTime;
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::id::{OrgId, ThreadId};
use crate::invalid::InvalidArgument;
use crate::message_filter::MessageFilter;
use crate::position::Position;
use crate::search::query::{SearchOrder, SearchQuery};
use crate::search::rank::Score;
use crate::search::reading::SearchReading;
use crate::time::Timestamp;

/// The place of a message among those that a search may find, from the oldest to the newest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SearchKey {
    /// The first key of the order. `None` in a search of one thread, where the position alone decides.
    pub created_at: Option<Timestamp>,
    /// The second key.
    pub thread: ThreadId,
    /// The third key.
    pub position: Position,
    /// The fourth key: across organizations, ids may repeat.
    pub org_id: OrgId,
}

impl SearchKey {
    /// The place of a message. `created_at` is `None` in a search of one thread.
    pub fn new(
        created_at: impl Into<Option<Timestamp>>,
        thread: ThreadId,
        position: Position,
        org_id: OrgId,
    ) -> Self {
        Self { created_at: created_at.into(), thread, position, org_id }
    }
}

/// Where a page of a search ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) reading: SearchReading,
    pub(super) key: SearchKey,
    /// Of a ranked search: the score there, and the newest and the oldest message that were ranked.
    pub(super) ranked: Option<(Score, SearchKey, SearchKey)>,
}

/// The kind of the cursors of searches.
const KIND: u8 = b's';

impl Place {
    /// The cursor of a page of the query that ended here.
    pub(super) fn seal(&self, query: &SearchQuery) -> Cursor {
        let mut bytes = vec![u8::from(self.reading == SearchReading::Text)];
        write_search_key(&mut bytes, &self.key);
        if let Some((score, newest, oldest)) = &self.ranked {
            bytes.extend_from_slice(&score.to_bits().to_be_bytes());
            write_search_key(&mut bytes, newest);
            write_search_key(&mut bytes, oldest);
        }
        Cursor::seal(KIND, &context(query), &bytes)
    }

    /// Where the earlier page of the query ended.
    pub(super) fn open(cursor: &Cursor, query: &SearchQuery) -> Result<Self, InvalidArgument> {
        let bytes = cursor.open(KIND, &context(query))?;
        let rest = &mut bytes.as_slice();
        let place = read_search_place(rest).filter(|_| rest.is_empty()).ok_or_else(Cursor::damaged)?;
        if fits(&place, query) { Ok(place) } else { Err(Cursor::damaged()) }
    }
}

/// All that decides what is found and in which order.
fn context(query: &SearchQuery) -> Vec<u8> {
    let MessageFilter { roles, sender_id, created, metadata } = &query.filter;
    let metadata: Vec<_> = metadata.iter().map(|filter| (filter.path(), filter.value())).collect();
    let micros = |moment: Option<Timestamp>| moment.map(|moment| moment.timestamp_micros());
    let range = (micros(created.from), micros(created.until));
    let context = (&query.text, query.thread, query.branch, roles, sender_id, range, metadata, query.order);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn thread() -> ThreadId {
        Uuid::from_u128(7).into()
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
                let read = Place::open(&place.seal(&query), &query);
                let expected =
                    if is_dated && has_window == is_ranked { Ok(place) } else { Err(Cursor::damaged()) };
                assert_eq!(read, expected, "{query:?}");
            }
        }
    }
}
