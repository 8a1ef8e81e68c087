//! Writes without end, sixteen tasks to one thread, and prints each message's id once it is acknowledged: for the test
//! that kills it. The thread's id is its argument; the store is the configured one.

use std::io::Write as _;

use chatkeep::{Conversation, Role, StateConfig, StateManager, ThreadId};

const TASKS: usize = 16;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let thread: ThreadId = std::env::args().nth(1).unwrap_or_default().parse()?;
    let state = StateManager::open(&StateConfig::load()?).await?;
    let chat = state.conversation(thread);
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(write(chat.clone(), task))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn write(chat: Conversation, task: usize) -> anyhow::Result<()> {
    for number in 0.. {
        let text = format!("{} {task} {number}", std::process::id());
        let stored = chat.add_message(Role::User, text).await?;
        // One write of less than a pipe's atomic size: a kill never leaves half a line.
        let line = format!("{}\n", stored.id);
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}
