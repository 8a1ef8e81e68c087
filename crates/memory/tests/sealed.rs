//! Contents that a codec seals.

mod toy;

use std::sync::Arc;

use chatkeep_domain::search::{SearchOrder, SearchQuery};
use chatkeep_domain::{
    Append, ChatMessage, ConversationRepositoryExt as _, IdGenerator as _, MessageEdit, MessageFilter,
    MessageQuery, MessageRepository as _, MessageSearch as _, MetadataFilter, NewMessage, NewThread, OrgId,
    Role, Scope, StoreError, ThreadId, ThreadRepository as _, Timestamp, UserId, UuidV7Generator,
};
use chatkeep_memory::MemoryRepository;

use crate::toy::Toy;

struct Talk {
    codec: Arc<Toy>,
    store: MemoryRepository,
    scope: Scope,
    thread: ThreadId,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
}

/// A thread with these messages.
async fn talk(texts: &[&str]) -> (Talk, Vec<ChatMessage>) {
    let codec = Arc::new(Toy::default());
    let store = MemoryRepository::with_codec(Arc::clone(&codec) as _);
    let (org, user) = (OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"));
    let scope = Scope::user(org.clone(), user.clone());
    let thread = UuidV7Generator.thread_id();
    store.create_thread(&scope, NewThread::new(thread, org, user, "sealed", at(0))).await.expect("a thread");
    let messages =
        texts.iter().map(|text| NewMessage::new(UuidV7Generator.message_id(), Role::User, *text, at(1)));
    let append = Append::new(messages.collect::<Vec<_>>());
    let stored = store.append(&scope, thread, append).await.expect("an append");
    (Talk { codec, store, scope, thread }, stored.messages)
}

fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().filter_map(|message| message.content.as_text()).collect()
}

#[tokio::test]
async fn a_list_ends_ahead_of_what_cannot_be_opened_and_goes_on_behind_it() {
    let (talk, stored) = talk(&["one", "two", "three"]).await;
    talk.codec.lose(stored[1].id);
    let list = async |query| talk.store.list_messages(&talk.scope, talk.thread, &query).await;

    let page = list(MessageQuery::default()).await.expect("a page");
    assert_eq!(texts(&page.items), ["one"]);
    let next = page.next.expect("more");
    let Err(StoreError::CorruptRow { id, behind: Some(behind), .. }) =
        list(MessageQuery::default().behind(next)).await
    else {
        panic!("the message that cannot be opened is not named")
    };
    assert_eq!(id, stored[1].id.to_string());
    let page = list(MessageQuery::default().behind(behind)).await.expect("a page");
    assert_eq!(texts(&page.items), ["three"]);
}

#[tokio::test]
async fn what_cannot_be_opened_costs_no_neighbour_of_its_own_search() {
    let (talk, stored) = talk(&["a stone", "a lost stone", "another stone"]).await;
    let search = async |text: &str| {
        let query = SearchQuery::new(text).order(SearchOrder::Oldest);
        talk.store.search_messages(&talk.scope, &query).await
    };
    talk.codec.lose(stored[1].id);
    let page = search("stone").await.expect("a page");
    let found: Vec<_> = page.items.iter().map(|hit| hit.message.position).collect();
    assert_eq!(found, [stored[0].position], "a page ends ahead of it");
    assert!(page.next.is_some(), "and says that there is more");
    let error = search("lost").await.expect_err("nothing is hidden");
    assert!(matches!(error, StoreError::CorruptRow { .. }), "{error}");
}

#[tokio::test]
async fn metadata_that_is_sealed_is_filtered_by() {
    let (talk, stored) = talk(&["one"]).await;
    let content =
        stored[0].content.clone().with_metadata([("topic".to_owned(), "tea".into())].into_iter().collect());
    let edit = MessageEdit::new(content, at(2));
    talk.store.edit_message(&talk.scope, talk.thread, stored[0].id, edit).await.expect("an edit");
    for (topic, found) in [("tea", 1), ("milk", 0)] {
        let filter = MessageFilter::new().metadata(MetadataFilter::new("/topic", topic).expect("a filter"));
        let page =
            talk.store.list_messages(&talk.scope, talk.thread, &MessageQuery::default().filter(filter)).await;
        assert_eq!(page.expect("a page").items.len(), found, "{topic}");
    }
    assert_eq!(
        texts(&talk.store.last_messages(&talk.scope, talk.thread, 1).await.expect("the last")),
        ["one"]
    );
}
