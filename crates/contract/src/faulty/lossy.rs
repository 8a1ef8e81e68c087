//! What loses something on the way in: values, times, scopes.

use chatkeep_domain::{Content, NewMessage, Scope, Timestamp, UserId};
use serde_json::{Map, Number, Value};

use super::Fault;

pub(super) fn scope(fault: Fault, scope: &Scope) -> Scope {
    match (scope.org_id(), scope.user_id()) {
        (Some(org), Some(user)) => Scope::user(org.clone(), self::user(fault, user.clone())),
        _ => scope.clone(),
    }
}

pub(super) fn user(fault: Fault, user: UserId) -> UserId {
    match fault {
        Fault::FoldsCase => UserId::new(user.as_str().to_lowercase()).unwrap_or(user),
        _ => user,
    }
}

pub(super) fn time(fault: Fault, moment: Timestamp) -> Timestamp {
    match fault {
        Fault::CutsToMilliseconds => {
            Timestamp::from_timestamp_millis(moment.timestamp_millis()).unwrap_or(moment)
        }
        _ => moment,
    }
}

pub(super) fn message(fault: Fault, mut message: NewMessage) -> NewMessage {
    message.created_at = time(fault, message.created_at);
    message.content = content(fault, message.content);
    message
}

pub(super) fn content(fault: Fault, content: Content) -> Content {
    let lose: fn(Value) -> Value = match fault {
        Fault::StripsNul => strip_nul,
        Fault::MakesFloatsIntegers => make_integer,
        _ => return content,
    };
    let damaged = each(content.clone().into(), lose);
    Content::from_value(damaged).unwrap_or(content)
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
