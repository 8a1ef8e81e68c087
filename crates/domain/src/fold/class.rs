//! What a character is to the analyzer.

use icu_properties::props::{DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory, Script};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};

const CATEGORIES: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::new();
const SCRIPTS: CodePointMapDataBorrowed<'static, Script> = CodePointMapData::new();
const IGNORABLES: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const PICTOGRAPHS: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<ExtendedPictographic>();

pub(crate) const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// What a folded character is to the analyzer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A letter of a script that puts spaces between its words.
    Letter,
    /// A digit or another number, of any script.
    Digit,
    /// A letter of a script that does not.
    Dense,
    /// What is written on, below or around a letter.
    Mark,
    /// An emoji, or the beginning of one.
    Emoji,
    /// Half a flag.
    Flag,
    /// Changes the emoji that it follows, and is a part of it: the tags of the flags of England, Scotland and Wales.
    Tag,
    /// Says how the emoji that it follows is to look.
    SkinTone,
    /// Not seen: it ends no word, and is no part of one.
    Ignored,
    /// A place where a line may break: it ends a word, but not a run of a script that has such places everywhere.
    Break,
    /// Everything else.
    Separator,
}

impl Class {
    pub(crate) fn of(c: char) -> Self {
        use GeneralCategory as Gc;
        match c {
            '0'..='9' => return Self::Digit,
            'a'..='z' | 'A'..='Z' => return Self::Letter,
            // ©, ® have the properties of emoji; nobody means them so.
            '\0'..='\u{7f}' | '©' | '®' => return Self::Separator,
            // Kana, ideographs and Hangul syllables: quick to know.
            'ぁ'..='ゖ'
            | 'ァ'..='ヺ'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}' => {
                return Self::Dense;
            }
            // Letters of no script of their own that Chinese and Japanese write with.
            '〆' | '〱'..='〵' | '〼' | 'ー' => return Self::Dense,
            // The tatweel only stretches a word; the fillers of Hangul stand where a letter is missing. The
            // apostrophes that count as letters are apostrophes here: see `is_apostrophe`.
            '\u{640}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | 'ʼ' | 'ʻ' => {
                return Self::Ignored;
            }
            '\u{200b}' => return Self::Break,
            '\u{1f1e6}'..='\u{1f1ff}' => return Self::Flag,
            '\u{1f3fb}'..='\u{1f3ff}' => return Self::SkinTone,
            '\u{e0020}'..='\u{e007f}' => return Self::Tag,
            _ => {}
        }
        match CATEGORIES.get(c) {
            Gc::OtherLetter | Gc::ModifierLetter | Gc::LetterNumber if is_dense(c) => Self::Dense,
            Gc::UppercaseLetter
            | Gc::LowercaseLetter
            | Gc::TitlecaseLetter
            | Gc::OtherLetter
            | Gc::ModifierLetter => Self::Letter,
            Gc::DecimalNumber | Gc::LetterNumber | Gc::OtherNumber => Self::Digit,
            Gc::NonspacingMark | Gc::Format | Gc::Unassigned if IGNORABLES.contains(c) => Self::Ignored,
            Gc::NonspacingMark | Gc::SpacingMark | Gc::EnclosingMark => Self::Mark,
            // The unassigned ones are set apart for the emoji to come.
            Gc::OtherSymbol | Gc::MathSymbol | Gc::Unassigned if PICTOGRAPHS.contains(c) => Self::Emoji,
            _ => Self::Separator,
        }
    }
}

/// Whether it stands between two letters of one word: `don't`, `п’ять`, `oʻzbek`, `ג׳ירפה`.
pub(crate) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '‘' | '’' | 'ʼ' | 'ʻ' | '＇' | '׳')
}

/// Whether it belongs to the marks of Latin, Greek, Cyrillic, Hebrew and Arabic, which people leave out. Marks of other
/// scripts are vowels, or make another letter.
pub(super) fn is_optional(mark: char) -> bool {
    matches!(mark,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' // of every script, but in practice of these
        | '\u{483}'..='\u{489}' | '\u{2de0}'..='\u{2dff}' | '\u{a66f}'..='\u{a69f}' // Cyrillic
        | '\u{591}'..='\u{5c7}' | '\u{fb1e}' // Hebrew
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}'
        | '\u{897}'..='\u{8ff}' | '\u{10efa}'..='\u{10eff}') // Arabic
}

/// The scripts of Unicode's line breaking class SA, those of East Asia, and two more of South-East Asia.
fn is_dense(c: char) -> bool {
    matches!(
        SCRIPTS.get(c),
        Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Hangul
            | Script::Yi
            | Script::Tangut
            | Script::Nushu
            | Script::KhitanSmallScript
            | Script::Thai
            | Script::Lao
            | Script::Khmer
            | Script::Myanmar
            | Script::TaiLe
            | Script::NewTaiLue
            | Script::TaiTham
            | Script::TaiViet
            | Script::Ahom
            | Script::Javanese
            | Script::Balinese
    )
}
