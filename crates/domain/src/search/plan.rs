//! How a search goes: what to read next, and what becomes of it.

mod readings;
#[cfg(test)]
mod tests;

use std::fmt;

use self::readings::Readings;
use crate::error::StoreError;
use crate::invalid::InvalidArgument;
use crate::page::{MAX_PAGE_LEN, Page};
use crate::search::candidate::{CorruptCandidate, SearchCandidate, SearchRead};
use crate::search::document::SearchDocument;
use crate::search::expr::SearchExpr;
use crate::search::hit::SearchHit;
use crate::search::page::SearchPage;
use crate::search::place::{Place, SearchKey};
use crate::search::query::{MAX_RANKED, SearchOrder, SearchQuery};
use crate::search::rank::{self, Score};
use crate::search::reading::SearchReading;
use crate::search::snippet::Snippet;

/// How many candidates are read at least, where those read before were not enough, and at once for a ranking.
const MORE: usize = 100;

/// One search, from the query to the page.
///
/// A store asks [`next_read`](Self::next_read) what to read, reads it, and gives it to [`add`](Self::add), until
/// there is nothing more to read; [`finish`](Self::finish) makes the page. The store must give every message that
/// matches, and may give others, because the plan checks each of them. A row that the store cannot decode goes in as
/// an `Err`.
///
/// The tree may change between two reads: if a text with an exclusion finds nothing, the plan starts again and takes
/// the same text as plain words. So ask [`expr`](Self::expr) anew before each read.
///
/// ```
/// use chatkeep_domain::search::{SearchCandidate, SearchPlan, SearchRead};
/// use chatkeep_domain::{SearchPage, SearchQuery, StoreError};
///
/// fn search(
///     query: &SearchQuery,
///     read: impl Fn(&SearchRead) -> Vec<SearchCandidate>,
/// ) -> Result<SearchPage, StoreError> {
///     let mut plan = SearchPlan::new(query)?;
///     while let Some(next) = plan.next_read() {
///         plan.add(read(&next).into_iter().map(Ok));
///     }
///     plan.finish()
/// }
/// # assert!(search(&SearchQuery::new("x"), |_| Vec::new()).unwrap().items.is_empty());
/// ```
pub struct SearchPlan<'a> {
    query: &'a SearchQuery,
    readings: Readings<'a>,
    /// Ranks what it finds: the order is relevance, and there are words.
    is_ranked: bool,
    /// Where the page begins, in a ranked search by score too.
    start: Option<Place>,
    behind: Option<SearchKey>,
    progress: Progress,
    /// How much to read at least, next time.
    more: usize,
    /// What the page is made of; of a ranked search only the best, as many as the page and one more has room for.
    found: Vec<Found>,
    /// How many matched, whether they are kept or not.
    matched: usize,
    /// The newest and the oldest of what matched.
    matched_range: Option<(SearchKey, SearchKey)>,
    /// The newest and the oldest of what the first page ranked, where this is a later one.
    window: Option<(SearchKey, SearchKey)>,
}

/// A match in its place; by relevance it has a score. A row that cannot be decoded has the least.
struct Found {
    score: Option<Score>,
    key: Option<SearchKey>,
    row: Result<SearchCandidate, StoreError>,
}

#[derive(PartialEq, Eq)]
enum Progress {
    Unread,
    /// Something was read, and there may be more.
    Begun,
    /// There is nothing more.
    Exhausted,
}

impl fmt::Debug for SearchPlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchPlan").field("query", &self.query).finish_non_exhaustive()
    }
}

