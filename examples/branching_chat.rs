//! A chat in the terminal whose questions can be rewritten and whose answers can be given again. It draws the tree of what was
//! said, and goes on after a restart, or a kill, where it was.
//!
//! ```sh
//! cargo run --example branching_chat -- --db chat.db "ask Where shall I go?" again tree   # these commands
//! cargo run --example branching_chat -- --db chat.db                                      # each line that is typed
//! ```

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use chatkeep::{
    ChatMessage, Conversation, DatabaseConfig, ExternalId, OrgId, Position, Role, Scope, Sibling, Siblings,
    StateManager, UserId,
};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "A chat whose questions can be rewritten and whose answers can be given again", after_help = HELP)]
struct Args {
    /// A SQLite file, instead of memory
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// What to do; without it, what the lines say that are typed
    commands: Vec<String>,
}

const HELP: &str = "\
Commands; a NUMBER is that of a message:
  ask TEXT             asks something
  again                another answer to the last question
  rewrite NUMBER TEXT  another question in the place of that one
  next NUMBER          goes to the next alternative of that message
  previous NUMBER      goes to the previous one
  show                 the conversation as it goes on
  tree                 all that was said, with a * where the conversation goes on
";

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let database = args.db.map_or_else(DatabaseConfig::memory, DatabaseConfig::sqlite);
    let scope = Scope::user(OrgId::new("examples")?, UserId::new("branching")?);
    let state = StateManager::connect(&database, scope).await?;

    // With an id of our own, "create or resume" is one call. The branch that was switched to last comes with the thread.
    let thread = state.create_thread("Branching chat").external_id(ExternalId::new("the chat")?).await?;
    let mut chat = state.resume_conversation(thread.id).await?;
    // A kill may have come between a question and its answer.
    answer(&chat, 0).await?;

    if args.commands.is_empty() {
        for line in std::io::stdin().lines() {
            match run(chat.clone(), &line?).await {
                Ok(now) => chat = now,
                Err(error) => eprintln!("{error:#}"),
            }
        }
    }
    for command in args.commands {
        chat = run(chat, &command).await?;
    }
    state.close().await?;
    Ok(())
}

/// Does what a line says. Gives the branch where the conversation goes on.
async fn run(chat: Conversation, line: &str) -> Result<Conversation> {
    let (command, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    match command {
        "" => {}
        "ask" => {
            stored(&chat.add_message(Role::User, rest).await?);
            answer(&chat, 0).await?;
        }
        "again" => return again(&chat).await,
        "rewrite" => {
            let (number, text) = rest.split_once(' ').context("rewrite NUMBER TEXT")?;
            let question = message(&chat, number).await?;
            let (other, rewritten) = chat.edit_and_branch(question.id, text).await?;
            stored(&rewritten);
            answer(&other, 0).await?;
            return switch(other, &rewritten).await;
        }
        "next" => return go(&chat, rest, Siblings::next).await,
        "previous" => return go(&chat, rest, Siblings::previous).await,
        "show" => show(&chat).await?,
        "tree" => tree(&chat).await?,
        other => bail!("what is {other:?}?\n\n{HELP}"),
    }
    Ok(chat)
}

/// Another answer in the place of the last one.
async fn again(chat: &Conversation) -> Result<Conversation> {
    let last = chat.get_messages().last(1).await?.pop().context("nothing was asked")?;
    let given = chat.siblings(last.id).await?.count();
    let other = chat.regenerate_from(last.id).await?;
    let answer = answer(&other, given).await?.context("there is an answer already")?;
    switch(other, &answer).await
}

/// To an alternative of a message. What follows it there is what a branch says that shows it.
async fn go(
    chat: &Conversation,
    number: &str,
    choose: impl Fn(&Siblings) -> Option<&Sibling>,
) -> Result<Conversation> {
    let siblings = chat.siblings(message(chat, number).await?.id).await?;
    let chosen = choose(&siblings).context("there is no other one")?;
    switch(chat.on_branch(chosen.branch), &chosen.message).await
}

/// Goes on with another branch, and does so in the next session. Until then, a kill leaves the conversation where it was.
async fn switch(other: Conversation, message: &ChatMessage) -> Result<Conversation> {
    other.switch_branch().await?;
    println!("now at {}{}", told(message), which(&other, message).await?);
    Ok(other)
}

/// Answers the last question, unless it has an answer on this branch.
async fn answer(chat: &Conversation, given: usize) -> Result<Option<ChatMessage>> {
    let last = chat.get_messages().last(1).await?.pop();
    let Some(question) = last.filter(|last| last.sender_role == Role::User) else { return Ok(None) };
    let answer = chat.add_message(Role::Assistant, model(&question, given)).await?;
    stored(&answer);
    Ok(Some(answer))
}

/// A stand-in for a model: each time it is asked the same it says something else.
fn model(question: &ChatMessage, given: usize) -> String {
    const MOODS: [&str; 3] = ["Yes", "No", "Perhaps"];
    format!("{}, as to \"{}\"", MOODS[given % MOODS.len()], question.content.to_plain_text())
}

/// A message that the conversation shows.
async fn message(chat: &Conversation, number: &str) -> Result<ChatMessage> {
    let messages = chat.get_messages().await?;
    let found = messages.into_iter().find(|message| message.position.to_string() == number);
    found.with_context(|| format!("the conversation has no message {number:?}"))
}

/// Tells of a message that is on disk by now.
fn stored(message: &ChatMessage) {
    println!("stored {}", told(message));
}

fn told(message: &ChatMessage) -> String {
    let role = message.sender_role.as_str();
    format!("{} {role}: {}", message.position, message.content.to_plain_text())
}

/// Which of its alternatives a message is, where it has some.
async fn which(chat: &Conversation, message: &ChatMessage) -> Result<String> {
    let siblings = chat.siblings(message.id).await?;
    let which = format!("  ({} / {})", siblings.place(), siblings.count());
    Ok(if siblings.count() > 1 { which } else { String::new() })
}

async fn show(chat: &Conversation) -> Result<()> {
    for message in chat.get_messages().await? {
        println!("{}{}", told(&message), which(chat, &message).await?);
    }
    Ok(())
}

/// The messages that follow a message, on whichever branch, by their positions. What comes first follows position 0.
type Tree = BTreeMap<Position, BTreeMap<Position, ChatMessage>>;

/// All branches, as one tree.
async fn tree(chat: &Conversation) -> Result<()> {
    let mut tree = Tree::new();
    for branch in chat.branches().await? {
        let mut ahead = Position::ZERO;
        for message in chat.on_branch(branch.id).get_messages().await? {
            let position = message.position;
            tree.entry(ahead).or_default().insert(position, message);
            ahead = position;
        }
    }
    let shown = chat.get_messages().await?.into_iter().map(|message| message.position).collect();
    draw(&tree, Position::ZERO, "", &shown);
    Ok(())
}

/// Draws what follows a position: alternatives side by side, what follows a single message below it.
fn draw(tree: &Tree, mut behind: Position, indent: &str, shown: &HashSet<Position>) {
    while let Some(next) = tree.get(&behind) {
        let (last, is_single) = (next.keys().last().copied(), next.len() == 1);
        for (position, message) in next {
            let mark = if shown.contains(position) { '*' } else { ' ' };
            let (corner, below) = match Some(*position) == last {
                _ if is_single => ("", ""),
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            println!("{mark} {indent}{corner}{}", told(message));
            if is_single {
                behind = *position;
            } else {
                draw(tree, *position, &format!("{indent}{below}"), shown);
            }
        }
        if !is_single {
            return;
        }
    }
}
