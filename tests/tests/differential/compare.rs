//! One query on every store, page by page, and on the oracle.

use std::cell::RefCell;

use chatkeep_contract::Repo;
use chatkeep_domain::{ChatMessage, ChatThread, Cursor, Page, SearchHit, SearchOrder, SearchReading};

use crate::model::Model;
use crate::query::{Expected, Query, Read, Search, Threads};
use crate::typed::Typed;

/// What was asked and found, so that a run that compares nothing with nothing is noticed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    queries: u32,
    foreseen: u32,
    refused: u32,
    with_hits: u32,
    with_pages: u32,
    marked: u32,
    as_text: u32,
    hits: usize,
}

impl Tally {
    pub(crate) fn assert_that_it_says_something(&self) {
        assert!(self.with_hits > self.queries / 4, "few queries find anything: {self:?}");
        assert!(self.with_pages > self.queries / 10, "few queries have pages: {self:?}");
        assert!(self.foreseen > self.queries / 4, "the oracle knows few answers: {self:?}");
        assert!(self.as_text > self.queries / 50, "few texts are read as text: {self:?}");
        assert!(self.refused > 0 && self.marked > self.queries / 20, "{self:?}");
    }
}

/// All pages of an answer, each with its cursor; or the error, in its own words.
type Answer<T> = Result<Vec<Page<T>>, String>;

/// Follows the cursors to the end.
async fn pages<T, F: Future<Output = Result<Page<T>, chatkeep_domain::StoreError>>>(
    ask: impl Fn(Option<Cursor>) -> F,
) -> Answer<T> {
    let mut pages: Vec<Page<T>> = Vec::new();
    let mut cursor = None;
    loop {
        let page = ask(cursor).await.map_err(|error| error.to_string())?;
        let next = page.next.clone();
        pages.push(page);
        if next.is_none() {
            return Ok(pages);
        }
        if pages.len() > 500 {
            return Err("the pages do not end".to_owned());
        }
        cursor = next;
    }
}

