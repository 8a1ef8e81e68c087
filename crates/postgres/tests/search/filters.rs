//! Filters on metadata at their limits, and beside what cannot be read.

use chatkeep_domain::{
    MAX_METADATA_FILTERS, MessageFilter, MessageQuery, MessageRepository, MessageSearch, MetadataFilter,
    SearchOrder, SearchQuery, StoreError, ThreadQuery, ThreadRepository, ThreadUpdate,
};
use chatkeep_postgres::DriverError;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::common::{at, create_thread, execute, message, scope, thread_id};
use crate::fixture::{Store, append, metadata, on_postgres};

on_postgres!(
    a_value_of_a_thousand_values_is_looked_for,
    a_corrupt_message_behind_a_page_leaves_it_alone,
    a_search_goes_on_behind_a_corrupt_message,
    a_refused_search_is_not_quoted,
);

fn numbers(count: usize) -> Value {
    vec![7; count].into()
}

/// 64 values are those that an index keeps.
async fn a_value_of_a_thousand_values_is_looked_for(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    for count in [9, 64, 65, 1_000, 2_000] {
        let data = metadata(json!({"a": numbers(count)}));
        let mut tagged = message(count as u128, "tagged");
        tagged.content = tagged.content.with_metadata(data.clone());
        append(&repository, [tagged]).await;
        let mut update = ThreadUpdate::new(at(1));
        update.metadata = Some(data);
        repository.update_thread(&scope(), thread_id(), update).await.unwrap();

        for (asked, expected) in [(count, 1), (count + 1, 0)] {
            let filter = MetadataFilter::new("/a", numbers(asked)).unwrap();
            let threads = ThreadQuery::default().metadata(filter.clone());
            assert_eq!(
                repository.list_threads(&scope(), &threads).await.unwrap().items.len(),
                expected,
                "{asked}"
            );
            let messages = MessageQuery::default().filter(MessageFilter::new().metadata(filter.clone()));
            let page = repository.list_messages(&scope(), thread_id(), &messages).await.unwrap();
            assert_eq!(page.items.len(), expected, "{asked}");
            let search = SearchQuery::new("tagged").filter(MessageFilter::new().metadata(filter));
            let page = repository.search_messages(&scope(), &search).await.unwrap();
            assert_eq!(page.items.len(), expected, "{asked}");
        }
    }
}

async fn a_corrupt_message_behind_a_page_leaves_it_alone(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    append(
        &repository,
        (1..=20).map(|number| {
            let mut tagged = message(number, "tagged");
            tagged.content = tagged.content.with_metadata(metadata(json!({"k": 1})));
            tagged
        }),
    )
    .await;
    execute(&store.raw, "UPDATE chat_message SET content = 'no json' WHERE position = 10").await;
    let filter = MetadataFilter::new("/k", 1).unwrap();
    let query = MessageQuery::first(3).filter(MessageFilter::new().metadata(filter)).offset(2);
    let page = repository.list_messages(&scope(), thread_id(), &query).await.unwrap();
    let positions: Vec<_> = page.items.iter().map(|message| message.position.get()).collect();
    assert_eq!(positions, [3, 4, 5]);
    let further = query.behind(page.next.unwrap()).limit(9);
    let page = repository.list_messages(&scope(), thread_id(), &further).await.unwrap();
    assert_eq!(page.items.len(), 4);
    let further = further.behind(page.next.unwrap());
    let error = repository.list_messages(&scope(), thread_id(), &further).await.unwrap_err();
    let StoreError::CorruptRow { behind: Some(behind), .. } = error else { panic!("{error:?}") };
    let page = repository.list_messages(&scope(), thread_id(), &further.behind(behind)).await.unwrap();
    assert_eq!(page.items[0].position.get(), 11);
}

async fn a_search_goes_on_behind_a_corrupt_message(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    append(&repository, (1..=20).map(|number| message(number, "tagged"))).await;
    execute(&store.raw, "UPDATE chat_message SET content = 'no json' WHERE position = 10").await;
    for query in [SearchQuery::new("tagged"), SearchQuery::new("tagged").thread(thread_id())] {
        let mut query = query.order(SearchOrder::Oldest).limit(15);
        let (mut found, mut corrupt) = (Vec::new(), 0);
        loop {
            let next = match repository.search_messages(&scope(), &query).await {
                Ok(page) => {
                    found.extend(page.items.iter().map(|hit| hit.message.position.get()));
                    page.next
                }
                Err(StoreError::CorruptRow { behind, .. }) => {
                    corrupt += 1;
                    assert!(behind.is_some(), "it says where the search goes on");
                    behind
                }
                Err(error) => panic!("{error:?}"),
            };
            match next {
                Some(next) => query = query.behind(next),
                None => break,
            }
        }
        assert_eq!((found, corrupt), ((1..=9).chain(11..=20).collect(), 1));
    }
}

/// No question of the grammar is refused: what the driver says of one is asked for beside the store.
async fn a_refused_search_is_not_quoted(store: Store) {
    let repository = store.open().await;
    create_thread(&repository).await.unwrap();
    let mut query = SearchQuery::new("secretword OR secretphrase*");
    for key in 0..MAX_METADATA_FILTERS {
        query.filter =
            query.filter.metadata(MetadataFilter::new(format!("/k{key}"), numbers(2_000)).unwrap());
    }
    assert!(repository.search_messages(&scope(), &query).await.unwrap().items.is_empty());

    let refused = "SELECT CAST('secretword secretword' AS tsquery)";
    let error = store.raw.execute_unprepared(refused).await.unwrap_err();
    let by_itself = error.to_string();
    let error = DriverError::from(error);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("secretword"), "{shown}, of {by_itself}");
}
