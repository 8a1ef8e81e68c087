//! The list of new words, and who cleans it.

use std::time::Duration;

use chatkeep_domain::{ConversationRepository as _, MAX_BATCH_LEN, SearchQuery};

use crate::common::{create_thread, message};
use crate::fixture::{Store, append, found, on_postgres};

on_postgres!(what_another_process_left_is_cleaned_after_it, appends_go_on_where_too_many_wait);

/// What `chatkeep_clean_search` locks.
const LOCK: &str = "'chat_message_search'::regclass::oid::bigint + 7162258618228580352";

/// Long enough for any machine: what is waited for comes in a second or two.
const AT_ALL: Duration = Duration::from_mins(2);

/// Of the store's connections, those that asked last for the list to be cleaned.
const ASKED: &str =
    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'
     AND pid <> pg_backend_pid() AND query = 'SELECT chatkeep_clean_search()'";

const LISTED: &str = "SELECT n_pending_pages FROM gin_metapage_info(get_raw_page('chat_message_search', 0))";

/// Takes the lock, as another process would have it, and keeps autovacuum from cleaning.
async fn hold(store: &Store) {
    store.execute("CREATE EXTENSION pageinspect").await;
    store.execute("ALTER TABLE chat_message SET (autovacuum_enabled = off)").await;
    store.execute(&format!("SELECT pg_advisory_lock({LOCK})")).await;
}

async fn release(store: &Store) {
    store.execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await;
}

async fn until(store: &Store, sql: &str, is_so: impl Fn(i64) -> bool) {
    let wait = async {
        while !is_so(store.number(sql).await) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(AT_ALL, wait).await.unwrap_or_else(|_| panic!("it stays as it is: {sql}"));
}

async fn what_another_process_left_is_cleaned_after_it(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    hold(&store).await;
    append(&repository, [message(1, "one")]).await;
    until(&store, ASKED, |asked| asked > 0).await;
    // That was in vain.
    assert!(store.number(LISTED).await > 0);
    assert_eq!(found(&repository, SearchQuery::new("one")).await, [1]);
    release(&store).await;
    until(&store, LISTED, |pages| pages == 0).await;
    assert_eq!(found(&repository, SearchQuery::new("one")).await, [1]);
}

async fn appends_go_on_where_too_many_wait(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    hold(&store).await;
    // More than may wait.
    let (many, rounds) = (MAX_BATCH_LEN as u128, 4);
    for round in 0..rounds {
        append(&repository, (0..many).map(|number| message(1 + round * many + number, "one"))).await;
    }
    // Nobody cleans, and so each is held up.
    let before = i64::try_from(rounds * many).unwrap();
    for number in 1..=3 {
        let appended = append(&repository, [message(1_000_000 + number, "late")]).await;
        assert_eq!(appended, [before + i64::try_from(number).unwrap()]);
    }
    release(&store).await;
    until(&store, LISTED, |pages| pages == 0).await;
    assert_eq!(found(&repository, SearchQuery::new("late")).await, [before + 1, before + 2, before + 3]);
    repository.close().await.unwrap();
    store.remove().await;
}
