use proptest::prelude::*;

use super::*;
use crate::fold::tests::texts;

/// The words of the other reading of a text, piece by piece.
fn read(text: &str) -> String {
    let mut pieces = Vec::new();
    for stretch in stretches(text).into_iter().filter(|stretch| stretch.is_piece) {
        let mut words = Vec::new();
        let flow = for_each_part(stretch.text, |token| {
            words.push(token.word.to_owned());
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        pieces.push(words.join(" "));
    }
    pieces.join(" | ")
}

fn assert_read(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{text:?}");
    }
}

#[test]
fn names_of_programs_have_parts() {
    assert_read(&[
        ("getUserName GetUserName get_userName", "get user name | get user name | get user name"),
        ("HTTPServer parseJSON iPhone15Pro", "http server | parse json | i phone 15 pro"),
        ("URLs APIs' PDFs2", "url s | api s | pdf s 2"),
        ("plain Plain PLAIN a A", "plain | plain | plain | a | a"),
        ("ПолучитьИмя ÉcoleÉté straßeÖl", "получить имя | ecole ete | strasse ol"),
    ]);
}

#[test]
fn letters_and_digits_are_parts() {
    assert_read(&[
        ("PR1137 utf8 x² 5㎏ v2.0-rc1", "pr 1137 | utf 8 | x 2 | 5 kg | v 2 0 rc 1"),
        ("2026-11-26T10:00:00Z", "2026 11 26 t 10 00 00 z"),
    ]);
}

#[test]
fn an_apostrophe_is_between_parts() {
    assert_read(&[
        ("Anna's Anna’s O'Brien İstanbul'da", "anna s | anna s | o brien | istanbul da"),
        ("rock'n'roll dogs' 'quoted'", "rock n roll | dogs | quoted"),
        (
            "don't isn’t DON'T I'm we'll they’ve It's let's",
            "dont | isnt | dont | im | well | theyve | its | lets",
        ),
        ("l'homme oʻzbek", "l homme | ozbek"),
    ]);
}

#[test]
fn a_number_in_groups_is_a_whole() {
    assert_read(&[
        ("1,234,567 1.234.567,89 1'234'567.5 1_000_000", "1234567 | 1234567 89 | 1234567 5 | 1000000"),
        ("1\u{202f}234\u{a0}567 1\u{a0}234\u{a0}567", "1234 567 | 1234567"),
        ("12,34,567 $1,234.56 -1,234 1,234kg", "1234567 | 1234 56 | 1234 | 1234 kg"),
        ("0,123 1,23 1234,567 1,2345 1,234,56", "0 123 | 1 23 | 1234 567 | 1 2345 | 1 234 56"),
        ("10:00:15,123 26.11.2026 a,123,456 '1,234'", "10 00 15 123 | 26 11 2026 | a | 123456 | 1234"),
    ]);
}

#[test]
fn a_long_list_of_groups_is_no_number_and_no_work() {
    assert_eq!(read(&format!("1{}", ",234".repeat(8))), format!("1{}", "234".repeat(8)));
    assert_eq!(read(&format!("1{}", ",234".repeat(9))), format!("1{}", " 234".repeat(9)));
    for sign in [",", "\u{a0}", ".", "'"] {
        let list = format!("1{}", format!("{sign}22").repeat(100_000));
        let document = crate::search::SearchDocument::of(&crate::content::Content::text(list));
        assert_eq!(document.positions("1"), [1], "{sign:?}");
    }
}

#[test]
fn a_piece_ends_at_spaces_brackets_quotes_and_other_scripts() {
    assert_read(&[
        ("a/b::c-d\\e@f.g a=b&c", "a b c d e f g | a b c"),
        ("f(aB,c);\"d\"[e]{f}<g>|h`i`", "f | a b | c | d | e | f | g | h | i"),
        ("我用getUser写2行 a。b «c»", "get user | 2 | a | b | c"),
        ("aB👍cD™e\u{200b}f", "a b | c d | e | f"),
    ]);
}

#[test]
fn a_key_has_no_parts() {
    let sixteen = "aA".repeat(8);
    assert_eq!(read(&sixteen).split(' ').count(), 9);
    assert_eq!(read("a1b2c3d4e5f6a7b8"), "a 1 b 2 c 3 d 4 e 5 f 6 a 7 b 8");
    assert_eq!(read("a1b2c3d4e5f6a7b8c"), "a1b2c3d4e5f6a7b8c");
}

proptest! {
    /// What an index reads again is what a search reads in two ways.
    #[test]
    fn a_piece_is_the_same_from_within(text in texts()) {
        let pieces: Vec<&str> = stretches(&text).into_iter().filter(|stretch| stretch.is_piece).map(|stretch| stretch.text).collect();
        let visible = |text: &str| text.trim_matches(|c| is_joint("", 0, c).is_none()).to_owned();
        let pieces: Vec<String> = pieces.into_iter().map(visible).collect();
        let flow = for_each_token(&text, |token| {
            // A vowel of Thai or Lao that decomposes may be a mark of a letter of another script.
            let is_plain = !text[token.range.clone()].contains(['ำ', 'ຳ']);
            if is_plain && is_compound(&text, &token.range) {
                let piece = visible(&text[piece_around(&text, token.range)]);
                assert!(pieces.contains(&piece), "{piece:?} {pieces:?}");
            }
            ControlFlow::Continue(())
        });
        prop_assert!(flow.is_continue());
    }

    #[test]
    fn the_normal_form_of_the_text_does_not_count(text in texts()) {
        let nfc = icu_normalizer::ComposingNormalizer::new_nfc().normalize(&text).into_owned();
        let nfd = icu_normalizer::DecomposingNormalizer::new_nfd().normalize(&text).into_owned();
        prop_assert_eq!(read(&nfc), read(&nfd));
    }
}
