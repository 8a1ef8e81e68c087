use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatkeep_domain::{
    BranchId, ChatMessage, ChatThread, Clock, Cursor, MessageFilter, MessageQuery, MetadataFilter,
    MockConversationRepository, Page, Role, SearchOrder, SearchPage, SearchQuery, SearchReading, StoreError,
    ThreadId, ThreadQuery, Timestamp, UserId,
};
use chatkeep_memory::MemoryRepository;
use serde_json::{Value, json};

use super::StateManager;
use crate::testing::{scope, unavailable};
use crate::{Error, MessageInput};

fn memory() -> StateManager {
    StateManager::new(Arc::new(MemoryRepository::new()), scope())
}

fn mocked(mock: MockConversationRepository) -> StateManager {
    StateManager::new(Arc::new(mock), scope())
}

/// A store that expects this search, and nothing else.
fn expecting(expected: SearchQuery) -> StateManager {
    let mut mock = MockConversationRepository::new();
    mock.expect_search_messages()
        .times(1)
        .withf(move |of, query| *of == scope() && *query == expected)
        .returning(|_, _| Ok(SearchPage::empty()));
    searching(mock)
}

/// A store that searches as the mock says: what a mock hands out cannot be the mock itself.
fn searching(mock: MockConversationRepository) -> StateManager {
    let searcher: &'static MockConversationRepository = Box::leak(Box::new(mock));
    let mut mock = MockConversationRepository::new();
    mock.expect_search().returning(move || Some(searcher));
    mocked(mock)
}

fn thread() -> ThreadId {
    "0198c0de-0000-7000-8000-000000000001".parse().unwrap()
}

fn bob() -> UserId {
    UserId::new("bob").unwrap()
}

fn moments() -> (Timestamp, Timestamp) {
    let from = "2030-01-01T00:00:00Z".parse().unwrap();
    (from, from + Duration::from_secs(1))
}

fn filters() -> Vec<MetadataFilter> {
    let filter = |path, value: Value| MetadataFilter::new(path, value).unwrap();
    vec![filter("/tier", json!("gold")), filter("/seat", json!(42))]
}

/// A second later each time that it is asked.
#[derive(Debug, Default)]
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn now(&self) -> Timestamp {
        moments().0 + Duration::from_secs(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

fn texts<'a>(messages: impl IntoIterator<Item = &'a ChatMessage>) -> Vec<&'a str> {
    messages.into_iter().map(|message| message.content.as_text().unwrap()).collect()
}

#[tokio::test]
async fn what_a_search_says_reaches_the_store() {
    let (from, until) = moments();
    let filter = MessageFilter::new().role(Role::Tool).sender_id(bob()).created(from, until);
    let filter = filters().into_iter().fold(filter, MessageFilter::metadata);
    let query = SearchQuery::new("monad").filter(filter).order(SearchOrder::Relevance).limit(7);
    let query = query.behind(Cursor::from("somewhere"));
    assert_eq!(expecting(query.clone()).search(query.clone()).await.unwrap(), SearchPage::empty());
    let in_thread = expecting(query.clone().thread(thread()).branch(BranchId::MAIN));
    in_thread.conversation(thread()).search(query).await.unwrap();
    expecting(SearchQuery::new("monad")).search("monad").await.unwrap();
}

#[tokio::test]
async fn a_store_that_declines_to_search_is_told_as_unsupported() {
    let state = StateManager::new(Arc::new(MemoryRepository::without_search()), scope());
    let error = state.search("monad").await.unwrap_err();
    assert_eq!(error.to_string(), "memory does not support search");
}

#[tokio::test]
async fn a_conversation_searches_itself_and_a_manager_searches_all() {
    let state = memory();
    let first = state.conversation(state.create_thread("first").await.unwrap().id);
    first.add_message(Role::User, "a monad").await.unwrap();
    let second = state.conversation(state.create_thread("second").await.unwrap().id);
    second.add_messages([(Role::User, "another monad"), (Role::Assistant, "a burrito")]).await.unwrap();

    let found = state.search("monad").await.unwrap().items;
    assert_eq!(texts(found.iter().map(|hit| &hit.message)), ["another monad", "a monad"]);
    let found = second.search("monad").await.unwrap().items;
    assert_eq!(texts(found.iter().map(|hit| &hit.message)), ["another monad"]);
    let found = first.search("").await.unwrap().items;
    assert_eq!(texts(found.iter().map(|hit| &hit.message)), ["a monad"]);
    assert_eq!(found[0].thread_name, "first");

    let oldest = SearchQuery::new("monad").order(SearchOrder::Oldest);
    let page = state.search(oldest.clone().limit(1)).await.unwrap();
    let rest = state.search(oldest.behind(page.next.unwrap())).await.unwrap();
    assert_eq!(texts(rest.items.iter().map(|hit| &hit.message)), ["another monad"]);
    assert!(state.conversation(thread()).search("x").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_page_says_how_its_text_was_read() {
    let state = memory();
    let chat = state.conversation(state.create_thread("shell").await.unwrap().id);
    chat.add_messages((0..3).map(|_| (Role::User, "I ran rm -rf node_modules"))).await.unwrap();
    let pasted = SearchQuery::new("rm -rf node_modules");
    let page = state.search(pasted.clone().limit(2)).await.unwrap();
    assert_eq!((page.items.len(), page.reading), (2, SearchReading::Text));
    let rest = state.search(pasted.behind(page.next.unwrap())).await.unwrap();
    assert_eq!((rest.items.len(), rest.reading), (1, SearchReading::Text));
    assert_eq!(chat.search("ran -burrito").await.unwrap().reading, SearchReading::Query);
}

#[tokio::test]
async fn a_search_that_cannot_be_made_says_why() {
    let mut mock = MockConversationRepository::new();
    mock.expect_search_messages().returning(|_, _| Err(unavailable()));
    assert!(searching(mock).search("x").await.unwrap_err().is_transient());
    let error = memory().search(SearchQuery::new("x").limit(1_001)).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::InvalidArgument(_))));
}

