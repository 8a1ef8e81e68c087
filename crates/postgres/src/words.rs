//! The search index: a `tsvector` beside each message, in a GIN index.
//!
//! A vector has the message's words, as the domain's analyzer makes them, and marks: what is looked up beside words. A mark
//! begins with a sign, which no word does. A search asks for the mark of its organization, user or thread and for the words
//! at once: PostgreSQL walks the shortest of these lists, and skips through the others.
//!
//! | mark | of |
//! |---|---|
//! | `@acme` | an organization |
//! | `~ada@acme` | the user whose thread it is |
//! | `<bob@acme` | a sender who is somebody else |
//! | `^q83vEg` | a thread: 32 bits of its id |
//! | `:3q2-7w` | a value in the metadata: 32 bits of its tag; of too many values one, with zeros |
//! | `!tool` | a role |
//!
//! Every byte of a vector is there once a message, so marks are short, and what is found by them is looked at. Words have no
//! positions: they would be a third of the vector. So a phrase is looked up as words that are all there, and the domain looks
//! at what is found.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatkeep_domain::search::{ANALYZER_VERSION, SearchDocument, SearchExpr, SearchPhrase};
use chatkeep_domain::{MetadataFilter, MetadataTags, OrgId, Role, ThreadId, UserId};
use uuid::Uuid;

/// The words of a phrase that are looked up; the others are looked at.
const PHRASE_WORDS: usize = 8;

/// A prefix that is shorter, in bytes, is not looked up in the index, which would collect a large part of all
/// messages: the messages of the organization or thread are walked through.
const SHORTEST_PREFIX: usize = 3;

/// The version of the analyzer, as rows have it.
pub(crate) fn analyzer_version() -> i16 {
    i16::try_from(ANALYZER_VERSION).unwrap_or(i16::MAX)
}

/// Whose message it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) org: &'a OrgId,
    pub(crate) thread: ThreadId,
    /// `None`: the statement adds it.
    pub(crate) user: Option<&'a str>,
    pub(crate) sender: Option<&'a UserId>,
    pub(crate) role: Role,
}

/// A message's vector, as its text is written: `'hello' '@acme'`.
pub(crate) fn vector(owner: &Owner<'_>, document: &SearchDocument) -> String {
    let mut text = String::with_capacity(256);
    for (word, _) in document.words() {
        quote(&mut text, word);
        text.push(' ');
    }
    let Owner { org, thread, user, sender, role } = *owner;
    let tags = document.tags();
    let marks = [of_org(org), of_thread(thread)]
        .into_iter()
        .chain(user.map(|user| of_user(org, user)))
        .chain(sender.filter(|sender| user != Some(sender.as_str())).map(|sender| of_sender(org, sender)))
        .chain(of_role(role))
        .chain(tags.tags.iter().copied().chain(tags.is_incomplete.then(Uuid::nil)).map(of_tag));
    for mark in marks {
        quote(&mut text, &mark);
        text.push(' ');
    }
    text
}

/// The marks that depend on the thread and on its user.
pub(crate) fn owner_marks(org: &OrgId, thread: ThreadId, user: &str) -> [String; 2] {
    [of_thread(thread), of_user(org, user)]
}

fn of_org(org: &OrgId) -> String {
    format!("@{org}")
}

/// With the organization in it: users of the same name, such as "default", are in lists of their own. The append's
/// statements make it in the same way.
fn of_user(org: &OrgId, user: &str) -> String {
    format!("~{user}@{org}")
}

fn of_sender(org: &OrgId, sender: &UserId) -> String {
    format!("<{sender}@{org}")
}

fn of_thread(thread: ThreadId) -> String {
    let [.., a, b, c, d] = *thread.as_uuid().as_bytes();
    short('^', [a, b, c, d])
}

fn of_tag(tag: Uuid) -> String {
    let [a, b, c, d, ..] = *tag.as_bytes();
    short(':', [a, b, c, d])
}

fn short(sign: char, bits: [u8; 4]) -> String {
    let mut mark = String::from(sign);
    URL_SAFE_NO_PAD.encode_string(bits, &mut mark);
    mark
}

/// Users and assistants say nearly everything: they are found by walking.
fn of_role(role: Role) -> Option<String> {
    (!is_common(role)).then(|| format!("!{role}"))
}

fn is_common(role: Role) -> bool {
    matches!(role, Role::User | Role::Assistant)
}

/// What the index is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) org: Option<&'a OrgId>,
    /// Within one thread, the thread says more than its organization or user.
    pub(crate) thread: Option<ThreadId>,
    pub(crate) user: Option<&'a UserId>,
    pub(crate) sender: Option<&'a UserId>,
    pub(crate) roles: &'a [Role],
    pub(crate) metadata: &'a [MetadataFilter],
    pub(crate) expr: Option<&'a SearchExpr>,
}

/// A question to the index, as the text of a `tsquery`. What it does not find does not match.
pub(crate) struct Question {
    /// What each message of the organization or thread has to have.
    pub(crate) of_message: String,
    /// The same, or less, and whose it is, as the index is asked. `None` where it would have to collect too much.
    pub(crate) of_index: Option<String>,
    /// Whether what has it has the words for certain.
    pub(crate) is_exact: bool,
}

