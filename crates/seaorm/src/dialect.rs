//! Where the two engines differ. Everything else in this crate is written once.

use chatkeep_domain::{Timestamp, to_micros};
use chrono::DateTime;
use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, DbErr, QueryResult};

use crate::sql::Sql;

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    pub(crate) fn of(backend: DbBackend) -> Option<Self> {
        match backend {
            DbBackend::Postgres => Some(Self::Postgres),
            DbBackend::Sqlite => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// The name in errors.
    pub(crate) fn store(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// A moment as it is kept: `timestamptz`, or an integer of microseconds since 1970, because SQLite's own text
    /// form has no fixed length to sort by.
    pub(crate) fn timestamp(self, moment: Timestamp) -> Value {
        match self {
            Self::Postgres => moment.into(),
            Self::Sqlite => moment.timestamp_micros().into(),
        }
    }

    pub(crate) fn read_timestamp(self, row: &QueryResult, column: usize) -> Result<Timestamp, DbErr> {
        match self {
            Self::Postgres => row.try_get_by_index::<Timestamp>(column).map(to_micros),
            Self::Sqlite => DateTime::from_timestamp_micros(row.try_get_by_index(column)?)
                .ok_or_else(|| DbErr::Type("a time out of range".to_owned())),
        }
    }

    /// SQL for the later of two moments.
    pub(crate) fn greatest(self) -> &'static str {
        match self {
            Self::Postgres => "GREATEST",
            Self::Sqlite => "MAX",
        }
    }

    /// What locks a selected row until the transaction ends. SQLite's transaction has the whole database.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// Goes on with a condition that always holds, and that makes PostgreSQL plan a prepared statement for the values of
    /// each execution. After five executions it may keep one plan for all values, and what serves an organization of a
    /// few hundred messages is wrong for one of many: measured, 282 ms instead of 0.14 ms for the newest messages with a
    /// common word among 300,000. With its values the condition is nothing. Without them it would cost a scan of the table,
    /// which no plan can be cheap with, and a million rows besides, because a table that was just filled seems to have none:
    /// there the query's text was read anew for each row, for seconds.
    pub(crate) fn plan_with_values(self, sql: Sql) -> Sql {
        match self {
            Self::Postgres => {
                sql.bind(" AND (", true).text(" OR (SELECT COUNT(*) FROM chat_message) + (SELECT COUNT(*) FROM generate_series(1, 1000000)) < 0)")
            }
            Self::Sqlite => sql,
        }
    }
}