impl<'a> SearchPlan<'a> {
    /// Checks the query and its cursor.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a limit, a text's length, a moment or a number of filters out of range; for a cursor that
    /// is damaged or of another search.
    pub fn new(query: &'a SearchQuery) -> Result<Self, InvalidArgument> {
        query.check()?;
        let start = query.cursor.as_ref().map(|cursor| Place::open(cursor, query)).transpose()?;
        let readings = Readings::of(&query.text);
        let readings = match &start {
            Some(place) => readings.only(place.reading)?,
            None => readings,
        };
        let is_ranked = query.order == SearchOrder::Relevance && readings.expr.is_some();
        let is_nothing = query.limit == 0 || readings.expr.as_ref().is_some_and(SearchExpr::is_nothing);
        let window =
            start.as_ref().and_then(|place| place.ranked.clone()).map(|(_, newest, oldest)| (newest, oldest));
        let behind = start.as_ref().filter(|_| !is_ranked).map(|place| place.key.clone());
        Ok(Self {
            query,
            readings,
            is_ranked,
            start,
            behind,
            progress: if is_nothing { Progress::Exhausted } else { Progress::Unread },
            more: MORE,
            found: Vec::new(),
            matched: 0,
            matched_range: None,
            window,
        })
    }

    /// The tree that the next read is to look for; `None` if the filters alone decide.
    pub fn expr(&self) -> Option<&SearchExpr> {
        self.readings.expr.as_ref()
    }

    /// How the next read takes the text. It changes at most once, together with [`expr`](Self::expr).
    pub fn reading(&self) -> SearchReading {
        self.readings.reading
    }

    /// Whether the search is one of a single thread.
    pub fn is_in_thread(&self) -> bool {
        self.query.thread.is_some()
    }

    /// The place of a candidate in this search.
    pub fn key(&self, candidate: &SearchCandidate) -> SearchKey {
        SearchKey {
            created_at: (!self.is_in_thread()).then_some(candidate.message.created_at),
            thread: candidate.message.chat_thread_id,
            position: candidate.message.position,
            org_id: candidate.org_id.clone(),
        }
    }

    /// What to read next; `None` if enough was read.
    pub fn next_read(&self) -> Option<SearchRead> {
        let missing = self.wanted().saturating_sub(self.matched);
        if self.progress == Progress::Exhausted || missing == 0 {
            return None;
        }
        let (newest, oldest) = self.window.clone().unzip();
        let is_ahead = |newest: &SearchKey| self.behind.as_ref().is_none_or(|behind| newest < behind);
        Some(SearchRead {
            newest_first: self.query.order != SearchOrder::Oldest,
            from: newest.filter(is_ahead),
            behind: self.behind.clone(),
            until: oldest,
            limit: match self.progress {
                _ if self.is_ranked => self.more,
                Progress::Begun => missing.max(self.more),
                _ => missing,
            },
        })
    }

    /// How many matches are enough.
    fn wanted(&self) -> usize {
        match &self.window {
            // All that is there now: what was stored among them since takes no place of theirs.
            Some(_) => usize::MAX,
            None if self.is_ranked => MAX_RANKED,
            None => self.query.limit + 1,
        }
    }

    /// Takes in what was read, in the order that was asked for. If the store gives fewer candidates than were asked
    /// for, there are no more.
    pub fn add(
        &mut self,
        candidates: impl IntoIterator<Item = Result<SearchCandidate, Box<CorruptCandidate>>>,
    ) {
        let asked = self.next_read().map_or(0, |read| read.limit);
        let before = self.matched;
        let is_further = self.progress == Progress::Begun;
        self.progress = Progress::Begun;
        let (mut count, mut last) = (0, None);
        for candidate in candidates {
            count += 1;
            let key = match &candidate {
                Ok(candidate) => Some(self.key(candidate)),
                Err(corrupt) => corrupt.key.clone(),
            };
            if self.progress != Progress::Exhausted && self.matched < self.wanted() {
                self.take(candidate, key.clone());
            }
            last = key.or(last);
        }
        if count < asked || last.is_none() {
            self.progress = Progress::Exhausted;
        }
        self.behind = last.or(self.behind.take());
        if self.is_ranked {
            self.keep_the_best();
        }
        // A store may sort all of its candidates for each read: where few of them match, there are to be few reads.
        if (is_further || self.is_ranked) && self.matched - before < count / 2 {
            self.more = (self.more * 2).min(MAX_PAGE_LEN);
        }
        if self.progress == Progress::Exhausted && self.matched == 0 && self.readings.next() {
            (self.progress, self.behind, self.more) = (Progress::Unread, None, MORE);
        }
    }

