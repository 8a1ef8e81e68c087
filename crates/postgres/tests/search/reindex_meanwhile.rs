//! A reindex while the store is used loses nothing, and leaves the index right.

use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, Cursor, MessageEdit, MessageQuery, MessageRepository,
    SearchQuery, StoreError,
};
use chatkeep_postgres::PostgresRepository;

use crate::common::{at, create_thread, message, message_id, scope, thread_id};
use crate::fixture::{Store, append, found, on_postgres, reindex};

on_postgres!(appends_edits_and_deletes_meanwhile_lose_nothing, two_at_once_do_no_harm);

const BEFORE: u128 = 1_500;

/// Every word that the test writes.
const WORDS: [&str; 5] = ["old", "edited", "new", "again", "unindexed"];

async fn all(repository: &PostgresRepository) -> Vec<ChatMessage> {
    let mut messages = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let mut query = MessageQuery::first(1_000);
        query.cursor = cursor;
        let page = repository.list_messages(&scope(), thread_id(), &query).await.unwrap();
        messages.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return messages,
        }
    }
}

/// The index gives for every word what a look at every message gives.
async fn assert_index_is_right(store: &Store, repository: &PostgresRepository) {
    let messages = all(repository).await;
    for word in WORDS {
        let has_word =
            |message: &&ChatMessage| message.content.to_plain_text().split(' ').any(|found| found == word);
        let expected: Vec<_> =
            messages.iter().filter(has_word).map(|message| message.position.get()).collect();
        let mut indexed = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let mut query = SearchQuery::new(word).limit(1_000);
            query.cursor = cursor;
            let page =
                chatkeep_domain::MessageSearch::search_messages(repository, &scope(), &query).await.unwrap();
            indexed.extend(page.items.iter().map(|hit| hit.message.position.get()));
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        indexed.sort_unstable();
        assert_eq!(indexed, expected, "{word}");
    }
    assert_eq!(store.indexed().await, i64::try_from(messages.len()).unwrap());
}

async fn write(repository: PostgresRepository, writer: u128) -> Result<(), StoreError> {
    for round in 0..40 {
        let number = 10_000 * (writer + 1) + round;
        append(&repository, [message(number, "new")]).await;
        let edited = 1 + (writer * 367 + round * 31) % BEFORE;
        let edit = MessageEdit::new(format!("edited {writer} {round}"), at(1));
        match repository.edit_message(&scope(), thread_id(), message_id(edited), edit).await {
            Err(error) if error.is_not_found() => {}
            other => drop(other?),
        }
        let edit = MessageEdit::new("again", at(2));
        repository.edit_message(&scope(), thread_id(), message_id(number), edit).await?;
        let deleted = 1 + (writer * 211 + round * 37) % BEFORE;
        match repository.delete_message(&scope(), thread_id(), message_id(deleted), at(3).into()).await {
            Err(error) if error.is_not_found() => {}
            other => other?,
        }
    }
    Ok(())
}

async fn appends_edits_and_deletes_meanwhile_lose_nothing(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    let without = repository.clone().without_search();
    append(&without, (1..=BEFORE).map(|number| message(number, &format!("old {number}")))).await;

    let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(repository.clone(), writer))).collect();
    // Again and again as long as anybody writes: the last ones meet as many writes as the first.
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_eq!(reindex(&store, true).await.1, 0);
    }
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    // Whoever writes without the index leaves it to the next reindex, edits of what was indexed included.
    append(&without, [message(9_000, "unindexed")]).await;
    let last = repository.last_messages(&scope(), thread_id(), 1).await.unwrap();
    assert_eq!(found(&repository, SearchQuery::new("unindexed")).await, [0; 0]);
    assert_eq!(reindex(&store, false).await, (1, 0));
    assert_eq!(found(&repository, SearchQuery::new("unindexed")).await, [last[0].position.get()]);
    assert_index_is_right(&store, &repository).await;
}

async fn two_at_once_do_no_harm(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    let without = repository.clone().without_search();
    append(&without, (1..=BEFORE).map(|number| message(number, &format!("old {number}")))).await;
    let (first, second) = tokio::join!(reindex(&store, false), reindex(&store, false));
    assert_eq!(first.0 + second.0, 1_500, "what one has done, the other leaves");
    let (first, second) = tokio::join!(reindex(&store, true), reindex(&store, true));
    assert_eq!((first, second), ((1_501, 0), (1_501, 0)));
    assert_index_is_right(&store, &repository).await;
}
