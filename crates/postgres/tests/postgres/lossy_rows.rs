//! Rows that would be read as other values than they hold.

use chatkeep_domain::Migrations as _;
use chatkeep_domain::{
    Append, Entity, MessageEdit, MessageQuery, MessageRepository, MessageSearch, SearchQuery, StoreError,
    ThreadQuery, ThreadRepository,
};
use chatkeep_postgres::{PostgresMigrations, PostgresRepository};
use sea_orm::DatabaseConnection;

use crate::common::{
    at, everything_shown, execute, message, message_id, new_thread, scope, thread_id, three_messages,
};

/// What `serde_json` alone would read as another value: an integer that it rounds, and a key whose first value it drops.
const LOSSY: [&str; 3] =
    [r#""n":18446744073709551616"#, r#""n":[-9223372036854775809]"#, r#""secret":1,"secret":2"#];

fn assert_corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>, wanted: Entity, wanted_id: &str) {
    let error = answer.unwrap_err();
    assert!(
        matches!(&error, StoreError::CorruptRow { entity, id, .. } if *entity == wanted && id == wanted_id),
        "{error:?}"
    );
    let shown = everything_shown(&error);
    assert!(
        ["secret", "18446744073709551616", "9223372036854775809"].iter().all(|text| !shown.contains(text))
    );
}

/// A row with what would be read as another value is corrupt, wherever it is read.
pub(crate) async fn lossy_rows_are_corrupt(
    repository: &PostgresRepository,
    migrations: &PostgresMigrations,
    raw: &DatabaseConnection,
) {
    three_messages(repository).await;
    let (scope, thread) = (scope(), thread_id());
    let edit = MessageEdit::new("edited", at(1));
    repository.edit_message(&scope, thread, message_id(3), edit).await.unwrap();
    for lossy in LOSSY {
        let content = format!(r#"{{"type":"text","text":"two",{lossy}}}"#);
        execute(raw, &format!("UPDATE chat_message SET content = '{content}' WHERE position = 2")).await;
        execute(raw, &format!("UPDATE chat_message_revision SET content = '{content}'")).await;
        let id = message_id(2).to_string();
        let (first, words) = (MessageQuery::newest(1).before(3.try_into().unwrap()), SearchQuery::new("two"));
        assert_corrupt(repository.list_messages(&scope, thread, &first).await, Entity::Message, &id);
        assert_corrupt(repository.get_message(&scope, thread, message_id(2)).await, Entity::Message, &id);
        assert_corrupt(repository.search_messages(&scope, &words).await, Entity::Message, &id);
        let retry = Append::new([message(2, "two")]);
        assert_corrupt(repository.append(&scope, thread, retry).await, Entity::Message, &id);
        let revisions = repository.list_revisions(&scope, thread, message_id(3)).await;
        assert_corrupt(revisions, Entity::Revision, "at 1");
    }
    for lossy in LOSSY {
        execute(raw, &format!("UPDATE chat_thread SET metadata = '{{{lossy}}}'")).await;
        let id = thread.to_string();
        assert_corrupt(repository.get_thread(&scope, thread).await, Entity::Thread, &id);
        let list = repository.list_threads(&scope, &ThreadQuery::default()).await;
        assert_corrupt(list, Entity::Thread, &id);
        assert_corrupt(repository.create_thread(&scope, new_thread()).await, Entity::Thread, &id);
        let mut batches = migrations.reindex(true);
        while batches.next_batch().await.unwrap() > 0 {}
        assert_eq!(batches.corrupt(), 2, "the thread and the second message");
    }
}
