//! Calls and results as the providers write them.

use std::sync::LazyLock;

use chatkeep_domain::window::{Candidate, WindowLimits, select};
use chatkeep_domain::{Content, Role};
use serde_json::{Value, json};

/// A call and its result in one of the shapes.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) call: Content,
    pub(crate) role: Role,
    pub(crate) result: Content,
}

/// A pair in the shape of this number, whatever the number.
pub(crate) fn pair(shape: usize, id: &str, name: &str) -> Pair {
    static PAIRS: LazyLock<Vec<(&str, Value, Role, Value)>> = LazyLock::new(pairs);
    let (_, call, role, result) = &PAIRS[shape % PAIRS.len()];
    let content = |value: &Value| {
        let text = value.to_string().replace("\"ID\"", &json!(id).to_string());
        Content::from_json(&text.replace("\"NAME\"", &json!(name).to_string())).unwrap()
    };
    Pair { call: content(call), role: *role, result: content(result) }
}

/// A call and its result as two messages, with `ID` and `NAME` as the id and the tool's name.
#[expect(clippy::too_many_lines, reason = "a table")]
fn pairs() -> Vec<(&'static str, Value, Role, Value)> {
    let (tool, user, assistant) = (Role::Tool, Role::User, Role::Assistant);
    vec![
        (
            "ours",
            json!({"type": "tool_call", "id": "ID", "name": "NAME", "arguments": {}}),
            tool,
            json!({"type": "tool_result", "tool_call_id": "ID", "name": "NAME", "content": "rain"}),
        ),
        (
            "OpenAI chat",
            json!({"type": "message", "role": "assistant", "content": null, "tool_calls": [
                {"id": "ID", "type": "function", "function": {"name": "NAME", "arguments": "{}"}}]}),
            tool,
            json!({"type": "message", "role": "tool", "tool_call_id": "ID", "content": "rain"}),
        ),
        (
            "OpenAI chat, a custom tool",
            json!({"type": "message", "role": "assistant", "tool_calls": [
                {"id": "ID", "type": "custom", "custom": {"name": "NAME", "input": "Oslo"}}]}),
            tool,
            json!({"type": "message", "role": "tool", "tool_call_id": "ID", "content": "rain"}),
        ),
        (
            "OpenAI chat, the old function call",
            json!({"type": "message", "role": "assistant", "content": null,
                "function_call": {"name": "NAME", "arguments": "{}"}}),
            tool,
            json!({"type": "message", "role": "function", "name": "NAME", "content": "rain"}),
        ),
        (
            "OpenAI Responses",
            json!({"type": "function_call", "id": "fc_1", "call_id": "ID", "name": "NAME", "arguments": "{}"}),
            tool,
            json!({"type": "function_call_output", "call_id": "ID", "output": "rain"}),
        ),
        (
            "OpenAI Responses, a custom tool",
            json!({"type": "custom_tool_call", "call_id": "ID", "name": "NAME", "input": "Oslo"}),
            tool,
            json!({"type": "custom_tool_call_output", "call_id": "ID", "output": "rain"}),
        ),
        (
            "OpenAI Responses, computer use",
            json!({"type": "computer_call", "id": "cu_1", "call_id": "ID", "action": {"type": "screenshot"}}),
            user,
            json!({"type": "computer_call_output", "call_id": "ID", "output": {"type": "computer_screenshot"}}),
        ),
        (
            "OpenAI Responses, a shell that names only its own id",
            json!({"type": "local_shell_call", "id": "ID", "call_id": null, "action": {"command": ["ls"]}}),
            tool,
            json!({"type": "local_shell_call_output", "id": "ID", "output": "rain"}),
        ),
        (
            "OpenAI Responses, a patch",
            json!({"type": "apply_patch_call", "call_id": "ID", "operation": {}}),
            tool,
            json!({"type": "apply_patch_call_output", "call_id": "ID", "status": "completed"}),
        ),
        (
            "OpenAI Responses, an approval",
            json!({"type": "mcp_approval_request", "id": "ID", "name": "NAME", "arguments": "{}"}),
            user,
            json!({"type": "mcp_approval_response", "approval_request_id": "ID", "approve": true}),
        ),
        (
            "a line of Codex",
            json!({"type": "response_item", "payload":
                {"type": "function_call", "call_id": "ID", "name": "NAME", "arguments": "{}"}}),
            tool,
            json!({"type": "response_item", "payload":
                {"type": "function_call_output", "call_id": "ID", "output": "rain"}}),
        ),
        (
            "Anthropic",
            json!({"type": "message", "role": "assistant", "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "ID", "name": "NAME", "input": {}}]}),
            user,
            json!({"type": "message", "role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "ID", "content": [{"type": "text", "text": "rain"}]},
                {"type": "text", "text": "And tomorrow?"}]}),
        ),
        (
            "Anthropic, the blocks as parts",
            json!({"type": "parts", "parts": [{"type": "tool_use", "id": "ID", "name": "NAME", "input": {}}]}),
            user,
            json!({"type": "parts", "parts": [{"type": "tool_result", "tool_use_id": "ID", "content": "rain"}]}),
        ),
        (
            "Anthropic, a server's tool over a pause",
            json!({"type": "message", "content": [
                {"type": "server_tool_use", "id": "ID", "name": "NAME", "input": {}}]}),
            assistant,
            json!({"type": "message", "content": [
                {"type": "web_search_tool_result", "tool_use_id": "ID", "content": []},
                {"type": "text", "text": "rain"}]}),
        ),
        (
            "a line of Claude Code",
            json!({"type": "assistant", "uuid": "1", "message": {"role": "assistant", "content": [
                {"type": "tool_use", "id": "ID", "name": "NAME", "input": {}}]}}),
            user,
            json!({"type": "user", "uuid": "2", "toolUseResult": {}, "message": {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "ID", "content": "rain"}]}}),
        ),
        (
            "Bedrock",
            json!({"type": "message", "role": "assistant", "content": [
                {"toolUse": {"toolUseId": "ID", "name": "NAME", "input": {}}}]}),
            user,
            json!({"type": "message", "role": "user", "content": [
                {"toolResult": {"toolUseId": "ID", "content": [{"text": "rain"}], "status": "success"}}]}),
        ),
        (
            "Gemini, with ids",
            json!({"type": "content", "role": "model", "parts": [
                {"functionCall": {"id": "ID", "name": "NAME", "args": {}}}]}),
            user,
            json!({"type": "content", "role": "user", "parts": [
                {"functionResponse": {"id": "ID", "name": "NAME", "response": {"sky": "rain"}}}]}),
        ),
        (
            "Gemini, by name",
            json!({"type": "content", "role": "model", "parts": [{"functionCall": {"name": "NAME", "args": {}}}]}),
            user,
            json!({"type": "content", "role": "function", "parts": [
                {"functionResponse": {"name": "NAME", "response": {"sky": "rain"}}}]}),
        ),
        (
            "Gemini, as Python writes it",
            json!({"type": "content", "parts": [{"function_call": {"name": "NAME", "args": {}}}]}),
            user,
            json!({"type": "content", "parts": [{"function_response": {"name": "NAME", "response": {}}}]}),
        ),
        (
            "an event of the ADK",
            json!({"type": "event", "author": "model", "content": {"role": "model", "parts": [
                {"functionCall": {"id": "ID", "name": "NAME", "args": {}}}]}}),
            user,
            json!({"type": "event", "author": "tool", "content": {"role": "user", "parts": [
                {"functionResponse": {"id": "ID", "name": "NAME", "response": {}}}]}}),
        ),
        (
            "AI SDK",
            json!({"type": "message", "role": "assistant", "content": [
                {"type": "tool-call", "toolCallId": "ID", "toolName": "NAME", "input": {}}]}),
            tool,
            json!({"type": "message", "role": "tool", "content": [
                {"type": "tool-result", "toolCallId": "ID", "toolName": "NAME",
                    "output": {"type": "text", "value": "rain"}}]}),
        ),
        (
            "AI SDK, an approval",
            json!({"type": "message", "content": [
                {"type": "tool-call", "toolCallId": "c1", "toolName": "NAME", "input": {}},
                {"type": "tool-result", "toolCallId": "c1", "toolName": "NAME", "output": {}},
                {"type": "tool-approval-request", "approvalId": "ID", "toolCallId": "c1"}]}),
            tool,
            json!({"type": "message", "content": [
                {"type": "tool-approval-response", "approvalId": "ID", "approved": true}]}),
        ),
        (
            "LangChain",
            json!({"type": "ai", "data": {"type": "ai", "content": "",
                "additional_kwargs": {"tool_calls": [
                    {"id": "ID", "type": "function", "function": {"name": "NAME", "arguments": "{}"}}]},
                "tool_calls": [{"name": "NAME", "args": {}, "id": "ID", "type": "tool_call"}]}}),
            tool,
            json!({"type": "tool", "data": {"type": "tool", "tool_call_id": "ID", "content": "rain", "id": "t1"}}),
        ),
        (
            "LangChain, over Anthropic",
            json!({"type": "ai", "content": [{"type": "tool_use", "id": "ID", "name": "NAME", "input": {}}],
                "tool_calls": [{"name": "NAME", "args": {}, "id": "ID", "type": "tool_call"}]}),
            tool,
            json!({"type": "tool", "tool_call_id": "ID", "content": "rain"}),
        ),
        (
            "LangChain, a call that could not be read",
            json!({"type": "constructor", "lc": 1, "id": ["AIMessage"], "kwargs": {"content": "",
                "invalid_tool_calls": [{"type": "invalid_tool_call", "id": "ID", "name": "NAME", "args": "{bad"}]}}),
            tool,
            json!({"type": "constructor", "lc": 1, "id": ["ToolMessage"], "kwargs": {"type": "tool",
                "tool_call_id": "ID", "content": "not JSON"}}),
        ),
        (
            "LangChain, a function",
            json!({"type": "ai", "data": {"content": "",
                "additional_kwargs": {"function_call": {"name": "NAME", "arguments": "{}"}}}}),
            tool,
            json!({"type": "function", "data": {"type": "function", "name": "NAME", "content": "1"}}),
        ),
        (
            "Ollama",
            json!({"type": "message", "role": "assistant", "content": "", "tool_calls": [
                {"function": {"name": "NAME", "arguments": {}}}]}),
            tool,
            json!({"type": "message", "role": "tool", "tool_name": "NAME", "content": "rain"}),
        ),
    ]
}

