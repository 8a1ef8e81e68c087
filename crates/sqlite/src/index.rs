//! The search index: an FTS5 table with a row for each message, which follows the messages.
//!
//! Each word has its organization in front, so that nothing of another organization is looked at, also where a word is common or a
//! prefix short. The column `marks` has what is looked up beside words: the thread, the user, the sender, the tags of metadata.

use std::fmt::Write as _;

use chatkeep_domain::search::{SearchDocument, SearchExpr, SearchPhrase};
use chatkeep_domain::{MetadataFilter, MetadataTags};
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::Result;

/// How many parts of the index are merged into one, as `schema.rs` sets it.
const AUTOMERGE: i64 = 8;

/// A word that separates texts, so that no phrase goes over: the analyzer makes no word of it.
const GAP: &str = "\u{E000} ";

const INSERT: &str = "INSERT INTO chat_message_words (rowid, marks, words) VALUES (?1, ?2, ?3)";

const DELETE: &str = "DELETE FROM chat_message_words WHERE rowid = ?1";

const MERGING: &str = "SELECT v FROM chat_message_words_config WHERE k = 'automerge'";

const SET_MERGING: &str =
    "INSERT INTO chat_message_words (chat_message_words, rank) VALUES ('automerge', ?1)";

/// Whose message it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) org: i64,
    pub(crate) thread: i64,
    pub(crate) user: &'a str,
    pub(crate) sender: Option<&'a str>,
}

/// Puts a message into the index.
pub(crate) fn insert(
    connection: &Connection,
    key: i64,
    owner: Owner<'_>,
    document: &SearchDocument,
) -> Result<()> {
    let entry = (key, marks(owner, document), words(owner.org, document));
    connection.prepare_cached(INSERT)?.execute(entry)?;
    Ok(())
}

/// Takes a message out of the index.
pub(crate) fn delete(connection: &Connection, key: i64) -> Result<()> {
    connection.prepare_cached(DELETE)?.execute([key])?;
    Ok(())
}

/// Switches off that commits merge a little of the index, and on again. While many messages are taken out one after the other, commits
/// would stall: FTS5 counts each as a page that was written, and merges for it.
pub(crate) fn set_merging(connection: &Connection, on: bool) -> Result<()> {
    let wanted = if on { AUTOMERGE } else { 0 };
    if connection.prepare_cached(MERGING)?.query_row([], |row| row.get::<_, i64>(0))? != wanted {
        connection.prepare_cached(SET_MERGING)?.execute([wanted])?;
    }
    Ok(())
}

/// The words in order. A position that has no word in the index has a gap in its place.
fn words(org: i64, document: &SearchDocument) -> String {
    let mut words: Vec<(u16, &str)> = Vec::new();
    for (word, positions) in document.words() {
        words.extend(positions.iter().map(|position| (*position, word)));
    }
    words.sort_unstable();
    let org = format!("{org:x}g");
    let (mut text, mut next) = (String::with_capacity(words.len() * (org.len() + 8)), 1);
    for (position, word) in words {
        text.extend((next..position).map(|_| GAP));
        text.extend([&*org, word, " "]);
        next = position + 1;
    }
    text
}

fn marks(owner: Owner<'_>, document: &SearchDocument) -> String {
    let Owner { org, thread, user, sender } = owner;
    let mut marks = vec![of_thread(thread), of_user(org, user)];
    marks.extend(sender.map(|sender| of_sender(org, sender)));
    let tags = document.tags();
    marks.extend(
        tags.tags.iter().copied().chain(tags.is_incomplete.then(Uuid::nil)).map(|tag| of_tag(org, tag)),
    );
    marks.join(" ")
}

fn of_thread(thread: i64) -> String {
    format!("t{thread:x}")
}

fn of_user(org: i64, user: &str) -> String {
    format!("u{org:x}g{}", hex(user))
}

fn of_sender(org: i64, sender: &str) -> String {
    format!("s{org:x}g{}", hex(sender))
}

