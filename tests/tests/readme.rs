//! The numbers that the README names are those of the code.

use chatkeep_contract::{CASES, faulty::Fault};

/// The number in front of these words.
fn number_before(text: &str, words: &str) -> usize {
    let (before, _) =
        text.split_once(words).unwrap_or_else(|| panic!("the README names no number of{words}"));
    let number = before.rsplit(' ').next().expect("a word");
    number.parse().unwrap_or_else(|_| panic!("no number in front of{words}: {number}"))
}

#[test]
fn the_readme_counts_cases_and_faulty_stores_right() {
    let readme = include_str!("../../README.md");
    let text = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(number_before(&text, " cases"), CASES.len(), "cases");
    assert_eq!(number_before(&text, " deliberately faulty stores"), Fault::ALL.len(), "faulty stores");
}
