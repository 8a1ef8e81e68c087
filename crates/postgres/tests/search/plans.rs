//! PostgreSQL scans no table for what is asked of it.

use chatkeep_domain::{
    ConversationRepository, ConversationRepositoryExt, MessageFilter, MessageQuery, MessageRepository as _,
    MessageSearch, OrgId, Position, Scope, SearchOrder, SearchQuery, ThreadQuery, ThreadRepository,
};
use chatkeep_postgres::PostgresRepository;

use crate::common::{at, message, message_id, scope, thread_id, three_messages};
use crate::explained::{Heard, explaining_proxy};
use crate::fixture::{Store, append, postgres_config};
use crate::questions::{ask_lists, ask_searches, fill};

/// More than PostgreSQL plans with the values in any case.
const TIMES: usize = 7;

/// Opens the database on one connection, whose plans are heard.
pub(crate) async fn open(store: &Store, mode: &str) -> (PostgresRepository, Heard) {
    open_with(store, &format!("&options[plan_cache_mode]={mode}")).await
}

async fn open_with(store: &Store, parameters: &str) -> (PostgresRepository, Heard) {
    let (url, plans) = explaining_proxy(&store.url).await;
    let url = format!("{url}{parameters}");
    let config = postgres_config(&url).pool_size(1).max_overflow(0);
    let repository = PostgresRepository::open(config).await.expect("the database is there");
    plans.take();
    (repository, plans)
}

/// A database with a thread of three messages.
async fn with_three_messages() -> Store {
    let store = Store::new().await;
    let repository = store.open().await;
    three_messages(&repository).await;
    repository.close().await.expect("it closes");
    store
}

/// Notes whose plans have a scan of a table, and that there are plans at all.
fn look(faults: &mut Vec<String>, name: &str, plans: &[String]) {
    assert!(plans.iter().any(|plan| plan.contains("plan:")), "no plan was heard for {name}: {plans:?}");
    let scans = |plan: &&String| {
        ["Seq Scan on chat_message", "Seq Scan on chat_thread"].iter().any(|scan| plan.contains(scan))
    };
    faults.extend(plans.iter().find(scans).map(|plan| format!("## {name}\n{plan}")));
}

