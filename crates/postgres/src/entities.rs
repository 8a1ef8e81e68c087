//! The tables as entities of SeaORM.
//!
//! With the feature `entities` they are public: an application on SeaORM can join its own tables with them, over the
//! connection that it gave to the store or over the store's own
//! ([`PostgresRepository::connections`](crate::PostgresRepository::connections)). Read with them, and write through the store:
//! an append is more than a row. The columns of the search index are no part of them.

#[cfg(feature = "entities")]
pub mod chat_branch;
#[cfg(feature = "entities")]
pub mod chat_message;
#[cfg(feature = "entities")]
pub mod chat_message_revision;
pub mod chat_thread;
pub mod chat_thread_tag;
