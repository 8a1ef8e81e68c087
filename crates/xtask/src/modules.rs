//! Modules of a crate may use each other in one direction only, so that the crate can be read from one end.
//!
//! A module that uses another is an edge; modules that reach each other by edges are a circle, which is an error. So is an
//! import from the crate's root: it hides which module owns the name.

mod circle;
mod mention;
mod tree;

use std::fs;

use anyhow::{Result, ensure};

use crate::modules::circle::circles;
use crate::modules::tree::Tree;
use crate::root;

/// The crates that are looked at, by folder.
const CRATES: [&str; 5] = ["app", "domain", "layers", "memory", "sqlite"];

/// Fails, and tells why on the way, if one of the crates has a circle or imports from its root.
pub(crate) fn run() -> Result<()> {
    let mut faults = 0;
    for name in CRATES {
        let sources = root().join("crates").join(name).join("src");
        let tree = Tree::read(&|file| fs::read_to_string(sources.join(file)))?;
        let found = faults_of(&tree);
        println!("crates/{name}: modules: {}, faults: {}", tree.len(), found.len());
        for fault in &found {
            println!("{fault}");
        }
        faults += found.len();
    }
    ensure!(faults == 0, "faults in how modules use each other: {faults}");
    Ok(())
}

/// What is wrong in a crate, each fault with the lines that make it.
fn faults_of(tree: &Tree) -> Vec<String> {
    let uses = tree.uses();
    let from_root = uses
        .from_root
        .iter()
        .map(|mention| format!("  {mention}: an import from the crate's root: name the module that owns it"));
    from_root.chain(circles(&uses.edges).iter().map(|circle| circle.shown(tree))).collect()
}

#[cfg(test)]
mod tests;
