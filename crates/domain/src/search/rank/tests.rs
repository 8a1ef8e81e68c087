use proptest::prelude::*;

use super::*;
use crate::content::Content;
use crate::search::grammar::parse;

fn score_of(query: &str, text: &str) -> f64 {
    let expr = parse(query).unwrap();
    let document = SearchDocument::of(&Content::text(text));
    assert!(expr.matches(&document), "{query} is not in {text}");
    score(&expr, &document).get()
}

/// Words that no test asks for.
fn other(count: usize) -> String {
    "other ".repeat(count)
}

#[test]
fn more_often_is_better() {
    let once = score_of("foo", "foo other other");
    let twice = score_of("foo", "foo foo other");
    let always = score_of("foo", "foo foo foo");
    assert!(once < twice && twice < always, "{once} {twice} {always}");
    assert!(twice - once > always - twice, "each further one adds less");
}

#[test]
fn shorter_is_better() {
    let [short, long] = [10, 1_000].map(|count| score_of("foo", &format!("foo {}", other(count))));
    assert!(short > long, "{short} {long}");
}

#[test]
fn earlier_is_better_but_less_than_more_often() {
    let text = |before, behind| format!("{}foo {}", other(before), other(behind));
    let [first, middle, last] = [0, 10, 50].map(|before| score_of("foo", &text(before, 50 - before)));
    assert!(first > middle && middle > last, "{first} {middle} {last}");
    let twice_at_the_end = score_of("foo", &format!("{}foo foo", other(49)));
    assert!(twice_at_the_end > first, "{twice_at_the_end} {first}");
}

#[test]
fn all_sides_of_an_or_are_better_than_one() {
    let query = "foo OR bar";
    let [both, one] = ["foo bar", "foo baz"].map(|text| score_of(query, text));
    assert!(both > one, "{both} {one}");
}

#[test]
fn a_phrase_counts_more_than_a_word() {
    let phrase = score_of("\"foo bar\"", "foo bar baz");
    let word = score_of("foo", "foo bar baz");
    assert!(phrase > word, "{phrase} {word}");
}

#[test]
fn excluded_words_do_not_count() {
    assert!((score_of("foo OR -bar", "foo") - score_of("foo", "foo")).abs() < f64::EPSILON);
    assert!((score_of("foo OR -bar", "baz") - LEAST).abs() < f64::EPSILON);
}

#[test]
fn the_longest_document_still_scores_more_than_nothing() {
    let others: Vec<String> = (0..16_382).map(|number| format!("other{number}")).collect();
    let score = score_of("foo", &format!("{} foo", others.join(" ")));
    assert!(score > LEAST, "{score}");
}

/// Cursors hold the bits: these must not change from one platform or release to the next without a reason.
#[test]
fn scores_are_the_same_everywhere() {
    let bits = [score_of("foo", "foo bar"), score_of("\"foo bar\" ba*", "baz foo bar foo")].map(f64::to_bits);
    assert_eq!(bits, [4_611_322_108_442_323_445, 4_617_104_309_603_357_810]);
}

proptest! {
    #[test]
    fn bits_sort_as_scores_do(a in 0.0..1e9_f64, b in 0.0..1e9_f64) {
        let [a, b] = [a, b].map(|number| Score::from_bits(number.to_bits()));
        prop_assert_eq!(Some(a.cmp(&b)), a.get().partial_cmp(&b.get()));
    }

    #[test]
    fn a_further_occurrence_never_lowers(count in 1..300_usize, len in 300..400_usize) {
        let text = |count: usize| format!("{}{}", "foo ".repeat(count), other(len - count));
        prop_assert!(score_of("foo", &text(count)) <= score_of("foo", &text(count + 1)));
    }
}
