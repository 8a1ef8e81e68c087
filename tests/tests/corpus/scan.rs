//! A plain scan over the texts that decides what a search must find. It shares nothing with chatkeep: words are those of
//! the crate `unicode-segmentation`, letters decompose by `unicode-normalization`, and the rest is written here, from what
//! chatkeep tells its users.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

/// What a test asks for.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// As people type it: a word, or several joined by punctuation.
    Word(String),
    /// In quotes.
    Phrase(String),
    /// The beginning of a word.
    Prefix(String),
    /// A run of letters of a script that is written without spaces.
    Run(String),
    /// Runs with punctuation between them, in quotes.
    Runs(String),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Ask {
    pub(crate) fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self::All(vec![self, Self::Not(Box::new(other))])
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self::Any(vec![self, other])
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self::All(vec![self, other])
    }

    /// As it is typed.
    pub(crate) fn text(&self) -> String {
        let join =
            |sides: &[Self], between: &str| sides.iter().map(Self::text).collect::<Vec<_>>().join(between);
        match self {
            Self::Word(text) | Self::Run(text) => text.clone(),
            Self::Phrase(text) | Self::Runs(text) => format!("\"{text}\""),
            Self::Prefix(text) => format!("{text}*"),
            Self::All(sides) => join(sides, " "),
            Self::Any(sides) => format!("({})", join(sides, " OR ")),
            Self::Not(side) => format!("-{}", side.text()),
        }
    }

    /// What it asks for as text, where it excludes something: a search that finds nothing is tried so.
    pub(crate) fn as_text(&self) -> Option<Self> {
        self.excludes().then(|| self.all_wanted())
    }

    fn excludes(&self) -> bool {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter().any(Self::excludes),
            Self::Not(_) => true,
            _ => false,
        }
    }

    /// Every word of it.
    fn all_wanted(&self) -> Self {
        let each = |text: &str, of: fn(String) -> Self| {
            Self::All(text.split_whitespace().map(|word| of(word.to_owned())).collect())
        };
        match self {
            Self::Word(_) | Self::Run(_) => self.clone(),
            Self::Prefix(text) => Self::Word(text.clone()),
            Self::Phrase(text) => each(text, Self::Word),
            Self::Runs(text) => each(text, Self::Runs),
            Self::All(sides) => Self::All(sides.iter().map(Self::all_wanted).collect()),
            Self::Any(sides) => {
                let or = (sides.len() > 1).then(|| Self::word("or"));
                Self::All(sides.iter().map(Self::all_wanted).chain(or).collect())
            }
            Self::Not(side) => side.all_wanted(),
        }
    }

    /// What the scan looks for.
    pub(crate) fn sought(&self) -> Sought {
        let all = |sides: &[Self]| sides.iter().map(Self::sought).collect();
        match self {
            Self::Word(text) | Self::Phrase(text) => Sought::Words { words: words(text), is_prefix: false },
            Self::Prefix(text) => Sought::Words { words: words(text), is_prefix: true },
            Self::Run(run) => Sought::Run(run.nfkc().collect()),
            Self::Runs(runs) => Sought::Runs(spaced(runs)),
            Self::All(sides) => Sought::All(all(sides)),
            Self::Any(sides) => Sought::Any(all(sides)),
            Self::Not(side) => Sought::Not(Box::new(side.sought())),
        }
    }
}

/// What the scan looks for.
pub(crate) enum Sought {
    Words { words: Vec<String>, is_prefix: bool },
    Run(String),
    Runs(String),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Sought {
    /// Whether one of the texts has it; of `All`, each side in any of the texts.
    pub(crate) fn is_in(&self, texts: &[Scanned]) -> bool {
        match self {
            Self::Words { words, is_prefix } => texts.iter().any(|text| text.has_words(words, *is_prefix)),
            Self::Run(run) => texts.iter().any(|text| has_run(&text.composed, run)),
            Self::Runs(runs) => texts.iter().any(|text| has_run(&text.spaced, runs)),
            Self::All(sides) => sides.iter().all(|side| side.is_in(texts)),
            Self::Any(sides) => sides.iter().any(|side| side.is_in(texts)),
            Self::Not(side) => !side.is_in(texts),
        }
    }
}

/// A text as the scan looks at it.
pub(crate) struct Scanned {
    words: Vec<String>,
    /// The same, each once: most texts do not have the word, and are left soon.
    set: BTreeSet<String>,
    composed: String,
    spaced: String,
}

impl Scanned {
    pub(crate) fn of(text: &str) -> Self {
        let words = words(text);
        let set = words.iter().cloned().collect();
        Self { words, set, composed: text.nfkc().collect(), spaced: spaced(text) }
    }

