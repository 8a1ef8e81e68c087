//! What was written without the index is found after a reindex, and what was damaged is mended.

use chatkeep_domain::Migrations as _;
use chatkeep_domain::{
    MessageFilter, MetadataFilter, SearchQuery, StoreError, ThreadQuery, ThreadRepository, ThreadUpdate,
};
use chatkeep_postgres::PostgresRepository;
use serde_json::json;

use crate::common::{at, create_thread, message, new_thread, scope, thread_id, three_messages};
use crate::fixture::{Store, append, found, metadata, on_postgres, reindex};

on_postgres!(
    what_was_written_without_the_index_is_found_after_a_reindex,
    a_reindex_that_was_stopped_goes_on,
    a_batch_is_bounded_in_bytes,
    corrupt_rows_are_counted_and_left_out,
    everything_anew_mends_a_damaged_index,
    a_schema_that_is_not_migrated_is_refused,
);

/// 500 messages, every hundredth of which is rare; those of even positions have metadata.
async fn fill(repository: &PostgresRepository) {
    let messages = (1..=500).map(|number| {
        let word = if number % 100 == 0 { "rare" } else { "common" };
        let mut message = message(number, &format!("word{number} {word}"));
        if number % 2 == 0 {
            message.content = message.content.with_metadata(metadata(json!({"even": true})));
        }
        message
    });
    append(repository, messages).await;
}

async fn named(repository: &PostgresRepository, query: ThreadQuery) -> usize {
    repository.list_threads(&scope(), &query).await.unwrap().items.len()
}

fn even() -> MetadataFilter {
    MetadataFilter::new("/even", true).unwrap()
}

fn gold() -> MetadataFilter {
    MetadataFilter::new("/tier", "gold").unwrap()
}

/// As a chatkeep left them that knew no filters.
async fn forget_threads(store: &Store) {
    store.execute("UPDATE chat_thread SET folded_name = NULL, search_version = NULL").await;
    store.execute("DELETE FROM chat_thread_tag").await;
}

async fn what_was_written_without_the_index_is_found_after_a_reindex(store: Store) {
    let repository = store.open().await;
    let thread = new_thread().with_metadata(metadata(json!({"tier": "gold"})));
    repository.create_thread(&scope(), thread).await.unwrap();
    fill(&repository.clone().without_search()).await;
    forget_threads(&store).await;
    let rare = || SearchQuery::new("rare");
    assert_eq!(found(&repository, rare()).await, [0; 0]);
    assert_eq!(
        found(&repository, SearchQuery::default().filter(MessageFilter::new().metadata(even()))).await,
        [0; 0]
    );
    assert_eq!(named(&repository, ThreadQuery::first(10).name_contains("THREAD")).await, 0);
    assert_eq!(named(&repository, ThreadQuery::first(10).metadata(gold())).await, 0);
    let migrations = store.migrations().await;
    assert_eq!(migrations.count_unindexed().await.unwrap(), 501);
    assert_eq!(migrations.count_indexable().await.unwrap(), 501);

    assert_eq!(reindex(&store, false).await, (501, 0));
    assert_eq!(found(&repository, rare()).await, [100, 200, 300, 400, 500]);
    assert_eq!(found(&repository, SearchQuery::new("rare common")).await, [0; 0]);
    assert_eq!(
        found(&repository, SearchQuery::default().filter(MessageFilter::new().metadata(even()))).await.len(),
        250
    );
    assert_eq!(named(&repository, ThreadQuery::first(10).name_contains("THREAD")).await, 1);
    assert_eq!(named(&repository, ThreadQuery::first(10).metadata(gold())).await, 1);
    assert_eq!(migrations.count_unindexed().await.unwrap(), 0);

    assert_eq!(reindex(&store, false).await, (0, 0), "nothing is left to do");
}

async fn a_reindex_that_was_stopped_goes_on(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    fill(&repository.clone().without_search()).await;
    let migrations = store.migrations().await;
    let mut stopped = migrations.reindex(false);
    let done = stopped.next_batch().await.unwrap() + stopped.next_batch().await.unwrap();
    assert!((1..500).contains(&done), "{done} rows in two batches");
    // Dropped at its first wait: the batch did not happen.
    let dropped = tokio::time::timeout(std::time::Duration::ZERO, stopped.next_batch()).await;
    drop(dropped);

    let indexed = store.indexed().await;
    let left = migrations.count_unindexed().await.unwrap();
    assert_eq!(left, 500 - indexed.unsigned_abs());
    assert_eq!(reindex(&store, false).await, (left, 0));
    assert_eq!(found(&repository, SearchQuery::new("rare")).await, [100, 200, 300, 400, 500]);
}

