//! Keeps the conversations of programs that talk to language models.
