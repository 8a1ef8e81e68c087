//! Stores that are wrong on purpose: the test of the tests.
//!
//! [`Faulty`] wraps a store that is right and breaks one promise. Each [`Fault`] is a bug that such systems have
//! had; the case that [`Fault::caught_by`] names must fail on it.
//!
//! ```
//! use chatkeep_contract::faulty::{Fault, Faulty};
//! use chatkeep_memory::MemoryRepository;
//!
//! let store = Faulty::new(MemoryRepository::new(), Fault::SortsByTime);
//! assert_eq!(store.fault().caught_by(), "order_is_by_position_whatever_the_times");
//! ```

mod corrupt_rows;
mod corrupting;
mod damage;
mod each;
mod fault;
mod loose;
mod lossy;
mod messages;
mod scan;
mod search;
mod threads;

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use chatkeep_domain::{
    Append, ConversationRepository, Cursor, Entity, IdGenerator as _, MessageId, Scope, StoreError, ThreadId,
    UuidV7Generator,
};
use tokio::sync::Mutex;

pub use self::corrupting::Corrupting;
pub use self::fault::Fault;
use self::scan::Gone;

/// Long enough that racers of one moment all pass the check before the first of them writes.
const GAP: Duration = Duration::from_millis(5);

/// A store with one fault; in all else it is the store that it wraps.
#[derive(Debug)]
pub struct Faulty<R> {
    inner: R,
    fault: Fault,
    /// Makes the outcome of a lost race certain.
    one_writer: Mutex<()>,
    /// How many positions the heads that were written back were behind.
    lost: AtomicI64,
    /// What is deleted, and found all the same.
    gone: Shared<Gone>,
    /// What is stored, and not found yet; or found twice.
    unindexed: Shared<MessageId>,
    /// The first names of threads.
    names: Shared<(ThreadId, String)>,
}

type Shared<T> = std::sync::Mutex<Vec<T>>;

impl<R: ConversationRepository> Faulty<R> {
    /// Breaks a store.
    pub const fn new(inner: R, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            one_writer: Mutex::const_new(()),
            lost: AtomicI64::new(0),
            gone: Shared::new(Vec::new()),
            unindexed: Shared::new(Vec::new()),
            names: Shared::new(Vec::new()),
        }
    }

    /// What is broken.
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The scope of a read.
    fn reading(&self, scope: &Scope) -> Scope {
        match scope.org_id() {
            Some(org) if self.has(Fault::LeaksToColleagues) => Scope::org(org.clone()),
            _ => lossy::scope(self.fault, scope),
        }
    }

    /// The scope of a write.
    fn writing(&self, scope: &Scope) -> Scope {
        match scope.org_id() {
            Some(org) if self.has(Fault::LetsColleaguesWrite) => Scope::org(org.clone()),
            _ => lossy::scope(self.fault, scope),
        }
    }

    /// The error of a call that names a message.
    fn about_message(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::NotFound { id, .. } if self.has(Fault::NamesTheWrongEntity) => {
                StoreError::NotFound { entity: Entity::Thread, id }
            }
            other => other,
        }
    }

    /// Which messages of an append the thread holds already.
    async fn held(&self, scope: &Scope, thread: ThreadId, append: &Append) -> Vec<bool> {
        let mut held = Vec::new();
        for message in &append.messages {
            let found = self.inner.get_message(scope, thread, message.id).await;
            held.push(found.is_ok());
        }
        held
    }
}

/// A cursor that counts, as offsets do.
fn count_cursor(count: usize) -> Cursor {
    Cursor::from(format!("count-{count}"))
}

fn counted(cursor: Option<&Cursor>) -> Option<usize> {
    cursor?.as_str().strip_prefix("count-")?.parse().ok()
}

fn is_about_a_cursor(error: &StoreError) -> bool {
    matches!(error, StoreError::InvalidArgument(error) if error.field == "cursor")
}

/// Gives new ids to messages, so that a right store takes them for others.
fn rename(append: &mut Append, which: impl IntoIterator<Item = bool>) {
    for (message, renamed) in append.messages.iter_mut().zip(which) {
        if renamed {
            message.id = UuidV7Generator.message_id();
        }
    }
}
