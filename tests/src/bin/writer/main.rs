//! Writes without end to one thread, sixteen tasks to its main branch and three to branches and forks, and tells on its output of
//! what is acknowledged: for the test that kills it. The thread's id is its argument; the store is the configured one.

mod brancher;

use std::fmt::Display;
use std::io::Write as _;

use chatkeep::{Conversation, Role, StateConfig, StateManager, ThreadId};

const WRITERS: usize = 16;

const BRANCHERS: usize = 3;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let thread: ThreadId = std::env::args().nth(1).unwrap_or_default().parse()?;
    let state = StateManager::open(&StateConfig::load()?).await?;
    let chat = state.conversation(thread);
    let writers = (0..WRITERS).map(|task| tokio::spawn(write(chat.clone(), task)));
    let mut tasks: Vec<_> = writers.collect();
    tasks.extend((0..BRANCHERS).map(|_| tokio::spawn(brancher::run(chat.clone()))));
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn write(chat: Conversation, task: usize) -> anyhow::Result<()> {
    for number in 0.. {
        let text = format!("{} {task} {number}", std::process::id());
        let stored = chat.add_message(Role::User, text).await?;
        tell(format_args!("stored {}", stored.id))?;
    }
    Ok(())
}

/// One write of less than a pipe's atomic size: a kill never leaves half a line.
fn tell(what: impl Display) -> std::io::Result<()> {
    let line = format!("{what}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}
