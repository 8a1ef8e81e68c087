//! Lists of threads.

use chatkeep_domain::{MAX_PAGE_LEN, Scope, StoreError, ThreadKey, ThreadQuery, ThreadUpdate};

use crate::fixture::{Fixture, Talk, Tenant, at, message};

/// Threads are listed by their last update, the newest first; among equal times by id, the greatest first.
pub(crate) async fn threads_are_listed_newest_update_first(fixture: Fixture) {
    let ada = fixture.tenant();
    let mut expected = Vec::new();
    for seconds in [5, 1, 9, 5, 5, 1, 5] {
        let new = with!(ada.new_thread(), created_at: at(seconds));
        expected.push(ThreadKey::from(&ada.create(new).await.unwrap()));
    }
    expected.sort();
    expected.reverse();
    let page = ada.list(&ThreadQuery::default()).await.unwrap();
    let listed: Vec<_> = page.items.iter().map(ThreadKey::from).collect();
    assert_eq!(listed, expected);
    assert_eq!(page.next, None, "it was the end");
}

/// Every write to a thread or to its messages moves it to the front of the list.
pub(crate) async fn every_write_moves_a_thread_to_the_front(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, said) = Talk::with(&ada, 2).await;
    let two = ada.talk().await;
    let front = async |now: i64, talk: &Talk, write: &str| {
        let page = ada.list(&ThreadQuery::first(1)).await.unwrap();
        assert_eq!(page.items[0].id, talk.id, "{write} is the newest update");
        assert_eq!(page.items[0].updated_at, at(now), "updated_at after {write}");
        let update = ThreadUpdate::new(at(now + 1));
        fixture.repo.update_thread(&ada.scope, two.id, update).await.unwrap();
        let page = ada.list(&ThreadQuery::first(1)).await.unwrap();
        assert_eq!(page.items[0].id, two.id, "an update of the other is newer");
    };
    let mut late = message("late");
    late.created_at = at(10);
    one.say([late]).await;
    front(10, &one, "an append").await;
    one.edit(said[0].id, "edited", at(20)).await.unwrap();
    front(20, &one, "an edit").await;
    one.delete_message(said[0].id, at(30)).await.unwrap();
    front(30, &one, "a deleted message").await;
    one.clear(at(40)).await.unwrap();
    front(40, &one, "a clear").await;
}

/// A thread in a list equals the thread as it is read alone.
pub(crate) async fn a_listed_thread_equals_the_thread_read(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 3).await;
    talk.delete_message(said[2].id, at(5)).await.unwrap();
    let thread = talk.thread().await;
    assert_eq!(thread.head, said[2].position, "the head stays where it was");
    assert_eq!(ada.list(&ThreadQuery::default()).await.unwrap().items, [thread]);
}

/// A scope without threads has an empty list.
pub(crate) async fn a_scope_without_threads_lists_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    for scope in [ada.scope.clone(), ada.org_scope()] {
        let page = fixture.repo.list_threads(&scope, &ThreadQuery::default()).await.unwrap();
        assert_eq!((page.items, page.next), (vec![], None));
    }
}

/// `limit(0)` is an empty page of threads, without a next one.
pub(crate) async fn a_list_limited_to_0_is_an_empty_page(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.talk().await;
    let page = ada.list(&ThreadQuery::first(0)).await.unwrap();
    assert_eq!((page.items, page.next), (vec![], None));
}

/// A list takes a limit of up to 1,000 threads, and refuses more.
pub(crate) async fn a_list_refuses_a_limit_over_the_maximum(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let page = ada.list(&ThreadQuery::first(MAX_PAGE_LEN)).await.unwrap();
    assert_eq!(page.items, [talk.thread().await]);
    let refused = ada.list(&ThreadQuery::first(MAX_PAGE_LEN + 1)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "limit");
}

/// Filters narrow a list within the scope.
pub(crate) async fn filters_narrow_a_list_within_the_scope(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    let (hers, his) = (ada.talk().await.id, bob.talk().await.id);
    eve.talk().await;
    let listed = async |scope: &Scope, query: ThreadQuery| {
        let page = fixture.repo.list_threads(scope, &query).await.unwrap();
        let mut ids: Vec<_> = page.items.iter().map(|thread| thread.id).collect();
        ids.sort();
        ids
    };
    let of = |tenant: &Tenant| ThreadQuery::default().user_id(tenant.user.clone());
    let mut both = vec![hers, his];
    both.sort();
    assert_eq!(listed(&ada.org_scope(), ThreadQuery::default()).await, both);
    assert_eq!(listed(&ada.org_scope(), of(&ada)).await, [hers]);
    assert_eq!(listed(&ada.org_scope(), of(&bob)).await, [his]);
    assert_eq!(listed(&ada.scope, of(&ada).org_id(ada.org.clone())).await, [hers]);
    let operator = Scope::operator();
    let in_org = ThreadQuery::default().org_id(ada.org.clone());
    assert_eq!(listed(&operator, in_org).await, both);
    assert_eq!(listed(&operator, of(&bob).org_id(ada.org.clone())).await, [his]);
}

/// A filter outside the scope finds nothing.
pub(crate) async fn a_filter_outside_the_scope_finds_nothing(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    for tenant in [&ada, &bob, &eve] {
        tenant.talk().await;
    }
    let all = ThreadQuery::default;
    for (scope, query) in [
        (&ada.scope, all().user_id(bob.user.clone())),
        (&ada.scope, all().org_id(eve.org.clone())),
        (&ada.scope, all().org_id(eve.org.clone()).user_id(eve.user.clone())),
        (&ada.org_scope(), all().org_id(eve.org.clone())),
    ] {
        let page = fixture.repo.list_threads(scope, &query).await.unwrap();
        assert_eq!((page.items, page.next), (vec![], None), "{scope:?} {query:?}");
    }
}
