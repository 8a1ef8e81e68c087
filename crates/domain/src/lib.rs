//! The domain of chatkeep: what a conversation is, and what a store of conversations promises.
//!
//! Nothing here does I/O and nothing here knows a driver or a runtime. The crate holds
//!
//! - the language: [`ChatThread`], [`ChatMessage`], [`Content`], [`Role`], [`Scope`], [`Position`], [`Page`];
//! - the ports: [`ThreadRepository`] and [`MessageRepository`], together [`ConversationRepository`], which has an accessor
//!   for what a store may decline, such as [`MessageSearch`]; [`Decorator`] for stores around a store; [`Migrations`] for stores with tables; [`Codec`]; and [`TokenCounter`], [`Clock`], [`IdGenerator`];
//! - the pure policies: which messages fit a model's [`window`], and what a [`search`] finds;
//! - the one error of every store: [`StoreError`].
//!
//! # Writing an adapter
//!
//! 1. Implement [`ConversationRepository`] for one `Send + Sync + Debug` type, and [`MessageSearch`] if it can search. The section
//!    "Contract" of each trait says what must hold; each sentence of it that can be checked from outside is a named
//!    case of `chatkeep-contract`, whose README names the others.
//! 2. Call [`NewThread::validate`], [`ThreadUpdate::validate`], [`Append::validate`] (or [`Append::encode`], which
//!    also gives the JSON texts), [`MessageEdit::validate`], [`Removal::validate`], [`ThreadQuery::validate`] and
//!    [`MessageQuery::validate`] before the first write: the limits are the same for every store.
//! 3. Decide by the [`Scope`]: [`Scope::contains`] for one thread, [`Scope::narrow`] for a list. A thread outside
//!    the scope does not exist.
//!    The types bring the rest: [`NewThread::into_thread`] and [`NewThread::held`], [`ThreadUpdate::apply`],
//!    [`NewMessage::into_message`] and [`NewMessage::check_held`], [`Append::check_expected`], [`MessageEdit::check_expected`],
//!    [`MessageFilter::matches`], [`ThreadQuery::matches`], [`Content::is_identical`],
//!    [`StoreError::ambiguous_thread_id`].
//! 4. Search through [`SearchPlan`](search::SearchPlan), which asks for messages in order and decides which of them
//!    match. So a plain scan is a correct store, and an index makes it faster.
//!    [`SearchDocument`](search::SearchDocument) is what such an index keeps: take it from the store's [`Codec`].
//! 5. Read contents and metadata with [`Content::from_json`] and [`metadata_from_json`], and answer what they refuse
//!    with [`StoreError::CorruptRow`]: other parsers round large integers without a word.
//! 6. Make and read cursors with the query: [`MessageQuery::cursor_behind`], [`ThreadQuery::cursor_behind`]. A store that
//!    reads by pages streams by [`stream_by_pages`]; [`message_stream`] makes a stream of an asynchronous block.
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
mod branch;
mod branch_repository;
mod by_pages;
mod clock;
mod codec;
mod content;
mod cursor;
mod decorator;
mod error;
mod ext;
mod fold;
mod hidden;
mod id;
mod invalid;
mod json;
mod message;
mod message_filter;
mod message_query;
mod metadata;
mod metadata_filter;
mod metadata_tags;
mod migrations;
#[cfg(feature = "mock")]
mod mock;
mod page;
mod path;
mod position;
mod removal;
mod repository;
mod role;
mod scope;
pub mod search;
mod stream;
mod thread;
mod thread_query;
mod thread_update;
mod time;
mod token;
mod version;
pub mod window;

pub use append::{Append, Appended, MAX_BATCH_BYTES, MAX_BATCH_LEN, NewMessage, ThreadAppend};
pub use branch::{Branch, BranchRename, Fork, NewBranch};
pub use branch_repository::BranchRepository;
pub use by_pages::stream_by_pages;
pub use clock::{Clock, IdGenerator, SystemClock, UuidV7Generator};
pub use codec::{Codec, ContentKey, PlainCodec};
pub use content::{Content, MAX_CONTENT_BYTES, ToolCall, ToolResult};
pub use cursor::Cursor;
pub use decorator::Decorator;
pub use error::{Again, BoxError, Entity, Expected, Outcome, StoreError};
pub use ext::ConversationRepositoryExt;
pub use hidden::Hidden;
pub use id::{ExternalId, MAX_ID_BYTES, MessageId, OrgId, RequestId, ThreadId, UserId};
pub use invalid::InvalidArgument;
pub use json::MAX_JSON_DEPTH;
pub use message::{ChatMessage, Message, MessageEdit, MessageRevision};
pub use message_filter::MessageFilter;
pub use message_query::{MessageQuery, Order};
pub use metadata::{MAX_METADATA_BYTES, Metadata, metadata_from_json};
pub use metadata_filter::{
    MAX_METADATA_FILTERS, MAX_METADATA_PATH_BYTES, MAX_METADATA_VALUE_BYTES, MetadataFilter,
};
pub use metadata_tags::MetadataTags;
pub use migrations::{MigrationState, Migrations, Reindex};
#[cfg(feature = "mock")]
pub use mock::MockConversationRepository;
pub use page::{DEFAULT_PAGE_LEN, MAX_PAGE_LEN, Page};
pub use path::{BranchId, BranchPoint, ForkPoint, MAX_BRANCHES, MAX_PATH_LEN, Path, Segment};
pub use position::Position;
pub use removal::Removal;
pub use repository::{ConversationRepository, MessageRepository, MessageSearch, ThreadRepository};
pub use role::Role;
pub use scope::{OwnerFilter, Scope};
pub use search::{
    MAX_RANKED, MAX_SEARCH_BYTES, MAX_SNIPPET_CHARS, SearchHit, SearchOrder, SearchPage, SearchQuery,
    SearchReading, Snippet,
};
pub use stream::{MessageStream, Outlet, message_stream, next_message};
pub use thread::{ChatThread, MAX_NAME_BYTES, NewThread, ThreadPreview};
pub use thread_query::{ThreadKey, ThreadQuery};
pub use thread_update::ThreadUpdate;
pub use time::{TimeRange, Timestamp, check_timestamp, to_micros};
pub use token::{CharEstimate, TokenCounter};
pub use version::Version;

#[cfg(feature = "mock")]
pub use clock::{MockClock, MockIdGenerator};
#[cfg(feature = "mock")]
pub use token::MockTokenCounter;
