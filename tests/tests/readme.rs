//! What READMEs name is what the code has.

use std::collections::BTreeSet;
use std::path::Path;

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
fn the_contracts_readme_has_a_row_for_each_file_of_cases() {
    let readme = include_str!("../../crates/contract/README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let rows: BTreeSet<_> = rows.map(|(file, _)| file).filter(|file| file.contains("::")).collect();
    let files: BTreeSet<_> = cases().map(|case| case.group).collect();
    assert_eq!(rows, files);
}

#[test]
fn the_domains_readme_names_every_port_of_a_store() {
    let readme = include_str!("../../crates/domain/README.md");
    let ports = include_str!("../../crates/domain/src/repository.rs");
    let names = ports.lines().filter_map(|line| line.strip_prefix("pub trait ")?.split([':', ' ']).next());
    let missing: Vec<_> = names.filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Whether a link leads to something in this repository.
fn is_there(link: &str) -> bool {
    let path = link.split('#').next().expect("a path");
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).exists()
}

#[test]
fn the_readmes_links_into_the_repository_are_at_its_end() {
    let readme = include_str!("../../README.md");
    let (text, links) = readme.rsplit_once("-->").expect("the comment in front of the links");
    assert!(!text.contains("]("), "a link that is not at the end");
    for line in links.lines().filter(|line| !line.is_empty()) {
        let link = line.strip_prefix('[').and_then(|line| line.split_once("]: "));
        let (name, link) = link.unwrap_or_else(|| panic!("no link: {line}"));
        assert!(text.contains(&format!("[{name}]")), "nothing uses {name}");
        assert!(is_there(link), "{link}");
    }
}

#[test]
fn the_links_for_contributors_lead_somewhere() {
    for text in [include_str!("../../ARCHITECTURE.md"), include_str!("../../CONTRIBUTING.md")] {
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().expect("a link"));
        let dead: Vec<_> = links.filter(|link| !link.starts_with('#') && !is_there(link)).collect();
        assert!(dead.is_empty(), "{dead:?}");
    }
}
