//! Tool calls and their results.

use std::fmt;

use serde_json::Value;

use crate::json::kind as json_kind;

/// A model's request to run a tool, as [`Content::tool_calls`](crate::Content::tool_calls) finds it.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ToolCall<'a> {
    /// What the result refers to; empty in shapes without ids, whose results refer to the name.
    pub id: &'a str,
    /// The tool; empty where the content does not say.
    pub name: &'a str,
    /// What it is called with; null where the content does not say. The OpenAI chat API has JSON text here.
    pub arguments: &'a Value,
}

/// A tool's answer, as [`Content::tool_results`](crate::Content::tool_results) finds it.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ToolResult<'a> {
    /// The call that it answers; empty in shapes without ids, where it answers a call of its name.
    pub tool_call_id: &'a str,
    /// The tool; empty where the content does not say.
    pub name: &'a str,
    /// What it answered; null where the content does not say.
    pub content: &'a Value,
}

impl fmt::Debug for ToolCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, arguments } = self;
        let arguments = format_args!("{}", json_kind(arguments));
        f.debug_struct("ToolCall").field("id", id).field("name", name).field("arguments", &arguments).finish()
    }
}

impl fmt::Debug for ToolResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tool_call_id, name, content } = self;
        let content = format_args!("{}", json_kind(content));
        f.debug_struct("ToolResult")
            .field("tool_call_id", tool_call_id)
            .field("name", name)
            .field("content", &content)
            .finish()
    }
}
