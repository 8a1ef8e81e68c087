//! PostgreSQL by hand: `tokio-postgres`, prepared statements, the same SQL as ours sends.

use anyhow::{Context as _, Result};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};

use super::Floor;
use crate::data::{ORG, USERS, content, new_id, now, thread, user};
use crate::measure::On;

/// What chatkeep sends to append a message to a thread of the scope's user.
pub(crate) const APPEND: &str = "
    WITH head AS (
        UPDATE chat_thread SET next_position = next_position + $1, updated_at = GREATEST(updated_at, $2)
        WHERE org_id = $3 AND id = $4 AND user_id = $5 RETURNING next_position - $6 AS allotted, user_id),
    stored AS (
        INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                                  updated_at, search, search_version)
        SELECT $7, $8, allotted + m.n - 1, m.id, NULLIF(m.sender_id, ''), m.sender_role, m.content, m.created_at,
               m.created_at, m.search::tsvector, 1
        FROM head, unnest($9, $10, $11, $12, $13, $14) WITH ORDINALITY
            AS m(id, sender_id, sender_role, content, created_at, search, n))
    SELECT allotted FROM head";

const APPEND_TYPES: [Type; 14] = [
    Type::INT8,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::UUID,
    Type::UUID_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::TEXT_ARRAY,
];

/// Clients that the callers share in turn.
pub(crate) struct PostgresFloor {
    clients: Vec<Prepared>,
    users: Vec<String>,
    /// What the search column holds of the one text, for each user: the floor writes the index, and does not make it.
    vectors: Vec<String>,
}

struct Prepared {
    client: Client,
    append: Statement,
}

impl PostgresFloor {
    pub(crate) async fn open(url: &str, clients: usize, vectors: Vec<String>) -> Result<Self> {
        let mut prepared = Vec::with_capacity(clients);
        for _ in 0..clients {
            prepared.push(Prepared::connect(url).await?);
        }
        Ok(Self { clients: prepared, users: (0..USERS).map(user).collect(), vectors })
    }
}

impl Prepared {
    async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let append = client.prepare_typed(APPEND, &APPEND_TYPES).await?;
        Ok(Self { client, append })
    }
}

impl Floor for PostgresFloor {
    const ON: On = On::Tasks;

    async fn append(&self, caller: usize, number: usize) -> Result<()> {
        let Prepared { client, append } = &self.clients[caller % self.clients.len()];
        let (user, thread, now) = (number % USERS, thread(number), now());
        let (count, id, content) = (1_i64, new_id(), content()?);
        let row = client
            .query_opt(
                append,
                &[
                    &count,
                    &now,
                    &ORG,
                    &thread,
                    &self.users[user],
                    &count,
                    &ORG,
                    &thread,
                    &[id].as_slice(),
                    &[""].as_slice(),
                    &["user"].as_slice(),
                    &[content].as_slice(),
                    &[now].as_slice(),
                    &[self.vectors[user].as_str()].as_slice(),
                ],
            )
            .await?;
        let _position: i64 = row.context("no such thread")?.get(0);
        Ok(())
    }
}
