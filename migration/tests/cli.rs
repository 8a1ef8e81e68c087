//! The CLI as a process, against real databases.

use std::env;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use chatkeep_testkit::{PgOptions, PgServer};

/// The CLI, to be run in a folder. It knows nothing of the developer's own configuration.
fn command(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatkeep-migration"));
    command.current_dir(folder).env_clear().envs(env::var_os("TZ").map(|zone| ("TZ", zone)));
    // A server that refuses connections is waited for.
    command.args(arguments).env("DATABASE_URL", url).env("DB_ACQUIRE_TIMEOUT", "1");
    command
}

fn run(url: &str, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = command(folder.path(), url, arguments).output().expect("the CLI runs");
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// `status` before and after `up`, twice; `down`; `fresh`; and `up` by two processes at once.
fn the_whole_life(url: &str) {
    let (code, out, _) = run(url, &["status"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.starts_with("pending m2"), "{out}");

    let (code, out, error) = run(url, &["up"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("applied: m2"), "{out}");
    assert_eq!(run(url, &["up"]), (0, "nothing to do\n".to_owned(), String::new()));

    let (code, out, _) = run(url, &["status"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.lines().all(|line| line.starts_with("applied ")), "{out}");

    let (code, out, _) = run(url, &["down", "-n", "1000"]);
    assert!(code == 0 && out.starts_with("taken back: m2"), "{code} {out}");
    assert_eq!(run(url, &["status"]).0, 1);

    let folder = tempfile::tempdir().expect("a folder");
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let mut up = command(folder.path(), url, &["up"]);
            thread::spawn(move || up.output().expect("the CLI runs"))
        })
        .collect();
    let runs: Vec<Output> = runs.into_iter().map(|run| run.join().expect("a thread")).collect();
    for run in &runs {
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let applied = runs.iter().filter(|run| run.stdout.starts_with(b"applied: ")).count();
    assert_eq!(applied, 1, "one applies, the others find nothing to do");

    let (code, out, _) = run(url, &["fresh"]);
    assert_eq!((code, out.as_str()), (0, "the database is empty and up to date\n"));
    assert_eq!(run(url, &["status"]).0, 0);
}

#[test]
fn it_migrates_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    the_whole_life(&format!("sqlite://{}", folder.path().join("chat.db").display()));
}

/// The first moments of a file are where SQLite does not wait for locks by itself.
#[test]
fn processes_that_make_a_sqlite_file_together_all_succeed() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..25 {
        let url = format!("sqlite://{}", folder.path().join(format!("chat{round}.db")).display());
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let mut up = command(folder.path(), &url, &["up"]);
                thread::spawn(move || up.output().expect("the CLI runs"))
            })
            .collect();
        for run in runs {
            let run = run.join().expect("a thread");
            assert!(run.status.success(), "round {round}: {}", String::from_utf8_lossy(&run.stderr));
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn it_migrates_postgres_and_keeps_messages_until_told_otherwise() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    let url = server.url();
    the_whole_life(&url);

    server
        .psql(
            "INSERT INTO chat_thread VALUES ('acme', gen_random_uuid(), 'ada', '', '{}', 2, now(), now());
             INSERT INTO chat_message SELECT 'acme', id, 1, gen_random_uuid(), NULL, 'user', '{}', now(), now()
             FROM chat_thread",
        )
        .expect("a message");
    for command in ["fresh", "down"] {
        let (code, _, error) = run(&url, &[command]);
        assert_eq!(code, 2);
        assert!(error.contains("1 message(s)") && error.contains("--yes"), "{error}");
    }
    assert_eq!(server.psql("SELECT count(*) FROM chat_message").expect("a count").trim(), "1");
    assert_eq!(run(&url, &["fresh", "--yes"]).0, 0);
    assert_eq!(server.psql("SELECT count(*) FROM chat_message").expect("a count").trim(), "0");
}

#[test]
fn an_unusable_configuration_is_explained_and_shows_no_password() {
    let (code, _, error) = run("mysql://root:hunter2@localhost/chat", &["status"]);
    assert_eq!(code, 2);
    assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");

    let (code, _, error) = run("postgres://ada:hunter2@127.0.0.1:1/chat", &["status"]);
    assert_eq!(code, 2);
    assert!(error.contains("PostgreSQL") && !error.contains("hunter2"), "{error}");

    let (code, _, error) = run("memory:", &["up"]);
    assert_eq!(code, 2);
    assert!(error.contains("memory"), "{error}");
}
