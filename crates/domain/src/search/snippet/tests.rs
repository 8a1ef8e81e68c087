use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::search::SearchDocument;
use crate::search::grammar::parse;
use crate::search::rank;

fn of(query: &str, content: &Content) -> Snippet {
    let expr = parse(query);
    let snippet = Snippet::of(content, expr.as_ref());
    assert_valid(&snippet, content);
    snippet
}

fn in_text(query: &str, text: &str) -> Snippet {
    of(query, &Content::text(text))
}

/// The whole of a short text, with brackets around what was found.
fn marked(query: &str, text: &str) -> String {
    in_text(query, text).highlight("[", "]")
}

#[track_caller]
fn assert_valid(snippet: &Snippet, content: &Content) {
    assert!(snippet.text.chars().count() <= MAX_SNIPPET_CHARS);
    let texts = texts(content);
    assert!(snippet.text.is_empty() || texts.iter().any(|text| text.contains(&snippet.text)), "no excerpt");
    for range in &snippet.ranges {
        assert!(snippet.text.get(range.clone()).is_some_and(|found| !found.is_empty()), "{range:?}");
    }
    assert!(snippet.ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", snippet.ranges);
}

#[test]
fn words_are_marked() {
    for (query, text, expected) in [
        ("foo", "a foo, a Foo; foobar", "a [foo], a [Foo]; foobar"),
        ("foo bar", "bar  foo\n\nbaz", "[bar]  [foo]\n\nbaz"),
        ("foo -baz", "foo bar", "[foo] bar"),
        ("foo OR -baz", "foo bar", "[foo] bar"),
        ("foo OR bar", "bar", "[bar]"),
        ("cafe", "Un CAFÉ, un cafe\u{301}!", "Un [CAFÉ], un [cafe\u{301}]!"),
        ("foo*", "foo food barfoo", "[foo] [food] barfoo"),
        ("foo fo*", "foo fox", "[foo] [fox]"),
        ("f* foo* \"a fo\"* fooo*", "foo a fox f o", "[foo] [a fox] [f] o"),
        ("abc* OR дом*", "дома", "[дома]"),
        ("foo", "foo-foo", "[foo]-[foo]"),
        ("🎉", "done 🎉👍🏽 yes", "done [🎉]👍🏽 yes"),
        ("👍", "done 🎉👍🏽 yes", "done 🎉[👍🏽] yes"),
    ] {
        assert_eq!(marked(query, text), expected, "{query}");
    }
}

#[test]
fn a_phrase_is_marked_where_it_is_whole() {
    for (query, text, expected) in [
        ("\"foo bar\"", "foo baz, foo - bar, bar", "foo baz, [foo - bar], bar"),
        ("v2.0", "2.0 or v2, not v2.0.", "2.0 or v2, not [v2.0]."),
        ("\"foo ba\"*", "foo ba foo bar foo", "[foo ba] [foo bar] foo"),
        ("\"foo foo\"", "foo foo foo", "[foo foo foo]"),
        ("\"a b a c\"", "a b a b a c", "a b [a b a c]"),
        ("\"foo bar\" bar", "foo bar bar", "[foo bar] [bar]"),
    ] {
        assert_eq!(marked(query, text), expected, "{query}");
    }
}

#[test]
fn dense_scripts_are_marked_letter_by_letter() {
    for (query, text, expected) in [
        ("東京", "私は東京都に住む", "私は[東京]都に住む"),
        ("東京都", "私は東京都に住む", "私は[東京都]に住む"),
        ("東", "東京と関東、東", "[東]京と関[東]、[東]"),
        ("京都", "京都 東京都", "[京都] 東[京都]"),
        ("北京 天安门", "我爱北京天安门", "我爱[北京天安门]"),
        ("ประเทศ", "ฉันรักประเทศไทย", "ฉันรัก[ประเทศ]ไทย"),
        ("ที่", "อยู่ที่นี่", "อยู่[ที่]นี่"),
        ("한국", "한국어를 배워요", "[한국]어를 배워요"),
        ("\"東京 tower\"", "東京 tower", "[東京 tower]"),
        ("株式", "㍿あ", "[㍿]あ"),
        ("株", "㍿あ", "[㍿]あ"),
    ] {
        assert_eq!(marked(query, text), expected, "{query}");
    }
}

#[test]
fn a_part_is_marked_within_its_whole() {
    for (query, text, expected) in [
        ("user", "call getUserName now", "call get[User]Name now"),
        ("getUser", "call getUserName now", "call [getUser]Name now"),
        ("\"user name\"", "call getUserName now", "call get[UserName] now"),
        ("getusername", "call getUserName now", "call [getUserName] now"),
        ("anna", "Anna's, Annas", "[Anna]'s, Annas"),
        ("1137", "PR1137", "PR[1137]"),
        ("2026-11-26", "at 2026-11-26T10:00:00Z", "at [2026-11-26]T10:00:00Z"),
        ("10:00:00", "at 2026-11-26T10:00:00Z", "at 2026-11-26T[10:00:00]Z"),
        ("1234567", "1,234,567.5", "[1,234,567].5"),
        ("u*", "getUserName user", "get[User]Name [user]"),
        ("get*", "getUserName", "[getUserName]"),
    ] {
        assert_eq!(marked(query, text), expected, "{query}");
    }
}

#[test]
fn one_letter_of_several_words_is_marked_once() {
    for (query, expected) in [("1", "[½]"), ("2", "[½]"), ("1*", "[½]"), ("\"1 2\"", "[½]")] {
        assert_eq!(marked(query, "½"), expected, "{query}");
    }
}

#[test]
fn without_a_match_it_is_the_beginning() {
    let text = format!("\n  first {}", "word ".repeat(100));
    for query in ["", "foo OR -bar"] {
        let snippet = in_text(query, &text);
        assert!(snippet.text.starts_with("first word"), "{:?}", snippet.text);
        assert!(snippet.text.ends_with(" word") && snippet.text.len() > 190, "{:?}", snippet.text);
        assert_eq!(snippet.ranges, []);
    }
    let parts = Content::parts([Content::text(" \n"), Content::image("https://x"), Content::text("second")]);
    assert_eq!(of("", &parts).text, "second");
    assert_eq!(of("", &Content::image("https://x")).text, "");
    assert_eq!(in_text("", " \n").text, "");
}

#[test]
fn it_begins_before_the_match_and_at_a_word() {
    let text = format!("{}needle {}", "before ".repeat(100), "behind ".repeat(100));
    let snippet = in_text("needle", &text);
    assert_eq!(snippet.matches().collect::<Vec<_>>(), ["needle"]);
    let before = snippet.ranges[0].start;
    assert!(snippet.text.starts_with("before before") && (20..=CONTEXT).contains(&before), "{before}");
    assert!(snippet.text.ends_with(" behind"), "{:?}", snippet.text);
    assert!(snippet.text.len() > 170, "{}", snippet.text.len());
}

#[test]
fn near_the_end_there_is_more_context() {
    let snippet = in_text("needle", &format!("{}needle", "before ".repeat(100)));
    assert!(snippet.text.ends_with(" needle") && snippet.text.len() > 180, "{:?}", snippet.text);
}

#[test]
fn a_short_text_is_there_whole() {
    let text = format!("{}foo", "字".repeat(197));
    assert_eq!(in_text("foo", &text).text, text);
}

#[test]
fn text_without_spaces_is_cut_at_graphemes() {
    let flags = "🇩🇪".repeat(150);
    let snippet = in_text("needle", &format!("{flags} needle{flags}"));
    let found = snippet.ranges[0].clone();
    for side in [&snippet.text[..found.start], &snippet.text[found.end..]] {
        let side = side.trim();
        assert!(side.len() > "🇩🇪".len() * 10, "{}", side.len());
        assert_eq!(side.replace("🇩🇪", ""), "");
    }
    let long = "x\u{301}".repeat(500);
    assert!(in_text("", &long).text.ends_with('\u{301}'));
}

#[test]
fn a_grapheme_longer_than_a_snippet_is_cut() {
    let text = format!("needle x{}", "\u{301}".repeat(1_000));
    assert_eq!(in_text("needle", &text).matches().collect::<Vec<_>>(), ["needle"]);
    assert_eq!(in_text("", &format!("x{}", "\u{301}".repeat(1_000))).text.chars().count(), MAX_SNIPPET_CHARS);
}

#[test]
fn a_match_longer_than_a_snippet_is_marked_as_far_as_it_goes() {
    let word = "y".repeat(1_000);
    let snippet = in_text("yyy*", &format!("{}{word}", "before ".repeat(20)));
    assert_eq!(snippet.matches().count(), 1);
    assert!(snippet.matches().all(|found| found.len() >= MAX_SNIPPET_CHARS - CONTEXT));
}

#[test]
fn the_place_has_the_most_different_phrases_then_the_most_matches_then_is_the_first() {
    let gap = "gap ".repeat(100);
    let text = format!("foo foo foo 1 {gap} foo bar 2 {gap} bar bar foo 3 {gap} foo bar bar 4");
    for (query, expected) in [("foo OR bar", "3"), ("foo", "1"), ("bar", "3"), ("\"foo bar\"", "2")] {
        let text = in_text(query, &text).text;
        let here: Vec<_> = text.split(' ').filter(|word| word.len() == 1).collect();
        assert_eq!(here, [expected], "{query}");
    }
}

#[test]
fn the_same_word_twice_is_no_different_phrase() {
    let gap = "gap ".repeat(100);
    let text = format!("foo bar {gap} bar foo foo");
    assert!(in_text("foo foo bar", &text).text.ends_with("bar foo foo"));
}

#[test]
fn every_text_is_looked_at_and_no_phrase_goes_over_two() {
    let parts = Content::parts([Content::text("foo"), Content::text("bar"), Content::text("see foo bar")]);
    assert_eq!(of("bar", &parts).highlight("[", "]"), "[bar]");
    assert_eq!(of("\"foo bar\"", &parts).highlight("[", "]"), "see [foo bar]");
    let result = Content::tool_result("call_1", "weather", json!({"city": "Oslo", "days": ["rain", "sun"]}));
    assert_eq!(of("sun", &result).highlight("[", "]"), "[sun]");
    let call = Content::tool_call("call_1", "get_weather", json!({"degrees": 21}));
    assert_eq!(of("weather", &call).highlight("[", "]"), "get_[weather]");
    assert_eq!(of("21", &call).highlight("[", "]"), "[21]");
}

#[test]
fn what_the_index_has_no_room_for_is_not_found() {
    let words = |count: usize| (0..count).map(|number| format!("w{number} ")).collect::<Vec<_>>().concat();
    for (text, is_found) in [
        (format!("{}needle", words(16_382)), true),
        (format!("{}needle", words(16_383)), false),
        (format!("{}needle needle x", "needle ".repeat(253)), true),
        (format!("{}needle needle x", "needle ".repeat(254)), false),
    ] {
        let query = if text.ends_with('x') { "\"needle x\"" } else { "needle" };
        let document = SearchDocument::of(&Content::text(&*text));
        assert_eq!(parse(query).unwrap().matches(&document), is_found);
        assert_eq!(!in_text(query, &text).ranges.is_empty(), is_found);
    }
    // The space between two texts counts as a word, as it does in the document.
    for (count, is_found) in [(16_381, true), (16_382, false)] {
        let parts = Content::parts([Content::text(words(count)), Content::text("needle")]);
        assert_eq!(parse("needle").unwrap().matches(&SearchDocument::of(&parts)), is_found);
        assert_eq!(!of("needle", &parts).ranges.is_empty(), is_found);
    }
}

#[test]
fn a_long_text_of_one_word_takes_no_long_time() {
    let text = "a ".repeat(4 * 1_024 * 1_024);
    let query = format!("a* \"{}\" {}", "a ".repeat(500), "a ".repeat(500));
    let snippet = in_text(&query, &text);
    assert!(snippet.ranges.len() > 80, "{}", snippet.ranges.len());
}

#[test]
fn wrong_ranges_of_others_do_not_panic() {
    let ranges = vec![Range { start: 3, end: 1 }, 1..2, 2..4, 0..1, 3..9];
    let snippet = Snippet { text: "é-日".to_owned(), ranges };
    assert_eq!(snippet.highlight("[", "]"), "é-日");
    assert_eq!(snippet.matches().collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn debug_shows_no_text() {
    assert_eq!(format!("{:?}", in_text("foo", "foo bar")), "Snippet { text: 7 bytes, ranges: [0..3] }");
}

/// Texts that repeat, so that queries find something, among anything at all.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "foo",
        "bar",
        "Foo",
        " ",
        "  ",
        "\n",
        ", ",
        "é",
        "e\u{301}",
        "東京",
        "東",
        "都",
        "。",
        "ประ",
        "ที่",
        "🎉",
        "👩‍👧",
        "🇩🇪",
        "½",
        "㍿",
        "don't",
        "l'été",
        "getUser",
        "1,234",
        "PR7",
        "\u{301}",
        "\r\n",
        "_",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(pieces, 0..300).prop_map(|pieces| pieces.concat()),]
}

proptest! {
    #[test]
    fn a_snippet_marks_what_matches(
        texts in prop::collection::vec(text(), 1..3),
        from in 0..300_usize,
        len in 1..10_usize,
        star: bool,
    ) {
        let piece: String = texts[0].chars().skip(from % texts[0].chars().count().max(1)).take(len).collect();
        let query = format!("\"{}\"{}", piece.replace('"', ""), if star { "*" } else { "" });
        let content = Content::parts(texts.into_iter().map(Content::text));
        if let Some(expr) = parse(&query) {
            let document = SearchDocument::of(&content);
            let is_found = expr.matches(&document);
            let asked = SearchDocument::of_asked(&content, |word| expr.asks_of(word));
            prop_assert_eq!(expr.matches(&asked), is_found);
            prop_assert_eq!(rank::score(&expr, &asked), rank::score(&expr, &document));
            let snippet = of(&query, &content);
            prop_assert_eq!(!snippet.ranges.is_empty(), is_found);
            // The marked words alone are found again.
            let marked = Content::parts(snippet.matches().map(Content::text));
            prop_assert!(!is_found || snippet.text.len() > 150 || expr.matches(&SearchDocument::of(&marked)));
        }
    }

    #[test]
    fn any_query_of_any_text_is_valid(query in text(), text in text()) {
        let content = Content::text(text);
        assert_valid(&Snippet::of(&content, parse(&query).as_ref()), &content);
    }

    #[test]
    fn its_ends_are_ends_of_graphemes(text in text(), query in "foo|東|é|ที่") {
        let snippet = in_text(&query, &text);
        let is_end = |at| text.grapheme_indices(true).any(|(start, _)| start == at) || at == text.len();
        let mut places = text.match_indices(&snippet.text);
        prop_assert!(places.any(|(at, found)| is_end(at) && is_end(at + found.len())));
    }
}
