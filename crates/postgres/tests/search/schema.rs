//! The migration of the index, and what else happens to its tables.

use chatkeep_domain::Migrations as _;
use chatkeep_domain::{
    ConversationRepositoryExt, MessageEdit, MessageRepository, SearchQuery, StoreError, ThreadRepository,
};
use chatkeep_postgres::{PostgresMigrations, PostgresRepository};

use crate::common::{at, everything_shown, message, message_id, scope, thread_id, three_messages};
use crate::fixture::{Store, append, found, on_postgres, postgres_config, reindex};

on_postgres!(
    the_index_goes_and_comes_back_and_the_messages_stay,
    what_is_deleted_leaves_the_index,
    an_edit_without_the_index_is_found_after_a_reindex,
);

async fn the_index_goes_and_comes_back_and_the_messages_stay(store: Store) {
    let repository = store.open().await;
    three_messages(&repository).await;
    let before = repository.last_messages(&scope(), thread_id(), 10).await.unwrap();
    let migrations = store.migrations().await;
    assert_eq!(migrations.down(1).await.unwrap(), ["m20261122_000002_create_search"]);
    migrations.up(None).await.unwrap();

    let repository = store.open().await;
    assert_eq!(repository.last_messages(&scope(), thread_id(), 10).await.unwrap(), before);
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [0; 0]);
    append(&repository, [message(4, "two and two")]).await;
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [4]);
    assert_eq!(reindex(&store, false).await, (4, 0), "three messages and the thread");
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [2, 4]);
}

async fn what_is_deleted_leaves_the_index(store: Store) {
    let repository = store.open().await;
    three_messages(&repository).await;
    append(&repository, (4..10).map(|number| message(number, "more"))).await;
    repository
        .edit_message(&scope(), thread_id(), message_id(3), MessageEdit::new("x", at(1)))
        .await
        .unwrap();
    assert_eq!(store.indexed().await, 9);
    repository.delete_message(&scope(), thread_id(), message_id(2), at(2)).await.unwrap();
    assert_eq!(store.indexed().await, 8);
    repository.clear_messages(&scope(), thread_id(), at(3)).await.unwrap();
    assert_eq!(store.indexed().await, 0);
    append(&repository, [message(20, "again"), message(21, "and again")]).await;
    assert_eq!(store.indexed().await, 2);
    repository.delete_thread(&scope(), thread_id()).await.unwrap();
    assert_eq!(store.indexed().await, 0);
    three_messages(&repository).await;
    assert_eq!(found(&repository, SearchQuery::new("again OR two")).await, [2]);
}

/// The row's mark of its version must not say that the index knows what it does not.
async fn an_edit_without_the_index_is_found_after_a_reindex(store: Store) {
    let repository = store.open().await;
    three_messages(&repository).await;
    let edit = MessageEdit::new("different", at(1));
    let without = repository.clone().without_search();
    without.edit_message(&scope(), thread_id(), message_id(2), edit).await.unwrap();
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [0; 0], "what it no longer says");
    assert_eq!(reindex(&store, false).await, (1, 0));
    assert_eq!(found(&repository, SearchQuery::new("different")).await, [2]);
    assert_eq!(found(&repository, SearchQuery::new("one OR two OR three")).await, [1, 3]);
}

/// Migrates as a role that is no superuser, in an empty database on which it has these rights.
async fn migrate_as_plain_role(rights: &str) -> (Store, Result<PostgresRepository, StoreError>) {
    let store = Store::new().await;
    let (host, name) = store.url.rsplit_once('/').expect("a URL with a database");
    let role = format!("plain_{name}");
    store.execute(&format!("CREATE ROLE {role} LOGIN; GRANT {rights} ON DATABASE {name} TO {role}")).await;
    store.execute(&format!("GRANT ALL ON SCHEMA public TO {role}")).await;
    // In a server of the tests' own, `template1` may have it.
    store.execute("DROP EXTENSION IF EXISTS btree_gin").await;
    let (_, address) = host.rsplit_once('@').expect("a URL with a user");
    let url = format!("postgres://{role}@{address}/{name}");
    let opened = PostgresRepository::open(postgres_config(&url)).await;
    (store, opened)
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_role_that_may_create_in_the_database_needs_no_superuser() {
    let (_store, opened) = migrate_as_plain_role("CREATE").await;
    let repository = opened.unwrap();
    three_messages(&repository).await;
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [2]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_role_that_may_not_make_the_extension_hears_its_name() {
    let (store, opened) = migrate_as_plain_role("CONNECT").await;
    let error = opened.unwrap_err();
    let shown = everything_shown(&error);
    assert!(matches!(error, StoreError::Backend { .. }), "{shown}");
    assert!(shown.contains("btree_gin"), "{shown}");
    assert!(shown.contains("CREATE EXTENSION btree_gin") && shown.contains("postgresql-contrib"), "{shown}");
    // Nothing of it was done, and with the extension made by another, it is.
    assert_eq!(store.number("SELECT COUNT(*) FROM pg_tables WHERE tablename LIKE 'chat%'").await, 0);
    store.execute("CREATE EXTENSION btree_gin").await;
    let (host, name) = store.url.rsplit_once('/').expect("a URL with a database");
    let (_, address) = host.rsplit_once('@').expect("a URL with a user");
    let migrations =
        PostgresMigrations::open(postgres_config(&format!("postgres://plain_{name}@{address}/{name}"))).await;
    assert_eq!(migrations.unwrap().up(None).await.unwrap().len(), 2);
}
