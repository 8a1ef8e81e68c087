//! Reads of branches.

use chatkeep_domain::{
    BranchId, Entity, MessageFilter, MessageQuery, Order, Role, StoreError, ThreadQuery, ThreadUpdate,
    next_message,
};
use serde_json::json;

use crate::fixture::branches::position;
use crate::fixture::search::{tagged, with_metadata};
use crate::fixture::{Fixture, Talk, at, message, numbered, texts};

const MAIN: BranchId = BranchId::MAIN;

/// A thread with a branch of a branch: main has "0" to "9", the first starts behind "5" and has "a" to "c", the second starts
/// behind "b" and has "x" and "y".
pub(super) async fn tree(fixture: &Fixture) -> (Talk, BranchId, BranchId) {
    let (talk, _) = Talk::with(&fixture.tenant(), 10).await;
    let first = talk.branch(MAIN, 6).await;
    let own = talk.say_on(first, ["a", "b", "c"].map(message)).await;
    let second = talk.branch(first, own[1].position.get()).await;
    talk.say_on(second, ["x", "y"].map(message)).await;
    (talk, first, second)
}

/// Pages of a branch go on over all its parts, both ways and whatever their limit.
pub(crate) async fn pages_of_a_branch_go_on_over_its_parts(fixture: Fixture) {
    let (talk, _, second) = tree(&fixture).await;
    let whole = "0 1 2 3 4 5 a b x y";
    assert_eq!(talk.heard(second).await, whole);
    for limit in [1, 2, 7, 10, 50] {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (mut query, mut read) = (MessageQuery::first(limit).order(order).branch(second), Vec::new());
            loop {
                let page = talk.page(&query).await.unwrap();
                assert_eq!(page.version, Some(talk.thread().await.version));
                read.extend(page.items);
                let Some(next) = page.next else { break };
                query = query.behind(next);
            }
            if order == Order::NewestFirst {
                read.reverse();
            }
            assert_eq!(texts(&read).join(" "), whole, "by {limit}, {order:?}");
        }
    }
}

/// Positions, offsets and filters count along the branch.
pub(crate) async fn a_query_of_a_branch_counts_along_it(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let heard = async |query: MessageQuery| texts(&talk.read(&query.branch(second)).await).join(" ");
    let at_b = talk.shown(first).await[7].position;
    assert_eq!(heard(MessageQuery::first(9).after(at_b)).await, "x y");
    assert_eq!(heard(MessageQuery::newest(3).before(at_b)).await, "a 5 4");
    assert_eq!(heard(MessageQuery::first(9).after(position(4)).before(at_b)).await, "4 5 a");
    assert_eq!(heard(MessageQuery::first(4).offset(5)).await, "5 a b x");
    assert_eq!(heard(MessageQuery::newest(2).offset(3)).await, "a 5");
    assert_eq!(heard(MessageQuery::first(9).filter(MessageFilter::new().role(Role::System))).await, "");
}

/// Filters, on roles and on metadata, find what the branch shows and nothing else.
pub(crate) async fn filters_find_what_the_branch_shows(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let tagged_as = |text: &str, tag: i32, role| with!(message(with_metadata(text, &json!({"tag": tag}))), sender_role: role);
    talk.say([
        tagged_as("0", 1, Role::System),
        tagged_as("1", 2, Role::User),
        tagged_as("2", 1, Role::System),
    ])
    .await;
    let branch = talk.branch(MAIN, 2).await;
    talk.say_on(branch, [tagged_as("a", 1, Role::User), tagged_as("b", 2, Role::System)]).await;
    for (filter, on_main, on_branch) in [
        (MessageFilter::new().role(Role::System), "0 2", "0 b"),
        (MessageFilter::new().metadata(tagged("/tag", 1)), "0 2", "0 a"),
        (MessageFilter::new().metadata(tagged("/tag", 2)).role(Role::System), "", "b"),
    ] {
        for (on, heard) in [(MAIN, on_main), (branch, on_branch)] {
            let query = MessageQuery::first(9).branch(on).filter(filter.clone());
            assert_eq!(texts(&talk.read(&query).await).join(" "), heard, "on {on}");
        }
    }
}

