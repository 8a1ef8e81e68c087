//! The list of the cases against the functions that there are: a case that is not listed would never run.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use chatkeep_contract::CASES;
use chatkeep_contract::faulty::Fault;

#[test]
fn every_case_is_listed_in_the_order_of_its_file() {
    let mut groups: Vec<_> = CASES.iter().map(|case| case.group).collect();
    groups.dedup();
    for group in groups {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{group}.rs"));
        let source = fs::read_to_string(&file).expect("the group's file");
        let written: Vec<_> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('))
            .map(|(name, _)| name)
            .collect();
        let listed = CASES.iter().filter(|case| case.group == group);
        let listed: Vec<_> = listed.map(|case| case.name).collect();
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
    let listed = CASES.iter().map(|case| case.group.to_owned());
    let listed: HashSet<_> = listed.chain(["without_search".to_owned()]).collect();
    assert_eq!(listed, written);
}

#[test]
fn no_name_is_there_twice() {
    let names: HashSet<_> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len(), "case names");
    let faults: HashSet<_> = Fault::ALL.iter().collect();
    assert_eq!(faults.len(), Fault::ALL.len(), "faults");
}
