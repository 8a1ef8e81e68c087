//! Lists that meet rows that cannot be decoded: named, reported in their place, and never at the cost of their neighbours.

use std::error::Error as _;

use chatkeep_domain::{
    ConversationRepositoryExt as _, Entity, MessageFilter, MessageQuery, Order, StoreError, ThreadQuery,
};

use crate::cases::corrupt_rows::damaged::{
    Corrupt, Items, NO_JSON, message_pages, thread_pages, three_threads,
};
use crate::damage::Row;
use crate::fixture::Fixture;
use crate::fixture::search::tagged;

/// A corrupt row is named by its id, and the error shows nothing of what is in it.
pub(crate) async fn a_corrupt_row_is_named_and_not_shown(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(3, &[2]).await;
    let bad = stored[1].id;
    let thread = fixture.tenant().talk().await;
    let row = Row::Thread(thread.tenant.org.clone(), thread.id);
    fixture.overwrite(&row, NO_JSON).await;
    let listed = talk.page(&MessageQuery::first(9).after(stored[0].position)).await.map(|_| ());
    let read = fixture.repo.get_thread(&thread.tenant.scope, thread.id).await.map(|_| ());
    for (result, entity, id) in [
        (talk.get(bad).await.map(|_| ()), Entity::Message, bad.to_string()),
        (listed, Entity::Message, bad.to_string()),
        (read, Entity::Thread, thread.id.to_string()),
    ] {
        let error = result.expect_err("the row cannot be decoded");
        assert!(
            matches!(&error, StoreError::CorruptRow { entity: named, id: by, .. } if (*named, by) == (entity, &id)),
            "{error:?}"
        );
        let mut shown = vec![format!("{error} {error:?}")];
        let mut source = error.source();
        while let Some(error) = source {
            shown.push(format!("{error} {error:?}"));
            source = error.source();
        }
        assert!(!shown.concat().contains("secret"), "{shown:?}");
    }
}

/// A page of messages ends ahead of a corrupt row; a page that would begin with it is its error, with the cursor behind it.
pub(crate) async fn a_page_ends_ahead_of_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[3]).await;
    let query = MessageQuery::first(4);
    assert_eq!(message_pages(&talk, &query).await, [Items(vec![1, 2]), Corrupt, Items(vec![4, 5, 6])]);
    let query = query.order(Order::NewestFirst);
    assert_eq!(message_pages(&talk, &query).await, [Items(vec![6, 5, 4]), Corrupt, Items(vec![2, 1])]);
}

/// A corrupt row behind a page, be it the very next, leaves the page as it is.
pub(crate) async fn a_corrupt_message_behind_a_page_leaves_it_alone(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(5, &[3]).await;
    let last = fixture.repo.last_messages(&talk.tenant.scope, talk.id, 2).await.expect("they can be decoded");
    assert_eq!(last, stored[3..]);
    let first = talk.page(&MessageQuery::first(2)).await.expect("they can be decoded");
    assert_eq!(first.items, stored[..2]);
    assert!(first.next.is_some(), "there is more");
}

/// What cannot be decoded is not left out unnoticed: a call that reads several pages fails on it.
pub(crate) async fn a_corrupt_message_is_not_left_out(fixture: Fixture) {
    let (talk, _) = fixture.damaged(5, &[3]).await;
    let last = fixture.repo.last_messages(&talk.tenant.scope, talk.id, 3).await;
    assert_refused!(last, StoreError::CorruptRow { entity: Entity::Message, .. });
    assert_eq!(
        message_pages(&talk, &MessageQuery::first(1)).await.iter().filter(|gave| **gave == Corrupt).count(),
        1
    );
}

/// Several corrupt rows in a row, at the start and at the end: each is reported once.
pub(crate) async fn each_corrupt_message_is_reported_once(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[1, 3, 4, 6]).await;
    for limit in [1, 2, 6] {
        let gave = message_pages(&talk, &MessageQuery::first(limit)).await;
        let gave: Vec<_> = gave.into_iter().filter(|gave| *gave != Items(Vec::new())).collect();
        let expected = [Corrupt, Items(vec![2]), Corrupt, Corrupt, Items(vec![5]), Corrupt];
        assert_eq!(gave, expected, "{limit} a page");
    }
}

/// A filter on metadata cannot be asked of a corrupt row: it counts as a match, and as one of those that an offset leaves
/// out.
pub(crate) async fn filtered_pages_end_ahead_of_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(8, &[4]).await;
    let even = MessageQuery::first(9).filter(MessageFilter::new().metadata(tagged("/even", true)));
    assert_eq!(message_pages(&talk, &even).await, [Items(vec![2]), Corrupt, Items(vec![6, 8])]);
    let even = MessageQuery::first(1).filter(MessageFilter::new().metadata(tagged("/even", true)));
    assert_eq!(message_pages(&talk, &even.offset(2)).await, [Items(vec![6]), Items(vec![8])]);
}

/// A page of threads ends ahead of a corrupt row; the newest thread is listed whatever is behind it.
pub(crate) async fn a_page_ends_ahead_of_a_corrupt_thread(fixture: Fixture) {
    let ada = three_threads(&fixture).await;
    for limit in [1, 2, 9] {
        let gave = thread_pages(&ada, &ThreadQuery::first(limit)).await;
        assert_eq!(gave, [Items(vec![1]), Corrupt, Items(vec![3])], "{limit} a page");
    }
}
