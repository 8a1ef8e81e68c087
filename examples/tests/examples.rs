//! The examples, run as a reader runs them.

mod common;

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Instant;

use chatkeep::{DatabaseConfig, Scope, StateManager};
use common::{command, folder, printed, run};
use sea_orm::ConnectionTrait as _;

const QUICKSTART: &str = "quickstart";
const PERSISTENT_CONVERSATION: &str = "persistent_conversation";
const WORKFLOW: &str = "workflow_with_persistence";
const MULTI_TENANT: &str = "multi_tenant";
const SEARCH: &str = "search";
const OWN_TABLES: &str = "own_tables";

/// The id in the line "`before`id`after`" of the output.
fn thread_in<'a>(output: &'a str, before: &str, after: &str) -> &'a str {
    let mut lines = output.lines().filter_map(|line| line.strip_prefix(before)?.strip_suffix(after));
    lines.next().unwrap_or_else(|| panic!("no line {before}…{after} in {output}"))
}

fn created(output: &str) -> &str {
    thread_in(output, "Created thread ", ".")
}

fn resumed(output: &str) -> &str {
    thread_in(output, "Resumed thread ", ". So far:")
}

/// The numbered lines of the output.
fn conversation(output: &str) -> Vec<&str> {
    output.lines().filter(|line| line.starts_with(' ')).collect()
}

#[test]
fn quickstart_goes_on_where_it_stopped() {
    let folder = folder();
    let args = ["--db", "chat.db"];
    let first = run(QUICKSTART, folder.path(), &args);
    assert!(first.starts_with("Conversations are kept in chat.db\n"), "{first}");
    let said = [
        "   1  system     Answer in one sentence.",
        "   2  user       I like trains.",
        "   3  assistant  I will remember: \"I like trains.\"",
    ];
    assert_eq!(conversation(&first), said);

    let second = run(QUICKSTART, folder.path(), &args);
    assert_eq!(resumed(&second), created(&first));
    let (before, now) = second.split_once("Now:\n").expect("both parts");
    assert_eq!(conversation(before), said);
    let answer = "   5  assistant  You have spoken 2 times. First you said: \"I like trains.\"";
    assert_eq!(conversation(now), ["   4  user       What did I say first?", answer]);

    let third = run(QUICKSTART, folder.path(), &["--db", "chat.db", "--say", "Good night."]);
    assert_eq!(resumed(&third), created(&first));
    let (before, now) = third.split_once("Now:\n").expect("both parts");
    assert_eq!(conversation(before), conversation(&second));
    assert_eq!(conversation(now)[0], "   6  user       Good night.");
}

#[test]
fn quickstart_begins_another_conversation_and_goes_on_with_that() {
    let folder = folder();
    let first = run(QUICKSTART, folder.path(), &["--db", "chat.db"]);
    let other = run(QUICKSTART, folder.path(), &["--db", "chat.db", "--new", "--say", "Hello."]);
    assert_ne!(created(&other), created(&first));
    assert_eq!(conversation(&other)[1], "   2  user       Hello.");
    let next = run(QUICKSTART, folder.path(), &["--db", "chat.db"]);
    assert_eq!(resumed(&next), created(&other));
}

#[test]
fn quickstart_keeps_its_file_in_the_platforms_data_directory() {
    let folder = folder();
    let data = folder.path().join("data");
    let home = || {
        let mut command = command(QUICKSTART, folder.path(), &[]);
        command.env("XDG_DATA_HOME", &data);
        command
    };
    let first = printed(&mut home());
    let file = first.lines().next().and_then(|line| line.strip_prefix("Conversations are kept in "));
    let file = Path::new(file.expect("a file"));
    assert!(file.starts_with(folder.path()) && file.ends_with("chatkeep/chatkeep.db"), "{file:?}");
    assert!(file.is_file(), "{file:?}");
    assert_eq!(resumed(&printed(&mut home())), created(&first));
}

#[test]
fn quickstart_says_which_file_it_cannot_open() {
    let folder = folder();
    fs::write(folder.path().join("letter.txt"), "Dear Ada, ".repeat(1_000)).expect("a file");
    let output = command(QUICKSTART, folder.path(), &["--db", "letter.txt"]).output().expect("it runs");
    let complaint = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.starts_with("Error: cannot open letter.txt"), "{complaint}");
}

const TOUR: &str = "\
# Several threads, and a handle on each
Recipe: How do I bake bread?
Trip: Where shall I go?

# Several messages at once: all of them are stored or none
1 user: Where shall I go?
2 assistant: To Oslo.
3 user: Why?
4 assistant: It has fjords, forrests and a good opera.

# A part of them
4 assistant: It has fjords, forrests and a good opera.

# The list: the thread that was written to last comes first
Trip (messages: 4)
Recipe (messages: 1)

