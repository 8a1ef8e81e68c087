//! Makes branches, and forks of them. What takes messages away, or makes a thread, is told of before it is done and behind it.

use chatkeep::{Conversation, IdGenerator as _, Position, Role, UuidV7Generator};

use crate::tell;

/// One in so many branches stays, and of one in so many a fork is made.
const EVERY: usize = 4;

/// A branch that is written to, and how many messages it was given.
struct Written {
    chat: Conversation,
    written: usize,
}

pub(crate) async fn run(main: Conversation) -> anyhow::Result<()> {
    for round in 0.. {
        let start = main.get_thread().await?.head;
        let mut one = branch(&main, start).await?;
        let first = append(&mut one, 3).await?;
        let last = append(&mut one, 2).await?;
        if round % EVERY == 2 {
            fork(&one.chat, last).await?;
        }
        // Off what the first one has of its own.
        let mut two = branch(&one.chat, first).await?;
        let kept = append(&mut two, 1).await?;
        append(&mut two, 2).await?;
        two.chat.switch_branch().await?;
        truncate(&two.chat, kept).await?;
        append(&mut two, 2).await?;
        if round % EVERY > 0 {
            delete(&two.chat).await?;
            delete(&one.chat).await?;
        }
    }
    Ok(())
}

async fn branch(from: &Conversation, through: Position) -> anyhow::Result<Written> {
    let chat = from.create_branch(through).await?;
    tell(format_args!("branch {} {} {through}", chat.branch_id(), from.branch_id()))?;
    Ok(Written { chat, written: 0 })
}

/// Gives the head behind the messages.
async fn append(branch: &mut Written, count: usize) -> anyhow::Result<Position> {
    let (chat, from) = (&branch.chat, branch.written);
    let text = |number| format!("{} b{} {number}", std::process::id(), chat.branch_id());
    let appended = chat.add_messages((from..from + count).map(|number| (Role::User, text(number)))).await?;
    let ids: Vec<_> = appended.messages.iter().map(|message| message.id.to_string()).collect();
    let (head, version) = (appended.head, appended.version);
    tell(format_args!("appended {} {head} {version} {}", chat.branch_id(), ids.join(" ")))?;
    branch.written += count;
    Ok(head)
}

async fn fork(chat: &Conversation, through: Position) -> anyhow::Result<()> {
    let id = UuidV7Generator.thread_id();
    tell(format_args!("forking {id} {} {through}", chat.branch_id()))?;
    chat.fork("fork").id(id).through(through).await?;
    tell(format_args!("forked {id}"))?;
    Ok(())
}

async fn truncate(chat: &Conversation, after: Position) -> anyhow::Result<()> {
    tell(format_args!("truncating {} {after}", chat.branch_id()))?;
    chat.truncate_branch(after).await?;
    tell(format_args!("truncated {}", chat.branch_id()))?;
    Ok(())
}

async fn delete(chat: &Conversation) -> anyhow::Result<()> {
    tell(format_args!("deleting {}", chat.branch_id()))?;
    chat.delete_branch().await?;
    tell(format_args!("deleted {}", chat.branch_id()))?;
    Ok(())
}
