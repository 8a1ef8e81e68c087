//! A conversation in a store of one's own.

use std::path::PathBuf;
use std::sync::Arc;

use chatkeep::{OrgId, Role, Scope, StateManager, UserId};
use clap::Parser;
use custom_adapter::JsonFile;

#[derive(Debug, Parser)]
#[command(about = "Keeps a conversation in a store of its own, a JSON file")]
struct Args {
    /// The JSON file; without it, one in a temporary folder
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let temporary = tempfile::tempdir()?;
    let path = args.file.unwrap_or_else(|| temporary.path().join("chats.json"));
    let scope = Scope::user(OrgId::new("examples")?, UserId::new("adapter")?);

    // A store of your own goes where chatkeep's go.
    let state = StateManager::new(Arc::new(JsonFile::open(path.clone())?), scope.clone());
    let thread = state.create_thread("Stores").await?;
    let chat = state.conversation(thread.id);
    chat.add_message(Role::User, "Where do you keep this?").await?;
    chat.add_message(Role::Assistant, "In a file of JSON.").await?;

    println!("opened again:");
    let state = StateManager::new(Arc::new(JsonFile::open(path.clone())?), scope);
    for message in state.conversation(thread.id).get_messages().await? {
        println!("{} {}: {}", message.position, message.sender_role, message.content.to_plain_text());
    }
    Ok(())
}
