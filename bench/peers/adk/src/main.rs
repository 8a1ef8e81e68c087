//! adk-session, used as its README says: `new`, `migrate`, and the calls by identity that it prefers for new code.

use adk_core::identity::{AdkIdentity, AppName, SessionId, UserId};
use adk_core::types::Content;
use adk_session::{
    AppendEventRequest, CreateRequest, Event, GetRequest, InMemorySessionService, PostgresSessionService,
    SessionService, SqliteSessionService,
};
use anyhow::Result;
use peers_worker::{About, Store, Target, locked_version};

const APP: &str = "bench";
const USER: &str = "user";

struct Adk(Box<dyn SessionService>);

impl Store for Adk {
    type Thread = AdkIdentity;

    async fn open(target: Target) -> Result<(Self, About)> {
        let (service, about): (Box<dyn SessionService>, _) = match target {
            Target::Postgres(url) => {
                let service = PostgresSessionService::new(&url).await?;
                service.migrate().await?;
                (Box::new(service), "its pool of 10; append_event_for_identity".to_owned())
            }
            Target::Sqlite(path) => {
                let url = format!("sqlite://{}?mode=rwc", path.display());
                let service = SqliteSessionService::new(&url).await?;
                service.migrate().await?;
                let journal: String =
                    sqlx::query_scalar("PRAGMA journal_mode").fetch_one(service.pool()).await?;
                let synchronous: i64 =
                    sqlx::query_scalar("PRAGMA synchronous").fetch_one(service.pool()).await?;
                let about = format!("journal_mode={journal}, synchronous={synchronous}; its pool of 10");
                (Box::new(service), about)
            }
            Target::Memory => (Box::new(InMemorySessionService::new()), "InMemorySessionService".to_owned()),
        };
        let version = locked_version(include_str!("../Cargo.lock"), "adk-session");
        Ok((Self(service), About { version, about }))
    }

    async fn create(&self) -> Result<AdkIdentity> {
        let id = uuid::Uuid::new_v4().to_string();
        let (app_name, user_id, session_id) = (APP.to_owned(), USER.to_owned(), Some(id.clone()));
        let state = std::collections::HashMap::new();
        self.0.create(CreateRequest { app_name, user_id, session_id, state }).await?;
        Ok(AdkIdentity::new(
            AppName::try_from(APP)?,
            UserId::try_from(USER)?,
            SessionId::try_from(id.as_str())?,
        ))
    }

    async fn append(&self, thread: &AdkIdentity, text: &str) -> Result<()> {
        let mut event = Event::new("invocation");
        USER.clone_into(&mut event.author);
        event.llm_response.content = Some(Content::new("user").with_text(text));
        Ok(self.0.append_event_for_identity(AppendEventRequest { identity: thread.clone(), event }).await?)
    }

    /// There is no call that appends several.
    async fn load(&self, thread: &AdkIdentity, texts: &[&str]) -> Result<()> {
        for text in texts {
            self.append(thread, text).await?;
        }
        Ok(())
    }

    async fn last(&self, thread: &AdkIdentity, count: usize) -> Result<usize> {
        let request = GetRequest {
            app_name: APP.to_owned(),
            user_id: USER.to_owned(),
            session_id: thread.session_id.as_ref().to_owned(),
            num_recent_events: Some(count),
            after: None,
        };
        Ok(self.0.get(request).await?.events().len())
    }

    async fn find(&self, _: &str) -> Result<usize> {
        anyhow::bail!("it does not search")
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    peers_worker::serve::<Adk>().await
}