/// Has every statement on the database explained, from the next connection on.
pub(crate) async fn explain_all(store: &Store) {
    let (_, name) = store.url.rsplit_once('/').expect("a URL with a database");
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_level = notice",
    ] {
        store.execute(&format!("ALTER DATABASE {name} SET {setting}")).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_thread_is_found_by_its_key_before_there_are_statistics() {
    let store = with_three_messages().await;
    // Its user makes many threads, and nobody has looked at the table yet.
    store.execute("ALTER TABLE chat_thread SET (autovacuum_enabled = off)").await;
    store
        .execute(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, created_at, updated_at)
             SELECT org_id, gen_random_uuid(), user_id, name, metadata, created_at, updated_at - n * interval '1 s'
             FROM chat_thread, generate_series(1, 1000) n",
        )
        .await;
    explain_all(&store).await;
    let (repository, plans) = open(&store, "auto").await;
    for number in 0..2 * TIMES as u128 {
        append(&repository, [message(10 + number, "more")]).await;
        repository.get_thread(&scope(), thread_id()).await.expect("it is there");
        repository.last_messages(&scope(), thread_id(), 1).await.expect("a message");
    }
    let plans = plans.take();
    assert_eq!(plans.len(), 6 * TIMES);
    for plan in &plans {
        assert!(plan.contains("chat_thread_pkey") && !plan.contains("chat_thread_recent"), "{plan}");
    }
    repository.close().await.expect("it closes");
    store.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_thread_is_found_by_its_key_where_other_organizations_are_small() {
    let store = with_three_messages().await;
    // As the other organizations are, PostgreSQL expects a thread of this one to be its only one.
    store
        .execute(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, created_at, updated_at)
             SELECT CASE WHEN n < 2000 THEN org_id ELSE 'org' || n END, gen_random_uuid(), user_id, name, metadata,
                    created_at, updated_at + n * interval '1 s'
             FROM chat_thread, generate_series(1, 20000) n",
        )
        .await;
    store
        .execute(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at, updated_at)
             SELECT org_id, id, 1, id, 'user', '{\"type\":\"text\",\"text\":\"x\"}', created_at, created_at FROM chat_thread
             WHERE head = 0",
        )
        .await;
    store.execute("VACUUM ANALYZE").await;
    explain_all(&store).await;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let (repository, plans) = open(&store, mode).await;
        append(&repository, [message(if mode == "force_custom_plan" { 10 } else { 11 }, "more")]).await;
        repository.get_thread(&scope(), thread_id()).await.expect("it is there");
        repository.get_message(&scope(), thread_id(), message_id(1)).await.expect("a message");
        repository.last_messages(&scope(), thread_id(), 1).await.expect("a message");
        let filtered = MessageQuery::newest(1).filter(MessageFilter::new().created(at(0), None));
        repository.list_messages(&scope(), thread_id(), &filtered).await.expect("a message");
        let nothing = MessageQuery::first(1).after(Position::new(1_000).expect("a position"));
        repository.list_messages(&scope(), thread_id(), &nothing).await.expect("an empty page");
        let by_key = plans.take();
        assert!(by_key.iter().filter(|plan| plan.contains("chat_thread_pkey")).count() >= 6, "{by_key:?}");
        repository.clear_messages(&scope(), thread_id(), at(1).into()).await.expect("it is cleared");
        for plan in by_key.iter().chain(&plans.take()) {
            for other in ["chat_thread_recent", "chat_thread_of_org", "chat_message_recent"] {
                assert!(!plan.contains(other), "{mode}: {plan}");
            }
            let is_by_id = plan.contains("-- One message.");
            assert_eq!(plan.contains("chat_message_id"), is_by_id, "{mode}: {plan}");
        }
        append(&repository, [message(1, "one")]).await;
        repository.close().await.expect("it closes");
    }
    store.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_plan_serves_all_values_unless_the_url_says_otherwise() {
    let store = with_three_messages().await;
    explain_all(&store).await;
    for (parameters, condition) in
        [("", "(org_id = $1)"), ("&options[plan_cache_mode]=force_custom_plan", "(org_id = 'acme'::text)")]
    {
        let (repository, plans) = open_with(&store, parameters).await;
        repository.last_messages(&scope(), thread_id(), 1).await.expect("a message");
        repository.list_threads(&scope(), &ThreadQuery::first(1)).await.expect("a thread");
        let plans = plans.take();
        assert!(plans.len() == 2 && plans.iter().all(|plan| plan.contains(condition)), "{plans:?}");
        repository.close().await.expect("it closes");
    }
    store.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_walk_sorts_nothing_before_there_are_statistics() {
    let store = with_three_messages().await;
    store.execute("ALTER TABLE chat_message SET (autovacuum_enabled = off)").await;
    store
        .execute(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at, updated_at,
                                       search, search_version)
             SELECT org_id, chat_thread_id, position + 3 * n, gen_random_uuid(), sender_role, content,
                    created_at + n * interval '1 s', updated_at, search, search_version
             FROM chat_message, generate_series(1, 10000) n",
        )
        .await;
    explain_all(&store).await;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let (repository, plans) = open(&store, mode).await;
        let scope = Scope::org(scope().org_id().expect("one").clone());
        for thread in [None, Some(thread_id())] {
            for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
                // Nothing begins so: it walks to the end.
                let mut query = SearchQuery::new("q*").order(order);
                query.thread = thread;
                repository.search_messages(&scope, &query).await.expect("an empty page");
                let plans = plans.take();
                let walks: Vec<_> = plans.iter().filter(|plan| plan.contains("CTE near")).collect();
                assert!(walks.len() >= 2, "{mode}, {order:?}: {plans:?}");
                for walk in walks {
                    let index = if thread.is_some() { "chat_message_pkey" } else { "chat_message_recent" };
                    assert!(walk.contains(index) && !walk.contains("Bitmap"), "{mode}, {order:?}: {walk}");
                    // What other branches have, of which there are none, is sorted before it is merged with the main one's.
                    let sorts = walk.matches("->  Sort ").count();
                    assert_eq!(sorts, walk.matches("on chat_branch").count(), "{mode}, {order:?}: {walk}");
                    assert_eq!(walk.contains("Merge Append"), thread.is_some(), "{mode}, {order:?}: {walk}");
                }
            }
        }
        repository.close().await.expect("it closes");
    }
    store.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn no_question_scans_a_table() {
    let store = Store::new().await;
    fill(&store).await;
    store.execute("VACUUM ANALYZE").await;
    explain_all(&store).await;
    let mut faults = Vec::new();
    // After five executions PostgreSQL goes on with one or the other, whichever it takes for the cheaper.
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let (repository, plans) = open(&store, mode).await;
        ask_searches(&repository, |name| look(&mut faults, &format!("{mode}: {name}"), &plans.take())).await;
        ask_lists(&repository, |name| look(&mut faults, &format!("{mode}: {name}"), &plans.take())).await;
        repository.close().await.expect("it closes");
    }
    assert!(faults.is_empty(), "{} plans:\n{}", faults.len(), faults.join("\n"));

    // However short the operator's words are, the index is asked for them: no other has all organizations' messages in order.
    let (repository, plans) = open(&store, "auto").await;
    for text in ["q*", "te*", "te* rare77"] {
        for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
            let query = SearchQuery::new(text).order(order).limit(20);
            repository.search_messages(&Scope::operator(), &query).await.expect("it is found");
            let plans = plans.take();
            look(&mut faults, text, &plans);
            let asks = |plan: &String| plan.contains("Bitmap Index Scan on chat_message_search");
            assert!(plans.iter().any(asks), "{text}, {order:?}: {plans:?}");
            assert!(!plans.iter().any(|plan| plan.contains("CTE near")), "{text}, {order:?}: {plans:?}");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    repository.close().await.expect("it closes");

    // What an organization said last is read from the index in its order, and no further than the page.
    let (repository, plans) = open(&store, "auto").await;
    let scope = Scope::org(OrgId::new("large").expect("an id"));
    for order in [SearchOrder::Newest, SearchOrder::Oldest] {
        let mut query = SearchQuery::default().order(order).limit(20);
        for _ in 0..TIMES {
            let page = repository.search_messages(&scope, &query).await;
            query.cursor = page.expect("a page").next;
            let [places, messages] = &plans.take()[..] else { panic!("two statements a page") };
            assert!(places.contains("chat_message_recent") && !places.contains("Sort"), "{places}");
            assert!(messages.contains("chat_message_pkey"), "{messages}");
        }
    }
    repository.close().await.expect("it closes");
    store.remove().await;
}
