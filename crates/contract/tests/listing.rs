//! The list of the cases against the functions that there are: a case that is not listed would never run.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use chatkeep_contract::faulty::Fault;
use chatkeep_contract::{CASES, CORRUPT_ROW_CASES};

/// The group and the name of every case.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let corrupt_rows = CORRUPT_ROW_CASES.iter().map(|case| (case.group, case.name));
    CASES.iter().map(|case| (case.group, case.name)).chain(corrupt_rows)
}

#[test]
fn every_case_is_listed_in_the_order_of_its_file() {
    let mut groups: Vec<_> = all().map(|(group, _)| group).collect();
    groups.dedup();
    for group in groups {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{group}.rs"));
        let source = fs::read_to_string(&file).expect("the group's file");
        let written: Vec<_> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('))
            .map(|(name, _)| name)
            .collect();
        let listed: Vec<_> = all().filter(|(of, _)| *of == group).map(|(_, name)| name).collect();
        assert_eq!(listed, written, "the group {group}");
    }
}

#[test]
fn every_file_with_cases_is_a_group() {
    let mut written = HashSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("the sources") {
        let file = entry.expect("a file").path();
        let source = fs::read_to_string(&file).unwrap_or_default();
        if source.lines().any(|line| line.starts_with("pub async fn ")) {
            written.insert(file.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    let listed = all().map(|(group, _)| group.to_owned());
    let listed: HashSet<_> = listed.chain(["without_search".to_owned()]).collect();
    assert_eq!(listed, written);
}

#[test]
fn no_name_is_there_twice() {
    let names: HashSet<_> = all().map(|(_, name)| name).collect();
    assert_eq!(names.len(), all().count(), "case names");
    let faults: HashSet<_> = Fault::ALL.iter().collect();
    assert_eq!(faults.len(), Fault::ALL.len(), "faults");
}
