//! What READMEs name is what the code has.

use chatkeep_contract::faulty::Fault;
use chatkeep_contract::{Capability, cases};

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
    assert_eq!(number_before(&text, " cases"), cases().count(), "cases");
    let of_damage = cases().filter(|case| case.needs.contains(&Capability::CorruptRows)).count();
    assert_eq!(number_before(&text, " of them about damaged rows"), of_damage, "of damaged rows");
    assert_eq!(number_before(&text, " deliberately faulty stores"), Fault::ALL.len(), "faulty stores");
}

#[test]
fn the_domains_readme_names_every_port_of_a_store() {
    let readme = include_str!("../../crates/domain/README.md");
    let ports = include_str!("../../crates/domain/src/repository.rs");
    let names = ports.lines().filter_map(|line| line.strip_prefix("pub trait ")?.split([':', ' ']).next());
    let missing: Vec<_> = names.filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
