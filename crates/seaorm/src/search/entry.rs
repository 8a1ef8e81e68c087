//! What the index keeps of a message, in the form that the engine takes.

use std::fmt::Write as _;

use chatkeep_domain::search::{SearchDocument, SearchExpr, SearchPhrase};
use chatkeep_domain::{Content, MetadataFilter, OrgId, UserId};
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::sql::Sql;
use crate::threads::Target;

/// A word that separates texts, so that no phrase goes over: the analyzer makes no word of it.
const GAP: char = '\u{E000}';

/// A message's entry, its owner aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// PostgreSQL: a `tsvector`, everything in it. SQLite: the words, in order.
    pub(crate) words: String,
    /// SQLite: the other column's words.
    pub(crate) marks: String,
}

impl Entry {
    pub(crate) fn of(dialect: Dialect, content: &Content, sender: Option<&UserId>) -> Self {
        let document = SearchDocument::of(content);
        let tags = document.tags();
        let mut marks: Vec<String> = tags.tags.iter().map(|tag| tag_mark(dialect, *tag)).collect();
        marks.extend(tags.is_incomplete.then(|| tag_mark(dialect, Uuid::nil())));
        marks.extend(sender.map(|sender| sender_mark(dialect, sender)));
        match dialect {
            Dialect::Postgres => Self { words: vector(&document, &marks), marks: String::new() },
            Dialect::Sqlite => Self { words: sequence(&document), marks: marks.join(" ") },
        }
    }

    /// SQLite: all of the other column.
    pub(crate) fn scope(&self, org: &OrgId, user: &str) -> String {
        format!("{} {} {}", org_mark(org), user_mark(Dialect::Sqlite, Some(org), user), self.marks)
    }
}

// Marks are not words: on PostgreSQL they begin with "=", on SQLite they are in a column of their own, where they are
// written in hexadecimal, which its tokenizer leaves whole.

fn tag_mark(dialect: Dialect, tag: Uuid) -> String {
    match dialect {
        Dialect::Postgres => format!("=m{}", tag.as_simple()),
        Dialect::Sqlite => format!("m{}", tag.as_simple()),
    }
}

fn sender_mark(dialect: Dialect, sender: &UserId) -> String {
    match dialect {
        Dialect::Postgres => format!("=s{sender}"),
        Dialect::Sqlite => format!("s{}", hex(sender.as_str())),
    }
}

fn org_mark(org: &OrgId) -> String {
    format!("o{}", hex(org.as_str()))
}

/// PostgreSQL has the organization in a column of the index.
fn user_mark(dialect: Dialect, org: Option<&OrgId>, user: &str) -> String {
    match dialect {
        Dialect::Postgres => format!("=u{user}"),
        Dialect::Sqlite => {
            let org = org.map_or("", OrgId::as_str);
            format!("u{}u{}", hex(org), hex(user))
        }
    }
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::with_capacity(2 * text.len()), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Goes on behind an expression for an entry's words on PostgreSQL, and adds the mark of the thread's owner: of this one,
/// or of the one in the column `user_id`.
pub(crate) fn with_owner(sql: Sql, user: Option<&str>) -> Sql {
    let sql = sql.text("::tsvector || array_to_tsvector(ARRAY['=u' || ");
    match user {
        Some(user) => sql.bind("", user).text("::text])"),
        None => sql.text("user_id])"),
    }
}

/// SQLite: puts the entries of messages that lie one behind the other into the index.
pub(crate) fn insert<'a>(
    target: &Target,
    user: &str,
    first: i64,
    entries: impl Iterator<Item = &'a Entry>,
) -> Sql {
    let rows: serde_json::Value =
        entries.map(|entry| serde_json::json!([entry.scope(&target.org, user), entry.words])).collect();
    Sql::new(
        "INSERT INTO chat_message_search (rowid, scope, words) SELECT m.row_id, e.value ->> 0, e.value ->> 1",
    )
    .bind(" FROM json_each(", rows.to_string())
    .text(") AS e CROSS JOIN chat_message AS m")
    .bind(" WHERE m.org_id = ", target.org.as_str())
    .bind(" AND m.chat_thread_id = ", *target.id.as_uuid())
    .bind(" AND m.position = e.key + ", first)
}

/// SQLite: takes a message out of the index.
pub(crate) fn remove(target: &Target, position: i64) -> Sql {
    Sql::new("DELETE FROM chat_message_search WHERE rowid = (SELECT row_id FROM chat_message")
        .bind(" WHERE org_id = ", target.org.as_str())
        .bind(" AND chat_thread_id = ", *target.id.as_uuid())
        .bind(" AND position = ", position)
        .text(")")
}

/// A `tsvector` as it is written: `'word':1,5 'other':2 '=mark'`.
fn vector(document: &SearchDocument, marks: &[String]) -> String {
    let mut vector = String::new();
    for (word, positions) in document.words() {
        quote(&mut vector, word);
        for (at, position) in positions.iter().enumerate() {
            let before = if at == 0 { ':' } else { ',' };
            let _ = write!(vector, "{before}{position}");
        }
        vector.push(' ');
    }
    for mark in marks {
        quote(&mut vector, mark);
        vector.push(' ');
    }
    vector
}

/// The words in order. A position that has no word in the index has a gap in its place.
fn sequence(document: &SearchDocument) -> String {
    let mut words: Vec<(u16, &str)> = document
        .words()
        .flat_map(|(word, positions)| positions.iter().map(move |position| (*position, word)))
        .collect();
    words.sort_unstable();
    let mut sequence = String::new();
    let mut next = 1;
    for (position, word) in words {
        for _ in next..position {
            sequence.push(GAP);
            sequence.push(' ');
        }
        sequence.push_str(word);
        sequence.push(' ');
        next = position + 1;
    }
    sequence
}

