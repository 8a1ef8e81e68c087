//! The schema: its versions, and its indexes.

use chatkeep_domain::{
    ConversationRepository as _, ConversationRepositoryExt as _, MessageFilter, MessageQuery,
    MessageRepository as _, Migrations as _, Position, Role, StoreError,
};
use chatkeep_postgres::{PostgresMigrations, PostgresRepository};

use crate::common::{scope, thread_id, three_messages};
use crate::postgres::database::TestDatabase;

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn the_schema_goes_up_and_down_and_an_old_one_is_not_used() {
    let database = TestDatabase::new().await;
    let error = PostgresRepository::open(database.config().auto_migrate(false)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { store: "PostgreSQL", .. }), "{error:?}");
    let migrations = PostgresMigrations::open(database.config()).await.unwrap();
    let all: Vec<_> =
        migrations.status().await.unwrap().into_iter().map(|migration| migration.name).collect();
    assert_eq!(migrations.up(None).await.unwrap(), all);
    three_messages(&database.open().await).await;
    assert_eq!(migrations.count_messages().await.unwrap(), 3);
    database.execute("CREATE TABLE not_ours (id int)").await;
    migrations.fresh().await.unwrap();
    assert_eq!(migrations.count_messages().await.unwrap(), 0);
    assert_eq!(migrations.down(u32::try_from(all.len()).unwrap()).await.unwrap(), all);
    let ours = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'chat\\_%'";
    assert_eq!(database.number(ours).await, 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'not_ours'").await, 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn many_that_start_together_on_an_empty_database_all_succeed() {
    let database = TestDatabase::new().await;
    let starts: Vec<_> = (0..8).map(|_| tokio::spawn(PostgresRepository::open(database.config()))).collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_long_thread_is_read_by_its_indexes_alone() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    three_messages(&repository).await;
    database
        .execute(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at, updated_at)
             SELECT org_id, chat_thread_id, n, gen_random_uuid(), 'user', content, created_at, updated_at
             FROM chat_message, generate_series(10, 20000) n WHERE position = 1;
             UPDATE chat_message SET sender_role = 'system' WHERE position IN (1, 15000);
             UPDATE chat_thread SET head = 20000, next_position = 20001;
             ANALYZE;
             -- Else its own scans may be counted later.
             SELECT pg_stat_force_next_flush()",
        )
        .await;
    let scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'chat_message'";
    let system_scans =
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'chat_message_instructions'";
    // A session reports what it scanned when it ends at the latest.
    repository.close().await.unwrap();
    database.execute("SELECT pg_stat_clear_snapshot()").await;
    let before = (database.number(scans).await, database.number(system_scans).await);

    let repository = database.open().await;
    let last = repository.last_messages(&scope(), thread_id(), 50).await.unwrap();
    assert_eq!(last[49].position, Position::new(20_000).unwrap());
    let instructions = MessageFilter::new().role(Role::System).role(Role::Developer);
    let system = MessageQuery::newest(100).filter(instructions).before(last[0].position);
    assert_eq!(repository.list_messages(&scope(), thread_id(), &system).await.unwrap().items.len(), 2);
    let behind = MessageQuery::first(10).after(Position::new(10_000).unwrap());
    assert_eq!(repository.list_messages(&scope(), thread_id(), &behind).await.unwrap().items.len(), 10);
    repository.get_message(&scope(), thread_id(), last[0].id).await.unwrap();
    repository.close().await.unwrap();
    while database.number(system_scans).await == before.1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.number(scans).await, before.0, "no read scans the table");
}
