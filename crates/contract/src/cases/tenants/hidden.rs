//! What is outside the scope: every method answers as for a thread that is not there.

use std::future::Future;

use chatkeep_domain::{
    Append, Entity, MessageEdit, MessageId, MessageQuery, Position, Scope, StoreError, ThreadAppend,
    ThreadId, ThreadUpdate, next_message,
};

use crate::fixture::{
    Fixture, Repo, Talk, Tenant, append_each, at, message, message_id, numbered, thread_id,
};

/// Every scope that may not see ada's thread, each with threads of its own to look among.
async fn intruders(ada: &Tenant) -> Vec<Scope> {
    let (bob, eve) = (ada.colleague(), Tenant::new(&ada.repo));
    // Of the same name as ada, in another organization.
    let namesake = Tenant::of(&ada.repo, &format!("org-{}", thread_id()), ada.user.as_str());
    for tenant in [&bob, &eve, &namesake] {
        Talk::with(tenant, 2).await;
    }
    vec![bob.scope, eve.org_scope(), eve.scope, namesake.scope]
}

/// Calls an operation on ada's thread as each intruder: it must fail exactly as it does on a thread that never
/// was, and change nothing.
async fn assert_hidden<F>(fixture: &Fixture, call: impl Fn(Repo, Scope, ThreadId, MessageId) -> F)
where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 3).await;
    talk.edit(said[0].id, "edited", at(2)).await.unwrap();
    let before = talk.snapshot().await;
    for scope in intruders(&ada).await {
        let (absent_thread, absent_message) = (thread_id(), message_id());
        let hidden = call(fixture.repo.clone(), scope.clone(), talk.id, said[0].id).await;
        let absent = call(fixture.repo.clone(), scope.clone(), absent_thread, absent_message).await;
        let Err(hidden) = hidden else { panic!("{scope:?} reached the thread of another") };
        let Err(absent) = absent else { panic!("{scope:?} reached a thread that never was") };
        let names_the_thread = matches!(
            &hidden,
            StoreError::NotFound { entity: Entity::Thread, id, .. } if *id == talk.id.to_string()
        );
        assert!(names_the_thread, "{scope:?} was told: {hidden:?}");
        let told = |error: &StoreError, thread: ThreadId, message: MessageId| {
            let told = format!("{error} / {error:?}");
            told.replace(&thread.to_string(), "<thread>").replace(&message.to_string(), "<message>")
        };
        assert_eq!(
            told(&hidden, talk.id, said[0].id),
            told(&absent, absent_thread, absent_message),
            "what {scope:?} is told of a hidden thread, and of an absent one"
        );
        assert_eq!(talk.snapshot().await, before, "the thread after {scope:?}");
    }
}

/// `get_thread` outside the scope is answered as for an absent thread.
pub(crate) async fn get_thread_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, _| async move { repo.get_thread(&scope, id).await.map(drop) })
        .await;
}

/// `update_thread` outside the scope is answered as for an absent thread, and changes nothing.
pub(crate) async fn update_thread_hides_the_threads_of_others(fixture: Fixture) {
    let update = || ThreadUpdate::new(at(99)).name("taken over");
    assert_hidden(&fixture, |repo, scope, id, _| async move {
        repo.update_thread(&scope, id, update()).await.map(drop)
    })
    .await;
}

/// `delete_thread` outside the scope is answered as for an absent thread, and deletes nothing.
pub(crate) async fn delete_thread_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, _| async move {
        repo.delete_thread(&scope, id, None).await.map(drop)
    })
    .await;
}

/// `append` outside the scope is answered as for an absent thread, and writes nothing: a retry, a compare and
/// nothing to append too.
pub(crate) async fn append_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, _| async move {
        repo.append(&scope, id, Append::new(numbered(2))).await.map(drop)
    })
    .await;
    assert_hidden(&fixture, |repo, scope, id, held| async move {
        let mut retry = message("retry");
        retry.id = held;
        repo.append(&scope, id, Append::new([retry])).await.map(drop)
    })
    .await;
    assert_hidden(&fixture, |repo, scope, id, _| async move {
        let compare = Append::new(numbered(1)).expect_head(Position::ZERO);
        repo.append(&scope, id, compare).await.map(drop)
    })
    .await;
    assert_hidden(&fixture, |repo, scope, id, _| async move {
        repo.append(&scope, id, Append::default()).await.map(drop)
    })
    .await;
}

