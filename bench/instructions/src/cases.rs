//! The paths that every user of chatkeep is on, without a database: what the client's side costs.

use std::hint::black_box;

use chatkeep::domain::search::{SearchCandidate, SearchDocument, SearchPlan};
use chatkeep::domain::window::{Candidate, WindowLimits, select};
use chatkeep::domain::{Append, ThreadKey};
use chatkeep::{
    Content, Conversation, ConversationHistory, MemoryRepository, MessageFilter, MessageQuery, Position,
    Role, SearchQuery, ThreadQuery,
};

use crate::counted;
use crate::fixed::{TEXT, at, conversation, message, new_message, now, org, thread};

/// The messages that a prompt usually takes.
const LAST: usize = 50;

/// Fewer than the store takes in at a time: behind those it lets others come first, and nothing here waits.
const FINDABLE: usize = 900;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// How many `run` is to do. The hashes of the standard library are seeded at random, and where two fall together there
    /// is more to do: over many operations that is lost.
    pub(crate) operations: usize,
    pub(crate) run: fn(usize),
}

pub(crate) const CASES: &[Case] = &[
    // One message through `Conversation`.
    Case {
        name: "append",
        operations: 2_000,
        run: |count| append(MemoryRepository::without_search(), count),
    },
    // The same by default, until a search finds it: all are appended, then the first search takes their words in.
    Case { name: "append_findable", operations: FINDABLE, run: append_findable },
    // What an append is to a SQL store before the first byte is sent: checks, JSON, words.
    Case { name: "prepare", operations: 500, run: prepare },
    // The last 50 messages of a thread in memory, of a thousand.
    Case { name: "last_50", operations: 100, run: last },
    // The contents of 50 messages from their JSON.
    Case { name: "decode_50", operations: 100, run: decode },
    // A message into a window that is full.
    Case { name: "window", operations: 1_000, run: window },
    // Which 50 of 100 stored messages fit: a history that is loaded.
    Case { name: "select_50_of_100", operations: 100, run: select_window },
    // A query as people type it, before the first read.
    Case { name: "parse_search", operations: 500, run: parse_search },
    // 20 candidates of a search into a page of hits with snippets.
    Case { name: "search_page", operations: 100, run: search_page },
    // A cursor made and read, of messages and of threads.
    Case { name: "cursor", operations: 500, run: cursor },
];

fn fill(chat: &Conversation, messages: usize) {
    for _ in 0..messages {
        now(chat.add_message(Role::User, TEXT)).expect("the thread is there");
    }
}

fn append(repository: MemoryRepository, operations: usize) {
    let chat = conversation(repository);
    fill(&chat, LAST);
    counted(|| fill(&chat, operations));
}

fn append_findable(operations: usize) {
    let chat = conversation(MemoryRepository::new());
    counted(|| {
        fill(&chat, operations);
        let found =
            now(Box::pin(chat.search(SearchQuery::new("quarterly").limit(1)))).expect("the thread is there");
        assert_eq!(found.items.len(), 1, "they are found");
    });
}

fn prepare(operations: usize) {
    let appends: Vec<_> = (0..operations).map(|number| Append::new([new_message(number)])).collect();
    counted(|| {
        for append in &appends {
            let contents = append.encode().expect("a small message");
            let document = SearchDocument::of(&append.messages[0].content);
            black_box((contents, document.words().count()));
        }
    });
}

fn last(operations: usize) {
    let chat = conversation(MemoryRepository::without_search());
    fill(&chat, 1_000);
    counted(|| {
        for _ in 0..operations {
            black_box(now(chat.get_messages().last(LAST)).expect("the thread is there"));
        }
    });
}

fn decode(operations: usize) {
    let texts: Vec<_> = (0..LAST).map(|number| new_message(number).content.encode()).collect();
    let texts = texts.into_iter().collect::<Result<Vec<_>, _>>().expect("small messages");
    counted(|| {
        for _ in 0..operations {
            let contents: Result<Vec<_>, _> = texts.iter().map(|text| Content::from_json(text)).collect();
            black_box(contents.expect("what was encoded"));
        }
    });
}

fn window(operations: usize) {
    let mut history = ConversationHistory::builder().max_messages(LAST).build().expect("a limit");
    let mut add = |count| {
        for _ in 0..count {
            now(history.add_user_message(TEXT)).expect("nothing is stored");
        }
    };
    add(LAST);
    counted(|| add(operations));
}

fn select_window(operations: usize) {
    let messages: Vec<_> = (0..2 * LAST).map(message).collect();
    let limits = WindowLimits::new(LAST, None).expect("a limit");
    counted(|| {
        for _ in 0..operations {
            let candidates = messages.iter();
            let candidates =
                candidates.map(|message| Candidate::new(message.sender_role, &message.content, 25));
            black_box(select(candidates, &limits));
        }
    });
}

fn parse_search(operations: usize) {
    let query = SearchQuery::new(r#"quarterly report "new figures" -draft caf*"#);
    let query = query.filter(MessageFilter::new().role(Role::User));
    counted(|| {
        for _ in 0..operations {
            black_box(SearchPlan::new(black_box(&query)).expect("a query"));
        }
    });
}

fn search_page(operations: usize) {
    let query = SearchQuery::new("quarterly report").limit(20);
    let candidate = |number: usize| SearchCandidate::new(org(), "a thread".to_owned(), message(20 - number));
    let pages: Vec<Vec<_>> = (0..operations).map(|_| (0..21).map(candidate).collect()).collect();
    counted(|| {
        for candidates in pages {
            let mut plan = SearchPlan::new(&query).expect("a query");
            plan.next_read().expect("nothing was read yet");
            plan.add(candidates.into_iter().map(Ok));
            let page = plan.finish().expect("a page");
            assert_eq!((page.items.len(), page.next.is_some()), (20, true));
            black_box(page);
        }
    });
}

fn cursor(operations: usize) {
    let position = Position::ZERO.advance(1_000).expect("a few");
    let place = ThreadKey::new(at(0), thread(), org());
    let (mut messages, mut threads) = (MessageQuery::newest(LAST), ThreadQuery::first(LAST));
    counted(|| {
        for _ in 0..operations {
            messages.cursor = Some(messages.cursor_behind(black_box(thread()), position));
            black_box(messages.validate(thread()).expect("its own cursor"));
            threads.cursor = Some(threads.cursor_behind(black_box(&place)));
            black_box(threads.validate().expect("its own cursor"));
        }
    });
}
