//! What a scope reaches: an organization its users, the operator everybody.

use chatkeep_domain::{
    Append, MessageEdit, MessageQuery, OrgId, Scope, StoreError, ThreadAppend, ThreadQuery, ThreadUpdate,
};

use crate::fixture::{Fixture, Talk, Tenant, append_each, at, message, numbered, texts, thread_id};

/// Does everything there is to a thread of ada's as this scope, up to deleting it.
async fn work_through(ada: &Tenant, scope: &Scope) {
    let (talk, said) = Talk::with(ada, 2).await;
    let (repo, id) = (&ada.repo, talk.id);
    let update = ThreadUpdate::new(at(5)).name("renamed");
    repo.update_thread(scope, id, update).await.unwrap();
    repo.append(scope, id, Append::new([message("more")])).await.unwrap();
    let edit = MessageEdit::new("edited", at(6));
    repo.edit_message(scope, id, said[0].id, edit).await.unwrap();
    repo.delete_message(scope, id, said[1].id, at(7).into()).await.unwrap();
    let page = repo.list_messages(scope, id, &MessageQuery::default()).await.unwrap();
    assert_eq!(texts(&page.items), ["edited", "more"]);
    assert_eq!(repo.get_message(scope, id, said[0].id).await.unwrap(), page.items[0]);
    assert_eq!(repo.list_revisions(scope, id, said[0].id).await.unwrap().len(), 1);
    assert_eq!(repo.get_thread(scope, id).await.unwrap(), talk.thread().await);
    assert_eq!(talk.thread().await.name, "renamed");
    assert_eq!(repo.clear_messages(scope, id, at(8).into()).await.unwrap(), 2);
    assert_eq!(repo.delete_thread(scope, id, None).await.unwrap(), 0);
    assert_eq!(ada.list_ids(&ada.scope).await, []);
}

/// An organization sees and changes the threads of all its users.
pub(crate) async fn an_organization_reaches_the_threads_of_its_users(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    for tenant in [&ada, &bob] {
        work_through(tenant, &ada.org_scope()).await;
    }
    let mut expected = vec![ada.talk().await.id, bob.talk().await.id];
    let mut listed = ada.list_ids(&ada.org_scope()).await;
    expected.sort();
    listed.sort();
    assert_eq!(listed, expected);
}

/// The operator sees and changes the threads of every organization.
pub(crate) async fn the_operator_reaches_every_thread(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    for tenant in [&ada, &eve] {
        work_through(tenant, &Scope::operator()).await;
        let talk = tenant.talk().await;
        let mut query = ThreadQuery::default().org_id(tenant.org.clone());
        query.user_id = Some(tenant.user.clone());
        let page = fixture.repo.list_threads(&Scope::operator(), &query).await.unwrap();
        assert_eq!(page.items, [talk.thread().await]);
    }
}

/// The operator's list goes over all organizations.
pub(crate) async fn the_operator_lists_every_organization(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    // Ahead of what other cases store at the same time, so that a page or two are enough.
    let ahead = "9999-01-01T00:00:00Z".parse().expect("a moment");
    let mut expected = Vec::new();
    for tenant in [&ada, &eve] {
        let new = with!(tenant.new_thread(), created_at: ahead);
        expected.push(tenant.create(new).await.unwrap());
    }
    let mut query = ThreadQuery::first(1_000);
    while !expected.is_empty() {
        let page = fixture.repo.list_threads(&Scope::operator(), &query).await.unwrap();
        expected.retain(|thread| !page.items.contains(thread));
        let Some(next) = page.next else { break };
        query = query.behind(next);
    }
    assert_eq!(expected, [], "threads that the operator's list lacks");
}

