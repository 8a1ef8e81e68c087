//! Reading messages: which, how many, in which order.

use std::collections::HashSet;

use chatkeep_domain::{
    ConversationRepositoryExt as _, Entity, MAX_BATCH_LEN, MAX_PAGE_LEN, MessageFilter, MessageQuery,
    NewMessage, Order, Position, Role, StoreError,
};
use chrono::TimeDelta;

use crate::fixture::{Fixture, Talk, at, ids, message, message_id, numbered, texts, thread_id};

/// `after` and `before` leave out the positions that they name, alone and together, in both orders.
pub(crate) async fn after_and_before_bound_the_positions(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 6).await;
    let (second, fifth) = (said[1].position, said[4].position);
    let (first, newest) = (MessageQuery::first(100), MessageQuery::newest(100));
    for (query, expected) in [
        (first.clone().after(second), "2 3 4 5"),
        (first.clone().before(fifth), "0 1 2 3"),
        (first.clone().after(second).before(fifth), "2 3"),
        (first.clone().after(Position::ZERO), "0 1 2 3 4 5"),
        (newest.clone().after(second), "5 4 3 2"),
        (newest.clone().before(fifth), "3 2 1 0"),
        (newest.after(second).before(fifth), "3 2"),
        (first.after(second).before(fifth).limit(1), "2"),
    ] {
        assert_eq!(texts(&talk.read(&query).await).join(" "), expected, "{query:?}");
    }
}

/// Bounds that leave no position between them find nothing.
pub(crate) async fn bounds_with_nothing_between_find_nothing(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 4).await;
    let (one, three) = (said[0].position, said[2].position);
    let last = Position::new(i64::MAX).unwrap();
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let all = with!(MessageQuery::default(), order);
        for query in [
            all.clone().after(three).before(one),
            all.clone().after(one).before(one),
            all.clone().after(one).before(said[1].position),
            all.clone().before(Position::ZERO),
            all.clone().before(one),
            all.clone().after(said[3].position),
            all.after(last).before(last),
        ] {
            let page = talk.page(&query).await.unwrap();
            assert_eq!((texts(&page.items), page.next), (vec![], None), "{query:?}");
        }
    }
}

/// The first N and the last N, in their orders; a next page is told where there is one.
pub(crate) async fn the_first_and_the_last_messages(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 5).await;
    for (query, expected, more) in [
        (MessageQuery::first(2), "0 1", true),
        (MessageQuery::newest(2), "4 3", true),
        (MessageQuery::first(5), "0 1 2 3 4", false),
        (MessageQuery::newest(5), "4 3 2 1 0", false),
        (MessageQuery::first(99), "0 1 2 3 4", false),
    ] {
        let page = talk.page(&query).await.unwrap();
        assert_eq!(texts(&page.items).join(" "), expected, "{query:?}");
        assert_eq!(page.next.is_some(), more, "whether {query:?} has a next page");
    }
}

/// An offset leaves out messages at the start of the list, in both orders, before the limit counts.
pub(crate) async fn an_offset_leaves_out_the_start_of_the_list(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 6).await;
    let behind_second = MessageQuery::first(100).after(said[1].position);
    for (query, expected) in [
        (MessageQuery::first(2).offset(1), "1 2"),
        (MessageQuery::first(100).offset(4), "4 5"),
        (MessageQuery::newest(2).offset(1), "4 3"),
        (MessageQuery::newest(100).offset(5), "0"),
        (behind_second.offset(1), "3 4 5"),
        (MessageQuery::first(100).offset(6), ""),
        (MessageQuery::newest(100).offset(i64::MAX as u64), ""),
    ] {
        assert_eq!(texts(&talk.read(&query).await).join(" "), expected, "{query:?}");
    }
    let refused = talk.page(&MessageQuery::first(1).offset(1 << 63)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "offset");
}

/// A date range takes in its start and leaves out its end, to the microsecond.
pub(crate) async fn a_date_range_is_half_open_to_the_microsecond(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let micros = |count| at(1) + TimeDelta::microseconds(count);
    let dated = (0..4).map(|number| {
        let text = number.to_string();
        NewMessage::new(message_id(), Role::User, text, micros(number))
    });
    talk.say(dated).await;
    let all = MessageQuery::default;
    for (query, expected) in [
        (all().filter(MessageFilter::new().created(micros(1), micros(3))), "1 2"),
        (all().filter(MessageFilter::new().created(micros(2), None)), "2 3"),
        (all().filter(MessageFilter::new().created(None, micros(2))), "0 1"),
        (all().filter(MessageFilter::new().created(micros(1), micros(2))), "1"),
        (all().filter(MessageFilter::new().created(micros(1), micros(1))), ""),
        (all().filter(MessageFilter::new().created(micros(3), micros(1))), ""),
        (MessageQuery::newest(9).filter(MessageFilter::new().created(micros(1), micros(3))), "2 1"),
    ] {
        assert_eq!(texts(&talk.read(&query).await).join(" "), expected, "{query:?}");
    }
}

/// A role finds the messages of that role.
pub(crate) async fn a_role_finds_its_messages(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let roles = Role::ALL.into_iter().chain(Role::ALL);
    talk.say(roles.map(|role| NewMessage::new(message_id(), role, role.as_str(), at(1)))).await;
    for role in Role::ALL {
        let found = talk.read(&MessageQuery::default().filter(MessageFilter::new().role(role))).await;
        assert_eq!(texts(&found), [role.as_str(), role.as_str()]);
        let last = talk.read(&MessageQuery::newest(1).filter(MessageFilter::new().role(role))).await;
        assert_eq!(last, found[1..], "the last of the role {role}");
    }
}

