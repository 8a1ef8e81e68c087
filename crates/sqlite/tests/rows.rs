//! Rows that somebody else wrote: not the content, which the contract damages, but the columns beside it.

mod common;

use chatkeep_domain::{
    Entity, MessageQuery, MessageRepository as _, StoreError, ThreadQuery, ThreadRepository as _,
    ThreadUpdate,
};
use rusqlite::Connection;

use crate::common::{MAIN, at, branch, message, open, say, scope, thread_of};

#[tokio::test]
async fn a_corrupt_column_is_named_by_its_row_and_its_neighbours_can_be_read() {
    for (column, value) in [
        ("content", "CAST(x'ff00' AS TEXT)"),
        ("sender_role", "'robot'"),
        ("sender_id", "''"),
        ("created_at", "9223372036854775807"),
        ("updated_at", "9223372036854775807"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        let store = open(&path).await;
        let thread = thread_of(&store, "ada").await;
        let said = say(&store, thread, ["one", "two", "three"].map(|text| message(text, 1))).await;
        let raw = Connection::open(&path).expect("the file");
        raw.execute_batch(&format!("UPDATE chat_message SET {column} = {value} WHERE position = 2"))
            .unwrap_or_else(|error| panic!("{column}: {error}"));

        let query = MessageQuery::first(10);
        let ahead = store.list_messages(&scope(), thread, &query).await.expect("the page ends ahead of it");
        assert_eq!(ahead.items, said[..1], "{column}");
        let further = query.behind(ahead.next.expect("there is more"));
        let listed = store.list_messages(&scope(), thread, &further).await.expect_err("it is corrupt");
        let read = store.get_message(&scope(), thread, said[1].id).await.expect_err("it is corrupt");
        for error in [&listed, &read] {
            assert!(
                matches!(error, StoreError::CorruptRow { entity: Entity::Message, id, .. } if *id == said[1].id.to_string()),
                "{column}: {error:?}"
            );
        }
        let StoreError::CorruptRow { behind: Some(behind), .. } = listed else {
            panic!("{column}: {listed:?}")
        };
        let rest = store.list_messages(&scope(), thread, &further.behind(behind)).await.expect("a page");
        assert_eq!(rest.items, said[2..], "{column}");
    }
}

#[tokio::test]
async fn a_corrupt_path_of_a_branch_keeps_no_thread_from_a_list_with_previews() {
    for value in ["'no JSON'", "'[\"text\"]'", "'{\"branch\": \"text\"}'", "'[{}]'", "'[]'"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        let store = open(&path).await;
        let thread = thread_of(&store, "ada").await;
        let other = thread_of(&store, "ada").await;
        say(&store, thread, [message("one", 1)]).await;
        let said = say(&store, other, [message("two", 1)]).await;
        let branch = branch(&store, thread, MAIN, 1).await;
        let update = ThreadUpdate::new(at(3)).active_branch(branch);
        store.update_thread(&scope(), thread, update).await.expect("it is switched to");
        let raw = Connection::open(&path).expect("the file");
        let damage = format!("UPDATE chat_branch SET path = {value} WHERE branch = {branch}");
        assert_eq!(raw.execute(&damage, ()).expect("SQL"), 1, "{value}");

        let query = ThreadQuery::first(10).with_preview();
        let page = store.list_threads(&scope(), &query).await;
        let page = page.unwrap_or_else(|error| panic!("{value}: {error:?}"));
        let mut listed: Vec<_> = page.items.into_iter().map(|thread| (thread.id, thread.preview)).collect();
        listed.sort_by_key(|(id, _)| *id != thread);
        let [(first, damaged), (second, whole)] = &listed[..] else { panic!("{value}: {listed:?}") };
        assert_eq!((*first, *second), (thread, other), "{value}");
        let damaged = damaged.as_ref().expect("a preview");
        assert_eq!((&damaged.last_message, damaged.message_count), (&None, 1), "{value}");
        assert_eq!(whole.as_ref().expect("a preview").last_message.as_ref(), said.last(), "{value}");
    }
}
