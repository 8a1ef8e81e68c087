//! Faults that lose something on the way in: digits of times, characters, kinds of numbers.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, Content, ConversationRepository, Decorator, MessageEdit, MessageId,
    NewThread, Scope, StoreError, ThreadAppend, ThreadId, ThreadUpdate, Timestamp,
};
use serde_json::{Map, Number, Value};

use crate::faulty::{Answer, Fault};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Lossy {
    inner: Repo,
    fault: Fault,
}

impl Lossy {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }

    fn time(&self, moment: Timestamp) -> Timestamp {
        match self.fault {
            Fault::CutsToMilliseconds => {
                Timestamp::from_timestamp_millis(moment.timestamp_millis()).unwrap_or(moment)
            }
            _ => moment,
        }
    }

    fn content(&self, content: Content) -> Content {
        let lose: fn(Value) -> Value = match self.fault {
            Fault::StripsNul => strip_nul,
            Fault::MakesFloatsIntegers => make_integer,
            _ => return content,
        };
        let damaged = each(content.clone().into(), lose);
        Content::from_value(damaged).unwrap_or(content)
    }

    fn damage(&self, mut append: Append) -> Append {
        for message in &mut append.messages {
            message.created_at = self.time(message.created_at);
            message.content = self.content(message.content.clone());
        }
        append
    }
}

#[async_trait]
impl Decorator for Lossy {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn create_thread(&self, scope: &Scope, mut new: NewThread) -> Result<ChatThread, StoreError> {
        new.created_at = self.time(new.created_at);
        self.inner.create_thread(scope, new).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        mut update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        update.at = self.time(update.at);
        self.inner.update_thread(scope, id, update).await
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        self.inner.append(scope, thread, self.damage(append)).await
    }

    async fn append_each(&self, mut appends: Vec<ThreadAppend>) -> Vec<Answer> {
        for it in &mut appends {
            it.append = self.damage(std::mem::take(&mut it.append));
        }
        self.inner.append_each(appends).await
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        let edit = MessageEdit::new(self.content(edit.content), self.time(edit.at));
        self.inner.edit_message(scope, thread, id, edit).await
    }
}

/// Applies `lose` to every value that is not made of others.
fn each(value: Value, lose: fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| each(item, lose)).collect(),
        Value::Object(object) => {
            let items = object.into_iter();
            Value::Object(items.map(|(key, item)| (key, each(item, lose))).collect::<Map<_, _>>())
        }
        other => lose(other),
    }
}

fn strip_nul(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace('\0', "").into(),
        other => other,
    }
}

fn make_integer(value: Value) -> Value {
    let whole = value.as_f64().filter(|float| float.fract() == 0.0);
    let integer = whole.and_then(|float| Number::from_i128(format!("{float:.0}").parse().ok()?));
    integer.map_or(value, Value::Number)
}