pub(crate) async fn check(
    stores: &[(&'static str, Repo)],
    model: &Model,
    query: &Query,
    tally: &mut Tally,
) -> Result<(), String> {
    match query {
        Query::Search(search) => {
            let (scope, asked) = (search.asker.scope(model.place), search.query(model.place));
            let (mut answers, readings) = (Vec::new(), RefCell::new(Vec::new()));
            for (name, repo) in stores {
                let ask = |cursor| {
                    let mut asked = asked.clone();
                    asked.cursor = cursor;
                    let (scope, readings) = (&scope, &readings);
                    async move {
                        let search = repo.search().expect("every store searches");
                        let page = search.search_messages(scope, &asked).await?;
                        readings.borrow_mut().push(page.reading);
                        Ok(Page::new(page.items, page.next))
                    }
                };
                answers.push((*name, pages(ask).await));
            }
            check_search(search, model, &answers, &readings.take(), tally)
        }
        Query::Read(read) => {
            let (scope, asked, thread) =
                (read.asker.scope(model.place), read.query(model.place), model.place.thread(read.thread));
            let mut answers = Vec::new();
            for (name, repo) in stores {
                let ask = |cursor: Option<Cursor>| {
                    let asked = match cursor {
                        Some(cursor) => asked.clone().behind(cursor),
                        None => asked.clone(),
                    };
                    let scope = &scope;
                    async move { repo.list_messages(scope, thread, &asked).await }
                };
                answers.push((*name, pages(ask).await));
            }
            check_read(read, model, &answers, tally)
        }
        Query::Threads(threads) => {
            let (scope, asked) = (threads.asker.scope(model.place), threads.query(model.place));
            let mut answers = Vec::new();
            for (name, repo) in stores {
                let ask = |cursor| {
                    let mut asked = asked.clone();
                    asked.cursor = cursor;
                    let scope = &scope;
                    async move { repo.list_threads(scope, &asked).await }
                };
                answers.push((*name, pages(ask).await));
            }
            check_threads(threads, model, &answers, tally)
        }
    }
}

fn check_search(
    search: &Search,
    model: &Model,
    answers: &[(&str, Answer<SearchHit>)],
    readings: &[SearchReading],
    tally: &mut Tally,
) -> Result<(), String> {
    let limit = search.query(model.place).limit;
    let tell = |hit: &SearchHit| {
        let (message, snippet) = (&hit.message, &hit.snippet);
        let bits = hit.score.map(f64::to_bits);
        format!(
            "{} {} {} {:?} {bits:?} {:?} {:?}",
            hit.org_id, message.chat_thread_id, message.position, hit.score, snippet.text, snippet.ranges
        )
    };
    let hits = same(answers, tell, limit, tally)?;
    for hit in &hits {
        check_snippet(hit)?;
        tally.marked += u32::from(!hit.snippet.ranges.is_empty());
    }
    let is_ranked = search.order == SearchOrder::Relevance && !matches!(search.typed, Typed::Blank(_));
    if !hits.iter().all(|hit| hit.score.is_some_and(|score| score > 0.0) == is_ranked)
        && !matches!(search.typed, Typed::Other(_))
    {
        return Err("scores where there is no ranking, or none where there is".to_owned());
    }
    if !hits.is_sorted_by(|one, other| one.score >= other.score) {
        return Err("scores go up".to_owned());
    }
    let found =
        hits.iter().map(|hit| (hit.org_id.clone(), hit.message.chat_thread_id, hit.message.id)).collect();
    let (expected, reading) = search.expected(model);
    // Every page of every store says the same.
    let is_right = |given: &SearchReading| reading.map_or(*given == readings[0], |reading| *given == reading);
    if !readings.iter().all(is_right) {
        return Err(format!("read as {readings:?}, and the oracle expects {reading:?}"));
    }
    tally.as_text += u32::from(readings.first() == Some(&SearchReading::Text));
    foreseen(expected, answers, found, limit, tally)
}

fn check_snippet(hit: &SearchHit) -> Result<(), String> {
    let snippet = &hit.snippet;
    let mut end = 0;
    for range in &snippet.ranges {
        if range.start < end || range.is_empty() || snippet.text.get(range.clone()).is_none() {
            return Err(format!("ranges {:?} of {:?}", snippet.ranges, snippet.text));
        }
        end = range.end;
    }
    if snippet.text.chars().count() > chatkeep_domain::MAX_SNIPPET_CHARS {
        return Err(format!("a snippet of {} characters", snippet.text.chars().count()));
    }
    Ok(())
}

fn check_read(
    read: &Read,
    model: &Model,
    answers: &[(&str, Answer<ChatMessage>)],
    tally: &mut Tally,
) -> Result<(), String> {
    let limit = read.query(model.place).limit;
    let found = same(answers, |message| format!("{message:?}"), limit, tally)?;
    foreseen(read.expected(model), answers, found.iter().map(|message| message.id).collect(), limit, tally)
}

fn check_threads(
    threads: &Threads,
    model: &Model,
    answers: &[(&str, Answer<ChatThread>)],
    tally: &mut Tally,
) -> Result<(), String> {
    let limit = threads.query(model.place).limit;
    let found = same(answers, |thread| format!("{thread:?}"), limit, tally)?;
    let found = found.into_iter().map(|thread| (thread.org_id, thread.id)).collect();
    foreseen(threads.expected(model), answers, found, limit, tally)
}

/// Every store gives the same pages, full ones but for the last. Gives what is on them.
fn same<T: PartialEq + Clone>(
    answers: &[(&str, Answer<T>)],
    tell: impl Fn(&T) -> String,
    limit: usize,
    tally: &mut Tally,
) -> Result<Vec<T>, String> {
    let told = |answer: &Answer<T>| match answer {
        Ok(pages) => {
            let page = |page: &Page<T>| (page.items.iter().map(&tell).collect::<Vec<_>>(), page.next.clone());
            Ok(pages.iter().map(page).collect::<Vec<_>>())
        }
        Err(error) => Err(error.clone()),
    };
    let ((first, one), others) = answers.split_first().expect("a store");
    for (name, other) in others {
        let are_same = match (one, other) {
            (Ok(one), Ok(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| one.items == other.items && one.next == other.next)
            }
            (Err(one), Err(other)) => one == other,
            _ => false,
        };
        if !are_same || told(one) != told(other) {
            return Err(format!("{first} gives {:#?},\n{name} gives {:#?}", told(one), told(other)));
        }
    }
    tally.queries += 1;
    let Ok(pages) = one else {
        tally.refused += 1;
        return Ok(Vec::new());
    };
    let (last, full) = pages.split_last().expect("a page");
    if full.iter().any(|page| page.items.len() != limit) || last.items.is_empty() && !full.is_empty() {
        return Err(format!("pages of {:?}", pages.iter().map(|page| page.items.len()).collect::<Vec<_>>()));
    }
    let items: Vec<T> = pages.iter().flat_map(|page| page.items.iter().cloned()).collect();
    tally.with_pages += u32::from(!full.is_empty());
    tally.with_hits += u32::from(!items.is_empty());
    tally.hits += items.len();
    Ok(items)
}

/// The oracle agrees.
fn foreseen<T: PartialEq + Ord + std::fmt::Debug, H>(
    expected: Expected<T>,
    answers: &[(&str, Answer<H>)],
    mut found: Vec<T>,
    limit: usize,
    tally: &mut Tally,
) -> Result<(), String> {
    let error = answers[0].1.as_ref().err();
    tally.foreseen += u32::from(expected != Expected::Unknown);
    let mut expected = match expected {
        Expected::Unknown => return Ok(()),
        Expected::Refused(reason) if error.is_some_and(|error| error.contains(reason)) => return Ok(()),
        Expected::Refused(reason) => {
            return Err(format!("the oracle expects an error, {reason:?}, not {error:?}"));
        }
        Expected::InOrder(expected) => expected,
        Expected::InAnyOrder(mut expected) => {
            expected.sort();
            found.sort();
            expected
        }
    };
    expected.truncate(if limit == 0 { 0 } else { usize::MAX });
    if error.is_some() || expected != found {
        return Err(format!("the oracle expects {expected:#?}, and every store gives {found:#?} {error:?}"));
    }
    Ok(())
}