/// A lexeme of a `tsvector` or `tsquery`.
fn quote(text: &mut String, lexeme: &str) {
    text.push('\'');
    for char in lexeme.chars() {
        if matches!(char, '\'' | '\\') {
            text.push(char);
        }
        text.push(char);
    }
    text.push('\'');
}

/// What the index is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) org: Option<&'a OrgId>,
    pub(crate) user: Option<&'a UserId>,
    pub(crate) sender: Option<&'a UserId>,
    pub(crate) metadata: &'a [MetadataFilter],
    pub(crate) expr: Option<&'a SearchExpr>,
}

impl Wanted<'_> {
    /// The candidates of filters on metadata alone.
    pub(crate) fn metadata(metadata: &[MetadataFilter]) -> Wanted<'_> {
        Wanted { org: None, user: None, sender: None, metadata, expr: None }
    }

    /// The question as the engine takes it: a `tsquery`, or what FTS5 matches. `None` where the index has nothing to
    /// say.
    pub(crate) fn render(&self, dialect: Dialect) -> Option<String> {
        let mut marks: Vec<String> = Vec::new();
        if dialect == Dialect::Sqlite {
            // FTS5 gives all that it finds before anything is sorted: of an owner alone, that is too much.
            if self.sender.is_none() && self.metadata.is_empty() && self.expr.is_none() {
                return None;
            }
            // The mark of a user has the organization in it.
            marks.extend(self.org.filter(|_| self.user.is_none()).map(org_mark));
        }
        marks.extend(self.user.map(|user| user_mark(dialect, self.org, user.as_str())));
        marks.extend(self.sender.map(|sender| sender_mark(dialect, sender)));
        let tags: Vec<_> =
            self.metadata.iter().flat_map(MetadataFilter::tags).map(|tag| tag_mark(dialect, tag)).collect();
        match dialect {
            Dialect::Postgres => {
                let mut all: Vec<String> = marks.iter().map(|mark| quoted(mark)).collect();
                if !tags.is_empty() {
                    let tags: Vec<_> = tags.iter().map(|tag| quoted(tag)).collect();
                    let incomplete = quoted(&tag_mark(dialect, Uuid::nil()));
                    all.push(format!("(({}) | {incomplete})", tags.join(" & ")));
                }
                all.extend(self.expr.map(tsquery));
                (!all.is_empty()).then(|| all.join(" & "))
            }
            Dialect::Sqlite => {
                let scoped = |mark: &String| format!("scope : \"{mark}\"");
                let mut all: Vec<String> = marks.iter().map(scoped).collect();
                if !tags.is_empty() {
                    let tags: Vec<_> = tags.iter().map(scoped).collect();
                    let incomplete = scoped(&tag_mark(dialect, Uuid::nil()));
                    all.push(format!("(({}) OR {incomplete})", tags.join(" AND ")));
                }
                all.extend(self.expr.and_then(fts5));
                (!all.is_empty()).then(|| all.join(" AND "))
            }
        }
    }
}

fn quoted(lexeme: &str) -> String {
    let mut text = String::new();
    quote(&mut text, lexeme);
    text
}

fn tsquery(expr: &SearchExpr) -> String {
    let join = |sides: &[SearchExpr], operator: &str| {
        let sides: Vec<_> = sides.iter().map(tsquery).collect();
        format!("({})", sides.join(operator))
    };
    match expr {
        SearchExpr::All(sides) => join(sides, " & "),
        SearchExpr::Any(sides) => join(sides, " | "),
        SearchExpr::Not(side) => format!("!({})", tsquery(side)),
        SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
            let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            format!("({}{})", words.join(" <-> "), if *is_prefix { ":*" } else { "" })
        }
    }
}

/// FTS5 has no NOT by itself, only one thing without another. What cannot be said so is left out: what is found then
/// holds what is looked for, and more.
fn fts5(expr: &SearchExpr) -> Option<String> {
    if let Some(exact) = fts5_exact(expr) {
        return Some(exact);
    }
    let SearchExpr::All(sides) = expr else { return None };
    let sides: Vec<_> = sides.iter().filter_map(fts5_exact).collect();
    (!sides.is_empty()).then(|| format!("({})", sides.join(" AND ")))
}

fn fts5_exact(expr: &SearchExpr) -> Option<String> {
    match expr {
        SearchExpr::All(sides) => {
            let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
            for side in sides {
                match side {
                    SearchExpr::Not(side) => unwanted.push(fts5_exact(side)?),
                    side => wanted.push(fts5_exact(side)?),
                }
            }
            let wanted = (!wanted.is_empty()).then(|| format!("({})", wanted.join(" AND ")))?;
            if unwanted.is_empty() {
                return Some(wanted);
            }
            Some(format!("({wanted} NOT ({}))", unwanted.join(" OR ")))
        }
        SearchExpr::Any(sides) => {
            let sides: Option<Vec<_>> = sides.iter().map(fts5_exact).collect();
            sides.filter(|sides| !sides.is_empty()).map(|sides| format!("({})", sides.join(" OR ")))
        }
        SearchExpr::Not(_) => None,
        SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
            Some(format!("words : \"{}\"{}", words.join(" "), if *is_prefix { " *" } else { "" }))
        }
    }
}
