//! An agent's workflow with tool calls that can be killed at any moment and loses nothing.
//!
//! ```sh
//! cargo run --example workflow_with_persistence -- --db trip.db --stop-after 4   # ends hard, half-way
//! cargo run --example workflow_with_persistence -- --db trip.db                  # goes on to the end
//! ```
//!
//! Three rules make it so:
//! 1. Each step is decided from the stored conversation alone: see [`next_step`].
//! 2. A step is done when its message is durable, which is when `add_…(…).await` returns.
//! 3. What belongs together is one message, such as parallel tool calls: it is stored whole or not at all.
//!
//! One process at a time, though: two would both take the next step.

use std::path::PathBuf;

use anyhow::bail;
use chatkeep::{
    Content, ConversationHistory, DatabaseConfig, OrgId, Role, Scope, StateManager, ThreadId, UserId,
};
use clap::Parser;
use serde_json::{Value, json};

#[derive(Debug, Parser)]
#[command(about = "An agent's workflow with tool calls that can be killed at any moment and loses nothing")]
struct Args {
    /// The SQLite file; without it, chatkeep-workflow.db in the folder for temporary files
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// Abort without any clean-up once this process has stored N messages
    #[arg(long, value_name = "N")]
    stop_after: Option<usize>,
}

/// The workflow's thread. An id of our own makes "create or resume" one call.
const WORKFLOW: &str = "019a3c5e-7b00-7000-8000-000000000001";

/// What the user says, turn by turn.
const TURNS: [&str; 3] =
    ["Where is it warmer tomorrow, in Oslo or in Bergen?", "Book a train there for me.", "Thank you!"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let file = args.db.unwrap_or_else(|| std::env::temp_dir().join("chatkeep-workflow.db"));
    let repository = chatkeep::create_repository(&DatabaseConfig::sqlite(&file)).await?;
    let scope = Scope::user(OrgId::new("examples")?, UserId::new("workflow")?);
    let state = StateManager::new(repository, scope);

    // Creating with an id that is there already gives back the stored thread.
    let workflow: ThreadId = WORKFLOW.parse()?;
    state.create_thread("Trip").id(workflow).await?;
    let chat = state.conversation(workflow);
    let mut history =
        ConversationHistory::builder().conversation(chat.clone()).persist_to_db(true).build()?;
    history.load_from_db().await?;
    eprintln!("{}: {} messages are there already", file.display(), history.len());

    for stored in 0.. {
        if args.stop_after == Some(stored) {
            std::process::abort();
        }
        match next_step(&history) {
            Step::Say(role, content) => history.add_message(role, content).await?,
            Step::RunTool { call_id, name, arguments } => {
                // A crash between this line and the next runs the tool again: a tool with effects needs the
                // call's id, so that it can tell a repetition.
                let result = run_tool(&call_id, &name, &arguments)?;
                history.add_tool_result_for(call_id, name, result).await?
            }
            Step::Done => break,
        };
        eprintln!("stored message {}", history.len());
    }

    // From the store, not from memory: this is what another process would find.
    for message in chat.get_messages().await? {
        let text = message.content.to_plain_text().replace('\n', "\n              ");
        println!("{:>2} {:<10} {text}", message.position.get(), message.sender_role.as_str());
    }
    Ok(())
}

enum Step {
    Say(Role, Content),
    RunTool { call_id: String, name: String, arguments: Value },
    Done,
}

/// What comes next, from the conversation alone: a process that has just started decides as one that has been
/// running all along.
fn next_step(history: &ConversationHistory) -> Step {
    // A call without a result, be it that we were killed in between or that nothing has run it yet.
    if let Some(call) = history.pending_tool_calls().first() {
        return Step::RunTool {
            call_id: call.id.to_owned(),
            name: call.name.to_owned(),
            arguments: call.arguments.clone(),
        };
    }
    match history.iter().last().map(|message| message.role) {
        None => Step::Say(Role::System, "You plan trips, and use tools.".into()),
        Some(Role::User | Role::Tool) => Step::Say(Role::Assistant, model(history)),
        Some(_) => match TURNS.get(user_turns(history)) {
            Some(&line) => Step::Say(Role::User, line.into()),
            None => Step::Done,
        },
    }
}

fn user_turns(history: &ConversationHistory) -> usize {
    history.iter().filter(|message| message.role == Role::User).count()
}

/// A stand-in for a model: what it says follows from the turn, and from the tools' results in it.
fn model(history: &ConversationHistory) -> Content {
    let in_turn = history.iter().rev().take_while(|message| message.role != Role::User);
    let results = in_turn.flat_map(|message| message.content.tool_results());
    let mut results: Vec<&Value> = results.map(|result| result.content).collect();
    results.reverse();
    match (user_turns(history), results.as_slice()) {
        // Calls that the model makes at once are parts of one message.
        (1, []) => Content::parts([
            Content::tool_call("call_1", "forecast", json!({"city": "Oslo"})),
            Content::tool_call("call_2", "forecast", json!({"city": "Bergen"})),
        ]),
        (1, [oslo, bergen]) => {
            let warmer =
                if oslo["degrees"].as_i64() > bergen["degrees"].as_i64() { "Oslo" } else { "Bergen" };
            format!("In {warmer}.").into()
        }
        (2, []) => Content::tool_call("call_3", "book_train", json!({"to": "Oslo"})),
        (2, [ticket]) => format!("Done: your seat is {}.", ticket["seat"]).into(),
        _ => "You are welcome.".into(),
    }
}

fn run_tool(call_id: &str, name: &str, arguments: &Value) -> anyhow::Result<Value> {
    match (name, arguments["city"].as_str()) {
        ("forecast", Some("Oslo")) => Ok(json!({"degrees": 21})),
        ("forecast", Some(_)) => Ok(json!({"degrees": 14})),
        ("book_train", _) => Ok(json!({"booking": call_id, "seat": 42})),
        _ => bail!("the model asked for a tool that does not exist: {name}"),
    }
}
