//! Cursors: pages that neither skip nor repeat, whatever is written in between.

use chatkeep_domain::{
    Cursor, MessageFilter, MessageId, MessageQuery, Order, Role, StoreError, ThreadId, ThreadQuery,
    ThreadUpdate, Timestamp,
};

use crate::fixture::{Fixture, Talk, Tenant, at, ids, message, numbered, texts};

/// Reads on to the end, doing something between the pages.
async fn page_through(talk: &Talk, mut query: MessageQuery, between: impl AsyncFn(usize)) -> Vec<MessageId> {
    let mut read = Vec::new();
    for number in 0..50 {
        let page = talk.page(&query).await.unwrap();
        read.extend(ids(&page.items));
        let Some(next) = page.next else { return read };
        between(number).await;
        query = query.behind(next);
    }
    panic!("the pages have no end: {} messages read", read.len());
}

/// Oldest first, messages that are appended between the pages follow; none is skipped or repeated.
pub(crate) async fn oldest_first_pages_go_on_into_new_messages(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 10).await;
    let between = async |number| {
        if number < 3 {
            talk.say(numbered(2)).await;
        }
    };
    let read = page_through(&talk, MessageQuery::first(4), between).await;
    assert_eq!(read.len(), 16, "the ten and the six new ones");
    assert_eq!(read, ids(&talk.all().await));
}

/// Newest first, messages that are appended between the pages change nothing: none is skipped or repeated.
pub(crate) async fn newest_first_pages_leave_out_new_messages(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 10).await;
    let between = async |_| {
        talk.say(numbered(2)).await;
    };
    let read = page_through(&talk, MessageQuery::newest(3), between).await;
    let mut expected = ids(&said);
    expected.reverse();
    assert_eq!(read, expected);
}

/// A cursor stays good when the message that it stands on is deleted, and others around it, in both orders.
pub(crate) async fn a_cursor_outlives_the_message_it_stands_on(fixture: Fixture) {
    let ada = fixture.tenant();
    for (order, expected) in [(Order::OldestFirst, "4 5"), (Order::NewestFirst, "1 0")] {
        let (talk, said) = Talk::with(&ada, 6).await;
        let query = with!(MessageQuery::first(3), order);
        let next = talk.page(&query).await.unwrap().next.expect("a next page");
        for gone in [2, 3] {
            talk.delete_message(said[gone].id, at(2)).await.unwrap();
        }
        let rest = talk.page(&query.behind(next)).await.unwrap();
        assert_eq!(texts(&rest.items).join(" "), expected, "{order:?}");
        assert_eq!(rest.next, None);
    }
}

/// A cursor outlives a clear: what is appended after it follows.
pub(crate) async fn a_cursor_outlives_a_clear(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 4).await;
    let next = talk.page(&MessageQuery::first(2)).await.unwrap().next.expect("a next page");
    talk.clear(at(2)).await.unwrap();
    let query = MessageQuery::first(2).behind(next);
    assert_eq!(talk.read(&query).await, []);
    talk.say([message("new")]).await;
    assert_eq!(texts(&talk.read(&query).await), ["new"]);
}

/// Edits between the pages move no message.
pub(crate) async fn edits_between_pages_move_nothing(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 9).await;
    let between = async |number: usize| {
        for message in [&said[number], &said[8 - number]] {
            talk.edit(message.id, format!("edited {number}"), at(50)).await.unwrap();
        }
    };
    let read = page_through(&talk, MessageQuery::first(2), between).await;
    assert_eq!(read, ids(&said));
}

/// A cursor goes on within the rest of the query.
pub(crate) async fn a_cursor_goes_on_within_the_query(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 8).await;
    let query = MessageQuery::first(2).after(said[0].position).before(said[6].position);
    let read = page_through(&talk, query.clone(), async |_| {}).await;
    assert_eq!(read, ids(&said[1..6]), "within the bounds");
    let next = talk
        .page(&query.filter(MessageFilter::new().role(Role::User)))
        .await
        .unwrap()
        .next
        .expect("a next page");
    let nothing =
        talk.read(&MessageQuery::first(9).filter(MessageFilter::new().role(Role::Tool)).behind(next)).await;
    assert_eq!(nothing, [], "another role behind the same cursor");
}

/// A cursor that is damaged is refused.
pub(crate) async fn a_damaged_cursor_is_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, _) = Talk::with(&ada, 3).await;
    ada.talk().await;
    let good = talk.page(&MessageQuery::first(1)).await.unwrap().next.expect("a next page");
    let list = ada.list(&ThreadQuery::first(1)).await.unwrap().next.expect("a next page");
    for good in [good, list] {
        let mut damaged = good.as_str().to_owned();
        let other = if damaged.ends_with('A') { "B" } else { "A" };
        damaged.replace_range(damaged.len() - 1.., other);
        for bad in ["", "x", "'; --", "\0", damaged.as_str(), &good.as_str()[1..]] {
            let refused = talk.page(&MessageQuery::first(1).behind(bad.into())).await;
            assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
            let refused = ada.list(&ThreadQuery::first(1).behind(bad.into())).await;
            assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
        }
    }
}