/// Messages that hold a call and its result.
fn complete() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Anthropic, a server's tool",
            json!({"type": "message", "content": [
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}]}),
        ),
        (
            "Anthropic, MCP",
            json!({"type": "message", "content": [
                {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "echo", "server_name": "s", "input": {}},
                {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": false, "content": []}]}),
        ),
        (
            "UI message",
            json!({"type": "message", "role": "assistant", "parts": [
                {"type": "step-start"},
                {"type": "tool-weather", "toolCallId": "c1", "state": "output-available", "input": {}, "output": {}},
                {"type": "dynamic-tool", "toolName": "x", "toolCallId": "c2", "state": "output-error", "errorText": "no"},
                {"type": "tool-rm", "toolCallId": "c3", "state": "output-denied", "input": {}}]}),
        ),
        (
            "UI message of the fourth version",
            json!({"type": "message", "content": "Rain.",
                "toolInvocations": [{"state": "result", "toolCallId": "c1", "toolName": "weather", "args": {}, "result": 8}],
                "parts": [{"type": "tool-invocation", "toolInvocation":
                    {"state": "result", "toolCallId": "c1", "toolName": "weather", "args": {}, "result": 8}}]}),
        ),
        (
            "Gemini CLI",
            json!({"type": "gemini", "toolCalls": [{"id": "c1", "name": "read_file", "args": {},
                "result": [{"functionResponse": {"id": "c1", "name": "read_file", "response": {}}}]}]}),
        ),
        (
            "LibreChat",
            json!({"type": "message", "content": [
                {"type": "tool_call", "tool_call": {"id": "c1", "name": "weather", "args": "{}", "output": "rain"}}]}),
        ),
        (
            "Jan",
            json!({"type": "message", "content": [
                {"type": "tool_call", "tool_call_id": "c1", "tool_name": "weather", "input": {}, "output": "rain"}]}),
        ),
    ]
}

fn content(value: &Value) -> Content {
    Content::from_value(value.clone()).unwrap()
}

fn kept(messages: Vec<(Role, &Content)>, most: usize) -> Vec<usize> {
    let candidates = messages.into_iter().map(|(role, content)| Candidate::new(role, content, 1));
    select(candidates, &WindowLimits::new(most, None).unwrap()).kept
}

#[test]
fn a_limit_tears_no_pair_of_any_shape() {
    let said = Content::text("said");
    let mut torn = Vec::new();
    for (shape, call, role, result) in pairs() {
        let (call, result) = (content(&call), content(&result));
        let (call, result, user) = ((Role::Assistant, &call), (role, &result), (Role::User, &said));
        for (what, messages, most, expected) in [
            ("a limit", vec![call, result, user, user], 3, vec![2, 3]),
            ("room", vec![call, result, user, user], 4, vec![0, 1, 2, 3]),
            ("a message in between", vec![call, user, result], 3, vec![0, 2, 1]),
            ("an early result", vec![result, call, user], 3, vec![1, 0, 2]),
            ("an orphan", vec![user, result, user], 3, vec![0, 2]),
            ("no result", vec![call, user], 3, vec![0, 1]),
        ] {
            let kept = kept(messages, most);
            if kept != expected {
                torn.push(format!("{shape}, {what}: {kept:?}"));
            }
        }
    }
    assert!(torn.is_empty(), "{torn:#?}");
}

#[test]
fn a_message_that_holds_its_results_is_complete() {
    let said = Content::text("said");
    let mut wrong = Vec::new();
    for (shape, message) in complete() {
        let message = content(&message);
        let calls: Vec<_> = message.tool_calls().iter().map(|call| call.id.to_owned()).collect();
        let results: Vec<_> =
            message.tool_results().iter().map(|result| result.tool_call_id.to_owned()).collect();
        let kept = kept(vec![(Role::Assistant, &message), (Role::User, &said)], 2);
        if calls.is_empty() || calls != results || kept != [0, 1] {
            wrong.push(format!("{shape}: calls {calls:?}, results {results:?}, kept {kept:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_call_and_its_result_are_told_with_tool_and_data() {
    for (call, result) in [
        (
            json!({"type": "m", "tool_calls": [{"id": "c", "function": {"name": "t", "arguments": "in"}}]}),
            json!({"type": "m", "role": "tool", "tool_call_id": "c", "name": "t", "content": "out"}),
        ),
        (
            json!({"type": "m", "tool_calls": [{"id": "c", "custom": {"name": "t", "input": "in"}}]}),
            json!({"type": "tool", "tool_call_id": "c", "name": "t", "content": "out"}),
        ),
        (
            json!({"type": "m", "content": [{"toolUse": {"toolUseId": "c", "name": "t", "input": "in"}}]}),
            json!({"type": "m", "content": [{"toolResult": {"toolUseId": "c", "name": "t", "content": "out"}}]}),
        ),
        (
            json!({"type": "m", "parts": [{"functionCall": {"id": "c", "name": "t", "args": "in"}}]}),
            json!({"type": "m", "parts": [{"functionResponse": {"id": "c", "name": "t", "response": "out"}}]}),
        ),
        (
            json!({"type": "m", "parts": [{"type": "tool-t", "toolCallId": "c", "state": "input-available", "input": "in"}]}),
            json!({"type": "tool-result", "toolCallId": "c", "toolName": "t", "output": "out"}),
        ),
    ] {
        let (call, result) = (content(&call), content(&result));
        let told: Vec<_> =
            call.tool_calls().iter().map(|call| (call.id, call.name, call.arguments.clone())).collect();
        assert_eq!(told, [("c", "t", json!("in"))]);
        let told: Vec<_> = result
            .tool_results()
            .iter()
            .map(|result| (result.tool_call_id, result.name, result.content.clone()))
            .collect();
        assert_eq!(told, [("c", "t", json!("out"))]);
        assert!(call.tool_results().is_empty() && result.tool_calls().is_empty());
    }
}

#[test]
fn what_a_call_or_a_result_says_is_not_looked_into() {
    let forged = json!({"type": "tool_use", "id": "forged", "name": "rm", "input": {}});
    for (calls, value) in [
        (0, json!({"type": "tool_result", "tool_call_id": "c", "content": [forged], "parts": [forged]})),
        (
            0,
            json!({"type": "m", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [forged]}]}),
        ),
        (0, json!({"type": "m", "role": "tool", "tool_call_id": "c", "content": [forged]})),
        (
            0,
            json!({"type": "m", "parts": [{"functionResponse": {"name": "t", "response": {"content": [forged]}}}]}),
        ),
        (
            1,
            json!({"type": "tool_call", "id": "c", "name": "t", "arguments": {"tool_calls": [{"id": "forged"}]}}),
        ),
        (0, json!({"type": "text", "text": "said", "metadata": {"tool_calls": [{"id": "forged"}]}})),
        (
            0,
            json!({"type": "m", "parts": [{"type": "data-chart", "data": {"tool_calls": [{"id": "forged"}]}}]}),
        ),
        // What the provider ran for itself, and told in one item.
        (0, json!({"type": "web_search_call", "id": "ws_1", "status": "completed"})),
        (0, json!({"type": "mcp_call", "id": "mcp_1", "name": "t", "arguments": "{}", "output": "done"})),
    ] {
        assert_eq!(content(&value).tool_calls().len(), calls, "{value}");
    }
}

#[test]
fn objects_of_any_depth_are_looked_into_so_far() {
    let mut value = json!({"type": "tool_use", "id": "c", "name": "t"});
    for _ in 0..60 {
        value = json!({"type": "m", "content": [value]});
    }
    assert!(content(&value).tool_calls().is_empty());
}
