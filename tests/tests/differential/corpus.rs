//! Random conversations: what is said, and what becomes of it.

use std::collections::BTreeSet;
use std::fmt;

use chatkeep_domain::{Content, Metadata, Role};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::vocabulary::{SAFE_SEPARATORS, SEPARATORS, WORDS, plain_words, written};

/// Words of the vocabulary, and what stands behind each.
#[derive(Clone)]
pub(crate) struct Text(pub(crate) Vec<(usize, usize)>);

impl Text {
    pub(crate) fn written(&self) -> String {
        let mut text = String::new();
        for (at, &(word, separator)) in self.0.iter().enumerate() {
            text.push_str(&written(WORDS[word].0));
            let next = self.0.get(at + 1);
            let is_plain = |word: usize| !plain_words(word).is_empty();
            // What is joined to a plain word would be another.
            let is_doubtful = is_plain(word) || next.is_some_and(|(next, _)| is_plain(*next));
            let count = if is_doubtful { SAFE_SEPARATORS } else { SEPARATORS.len() };
            if next.is_some() {
                text.push_str(SEPARATORS[separator % count]);
            }
        }
        text
    }

    pub(crate) fn plain(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flat_map(|(word, _)| plain_words(*word).iter().copied())
    }

    /// Whether a name of this text holds a plain word, also as a part of another word.
    pub(crate) fn holds(&self, part: &str) -> bool {
        let is_part = |word: usize| plain_words(word).contains(&part) || WORDS[word].0.contains(part);
        self.0.iter().any(|(word, _)| is_part(*word))
    }

    /// Short enough for a name, and without NUL.
    pub(crate) fn as_name(&self) -> Self {
        Self(
            self.0
                .iter()
                .copied()
                .filter(|(word, _)| written(WORDS[*word].0).len() < 30 && !WORDS[*word].0.contains('\0'))
                .collect(),
        )
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.written();
        let shown: String = text.chars().take(200).collect();
        write!(f, "{shown:?}")?;
        if shown == text { Ok(()) } else { write!(f, " and so on: {} bytes", text.len()) }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Said {
    Text(Text),
    Parts(Vec<Text>),
    Call(Text),
    Result(Text, Text),
    Unknown(Text),
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) said: Said,
    pub(crate) metadata: Option<usize>,
    pub(crate) role: Role,
    pub(crate) sender: Option<usize>,
    pub(crate) at: i64,
}

impl Message {
    pub(crate) fn content(&self) -> Content {
        let content = match &self.said {
            Said::Text(text) => Content::text(text.written()),
            Said::Parts(texts) => {
                let image = Content::image("https://unsaid.example/apple");
                Content::parts(texts.iter().map(|text| Content::text(text.written())).chain([image]))
            }
            Said::Call(text) => {
                Content::tool_call("apple", "find_it", json!({"banana": text.written(), "most": 7}))
            }
            Said::Result(one, other) => {
                let found =
                    json!({"found": [one.written(), 3.5, null, {"more": other.written()}], "is": true});
                Content::tool_result("cherry", "kiwi", found)
            }
            Said::Unknown(text) => {
                let unknown =
                    json!({"type": "melon", "body": [[text.written()]], "url": "apple", "count": -12});
                Content::from_value(unknown).expect("a content")
            }
        };
        match self.metadata {
            Some(number) => content.with_metadata(metadata(number)),
            None => content,
        }
    }

    pub(crate) fn plain(&self) -> BTreeSet<&'static str> {
        match &self.said {
            Said::Text(text) | Said::Call(text) | Said::Unknown(text) => text.plain().collect(),
            Said::Parts(texts) => texts.iter().flat_map(Text::plain).collect(),
            Said::Result(one, other) => one.plain().chain(other.plain()).collect(),
        }
    }
}

/// What metadata holds: much alike, and one with more values than an index keeps.
pub(crate) fn metadata(number: usize) -> Metadata {
    let many: Metadata =
        (0..70).map(|key| (format!("k{key}"), json!(key))).chain([("k".to_owned(), json!(1))]).collect();
    let all = [
        json!({"k": 1}),
        json!({"k": 1.0, "apple": "banana"}),
        json!({"k": "1"}),
        json!({"a": {"b": [1, 2, {"c": null}]}, "k": true}),
        json!({"x/y": {"m~n": true}, "": "\0"}),
        json!({"k": -0.0}),
        json!({"k": {"1": [[]]}}),
        Value::Object(many),
        json!({}),
    ];
    all[number % all.len()].as_object().cloned().unwrap_or_default()
}