# A new name and new metadata
Trip to Oslo: {\"topic\":\"travel\",\"year\":2030}

# A correction in place: what was said before is kept
now:    It has fjords, forests and a good opera.
before: It has fjords, forrests and a good opera.

# One message less: the others keep their numbers, and its own is not given again
1 user: Where shall I go?
2 assistant: To Oslo.
4 assistant: It has fjords, forests and a good opera.
5 user: Then Oslo it is.

# As a model sees it
user: Where shall I go?
assistant: To Oslo.
assistant: It has fjords, forests and a good opera.
user: Then Oslo it is.

# Cleared: the thread stays
messages deleted: 4
Trip to Oslo (messages: 0)
Recipe (messages: 1)

# Deleted: nothing stays
read again: None
";

#[test]
fn persistent_conversation_tours_every_store_alike() {
    let folder = folder();
    assert_eq!(run(PERSISTENT_CONVERSATION, folder.path(), &[]), TOUR);
    for _ in 0..2 {
        assert_eq!(run(PERSISTENT_CONVERSATION, folder.path(), &["--db", "tour.db"]), TOUR);
    }
    let mut configured = command(PERSISTENT_CONVERSATION, folder.path(), &["--configured"]);
    assert_eq!(printed(configured.env("DATABASE_URL", "sqlite://configured.db")), TOUR);
    assert!(folder.path().join("tour.db").is_file() && folder.path().join("configured.db").is_file());
}

const TRANSCRIPT: &str = r#" 1 system     You plan trips, and use tools.
 2 user       Where is it warmer tomorrow, in Oslo or in Bergen?
 3 assistant  forecast({"city":"Oslo"})
              forecast({"city":"Bergen"})
 4 tool       {"degrees":21}
 5 tool       {"degrees":14}
 6 assistant  In Oslo.
 7 user       Book a train there for me.
 8 assistant  book_train({"to":"Oslo"})
 9 tool       {"booking":"call_3","seat":42}
10 assistant  Done: your seat is 42.
11 user       Thank you!
12 assistant  You are welcome.
"#;
const MESSAGES: usize = 12;
const DB: [&str; 2] = ["--db", "trip.db"];

/// A second process goes on to the end. Gives how many messages it found.
async fn resume(folder: &Path) -> usize {
    let output = command(WORKFLOW, folder, &DB).output().expect("the example runs");
    let progress = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{}: {progress}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), TRANSCRIPT);
    assert_stored_once(&folder.join("trip.db")).await;
    let found = progress.strip_prefix("trip.db: ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    found.unwrap_or_else(|| panic!("no number in {progress}"))
}

/// Every message, call and result is in the file, and none of them twice.
async fn assert_stored_once(file: &Path) {
    let repository = chatkeep::create_repository(&DatabaseConfig::sqlite(file)).await.expect("it opens");
    let state = StateManager::new(repository, Scope::operator());
    let threads = state.list_threads(&chatkeep::ThreadQuery::default()).await.expect("the threads").items;
    assert_eq!(threads.len(), 1);
    let messages = state.conversation(threads[0].id).get_messages().await.expect("the messages");
    let positions: Vec<_> = messages.iter().map(|message| message.position.get()).collect();
    assert_eq!(positions, (1..=12).collect::<Vec<_>>());
    let ids: HashSet<_> = messages.iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), MESSAGES);
    let calls = messages.iter().flat_map(|message| message.content.tool_calls());
    let calls: Vec<_> = calls.map(|call| call.id).collect();
    assert_eq!(calls, ["call_1", "call_2", "call_3"]);
    let results = messages.iter().flat_map(|message| message.content.tool_results());
    let answered: Vec<_> = results.map(|result| result.tool_call_id).collect();
    assert_eq!(answered, calls);
}

fn start_workflow(folder: &Path) -> Child {
    let mut command = command(WORKFLOW, folder, &DB);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the example starts")
}

/// Starts the workflow, and kills it as soon as it tells of `count` more stored messages. False when it ended before.
fn kill_after(folder: &Path, count: usize) -> bool {
    let mut workflow = start_workflow(folder);
    let lines = BufReader::new(workflow.stderr.take().expect("its progress")).lines();
    let mut stored = lines.map(|line| line.expect("text")).filter(|line| line.starts_with("stored message "));
    // Its end of the pipe stays open until it is gone: a kill it shall be, and not a write that fails.
    let seen = stored.by_ref().take(count).count();
    workflow.kill().expect("SIGKILL");
    workflow.wait().expect("it is gone");
    seen == count
}

#[tokio::test]
async fn workflow_tells_what_happened_also_when_it_is_run_again() {
    let folder = folder();
    assert_eq!(resume(folder.path()).await, 0);
    assert_eq!(resume(folder.path()).await, MESSAGES, "nothing is left to do");
}

