//! The program, run as a reader runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::tempdir;

/// What a run in a folder prints.
fn run(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom_adapter"));
    let Output { status, stdout, stderr } =
        command.current_dir(folder).args(args).output().expect("the program runs");
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

#[test]
fn it_keeps_a_conversation_in_its_file() {
    let folder = tempdir().expect("a temporary folder");
    let expected = "opened again:\n1 user: Where do you keep this?\n2 assistant: In a file of JSON.\n";
    assert_eq!(run(folder.path(), &[]), expected);
    assert_eq!(run(folder.path(), &["--file", "chats.json"]), expected);
    let once = fs::read_to_string(folder.path().join("chats.json")).expect("the file");
    assert_eq!(run(folder.path(), &["--file", "chats.json"]), expected);
    let twice = fs::read_to_string(folder.path().join("chats.json")).expect("the file");
    let count = |text: &str| text.matches("In a file of JSON.").count();
    assert_eq!((count(&once), count(&twice)), (1, 2));
}