/// An id of two organizations is refused to the operator, for reads and for writes, and neither thread changes.
pub(crate) async fn an_ambiguous_id_is_refused_to_the_operator(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let (hers, said) = Talk::with(&ada, 2).await;
    let new = with!(eve.new_thread(), id: hers.id);
    let theirs = eve.talk_from(new).await;
    let mut same = message("same id");
    same.id = said[0].id;
    theirs.say([same]).await;
    let before = (hers.snapshot().await, theirs.snapshot().await);
    let (operator, id, held) = (&Scope::operator(), hers.id, said[0].id);
    let update = ThreadUpdate::new(at(9)).name("x");
    let edit = MessageEdit::new("x", at(9));
    for refused in [
        fixture.repo.get_thread(operator, id).await.map(drop),
        fixture.repo.update_thread(operator, id, update).await.map(drop),
        fixture.repo.delete_thread(operator, id, None).await.map(drop),
        append_each(&fixture.repo, [ThreadAppend::new(operator.clone(), id, Append::new(numbered(1)))])
            .await
            .remove(0)
            .map(drop),
        fixture.repo.append(operator, id, Append::new(numbered(1))).await.map(drop),
        fixture.repo.get_message(operator, id, held).await.map(drop),
        fixture.repo.list_messages(operator, id, &MessageQuery::default()).await.map(drop),
        fixture.repo.edit_message(operator, id, held, edit).await.map(drop),
        fixture.repo.list_revisions(operator, id, held).await.map(drop),
        fixture.repo.delete_message(operator, id, held, at(9).into()).await,
        fixture.repo.clear_messages(operator, id, at(9).into()).await.map(drop),
    ] {
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "thread_id");
    }
    assert_eq!((hers.snapshot().await, theirs.snapshot().await), before);
    let told_apart = fixture.repo.get_thread(&eve.org_scope(), id).await.unwrap();
    assert_eq!(told_apart.org_id, eve.org, "the organization says which is meant");
}

/// Ids of organizations and users are compared byte by byte: no case, space or normal form is folded.
pub(crate) async fn owners_are_compared_byte_by_byte(fixture: Fixture) {
    let stem = thread_id();
    let spellings = ["ada", "Ada", "ada ", " ada", "ad\u{e1}", "ada\u{301}", "ada%", "ad_", "ａｄａ"];
    let mut talks = Vec::new();
    for spelling in spellings {
        for (org, user) in [(format!("{stem}-org"), spelling), (format!("{stem}-{spelling}"), "ada")] {
            let tenant = Tenant::of(&fixture.repo, &org, user);
            let thread = tenant.talk().await.thread().await;
            assert_eq!((thread.org_id.as_str(), thread.user_id.as_str()), (org.as_str(), user));
            talks.push((tenant, thread.id));
        }
    }
    for (tenant, id) in &talks {
        assert_eq!(tenant.list_ids(&tenant.scope).await, [*id], "the list of {:?}", tenant.scope);
        for (_, other) in talks.iter().filter(|(_, other)| other != id) {
            let hidden = fixture.repo.get_thread(&tenant.scope, *other).await;
            assert_refused!(hidden, StoreError::NotFound { .. }, "for {:?}", tenant.scope);
        }
    }
}

/// Ids of organizations and users may be 255 bytes of any text without control characters.
pub(crate) async fn owners_may_have_long_names_of_any_script(fixture: Fixture) {
    let stem = OrgId::new(thread_id().to_string()).expect("an org id");
    let room = 255 - stem.as_str().len();
    for filler in ["x", "é", "🦀", "'", "\"", "\\", "%", "/", "\u{202e}"] {
        let org = format!("{stem}{}", filler.repeat(room / filler.len()));
        let tenant = Tenant::of(&fixture.repo, &org, &filler.repeat(255 / filler.len()));
        let (talk, _) = Talk::with(&tenant, 1).await;
        let thread = talk.thread().await;
        assert_eq!((thread.org_id, thread.user_id), (tenant.org.clone(), tenant.user.clone()));
        assert_eq!(tenant.list_ids(&tenant.scope).await, [talk.id]);
    }
}
