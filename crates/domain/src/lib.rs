//! The domain of chatkeep: what a conversation is, and what a store of conversations promises.
//!
//! Nothing here does I/O and nothing here knows a driver or a runtime. The crate holds
//!
//! - the language: [`ChatThread`], [`ChatMessage`], [`Content`], [`Role`], [`Scope`], [`Position`], [`Page`];
//! - the ports: [`ThreadRepository`], [`MessageRepository`] and [`MessageSearch`], together
//!   [`ConversationRepository`]; and [`TokenCounter`], [`Clock`], [`IdGenerator`];
//! - the pure policies: which messages fit a model's [`window`], and what a [`search`] finds;
//! - the one error of every store: [`StoreError`].
//!
//! # Writing an adapter
//!
//! 1. Implement [`ThreadRepository`], [`MessageRepository`] and [`MessageSearch`] for one `Send + Sync + Debug` type. The section
//!    "Contract" of each trait says what must hold; each sentence of it that can be checked from outside is a named
//!    case of `chatkeep-contract`, whose README names the others.
//! 2. Call [`NewThread::validate`], [`ThreadUpdate::validate`], [`Append::validate`] (or [`Append::encode`], which
//!    also gives the JSON texts), [`MessageEdit::validate`], [`ThreadQuery::validate`] and
//!    [`MessageQuery::validate`] before the first write, and [`check_timestamp`] for a bare time: the limits are the same for every store.
//! 3. Decide by the [`Scope`]: [`Scope::contains`] for one thread, [`Scope::narrow`] for a list. A thread outside
//!    the scope does not exist.
//!    The types bring the rest: [`NewThread::into_thread`], [`ThreadUpdate::apply`], [`NewMessage::into_message`],
//!    [`MessageQuery::matches`], [`ThreadQuery::matches`], [`Content::is_identical`],
//!    [`StoreError::ambiguous_thread_id`].
//! 4. Search through [`SearchPlan`](search::SearchPlan): it asks for messages in order and decides which match, so that
//!    a plain scan is a right store, and an index only makes it faster.
//!    [`SearchDocument`](search::SearchDocument) is what such an index keeps. A store without search answers
//!    [`StoreError::Unsupported`].
//! 5. Read contents and metadata with [`Content::from_json`] and [`metadata_from_json`], and answer what they refuse
//!    with [`StoreError::CorruptRow`]: other parsers round large integers without a word.
//! 6. Make and read cursors with [`Cursor`]'s own functions.
//! 7. Map the driver's errors to [`StoreError`] in one place, and run the suite of `chatkeep-contract`.
//!
//! ```
//! use chatkeep_domain::{Content, Message, OrgId, Role, Scope, UserId};
//!
//! let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
//! let question = Message::new(Role::User, "What is a monad?");
//! assert_eq!(question.content, Content::text("What is a monad?"));
//! assert!(scope.contains(&OrgId::new("acme")?, &UserId::new("ada")?));
//! # Ok::<(), chatkeep_domain::InvalidArgument>(())
//! ```
#![deny(missing_docs)]

mod append;
mod clock;
mod content;
mod cursor;
mod error;
mod ext;
mod hidden;
mod id;
mod json;
mod message;
mod metadata;
#[cfg(feature = "mock")]
mod mock;
mod page;
mod query;
mod repository;
mod role;
mod scope;
pub mod search;
mod thread;
mod time;
mod token;
pub mod window;

pub use append::{Append, MAX_BATCH_BYTES, MAX_BATCH_LEN, NewMessage, ThreadAppend};
pub use clock::{Clock, IdGenerator, SystemClock, UuidV7Generator};
pub use content::{Content, MAX_CONTENT_BYTES, MAX_JSON_DEPTH, ToolCall, ToolResult};
pub use cursor::{Cursor, ThreadKey};
pub use error::{BoxError, Entity, InvalidArgument, StoreError};
pub use ext::{ConversationRepositoryExt, MessagePages};
pub use hidden::Hidden;
pub use id::{MAX_ID_BYTES, MessageId, OrgId, ThreadId, UserId};
pub use message::{ChatMessage, Message, MessageEdit, MessageRevision, Position};
pub use metadata::{
    MAX_METADATA_FILTERS, MAX_METADATA_PATH_BYTES, MAX_METADATA_VALUE_BYTES, MetadataFilter, MetadataTags,
};
#[cfg(feature = "mock")]
pub use mock::MockConversationRepository;
pub use page::Page;
pub use query::{DEFAULT_PAGE_LEN, MAX_PAGE_LEN, MessageQuery, Order, ThreadQuery};
pub use repository::{ConversationRepository, MessageRepository, MessageSearch, ThreadRepository};
pub use role::Role;
pub use scope::{OwnerFilter, Scope};
pub use search::{
    MAX_RANKED, MAX_SEARCH_BYTES, MAX_SNIPPET_CHARS, SearchHit, SearchOrder, SearchPage, SearchQuery,
    SearchReading, Snippet,
};
pub use thread::{
    ChatThread, MAX_METADATA_BYTES, MAX_NAME_BYTES, Metadata, NewThread, ThreadUpdate, metadata_from_json,
};
pub use time::{Timestamp, check_timestamp, to_micros};
pub use token::{CharEstimate, TokenCounter};

#[cfg(feature = "mock")]
pub use clock::{MockClock, MockIdGenerator};
#[cfg(feature = "mock")]
pub use token::MockTokenCounter;
