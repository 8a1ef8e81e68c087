//! Keeps a conversation in a SQLite file, and goes on with it whenever it is run again.
//!
//! ```sh
//! cargo run --example quickstart                            # begins; run again, goes on
//! cargo run --example quickstart -- --say "Good morning."   # says something of your own
//! cargo run --example quickstart -- --new                   # begins another conversation
//! ```

use std::path::PathBuf;

use anyhow::Context as _;
use chatkeep::{
    ChatMessage, ConversationHistory, DatabaseConfig, Message, OrgId, Role, Scope, StateManager, ThreadQuery,
    UserId,
};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "Keeps a conversation in a SQLite file, and goes on with it whenever it is run again")]
struct Args {
    /// The SQLite file; without it, chatkeep's own in the platform's data directory
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// What to say, instead of the next line of the script
    #[arg(long, value_name = "TEXT")]
    say: Option<String>,
    /// Begin another conversation
    #[arg(long)]
    new: bool,
}

/// What the user says, one line each time; then from the start again.
const SCRIPT: [&str; 3] = ["I like trains.", "What did I say first?", "How often have I spoken to you?"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let file = args.db.map_or_else(chatkeep::config::default_path, Ok)?;

    // Every call is made for somebody; what other users keep in the same file does not exist for this one.
    let scope = Scope::user(OrgId::new("examples")?, UserId::new("quickstart")?);
    // The file is made when it is missing. Another backend is another configuration, and nothing else changes.
    let state = StateManager::connect(&DatabaseConfig::sqlite(&file), scope)
        .await
        .with_context(|| format!("cannot open {}", file.display()))?;
    println!("Conversations are kept in {}", file.display());

    // The list begins with the thread that was written to last.
    let newest = state.list_threads(&ThreadQuery::first(1)).await?.items.pop();
    let thread = if let Some(thread) = newest.filter(|_| !args.new) {
        println!("Resumed thread {}. So far:", thread.id);
        thread
    } else {
        let thread = state.create_thread("Quickstart").await?;
        println!("Created thread {}.", thread.id);
        thread
    };
    let chat = state.conversation(thread.id);
    let before = chat.get_messages().await?;
    show(&before);

    // What a model gets to see: the newest messages that fit its context window, and always the system's. Whatever
    // is added is on disk when the call returns.
    let mut history = ConversationHistory::builder()
        .max_tokens(2_000)
        .conversation(chat.clone())
        .persist_to_db(true)
        .build()?;
    history.load_from_db().await?;
    if history.is_empty() {
        history.add_system_message("Answer in one sentence.").await?;
    }

    let spoken = before.iter().filter(|message| message.sender_role == Role::User).count();
    let line = args.say.unwrap_or_else(|| SCRIPT[spoken % SCRIPT.len()].to_owned());
    history.add_user_message(line).await?;
    let answer = model(&history.get_messages(None));
    history.add_assistant_message(answer).await?;

    println!("Now:");
    show(&chat.get_messages().after(thread.head).await?);
    println!("Run it again to go on.");
    state.close().await?;
    Ok(())
}

/// A stand-in for a model: it knows what the conversation tells it, and answers the same to the same.
fn model(conversation: &[Message]) -> String {
    let said = conversation.iter().filter(|message| message.role == Role::User);
    let said: Vec<&str> = said.filter_map(|message| message.content.as_text()).collect();
    match said.as_slice() {
        [] => "I am listening.".to_owned(),
        [first] => format!("I will remember: \"{first}\""),
        [first, ..] => format!("You have spoken {} times. First you said: \"{first}\"", said.len()),
    }
}

fn show(messages: &[ChatMessage]) {
    for message in messages {
        // A position is a message's number in its thread; it never changes.
        println!(
            "{:>4}  {:<9}  {}",
            message.position.get(),
            message.sender_role.as_str(),
            message.content.to_plain_text()
        );
    }
}
