//! The chat with branches, run as a reader runs it, and killed.

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use common::{command, folder, run};

const BRANCHING_CHAT: &str = "branching_chat";

/// What is said to the chat, and what it tells.
const CHAT: [(&str, &[&str]); 6] = [
    (
        "ask Where shall I go?",
        &["stored 1 user: Where shall I go?", "stored 2 assistant: Yes, as to \"Where shall I go?\""],
    ),
    (
        "again",
        &[
            "stored 3 assistant: No, as to \"Where shall I go?\"",
            "now at 3 assistant: No, as to \"Where shall I go?\"  (2 / 2)",
        ],
    ),
    ("ask Why there?", &["stored 4 user: Why there?", "stored 5 assistant: Yes, as to \"Why there?\""]),
    (
        "rewrite 4 How?",
        &["stored 6 user: How?", "stored 7 assistant: Yes, as to \"How?\"", "now at 6 user: How?  (2 / 2)"],
    ),
    ("again", &["stored 8 assistant: No, as to \"How?\"", "now at 8 assistant: No, as to \"How?\"  (2 / 2)"]),
    ("previous 6", &["now at 4 user: Why there?  (1 / 2)"]),
];

const TREE: &str = "\
* 1 user: Where shall I go?
  ├─ 2 assistant: Yes, as to \"Where shall I go?\"
* └─ 3 assistant: No, as to \"Where shall I go?\"
*    ├─ 4 user: Why there?
*    │  5 assistant: Yes, as to \"Why there?\"
     └─ 6 user: How?
        ├─ 7 assistant: Yes, as to \"How?\"
        └─ 8 assistant: No, as to \"How?\"
";

const CHAT_DB: [&str; 2] = ["--db", "chat.db"];

#[test]
fn branching_chat_draws_its_tree_in_every_store() {
    let folder = folder();
    let mut commands: Vec<_> = CHAT.iter().map(|(command, _)| *command).collect();
    commands.push("tree");
    let told: String = CHAT.iter().flat_map(|(_, told)| *told).map(|line| format!("{line}\n")).collect();
    assert_eq!(run(BRANCHING_CHAT, folder.path(), &commands), format!("{told}{TREE}"));
    // In a file, each command by a process of its own: each goes on where the one before was.
    for (command, told) in CHAT {
        let output = run(BRANCHING_CHAT, folder.path(), &[&CHAT_DB[..], &[command]].concat());
        assert_eq!(output.lines().collect::<Vec<_>>(), told);
    }
    assert_eq!(run(BRANCHING_CHAT, folder.path(), &[&CHAT_DB[..], &["tree"]].concat()), TREE);
}

/// Types the commands of [`CHAT`], and kills the chat as soon as it tells of `count` things. Gives all that it told.
fn kill_chat_after(folder: &Path, count: usize) -> Vec<String> {
    let mut command = command(BRANCHING_CHAT, folder, &CHAT_DB);
    let mut chat = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the example starts");
    let mut typed = chat.stdin.take().expect("its input");
    for (command, _) in CHAT {
        writeln!(typed, "{command}").expect("it reads");
    }
    let mut lines = BufReader::new(chat.stdout.take().expect("its output")).lines();
    let mut told: Vec<_> = lines.by_ref().take(count).map(|line| line.expect("text")).collect();
    assert_eq!(told.len(), count, "it ended by itself");
    // It waits for what is typed next, if it came so far.
    chat.kill().expect("SIGKILL");
    chat.wait().expect("it is gone");
    told.extend(lines.map(|line| line.expect("text")));
    told
}

#[test]
fn branching_chat_keeps_what_it_told_of_when_it_is_killed() {
    let all = CHAT.iter().map(|(_, told)| told.len()).sum();
    for count in 1..=all {
        let folder = folder();
        let told = kill_chat_after(folder.path(), count);
        // It first answers a question that the kill left without an answer.
        let output = run(BRANCHING_CHAT, folder.path(), &[&CHAT_DB[..], &["tree"]].concat());
        for stored in told.iter().filter_map(|line| line.strip_prefix("stored ")) {
            assert_eq!(output.matches(stored).count(), 1, "{stored} in {output}");
        }
        let goes_on = output.lines().rfind(|line| line.starts_with('*')).expect("a conversation");
        assert!(goes_on.contains(" assistant: "), "{output}");
        if count == all {
            assert_eq!(output, TREE, "it goes on where it was");
        }
    }
}
