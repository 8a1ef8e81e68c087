//! How programs write tool calls and their results.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::content::object::{list, string};
use crate::content::tools::{ToolCall, ToolResult};

type Object = Map<String, Value>;

/// What an object is.
#[derive(Clone, Copy)]
enum Is {
    Call,
    Result,
}

/// What an object's `type` must be.
enum Kind {
    Any,
    Is(&'static str),
    Starts(&'static str),
    Ends(&'static str),
}

impl Kind {
    fn fits(&self, kind: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(name) => kind == *name,
            Self::Starts(start) => kind.starts_with(start),
            Self::Ends(end) => kind.ends_with(end),
        }
    }
}

/// Objects that are told by their `type` and by the key of the id that pairs a call with its result. The first row
/// that fits decides.
const BY_ID: &[(Kind, &str, Is)] = &[
    // Ours; then parts of messages that other programs keep.
    (Kind::Is("tool_call"), "id", Is::Call),
    (Kind::Is("tool_call"), "tool_call_id", Is::Call),
    // Anthropic: tools of the client, of the server and of MCP. The results have many types.
    (Kind::Ends("tool_use"), "id", Is::Call),
    (Kind::Any, "tool_use_id", Is::Result),
    // OpenAI Responses: functions, custom tools, shells, patches, the computer, approvals.
    (Kind::Ends("_call"), "call_id", Is::Call),
    (Kind::Ends("_output"), "call_id", Is::Result),
    (Kind::Is("local_shell_call"), "id", Is::Call),
    (Kind::Is("local_shell_call_output"), "id", Is::Result),
    (Kind::Is("mcp_approval_request"), "id", Is::Call),
    (Kind::Any, "approval_request_id", Is::Result),
    // AI SDK: messages for the model, then those for the screen, whose parts hold a call and its result.
    (Kind::Is("tool-approval-request"), "approvalId", Is::Call),
    (Kind::Is("tool-approval-response"), "approvalId", Is::Result),
    (Kind::Is("tool-result"), "toolCallId", Is::Result),
    (Kind::Is("tool-error"), "toolCallId", Is::Result),
    (Kind::Starts("tool-"), "toolCallId", Is::Call),
    (Kind::Is("dynamic-tool"), "toolCallId", Is::Call),
    // Ours, OpenAI chat, LangChain.
    (Kind::Any, "tool_call_id", Is::Result),
];

/// Keys whose value is a call or a result: Gemini, Bedrock, OpenAI chat as it was, LibreChat, the AI SDK as it was.
const BY_KEY: &[(&str, Is)] = &[
    ("functionCall", Is::Call),
    ("function_call", Is::Call),
    ("functionResponse", Is::Result),
    ("function_response", Is::Result),
    ("toolUse", Is::Call),
    ("toolResult", Is::Result),
    ("tool_call", Is::Call),
    ("toolInvocation", Is::Call),
];

/// Keys whose value is a list of calls: OpenAI chat, LangChain, the Gemini CLI, the AI SDK as it was.
const LISTS: &[&str] = &["tool_calls", "invalid_tool_calls", "toolCalls", "toolInvocations"];

/// Keys whose value is the message, or more of it: lines of Claude Code, of Codex and of the ADK, LangChain.
const WRAPPERS: &[(Kind, &str)] = &[
    (Kind::Any, "message"),
    (Kind::Is("response_item"), "payload"),
    (Kind::Any, "content"),
    (Kind::Is("ai"), "data"),
    (Kind::Is("tool"), "data"),
    (Kind::Is("function"), "data"),
    (Kind::Is("constructor"), "kwargs"),
    (Kind::Any, "additional_kwargs"),
];

/// Keys whose value is a list of parts.
const PARTS: &[&str] = &["parts", "content"];

/// How far parts and wrappers are followed.
const MAX_DEPTH: usize = 5;

/// The keys of the id, of a part that is told by its key.
const IDS: &[&str] = &["id", "toolUseId", "toolCallId", "call_id", "tool_call_id"];
const NAMES: &[&str] = &["name", "toolName", "tool_name"];
const ARGUMENTS: &[&str] = &["arguments", "args", "input", "action"];
/// The keys of a result that stands in its call.
const OWN_RESULTS: &[&str] = &["output", "result", "errorText"];
const RESULTS: &[&str] = &["content", "output", "result", "response", "errorText", "error"];

static NULL: Value = Value::Null;

/// The calls and results of a content, in order.
#[derive(Default)]
pub(crate) struct Tools<'a> {
    pub(crate) calls: Vec<ToolCall<'a>>,
    pub(crate) results: Vec<ToolResult<'a>>,
}

impl<'a> Tools<'a> {
    pub(super) fn of(content: &'a Object) -> Self {
        let mut finder = Finder::default();
        finder.object(content, 0, MAX_DEPTH);
        let Finder { calls, results, .. } = finder;
        Self {
            calls: told_once(calls, |call| call.id),
            results: told_once(results, |result| result.tool_call_id),
        }
    }
}

/// Leaves out what a message tells again in another of its lists, as LangChain and the AI SDK do.
fn told_once<'a, T>(found: Vec<(usize, T)>, id: impl Fn(&T) -> &'a str) -> Vec<T> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let is_one_list = found.windows(2).all(|two| two[0].0 == two[1].0);
    let mut is_first = |source, id| *first.entry(id).or_insert(source) == source;
    let told = |(source, item): (usize, T)| {
        let id = id(&item);
        (is_one_list || id.is_empty() || is_first(source, id)).then_some(item)
    };
    found.into_iter().filter_map(told).collect()
}

