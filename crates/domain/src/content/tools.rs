//! Tool calls and their results, wherever a content holds them.

mod shapes;

use std::fmt;

use serde_json::Value;

pub(crate) use self::shapes::Tools;
use super::Content;
use crate::json::kind as json_kind;

/// A model's request to run a tool, as [`Content::tool_calls`] finds it.
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

/// A tool's answer, as [`Content::tool_results`] finds it.
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

impl Content {
    /// Every tool call in it, in order, as any of these writes it: chatkeep itself; the APIs of OpenAI (chat and
    /// Responses), Anthropic, Bedrock, Gemini and Ollama; the AI SDK, LangChain and the agents' own files. It looks
    /// into `parts`, `content` and the like, and not into what a call or a result says.
    pub fn tool_calls(&self) -> Vec<ToolCall<'_>> {
        self.tools().calls
    }

    /// Every tool result in it, in order, in the same shapes. A call that holds its result is found by both.
    pub fn tool_results(&self) -> Vec<ToolResult<'_>> {
        self.tools().results
    }

    /// Both, in one pass.
    pub(crate) fn tools(&self) -> Tools<'_> {
        if self.only_text().is_some() { Tools::default() } else { Tools::of(self.as_object()) }
    }
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