pub(crate) const METADATA: usize = 9;

/// What is asked of metadata: a path and a value.
pub(crate) fn filters() -> Vec<(&'static str, Value)> {
    vec![
        ("/k", json!(1)),
        ("/k", json!(1.0)),
        ("/k", json!("1")),
        ("/k", json!(0.0)),
        ("/a/b/2/c", json!(null)),
        ("/a", json!({"b": [1, 2, {"c": null}]})),
        ("/x~1y/m~0n", json!(true)),
        ("/", json!("\0")),
        ("/k/1", json!([[]])),
        ("/k69", json!(69)),
        ("/missing", json!(null)),
    ]
}

/// A thread to be: organization, user, a number for its id (both organizations use the same), name, metadata, time.
#[derive(Debug, Clone)]
pub(crate) struct Thread {
    pub(crate) org: usize,
    pub(crate) user: usize,
    pub(crate) slot: usize,
    pub(crate) name: Text,
    pub(crate) metadata: usize,
    pub(crate) at: i64,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(Index, Vec<Message>),
    Edit(Index, Index, Message),
    Delete(Index, Index, i64),
    Clear(Index, i64),
    DeleteThread(Index),
    Update(Index, Option<Text>, Option<usize>, i64),
}

#[derive(Debug, Clone)]
pub(crate) struct Corpus {
    pub(crate) threads: Vec<Thread>,
    pub(crate) steps: Vec<Step>,
}

pub(crate) fn word() -> impl Strategy<Value = usize> {
    // Half of them plain words, so that queries find something.
    prop_oneof![0..20usize, 0..WORDS.len()]
}

fn text(most: usize) -> impl Strategy<Value = Text> {
    vec((word(), 0..SEPARATORS.len() * 2), 0..most).prop_map(|words| {
        let half = |(word, separator): (usize, usize)| (word, separator.saturating_sub(SEPARATORS.len()));
        Text(words.into_iter().map(half).collect())
    })
}

pub(crate) fn name() -> impl Strategy<Value = Text> {
    text(5).prop_map(|text| text.as_name())
}

pub(crate) fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL.to_vec())
}

/// A few microseconds: many times are equal.
pub(crate) fn moment() -> impl Strategy<Value = i64> {
    0..10i64
}

fn message() -> impl Strategy<Value = Message> {
    let said = prop_oneof![
        4 => text(16).prop_map(Said::Text),
        1 => vec(text(5), 0..4).prop_map(Said::Parts),
        1 => text(6).prop_map(Said::Call),
        1 => (text(5), text(5)).prop_map(|(one, other)| Said::Result(one, other)),
        1 => text(6).prop_map(Said::Unknown),
    ];
    let metadata = prop::option::weighted(0.4, 0..METADATA);
    (said, metadata, role(), prop::option::of(0..2usize), moment())
        .prop_map(|(said, metadata, role, sender, at)| Message { said, metadata, role, sender, at })
}

pub(crate) fn corpus() -> impl Strategy<Value = Corpus> {
    let thread = (0..2usize, 0..2usize, 0..3usize, name(), 0..METADATA, moment())
        .prop_map(|(org, user, slot, name, metadata, at)| Thread { org, user, slot, name, metadata, at });
    let any = any::<Index>;
    let step = prop_oneof![
        28 => (any(), vec(message(), 1..12)).prop_map(|(thread, messages)| Step::Append(thread, messages)),
        8 => (any(), any(), message()).prop_map(|(thread, at, message)| Step::Edit(thread, at, message)),
        6 => (any(), any(), moment()).prop_map(|(thread, at, moment)| Step::Delete(thread, at, moment)),
        1 => (any(), moment()).prop_map(|(thread, at)| Step::Clear(thread, at)),
        1 => any().prop_map(Step::DeleteThread),
        2 => (any(), prop::option::of(name()), prop::option::of(0..METADATA), moment())
            .prop_map(|(thread, name, metadata, at)| Step::Update(thread, name, metadata, at)),
    ];
    (vec(thread, 2..12), vec(step, 4..22)).prop_map(|(threads, steps)| Corpus { threads, steps })
}
