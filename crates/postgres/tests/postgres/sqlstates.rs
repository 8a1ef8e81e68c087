//! What a SQLSTATE means for the caller.

use std::sync::Arc;

use chatkeep_domain::{
    Append, ConversationRepositoryExt as _, MessageRepository as _, Outcome, Position, StoreError,
    ThreadAppend, ThreadRepository as _,
};
use chatkeep_layers::{LayersConfig, layered};

use crate::common::{create_thread, everything_shown, message, message_id, new_thread, scope, thread_id};
use crate::postgres::database::TestDatabase;

/// Makes every insert of a message fail with this SQLSTATE.
async fn fail_with(database: &TestDatabase, sqlstate: &str) {
    database
        .execute(&format!(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{sqlstate}'; END $$;
             CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON chat_message FOR EACH ROW EXECUTE FUNCTION fail()"
        ))
        .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn each_sqlstate_becomes_what_a_caller_can_do() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    create_thread(&repository).await.unwrap();
    for (sqlstate, wanted) in [
        ("40001", Some(Outcome::NotDone)),
        ("40P01", Some(Outcome::NotDone)),
        ("57014", Some(Outcome::NotDone)),
        ("55P03", Some(Outcome::NotDone)),
        ("53300", Some(Outcome::NotDone)),
        ("57P01", Some(Outcome::Unknown)),
        ("57P03", Some(Outcome::NotDone)),
        ("08006", Some(Outcome::Unknown)),
        ("25006", Some(Outcome::NotDone)),
        ("53100", None),
        ("42501", None),
        ("XX000", None),
    ] {
        fail_with(&database, sqlstate).await;
        let append = Append::new([message(1, "secret")]);
        let error = repository.append(&scope(), thread_id(), append).await.unwrap_err();
        assert_eq!(error.is_transient(), wanted.is_some(), "{sqlstate}: {error:?}");
        assert_eq!(error.outcome(), wanted.unwrap_or(Outcome::NotDone), "{sqlstate}: {error:?}");
        assert!(wanted.is_some() || matches!(error, StoreError::Backend { .. }), "{sqlstate}: {error:?}");
        assert!(!everything_shown(&error).contains("secret"), "{error:?}");
    }
    // A key that breaks is looked into; here nothing is wrong with the thread, so the driver's word is passed on.
    for sqlstate in ["23505", "23503"] {
        fail_with(&database, sqlstate).await;
        let append = Append::new([message(1, "secret")]);
        let error = repository.append(&scope(), thread_id(), append).await.unwrap_err();
        assert!(matches!(error, StoreError::Backend { .. }), "{sqlstate}: {error:?}");
    }
    assert_eq!(repository.get_thread(&scope(), thread_id()).await.unwrap().head, Position::ZERO);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_failing_row_is_not_quoted() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    create_thread(&repository).await.unwrap();
    database.execute("ALTER TABLE chat_message ADD CHECK (length(content) < 5)").await;
    let append = Append::new([message(1, "secret")]);
    let error = repository.append(&scope(), thread_id(), append).await.unwrap_err();
    assert!(everything_shown(&error).contains("check constraint"), "{error:?}");
    assert!(!everything_shown(&error).contains("secret"), "{error:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn behind_an_append_that_is_unavailable_none_to_its_thread_is_stored() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    create_thread(&repository).await.unwrap();
    let mut other = new_thread();
    other.id = uuid::Uuid::from_u128(2).into();
    repository.create_thread(&scope(), other.clone()).await.unwrap();
    database
        .execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '40001'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON chat_message
             FOR EACH ROW WHEN (NEW.content LIKE '%fails%') EXECUTE FUNCTION fail()",
        )
        .await;
    // So many that the next one goes in another statement.
    let many = (0..1_000).map(|number| message(1_000 + number, if number == 500 { "fails" } else { "x" }));
    let head = Position::new(1_001).unwrap();
    let appends = [
        (thread_id(), Append::new(many)),
        (thread_id(), Append::new([message(1, "behind")])),
        (other.id, Append::new([message(2, "elsewhere")])),
        (thread_id(), Append::new([message(3, "behind")]).expect_head(head)),
    ];
    let appends = appends.map(|(thread, append)| ThreadAppend::new(scope(), thread, append));
    let answers = repository.append_each(appends.to_vec()).await;
    let unavailable: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().is_err_and(StoreError::is_transient)).collect();
    assert_eq!(unavailable, [true, true, false, true], "{answers:?}");
    assert!(repository.last_messages(&scope(), thread_id(), 9).await.unwrap().is_empty());
    assert_eq!(repository.last_messages(&scope(), other.id, 9).await.unwrap().len(), 1);

    // The layer sends them again, in their order.
    let layered = layered(Arc::new(repository.clone()), &LayersConfig::default());
    let appending = tokio::spawn(async move { layered.append_each(appends.to_vec()).await });
    database.execute("DROP TRIGGER fail ON chat_message").await;
    for answer in appending.await.unwrap() {
        answer.unwrap();
    }
    let last = repository.last_messages(&scope(), thread_id(), 2).await.unwrap();
    assert_eq!(last.iter().map(|message| message.id).collect::<Vec<_>>(), [message_id(1), message_id(3)]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_read_only_database_is_transient() {
    let database = TestDatabase::new().await;
    create_thread(&database.open().await).await.unwrap();
    database
        .execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name))
        .await;
    let repository = database.open().await;
    let error = repository.append(&scope(), thread_id(), Append::new([message(1, "x")])).await.unwrap_err();
    assert!(error.is_transient() && error.outcome() == Outcome::NotDone, "{error:?}");
    assert!(error.to_string().contains("read-only"), "{error:?}");
}
