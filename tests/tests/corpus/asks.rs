//! What is asked for: a sample of each language, and words picked by hand.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::scan::{Ask, fold};
use crate::text::{DENSE, LANGUAGES, paragraphs};

/// How many words of each language are asked for, each as it stands and in another way.
const SAMPLES: usize = 48;

pub(crate) fn sampled(language: &str) -> Vec<Ask> {
    if DENSE.contains(&language) { runs(language) } else { words(language) }
}

/// Every n-th word, and then the same in upper case, without marks, as a prefix, in a phrase, and so on in turn.
fn words(language: &str) -> Vec<Ask> {
    let paragraphs = paragraphs(language);
    let mut slices: Vec<(&str, &str)> = Vec::new();
    for paragraph in &paragraphs {
        let words: Vec<_> = paragraph.unicode_word_indices().collect();
        slices.extend(words.windows(3).map(|three| {
            let (begin, end) = (three[0].0, three[2].0 + three[2].1.len());
            (three[0].1, &paragraph[begin..end])
        }));
    }
    let sample = every_nth(&slices, SAMPLES);
    let mut asks = Vec::new();
    for (number, (word, phrase)) in sample.iter().copied().enumerate() {
        let other = sample[(number + 7) % sample.len()].0;
        let ask = Ask::word(word);
        let variant = match number % 8 {
            // "or" is a word, and "OR" is an operator.
            0 if word != "or" => Ask::word(word.to_uppercase()),
            0 | 1 => Ask::word(fold(word)),
            2 => Ask::word(word.nfd().collect::<String>()),
            3 => {
                let letters: Vec<&str> = word.graphemes(true).collect();
                Ask::Prefix(letters[..letters.len().div_ceil(2)].concat())
            }
            4 if !phrase.contains('"') => Ask::Phrase(phrase.to_owned()),
            4 | 5 => ask.clone().without(Ask::word(other)),
            6 => ask.clone().or(Ask::word(other)),
            _ => ask.clone().and(Ask::word(other)),
        };
        asks.extend([ask, variant]);
    }
    asks
}

/// Every n-th run of one to four letters with their marks.
fn runs(language: &str) -> Vec<Ask> {
    // Composed first: a letter can be a mark of the one before and another letter, as Thai's and Lao's am.
    let paragraphs = paragraphs(language).iter().map(|text| text.nfkc().collect()).collect::<Vec<String>>();
    let is_letter = |letter: &&str| letter.starts_with(|c: char| c.is_alphabetic() && c >= '\u{e00}');
    let mut places = Vec::new();
    for paragraph in &paragraphs {
        let letters = letters(paragraph);
        let runs = letters.chunk_by(|one, other| is_letter(one) == is_letter(other));
        for run in runs.filter(|run| is_letter(&run[0])) {
            places.extend((0..run.len()).map(|start| run[start..].to_vec()));
        }
    }
    let sample: Vec<String> = every_nth(&places, SAMPLES)
        .iter()
        .enumerate()
        .map(|(number, letters)| letters[..letters.len().min(number % 4 + 1)].concat())
        .collect();
    let mut asks = Vec::new();
    for (number, run) in sample.iter().enumerate() {
        let other = Ask::Run(sample[(number + 7) % sample.len()].clone());
        let ask = Ask::Run(run.clone());
        let variant = match number / 4 % 4 {
            0 => Ask::Run(run.nfd().collect()),
            1 => ask.clone().without(other),
            2 => ask.clone().or(other),
            _ => ask.clone().and(other),
        };
        asks.extend([ask, variant]);
    }
    asks
}

/// The characters, each with its marks. A grapheme cluster of Burmese can end before a mark.
fn letters(text: &str) -> Vec<&str> {
    let starts = text.char_indices().filter(|(at, c)| *at == 0 || !is_combining_mark(*c)).map(|(at, _)| at);
    let bounds: Vec<usize> = starts.chain([text.len()]).collect();
    bounds.windows(2).map(|bounds| &text[bounds[0]..bounds[1]]).collect()
}

fn every_nth<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let step = (all.len() / count).max(1);
    all.iter().step_by(step).take(count).cloned().collect()
}

