use std::ops::{ControlFlow, Range};

use proptest::prelude::*;

use crate::fold::ZERO_WIDTH_JOINER;
use crate::fold::tests::texts;
use crate::search::analyzer::token::MAX_WORD;
use crate::search::analyzer::words::for_each_token;

fn tokens(text: &str) -> Vec<(String, Range<usize>, bool)> {
    let mut tokens = Vec::new();
    let flow = for_each_token(text, |token| {
        tokens.push((token.word.to_owned(), token.range, token.is_tail));
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    tokens
}

/// The words, joined by spaces; behind a tail, a `.`.
fn words(text: &str) -> String {
    let words: Vec<_> =
        tokens(text).into_iter().map(|(word, _, is_tail)| if is_tail { word + "." } else { word }).collect();
    words.join(" ")
}

fn assert_words(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(words(text), *expected, "{text:?}");
    }
}

#[test]
fn words_of_scripts_with_spaces() {
    assert_words(&[
        ("", ""),
        (" \t\n…!? ™ © ® → ∑ \u{e000} \u{301}", ""),
        ("CAFÉ Cafe\u{301} naïve ﬁn ＡＢＣ x² ① ½ 5㎏", "cafe cafe naive fin abc x2 1 1 2 5kg"),
        ("Größe STRASSE Äpfel Łódź Ærøskøbing Þór", "grosse strasse apfel lodz aeroskobing thor"),
        ("Tiếng Việt, Đà Nẵng", "tieng viet da nang"),
        ("İstanbul IŞIK ılık", "istanbul isik ilik"),
        ("Σίσυφος ΣΊΣΥΦΟΣ", "σισυφοσ σισυφοσ"),
        ("Ёлка; за\u{301}мок, йод ЇЖАК", "елка замок йод їжак"),
        ("السَّلَامُ عَلَيْكُمْ، أهلاً ٱلله کتــاب ﷺ", "السلام عليكم اهلا الله كتاب صلي الله عليه وسلم"),
        ("שָׁלוֹם־עולם צה״ל", "שלום עולם צה ל"),
        ("हिन्दी में क्\u{200d}या १२३।", "हिन्दी में क्या १२३"),
        ("தமிழ் বাংলা", "தமிழ் বাংলা"),
    ]);
}

#[test]
fn code_and_addresses() {
    assert_words(&[
        ("foo_bar fooBar v2.0 -x --flag=1", "foo bar foobar v2 0 x flag 1"),
        ("user@example.com", "user example com"),
        ("https://example.com/a-b?q=1#Top", "https example com a b q 1 top"),
        ("std::fs::read_to_string(\"C:\\\\x\")", "std fs read to string c x"),
        ("50% $9.99 C++ C# 1,000", "50 9 99 c c 1 000"),
    ]);
}

#[test]
fn what_is_inside_a_word_without_ending_it() {
    assert_words(&[
        (
            "don't don’t dont rock'n'roll O'Brien п'ять oʻzbek o‘zbek",
            "dont dont dont rocknroll obrien пять ozbek ozbek",
        ),
        (
            "l'été L’homme qu'il dell'arte d’e\u{301}te\u{301} d'œuvre",
            "l ete l homme qu il dell arte d ete d oeuvre",
        ),
        ("aujourd'hui y'all all's c'mon", "aujourdhui yall alls cmon"),
        ("'quoted' 'n' 5'10 dogs' 中'a a'中", "quoted n 5 10 dogs 中. a a 中."),
        ("co\u{ad}op na\u{200c}me \u{feff}x\u{2060}y\u{200e} a\u{fe0f}b", "coop name xy ab"),
        ("word\u{200b}word", "word word"),
    ]);
}

#[test]
fn dense_scripts_give_pairs() {
    assert_words(&[
        ("中文搜索", "中文 文搜 搜索 索."),
        ("我", "我."),
        ("我用Rust写2行", "我用 用. rust 写. 2 行."),
        ("東京タワーに行く", "東京 京タ タワ ワー ーに に行 行く く."),
        ("人々、ｶﾞｷﾞ", "人々 々. ガギ ギ."),
        ("か\u{3099}き が", "がき き. が."),
        ("한국어 \u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8} ㅋㅋ", "한국 국어 어. 한국 국. ᄏᄏ ᄏ."),
        ("ภาษาไทย", "ภา าษ ษา าไ ไท ทย ย."),
        ("ที่นี่", "ที่นี่ นี่."),
        ("ខ្មែ\u{200b}រ", "ខ្មែ មែរ រ."),
        ("㈱東 ㌔", "株. 東. キロ ロ."),
        ("葛\u{e0100}城", "葛城 城."),
    ]);
}

#[test]
fn an_emoji_is_a_word() {
    assert_words(&[
        ("👍🏽👍 ❤\u{fe0f}x❤", "👍 👍 ❤ x ❤"),
        ("👨\u{200d}👩\u{200d}👧👧", "👨\u{200d}👩\u{200d}👧 👧"),
        ("🏃🏽\u{200d}♀\u{fe0f} 🇩🇪🇫🇷🇩", "🏃\u{200d}♀ 🇩🇪 🇫🇷 🇩"),
        ("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴\u{e0067}\u{e0062}\u{e007f}"),
        ("1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3} 🏽 ‼\u{fe0f} 〰", "1"),
        ("a👍b中👍", "a 👍 b 中. 👍"),
    ]);
}

#[test]
fn ranges_are_those_of_the_text() {
    let text = "a É: 中か\u{3099}x👍🏽 e\u{301}! ﷺ";
    let parts: Vec<_> = tokens(text).into_iter().map(|(_, range, _)| &text[range]).collect();
    let expected = ["a", "É", "中か\u{3099}", "か\u{3099}", "x", "👍🏽", "e\u{301}", "ﷺ", "ﷺ", "ﷺ", "ﷺ"];
    assert_eq!(parts, expected);
    let text = "x don’t l'un l\u{ad}a\u{ad} ❤\u{fe0f}";
    let parts: Vec<_> = tokens(text).into_iter().map(|(_, range, _)| &text[range]).collect();
    assert_eq!(parts, ["x", "don’t", "l", "un", "l\u{ad}a", "❤\u{fe0f}"]);
}

#[test]
fn long_words_are_cut_alike_in_every_normal_form() {
    assert_eq!(words(&"X".repeat(1 << 16)), "x".repeat(MAX_WORD));
    assert_eq!(words(&"aé".repeat(1 << 16)), "ae".repeat(MAX_WORD / 2));
    assert_eq!(words(&"ae\u{301}".repeat(1 << 16)), "ae".repeat(MAX_WORD / 2));
    // Composed, it is half as long.
    assert_eq!(words(&"\u{9c7}\u{9be}".repeat(1 << 16)), words(&"\u{9cb}".repeat(1 << 16)));
    assert_eq!(words(&"д".repeat(100)), "д".repeat(64));
}

#[test]
fn a_heap_of_marks_is_no_work() {
    for (letter, mark) in [("a", '\u{301}'), ("a", '\u{93c}'), ("あ", '\u{3099}'), ("👍", '\u{20dd}')] {
        let heap = letter.to_owned() + &mark.to_string().repeat(1 << 16);
        let tokens = tokens(&heap);
        assert_eq!(tokens.len(), 1, "{letter} {mark:?}");
        assert_eq!(tokens[0].1, 0..heap.len(), "{letter} {mark:?}");
    }
}

#[test]
fn it_stops_when_told_to() {
    for text in ["a b c", "中文字", "中a", "a中", "👍👍", "ﷺ", "a'b c", "é é"] {
        let mut count = 0;
        let flow = for_each_token(text, |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert_eq!((count, flow), (1, ControlFlow::Break(())), "{text:?}");
    }
}

fn is_clean(c: char) -> bool {
    c.is_ascii_lowercase()
        || c.is_ascii_digit()
        || !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{e000}'..='\u{f8ff}')
}

proptest! {
    #[test]
    fn words_are_such_that_every_index_takes_them(text in texts()) {
        let mut last = 0..0;
        for (word, range, _) in tokens(&text) {
            let is_fit = !word.is_empty() && word.len() <= MAX_WORD && word.chars().all(is_clean);
            prop_assert!(is_fit, "{:?}", word);
            prop_assert!(text.get(range.clone()).is_some_and(|part| !part.is_empty()), "{:?}", range);
            prop_assert!(range.start >= last.start && range.end >= last.end, "{:?} {:?}", last, range);
            last = range;
        }
    }

    /// Pairs and tails of dense scripts apart: a pair gives itself and its tail.
    #[test]
    fn a_word_gives_itself(text in texts()) {
        for (word, _, is_tail) in tokens(&text) {
            let again = tokens(&word);
            if is_tail || again.len() > 1 {
                prop_assert!(again.last().is_some_and(|(_, _, is_tail)| *is_tail), "{:?} {:?}", word, again);
            } else {
                prop_assert_eq!(&again[0].0, &word);
            }
        }
    }

    #[test]
    fn the_normal_form_of_the_text_does_not_count(text in texts()) {
        let words = |text: &str| tokens(text).into_iter().map(|(word, ..)| word).collect::<Vec<_>>();
        let expected = words(&text);
        let nfc = icu_normalizer::ComposingNormalizer::new_nfc().normalize(&text).into_owned();
        let nfd = icu_normalizer::DecomposingNormalizer::new_nfd().normalize(&text).into_owned();
        prop_assert_eq!(words(&nfc), expected.clone());
        prop_assert_eq!(words(&nfd), expected);
    }

    /// What stands in a text is found in it, whatever is around it.
    #[test]
    fn a_part_of_a_dense_run_is_found(before in "[一-龠ぁ-ゖ가-힣ก-ฮ]{0,5}", part in "[一-龠ぁ-ゖ가-힣ก-ฮ]{1,5}", after in "[一-龠ぁ-ゖ가-힣ก-ฮ]{0,5}") {
        let all = tokens(&(before.clone() + &part + &after));
        let wanted = tokens(&part);
        let start = tokens(&before).len();
        for (at, (word, _, is_tail)) in wanted.iter().enumerate() {
            let found = &all[start + at].0;
            let is_found = if *is_tail { found.starts_with(word.as_str()) } else { found == word };
            prop_assert!(is_found, "{:?} {:?}", found, word);
        }
    }

    #[test]
    fn no_word_ends_in_a_joiner(count in 1_usize..60) {
        let family = vec!["👨"; count].join("\u{200d}");
        let found = tokens(&family);
        prop_assert_eq!(found.len(), 1);
        prop_assert!(!found[0].0.ends_with(ZERO_WIDTH_JOINER));
    }
}
