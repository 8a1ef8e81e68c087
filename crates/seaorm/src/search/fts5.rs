//! The index of SQLite: a contentless FTS5 table with a row for each message. Its column `words` has the words, in order;
//! its column `scope` has what is looked up beside them, in hexadecimal, which its tokenizer leaves whole.

use std::fmt::Write as _;

use chatkeep_domain::OrgId;
use chatkeep_domain::search::{SearchDocument, SearchExpr, SearchPhrase};

use super::entry::{Entry, Mark, Wanted};
use crate::sql::Sql;
use crate::threads::Target;

/// A word that separates texts, so that no phrase goes over: the analyzer makes no word of it.
const GAP: &str = "\u{E000} ";

/// The words in order. A position that has no word in the index has a gap in its place.
pub(super) fn sequence(document: &SearchDocument) -> String {
    let mut words: Vec<(u16, &str)> = document
        .words()
        .flat_map(|(word, positions)| positions.iter().map(move |position| (*position, word)))
        .collect();
    words.sort_unstable();
    let mut sequence = String::new();
    let mut next = 1;
    for (position, word) in words {
        sequence.extend((next..position).map(|_| GAP));
        sequence.push_str(word);
        sequence.push(' ');
        next = position + 1;
    }
    sequence
}

pub(super) fn marks(marks: &[Mark<'_>]) -> String {
    let marks: Vec<_> = marks.iter().map(|mark| word(*mark)).collect();
    marks.join(" ")
}

fn word(mark: Mark<'_>) -> String {
    match mark {
        Mark::Org(org) => format!("o{}", hex(org.as_str())),
        Mark::User(org, user) => user_word(org, user.as_str()),
        Mark::Sender(sender) => format!("s{}", hex(sender.as_str())),
        Mark::Tag(tag) => format!("m{}", tag.as_simple()),
    }
}

/// It has the organization in it, so that it says all by itself.
fn user_word(org: Option<&OrgId>, user: &str) -> String {
    format!("u{}u{}", hex(org.map_or("", OrgId::as_str)), hex(user))
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::with_capacity(2 * text.len()), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// All of the column `scope`.
pub(crate) fn scope(org: &OrgId, user: &str, entry: &Entry) -> String {
    format!("{} {} {}", word(Mark::Org(org)), user_word(Some(org), user), entry.marks)
}

/// Puts the entries of messages that lie one behind the other into the index.
pub(crate) fn insert<'a>(
    target: &Target,
    user: &str,
    first: i64,
    entries: impl Iterator<Item = &'a Entry>,
) -> Sql {
    let rows: serde_json::Value =
        entries.map(|entry| serde_json::json!([scope(&target.org, user, entry), entry.words])).collect();
    Sql::new(
        "INSERT INTO chat_message_search (rowid, scope, words) SELECT m.row_id, e.value ->> 0, e.value ->> 1",
    )
    .bind(" FROM json_each(", rows.to_string())
    .text(") AS e CROSS JOIN chat_message AS m")
    .bind(" WHERE m.org_id = ", target.org.as_str())
    .bind(" AND m.chat_thread_id = ", *target.id.as_uuid())
    .bind(" AND m.position = e.key + ", first)
}

/// Takes a message out of the index.
pub(crate) fn remove(target: &Target, position: i64) -> Sql {
    Sql::new("DELETE FROM chat_message_search WHERE rowid = (SELECT row_id FROM chat_message")
        .bind(" WHERE org_id = ", target.org.as_str())
        .bind(" AND chat_thread_id = ", *target.id.as_uuid())
        .bind(" AND position = ", position)
        .text(")")
}

/// What the table matches.
pub(super) fn question(wanted: &Wanted<'_>) -> Option<String> {
    let words = wanted.expr.and_then(of_words);
    // All that FTS5 finds is read before anything is sorted: for an owner alone, another index is better.
    if wanted.sender.is_none() && wanted.metadata.is_empty() && words.is_none() {
        return None;
    }
    let scoped = |mark: Mark<'_>| format!("scope : \"{}\"", word(mark));
    let owner = match (wanted.org, wanted.user) {
        (org, Some(user)) => Some(Mark::User(org, user)),
        (org, None) => org.map(Mark::Org),
    };
    let mut all: Vec<String> = owner.into_iter().chain(wanted.sender.map(Mark::Sender)).map(scoped).collect();
    let tagged = |marks: Vec<Mark<'_>>| {
        let marks: Vec<_> = marks.into_iter().map(scoped).collect();
        format!("({})", marks.join(" AND "))
    };
    let tags: Vec<_> = wanted.tags().into_iter().map(tagged).collect();
    all.extend((!tags.is_empty()).then(|| format!("({})", tags.join(" OR "))));
    all.extend(words);
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// FTS5 has no NOT by itself, only one thing without another. What cannot be said so is left out: what is found then
/// holds what is looked for, and more.
fn of_words(expr: &SearchExpr) -> Option<String> {
    if let Some(exact) = exactly(expr) {
        return Some(exact);
    }
    let SearchExpr::All(sides) = expr else { return None };
    let sides: Vec<_> = sides.iter().filter_map(exactly).collect();
    (!sides.is_empty()).then(|| format!("({})", sides.join(" AND ")))
}

fn exactly(expr: &SearchExpr) -> Option<String> {
    match expr {
        SearchExpr::All(sides) => {
            let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
            for side in sides {
                match side {
                    SearchExpr::Not(side) => unwanted.push(exactly(side)?),
                    side => wanted.push(exactly(side)?),
                }
            }
            let wanted = (!wanted.is_empty()).then(|| format!("({})", wanted.join(" AND ")))?;
            if unwanted.is_empty() {
                return Some(wanted);
            }
            Some(format!("({wanted} NOT ({}))", unwanted.join(" OR ")))
        }
        SearchExpr::Any(sides) => {
            let sides: Option<Vec<_>> = sides.iter().map(exactly).collect();
            sides.filter(|sides| !sides.is_empty()).map(|sides| format!("({})", sides.join(" OR ")))
        }
        SearchExpr::Not(_) => None,
        SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
            Some(format!("words : \"{}\"{}", words.join(" "), if *is_prefix { " *" } else { "" }))
        }
    }
}
