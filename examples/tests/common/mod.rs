//! How an example is run.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::{TempDir, tempdir};

/// An example, to be run in a folder. It knows nothing of the developer's own databases and data directory.
///
/// `cargo test` builds the examples of a package before it runs the package's tests; with `--test examples` alone it does not.
pub(crate) fn command(example: &str, folder: &Path, args: &[&str]) -> Command {
    let test = std::env::current_exe().expect("the path of this test");
    let built =
        test.ancestors().nth(2).expect("the folder of what cargo builds").join("examples").join(example);
    let mut command = Command::new(built.with_extension(std::env::consts::EXE_EXTENSION));
    command.current_dir(folder).env_clear().env("HOME", folder).args(args);
    command
}

pub(crate) fn folder() -> TempDir {
    tempdir().expect("a temporary folder")
}

/// What a run printed that ended well.
pub(crate) fn printed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the example runs");
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

pub(crate) fn run(example: &str, folder: &Path, args: &[&str]) -> String {
    printed(&mut command(example, folder, args))
}