fn of_tag(org: i64, tag: Uuid) -> String {
    format!("m{org:x}g{}", tag.as_simple())
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::with_capacity(2 * text.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What the index is asked for, within one organization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) org: i64,
    pub(crate) thread: Option<i64>,
    pub(crate) user: Option<&'a str>,
    pub(crate) sender: Option<&'a str>,
    pub(crate) metadata: &'a [MetadataFilter],
    pub(crate) expr: Option<&'a SearchExpr>,
}

impl Wanted<'_> {
    /// What the table is to match. `None` where the index has nothing to say, and every message of the owner is a candidate.
    pub(crate) fn question(&self) -> Option<String> {
        let words = self.expr.and_then(|expr| self.of_words(expr));
        if words.is_none() && self.sender.is_none() && self.metadata.is_empty() {
            return None;
        }
        // Within one thread, the thread says more than its user.
        let owner = match (self.thread, self.user) {
            (Some(thread), _) => Some(of_thread(thread)),
            (None, user) => user.map(|user| of_user(self.org, user)),
        };
        let sender = self.sender.map(|sender| of_sender(self.org, sender));
        let marks = owner.into_iter().chain(sender).map(|mark| format!("marks : \"{mark}\""));
        let all: Vec<_> = marks.chain(self.of_metadata()).chain(words).collect();
        Some(all.join(" AND "))
    }

    /// Whether every message that the index finds has the words. One that is to be without a word is looked at: a codec may keep words
    /// out of the index.
    pub(crate) fn is_exact(&self) -> bool {
        self.expr.is_some_and(|expr| has_no_exclusion(expr) && self.exactly(expr).is_some())
    }

    fn of_metadata(&self) -> Option<String> {
        let mark = |tag| format!("marks : \"{}\"", of_tag(self.org, tag));
        match MetadataTags::wanted(self.metadata) {
            MetadataTags { is_incomplete: true, .. } => Some(mark(Uuid::nil())),
            MetadataTags { tags, .. } if tags.is_empty() => None,
            MetadataTags { tags, .. } => {
                let tags: Vec<_> = tags.into_iter().map(mark).collect();
                Some(format!("(({}) OR {})", tags.join(" AND "), mark(Uuid::nil())))
            }
        }
    }

    /// FTS5 has no NOT by itself, only one thing without another. What cannot be said so is left out: what is found then
    /// holds what is looked for, and more.
    fn of_words(&self, expr: &SearchExpr) -> Option<String> {
        if let Some(exact) = self.exactly(expr) {
            return Some(exact);
        }
        let SearchExpr::All(sides) = expr else { return None };
        let sides: Vec<_> = sides.iter().filter_map(|side| self.exactly(side)).collect();
        (!sides.is_empty()).then(|| format!("({})", sides.join(" AND ")))
    }

    fn exactly(&self, expr: &SearchExpr) -> Option<String> {
        match expr {
            SearchExpr::All(sides) => {
                let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
                for side in sides {
                    match side {
                        SearchExpr::Not(side) => unwanted.push(self.exactly(side)?),
                        side => wanted.push(self.exactly(side)?),
                    }
                }
                let wanted = (!wanted.is_empty()).then(|| format!("({})", wanted.join(" AND ")))?;
                if unwanted.is_empty() {
                    return Some(wanted);
                }
                Some(format!("({wanted} NOT ({}))", unwanted.join(" OR ")))
            }
            SearchExpr::Any(sides) => {
                let sides: Option<Vec<_>> = sides.iter().map(|side| self.exactly(side)).collect();
                sides.filter(|sides| !sides.is_empty()).map(|sides| format!("({})", sides.join(" OR ")))
            }
            SearchExpr::Not(_) => None,
            SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
                let words: Vec<_> = words.iter().map(|word| format!("{:x}g{word}", self.org)).collect();
                Some(format!("words : \"{}\"{}", words.join(" "), if *is_prefix { " *" } else { "" }))
            }
        }
    }
}

fn has_no_exclusion(expr: &SearchExpr) -> bool {
    match expr {
        SearchExpr::All(sides) | SearchExpr::Any(sides) => sides.iter().all(has_no_exclusion),
        SearchExpr::Not(_) => false,
        SearchExpr::Phrase(_) => true,
    }
}
