//! A message as a line of a prompt.

use chatkeep_domain::{Content, Message, Role};
use serde_json::Value;

pub(super) fn line(message: &Message) -> String {
    let text = message.content.to_plain_text();
    match message.role {
        Role::User => format!("User: {text}"),
        Role::Assistant => format!("Assistant: {text}"),
        Role::System => format!("System: {text}"),
        Role::Developer => format!("Developer: {text}"),
        Role::Tool => format!("Tool ({}): {text}", tool_name(&message.content)),
        other => format!("{other}: {text}"),
    }
}

/// The tools that answered; failing that, what the content or its metadata says.
fn tool_name(content: &Content) -> String {
    let results = content.tool_results();
    let names: Vec<&str> = results.iter().map(|result| result.name).filter(|name| !name.is_empty()).collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    let own = content.get("name").and_then(Value::as_str);
    let tagged = || content.metadata()?.get("tool_name")?.as_str();
    own.or_else(tagged).unwrap_or("unknown").to_owned()
}