/// All that a query asks for holds together: bounds, dates, role, offset, limit and order.
pub(crate) async fn the_parts_of_a_query_hold_together(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let roles = [Role::User, Role::Assistant];
    let batch = (0..20u8).map(|number| {
        let role = roles[usize::from(number % 2)];
        NewMessage::new(message_id(), role, number.to_string(), at(number.into()))
    });
    let said = talk.say(batch).await;
    let query = MessageQuery::first(3)
        .after(said[2].position)
        .before(said[18].position)
        .filter(MessageFilter::new().role(Role::Assistant).created(at(5), at(17)))
        .offset(1);
    let page = talk.page(&query).await.unwrap();
    assert_eq!(texts(&page.items), ["7", "9", "11"]);
    let rest = talk.page(&query.clone().behind(page.next.unwrap())).await.unwrap();
    assert_eq!(texts(&rest.items), ["13", "15"], "the page behind it");
    assert_eq!(rest.next, None);
    let newest = with!(query, order: Order::NewestFirst);
    assert_eq!(texts(&talk.read(&newest).await), ["13", "11", "9"]);
}

/// `limit(0)` is an empty page of a thread that is there, and `NotFound` for one that is not.
pub(crate) async fn a_limit_of_0_is_an_empty_page(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, _) = Talk::with(&ada, 2).await;
    for query in [MessageQuery::first(0), MessageQuery::newest(0).offset(1)] {
        let page = talk.page(&query).await.unwrap();
        assert_eq!((page.items, page.next), (vec![], None));
        let absent = fixture.repo.list_messages(&ada.scope, thread_id(), &query).await;
        assert_refused!(absent, StoreError::NotFound { .. });
    }
}

/// A page holds up to 1,000 messages; a greater limit is refused.
pub(crate) async fn a_limit_over_the_maximum_is_refused(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), MAX_PAGE_LEN + 1).await;
    let page = talk.page(&MessageQuery::first(MAX_PAGE_LEN)).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (MAX_PAGE_LEN, true));
    for limit in [MAX_PAGE_LEN + 1, usize::MAX] {
        let refused = talk.page(&MessageQuery::first(limit)).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "limit");
    }
}

/// Reading an absent thread is `NotFound`, not an empty list; a thread without messages has an empty list.
pub(crate) async fn an_absent_thread_has_no_empty_list(fixture: Fixture) {
    let ada = fixture.tenant();
    let absent = thread_id();
    for query in
        [MessageQuery::default(), MessageQuery::newest(5).filter(MessageFilter::new().role(Role::User))]
    {
        let refused = fixture.repo.list_messages(&ada.scope, absent, &query).await;
        assert_refused!(refused, StoreError::NotFound { id, .. } if id == absent.to_string());
        let page = ada.talk().await.page(&query).await.unwrap();
        assert_eq!((page.items, page.next), (vec![], None));
    }
}

/// A message is read by its id within its thread; elsewhere it is `NotFound`.
pub(crate) async fn a_message_is_read_within_its_thread(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 3).await;
    let (other, _) = Talk::with(&ada, 1).await;
    for message in &said {
        assert_eq!(talk.get(message.id).await.unwrap(), *message);
    }
    for (talk, id) in [(&other, said[0].id), (&other, said[2].id), (&talk, message_id())] {
        assert_refused!(
            talk.get(id).await,
            StoreError::NotFound { entity: Entity::Message, id: told, .. } if told == id.to_string()
        );
    }
}

/// A thread of 10,000 messages is read page by page, each message once and in order.
pub(crate) async fn a_long_thread_is_read_page_by_page(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let batch = numbered(MAX_BATCH_LEN);
    let mut expected: Vec<_> = batch.iter().map(|message| message.id).collect();
    talk.say(batch).await;
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let query = with!(MessageQuery::first(999), order);
        let (mut next, mut read) = (Some(query), Vec::new());
        while let Some(query) = next {
            let page = talk.page(&query).await.unwrap();
            assert!(page.items.len() <= 999, "a page of {}", page.items.len());
            read.extend(ids(&page.items));
            next = page.next.map(|next| query.behind(next));
        }
        let distinct: HashSet<_> = read.iter().collect();
        assert_eq!(distinct.len(), MAX_BATCH_LEN, "distinct messages, {order:?}");
        assert!(read == expected, "the order of all messages, {order:?}");
        expected.reverse();
    }
}

/// What is built on pages and streams reads over the end of a page: the last N in the order said, and all that a query finds.
pub(crate) async fn reading_goes_on_over_the_end_of_a_page(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 2 * MAX_PAGE_LEN + 5).await;
    let last = fixture.repo.last_messages(&ada.scope, talk.id, MAX_PAGE_LEN + 2).await.unwrap();
    assert!(last == said[said.len() - MAX_PAGE_LEN - 2..], "the last 1,002");
    assert_eq!(fixture.repo.last_messages(&ada.scope, talk.id, 0).await.unwrap(), []);
    let read = |query, count| fixture.repo.read_messages(&ada.scope, talk.id, query, count);
    assert!(read(MessageQuery::first(7), None).await.unwrap() == said, "all");
    let counted = read(MessageQuery::default(), Some(MAX_PAGE_LEN + 1)).await.unwrap();
    assert!(counted == said[..=MAX_PAGE_LEN], "the first 1,001");
    let few = talk.say([message("one more")]).await;
    assert_eq!(fixture.repo.last_messages(&ada.scope, talk.id, 1).await.unwrap(), few);
}
