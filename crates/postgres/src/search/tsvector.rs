//! The index: a `tsvector` beside each message, in a GIN index together with the organization.
//!
//! A GIN index keeps one list for each word, of all messages that have it; a search walks it beside the list of its
//! organization's messages. So that the lists do not grow with the other organizations, each word begins with a letter
//! that the organization is given, one of 64: measured at 1,000,000 messages of 1,000 organizations, the index finds
//! the 40 of 1,000 messages that have two words in 0.06 ms instead of 1.4 ms, and is 2.4 times as large. With a letter for each organization it
//! would be no faster there, and nine times as large: most words would be in a list of their own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::entry::{Mark, Wanted};
use crate::sql::Sql;
use crate::threads::Target;
use chatkeep_domain::OrgId;
use chatkeep_domain::search::{SearchDocument, SearchExpr, SearchPhrase};

const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";

/// The words of a phrase that are looked up where each is for 64 letters.
const LOOSE_WORDS: usize = 4;

/// The letter of an organization. It is stored, and never to be changed.
fn letter(org: &OrgId) -> char {
    let sum = crc32fast::hash(org.as_str().as_bytes());
    LETTERS[sum as usize % LETTERS.len()].into()
}

/// An entry as it is written: `'0word':1,5 '0other':2 '0=mark'`.
pub(super) fn write(org: &OrgId, document: &SearchDocument, marks: &[Mark<'_>]) -> String {
    let (letter, mut vector) = (letter(org), String::new());
    for (word, positions) in document.words() {
        quote(&mut vector, letter, word);
        for (at, position) in positions.iter().enumerate() {
            let before = if at == 0 { ':' } else { ',' };
            // Writing to a String cannot fail.
            let _ = write!(vector, "{before}{position}");
        }
        vector.push(' ');
    }
    for mark in marks {
        quote(&mut vector, letter, &lexeme(*mark));
        vector.push(' ');
    }
    vector
}

/// What the mark of a thread's owner begins with.
pub(crate) fn owner_prefix(org: &OrgId) -> String {
    format!("{}=u", letter(org))
}

/// The mark of a thread's owner. It has the organization in it: users of the same name, such as "default", are in lists
/// of their own.
pub(crate) fn owner(org: &OrgId, user: &str) -> String {
    format!("{}{user}@{org}", owner_prefix(org))
}

/// Goes on behind an expression for an entry's text. Where the target names no owner, it adds the mark: of this one, or of
/// the one in the column `user_id`.
pub(crate) fn cast(sql: Sql, target: &Target, user: Option<&str>) -> Sql {
    let (sql, org) = (sql.text("::tsvector"), &target.org);
    if target.user.is_some() {
        return sql;
    }
    let sql = sql.text(" || array_to_tsvector(ARRAY[");
    if let Some(user) = user {
        return sql.bind("", owner(org, user)).text("::text])");
    }
    let (before, behind) = (owner_prefix(org), format!("@{org}"));
    sql.bind("", before).bind("::text || user_id || ", behind).text("::text])")
}

/// What no word begins with tells a mark from one.
fn lexeme(mark: Mark<'_>) -> String {
    match mark {
        Mark::User(org, user) => format!("=u{user}@{}", org.map_or("", OrgId::as_str)),
        Mark::Sender(sender) => format!("=s{sender}"),
        Mark::Tag(tag) => format!("=m{}", tag.as_simple()),
    }
}

/// A `tsquery`. Without an organization, of every letter; what is found then is checked anyway, and so it is asked for
/// less: 64 times a long phrase, excluded or not, took a search more than 30 s where the index was not used.
pub(super) fn question(wanted: &Wanted<'_>) -> Option<String> {
    let Some(org) = wanted.org else {
        let expr = wanted.expr.and_then(loosely);
        let wanted = Wanted { expr: expr.as_ref(), ..*wanted };
        let of_letter =
            |letter: &u8| question_of((*letter).into(), &wanted).map(|question| format!("({question})"));
        let questions: Option<Vec<_>> = LETTERS.iter().map(of_letter).collect();
        return questions.map(|questions| questions.join(" | "));
    };
    question_of(letter(org), wanted)
}

/// What holds of everything that the expression holds of, without exclusions, and of a phrase only some of its words.
/// `None` where that is anything at all.
fn loosely(expr: &SearchExpr) -> Option<SearchExpr> {
    match expr {
        SearchExpr::Not(_) => None,
        SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
            let (last, others) = words.split_last()?;
            let some: BTreeSet<_> = others.iter().take(LOOSE_WORDS).collect();
            let word = |word: &String, is_prefix| {
                SearchExpr::Phrase(SearchPhrase { words: vec![word.clone()], is_prefix })
            };
            let words = some.into_iter().map(|other| word(other, false));
            Some(SearchExpr::All(words.chain([word(last, *is_prefix)]).collect()))
        }
        SearchExpr::All(sides) => {
            let sides: Vec<_> = sides.iter().filter_map(loosely).collect();
            (!sides.is_empty()).then_some(SearchExpr::All(sides))
        }
        SearchExpr::Any(sides) => sides.iter().map(loosely).collect::<Option<_>>().map(SearchExpr::Any),
    }
}

fn question_of(letter: char, wanted: &Wanted<'_>) -> Option<String> {
    let mark = |mark: Mark<'_>| quoted(letter, &lexeme(mark));
    let mut all: Vec<String> = Vec::new();
    all.extend(wanted.user.map(|user| mark(Mark::User(wanted.org, user))));
    all.extend(wanted.sender.map(|sender| mark(Mark::Sender(sender))));
    let tagged = |marks: Vec<Mark<'_>>| {
        let marks: Vec<_> = marks.into_iter().map(mark).collect();
        format!("({})", marks.join(" & "))
    };
    let tags: Vec<_> = wanted.tags().into_iter().map(tagged).collect();
    all.extend((!tags.is_empty()).then(|| format!("({})", tags.join(" | "))));
    all.extend(wanted.expr.map(|expr| of_words(letter, expr)));
    (!all.is_empty()).then(|| all.join(" & "))
}

fn of_words(letter: char, expr: &SearchExpr) -> String {
    let join = |sides: &[SearchExpr], operator: &str| {
        let sides: Vec<_> = sides.iter().map(|side| of_words(letter, side)).collect();
        format!("({})", sides.join(operator))
    };
    match expr {
        SearchExpr::All(sides) => join(sides, " & "),
        SearchExpr::Any(sides) => join(sides, " | "),
        SearchExpr::Not(side) => format!("!({})", of_words(letter, side)),
        SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
            let words: Vec<_> = words.iter().map(|word| quoted(letter, word)).collect();
            format!("({}{})", words.join(" <-> "), if *is_prefix { ":*" } else { "" })
        }
    }
}

fn quoted(letter: char, word: &str) -> String {
    let mut text = String::new();
    quote(&mut text, letter, word);
    text
}

fn quote(text: &mut String, letter: char, word: &str) {
    text.push('\'');
    text.push(letter);
    for char in word.chars() {
        if matches!(char, '\'' | '\\') {
            text.push(char);
        }
        text.push(char);
    }
    text.push('\'');
}
