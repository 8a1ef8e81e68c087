//! Folding: which letters are the same.

mod class;

use std::iter;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::{
    ComposingNormalizer, ComposingNormalizerBorrowed, DecomposingNormalizer, DecomposingNormalizerBorrowed,
};

pub(crate) use self::class::{Class, ZERO_WIDTH_JOINER, is_apostrophe};

const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfkd();
const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const CASES: CaseMapperBorrowed<'static> = CaseMapper::new();

const IOTA_SUBSCRIPT: char = '\u{345}';

/// The most marks that one letter keeps, as in Unicode's Stream-Safe Text Format: no language needs them, and sorting
/// them stays cheap.
const MAX_MARKS: u8 = 30;

/// The text as it is compared: without regard to case, diacritics and compatible forms of characters.
///
/// It is Unicode's full case folding of the text's NFKD, without the marks of Latin, Greek, Cyrillic, Hebrew and
/// Arabic, in NFC. Marks of other scripts stay: they are vowels, as in Devanagari and Thai, or make another letter,
/// as in Japanese. The marks of `й`, `ў` and `ї` stay too, because nobody writes these letters without them; the mark
/// of `ё` goes, because many do. Letters that Unicode does not decompose become the plain ones that people type for
/// them: `æ` `ae`, `œ` `oe`, `ø` `o`, `đ` and `ð` `d`, `ħ` `h`, `ı` `i`, `ł` `l`, `ŧ` `t`, `þ` `th`; the Persian and
/// Urdu forms of kaf and yeh, and the alef maqsura, the Arabic kaf and yeh; the alef wasla an alef.
///
/// Punctuation and spaces stay. Invisible characters are removed: soft hyphens, joiners, variation selectors, the
/// tatweel, marks of direction.
///
/// ```
/// use chatkeep_domain::search::fold_text;
/// assert_eq!(fold_text("Café Ærø, Straße № 5"), "cafe aero, strasse no 5");
/// assert_eq!(fold_text("Tiếng Việt"), "tieng viet");
/// assert_eq!(fold_text("Ёлка и йод"), "елка и йод");
/// assert_eq!(fold_text("ＡＢＣ ｶﾞｷﾞ"), "abc ガギ");
/// ```
pub fn fold_text(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = Folded::default();
    for c in text.chars().flat_map(fold_char) {
        match Class::of(c) {
            // They count as letters, and so are not among the marks of punctuation that nobody sees.
            Class::Ignored if is_apostrophe(c) => folded.push(c),
            Class::Ignored | Class::Break | Class::Tag => {}
            Class::Mark => folded.push_mark(c),
            _ => folded.push(c),
        }
    }
    folded.compose();
    folded.text
}

