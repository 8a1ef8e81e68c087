//! Forks.

use chatkeep_domain::{
    BranchId, BranchPoint, Entity, Fork, ForkPoint, MessageFilter, SearchQuery, StoreError, ThreadQuery,
    ThreadUpdate, Version,
};

use crate::cases::branches::reads::tree;
use crate::fixture::branches::{branching, position};
use crate::fixture::{Fixture, Talk, Tenant, at, message, numbered, thread_id};

const MAIN: BranchId = BranchId::MAIN;

/// A fork has what the branch shows up to the point, on its main branch, with ids, positions, contents and revisions; and it
/// remembers where it comes from.
pub(crate) async fn a_fork_has_what_the_branch_shows(fixture: Fixture) {
    let (talk, first, second) = tree(&fixture).await;
    let shown = talk.shown(second).await;
    talk.edit(shown[6].id, "A", at(3)).await.unwrap();
    talk.edit(shown[6].id, "AA", at(4)).await.unwrap();
    talk.delete_message(shown[2].id, at(5)).await.unwrap();
    for (branch, through, heard) in [
        (second, 15, "0 1 3 4 5 AA b x y"),
        (second, 14, "0 1 3 4 5 AA b x"),
        (first, 8, "0 1 3 4 5"),
        (MAIN, 0, ""),
    ] {
        let new = talk.tenant.new_thread().with_version(Version::new(70).unwrap());
        let point = BranchPoint::new(branch, position(through));
        let forked = branching(&fixture.repo)
            .fork_thread(&talk.tenant.scope, talk.id, Fork::new(new.clone(), point))
            .await
            .unwrap();
        let fork = Talk::of(&talk.tenant, new.id);
        assert_eq!(forked, fork.thread().await);
        assert_eq!((forked.forked_from, forked.version), (Some(ForkPoint::new(talk.id, point)), new.version));
        assert_eq!(
            (&forked.name, forked.created_at, forked.head),
            (&new.name, new.created_at, position(through))
        );
        assert_eq!(fork.heard(MAIN).await, heard);
        assert_eq!(fork.branches().await.len(), 1);
        for copy in fork.all().await {
            let origin = talk.get(copy.id).await.unwrap();
            assert_eq!(with!(origin, chat_thread_id: fork.id, branch: MAIN), copy);
            assert_eq!(fork.revisions(copy.id).await.unwrap(), talk.revisions(copy.id).await.unwrap());
        }
    }
}

/// What is done to a fork is not done to its origin, nor the other way round; its positions go on behind the point.
pub(crate) async fn a_fork_goes_its_own_way(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 4).await;
    let (fork, _) = talk.fork(MAIN, 3).await.unwrap();
    let before = talk.snapshot().await;
    let next = fork.say([message("next")]).await;
    assert_eq!(next[0].position, position(4));
    fork.edit(said[0].id, "edited", at(3)).await.unwrap();
    fork.delete_message(said[1].id, at(3)).await.unwrap();
    let branch = fork.branch(MAIN, 2).await;
    fork.say_on(branch, numbered(1)).await;
    assert_eq!(talk.snapshot().await, before);
    talk.edit(said[2].id, "other", at(4)).await.unwrap();
    talk.clear(at(5)).await.unwrap();
    assert_eq!(fork.heard(MAIN).await, "edited 2 next");
}

/// A fork stays as it is when its origin is deleted, and a fork of a fork when that is.
pub(crate) async fn a_fork_outlives_its_origin(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    talk.edit(said[1].id, "edited", at(2)).await.unwrap();
    let (fork, _) = talk.fork(MAIN, 3).await.unwrap();
    let (second, _) = fork.fork(MAIN, 2).await.unwrap();
    talk.delete().await.unwrap();
    let whole = fork.snapshot().await;
    assert_eq!((fork.heard(MAIN).await, whole.2[1].len()), ("0 edited 2".to_owned(), 1));
    assert_eq!(whole.0.forked_from.map(|from| from.thread), Some(talk.id));
    fork.delete().await.unwrap();
    assert_eq!(second.heard(MAIN).await, "0 edited");
}

/// Forking again with the same id gives the fork as it is by now, and changes nothing.
pub(crate) async fn forking_again_gives_the_fork(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let fork = Fork::new(talk.tenant.new_thread(), BranchPoint::new(MAIN, position(2)));
    let forks = async |fork: &Fork| {
        branching(&fixture.repo).fork_thread(&talk.tenant.scope, talk.id, fork.clone()).await
    };
    let id = forks(&fork).await.unwrap().id;
    let copy = Talk::of(&talk.tenant, id);
    copy.say(numbered(1)).await;
    talk.say(numbered(2)).await;
    let before = copy.snapshot().await;
    assert_eq!(forks(&fork).await.unwrap(), before.0);
    assert_eq!(copy.snapshot().await, before);
}

/// A fork of a branch or a thread that is not there is not found, and one from behind the head is refused; no thread is made.
pub(crate) async fn a_fork_from_nothing_is_refused(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    assert_refused!(
        talk.fork(BranchId::new(3), 1).await,
        StoreError::NotFound { entity: Entity::Branch, .. }
    );
    assert_refused!(talk.fork(MAIN, 4).await, StoreError::InvalidArgument(error) if error.field == "from");
    let absent = Talk::of(&talk.tenant, thread_id());
    assert_refused!(absent.fork(MAIN, 0).await, StoreError::NotFound { entity: Entity::Thread, .. });
    let other = fixture.tenant();
    let scope = chatkeep_domain::Scope::operator();
    let fork = Fork::new(other.new_thread(), BranchPoint::new(MAIN, position(1)));
    let refused = branching(&fixture.repo).fork_thread(&scope, talk.id, fork).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "org_id");
    assert_eq!(talk.tenant.list_ids(&talk.tenant.scope).await, [talk.id]);
    assert_eq!(other.list_ids(&other.scope).await, []);
}