#[tokio::test]
async fn messages_between_two_moments_are_those_of_the_thread_in_order() {
    let state = memory().with_clock(Arc::new(Seconds::default()));
    let chat = state.conversation(state.create_thread("first").await.unwrap().id);
    chat.add_message(Role::User, "1").await.unwrap();
    let second = chat.add_message(Role::User, "2").await.unwrap().created_at;
    let third = chat.add_message(Role::User, "3").await.unwrap().created_at;

    assert_eq!(texts(&chat.messages_between(None, None).await.unwrap()), ["1", "2", "3"]);
    assert_eq!(texts(&chat.messages_between(second, None).await.unwrap()), ["2", "3"]);
    assert_eq!(texts(&chat.messages_between(None, third).await.unwrap()), ["1", "2"]);
    assert_eq!(texts(&chat.messages_between(second, third).limit(9).await.unwrap()), ["2"]);
    assert_eq!(texts(&chat.messages_between(third, second).await.unwrap()), [""; 0]);
    let other = state.conversation(state.create_thread("second").await.unwrap().id);
    assert_eq!(texts(&other.messages_between(second, None).await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn what_a_list_says_reaches_the_store() {
    let (from, until) = moments();
    let filter = filters().into_iter().fold(MessageFilter::new().sender_id(bob()), MessageFilter::metadata);
    let page = MessageQuery::first(7).filter(filter.clone());
    let all = page.clone().limit(1_000);
    let threads = ThreadQuery::first(3).name_contains("weather").created(from, None).updated(None, until);
    let mut mock = MockConversationRepository::new();
    for expected in [all, page] {
        mock.expect_list_messages()
            .times(1)
            .withf(move |of, id, query| *of == scope() && *id == thread() && *query == expected)
            .returning(|_, _, _| Ok(Page::empty()));
    }
    let expected = threads.clone();
    mock.expect_list_threads()
        .times(1)
        .withf(move |of, query| *of == scope() && *query == expected)
        .returning(|_, _| Ok(Page::<ChatThread>::empty()));
    let state = mocked(mock);
    let request = || state.conversation(thread()).get_messages().filter(filter.clone());
    request().await.unwrap();
    request().limit(7).page(None).await.unwrap();
    state.list_threads(&threads).await.unwrap();
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let state = memory();
    let gold = || serde_json::from_value(json!({"customer": {"tier": "gold"}})).unwrap();
    let chat = state.conversation(state.create_thread("Übersicht").metadata(gold()).await.unwrap().id);
    let marked = MessageInput::new(Role::User, "marked").metadata(gold()).sender(bob());
    chat.add_messages([marked, (Role::User, "plain").into()]).await.unwrap();
    state.create_thread("other").await.unwrap();

    let of = |page: Page<ChatThread>| -> Vec<String> {
        page.items.into_iter().map(|thread| thread.name).collect()
    };
    let tier = |tier: &str| MetadataFilter::new("/customer/tier", tier).unwrap();
    let threads = ThreadQuery::default();
    let named = threads.clone().name_contains("UBER");
    assert_eq!(of(state.list_threads(&named).await.unwrap()), ["Übersicht"]);
    assert_eq!(of(state.list_threads(&threads.clone().metadata(tier("gold"))).await.unwrap()), ["Übersicht"]);
    assert_eq!(of(state.list_threads(&threads.metadata(tier("tin"))).await.unwrap()), [""; 0]);

    let of_gold = SearchQuery::default().filter(MessageFilter::new().metadata(tier("gold")));
    let found = state.search(of_gold).await.unwrap().items;
    assert_eq!(texts(found.iter().map(|hit| &hit.message)), ["marked"]);
    let his = MessageFilter::new().sender_id(bob());
    assert_eq!(texts(&chat.get_messages().filter(his).await.unwrap()), ["marked"]);
}

#[test]
fn debug_shows_nothing_that_is_looked_for() {
    let tier = MetadataFilter::new("/tier", "secret").unwrap();
    let filter = MessageFilter::new().metadata(tier.clone());
    let search = SearchQuery::new("secret").filter(filter.clone());
    let list = ThreadQuery::default().name_contains("secret").metadata(tier);
    let messages = memory().conversation(thread()).get_messages().filter(filter);
    let shown = format!("{search:?} {list:?} {messages:?}");
    assert!(!shown.contains("secret"), "{shown}");
    assert_eq!((shown.matches("/tier").count(), shown.matches("6 bytes").count()), (3, 2), "{shown}");
}
