//! Branches of a long thread: what reading and searching them takes.

use chatkeep_domain::{
    BranchId, ConversationRepository as _, MessageQuery, MessageRepository as _, MessageSearch as _, Order,
    OrgId, Scope, SearchOrder, SearchQuery, ThreadId, ThreadQuery, ThreadRepository as _,
};
use chatkeep_postgres::PostgresRepository;
use uuid::Uuid;

use crate::fixture::{Store, reindex};
use crate::plans::{explain_all, open};

/// The messages of the main branch, of which each other one shows all, and those of each other one's own.
const MAIN: i64 = 20_000;
const OWN: i64 = 3;

/// Branch after branch, each off the head of the one before.
const BRANCHES: i64 = 999;

fn scope() -> Scope {
    Scope::org(OrgId::new("deep").expect("an id"))
}

fn thread() -> ThreadId {
    Uuid::from_u128(1).into()
}

/// Fills the database by itself.
async fn fill(store: &Store) {
    drop(store.open().await);
    store.execute("ALTER TABLE chat_message SET (autovacuum_enabled = off)").await;
    store.execute("ALTER TABLE chat_branch SET (autovacuum_enabled = off)").await;
    let (id, last) = (Uuid::from_u128(1), MAIN + OWN * BRANCHES);
    store
        .execute(&format!(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, head, next_position, message_count, next_branch,
                 active_branch, created_at, updated_at)
             VALUES ('deep', '{id}', 'ada', 't', '{{}}', {MAIN}, {last} + 1, {last}, {BRANCHES} + 1, {BRANCHES}, now(), now())"
        ))
        .await;
    let content = r#"'{"type":"text","text":"said ' || n || '","metadata":{"lot":' || n % 100 || '}}'"#;
    store
        .execute(&format!(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, branch, id, sender_role, content, created_at,
                 updated_at)
             SELECT 'deep', '{id}', n, CASE WHEN n <= {MAIN} THEN 0 ELSE (n - {MAIN} - 1) / {OWN} + 1 END, gen_random_uuid(), 'user', {content},
                 now(), now()
             FROM generate_series(1, {last}) n"
        ))
        .await;
    let start = format!("{MAIN} + {OWN} * (s - 1)");
    store
        .execute(&format!(
            "INSERT INTO chat_branch (org_id, chat_thread_id, branch, request, head, from_branch, from_position, created_at,
                 name, path_branch, path_after, path_through)
             SELECT 'deep', '{id}', b, gen_random_uuid(), {MAIN} + {OWN} * b, b - 1, {MAIN} + {OWN} * (b - 1), now(), '',
                 ARRAY(SELECT s FROM generate_series(0, b) s),
                 ARRAY(SELECT CASE s WHEN 0 THEN 0 ELSE {start} END FROM generate_series(0, b) s),
                 ARRAY(SELECT CASE s WHEN b THEN 9223372036854775807 ELSE {MAIN} + {OWN} * s END
                       FROM generate_series(0, b) s)
             FROM generate_series(1, {BRANCHES}) b"
        ))
        .await;
    assert_eq!(reindex(store, false).await.1, 0);
}

/// The number of rows that a step of this name gave, of all times that it was done. From PostgreSQL 18 on a plan has the average
/// with two decimals.
fn rows(plan: &str, step: &str) -> f64 {
    let actual = |line: &str| {
        let number = |name: &str| {
            let of_number = |char: char| char.is_ascii_digit() || char == '.';
            let digits = line.rsplit_once(name)?.1.split(|char| !of_number(char)).next()?;
            digits.parse::<f64>().ok()
        };
        Some(number("rows=")? * number("loops=")?)
    };
    plan.lines().filter(|line| line.contains(step)).filter_map(actual).sum()
}

/// A page of a branch from this end on, in its plan.
async fn page(repository: &PostgresRepository, branch: u32, order: Order) -> Vec<i64> {
    let query = MessageQuery::first(50).order(order).branch(BranchId::new(branch));
    let page = repository.list_messages(&scope(), thread(), &query).await.expect("a page");
    page.items.iter().map(|message| message.position.get()).collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_page_of_a_deep_branch_is_one_statement_that_reads_no_further() {
    let store = Store::new().await;
    fill(&store).await;
    explain_all(&store).await;
    let (_, name) = store.url.rsplit_once('/').expect("a URL with a database");
    store.execute(&format!("ALTER DATABASE {name} SET auto_explain.log_analyze = on")).await;
    for statistics in [false, true] {
        if statistics {
            store.execute("VACUUM ANALYZE").await;
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            let (repository, plans) = open(&store, mode).await;
            for (branch, depth) in [(1, 1), (64, 64), (999, 999)] {
                let head = MAIN + OWN * depth;
                for (order, expected) in [
                    (Order::NewestFirst, (head - 49..=head).rev().collect::<Vec<_>>()),
                    (Order::OldestFirst, (1..=50).collect()),
                ] {
                    assert_eq!(page(&repository, branch, order).await, expected);
                    let case = format!("{mode}, statistics {statistics}, {branch}, {order:?}");
                    let [plan] = &plans.take()[..] else { panic!("{case}: not one statement") };
                    assert!(
                        plan.contains("chat_branch_pkey") && !plan.contains("Seq Scan on chat_message"),
                        "{case}: {plan}"
                    );
                    let read = rows(plan, " on chat_message ");
                    assert!((49.5..=110.5).contains(&read), "{case}: {read} rows: {plan}");
                }
            }
            // The preview of a thread whose active branch is the deepest one.
            let listed = repository.list_threads(&scope(), &ThreadQuery::first(5).with_preview()).await;
            let preview = listed.expect("a list").items.remove(0).preview.expect("a preview");
            let last = preview.last_message.expect("a message");
            assert_eq!(last.position.get(), MAIN + OWN * BRANCHES);
            let [plan] = &plans.take()[..] else { panic!("not one statement") };
            assert!(!plan.contains("Seq Scan on chat_message"), "{plan}");
            assert!(rows(plan, " on chat_message ") <= 4.0, "{mode}: {plan}");
            repository.close().await.expect("it closes");
        }
    }
    store.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_search_on_branches_scans_no_table() {
    let store = Store::new().await;
    fill(&store).await;
    store.execute("VACUUM ANALYZE").await;
    explain_all(&store).await;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let (repository, plans) = open(&store, mode).await;
        for branch in [None, Some(BranchId::new(64)), Some(BranchId::new(999))] {
            for text in ["said", "17", "sa*", ""] {
                for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
                    let mut query = SearchQuery::new(text).thread(thread()).order(order).limit(20);
                    query.branch = branch;
                    let page = repository.search_messages(&scope(), &query).await.expect("a page");
                    assert_eq!(page.items.len(), if text == "17" { 1 } else { 20 }, "{text}, {branch:?}");
                    for plan in plans.take() {
                        assert!(!plan.contains("Seq Scan on chat_message"), "{mode}, {text}: {plan}");
                        if branch.is_some() && plan.contains("CTE near") {
                            // The segments are sorted, and what is read of them is in order then: a walk stops at its last hit.
                            let sorts = plan.matches("->  Sort ").count();
                            let scans = plan.matches("Function Scan on").count();
                            let stops = sorts <= scans && plan.contains("Incremental Sort");
                            assert!(stops, "{mode}, {text}: {plan}");
                        }
                    }
                }
            }
        }
        repository.close().await.expect("it closes");
    }
    store.remove().await;
}
