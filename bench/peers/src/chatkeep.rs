//! chatkeep as a system that is measured: a `StateManager` with default settings, and 16 connections on PostgreSQL.

use anyhow::Result;
use chatkeep::config::DatabaseConfig;
use chatkeep::{OrgId, Role, Scope, StateManager, ThreadId, UserId};
use peers_worker::{About, Store, Target, locked_version};

pub(crate) struct Chatkeep(StateManager);

impl Store for Chatkeep {
    type Thread = ThreadId;

    async fn open(target: Target) -> Result<(Self, About)> {
        let (config, about) = match target {
            Target::Postgres(url) => {
                let mut config = DatabaseConfig::from_url(url)?;
                (config.pool_size, config.max_overflow, config.auto_migrate) = (16, 0, Some(true));
                (config, "StateManager, a pool of 16; search on")
            }
            // Opening fails if the file does not end up with these settings.
            Target::Sqlite(path) => {
                (DatabaseConfig::sqlite(path), "StateManager; journal_mode=wal, synchronous=2; search on")
            }
            Target::Memory => (DatabaseConfig::memory(), "StateManager; search on"),
        };
        let scope = Scope::user(OrgId::new("bench")?, UserId::new("user")?);
        let version = locked_version(include_str!("../Cargo.lock"), "chatkeep");
        let state = StateManager::connect(&config, scope).await?;
        Ok((Self(state), About { version, about: about.to_owned() }))
    }

    async fn create(&self) -> Result<ThreadId> {
        Ok(self.0.create_thread("a thread").await?.id)
    }

    async fn append(&self, thread: &ThreadId, text: &str) -> Result<()> {
        self.0.conversation(*thread).add_message(Role::User, text).await?;
        Ok(())
    }

    async fn load(&self, thread: &ThreadId, texts: &[&str]) -> Result<()> {
        let texts = texts.iter().map(|text| (Role::User, *text));
        self.0.conversation(*thread).add_messages(texts).await?;
        Ok(())
    }

    async fn last(&self, thread: &ThreadId, count: usize) -> Result<usize> {
        Ok(self.0.conversation(*thread).get_messages().last(count).await?.len())
    }

    async fn find(&self, word: &str) -> Result<usize> {
        Ok(self.0.search(word).await?.items.len())
    }
}