/// `append_each` outside the scope is answered as for an absent thread, and writes nothing: a retry, a compare and
/// nothing to append too, all in one call.
pub(crate) async fn append_each_hides_the_threads_of_others(fixture: Fixture) {
    for number in 0..4 {
        assert_hidden(&fixture, |repo, scope, id, held| async move {
            let retry = with!(message("retry"), id: held);
            let appends = [
                Append::new(numbered(2)),
                Append::new([retry]),
                Append::new(numbered(1)).expect_head(Position::ZERO),
                Append::default(),
            ];
            let appends = appends.map(|append| ThreadAppend::new(scope.clone(), id, append));
            append_each(&repo, appends).await.remove(number).map(drop)
        })
        .await;
    }
}

/// `get_message` outside the scope is answered as for an absent thread.
pub(crate) async fn get_message_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, message| async move {
        repo.get_message(&scope, id, message).await.map(drop)
    })
    .await;
}

/// `list_messages` outside the scope is answered as for an absent thread.
pub(crate) async fn list_messages_hides_the_threads_of_others(fixture: Fixture) {
    for query in [MessageQuery::default(), MessageQuery::newest(1), MessageQuery::first(0)] {
        assert_hidden(&fixture, |repo, scope, id, _| {
            let query = query.clone();
            async move { repo.list_messages(&scope, id, &query).await.map(drop) }
        })
        .await;
    }
}

/// `stream_messages` outside the scope is answered as for an absent thread.
pub(crate) async fn stream_messages_hides_the_threads_of_others(fixture: Fixture) {
    for query in [MessageQuery::default(), MessageQuery::newest(1), MessageQuery::first(0)] {
        assert_hidden(&fixture, |repo, scope, id, _| {
            let query = query.clone();
            async move {
                let mut stream = repo.stream_messages(&scope, id, query);
                next_message(&mut stream).await.map_or(Ok(()), |message| message.map(drop))
            }
        })
        .await;
    }
}

/// `edit_message` outside the scope is answered as for an absent thread, and changes nothing.
pub(crate) async fn edit_message_hides_the_threads_of_others(fixture: Fixture) {
    // The second is what the message says already: it must not be answered as a retry.
    for text in ["taken over", "edited"] {
        assert_hidden(&fixture, |repo, scope, id, message| async move {
            let edit = MessageEdit::new(text, at(99));
            repo.edit_message(&scope, id, message, edit).await.map(drop)
        })
        .await;
    }
}

/// `list_revisions` outside the scope is answered as for an absent thread.
pub(crate) async fn list_revisions_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, message| async move {
        repo.list_revisions(&scope, id, message).await.map(drop)
    })
    .await;
}

/// `delete_message` outside the scope is answered as for an absent thread, and deletes nothing.
pub(crate) async fn delete_message_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, message| async move {
        repo.delete_message(&scope, id, message, at(99).into()).await
    })
    .await;
}

/// `clear_messages` outside the scope is answered as for an absent thread, and deletes nothing.
pub(crate) async fn clear_messages_hides_the_threads_of_others(fixture: Fixture) {
    assert_hidden(&fixture, |repo, scope, id, _| async move {
        repo.clear_messages(&scope, id, at(99).into()).await.map(drop)
    })
    .await;
}

/// `list_threads` never gives the threads of another user or organization.
pub(crate) async fn list_threads_hides_the_threads_of_others(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    for scope in intruders(&ada).await {
        let listed = ada.list_ids(&scope).await;
        assert!(!listed.is_empty(), "{scope:?} has threads of its own");
        assert!(!listed.contains(&talk.id), "{scope:?} sees the thread of another");
    }
    assert_eq!(ada.list_ids(&ada.scope).await, [talk.id]);
}

/// The message ids of others are those of absent messages, also within a thread of one's own.
pub(crate) async fn messages_of_others_are_not_found_in_an_own_thread(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 2).await;
    let before = talk.snapshot().await;
    for intruder in [ada.colleague(), fixture.tenant()] {
        let (own, _) = Talk::with(&intruder, 1).await;
        let id = said[0].id;
        assert_refused!(own.get(id).await, StoreError::NotFound { .. });
        assert_refused!(own.edit(id, "x", at(9)).await, StoreError::NotFound { .. });
        assert_refused!(own.revisions(id).await, StoreError::NotFound { .. });
        assert_refused!(own.delete_message(id, at(9)).await, StoreError::NotFound { .. });
        assert_eq!(talk.snapshot().await, before);
    }
}