impl Wanted<'_> {
    /// `None` where the index has nothing to say: every message of the organization, user or thread may match.
    pub(crate) fn question(&self) -> Option<Question> {
        let filters: Vec<_> =
            self.of_sender().into_iter().chain(self.of_roles()).chain(self.of_metadata()).collect();
        let words = self.expr.and_then(|expr| of_words(expr, 0));
        let looked_up = self.expr.and_then(|expr| of_words(expr, SHORTEST_PREFIX));
        if filters.is_empty() && words.is_none() && self.user_mark().is_none() {
            return None;
        }
        let together = |owner: Option<String>, words: Option<String>| {
            let parts = owner.into_iter().chain(filters.iter().cloned()).chain(words);
            parts.collect::<Vec<_>>().join(" & ")
        };
        // Of a user the index collects no more than theirs. A thread is walked through as well as it is collected.
        let is_narrow = self.user_mark().is_some() || !filters.is_empty();
        let can_look_up = is_narrow || looked_up.is_some();
        Some(Question {
            of_index: can_look_up.then(|| together(self.owner(), looked_up)),
            of_message: together(self.user_mark(), words),
            is_exact: self.expr.is_some_and(is_exact),
        })
    }

    fn user_mark(&self) -> Option<String> {
        let (org, user) = self.org.zip(self.user).filter(|_| self.thread.is_none())?;
        Some(quoted(&of_user(org, user.as_str())))
    }

    fn owner(&self) -> Option<String> {
        let thread = self.thread.map(|thread| quoted(&of_thread(thread)));
        thread.or_else(|| self.user_mark()).or_else(|| self.org.map(|org| quoted(&of_org(org))))
    }

    /// In threads of the sender's own there is no mark of the sender, and what others say there is found too.
    fn of_sender(&self) -> Option<String> {
        let (org, sender) = self.org.zip(self.sender)?;
        let marks = [of_sender(org, sender), of_user(org, sender.as_str())];
        Some(format!("({})", marks.map(|mark| quoted(&mark)).join(" | ")))
    }

    fn of_roles(&self) -> Option<String> {
        let roles: Option<Vec<_>> = self.roles.iter().map(|role| of_role(*role)).collect();
        let marks: Vec<_> =
            roles.filter(|roles| !roles.is_empty())?.iter().map(|role| quoted(role)).collect();
        Some(format!("({})", marks.join(" | ")))
    }

    /// Too many values are one, the nil UUID.
    fn of_metadata(&self) -> Option<String> {
        let incomplete = quoted(&of_tag(Uuid::nil()));
        match MetadataTags::wanted(self.metadata) {
            MetadataTags { is_incomplete: true, .. } => Some(incomplete),
            MetadataTags { tags, .. } if tags.is_empty() => None,
            MetadataTags { tags, .. } => {
                let tags: Vec<_> = tags.into_iter().map(|tag| quoted(&of_tag(tag))).collect();
                Some(format!("(({}) | {incomplete})", tags.join(" & ")))
            }
        }
    }
}

/// What holds of everything that the expression holds of. `None` where that is anything at all.
fn of_words(expr: &SearchExpr, shortest_prefix: usize) -> Option<String> {
    let joined =
        |sides: Vec<String>, operator| (!sides.is_empty()).then(|| format!("({})", sides.join(operator)));
    match expr {
        SearchExpr::Phrase(phrase) => joined(words_of(phrase, shortest_prefix), " & "),
        SearchExpr::All(sides) => {
            joined(sides.iter().filter_map(|side| of_words(side, shortest_prefix)).collect(), " & ")
        }
        SearchExpr::Any(sides) => {
            let sides: Option<Vec<_>> = sides.iter().map(|side| of_words(side, shortest_prefix)).collect();
            joined(sides?, " | ")
        }
        SearchExpr::Not(side) if is_whole(side, shortest_prefix) => {
            of_words(side, shortest_prefix).map(|side| format!("!{side}"))
        }
        SearchExpr::Not(_) => None,
    }
}

fn words_of(SearchPhrase { words, is_prefix }: &SearchPhrase, shortest_prefix: usize) -> Vec<String> {
    let Some((last, others)) = words.split_last() else { return Vec::new() };
    let others: BTreeSet<_> = others.iter().take(PHRASE_WORDS).collect();
    let mut wanted: Vec<_> = others.into_iter().map(|word| quoted(word)).collect();
    if !is_prefix {
        wanted.push(quoted(last));
    } else if last.len() >= shortest_prefix {
        wanted.push(quoted(last) + ":*");
    }
    wanted
}

/// Whether the index is asked for just what the expression says: only that can be excluded.
fn is_whole(expr: &SearchExpr, shortest_prefix: usize) -> bool {
    match expr {
        SearchExpr::All(sides) | SearchExpr::Any(sides) => {
            sides.iter().all(|side| is_whole(side, shortest_prefix))
        }
        SearchExpr::Not(_) => false,
        SearchExpr::Phrase(SearchPhrase { words, is_prefix }) => {
            words.len() == 1 && (!is_prefix || words[0].len() >= shortest_prefix)
        }
    }
}

/// Whether the index says for certain that the words match: it knows no order of words. What a message is to be without
/// is looked at: a codec may keep words out of the index.
fn is_exact(expr: &SearchExpr) -> bool {
    match expr {
        SearchExpr::All(sides) | SearchExpr::Any(sides) => sides.iter().all(is_exact),
        SearchExpr::Not(_) => false,
        SearchExpr::Phrase(phrase) => phrase.words.len() == 1,
    }
}

fn quoted(word: &str) -> String {
    let mut text = String::new();
    quote(&mut text, word);
    text
}

fn quote(text: &mut String, word: &str) {
    text.push('\'');
    for char in word.chars() {
        if matches!(char, '\'' | '\\') {
            text.push(char);
        }
        text.push(char);
    }
    text.push('\'');
}
