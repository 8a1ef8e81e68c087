use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::cargo;

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
    /// `None` for a package of the workspace.
    source: Option<String>,
}

/// Fails if a dependency's `rust-version` is above that of the workspace. Cargo refuses only what is above the Rust that
/// is installed.
pub(crate) fn run() -> Result<()> {
    let mut metadata = cargo(&["metadata", "--locked", "--format-version", "1", "--all-features"]);
    let output = metadata.stderr(Stdio::inherit()).output().context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", output.status);
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let newer = newer(&metadata.packages)?;
    ensure!(newer.is_empty(), "dependencies that ask for a newer Rust: {}", newer.join(", "));
    println!("no dependency asks for a newer Rust than {}", of_workspace(&metadata.packages)?);
    Ok(())
}

fn of_workspace(packages: &[Package]) -> Result<&str> {
    let ours = packages.iter().filter(|package| package.source.is_none());
    let versions = ours.filter_map(|package| package.rust_version.as_deref());
    versions.min_by_key(|version| parsed(version)).context("no package of the workspace has a rust-version")
}

fn newer(packages: &[Package]) -> Result<Vec<String>> {
    let most = parsed(of_workspace(packages)?);
    let is_newer = |package: &&Package| package.rust_version.as_deref().map(parsed) > Some(most.clone());
    let others = packages.iter().filter(|package| package.source.is_some()).filter(is_newer);
    let shown = others.map(|Package { name, version, rust_version, .. }| {
        format!("{name} {version} ({})", rust_version.as_deref().unwrap_or_default())
    });
    Ok(shown.collect())
}

/// The numbers of a version; `1.94` and `1.94.0` are the same.
fn parsed(version: &str) -> Vec<u32> {
    let numbers = version.split('.').map(|part| part.parse().unwrap_or_default());
    numbers.chain([0, 0]).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, rust_version: Option<&str>, source: Option<&str>) -> Package {
        let owned = |text: &str| text.to_owned();
        let (rust_version, source) = (rust_version.map(owned), source.map(owned));
        Package { name: owned(name), version: owned("1.0.0"), rust_version, source }
    }

    #[test]
    fn a_dependency_that_asks_for_more_is_found() {
        let packages = [
            package("ours", Some("1.94"), None),
            package("same", Some("1.94.0"), Some("registry")),
            package("older", Some("1.9"), Some("registry")),
            package("silent", None, Some("registry")),
            package("newer", Some("1.94.1"), Some("registry")),
            package("newest", Some("1.100"), Some("registry")),
        ];
        assert_eq!(newer(&packages).unwrap(), ["newer 1.0.0 (1.94.1)", "newest 1.0.0 (1.100)"]);
    }

    #[test]
    fn without_a_version_of_ours_there_is_nothing_to_compare() {
        assert!(newer(&[package("other", Some("1.94"), Some("registry"))]).is_err());
    }
}
