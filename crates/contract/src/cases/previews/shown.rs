//! What previews show.

use chatkeep_domain::{Append, ChatMessage, Scope, ThreadId, ThreadPreview, ThreadQuery, ThreadUpdate};

use crate::fixture::search::tagged;
use crate::fixture::{Fixture, Talk, Tenant, at, message, numbered};

/// The previews of a page, with the ids of their threads.
async fn previews(of: &Tenant, query: ThreadQuery) -> Vec<(ThreadId, Option<ChatMessage>, u64)> {
    let page = of.list(&query.with_preview()).await.expect("threads are listed");
    let shown = |thread: chatkeep_domain::ChatThread| {
        let ThreadPreview { last_message, message_count, .. } = *thread.preview.expect("a preview");
        (thread.id, last_message, message_count)
    };
    page.items.into_iter().map(shown).collect()
}

async fn preview(talk: &Talk) -> (Option<ChatMessage>, u64) {
    let all = previews(&talk.tenant, ThreadQuery::default()).await;
    let found = all.into_iter().find(|(id, ..)| *id == talk.id);
    found.map(|(_, last, count)| (last, count)).expect("the thread is listed")
}

/// A preview has the last message by position and the number of messages: none of an empty thread.
pub(crate) async fn a_preview_has_the_last_message_and_the_number(fixture: Fixture) {
    let ada = fixture.tenant();
    let (empty, one, many) = (ada.talk().await, ada.talk().await, ada.talk().await);
    let of_one = one.say(numbered(1)).await;
    // The last by position is not the latest by time.
    let mut batch = numbered(120);
    batch[3].created_at = at(500);
    let of_many = many.say(batch).await;
    assert_eq!(preview(&empty).await, (None, 0));
    assert_eq!(preview(&one).await, (of_one.last().cloned(), 1));
    assert_eq!(preview(&many).await, (of_many.last().cloned(), 120));
    // But for the preview a thread is what it is without.
    let with = ada.list(&ThreadQuery::default().with_preview()).await.unwrap().items;
    let without = ada.list(&ThreadQuery::default()).await.unwrap().items;
    assert_eq!(with.into_iter().map(|thread| with!(thread, preview: None)).collect::<Vec<_>>(), without);
}

/// Only a list that asks for previews has them, and no other read of a thread.
pub(crate) async fn a_list_without_previews_has_none(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let listed = talk.tenant.list(&ThreadQuery::default()).await.unwrap().items;
    assert_eq!(listed, [talk.thread().await]);
    assert_eq!(listed[0].preview, None);
    let updated = talk.update(ThreadUpdate::new(at(5)).name("named")).await.unwrap();
    assert_eq!(updated.preview, None);
}

/// A preview follows appends, edits, deletes and clears.
pub(crate) async fn a_preview_follows_every_write(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    let edited = talk.edit(said[2].id, "edited", at(2)).await.unwrap();
    assert_eq!(preview(&talk).await, (Some(edited), 3), "an edit of the last");
    talk.delete_message(said[2].id, at(3)).await.unwrap();
    assert_eq!(preview(&talk).await, (Some(said[1].clone()), 2), "the last was deleted");
    talk.delete_message(said[0].id, at(3)).await.unwrap();
    assert_eq!(preview(&talk).await, (Some(said[1].clone()), 1), "the first was deleted");
    let next = talk.say([message("next")]).await;
    assert_eq!(preview(&talk).await, (Some(next[0].clone()), 2), "an append");
    talk.clear(at(4)).await.unwrap();
    assert_eq!(preview(&talk).await, (None, 0), "a clear");
    let next = talk.say([message("again")]).await;
    assert_eq!(preview(&talk).await, (Some(next[0].clone()), 1), "an append after the clear");
}

/// A retry, also in part and in a call of several appends, counts once.
pub(crate) async fn a_preview_counts_no_message_twice(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut batch = numbered(3);
    talk.say(batch.clone()).await;
    talk.say(batch.clone()).await;
    batch.extend(numbered(2));
    let said = talk.say(batch.clone()).await;
    let call = [Append::new(batch), Append::new(numbered(0))].map(|append| talk.appending(append));
    crate::fixture::say_each(&fixture.repo, call).await;
    assert_eq!(preview(&talk).await, (said.last().cloned(), 5));
}

