//! Tool calls and their results, wherever a content holds them.

use std::fmt;

use serde_json::{Map, Value};

use super::{Content, list, string};
use crate::json::kind as json_kind;

/// A model's request to run a tool, as [`Content::tool_calls`] finds it.
#[derive(Clone, Copy, PartialEq)]
pub struct ToolCall<'a> {
    /// What the result refers to.
    pub id: &'a str,
    /// The tool; empty where the content does not say.
    pub name: &'a str,
    /// What it is called with; null where the content does not say. The OpenAI chat API has JSON text here.
    pub arguments: &'a Value,
}

/// A tool's answer, as [`Content::tool_results`] finds it.
#[derive(Clone, Copy, PartialEq)]
pub struct ToolResult<'a> {
    /// The call that it answers.
    pub tool_call_id: &'a str,
    /// The tool; empty where the content does not say.
    pub name: &'a str,
    /// What it answered; null where the content does not say.
    pub content: &'a Value,
}

impl Content {
    /// Every tool call in it, in order: itself, those among its parts, and those of a `tool_calls` list as the
    /// OpenAI chat API writes it.
    pub fn tool_calls(&self) -> Vec<ToolCall<'_>> {
        let mut calls = Vec::new();
        for object in self.pieces() {
            if string(object, "type") == "tool_call" {
                calls.push(tool_call(object, object));
            }
            for call in list(object, "tool_calls") {
                let function = call.get("function").and_then(Value::as_object).unwrap_or(call);
                calls.push(tool_call(call, function));
            }
        }
        calls.retain(|call| !call.id.is_empty());
        calls
    }

    /// Every tool result in it, in order: whatever has a string `tool_call_id`, itself or among its parts.
    pub fn tool_results(&self) -> Vec<ToolResult<'_>> {
        self.pieces()
            .filter(|object| object.get("tool_call_id").is_some_and(Value::is_string))
            .map(|object| ToolResult {
                tool_call_id: string(object, "tool_call_id"),
                name: string(object, "name"),
                content: object.get("content").unwrap_or(&Value::Null),
            })
            .collect()
    }
}

fn tool_call<'a>(call: &'a Map<String, Value>, function: &'a Map<String, Value>) -> ToolCall<'a> {
    ToolCall {
        id: string(call, "id"),
        name: string(function, "name"),
        arguments: function.get("arguments").unwrap_or(&Value::Null),
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
