//! The languages, and the conversations that are made of them.

use std::path::Path;

use chatkeep_contract::Repo;
use chatkeep_domain::{
    Append, Content, MessageId, NewMessage, NewThread, OrgId, Role, Scope, ThreadId, UserId,
};
use serde_json::json;
use unicode_segmentation::UnicodeSegmentation as _;
use uuid::Uuid;

use crate::common::at;
use crate::scan::Scanned;

pub(crate) const LANGUAGES: [&str; 24] = [
    "ar",
    "de",
    "el",
    "el-polyton",
    "en",
    "es",
    "fa",
    "fr",
    "he",
    "hi",
    "ja",
    "km",
    "ko",
    "lo",
    "my",
    "pl",
    "ru",
    "ta",
    "th",
    "tr",
    "uk",
    "vi",
    "zh-Hans",
    "zh-Hant",
];

/// Scripts without spaces between words, or whose spaces tell little.
pub(crate) const DENSE: [&str; 8] = ["ja", "km", "ko", "lo", "my", "th", "zh-Hans", "zh-Hant"];

/// One paragraph, as a message.
pub(crate) struct Said {
    pub(crate) language: usize,
    pub(crate) id: MessageId,
    role: Role,
    content: Content,
    pub(crate) texts: Vec<Scanned>,
}

pub(crate) fn paragraphs(language: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{language}.txt"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(str::to_owned).collect()
}

/// Every paragraph of every language. The shapes that messages have take turns.
pub(crate) fn everything() -> Vec<Said> {
    let mut all = Vec::new();
    for (language, name) in LANGUAGES.iter().enumerate() {
        for (number, paragraph) in paragraphs(name).into_iter().enumerate() {
            let id = Uuid::from_u128(((language as u128) << 32) | number as u128).into();
            let (role, content, texts) = shape(number, paragraph);
            let texts = texts.iter().map(|text| Scanned::of(text)).collect();
            all.push(Said { language, id, role, content, texts });
        }
    }
    all
}

fn shape(number: usize, paragraph: String) -> (Role, Content, Vec<String>) {
    let text = paragraph.clone();
    match number % 8 {
        2 => {
            let result =
                Content::tool_result("c", "unsaid", json!({"found": [{"passage": text}], "count": null}));
            (Role::Tool, result, vec![paragraph])
        }
        4 => {
            let (one, other) = halves(&paragraph);
            let parts =
                [Content::text(&one), Content::image("https://unsaid.example/i.png"), Content::text(&other)];
            (Role::User, Content::parts(parts), vec![one, other])
        }
        5 => {
            let call = Content::tool_call("c", "lookup", json!({"passage": text}));
            (Role::Assistant, call, vec!["lookup".to_owned(), paragraph])
        }
        7 => {
            let unknown = Content::from_value(json!({"type": "card", "body": {"lines": [text]}}));
            (Role::Assistant, unknown.expect("a content"), vec![paragraph])
        }
        even if even % 2 == 0 => (Role::User, Content::text(text), vec![paragraph]),
        _ => (Role::Assistant, Content::text(text), vec![paragraph]),
    }
}

/// Cut at a space near the middle, or between two letters where there is none.
fn halves(paragraph: &str) -> (String, String) {
    let middle = paragraph.unicode_words().count() / 2;
    let words = paragraph.split_word_bound_indices();
    let word = words.filter(|(_, word)| word.unicode_words().next().is_some()).nth(middle);
    let (one, other) = paragraph.split_at(word.map_or(0, |(at, _)| at));
    (one.to_owned(), other.to_owned())
}

/// Two owners share the languages: even ones are the first one's, odd ones the other's.
pub(crate) fn owner(language: usize) -> UserId {
    UserId::new(if language.is_multiple_of(2) { "ada" } else { "bob" }).expect("an id")
}

pub(crate) fn thread_id(language: usize) -> ThreadId {
    Uuid::from_u128(language as u128).into()
}

/// Stores everything for a tenant: one thread a language, half a thread an append.
pub(crate) async fn store(repo: &Repo, org: &OrgId, all: &[Said]) {
    let scope = Scope::org(org.clone());
    for (language, name) in LANGUAGES.iter().enumerate() {
        let thread = thread_id(language);
        let new = NewThread::new(thread, org.clone(), owner(language), *name, at(0));
        repo.create_thread(&scope, new).await.expect("a new thread");
        let messages: Vec<_> = all.iter().filter(|said| said.language == language).map(new_message).collect();
        for half in messages.chunks(messages.len().div_ceil(2)) {
            repo.append(&scope, thread, Append::new(half.to_vec())).await.expect("messages");
        }
    }
}

fn new_message(said: &Said) -> NewMessage {
    let micros = i64::try_from(said.id.as_uuid().as_u128() & 0xffff).expect("a small number");
    // Ten messages a moment, so that times collide across threads and within them.
    NewMessage::new(said.id, said.role, said.content.clone(), at(micros / 10))
}
