//! A statement: its text and its values, with `$1`, `$2`, … as PostgreSQL reads them. Running it consumes it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::mem::take;

use chatkeep_domain::Role;
use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, StreamTrait, Value};

#[derive(Debug)]
pub(crate) struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// The numbers of rows that statements ask for: few, because each makes a statement of its own.
const SIZES: [usize; 8] = [2, 11, 21, 51, 101, 251, 501, 1_001];

/// The next number of rows that statements ask for. What is beyond the last is asked for as it is.
pub(crate) fn size(rows: usize) -> usize {
    SIZES.into_iter().find(|size| *size >= rows).unwrap_or(rows)
}

impl Sql {
    /// One of the constants in `statements`.
    pub(crate) fn constant(text: &'static str, values: impl Into<Vec<Value>>) -> Self {
        Self { text: Cow::Borrowed(text), values: values.into() }
    }

    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: Cow::Owned(text.into()), values: Vec::new() }
    }

    /// One of the constants with `LIMIT 51` in it, for another number of rows. The number is text and no value: only so
    /// does PostgreSQL see that a plan for all values reads no further, and keeps it. Of an unknown number it expects a
    /// tenth of the thread, and plans anew each time.
    pub(crate) fn sized(text: &'static str, rows: usize, values: impl Into<Vec<Value>>) -> Self {
        let text = match size(rows) {
            51 => Cow::Borrowed(text),
            size => Cow::Owned(text.replace("LIMIT 51", &format!("LIMIT {size}"))),
        };
        Self { text, values: values.into() }
    }

    /// Goes on with text that holds no value.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// The text so far, to be put together in another way. The values stay.
    pub(crate) fn take_text(&mut self) -> String {
        take(&mut self.text).into_owned()
    }

    /// Goes on with text and a value behind it.
    pub(crate) fn bind(mut self, text: &str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        // Writing to a String cannot fail.
        let _ = write!(self.text.to_mut(), "{text}${}", self.values.len());
        self
    }

    /// Goes on so only where there is a value.
    pub(crate) fn bind_some(self, text: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.bind(text, value),
            None => self,
        }
    }

    /// Goes on with text, and values in brackets.
    pub(crate) fn bind_tuple(self, text: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let (sql, _) = values
            .into_iter()
            .fold((self.text(text), " ("), |(sql, before), value| (sql.bind(before, value), ", "));
        sql.text(")")
    }

    fn statement(self) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, self.text, self.values)
    }

    pub(crate) async fn rows(self, on: &impl ConnectionTrait) -> Result<Vec<QueryResult>, DbErr> {
        on.query_all_raw(self.statement()).await
    }

    pub(crate) async fn row(self, on: &impl ConnectionTrait) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.rows(on).await?.into_iter().next())
    }

    /// The rows as they come from the socket.
    pub(crate) async fn stream<C: StreamTrait>(self, on: &C) -> Result<C::Stream<'_>, DbErr> {
        on.stream_raw(self.statement()).await
    }

    /// Gives the number of rows that were changed.
    pub(crate) async fn execute(self, on: &impl ConnectionTrait) -> Result<u64, DbErr> {
        Ok(on.execute_raw(self.statement()).await?.rows_affected())
    }
}

pub(crate) fn array(kind: ArrayType, values: impl Iterator<Item = Value>) -> Value {
    Value::Array(kind, Some(Box::new(values.collect())))
}

pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
    array(ArrayType::String, texts.into_iter().map(|text| text.into().into()))
}

pub(crate) fn numbers(numbers: impl IntoIterator<Item = i64>) -> Value {
    array(ArrayType::BigInt, numbers.into_iter().map(Value::from))
}

pub(crate) fn integers(numbers: impl IntoIterator<Item = i32>) -> Value {
    array(ArrayType::Int, numbers.into_iter().map(Value::from))
}

pub(crate) fn uuids(ids: impl IntoIterator<Item = uuid::Uuid>) -> Value {
    array(ArrayType::Uuid, ids.into_iter().map(Value::from))
}

pub(crate) fn times(times: impl IntoIterator<Item = chatkeep_domain::Timestamp>) -> Value {
    array(ArrayType::ChronoDateTimeUtc, times.into_iter().map(Value::from))
}

/// The roles as literals: only so does the planner see that `chat_message_instructions` serves.
pub(crate) fn roles_are(column: &str, roles: &[Role]) -> String {
    let literals: Vec<_> = roles.iter().map(|role| format!("'{role}'")).collect();
    match literals.as_slice() {
        [] => String::new(),
        [role] => format!(" AND {column} = {role}"),
        roles => format!(" AND {column} IN ({})", roles.join(", ")),
    }
}
