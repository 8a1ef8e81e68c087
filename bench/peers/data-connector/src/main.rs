//! data-connector, used as its README says: `create_storage`, and for each message `create_item` and `link_item`.

use std::sync::Arc;

use anyhow::{Error, Result, bail};
use data_connector::{
    AddedAtSequence, ConversationId, ConversationItemId, ConversationItemStorage, ConversationStorage,
    HistoryBackend, ListParams, MemoryConfig, NewConversation, NewConversationItem, PostgresConfig,
    SortOrder, StorageFactoryConfig, create_storage,
};
use peers_worker::{About, Store, Target, locked_version};
use serde_json::json;

struct DataConnector {
    conversations: Arc<dyn ConversationStorage>,
    items: Arc<dyn ConversationItemStorage>,
}

impl DataConnector {
    async fn item(&self, text: &str) -> Result<ConversationItemId> {
        let item = NewConversationItem {
            id: None,
            response_id: None,
            item_type: "message".to_owned(),
            role: Some("user".to_owned()),
            content: json!([{ "type": "input_text", "text": text }]),
            status: Some("completed".to_owned()),
            tenant: None,
        };
        Ok(self.items.create_item(item).await?.id)
    }
}

impl Store for DataConnector {
    type Thread = ConversationId;

    async fn open(target: Target) -> Result<(Self, About)> {
        let (backend, postgres, memory, about) = match target {
            Target::Postgres(db_url) => {
                let config = PostgresConfig {
                    db_url,
                    pool_max: PostgresConfig::default_pool_max(),
                    op_timeout_secs: PostgresConfig::default_op_timeout_secs(),
                    schema: None,
                };
                let about = format!("its pool of {}; create_item, link_item", config.pool_max);
                (HistoryBackend::Postgres, Some(config), None, about)
            }
            Target::Sqlite(_) => bail!("it has no such store"),
            Target::Memory => {
                // By default the oldest go at 100,000, and the conversation that is read is the oldest.
                let config = MemoryConfig { max_items: usize::MAX, ..MemoryConfig::default() };
                let about = "create_item, link_item; no bound on the items".to_owned();
                (HistoryBackend::Memory, None, Some(config), about)
            }
        };
        let config = StorageFactoryConfig {
            backend: &backend,
            oracle: None,
            postgres: postgres.as_ref(),
            redis: None,
            memory: memory.as_ref(),
            hook: None,
        };
        let storage = create_storage(config).await.map_err(Error::msg)?;
        let version = locked_version(include_str!("../Cargo.lock"), "data-connector");
        let (conversations, items) = (storage.conversation_storage, storage.conversation_item_storage);
        Ok((Self { conversations, items }, About { version, about }))
    }

    async fn create(&self) -> Result<ConversationId> {
        Ok(self.conversations.create_conversation(NewConversation::default()).await?.id)
    }

    async fn append(&self, thread: &ConversationId, text: &str) -> Result<()> {
        let item = self.item(text).await?;
        Ok(self.items.link_item(thread, &item, AddedAtSequence::new().next_added_at()).await?)
    }

    /// Only the links are made together.
    async fn load(&self, thread: &ConversationId, texts: &[&str]) -> Result<()> {
        let (mut added_at, mut items) = (AddedAtSequence::new(), Vec::new());
        for text in texts {
            items.push((self.item(text).await?, added_at.next_added_at()));
        }
        Ok(self.items.link_items(thread, &items).await?)
    }

    async fn last(&self, thread: &ConversationId, count: usize) -> Result<usize> {
        let params = ListParams { limit: count, order: SortOrder::Desc, after: None };
        let mut items = self.items.list_items(thread, params).await?;
        items.reverse();
        Ok(items.len())
    }

    async fn find(&self, _: &str) -> Result<usize> {
        bail!("it does not search")
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    peers_worker::serve::<DataConnector>().await
}
