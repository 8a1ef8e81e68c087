//! Conversations in PostgreSQL and SQLite.
