//! The operations, and what each takes.

use std::pin::Pin;

use chatkeep_domain::{
    Append, MessageEdit, MessageFilter, MessageId, MessageQuery, MessageRepository, MessageSearch,
    MetadataFilter, NewMessage, Position, SearchOrder, SearchQuery, SearchReading, StoreError, ThreadAppend,
    ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate, Version, next_message,
};
use chatkeep_postgres::PostgresRepository;
use uuid::Uuid;

use crate::common::{at, message, message_id, new_thread, scope};

pub(crate) type Run = for<'a> fn(&'a PostgresRepository, u128) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Statements that succeeded, and round trips.
    pub(crate) takes: (i64, u64),
    /// Does it in a round of its own: on threads that no other round has.
    pub(crate) run: Run,
}

pub(crate) const fn operation(name: &'static str, takes: (i64, u64), run: Run) -> Operation {
    Operation { name, takes, run }
}

/// One after the other: each leaves what the next ones need.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    operation("create_thread", (1, 1), |store, round| Box::pin(create(store, round))),
    operation("create_thread that is there", (2, 2), |store, round| Box::pin(create(store, round))),
    operation("get_thread", (1, 1), |store, round| Box::pin(async move {
        store.get_thread(&scope(), thread(round, 0)).await.unwrap();
    })),
    operation("get_thread that is absent", (1, 1), |store, round| Box::pin(async move {
        absent(store.get_thread(&scope(), thread(round, ABSENT)).await);
    })),
    operation("list_threads", (1, 1), |store, _| Box::pin(async move {
        let page = store.list_threads(&scope(), &ThreadQuery::first(50)).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (50, true));
    })),
    operation("update_thread", (1, 1), |store, round| Box::pin(async move {
        store.update_thread(&scope(), thread(round, 0), ThreadUpdate::new(at(1)).name("new")).await.unwrap();
    })),
    operation("append of 1", (1, 1), |store, round| Box::pin(append(store, round, 100..101))),
    operation("append of 100", (1, 1), |store, round| Box::pin(append(store, round, 200..300))),
    operation("append that is stored", (4, 5), |store, round| Box::pin(append(store, round, 100..101))),
    operation("append of 2, one of them stored", (5, 6), |store, round| Box::pin(append(store, round, 100..102))),
    operation("append with expect_head", (1, 1), |store, round| Box::pin(async move {
        let append = Append::new(messages(round, 300..301)).expect_head(Position::ZERO);
        store.append(&scope(), thread(round, 1), append).await.unwrap();
    })),
    operation("append with a lost expect_head", (5, 5), |store, round| Box::pin(async move {
        let append = Append::new(messages(round, 301..302)).expect_head(Position::ZERO);
        let lost = store.append(&scope(), thread(round, 1), append).await;
        assert!(matches!(lost, Err(StoreError::Conflict { .. })), "{lost:?}");
    })),
    operation("append to an absent thread", (4, 4), |store, round| Box::pin(async move {
        let append = Append::new(messages(round, 301..302));
        absent(store.append(&scope(), thread(round, ABSENT), append).await);
    })),
    operation("append_each of 64 to 64 threads", (1, 1), |store, round| Box::pin(async move {
        let answers = store.append_each((0..64).map(|number| to(round, number, 400 + number)).collect()).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    })),
    operation("append_each of 64, one thread absent", (5, 5), |store, round| Box::pin(async move {
        let threads = (0..64).map(|number| if number == 7 { ABSENT } else { number });
        let appends = threads.zip(500..).map(|(number, message)| to(round, number, message));
        let mut answers = store.append_each(appends.collect()).await;
        absent(answers.remove(7));
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    })),
    operation("get_message", (1, 1), |store, round| Box::pin(async move {
        store.get_message(&scope(), thread(round, 0), id(round, 100)).await.unwrap();
    })),
    operation("get_message that is absent", (1, 1), |store, round| Box::pin(async move {
        absent(store.get_message(&scope(), thread(round, 0), id(round, ABSENT)).await);
    })),
    operation("list_messages, the last 50", (1, 1), |store, round| Box::pin(async move {
        let page = store.list_messages(&scope(), thread(round, 0), &MessageQuery::newest(50)).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (50, true));
    })),
    operation("list_messages of an empty thread", (1, 1), |store, round| Box::pin(async move {
        let page = store.list_messages(&scope(), thread(round, CREATED), &MessageQuery::newest(50)).await.unwrap();
        assert!(page.items.is_empty());
    })),
    operation("list_messages of an absent thread", (1, 1), |store, round| Box::pin(async move {
        absent(store.list_messages(&scope(), thread(round, ABSENT), &MessageQuery::newest(50)).await);
    })),
    operation("list_messages by metadata", (1, 1), |store, round| Box::pin(async move {
        let filter = MessageFilter::new().metadata(MetadataFilter::new("/lot", 7).unwrap());
        let query = MessageQuery::newest(50).filter(filter);
        assert!(store.list_messages(&scope(), thread(round, 0), &query).await.unwrap().items.is_empty());
    })),
    operation("list_messages_unless, and it changed", (1, 1), |store, round| Box::pin(async move {
        let query = MessageQuery::newest(50);
        let page = store.list_messages_unless(&scope(), thread(round, 0), &query, Version::beginning(0)).await;
        assert_eq!(page.unwrap().unwrap().items.len(), 50);
    })),
    operation("get_thread and list_messages_unless, and it did not", (2, 2), |store, round| Box::pin(async move {
        let version = store.get_thread(&scope(), thread(round, 0)).await.unwrap().version;
        let query = MessageQuery::newest(50);
        let page = store.list_messages_unless(&scope(), thread(round, 0), &query, version).await;
        assert_eq!(page.unwrap(), None);
    })),
    operation("list_threads with previews", (1, 1), |store, _| Box::pin(async move {
        let page = store.list_threads(&scope(), &ThreadQuery::first(5).with_preview()).await.unwrap();
        assert!(page.items.iter().all(|thread| thread.preview.is_some()));
    })),
    operation("stream_messages, three pages long", (2, 2), |store, round| Box::pin(async move {
        let scope = scope();
        let mut stream = store.stream_messages(&scope, thread(round, 0), MessageQuery::first(50));
        let mut count = 0;
        while let Some(message) = next_message(&mut stream).await {
            message.unwrap();
            count += 1;
        }
        assert!(count > 100, "{count}");
    })),
    operation("search_messages", (1, 1), |store, _| Box::pin(async move {
        let page = store.search_messages(&scope(), &SearchQuery::new("said").limit(20)).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (20, true));
    })),
    operation("search_messages in a thread", (1, 1), |store, round| Box::pin(async move {
        let query = SearchQuery::new("said").thread(thread(round, 0)).limit(20);
        assert_eq!(store.search_messages(&scope(), &query).await.unwrap().items.len(), 20);
    })),
    // The places of all, and then the messages, a hundred at a time.
    operation("search_messages by relevance in a thread", (3, 3), |store, round| Box::pin(async move {
        let query = SearchQuery::new("said").thread(thread(round, 0)).order(SearchOrder::Relevance).limit(20);
        assert_eq!(store.search_messages(&scope(), &query).await.unwrap().items.len(), 20);
    })),
    operation("search_messages that finds nothing", (1, 1), |store, _| Box::pin(async move {
        assert_eq!(read_as(store, "unsaid").await, (0, SearchReading::Query));
    })),
    operation("search_messages that excludes, and finds", (1, 1), |store, _| Box::pin(async move {
        assert_eq!(read_as(store, "said -unsaid").await, (20, SearchReading::Query));
    })),
    operation("search_messages that excludes, and finds only as text", (2, 2), |store, _| Box::pin(async move {
        assert_eq!(read_as(store, "said -said").await, (20, SearchReading::Text));
    })),
    operation("search_messages that excludes alone", (1, 1), |store, _| Box::pin(async move {
        assert_eq!(read_as(store, "-said").await, (20, SearchReading::Text));
    })),
    operation("edit_message", (6, 6), |store, round| Box::pin(edit(store, round))),
    operation("edit_message to what it says", (4, 4), |store, round| Box::pin(edit(store, round))),
    operation("list_revisions", (1, 1), |store, round| Box::pin(async move {
        let revisions = store.list_revisions(&scope(), thread(round, 0), id(round, 100)).await.unwrap();
        assert_eq!(revisions.len(), 1);
    })),
    operation("delete_message", (1, 1), |store, round| Box::pin(async move {
        store.delete_message(&scope(), thread(round, 0), id(round, 100), at(3).into()).await.unwrap();
    })),
    operation("clear_messages", (4, 4), |store, round| Box::pin(async move {
        assert!(store.clear_messages(&scope(), thread(round, 0), at(4).into()).await.unwrap() > 100);
    })),
    operation("delete_thread", (1, 1), |store, round| Box::pin(async move {
        assert!(store.delete_thread(&scope(), thread(round, 1), None).await.unwrap() > 0);
    })),
    operation("delete_thread that is absent", (1, 1), |store, round| Box::pin(async move {
        absent(store.delete_thread(&scope(), thread(round, ABSENT), None).await);
    })),
];