/// A cursor of one branch does not fit another.
pub(crate) async fn a_cursor_is_bound_to_its_branch(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let next = talk.page(&MessageQuery::newest(2).branch(first)).await.unwrap().next.expect("there is more");
    assert!(talk.page(&MessageQuery::newest(2).branch(first).behind(next.clone())).await.is_ok());
    for other in [MAIN, second] {
        let refused = talk.page(&MessageQuery::newest(2).branch(other).behind(next.clone())).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
    }
    // Nor one that has the place of a deleted one.
    talk.delete_branch(second).await.unwrap();
    talk.delete_branch(first).await.unwrap();
    let again = talk.branch(MAIN, 6).await;
    let refused = talk.page(&MessageQuery::newest(2).branch(again).behind(next)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
}

/// A stream of a branch gives what it shows, in both orders and behind a cursor.
pub(crate) async fn a_branch_is_streamed(fixture: Fixture) {
    let (talk, _, second) = tree(&fixture).await;
    let query = MessageQuery::first(3).branch(second);
    assert_eq!(talk.streamed(&query).await, talk.shown(second).await);
    let newest = talk.streamed(&query.clone().order(Order::NewestFirst)).await;
    assert_eq!(texts(&newest)[..3], ["y", "x", "b"]);
    let next = talk.page(&query).await.unwrap().next.expect("there is more");
    assert_eq!(talk.streamed(&query.behind(next)).await, talk.shown(second).await[3..]);
}

/// A branch that is not there is not found, by every way to read it, whatever is known.
pub(crate) async fn an_absent_branch_has_no_messages(fixture: Fixture) {
    let (talk, _, second) = tree(&fixture).await;
    talk.delete_branch(second).await.unwrap();
    let version = talk.thread().await.version;
    for absent in [second, BranchId::new(99)] {
        for query in
            [MessageQuery::newest(5), MessageQuery::first(0), MessageQuery::newest(5).after(position(900))]
        {
            let query = query.branch(absent);
            assert_refused!(talk.page(&query).await, StoreError::NotFound { entity: Entity::Branch, .. });
            for known in [version, version.next()] {
                let refused = talk.page_unless(&query, known).await;
                assert_refused!(refused, StoreError::NotFound { entity: Entity::Branch, .. });
            }
            let streamed = next_message(&mut talk.stream(&query)).await.expect("an error");
            assert_refused!(streamed, StoreError::NotFound { entity: Entity::Branch, .. });
        }
    }
}

/// A message is found by its id on whichever branch it is; an edit and a delete in a shared part are seen on all branches.
pub(crate) async fn what_is_shared_changes_on_all_branches(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let shown = talk.shown(second).await;
    for message in &shown {
        assert_eq!(talk.get(message.id).await.unwrap(), *message);
    }
    let edited = talk.edit(shown[1].id, "edited", at(3)).await.unwrap();
    assert_eq!((edited.branch, edited.position), (MAIN, position(2)));
    talk.edit(shown[7].id, "B", at(3)).await.unwrap();
    talk.delete_message(shown[0].id, at(4)).await.unwrap();
    talk.delete_message(shown[6].id, at(4)).await.unwrap();
    for (branch, heard) in
        [(MAIN, "edited 2 3 4 5 6 7 8 9"), (first, "edited 2 3 4 5 B c"), (second, "edited 2 3 4 5 B x y")]
    {
        assert_eq!(talk.heard(branch).await, heard, "on {branch}");
    }
}

/// A page of a branch is given again after a write to any branch, and not without one.
pub(crate) async fn a_page_of_a_branch_is_given_unless_nothing_changed(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let query = MessageQuery::newest(4).branch(second);
    let version = talk.page(&query).await.unwrap().version.expect("a version");
    assert_eq!(talk.page_unless(&query, version).await.unwrap(), None);
    talk.say_on(first, numbered(1)).await;
    let page = talk.page_unless(&query, version).await.unwrap();
    assert_eq!(page, Some(talk.page(&query).await.unwrap()));
}

/// A preview has the last message of the active branch, and counts those of all branches.
pub(crate) async fn a_preview_is_of_the_active_branch(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let bare = talk.branch(MAIN, 3).await;
    for (branch, last) in [(MAIN, "9"), (first, "c"), (second, "y"), (bare, "2")] {
        talk.update(ThreadUpdate::new(at(1)).active_branch(branch)).await.unwrap();
        let listed = talk.tenant.list(&ThreadQuery::default().with_preview()).await.unwrap().items;
        let preview = listed[0].preview.clone().expect("a preview");
        assert_eq!(preview.last_message.expect("a message").content.as_text(), Some(last), "on {branch}");
        assert_eq!(preview.message_count, 15);
    }
}
