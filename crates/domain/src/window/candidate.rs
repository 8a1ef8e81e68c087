//! What a window looks at.

use crate::content::Content;
use crate::role::Role;

/// What a window decides by: a message's role and content, and the tokens that it takes.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said; only its tool calls and results are looked at.
    pub content: &'a Content,
    /// What it takes in a prompt.
    pub tokens: usize,
}

impl<'a> Candidate<'a> {
    /// A message of this role and content that takes `tokens` in a prompt.
    pub const fn new(role: Role, content: &'a Content, tokens: usize) -> Self {
        Self { role, content, tokens }
    }
}