    /// Whether these words are there, side by side; of a prefix, the last only begins so.
    fn has_words(&self, asked: &[String], is_prefix: bool) -> bool {
        let Some((last, others)) = asked.split_last() else { return false };
        if !others.iter().all(|word| self.set.contains(word)) || !is_prefix && !self.set.contains(last) {
            return false;
        }
        let is_last = |word: &String| word == last || is_prefix && word.starts_with(last);
        self.words
            .windows(asked.len())
            .any(|found| found.split_last().is_some_and(|(end, begin)| is_last(end) && begin == others))
    }
}

/// A letter is taken with its marks: สิทธ is not in สิทธิ, whose last letter is another. A single letter is found under all
/// marks, as it is there that people begin to type.
fn has_run(text: &str, run: &str) -> bool {
    let letters = run.chars().filter(|c| !is_combining_mark(*c)).count();
    text.match_indices(run)
        .any(|(at, _)| letters == 1 || !text[at + run.len()..].chars().next().is_some_and(is_combining_mark))
}

/// Each punctuation, with the spaces around it, as one space.
fn spaced(text: &str) -> String {
    let text: String = text.nfkc().collect();
    let runs = text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
    runs.filter(|run| !run.is_empty()).collect::<Vec<_>>().join(" ")
}

const APOSTROPHES: [char; 2] = ['\'', '’'];

/// What French joins to a word by an apostrophe. Unicode has no boundary there, and people look for `homme` in `l’homme`.
const ELIDED: [&str; 9] = ["c", "d", "j", "l", "m", "n", "qu", "s", "t"];

/// The words of a text, folded.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.unicode_words() {
        // Unicode keeps `3.14`, `a:b`, `l·l` and `a_b` together; chatkeep documents them as phrases of their parts.
        for part in word.split(['.', ':', '·', '_', ',', ';']) {
            let folded = fold(part);
            match folded.split_once(APOSTROPHES) {
                Some((article, noun)) if ELIDED.contains(&article) && noun.starts_with(is_vowel_or_h) => {
                    words.extend([article.to_owned(), noun.replace(APOSTROPHES, "")]);
                }
                // Another apostrophe is left out: обов'язок is обовязок.
                _ => words.push(folded.replace(APOSTROPHES, "")),
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_vowel_or_h(c: char) -> bool {
    "aeiouyh".contains(c)
}

/// Lower case, without the marks of Latin, Greek, Cyrillic, Hebrew and Arabic; those of other scripts are vowels and stay.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::new();
    for c in text.nfc().flat_map(char::to_lowercase) {
        // Three letters that nobody takes for the ones without the mark.
        if matches!(c, 'й' | 'ї' | 'ў') {
            folded.push(c);
            continue;
        }
        folded.extend(c.nfkd().filter(|c| !is_diacritic(*c)).flat_map(char::to_lowercase).flat_map(plain));
    }
    // Again in one form: what was decomposed and kept has its parts in order.
    folded.nfkd().collect()
}

fn is_diacritic(c: char) -> bool {
    let is_of_an_alphabet = matches!(c,
        '\u{300}'..='\u{36f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}'
    );
    // Joiners, the tatweel, soft hyphens: nobody sees or types them.
    is_of_an_alphabet || matches!(c, '\u{200b}'..='\u{200f}' | '\u{640}' | '\u{ad}')
}

/// Letters that do not decompose, and what people type for them.
fn plain(c: char) -> impl Iterator<Item = char> {
    let text = match c {
        'ß' => "ss",
        'đ' => "d",
        'ł' => "l",
        'ø' => "o",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'ς' => "σ",
        // The Persian yeh and the alef maqsura, and the Persian kaf.
        'ی' | 'ى' => "ي",
        'ک' => "ك",
        _ => "",
    };
    text.chars().chain(text.is_empty().then_some(c))
}