/// Twelve messages of 1 MB are more than a batch takes.
async fn a_batch_is_bounded_in_bytes(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    let without = repository.clone().without_search();
    for number in 1..=12 {
        append(&without, [message(number, &format!("long {}", " ".repeat(1_000_000)))]).await;
    }
    let migrations = store.migrations().await;
    let mut batches = migrations.reindex(false);
    assert_eq!(batches.next_batch().await.unwrap(), 8);
    assert_eq!(batches.next_batch().await.unwrap(), 4);
    assert_eq!(batches.next_batch().await.unwrap(), 0);
    assert_eq!(found(&repository, SearchQuery::new("long")).await.len(), 12);
}

async fn corrupt_rows_are_counted_and_left_out(store: Store) {
    let repository = store.open().await;
    three_messages(&repository.clone().without_search()).await;
    store.execute("UPDATE chat_message SET content = '{\"secret' WHERE position = 2").await;
    let migrations = store.migrations().await;
    let mut batches = migrations.reindex(true);
    while batches.next_batch().await.unwrap() > 0 {}
    assert_eq!(batches.corrupt(), 1);
    let [error @ StoreError::CorruptRow { id, .. }] = batches.corrupt_rows() else {
        panic!("{:?}", batches.corrupt_rows())
    };
    assert_eq!(*id, crate::common::message_id(2).to_string());
    assert!(!crate::common::everything_shown(error).contains("secret"));
    assert_eq!(found(&repository, SearchQuery::new("one OR two OR three")).await, [1, 3]);
    assert_eq!(migrations.count_unindexed().await.unwrap(), 1);

    // Mended by hand, it is found.
    store
        .execute(
            "UPDATE chat_message SET content = '{\"type\":\"text\",\"text\":\"two\"}' WHERE position = 2",
        )
        .await;
    assert_eq!(reindex(&store, false).await, (1, 0));
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [2]);

    store.execute("UPDATE chat_thread SET metadata = '[\"secret\"]', search_version = NULL").await;
    assert_eq!(reindex(&store, false).await, (1, 1));
}

async fn everything_anew_mends_a_damaged_index(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    fill(&repository).await;
    let update = ThreadUpdate::new(at(1)).metadata(metadata(json!({"tier": "gold"})));
    repository.update_thread(&scope(), thread_id(), update).await.unwrap();
    // The rows say that they are indexed.
    store.execute("DELETE FROM chat_thread_tag").await;
    store.execute("UPDATE chat_thread SET folded_name = 'wrong'").await;
    store.execute("UPDATE chat_message SET search = NULL WHERE position % 2 = 0").await;
    store.execute("UPDATE chat_message SET search = 'wrong'::tsvector WHERE position % 3 = 0").await;
    assert_ne!(found(&repository, SearchQuery::new("rare")).await.len(), 5);
    assert_eq!(reindex(&store, false).await, (0, 0), "nothing shows");

    assert_eq!(reindex(&store, true).await, (501, 0));
    assert_eq!(found(&repository, SearchQuery::new("rare")).await, [100, 200, 300, 400, 500]);
    assert_eq!(
        found(&repository, SearchQuery::default().filter(MessageFilter::new().metadata(even()))).await.len(),
        250
    );
    assert_eq!(named(&repository, ThreadQuery::first(10).name_contains("thread")).await, 1);
    assert_eq!(named(&repository, ThreadQuery::first(10).metadata(gold())).await, 1);
    assert_eq!(store.indexed().await, 500);
}

async fn a_schema_that_is_not_migrated_is_refused(store: Store) {
    let migrations = store.migrations().await;
    for error in [
        migrations.reindex(false).next_batch().await.unwrap_err(),
        migrations.count_unindexed().await.unwrap_err(),
        migrations.count_indexable().await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::NotMigrated { .. }), "{error:?}");
    }
    migrations.up(None).await.unwrap();
    assert_eq!(reindex(&store, true).await, (0, 0), "an empty database");
}
