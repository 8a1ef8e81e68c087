//! chatkeep keeps conversations.
//!
//! A program that talks to a language model gives chatkeep every message. chatkeep stores the messages in the backend
//! that the program chose, finds them again, and returns the part of a conversation that fits the model's context
//! window.
//!
//! # Five minutes
//!
//! **Keep a conversation.** A [`StateManager`] is bound to a [`Scope`] (who is asking), and makes and finds threads.
//! A [`Conversation`] is the handle on one of them. Requests have defaults for what you do not say, and do nothing
//! until they are awaited.
//!
//! ```
//! use std::sync::Arc;
//! use chatkeep::{MemoryRepository, OrgId, Role, Scope, StateManager, UserId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), chatkeep::Error> {
//! let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
//! let state = StateManager::new(Arc::new(MemoryRepository::new()), scope);
//!
//! let thread = state.create_thread("Weather").await?;
//! let chat = state.conversation(thread.id);
//! chat.add_message(Role::User, "How is the weather in Oslo?").await?;
//! chat.add_message(Role::Assistant, "Rain.").await?;
//!
//! let last = chat.get_messages().last(1).await?;
//! assert_eq!(last[0].content.as_text(), Some("Rain."));
//! # Ok(())
//! # }
//! ```
//!
//! **Give the model what fits.** A [`ConversationHistory`] is the window in front of the store. With `persist_to_db`,
//! an `add_*` returns when its message is durable, and its error is the caller's.
//!
//! ```
//! use chatkeep::{ConversationHistory, StateManager};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), chatkeep::Error> {
//! # let state = StateManager::new(
//! #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
//! #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
//! # );
//! let thread = state.create_thread("Weather").await?;
//! let chat = state.conversation(thread.id);
//! let mut history = ConversationHistory::builder()
//!     .max_messages(4)
//!     .conversation(chat.clone())
//!     .persist_to_db(true)
//!     .build()?;
//!
//! history.add_system_message("Be brief.").await?;
//! history.add_user_message("How is the weather in Oslo?").await?;
//! history.add_tool_call("call_1", "weather", json!({"city": "Oslo"})).await?;
//! history.add_tool_result("weather", "rain, 8 °C").await?;
//! history.add_assistant_message("Rain.").await?;
//!
//! // The question has left the window, not the store; the call and its result stay together.
//! let prompt = history.format_for_prompt(true, None);
//! assert_eq!(
//!     prompt,
//!     "System: Be brief.\n\
//!      Assistant: weather({\"city\":\"Oslo\"})\n\
//!      Tool (weather): rain, 8 °C\n\
//!      Assistant: Rain."
//! );
//! assert_eq!(chat.get_messages().await?.len(), 5);
//! # Ok(())
//! # }
//! ```
//!
//! **Find it again.** A search looks at all threads of the scope, and understands what people type: see
//! [`SearchQuery`]. A stream reads a conversation of any length in constant memory: see [`MessageStream`].
//!
//! ```
//! use chatkeep::{MessageQuery, Role, StateManager};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), chatkeep::Error> {
//! # let state = StateManager::new(
//! #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
//! #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
//! # );
//! let thread = state.create_thread("Weather").await?;
//! let chat = state.conversation(thread.id);
//! chat.add_message(Role::User, "How is the weather in Oslo?").await?;
//!
//! let found = state.search("oslo weather").await?;
//! assert_eq!(found.items[0].thread_name, "Weather");
//!
//! let mut messages = chat.stream_messages(MessageQuery::default())?;
//! while let Some(message) = messages.next().await {
//!     println!("{}", message?.content.to_plain_text());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **Open it as configured.** [`open`] reads `chatkeep.toml`, `.env` and the environment: see [`config`]. Features
//! choose the backends: `memory`, `sqlite` and `postgres`.
//!
//! ```no_run
//! # async fn run() -> Result<(), chatkeep::Error> {
//! let state = chatkeep::open().await?;
//! let thread = state.create_thread("Weather").await?;
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

pub mod config;
mod conversation;
mod error;
mod history;
mod input;
mod open;
mod state_manager;
mod stream;
#[cfg(test)]
mod testing;
mod write_behind;

pub use chatkeep_domain as domain;
pub use chatkeep_domain::{
    Again, Appended, Branch, BranchId, BranchPoint, CharEstimate, ChatMessage, ChatThread, Clock, Content,
    ConversationRepository, Cursor, DEFAULT_PAGE_LEN, Entity, Expected, ExternalId, IdGenerator,
    InvalidArgument, MAX_BATCH_BYTES, MAX_BATCH_LEN, MAX_CONTENT_BYTES, MAX_ID_BYTES, MAX_JSON_DEPTH,
    MAX_METADATA_BYTES, MAX_METADATA_FILTERS, MAX_NAME_BYTES, MAX_PAGE_LEN, MAX_RANKED, MAX_SEARCH_BYTES,
    MAX_SNIPPET_CHARS, Message, MessageFilter, MessageId, MessageQuery, MessageRevision, Metadata,
    MetadataFilter, MigrationState, Migrations, NewMessage, Order, OrgId, Outcome, Page, Position, Reindex,
    Role, Scope, SearchHit, SearchOrder, SearchPage, SearchQuery, SearchReading, Snippet, StoreError,
    SystemClock, ThreadId, ThreadPreview, ThreadQuery, TimeRange, Timestamp, TokenCounter, ToolCall,
    ToolResult, UserId, UuidV7Generator, Version, metadata_from_json,
};
pub use chatkeep_layers::{Coalescing, CoalescingConfig, LayersConfig, Retry, Traced, layered};
#[cfg(feature = "memory")]
pub use chatkeep_memory::MemoryRepository;
#[cfg(feature = "postgres")]
pub use chatkeep_postgres::PostgresRepository;
#[cfg(feature = "sqlite")]
pub use chatkeep_sqlite::SqliteRepository;
pub use {chrono, serde_json, uuid};

pub use config::{ConfigError, DatabaseConfig, StateConfig};
pub use conversation::Conversation;
pub use conversation::append::{AddMessage, AddMessages};
pub use conversation::branches::{CreateBranch, EditAndBranch, Sibling, Siblings};
pub use conversation::fork::ForkThread;
pub use conversation::message::{DeleteMessage, EditMessage, MessageRef};
pub use conversation::messages::{GetMessages, MessagePage, MessagePageUnless};
pub use error::Error;
pub use history::ConversationHistory;
pub use history::add::{AddToHistory, Added};
pub use history::builder::ConversationHistoryBuilder;
pub use history::load::{CorruptMessage, Loaded};
pub use input::{BoxFuture, MessageInput};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use open::open_migrations;
pub use open::{create_repository, open};
pub use state_manager::removals::{ClearThread, DeleteThread};
pub use state_manager::threads::{CreateThread, UpdateThread};
pub use state_manager::{StateManager, ThreadWithMessages};
pub use stream::MessageStream;
pub use write_behind::{FailedMessage, WriteBehind, WriteBehindConfig};

#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct Readme;