/// Pages of previews go on behind each other, each thread with its own.
pub(crate) async fn pages_of_previews_go_on(fixture: Fixture) {
    let ada = fixture.tenant();
    let mut expected = Vec::new();
    for count in 0..7 {
        let (talk, said) = Talk::with(&ada, count).await;
        talk.update(ThreadUpdate::new(at(100 + i64::try_from(count).expect("a few")))).await.unwrap();
        expected.push((talk.id, said.last().cloned(), count as u64));
    }
    expected.reverse();
    let (mut query, mut read) = (ThreadQuery::first(3).with_preview(), Vec::new());
    loop {
        let page = ada.list(&query).await.unwrap();
        for thread in page.items {
            let preview = thread.preview.expect("a preview");
            read.push((thread.id, preview.last_message, preview.message_count));
        }
        let Some(next) = page.next else { break };
        query = query.behind(next);
    }
    assert_eq!(read, expected);
}

/// A list that is filtered by names and by metadata has previews.
pub(crate) async fn filtered_lists_have_previews(fixture: Fixture) {
    let ada = fixture.tenant();
    let mut found = Vec::new();
    for number in 0..4 {
        let metadata = [("team".to_owned(), (number % 2).into())].into_iter().collect();
        let new = with!(ada.new_thread(), name: format!("Thread {number}"), created_at: at(number));
        let talk = ada.talk_from(new.with_metadata(metadata)).await;
        let said = talk.say([with!(message(number.to_string()), created_at: at(number))]).await;
        found.push((talk.id, said.last().cloned(), 1));
    }
    let odd = previews(&ada, ThreadQuery::default().metadata(tagged("/team", 1))).await;
    assert_eq!(odd, [found[3].clone(), found[1].clone()]);
    let named = previews(&ada, ThreadQuery::default().name_contains("thread 2")).await;
    assert_eq!(named, [found[2].clone()]);
    let ranged = previews(&ada, ThreadQuery::default().updated(at(1), at(3)).limit(1)).await;
    assert_eq!(ranged, [found[2].clone()]);
}

/// The organization and the operator see the previews of all threads that they see.
pub(crate) async fn a_wider_scope_has_previews_of_all_its_threads(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    let ((one, of_one), (other, of_other)) = (Talk::with(&ada, 2).await, Talk::with(&bob, 3).await);
    let mut expected = vec![(one.id, of_one.last().cloned(), 2), (other.id, of_other.last().cloned(), 3)];
    expected.sort_by_key(|(id, ..)| std::cmp::Reverse(*id));
    let org = Tenant { scope: ada.org_scope(), ..ada.clone() };
    assert_eq!(previews(&org, ThreadQuery::default()).await, expected, "the organization");
    let operator = Tenant { scope: Scope::operator(), ..ada.clone() };
    let of_org = ThreadQuery::default().org_id(ada.org.clone());
    assert_eq!(previews(&operator, of_org).await, expected, "the operator, of an organization");
    let of_both = operator.list(&ThreadQuery::first(1).with_preview()).await.unwrap().items;
    assert!(of_both.iter().all(|thread| thread.preview.is_some()), "the operator, of all");
    assert_eq!(previews(&ada, ThreadQuery::default()).await.len(), 1, "the user");
}

/// A preview shows what was written through another handle.
pub(crate) async fn a_preview_follows_another_handle(fixture: Fixture) {
    let (here, _) = Talk::with(&fixture.tenant(), 1).await;
    let there = here.through(&fixture.other);
    assert_eq!(preview(&there).await.1, 1);
    let said = here.say(numbered(2)).await;
    assert_eq!(preview(&there).await, (said.last().cloned(), 3));
    there.clear(at(5)).await.unwrap();
    assert_eq!(preview(&here).await, (None, 0));
}
