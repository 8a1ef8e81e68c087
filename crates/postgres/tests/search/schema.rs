//! The migration of the index, and what else happens to its tables.

use chatkeep_domain::{
    ConversationRepository, MessageEdit, MessageRepository, SearchQuery, ThreadRepository,
};
use chatkeep_postgres::PostgresRepository;

use crate::common::{at, message, message_id, scope, thread_id, three_messages};
use crate::fixture::{Store, append, found, on_postgres, postgres_config, reindex};

on_postgres!(what_is_deleted_leaves_the_index, an_edit_without_the_index_is_found_after_a_reindex,);

async fn what_is_deleted_leaves_the_index(store: Store) {
    let repository = store.open().await;
    three_messages(&repository).await;
    append(&repository, (4..10).map(|number| message(number, "more"))).await;
    repository
        .edit_message(&scope(), thread_id(), message_id(3), MessageEdit::new("x", at(1)))
        .await
        .unwrap();
    assert_eq!(store.indexed().await, 9);
    repository.delete_message(&scope(), thread_id(), message_id(2), at(2).into()).await.unwrap();
    assert_eq!(store.indexed().await, 8);
    repository.clear_messages(&scope(), thread_id(), at(3).into()).await.unwrap();
    assert_eq!(store.indexed().await, 0);
    append(&repository, [message(20, "again"), message(21, "and again")]).await;
    assert_eq!(store.indexed().await, 2);
    repository.delete_thread(&scope(), thread_id(), None).await.unwrap();
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

/// The one role of an application, which owns nothing but what it makes.
#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_role_that_may_create_in_the_schema_needs_no_superuser_and_no_extension() {
    let store = Store::new().await;
    let (host, name) = store.url.rsplit_once('/').expect("a URL with a database");
    let role = format!("plain_{name}");
    store.execute(&format!("CREATE ROLE {role} LOGIN; GRANT CREATE ON SCHEMA public TO {role}")).await;
    let (_, address) = host.rsplit_once('@').expect("a URL with a user");
    let url = format!("postgres://{role}@{address}/{name}");
    let repository = PostgresRepository::open(postgres_config(&url)).await.expect("it migrates");
    three_messages(&repository).await;
    assert_eq!(found(&repository, SearchQuery::new("two")).await, [2]);
    repository.close().await.expect("it closes");
    store.remove().await;
}

/// Who may read and write the tables, but does not own them, can still have the index cleaned.
#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_role_that_owns_no_table_has_the_index_cleaned() {
    let store = Store::new().await;
    let (host, name) = store.url.rsplit_once('/').expect("a URL with a database");
    let owner = store.open().await;
    let role = format!("guest_{name}");
    let rights = format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    );
    store.execute(&rights).await;
    let (_, address) = host.rsplit_once('@').expect("a URL with a user");
    let config = postgres_config(&format!("postgres://{role}@{address}/{name}")).auto_migrate(false);
    let guest = PostgresRepository::open(config).await.expect("the tables are there");
    three_messages(&guest).await;
    store.execute("CREATE EXTENSION pgstattuple").await;
    let waiting = "SELECT pending_tuples FROM pgstatginindex('chat_message_search')";
    while store.number(waiting).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(found(&guest, SearchQuery::new("two")).await, [2]);
    guest.close().await.expect("it closes");
    owner.close().await.expect("it closes");
    store.remove().await;
}
