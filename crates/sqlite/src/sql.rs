//! Statements that are put together from parts: lists and searches. All others are constants.

use chatkeep_domain::{TimeRange, Timestamp};
use rusqlite::ToSql;
use rusqlite::types::Value;

/// A statement with its values.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    pub(crate) text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with a text and a value behind it.
    pub(crate) fn bind(mut self, text: &str, value: impl Into<Value>) -> Self {
        self.text.push_str(text);
        self.text.push('?');
        self.values.push(value.into());
        self
    }

    pub(crate) fn bind_some(self, text: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.bind(text, value),
            None => self,
        }
    }

    /// Goes on with a condition on when something happened.
    pub(crate) fn range(self, column: &str, range: &TimeRange) -> Self {
        let micros = |moment: Option<Timestamp>| moment.map(|moment| moment.timestamp_micros());
        self.bind_some(&format!(" AND {column} >= "), micros(range.from))
            .bind_some(&format!(" AND {column} < "), micros(range.until))
    }

    /// Goes on with a text and a list of values behind it.
    pub(crate) fn bind_list(mut self, text: &str, values: impl IntoIterator<Item = Value>) -> Self {
        self.text.push_str(text);
        self.text.push_str(" (");
        for (at, value) in values.into_iter().enumerate() {
            self = self.bind(if at == 0 { "" } else { ", " }, value);
        }
        self.text(")")
    }

    pub(crate) fn limit(self, limit: usize) -> Self {
        self.bind(" LIMIT ", i64::try_from(limit).unwrap_or(i64::MAX))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.values.iter().map(|value| value as &dyn ToSql)
    }
}
