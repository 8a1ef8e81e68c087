//! SQLite scans no table for what is asked of it, with and without statistics.

use chatkeep_domain::{MessageSearch, OrgId, Scope, SearchOrder, SearchQuery};
use chatkeep_seaorm::SeaOrmRepository;
use sea_orm::{ConnectOptions, Database};

use crate::explained::query_plan;
use crate::fixture::Store;
use crate::heard::{Heard, Statements};
use crate::questions::{ask_lists, ask_searches, fill};

/// Plans depend on the statistics, and those little on the number.
const ROWS: i64 = 5_000;

async fn open(store: &Store) -> SeaOrmRepository {
    let mut options = ConnectOptions::new(&store.url);
    options.max_connections(1).sqlx_logging(true).sqlx_logging_level(tracing::log::LevelFilter::Debug);
    let connection = Database::connect(options).await.expect("the file");
    SeaOrmRepository::from_connection(connection, false).await.expect("a store")
}

/// Whether a step scans one of the tables, or its alias, which may also be that of a subquery beside it.
fn scans_a_table(plan: &str) -> bool {
    plan.lines().any(|step| {
        let indent = &step[..step.len() - step.trim_start().len()];
        let scanned = step.trim_start().strip_prefix("SCAN ").and_then(|step| step.split(' ').next());
        scanned.is_some_and(|scanned| {
            matches!(scanned, "chat_message" | "chat_thread" | "m" | "t")
                && !plan.lines().any(|step| step == format!("{indent}CO-ROUTINE {scanned}"))
        })
    })
}

async fn faults(store: &Store, asked: &[(String, Vec<String>)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, statements) in asked {
        assert!(statements.iter().any(|sql| sql.starts_with("SELECT")), "nothing was heard of {name}");
        for sql in statements {
            let plan = query_plan(&store.raw, sql).await;
            if scans_a_table(&plan) {
                faults.push(format!("## {name}\n{sql}\n{plan}"));
            }
        }
    }
    faults
}

#[tokio::test]
async fn no_question_scans_a_table() {
    let heard = Heard::default();
    // For all threads: the driver has one of its own. No other connection of these tests logs.
    tracing::subscriber::set_global_default(Statements(heard.clone())).expect("no other test listens");
    let store = Store::sqlite().await;
    fill(&store, ROWS).await;
    for statistics in [false, true] {
        if statistics {
            store.execute("ANALYZE").await;
        }
        let repository = open(&store).await;
        heard.take();
        let mut asked = Vec::new();
        ask_searches(&repository, |name| asked.push((name.to_owned(), heard.take()))).await;
        ask_lists(&repository, |name| asked.push((name.to_owned(), heard.take()))).await;
        let faults = faults(&store, &asked).await;
        assert!(faults.is_empty(), "{} with statistics {statistics}:\n{}", faults.len(), faults.join("\n"));

        // What an organization said last is read from the index in its order.
        let scope = Scope::org(OrgId::new("large").expect("an id"));
        for order in [SearchOrder::Newest, SearchOrder::Oldest] {
            let mut query = SearchQuery::default().order(order).limit(20);
            for _ in 0..2 {
                heard.take();
                let page = repository.search_messages(&scope, &query).await.expect("a page");
                query.cursor = page.next;
                let statements = heard.take();
                let [sql] = &statements[..] else { panic!("one statement a page: {statements:?}") };
                let plan = query_plan(&store.raw, sql).await;
                assert!(plan.contains("chat_message_recent") && !plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
    }
}
