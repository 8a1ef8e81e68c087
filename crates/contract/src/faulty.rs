//! Faulty stores: the test of the tests.
//!
//! A [`Fault`] is a bug that such systems have had, as a decorator around a right store. The case that
//! [`Fault::caught_by`] names must fail on it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use chatkeep_contract::Fixture;
//! use chatkeep_contract::faulty::Fault;
//! use chatkeep_memory::MemoryRepository;
//!
//! let fixture = Fault::SortsByTime.put_on(Fixture::new(Arc::new(MemoryRepository::new())));
//! assert_eq!(Fault::SortsByTime.caught_by(), "order_is_by_position_whatever_the_times");
//! ```

/// The two methods of a [`Decorator`](chatkeep_domain::Decorator) that have no default, for one that changes neither.
macro_rules! pass_on_appends {
    () => {
        fn append<'this, 'scope, 'answer>(
            &'this self,
            scope: &'scope chatkeep_domain::Scope,
            thread: chatkeep_domain::ThreadId,
            append: chatkeep_domain::Append,
        ) -> $crate::faulty::Answering<'answer, $crate::faulty::Answer>
        where
            'this: 'answer,
            'scope: 'answer,
            Self: 'answer,
        {
            self.inner.append(scope, thread, append)
        }

        fn append_each<'this, 'answer>(
            &'this self,
            appends: Vec<chatkeep_domain::ThreadAppend>,
        ) -> $crate::faulty::Answering<'answer, Vec<$crate::faulty::Answer>>
        where
            'this: 'answer,
            Self: 'answer,
        {
            self.inner.append_each(appends)
        }
    };
}

/// The other methods that read messages, for a decorator that changes what lists of them give.
macro_rules! read_by_lists {
    () => {
        fn list_messages_unless<'this, 'scope, 'query, 'answer>(
            &'this self,
            scope: &'scope chatkeep_domain::Scope,
            thread: chatkeep_domain::ThreadId,
            query: &'query chatkeep_domain::MessageQuery,
            version: chatkeep_domain::Version,
        ) -> $crate::faulty::Answering<
            'answer,
            Result<Option<chatkeep_domain::Page<chatkeep_domain::ChatMessage>>, chatkeep_domain::StoreError>,
        >
        where
            'this: 'answer,
            'scope: 'answer,
            'query: 'answer,
            Self: 'answer,
        {
            Box::pin(async move {
                let page = chatkeep_domain::Decorator::list_messages(self, scope, thread, query).await?;
                Ok(Some(page).filter(|page| page.version != Some(version)))
            })
        }

        fn stream_messages<'a>(
            &'a self,
            scope: &'a chatkeep_domain::Scope,
            thread: chatkeep_domain::ThreadId,
            query: chatkeep_domain::MessageQuery,
        ) -> chatkeep_domain::MessageStream<'a> {
            chatkeep_domain::stream_by_pages(self, scope, thread, query)
        }
    };
}

mod appends;
mod branches;
mod calls;
mod corrupt_rows;
mod corrupting;
mod edits;
mod external_ids;
mod fault;
mod handles;
mod index;
mod lists;
mod lossy;
mod previews;
mod scan;
mod scopes;
mod searches;
mod streams;
mod swapped_roles;
mod threads;
mod versions;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chatkeep_domain::{
    Append, Appended, Cursor, Decorator, IdGenerator as _, Position, Scope, StoreError, ThreadAppend,
    ThreadId, Timestamp, UuidV7Generator, Version,
};

pub use self::corrupting::Corrupting;
pub use self::fault::Fault;
pub use self::swapped_roles::SwappedRoles;
use crate::fixture::Repo;

/// The answer to an append.
type Answer = Result<Appended, StoreError>;

/// A call under way.
type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Long enough that racers of one moment all pass the check before the first of them writes.
const GAP: Duration = Duration::from_millis(5);

/// What `append_each` is for a decorator whose fault is in `append`.
async fn append_in_turn(store: &impl Decorator, appends: Vec<ThreadAppend>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for ThreadAppend { scope, thread, append, .. } in appends {
        answers.push(store.append(&scope, thread, append).await);
    }
    answers
}

/// Which messages of an append the thread holds already.
async fn held(store: &Repo, scope: &Scope, thread: ThreadId, append: &Append) -> Vec<bool> {
    let mut held = Vec::new();
    for message in &append.messages {
        let found = store.get_message(scope, thread, message.id).await;
        held.push(found.is_ok());
    }
    held
}

/// A cursor that counts, as offsets do.
fn count_cursor(count: usize) -> Cursor {
    Cursor::from(format!("count-{count}"))
}

fn counted(cursor: Option<&Cursor>) -> Option<usize> {
    cursor?.as_str().strip_prefix("count-")?.parse().ok()
}

/// The latest time of the messages.
fn latest(append: &Append) -> Option<Timestamp> {
    append.messages.iter().map(|message| message.created_at).max()
}

/// Gives new ids to messages, so that a right store takes them for others.
fn rename(append: &mut Append, which: impl IntoIterator<Item = bool>) {
    for (message, renamed) in append.messages.iter_mut().zip(which) {
        if renamed {
            message.id = UuidV7Generator.message_id();
        }
    }
}

/// The answer to an append that was never stored.
fn invented(thread: ThreadId, append: &Append) -> Appended {
    let numbered = (1..).zip(append.messages.iter().cloned());
    let place = |number| Position::new(number).unwrap_or(Position::ZERO);
    let messages: Vec<_> = numbered.map(|(number, new)| new.into_message(thread, place(number))).collect();
    let head = messages.last().map_or(Position::ZERO, |last| last.position);
    Appended::new(messages, head, Version::beginning(0))
}

/// The answer of one append for what several did.
fn together(mut answers: Vec<Appended>) -> Option<Appended> {
    let last = answers.pop()?;
    let messages = answers.into_iter().flat_map(|answer| answer.messages).chain(last.messages).collect();
    Some(Appended::new(messages, last.head, last.version))
}
