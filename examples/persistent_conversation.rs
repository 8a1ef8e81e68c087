//! A tour of `StateManager` and `Conversation`: threads, messages, edits, and what is left of them.
//!
//! ```sh
//! cargo run --example persistent_conversation                   # in memory
//! cargo run --example persistent_conversation -- --db tour.db   # in a SQLite file
//! DATABASE_URL=postgres://… cargo run --example persistent_conversation -- --configured
//! ```
//!
//! It deletes the threads that it made, so it can be run on one database again and again.

use std::path::PathBuf;

use chatkeep::{
    ChatMessage, DatabaseConfig, Error, MessageFilter, Metadata, OrgId, Role, Scope, StateManager,
    ThreadQuery, UserId,
};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "A tour of StateManager and Conversation")]
struct Args {
    /// A SQLite file; without it, SQLite in memory
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// Open what `chatkeep.toml`, `.env` and the environment say, `DATABASE_URL` for one
    #[arg(long, conflicts_with = "db")]
    configured: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let state = if args.configured {
        chatkeep::open().await?
    } else {
        let config = args.db.map_or_else(|| DatabaseConfig::sqlite(":memory:"), DatabaseConfig::sqlite);
        let scope = Scope::user(OrgId::new("examples")?, UserId::new("tour")?);
        StateManager::new(chatkeep::create_repository(&config).await?, scope)
    };
    tour(&state).await?;
    Ok(())
}

async fn tour(state: &StateManager) -> Result<(), Error> {
    println!("# Several threads, and a handle on each");
    let tags = Metadata::from_iter([("topic".to_owned(), "travel".into())]);
    let trip = state.create_thread("Trip").metadata(tags).await?;
    let trip = state.conversation(trip.id);
    let recipe = state.create_thread("Recipe").await?;
    let recipe = state.conversation(recipe.id);
    recipe.add_message(Role::User, "How do I bake bread?").await?;
    trip.add_message(Role::User, "Where shall I go?").await?;
    for chat in [&recipe, &trip] {
        println!(
            "{}: {}",
            chat.get_thread().await?.name,
            chat.get_messages().await?[0].content.to_plain_text()
        );
    }

    println!("\n# Several messages at once: all of them are stored or none");
    // They keep their order, with nobody else's messages in between.
    let batch = [
        (Role::Assistant, "To Oslo."),
        (Role::User, "Why?"),
        (Role::Assistant, "It has fjords, forrests and a good opera."),
    ];
    let stored = trip.add_messages(batch).await?;
    show(&trip.get_messages().await?);

    println!("\n# A part of them");
    show(&trip.get_messages().filter(MessageFilter::new().role(Role::Assistant)).last(1).await?);

    println!("\n# The list: the thread that was written to last comes first");
    show_threads(state).await?;

    println!("\n# A new name and new metadata");
    let tags = Metadata::from_iter([("topic".to_owned(), "travel".into()), ("year".to_owned(), 2030.into())]);
    let renamed = trip.rename("Trip to Oslo").metadata(tags).await?;
    println!("{}: {}", renamed.name, serde_json::Value::Object(renamed.metadata));

    println!("\n# A correction in place: what was said before is kept");
    let id = stored.messages[2].id;
    let edited = trip.message(id).edit("It has fjords, forests and a good opera.").await?;
    println!("now:    {}", edited.content.to_plain_text());
    for earlier in trip.message(id).revisions().await? {
        println!("before: {}", earlier.content.to_plain_text());
    }

    println!("\n# One message less: the others keep their numbers, and its own is not given again");
    trip.message(stored.messages[1].id).delete().await?;
    trip.add_message(Role::User, "Then Oslo it is.").await?;
    show(&trip.get_messages().await?);

    println!("\n# As a model sees it");
    for message in trip.load_conversation_history().await? {
        println!("{}: {}", message.role, message.content.to_plain_text());
    }

    println!("\n# Cleared: the thread stays");
    println!("messages deleted: {}", trip.clear().await?);
    show_threads(state).await?;

    println!("\n# Deleted: nothing stays");
    for chat in [&trip, &recipe] {
        chat.delete().await?;
    }
    println!("read again: {:?}", state.get_thread(trip.thread_id()).await?);
    Ok(())
}

async fn show_threads(state: &StateManager) -> Result<(), Error> {
    // Long lists are read page by page: a page's `next` goes into the next query's `behind`.
    let page = state.list_threads(&ThreadQuery::first(10)).await?;
    for thread in page.items {
        let messages = state.conversation(thread.id).get_messages().await?.len();
        println!("{} (messages: {messages})", thread.name);
    }
    Ok(())
}

fn show(messages: &[ChatMessage]) {
    for message in messages {
        println!("{} {}: {}", message.position, message.sender_role, message.content.to_plain_text());
    }
}
