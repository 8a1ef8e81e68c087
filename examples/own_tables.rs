//! An application's own table, joined with chatkeep's in one query of SeaORM's.
//!
//! ```sh
//! cargo run --example own_tables -- --db postgres://user:password@host/database
//! ```
//!
//! A help desk keeps a table of tickets in the database in which chatkeep keeps the conversations about them. It writes
//! conversations through chatkeep, and reads them with its tickets by the entities of `chatkeep-postgres`.

use std::sync::Arc;

use anyhow::Context as _;
use chatkeep::{LayersConfig, OrgId, PostgresRepository, Role, Scope, StateManager, UserId, layered};
use chatkeep_postgres::PostgresConfig;
use chatkeep_postgres::entities::{chat_message, chat_thread};
use clap::Parser;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, JoinType, QueryOrder as _, QuerySelect as _, Schema};

#[derive(Debug, Parser)]
#[command(about = "Joins a table of an application's own with chatkeep's")]
struct Args {
    /// The PostgreSQL database; chatkeep's tables and the table `ticket` are made when they are missing
    #[arg(long, value_name = "URL")]
    db: String,
}

/// The application's own table.
mod ticket {
    use chatkeep_postgres::entities::chat_thread;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ticket")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        /// A thread's key has two parts, and so has the reference to it.
        #[sea_orm(column_type = "Text")]
        pub(crate) org_id: String,
        pub(crate) chat_thread_id: Uuid,
        pub(crate) is_open: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(
            belongs_to = "chat_thread::Entity",
            from = "(Column::OrgId, Column::ChatThreadId)",
            to = "(chat_thread::Column::OrgId, chat_thread::Column::Id)",
            on_delete = "Cascade"
        )]
        ChatThread,
    }

    impl Related<chat_thread::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::ChatThread.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let config = PostgresConfig::from_url(&args.db.into())?.auto_migrate(true);
    let store = PostgresRepository::open(config).await.context("cannot open the database")?;
    // What the application's own statements run on too. The other way round, `PostgresRepository::from_connection` has the
    // store run on a `DatabaseConnection` of the application.
    let connections = store.connections().clone();
    make_table(&connections).await?;

    let org = OrgId::new("helpdesk")?;
    // The layers repeat calls after errors that pass.
    let store = layered(Arc::new(store), &LayersConfig::default());
    let state = StateManager::new(store, Scope::user(org.clone(), UserId::new("ada")?));
    for (name, is_open, said) in [
        ("The printer is on fire", true, &["It burns!", "Still burning."][..]),
        ("A key is missing", false, &["Never mind, I found it."]),
        ("The screen is dark", true, &["Is it on?"]),
    ] {
        // A ticket refers to its thread, which therefore comes first.
        let thread = state.create_thread(name).await?;
        let chat = state.conversation(thread.id);
        chat.add_message(Role::System, "You help.").await?;
        for text in said {
            chat.add_message(Role::User, *text).await?;
        }
        let ticket = ticket::ActiveModel {
            org_id: Set(org.to_string()),
            chat_thread_id: Set(*thread.id.as_uuid()),
            is_open: Set(is_open),
            ..Default::default()
        };
        ticket::Entity::insert(ticket).exec(&connections).await?;
    }

    println!("# The open tickets, and their threads");
    // The query has no scope: the organization is for it to name.
    let is_open =
        Condition::all().add(ticket::Column::IsOpen.eq(true)).add(ticket::Column::OrgId.eq(org.as_str()));
    let open = ticket::Entity::find()
        .filter(is_open.clone())
        .find_also_related(chat_thread::Entity)
        .order_by_asc(ticket::Column::Id)
        .all(&connections)
        .await?;
    for (ticket, thread) in open {
        let thread = thread.context("a ticket without its thread")?;
        println!("{} {}: {} messages", ticket.id, thread.name, thread.message_count);
    }

    println!("\n# How many messages of users each open ticket has");
    let counts: Vec<(i32, i64)> = ticket::Entity::find()
        .select_only()
        .column(ticket::Column::Id)
        .column_as(chat_message::Column::Id.count(), "messages")
        .join(JoinType::InnerJoin, ticket::Relation::ChatThread.def())
        .join(JoinType::InnerJoin, chat_thread::Relation::ChatMessage.def())
        .filter(is_open)
        .filter(chat_message::Column::SenderRole.eq(Role::User.to_string()))
        .group_by(ticket::Column::Id)
        .order_by_asc(ticket::Column::Id)
        .into_tuple()
        .all(&connections)
        .await?;
    for (ticket, messages) in counts {
        println!("{ticket}: {messages}");
    }
    Ok(())
}

/// An application would have a migration for this.
async fn make_table(connections: &impl ConnectionTrait) -> Result<(), DbErr> {
    let schema = Schema::new(connections.get_database_backend());
    connections.execute(schema.create_table_from_entity(ticket::Entity).if_not_exists()).await?;
    Ok(())
}