/// What was found, each with the number of the list that it stands in.
#[derive(Default)]
struct Finder<'a> {
    sources: usize,
    calls: Vec<(usize, ToolCall<'a>)>,
    results: Vec<(usize, ToolResult<'a>)>,
}

impl<'a> Finder<'a> {
    /// Looks into an object. What a call or a result says is data, and is not looked into.
    fn object(&mut self, object: &'a Object, source: usize, depth: usize) {
        if let Some((is, id)) = told_by_type(object) {
            return self.add(is, id, object, source);
        }
        for (key, is) in BY_KEY {
            if let Some(Value::Object(inner)) = object.get(*key) {
                self.add(*is, text(inner, IDS), inner, source);
            }
        }
        for key in LISTS {
            let source = self.source();
            for call in list(object, key) {
                self.add(Is::Call, text(call, IDS), call, source);
            }
        }
        let Some(depth) = depth.checked_sub(1) else { return };
        for key in PARTS {
            let source = self.source();
            for part in list(object, key) {
                self.object(part, source, depth);
            }
        }
        let kind = string(object, "type");
        for (_, key) in WRAPPERS.iter().filter(|(wanted, _)| wanted.fits(kind)) {
            if let Some(Value::Object(inner)) = object.get(*key) {
                let source = self.source();
                self.object(inner, source, depth);
            }
        }
    }

    fn source(&mut self) -> usize {
        self.sources += 1;
        self.sources
    }

    /// What has neither id nor name pairs with nothing.
    fn add(&mut self, is: Is, id: &'a str, object: &'a Object, source: usize) {
        let name = name(object);
        if id.is_empty() && name.is_empty() {
            return;
        }
        let result = |keys| ToolResult { tool_call_id: id, name, content: value(object, keys) };
        match is {
            Is::Call => {
                self.calls.push((source, ToolCall { id, name, arguments: arguments(object) }));
                if is_answered(object) {
                    self.results.push((source, result(OWN_RESULTS)));
                }
            }
            Is::Result => self.results.push((source, result(RESULTS))),
        }
    }
}

fn told_by_type(object: &Object) -> Option<(Is, &str)> {
    let kind = string(object, "type");
    let by_id = BY_ID.iter().find_map(|(wanted, key, is)| {
        let id = string(object, key);
        (!id.is_empty() && wanted.fits(kind)).then_some((*is, id))
    });
    by_id.or_else(|| Some((told_by_name(kind, object)?, "")))
}

/// Without an id, a call and its result have only the tool's name in common: the functions of OpenAI as they were,
/// Ollama, ours.
fn told_by_name(kind: &str, object: &Object) -> Option<Is> {
    let role = string(object, "role");
    match kind {
        _ if text(object, NAMES).is_empty() => None,
        "tool_call" => Some(Is::Call),
        "tool_result" => Some(Is::Result),
        "function" => object.contains_key("content").then_some(Is::Result),
        _ => matches!(role, "tool" | "function").then_some(Is::Result),
    }
}

/// Whether a call holds its result.
fn is_answered(call: &Object) -> bool {
    string(call, "state").starts_with("output-") || !value(call, OWN_RESULTS).is_null()
}

fn name(object: &Object) -> &str {
    let in_function = inner_function(object).map(|function| text(function, NAMES));
    let in_type = string(object, "type").strip_prefix("tool-").filter(|_| object.contains_key("toolCallId"));
    let names = [Some(text(object, NAMES)), in_function, in_type];
    names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or_default()
}

fn arguments(call: &Object) -> &Value {
    value(inner_function(call).unwrap_or(call), ARGUMENTS)
}

/// Where OpenAI chat puts the name and the arguments.
fn inner_function(call: &Object) -> Option<&Object> {
    call.get("function").or_else(|| call.get("custom"))?.as_object()
}

/// The first of these keys that has text.
fn text<'a>(object: &'a Object, keys: &[&str]) -> &'a str {
    keys.iter().map(|key| string(object, key)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// The first of these keys that has a value.
fn value<'a>(object: &'a Object, keys: &[&str]) -> &'a Value {
    keys.iter().filter_map(|key| object.get(*key)).find(|value| !value.is_null()).unwrap_or(&NULL)
}
