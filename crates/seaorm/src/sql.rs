//! A statement in the making: its text and its values, with `$1`, `$2`, … as both engines read them.

use std::fmt::Write as _;

use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value};

use crate::connection::Connection;

#[derive(Debug, Clone, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Goes on with text that holds no value.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with text and a value behind it.
    pub(crate) fn bind(mut self, text: &str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self.text.push_str(text);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// Goes on so only where there is a value.
    pub(crate) fn bind_some(self, text: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.bind(text, value),
            None => self,
        }
    }

    /// At most as many rows. The number is text and no value: only so does PostgreSQL see that a plan for all values reads no
    /// further, and keeps it. Of an unknown number it expects a tenth of the thread, and plans anew each time.
    pub(crate) fn limit(self, rows: usize) -> Self {
        self.text(&format!(" LIMIT {rows}"))
    }

    /// A list of values in brackets.
    pub(crate) fn bind_list<V: Into<Value>>(
        mut self,
        text: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.text.push_str(text);
        let mut before = " (";
        for value in values {
            self = self.bind(before, value);
            before = ", ";
        }
        self.text(")")
    }

    /// The same between texts that hold no value.
    pub(crate) fn within(mut self, before: &str, behind: &str) -> Self {
        self.text.insert_str(0, before);
        self.text(behind)
    }

    /// The engine that it names is looked at by SeaORM alone, and set where it is used.
    fn statement(&self) -> Statement {
        Statement::from_sql_and_values(DbBackend::Sqlite, &self.text, self.values.clone())
    }

    pub(crate) async fn rows(&self, connection: Connection<'_>) -> Result<Vec<QueryResult>, DbErr> {
        connection.rows(self.statement()).await
    }

    pub(crate) async fn row(&self, connection: Connection<'_>) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.rows(connection).await?.into_iter().next())
    }

    /// Gives the number of rows that were changed.
    pub(crate) async fn execute(&self, connection: Connection<'_>) -> Result<u64, DbErr> {
        connection.execute(self.statement()).await
    }
}