/// How many hits a search has, and how its text was read.
async fn read_as(store: &PostgresRepository, text: &str) -> (usize, SearchReading) {
    let page = store.search_messages(&scope(), &SearchQuery::new(text).limit(20)).await.unwrap();
    (page.items.len(), page.reading)
}

/// The number of a thread and of a message that no round has.
const ABSENT: u128 = 999;

/// The number of the thread that an operation creates.
const CREATED: u128 = 900;

/// The threads of a round, all empty.
pub(crate) async fn set_up(store: &PostgresRepository, round: u128) {
    for number in 0..64 {
        let mut new = new_thread();
        new.id = thread(round, number);
        store.create_thread(&scope(), new).await.expect("the thread is new");
    }
}

pub(crate) fn thread(round: u128, number: u128) -> ThreadId {
    Uuid::from_u128((round + 1) * 1_000_000 + number).into()
}

fn id(round: u128, number: u128) -> MessageId {
    message_id((round + 1) * 1_000_000 + number)
}

pub(crate) fn messages(round: u128, numbers: std::ops::Range<u128>) -> Vec<NewMessage> {
    let new = |number| {
        let mut new = message(0, "as it was said");
        new.id = id(round, number);
        new
    };
    numbers.map(new).collect()
}

fn to(round: u128, number: u128, message: u128) -> ThreadAppend {
    ThreadAppend::new(scope(), thread(round, number), Append::new(messages(round, message..message + 1)))
}

async fn create(store: &PostgresRepository, round: u128) {
    let mut new = new_thread();
    new.id = thread(round, CREATED);
    store.create_thread(&scope(), new).await.unwrap();
}

async fn append(store: &PostgresRepository, round: u128, numbers: std::ops::Range<u128>) {
    let messages = messages(round, numbers);
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    let stored = store.append(&scope(), thread(round, 0), Append::new(messages)).await.unwrap();
    assert_eq!(stored.messages.iter().map(|message| message.id).collect::<Vec<_>>(), ids);
}

async fn edit(store: &PostgresRepository, round: u128) {
    let edit = MessageEdit::new("as it was meant", at(2));
    store.edit_message(&scope(), thread(round, 0), id(round, 100), edit).await.unwrap();
}

pub(crate) fn absent<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    let error = answer.expect_err("it is absent");
    assert!(error.is_not_found(), "{error:?}");
}