/// Each finds something. Those that begin with `!` find nothing.
const BY_HAND: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "SLAVERY",
            "dignity rights",
            "\"life, liberty\"",
            "\"life liberty\"",
            "tortur*",
            "everyone -right",
            "co-operation",
        ],
    ),
    (
        "en",
        &[
            "\"dignity and of the equal\"",
            "(torture OR slavery) -trade",
            "!burrito",
            "!\"rights dignity\"",
            "!ignity",
        ],
    ),
    (
        "fr",
        &[
            "l’homme",
            "L'HOMME",
            "homme",
            "droits de l'homme",
            "\"égaux et inaliénables\"",
            "egaux",
            "declaration",
            "esclav*",
        ],
    ),
    (
        "fr",
        &[
            "\"la liberté, de la justice\"",
            "CONSIDÉRANT",
            "préambule",
            "qu’ils",
            "liberté -justice",
            "!burrito",
            "!lhomme",
        ],
    ),
    (
        "de",
        &[
            "menschenwürde OR würde",
            "WURDE",
            "Völkern OR volkern",
            "Freiheit",
            "FREIHEIT",
            "gleich*",
            "\"Freiheit, Gerechtigkeit\"",
        ],
    ),
    (
        "es",
        &[
            "niñez OR infancia",
            "educación",
            "EDUCACION",
            "\"libertad, la justicia\"",
            "derech* -libertad",
            "!burrito",
        ],
    ),
    (
        "vi",
        &["tự", "tu", "QUYỀN", "quyen", "\"quyền tự do\"", "\"quyen tu do\"", "được", "duoc", "DUOC -quyen"],
    ),
    (
        "el",
        &["ανθρώπου", "ΑΝΘΡΩΠΟΥ", "ανθρωπου", "δικαιώματα", "ΔΙΚΑΙΩΜΑΤΑ", "ελευθερ*", "καθένας", "ΚΑΘΕΝΑΣ"],
    ),
    ("el-polyton", &["ἀνθρώπου", "ΑΝΘΡΩΠΟΥ", "ανθρωπου", "καὶ", "και"]),
    (
        "ru",
        &[
            "человек",
            "ЧЕЛОВЕК",
            "человек*",
            "\"свободы, справедливости\"",
            "каждый",
            "КАЖДЫЙ",
            "чёловек",
            "!каждыи",
        ],
    ),
    ("uk", &["обов'язки", "обов’язки", "обовязки", "її", "!іі"]),
    ("ar", &["لمّا", "لما", "حقوق", "الإنسان", "الانسان", "\"حقوق الإنسان\"", "حري* -الحرية"]),
    ("fa", &["حقوق", "بشر", "ازادی", "آزادی", "\"حقوق بشر\""]),
    ("he", &["אדם", "זכויות", "\"זכויות האדם\"", "חירו*", "זְכוּיוֹת", "אדם -חרות"]),
    ("hi", &["मानव", "अधिकार", "स्वतन्त्रता OR स्वतंत्रता", "\"मानव अधिकारों\"", "अधिकार*", "!अधकर"]),
    ("ta", &["மனித", "உரிமை*", "!மனத"]),
    (
        "tr",
        &[
            "insan",
            "İNSAN",
            "hakları",
            "HAKLARI",
            "haklari",
            "hürriyet*",
            "ISTIRAP OR ıstırap OR hak*",
            "şahıs*",
        ],
    ),
    ("pl", &["człowieka", "CZŁOWIEKA", "czlowieka", "wolność", "wolnosc", "\"praw człowieka\""]),
    ("th", &["มนุษย์", "สิทธิ", "ประเทศ", "!สิทธ"]),
    (
        "zh-Hans",
        &["人权", "自由", "自由 -平等", "\"自由、正义\"", "世界人权宣言", "第一条 OR 第二条", "!权人"],
    ),
    ("zh-Hant", &["人權", "自由", "\"自由、正義\"", "世界人權宣言"]),
    ("ja", &["人権", "自由", "すべて", "人間 -自由", "\"自由、正義\"", "!権人"]),
    ("ko", &["인권", "자유", "모든 사람", "인간", "\"자유, 정의\"", "!권인"]),
    ("lo", &["ມະນຸດ", "ສິດ"]),
    ("km", &["មនុស្ស", "សិទ្ធិ"]),
    ("my", &["လူ", "အခွင့်အရေး"]),
];

/// The words picked by hand, by language: what is typed, and what the scan is to look for.
pub(crate) fn by_hand(language: &str) -> Vec<(bool, Ask)> {
    let is_dense = DENSE.contains(&language);
    let of_language = BY_HAND.iter().filter(|(of, _)| *of == language).flat_map(|(_, asks)| *asks);
    of_language
        .map(|typed| (!typed.starts_with('!'), read(typed.trim_start_matches('!'), is_dense)))
        .collect()
}

/// Reads as much of the grammar as the list has: `(a OR b) c`, `a OR b`, phrases, prefixes and what is not wanted.
fn read(typed: &str, is_dense: bool) -> Ask {
    if let Some((group, rest)) = typed.strip_prefix('(').and_then(|typed| typed.split_once(") ")) {
        return Ask::All(vec![read(group, is_dense), read(rest, is_dense)]);
    }
    if typed.contains(" OR ") {
        return Ask::Any(typed.split(" OR ").map(|side| read(side, is_dense)).collect());
    }
    if let Some(quoted) = typed.strip_prefix('"').and_then(|typed| typed.strip_suffix('"')) {
        return if is_dense { Ask::Runs(quoted.to_owned()) } else { Ask::Phrase(quoted.to_owned()) };
    }
    let one = |word: &str| match (word.strip_prefix('-'), word.strip_suffix('*')) {
        (Some(word), _) => Ask::Not(Box::new(read(word, is_dense))),
        (_, Some(beginning)) => Ask::Prefix(beginning.to_owned()),
        _ if is_dense => Ask::Run(word.to_owned()),
        _ => Ask::word(word),
    };
    let mut sides: Vec<Ask> = typed.split(' ').map(one).collect();
    if sides.len() == 1 { sides.remove(0) } else { Ask::All(sides) }
}

#[test]
fn corpus_words_by_hand_are_of_known_languages() {
    assert!(BY_HAND.iter().all(|(language, _)| LANGUAGES.contains(language)));
    assert!(LANGUAGES.iter().all(|language| !by_hand(language).is_empty()));
}