#[tokio::test]
async fn workflow_goes_on_wherever_it_aborted() {
    for count in 0..=MESSAGES {
        let folder = folder();
        let args = ["--db", "trip.db", "--stop-after", &count.to_string()];
        let output = command(WORKFLOW, folder.path(), &args).output().expect("the example runs");
        assert!(!output.status.success() && output.stdout.is_empty(), "it aborts after {count}");
        assert_eq!(resume(folder.path()).await, count);
    }
}

#[tokio::test]
async fn workflow_goes_on_after_a_kill_halfway() {
    let mut halfway = 0;
    for count in 1..MESSAGES {
        let folder = folder();
        assert!(kill_after(folder.path(), count), "it tells of {count} messages");
        let found = resume(folder.path()).await;
        assert!(found >= count, "told of {count} stored messages, found {found}");
        halfway += usize::from(found < MESSAGES);
    }
    assert!(halfway > 0, "every kill came too late");
}

#[tokio::test]
async fn workflow_ends_though_every_process_is_killed_after_a_message() {
    let folder = folder();
    let mut kills = 0;
    while kill_after(folder.path(), 1) {
        kills += 1;
        assert!(kills <= MESSAGES, "each process stores at least one message");
    }
    assert!(kills > 1, "the first kill came too late");
    assert_eq!(resume(folder.path()).await, MESSAGES);
}

/// Also while the file is made and migrated, where the workflow tells nothing.
#[tokio::test]
async fn workflow_goes_on_after_a_kill_at_any_moment() {
    const MOMENTS: u32 = 24;
    let start = Instant::now();
    assert_eq!(resume(folder().path()).await, 0);
    let whole = start.elapsed();
    for moment in 0..MOMENTS {
        let folder = folder();
        let mut workflow = start_workflow(folder.path());
        // Waits for nothing: any moment will do.
        sleep(whole * moment / MOMENTS);
        workflow.kill().expect("SIGKILL");
        workflow.wait().expect("it is gone");
        resume(folder.path()).await;
    }
}

#[test]
fn multi_tenant_shows_nobody_what_is_anothers() {
    let folder = folder();
    let expected = "\
# What each sees
ada of acme    Ada's plan
bob of acme    Bob's draft
ada of globex  The other Ada's notes
all of acme    Bob's draft, Ada's plan
operator       The other Ada's notes, Bob's draft, Ada's plan
bob's of acme  Bob's draft

# What others get for ada's thread, and ada for one that never was
               get_thread  get_messages  add_message  rename     clear      delete
bob of acme    not found   not found     not found    not found  not found  not found
ada of globex  not found   not found     not found    not found  not found  not found
ada of acme    not found   not found     not found    not found  not found  not found

It still says: Nobody else may read this.

# Who owns what an administrator makes
refused: the thread has no user: the scope does not name one, so name it in create_thread
bob of acme    Welcome, Bob's draft
";
    assert_eq!(run(MULTI_TENANT, folder.path(), &[]), expected);
}

const FOUND: &str = "\
# All the words, wherever they are; case and accents do not count. The newest first
Trip to Oslo 3  user       And a [café] near the opera in [Oslo]?

# A phrase or the beginning of a word, and without another word
Baking 2        assistant  [Almonds], sugar and eggs; forty minutes in the oven.
Trip to Oslo 2  assistant  Yes, the [night train] leaves at 22:59.

# By what the filters say, with words or without
Trip to Oslo 4  assistant  The café in the [opera] opens at eight.
Baking 2        assistant  Almonds, sugar and eggs; forty minutes in the oven.

# The best first, page by page
Trip to Oslo 4  assistant  The [café] in the opera opens at eight.
Trip to Oslo 3  user       And a [café] near the opera in Oslo?
and more:
Baking 1        user       What is the cake that every [café] in Spain has?

# Threads by name
Trip to Oslo

# A long thread: read ahead, with no more than a page or two in memory
5000 messages; the numbers in them make 12502500
";

#[test]
fn search_finds_the_same_in_every_store() {
    let folder = folder();
    assert_eq!(run(SEARCH, folder.path(), &[]), FOUND);
    assert_eq!(run(SEARCH, folder.path(), &["--db", "search.db"]), FOUND);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn own_tables_are_joined_with_those_of_chatkeep() {
    let server = chatkeep_testkit::shared_postgres().expect("a server");
    let name = format!("own_tables_{}", std::process::id());
    let connection = sea_orm::Database::connect(&server).await.expect("a connection");
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let (host, _) = server.rsplit_once('/').expect("a URL with a database");
    let url = format!("{host}/{name}");
    let expected = "\
# The open tickets, and their threads
1 The printer is on fire: 3 messages
3 The screen is dark: 2 messages

# How many messages of users each open ticket has
1: 2
3: 1
";
    let folder = folder();
    assert_eq!(run(OWN_TABLES, folder.path(), &["--db", &url]), expected);
    // Its tables are there now, and three more tickets come.
    assert_eq!(run(OWN_TABLES, folder.path(), &["--db", &url]).lines().count(), 11);
}
