//! The texts of a message.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use crate::content::Content;

/// How much of a message's text is read, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 1_024 * 1_024;

/// What was said, text by text, as far as it is read: see [`SearchDocument`](crate::search::SearchDocument).
pub(in crate::search) fn texts(content: &Content) -> Vec<Cow<'_, str>> {
    let mut texts = Texts { texts: Vec::new(), room: MAX_TEXT_BYTES };
    let _ = texts.add_all(content);
    texts.texts
}

/// Texts of a content, none of them empty, until there is no more room.
pub(super) struct Texts<'a> {
    pub(super) texts: Vec<Cow<'a, str>>,
    /// In bytes.
    pub(super) room: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn add_all(&mut self, content: &'a Content) -> ControlFlow<()> {
        if let Some(text) = content.only_text() {
            return self.add(text.into());
        }
        for object in content.pieces() {
            match object.get("type").and_then(Value::as_str).unwrap_or_default() {
                "text" => self.add_strings(object.get("text"))?,
                "tool_call" => {
                    self.add_strings(object.get("name"))?;
                    self.add_strings(object.get("arguments"))?;
                }
                "tool_result" => self.add_strings(object.get("content"))?,
                _ => self.add_others(object)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn add_strings(&mut self, value: Option<&'a Value>) -> ControlFlow<()> {
        match value {
            Some(Value::String(text)) => self.add(Cow::Borrowed(text)),
            Some(Value::Number(number)) => self.add(Cow::Owned(number.to_string())),
            Some(Value::Array(items)) => items.iter().try_for_each(|item| self.add_strings(Some(item))),
            Some(Value::Object(object)) => self.add_others(object),
            Some(Value::Null | Value::Bool(_)) | None => ControlFlow::Continue(()),
        }
    }

    /// Every string and number of an object, except what nobody said: its type, its metadata, addresses; and the parts,
    /// which are texts of their own.
    fn add_others(&mut self, object: &'a Map<String, Value>) -> ControlFlow<()> {
        let is_said = |key: &str| !matches!(key, "type" | "metadata" | "parts" | "url" | "tool_call_id");
        object.iter().filter(|(key, _)| is_said(key)).try_for_each(|(_, value)| self.add_strings(Some(value)))
    }

    fn add(&mut self, mut text: Cow<'a, str>) -> ControlFlow<()> {
        let len = text.floor_char_boundary(self.room);
        let is_whole = len == text.len();
        match &mut text {
            _ if is_whole => {}
            Cow::Borrowed(text) => *text = &text[..len],
            Cow::Owned(text) => text.truncate(len),
        }
        if !text.is_empty() {
            self.texts.push(text);
        }
        self.room -= len;
        if is_whole && self.room > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
