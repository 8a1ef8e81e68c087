//! Rows that somebody else wrote.

use chatkeep_domain::{Entity, MessageQuery, MessageRepository as _, Position, StoreError};
use chatkeep_postgres::PostgresMigrations;

use crate::common::{everything_shown, message_id, scope, thread_id, three_messages};
use crate::postgres::database::TestDatabase;
use crate::postgres::lossy_rows::lossy_rows_are_corrupt;

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_corrupt_row_is_named_and_its_neighbours_can_be_read() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    three_messages(&repository).await;
    database.execute("UPDATE chat_message SET content = '{\"type\": secret' WHERE position = 2").await;
    let query = MessageQuery::first(10);
    let ahead = repository.list_messages(&scope(), thread_id(), &query).await.unwrap();
    assert_eq!(ahead.items.len(), 1);
    let further = query.behind(ahead.next.unwrap());
    let error = repository.list_messages(&scope(), thread_id(), &further).await.unwrap_err();
    let id = message_id(2).to_string();
    assert!(
        matches!(&error, StoreError::CorruptRow { entity: Entity::Message, id: found, .. } if *found == id)
    );
    assert!(!everything_shown(&error).contains("secret"), "{error:?}");
    let behind = MessageQuery::first(10).after(Position::new(2).unwrap());
    assert_eq!(repository.list_messages(&scope(), thread_id(), &behind).await.unwrap().items.len(), 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_row_that_would_be_read_as_another_value_is_corrupt() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    let migrations = PostgresMigrations::open(database.config()).await.unwrap();
    lossy_rows_are_corrupt(&repository, &migrations, &database.raw).await;
}