/// The characters that one becomes, its marks among them; in NFKD, except what is mostly composed and quick to know:
/// ideographs, Hangul syllables and kana.
pub(crate) fn fold_char(c: char) -> impl Iterator<Item = char> {
    let is_same = matches!(c,
        '\0'..='\u{9f}' | 'ぁ'..='ゖ' | 'ァ'..='ヺ'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    let decomposed = (!is_same).then(|| NFKD.normalize_iter(iter::once(c)));
    // Of what is in NFKD, the full folding is the simple one and that of ß, and is in NFKD again.
    is_same.then_some(c).into_iter().chain(decomposed.into_iter().flatten()).flat_map(|c| {
        // The iota subscript is a mark to be dropped; folding would make a letter of it.
        let (first, second) = if c == IOTA_SUBSCRIPT { (c, None) } else { plain(CASES.simple_fold(c)) };
        iter::once(first).chain(second)
    })
}

/// The letters that people type for one that has no decomposition.
fn plain(c: char) -> (char, Option<char>) {
    let one = match c {
        'ß' => return ('s', Some('s')),
        'æ' => return ('a', Some('e')),
        'œ' => return ('o', Some('e')),
        'þ' => return ('t', Some('h')),
        'đ' | 'ð' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'ŧ' => 't',
        '\u{671}' => '\u{627}',
        '\u{649}' | '\u{6cc}' => '\u{64a}',
        '\u{6a9}' => '\u{643}',
        c => c,
    };
    (one, None)
}

/// Folded text, as it grows out of what [`fold_char`] gives.
#[derive(Default)]
pub(crate) struct Folded {
    pub(crate) text: String,
    /// The last character that is no mark, and how many marks it has.
    base: Option<char>,
    marks: u8,
    /// Whether there is something to compose.
    is_decomposed: bool,
}

impl Folded {
    pub(crate) fn push(&mut self, c: char) {
        self.text.push(c);
        (self.base, self.marks) = (Some(c), 0);
        // The letters that compose with the one before: vowels and finals of Hangul, and a vowel of Kirat Rai.
        self.is_decomposed |= matches!(c, '\u{1161}'..='\u{11c2}' | '\u{16d67}');
    }

    pub(crate) fn push_mark(&mut self, mark: char) {
        let is_part_of_letter = match (self.base, mark) {
            (Some('и' | 'у'), '\u{306}') | (Some('і'), '\u{308}') => true,
            (_, mark) => !class::is_optional(mark),
        };
        if is_part_of_letter && self.marks < MAX_MARKS {
            self.text.push(mark);
            self.marks += 1;
            self.is_decomposed = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        (self.base, self.marks) = (None, 0);
        self.is_decomposed = false;
    }

    pub(crate) fn compose(&mut self) {
        if self.is_decomposed {
            self.text = NFC.normalize(&self.text).into_owned();
            self.is_decomposed = false;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Beyond are planes without letters.
    const LAST_LETTER: char = '\u{3ffff}';

    /// Texts where what decides is likely, and anything else.
    pub(crate) fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            proptest::sample::select(vec![
                "a",
                "Z",
                "9",
                "é",
                "e\u{301}",
                "'",
                "’",
                "l'",
                " ",
                ".",
                "ß",
                "İ",
                "й",
                "ї",
                "中",
                "か",
                "\u{3099}",
                "ｶﾞ",
                "각",
                "\u{1100}",
                "\u{1161}",
                "\u{11a8}",
                "ก็",
                "ำ",
                "क्",
                "\u{93c}",
                "ﷺ",
                "ﹰ",
                "½",
                "㈱",
                "👍",
                "🏽",
                "🇩",
                "\u{200d}",
                "\u{fe0f}",
                "\u{ad}",
                "\u{200b}",
                "\u{640}",
                "ŉ",
                "\u{e0067}",
                "\u{e000}",
                "ﬃ",
                "™",
                "ℹ",
                "\u{345}",
            ])
            .prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn the_simple_folding_of_what_is_decomposed_is_the_full_one() {
        for c in '\0'..=LAST_LETTER {
            let decomposed: String =
                NFKD.normalize(c.encode_utf8(&mut [0; 4])).chars().filter(|c| *c != IOTA_SUBSCRIPT).collect();
            let full = CASES.fold_string(&decomposed);
            let simple: String = decomposed
                .chars()
                .map(|c| CASES.simple_fold(c))
                .flat_map(|c| if c == 'ß' { vec!['s', 's'] } else { vec![c] })
                .collect();
            assert_eq!(simple, full, "{c:?}");
            assert_eq!(NFKD.normalize(&full), full, "{c:?}");
        }
    }

    #[test]
    fn what_composes_is_known() {
        for c in '\0'..=LAST_LETTER {
            let text: String = fold_char(c).collect();
            let mut folded = Folded::default();
            for c in text.chars() {
                if Class::of(c) == Class::Mark { folded.push_mark(c) } else { folded.push(c) }
            }
            folded.compose();
            assert!(NFC.is_normalized(&folded.text), "{c:?}");
        }
    }

    #[test]
    fn what_looks_or_means_the_same_is_the_same() {
        for (text, expected) in [
            ("CAFÉ", "cafe"),
            ("cafe\u{301}", "cafe"),
            ("Σίσυφος ᾳ τῷ", "σισυφοσ α τω"),
            ("İstanbul ısı", "istanbul isi"),
            ("Đà Nẵng", "da nang"),
            ("ﬁn Œuvre Łódź Þór", "fin oeuvre lodz thor"),
            ("ЇЖАК ЎЗБЕК ЙОД ёж за\u{301}мок", "їжак ўзбек йод еж замок"),
            ("и\u{306}од", "йод"),
            ("أحمد إلى آدم", "احمد الي ادم"),
            ("مُحَمَّد ـــ کتاب", "محمد  كتاب"),
            ("שָׁלוֹם", "שלום"),
            ("हिन्दी ज़", "हिन्दी ज\u{93c}"),
            ("が か\u{3099} ｶﾞ", "が が ガ"),
            ("\u{1112}\u{1161}\u{11ab} 한", "한 한"),
            ("co\u{ad}op\u{feff} a\u{200d}b ❤\u{fe0f}", "coop ab ❤"),
            ("don’t “quote”…", "don’t “quote”..."),
        ] {
            assert_eq!(fold_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_heap_of_marks_is_no_work() {
        let heap = "あ".to_owned() + &"\u{3099}\u{323}\u{1b34}".repeat(1 << 16);
        assert!(fold_text(&heap).chars().count() <= 1 + usize::from(MAX_MARKS));
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in texts()) {
            let folded = fold_text(&text);
            prop_assert_eq!(fold_text(&folded), folded);
        }

        #[test]
        fn the_normal_form_of_the_text_does_not_count(text in texts()) {
            let expected = fold_text(&text);
            prop_assert_eq!(fold_text(&NFC.normalize(&text)), expected.clone());
            prop_assert_eq!(fold_text(&NFKD.normalize(&text)), expected);
        }
    }
}