/// A thread that is no fork from this point has its id: the id is taken, and the thread stays as it is.
pub(crate) async fn an_id_that_is_no_such_fork_is_taken(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let (plain, _) = Talk::with(&talk.tenant, 1).await;
    let (fork, _) = talk.fork(MAIN, 2).await.unwrap();
    for taken in [&plain, &fork] {
        let before = taken.snapshot().await;
        let new = with!(talk.tenant.new_thread(), id: taken.id);
        let elsewhere = Fork::new(new, BranchPoint::new(MAIN, position(1)));
        let refused = branching(&fixture.repo).fork_thread(&talk.tenant.scope, talk.id, elsewhere).await;
        assert_refused!(refused, StoreError::AlreadyExists { entity: Entity::Thread, .. });
        assert_eq!(taken.snapshot().await, before);
    }
}

/// The forks of a thread are listed, whoever asks and whatever became of it; others are not.
pub(crate) async fn forks_of_a_thread_are_listed(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let (one, _) = talk.fork(MAIN, 1).await.unwrap();
    let (other, _) = talk.fork(MAIN, 2).await.unwrap();
    let (of_one, _) = one.fork(MAIN, 1).await.unwrap();
    one.update(ThreadUpdate::new(at(90))).await.unwrap();
    let forks = async |of: &Talk| {
        let page = of.tenant.list(&ThreadQuery::default().forked_from(of.id)).await.unwrap();
        page.items.iter().map(|thread| thread.id).collect::<Vec<_>>()
    };
    assert_eq!(forks(&talk).await, [one.id, other.id]);
    assert_eq!((forks(&one).await, forks(&of_one).await), (vec![of_one.id], vec![]));
    talk.delete().await.unwrap();
    assert_eq!(forks(&talk).await, [one.id, other.id]);
    let page = talk.tenant.list(&ThreadQuery::first(1).forked_from(talk.id)).await.unwrap();
    let rest = ThreadQuery::first(5).forked_from(talk.id).behind(page.next.expect("there is more"));
    assert_eq!(talk.tenant.list(&rest).await.unwrap().items[0].id, other.id);
}

/// Who sees a whole organization may fork a thread for another of its users; a user for nobody else.
pub(crate) async fn a_fork_may_be_another_users_of_the_organization(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let bob = talk.tenant.colleague();
    let point = BranchPoint::new(MAIN, position(2));
    let org = Tenant { scope: talk.tenant.org_scope(), ..talk.tenant.clone() };
    let forked =
        branching(&fixture.repo).fork_thread(&org.scope, talk.id, Fork::new(bob.new_thread(), point)).await;
    let fork = Talk::of(&bob, forked.unwrap().id);
    assert_eq!(fork.heard(MAIN).await, "0 1");
    let refused = branching(&fixture.repo)
        .fork_thread(&talk.tenant.scope, talk.id, Fork::new(bob.new_thread(), point))
        .await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "owner");
    assert_eq!(bob.list_ids(&bob.scope).await, [fork.id]);
}

/// The words of a fork are found in it, and not those that are only in its origin.
pub(crate) async fn the_words_of_a_fork_are_found(fixture: Fixture) {
    let talk = fixture.tenant().says(["shared words", "words of the origin"]).await;
    let (fork, _) = talk.fork(MAIN, 1).await.unwrap();
    let in_fork = async |text: &str| talk.tenant.found(&SearchQuery::new(text).thread(fork.id)).await;
    assert_eq!((in_fork("words").await, in_fork("origin").await), ("shared words".to_owned(), String::new()));
    fork.say([message("words of the fork")]).await;
    assert_eq!(in_fork("words").await, "words of the fork / shared words");
    talk.delete().await.unwrap();
    assert_eq!(talk.tenant.found_by("shared").await, "shared words");
}

/// A fork for another user is found by that user, with the senders of its messages, and its origin by the origin's alone.
pub(crate) async fn a_fork_is_found_by_its_own_user(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    let talk = ada.talk().await;
    let senders = [("words of ada", Some(&ada)), ("words of bob", Some(&bob)), ("nobody's words", None)];
    let said = senders.map(|(text, sender)| {
        let mut new = message(text);
        new.sender_id = sender.map(|sender| sender.user.clone());
        new
    });
    talk.say(said).await;
    let fork = Fork::new(bob.new_thread(), BranchPoint::new(MAIN, position(3)));
    branching(&fixture.repo).fork_thread(&ada.org_scope(), talk.id, fork).await.unwrap();
    for tenant in [&ada, &bob] {
        assert_eq!(tenant.found_by("words").await, "words of ada / words of bob / nobody's words");
        for (expected, sender) in [("words of ada", &ada), ("words of bob", &bob)] {
            let filter = MessageFilter::new().sender_id(sender.user.clone());
            assert_eq!(tenant.found(&SearchQuery::new("words").filter(filter)).await, expected);
        }
    }
}