/// A cursor of another thread, order or kind of list is refused.
pub(crate) async fn a_cursor_of_another_list_is_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, _) = Talk::with(&ada, 3).await;
    let (other, _) = Talk::with(&ada, 3).await;
    let ours = talk.page(&MessageQuery::first(1)).await.unwrap().next.expect("a next page");
    let list = ada.list(&ThreadQuery::first(1)).await.unwrap().next.expect("a next page");
    for refused in [
        other.page(&MessageQuery::first(1).behind(ours.clone())).await,
        talk.page(&MessageQuery::newest(1).behind(ours.clone())).await,
        talk.page(&MessageQuery::first(1).behind(list)).await,
    ] {
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
    }
    let refused = ada.list(&ThreadQuery::first(1).behind(ours)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
}

/// A cursor grants nothing: another user goes on with it among his own threads only.
pub(crate) async fn a_cursor_grants_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    let create = async |owner: &Tenant, created_at: Timestamp| {
        let new = with!(owner.new_thread(), created_at);
        owner.talk_from(new).await
    };
    let his = create(&bob, at(1)).await;
    create(&ada, at(2)).await;
    let hers = create(&ada, at(3)).await;
    let next = ada.list(&ThreadQuery::first(1)).await.unwrap().next.expect("a next page");
    let page = bob.list(&ThreadQuery::first(9).behind(next)).await.unwrap();
    assert_eq!(page.items, [his.thread().await]);
    hers.say(numbered(2)).await;
    let next = hers.page(&MessageQuery::first(1)).await.unwrap().next.expect("a next page");
    let query = MessageQuery::first(1).behind(next);
    let refused = fixture.repo.list_messages(&bob.scope, hers.id, &query).await;
    assert_refused!(refused, StoreError::NotFound { .. });
}

/// A cursor comes back from its text as it was.
pub(crate) async fn a_cursor_is_kept_as_text(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let next = talk.page(&MessageQuery::first(2)).await.unwrap().next.expect("a next page");
    let query = MessageQuery::first(2).behind(Cursor::from(next.to_string()));
    assert_eq!(texts(&talk.read(&query).await), ["2"]);
}

/// Reads on to the end of the list of threads, doing something between the pages.
async fn list_through(tenant: &Tenant, limit: usize, between: impl AsyncFn(usize)) -> Vec<ThreadId> {
    let mut query = ThreadQuery::first(limit);
    let mut read = Vec::new();
    for number in 0..50 {
        let page = tenant.list(&query).await.unwrap();
        assert!(page.items.len() <= limit, "a page of {}", page.items.len());
        read.extend(page.items.iter().map(|thread| thread.id));
        let Some(next) = page.next else { return read };
        between(number).await;
        query = query.behind(next);
    }
    panic!("the pages have no end: {} threads read", read.len());
}

/// Stores as many threads; gives their ids in the order of the list.
async fn threads(tenant: &Tenant, count: i64) -> Vec<ThreadId> {
    for number in 0..count {
        let new = with!(tenant.new_thread(), created_at: at(number));
        tenant.create(new).await.unwrap();
    }
    tenant.list_ids(&tenant.scope).await
}

/// Threads with equal times are listed page by page, each once.
pub(crate) async fn threads_of_equal_times_are_listed_once_each(fixture: Fixture) {
    let ada = fixture.tenant();
    for _ in 0..7 {
        ada.talk().await;
    }
    let expected = ada.list_ids(&ada.scope).await;
    assert_eq!(expected.len(), 7);
    for limit in [1, 2, 3, 7] {
        assert_eq!(list_through(&ada, limit, async |_| {}).await, expected, "by {limit}");
    }
}

/// Threads that nobody writes to are listed exactly once, whatever is created and updated between the pages.
pub(crate) async fn untouched_threads_are_listed_exactly_once(fixture: Fixture) {
    let ada = fixture.tenant();
    let listed = threads(&ada, 10).await;
    let between = async |number: usize| {
        let new = with!(ada.new_thread(), created_at: at(100));
        ada.create(new).await.unwrap();
        let update = ThreadUpdate::new(at(101));
        fixture.repo.update_thread(&ada.scope, listed[number], update).await.unwrap();
    };
    let read = list_through(&ada, 3, between).await;
    assert_eq!(read, listed, "those that were updated had been read already");
}

/// A thread that is written to while pages are read is never repeated, and is on a fresh first page.
pub(crate) async fn a_thread_that_moves_to_the_front_is_never_repeated(fixture: Fixture) {
    let ada = fixture.tenant();
    let listed = threads(&ada, 8).await;
    let bumped = [listed[1], listed[6]];
    let between = async |number: usize| {
        if number == 0 {
            for id in bumped {
                let mut new = message("bump");
                new.created_at = at(200);
                fixture.repo.append(&ada.scope, id, chatkeep_domain::Append::new([new])).await.unwrap();
            }
        }
    };
    let read = list_through(&ada, 3, between).await;
    let expected: Vec<_> = listed.iter().copied().filter(|id| *id != bumped[1]).collect();
    assert_eq!(read, expected, "all but the one that moved before it was read");
    let mut fresh = ada.list_ids(&ada.scope).await;
    fresh.truncate(2);
    fresh.sort();
    let mut first = bumped.to_vec();
    first.sort();
    assert_eq!(fresh, first, "the fresh first page");
}

/// A cursor of threads stays good when the thread that it stands on is deleted.
pub(crate) async fn a_cursor_outlives_the_thread_it_stands_on(fixture: Fixture) {
    let ada = fixture.tenant();
    let listed = threads(&ada, 6).await;
    let between = async |number: usize| {
        fixture.repo.delete_thread(&ada.scope, listed[2 * number + 1], None).await.unwrap();
    };
    assert_eq!(list_through(&ada, 2, between).await, listed);
}
