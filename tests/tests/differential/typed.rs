//! Random texts of searches, from what the oracle understands to garbage.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::corpus::word;
use crate::vocabulary::{GARBAGE, PLAIN, WORDS, written};

/// One of several, each of which wants at least one thing.
#[derive(Debug, Clone)]
pub(crate) struct Simple(Vec<All>);

#[derive(Debug, Clone)]
struct All {
    wanted: Vec<Item>,
    unwanted: Vec<Item>,
}

#[derive(Debug, Clone)]
enum Item {
    Word(&'static str),
    Group(Simple),
}

impl Simple {
    /// As people type it.
    pub(crate) fn text(&self) -> String {
        let all = |all: &All| {
            let wanted = all.wanted.iter().map(Item::text);
            wanted
                .chain(all.unwanted.iter().map(|item| format!("-{}", item.text())))
                .collect::<Vec<_>>()
                .join(" ")
        };
        self.0.iter().map(all).collect::<Vec<_>>().join(" OR ")
    }

    pub(crate) fn matches(&self, words: &BTreeSet<&str>) -> bool {
        self.0.iter().any(|all| {
            all.wanted.iter().all(|item| item.matches(words))
                && !all.unwanted.iter().any(|item| item.matches(words))
        })
    }
}

impl Item {
    fn text(&self) -> String {
        match self {
            Self::Word(word) => (*word).to_owned(),
            Self::Group(group) => format!("({})", group.text()),
        }
    }

    fn matches(&self, words: &BTreeSet<&str>) -> bool {
        match self {
            Self::Word(word) => words.contains(word),
            Self::Group(group) => group.matches(words),
        }
    }
}

/// How words are typed that are not wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unwanted {
    Each,
    Together,
    OneOf,
}

#[derive(Debug, Clone)]
pub(crate) enum Typed {
    Blank(&'static str),
    Simple(Simple),
    /// Only words that are not wanted.
    Unwanted(Vec<&'static str>, Unwanted),
    Other(String),
}

impl Typed {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Blank(text) => (*text).to_owned(),
            Self::Simple(simple) => simple.text(),
            Self::Unwanted(words, Unwanted::Each) => format!("-{}", words.join(" -")),
            Self::Unwanted(words, Unwanted::Together) => format!("-({})", words.join(" ")),
            Self::Unwanted(words, Unwanted::OneOf) => format!("-({})", words.join(" OR ")),
            Self::Other(text) => text.clone(),
        }
    }
}

impl Typed {
    /// The plain words of a text, as text; `None` where it has others.
    pub(crate) fn words(&self) -> Option<BTreeSet<&'static str>> {
        let text = self.text();
        let is_sign = |c: char| matches!(c, ' ' | '-' | '(' | ')');
        let plain = |word: &str| PLAIN.into_iter().find(|plain| *plain == word);
        text.split(is_sign).filter(|word| !word.is_empty()).map(plain).collect()
    }

    /// Whether something is not wanted.
    pub(crate) fn excludes(&self) -> bool {
        self.text().contains('-')
    }
}

fn plain() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PLAIN.to_vec())
}

fn simple() -> impl Strategy<Value = Simple> {
    let of = |item: BoxedStrategy<Item>| {
        let all = (vec(item.clone(), 1..3), prop_oneof![2 => Just(Vec::new()), 1 => vec(item, 1..3)])
            .prop_map(|(wanted, unwanted)| All { wanted, unwanted });
        vec(all, 1..3).prop_map(Simple)
    };
    let item =
        plain().prop_map(Item::Word).prop_recursive(2, 8, 3, move |inner| of(inner).prop_map(Item::Group));
    of(item.boxed())
}

/// Anything of the grammar, with any word.
fn tree() -> impl Strategy<Value = String> {
    let of = |word: usize| written(WORDS[word].0);
    let leaf = prop_oneof![
        4 => word().prop_map(of),
        2 => (word(), any::<Index>()).prop_map(move |(word, at)| {
            let letters: Vec<char> = of(word).chars().collect();
            format!("{}*", letters[..=at.index(letters.len())].iter().collect::<String>())
        }),
        2 => vec(word(), 1..4).prop_map(move |words| {
            format!("\"{}\"", words.into_iter().map(of).collect::<Vec<_>>().join(" "))
        }),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 1..4).prop_map(|sides| sides.join(" ")),
            1 => vec(inner.clone(), 1..3).prop_map(|sides| format!("({})", sides.join(" OR "))),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one} -{other}")),
            1 => (inner.clone(), inner).prop_map(|(one, other)| format!("{one} OR {other}")),
        ]
    })
}

/// Texts that nobody planned: a tree with signs where none belong, or signs and words alone.
fn garbage() -> impl Strategy<Value = String> {
    let sign = || prop::sample::select(GARBAGE.to_vec());
    let mutated = (tree(), vec((any::<Index>(), sign()), 1..5)).prop_map(|(mut text, signs)| {
        for (at, sign) in signs {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            if !places.is_empty() {
                text.insert_str(places[at.index(places.len())], sign);
            }
        }
        text
    });
    let mixed = prop_oneof![sign().prop_map(str::to_owned), word().prop_map(|word| WORDS[word].0.to_owned())];
    prop_oneof![2 => mutated, 2 => vec(mixed, 1..9).prop_map(|pieces| pieces.concat()), 1 => "\\PC{0,12}"]
}

pub(crate) fn typed() -> impl Strategy<Value = Typed> {
    let unwanted = prop::sample::select(vec![Unwanted::Each, Unwanted::Together, Unwanted::OneOf]);
    prop_oneof![
        2 => prop::sample::select(vec!["", " ", "\n\t\u{3000}"]).prop_map(Typed::Blank),
        8 => simple().prop_map(Typed::Simple),
        1 => (vec(plain(), 1..3), unwanted).prop_map(|(words, how)| Typed::Unwanted(words, how)),
        8 => tree().prop_map(Typed::Other),
        4 => garbage().prop_map(Typed::Other),
    ]
}
