use std::io;

use crate::modules::faults_of;
use crate::modules::tree::Tree;

/// The faults of a crate with these files.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let tree = Tree::read(&|file| {
        let found = files.iter().find(|(name, _)| *name == file);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    });
    faults_of(&tree.unwrap())
}

#[test]
fn uses_in_one_direction_are_no_fault() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use crate::b::B;"),
        ("a.rs", "mod part; use crate::b::B; use self::part::Part; pub struct A(B, Part);"),
        ("a/part.rs", "use crate::b::{self, B}; pub struct Part(B); fn f(part: u8) -> u8 { self::g(part) }"),
        ("b.rs", "use std::fmt; use serde::de::Error; pub struct B;"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_circle_is_told_with_the_lines_that_make_it() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;\nuse crate::d::D;"),
        ("b.rs", "\nfn f() -> crate::c::C { loop {} }"),
        ("c.rs", "\n\nfn g() { assert!(h(crate::a::A)); }"),
        ("d.rs", "use crate::c::C;"),
    ]);
    let told = "  a circle of 4 modules: a, b, c, d
    a uses
      src/a.rs:1: crate::b::B
    b uses
      src/b.rs:2: crate::c::C
    c uses
      src/c.rs:3: crate::a::A";
    assert_eq!(found, [told]);
}

#[test]
fn two_circles_are_told_apart() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; use crate::c::C;"),
        ("b.rs", "use crate::a::A;"),
        ("c.rs", "use crate::d::D;"),
        ("d.rs", "use crate::c::C;"),
    ]);
    let first_lines: Vec<_> = found.iter().filter_map(|fault| fault.lines().next()).collect();
    assert_eq!(first_lines, ["  a circle of 2 modules: a, b", "  a circle of 2 modules: c, d"]);
}

#[test]
fn a_parent_and_a_child_that_use_each_other_are_a_circle() {
    for (parent, child) in [
        ("use crate::a::child::Child;", "use crate::a::A;"),
        ("use child::Child;", "use super::A;"),
        ("pub use child::Child;", "use super::*;"),
        ("fn f() { child::g() }", "fn g() { super::f() }"),
        ("fn f() { matches!(child::G, _) }", "mod braces { fn g() { super::super::f() } }"),
    ] {
        let parent = format!("mod child; {parent}");
        let found = faults(&[("lib.rs", "mod a;"), ("a.rs", &parent), ("a/child.rs", child)]);
        assert_eq!(found.len(), 1, "{parent} {child}");
        assert!(found[0].starts_with("  a circle of 2 modules: a, a::child\n"), "{}", found[0]);
    }
}

#[test]
fn what_a_module_shows_to_its_parent_is_no_use() {
    let child = "pub(in crate::a) struct Child; pub(super) fn f() {}";
    let found =
        faults(&[("lib.rs", "mod a;"), ("a.rs", "mod child; use child::Child;"), ("a/child.rs", child)]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_body_of_a_macro_is_no_use() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; macro_rules! a { () => { $crate::b::a() } }"),
        ("b.rs", "pub fn a() {} macro_rules! b { () => { $crate::a::B } }"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn tests_may_import_what_they_test() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod testing;"),
        ("a.rs", "use crate::b::B; #[cfg(test)] mod tests;"),
        (
            "b.rs",
            "#[cfg(test)] use crate::a::A; #[cfg(all(test, feature = \"x\"))] mod tests { use crate::a::A; }
             #[cfg(test)] fn f() { crate::a::g(); }
             impl B { #[cfg(test)] fn f() { crate::a::g(); } }",
        ),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_is_compiled_without_tests_too_counts() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "#[cfg(any(test, feature = \"mock\"))] use crate::a::A;"),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn an_import_from_the_root_is_told() {
    let found = faults(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub struct Own;"),
        ("a.rs", "pub struct A;"),
        ("b.rs", "use crate::{A, Own};\nfn f() -> super::A { loop {} }\nuse crate::*;"),
    ]);
    let told = ["  src/b.rs:1: crate::A", "  src/b.rs:2: super::A", "  src/b.rs:3: crate::*"]
        .map(|line| format!("{line}: an import from the crate's root: name the module that owns it"));
    assert_eq!(found, told);
}

#[test]
fn the_root_is_in_a_circle_if_it_uses_what_uses_it() {
    let found = faults(&[
        ("lib.rs", "mod a; use a::A; pub struct Own(A);"),
        ("a.rs", "use crate::Own; pub struct A;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("  a circle of 2 modules: the root, a\n"), "{}", found[0]);
}

#[test]
fn a_file_that_is_missing_is_an_error() {
    let read = |file: &str| match file {
        "lib.rs" => Ok("mod a;".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    assert_eq!(Tree::read(&read).unwrap_err().to_string(), "cannot read src/a.rs");
}