    /// Keeps a candidate that matches.
    fn take(&mut self, candidate: Result<SearchCandidate, Box<CorruptCandidate>>, key: Option<SearchKey>) {
        let (score, row) = match candidate {
            Ok(candidate) => match self.judge(&candidate, key.as_ref()) {
                Some(score) => (score, Ok(candidate)),
                None => return,
            },
            Err(corrupt) if self.is_within_window(key.as_ref()) => {
                // The page ends here.
                if !self.is_ranked {
                    self.progress = Progress::Exhausted;
                }
                (self.is_ranked.then_some(Score::NONE), Err(corrupt.error))
            }
            Err(_) => return,
        };
        self.matched += 1;
        let is_on_earlier_page = self.start.as_ref().is_some_and(|end| {
            let last = end.ranked.as_ref().zip(score);
            last.is_some_and(|((last, ..), score)| (score, key.as_ref()) >= (*last, Some(&end.key)))
        });
        if let (true, Some(key)) = (self.is_ranked, &key) {
            let newest = self.matched_range.take().map_or_else(|| key.clone(), |(newest, _)| newest);
            self.matched_range = Some((newest, key.clone()));
        }
        if !is_on_earlier_page {
            self.found.push(Found { score, key, row });
        }
    }

    /// Messages may be large: no more of them are kept than the page shows, and one to know whether there is another.
    fn keep_the_best(&mut self) {
        self.found.sort_by(|one, other| (&other.score, &other.key).cmp(&(&one.score, &one.key)));
        self.found.truncate(self.query.limit + 1);
    }

    /// What was said since the first page has no place among what was ranked then.
    fn is_within_window(&self, key: Option<&SearchKey>) -> bool {
        self.window.as_ref().is_none_or(|(newest, _)| key.is_none_or(|key| key <= newest))
    }

    /// `None` for what does not match.
    #[expect(clippy::option_option, reason = "a match of a search that is not ranked has no score")]
    fn judge(&self, candidate: &SearchCandidate, key: Option<&SearchKey>) -> Option<Option<Score>> {
        let is_asked_for = self.query.filter.matches(&candidate.message)
            && self.query.thread.is_none_or(|thread| thread == candidate.message.chat_thread_id)
            && self.is_within_window(key);
        if !is_asked_for {
            return None;
        }
        let Some(expr) = self.expr() else { return Some(None) };
        if candidate.has_words && !self.is_ranked {
            return Some(None);
        }
        let document = SearchDocument::of_asked(&candidate.message.content, |word| expr.asks_of(word));
        expr.matches(&document).then(|| self.is_ranked.then(|| rank::score(expr, &document)))
    }

    /// The page.
    ///
    /// # Errors
    /// [`StoreError::CorruptRow`] if the page would begin with a row that cannot be decoded: see [`Page::cut`].
    pub fn finish(mut self) -> Result<SearchPage, StoreError> {
        let found = std::mem::take(&mut self.found);
        let window = self.window.take().or_else(|| self.matched_range.take());
        let behind = |score: Option<Score>, key: &SearchKey| {
            let window = window.clone();
            let ranked = score.zip(window).map(|(score, (newest, oldest))| (score, newest, oldest));
            Place { reading: self.reading(), key: key.clone(), ranked }.seal(self.query)
        };
        let rows = found.into_iter().map(|Found { score, key, row }| match row {
            Ok(found) => Ok((score, found)),
            Err(error) => Err(error.going_on(key.map(|key| behind(score, &key)))),
        });
        let page = Page::cut(rows, self.query.limit, |(score, last)| behind(*score, &self.key(last)))?;
        let expr = self.expr();
        let hit = |(score, found): (Option<Score>, SearchCandidate)| SearchHit {
            snippet: Snippet::of(&found.message.content, expr),
            message: found.message,
            org_id: found.org_id,
            thread_name: found.thread_name,
            score: score.map(Score::get),
        };
        Ok(SearchPage {
            items: page.items.into_iter().map(hit).collect(),
            next: page.next,
            reading: self.reading(),
        })
    }
}
