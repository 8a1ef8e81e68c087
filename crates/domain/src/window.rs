//! Which messages fit a model's context window.
