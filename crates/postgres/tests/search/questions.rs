//! A large database, and everything that may be asked of it.

use chatkeep_domain::{
    MessageFilter, MessageQuery, MessageRepository, MessageSearch, MetadataFilter, OrgId, Role, Scope,
    SearchOrder, SearchQuery, ThreadId, ThreadQuery, ThreadRepository, Timestamp, UserId,
};
use chatkeep_postgres::PostgresRepository;
use uuid::Uuid;

use crate::common::at;
use crate::fixture::{Store, reindex};

/// Threads and messages each. Six of ten are the large organization's; its user `u1` has ten of a hundred of them, and
/// its first thread 20,000 messages.
const ROWS: i64 = 100_000;

/// One word in all messages, one in ten, in a hundred, in ten thousand of them; metadata in all, in one of a hundred.
const CONTENT: &str = r#"'{"type":"text","text":"every tenth' || (n % 10) || ' hundredth' || (n % 100) || ' some phrase of'
    || ' words rare' || (n / 10) || '","metadata":{"kind":"chat","lot":' || (n % 100) || '}}'"#;

/// Fills the database by itself, and indexes it.
pub(crate) async fn fill(store: &Store) {
    drop(store.open().await);
    let uuid = |number: &str| format!("lpad(to_hex({number}), 32, '0')::uuid");
    let numbers = format!("generate_series(0, {ROWS} - 1) AS s(n)");
    let moment = "to_timestamp(1700000000 + n)";
    let org = "CASE WHEN n % 10 < 6 THEN 'large' ELSE 'small' || (n % 40) END";
    store
        .execute(&format!(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, next_position, created_at, updated_at)
             SELECT {org}, {}, 'u' || (n / 10 % 10), 'Thread ' || n, '{{\"lot\":' || (n % 100) || '}}', 100000,
                 {moment}, {moment} FROM {numbers}",
            uuid("n")
        ))
        .await;
    // A fifth of the messages are in the first thread, the others one in each.
    let thread = format!("CASE WHEN n < {ROWS} / 5 THEN 0 ELSE n END");
    store
        .execute(&format!(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content,
                 created_at, updated_at)
             SELECT CASE WHEN n < {ROWS} / 5 THEN 'large' ELSE {org} END, {}, n + 1, {}, 's' || (n % 50),
                 CASE WHEN n % 100 = 0 THEN 'system' WHEN n % 2 = 0 THEN 'user' ELSE 'assistant' END, {CONTENT},
                 {moment}, {moment} FROM {numbers}",
            uuid(&thread),
            uuid("n + 1000000")
        ))
        .await;
    assert_eq!(reindex(store, false).await, (2 * ROWS.unsigned_abs(), 0));
}

fn org() -> OrgId {
    OrgId::new("large").expect("an id")
}

fn user() -> UserId {
    UserId::new("u1").expect("an id")
}

fn sender() -> UserId {
    UserId::new("s7").expect("an id")
}

fn long_thread() -> ThreadId {
    Uuid::nil().into()
}

fn lot(number: i64) -> MetadataFilter {
    MetadataFilter::new("/lot", number).expect("a filter")
}

/// What is asked for of the messages that are found, besides who may see them and the order.
fn searches() -> Vec<(String, SearchQuery)> {
    let mut searches: Vec<_> = [
        "every",
        "tenth3",
        "hundredth7",
        "rare77",
        "\"some phrase of words\"",
        "hund*",
        "tenth1 OR rare9",
        "every -tenth3",
    ]
    .into_iter()
    .map(|text| (text.to_owned(), SearchQuery::new(text)))
    .collect();
    for (name, filter) in message_filters((at(10_000), at(60_000))) {
        searches.push((name.to_owned(), SearchQuery::default().filter(filter)));
    }
    let all = message_filters((at(10_000), at(60_000))).pop().expect("all filters").1;
    searches.push(("all filters and a word".to_owned(), SearchQuery::new("hundredth7").filter(all)));
    searches
}

/// Each filter of messages alone, and all together.
fn message_filters((from, until): (Timestamp, Timestamp)) -> Vec<(&'static str, MessageFilter)> {
    let filter = MessageFilter::new;
    vec![
        ("nothing", filter()),
        ("role", filter().role(Role::System)),
        ("sender", filter().sender_id(sender())),
        ("dates", filter().created(from, until)),
        ("metadata", filter().metadata(lot(7))),
        (
            "all filters",
            filter().role(Role::Assistant).sender_id(sender()).created(from, None).metadata(lot(7)),
        ),
    ]
}

/// Asks for a first page and the one behind it, and hands over what each is called.
pub(crate) async fn ask_searches(repository: &PostgresRepository, mut asked: impl FnMut(&str)) {
    let scopes = [
        ("organization", Scope::org(org()), None),
        ("user", Scope::user(org(), user()), None),
        ("thread", Scope::org(org()), Some(long_thread())),
    ];
    for (who, scope, thread) in scopes {
        for (what, search) in searches() {
            for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
                let mut query = search.clone().order(order).limit(20);
                query.thread = thread;
                let name = format!("search of {what} in {who}, {order:?}");
                let page = repository.search_messages(&scope, &query).await.expect("it is found");
                asked(&name);
                let Some(next) = page.next else { continue };
                query.cursor = Some(next);
                repository.search_messages(&scope, &query).await.expect("it is found");
                asked(&format!("{name}, second page"));
            }
        }
    }
}

pub(crate) async fn ask_lists(repository: &PostgresRepository, mut asked: impl FnMut(&str)) {
    let scope = Scope::org(org());
    for (what, filter) in message_filters((at(10_000), at(15_000))) {
        let query = MessageQuery::default().filter(filter);
        for order in [chatkeep_domain::Order::OldestFirst, chatkeep_domain::Order::NewestFirst] {
            let query = query.clone().order(order).limit(20);
            let name = format!("messages by {what}, {order:?}");
            let page = repository.list_messages(&scope, long_thread(), &query).await.expect("a list");
            asked(&name);
            let Some(next) = page.next else { continue };
            repository.list_messages(&scope, long_thread(), &query.behind(next)).await.expect("a list");
            asked(&format!("{name}, second page"));
        }
    }
    for (who, scope) in [("organization", Scope::org(org())), ("user", Scope::user(org(), user()))] {
        for (what, query) in [
            ("nothing", ThreadQuery::first(20)),
            ("nothing, with previews", ThreadQuery::first(20).with_preview()),
            ("name", ThreadQuery::first(20).name_contains("thread 7")),
            ("rare name", ThreadQuery::first(20).name_contains("thread 77771")),
            ("absent name", ThreadQuery::first(20).name_contains("absent")),
            ("created", ThreadQuery::first(20).created(at(10_000), at(20_000))),
            ("updated", ThreadQuery::first(20).updated(at(10_000), at(20_000))),
            ("metadata", ThreadQuery::first(20).metadata(lot(11))),
            ("absent metadata", ThreadQuery::first(20).metadata(lot(1_000))),
            (
                "all filters",
                ThreadQuery::first(20)
                    .name_contains("thread")
                    .created(at(1), None)
                    .updated(at(1), None)
                    .metadata(lot(11)),
            ),
        ] {
            let name = format!("threads of {who} by {what}");
            let page = repository.list_threads(&scope, &query).await.expect("a list");
            asked(&name);
            let Some(next) = page.next else { continue };
            repository.list_threads(&scope, &query.behind(next)).await.expect("a list");
            asked(&format!("{name}, second page"));
        }
    }
}
