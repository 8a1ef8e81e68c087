//! Operations on single messages by their ids, in the long thread and in small threads in turn.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chatkeep::{ChatMessage, Conversation, MessageInput, MessageQuery, Position};

use super::figures::{Figure, Times, millis};
use super::plan::{SMALL, SMALL_THREADS, Thread};
use super::{Scale, Store, state};

/// The calls of each kind that do not count. PostgreSQL plans a statement for each call's own values up to the fifth.
const WARM_UP: usize = 10;

/// The messages of an append that is repeated.
const REPEATED: usize = 10;

/// How many times as long an operation may take in the long thread.
const GOAL: f64 = 2.0;

/// The kinds, as the figures name them. `delete` comes last: the others need the messages.
const KINDS: [&str; 4] = ["get", "repeat", "edit", "delete"];

/// A message and those behind it.
struct Target {
    chat: Conversation,
    messages: Vec<ChatMessage>,
}

/// Reports each kind. Each of the [`PARTS`](super::PARTS) has messages of its own, since what was deleted is gone.
pub(super) async fn measure(scale: &mut Scale<'_>, store: &Store, part: usize) -> Result<()> {
    scale.begin("by id");
    let targets = targets(scale, store, part).await?;
    for kind in KINDS {
        let (mut long, mut small) = (Vec::new(), Vec::new());
        for (of_long, of_small) in &targets {
            long.push(of_long.timed(kind).await?);
            small.push(of_small.timed(kind).await?);
        }
        let median = |times: Vec<Duration>| Times::of(times.into_iter().skip(WARM_UP)).percentile(50);
        let (long, small) = (median(long)?, median(small)?);
        let named = |what: &str| format!("{kind}_{what}{}", scale.suffix);
        let figures = [
            Figure::millis(named("long"), long),
            Figure::millis(named("small"), small),
            Figure::new(named("ratio"), "long / small", millis(long) / millis(small)).at_most(GOAL),
        ];
        scale.report(figures)?;
    }
    Ok(())
}

/// Pairs of a message of the long thread and one of a small thread, in no order of their positions.
async fn targets(scale: &Scale<'_>, store: &Store, part: usize) -> Result<Vec<(Target, Target)>> {
    let count = WARM_UP + scale.size.by_id;
    let all = count * super::PARTS;
    // The first two messages of a small thread stay: searches look for the second.
    ensure!(all <= (SMALL - 2) * SMALL_THREADS, "{all} messages are more than the small threads have");
    let small: Vec<_> = scale.threads.iter().filter(|thread| thread.is_small()).collect();
    let (long, mut targets) = (&scale.threads[0], Vec::new());
    for number in part * count..(part + 1) * count {
        // The factor is a prime that does not divide `all`, so that each place comes once, and neighbours far apart.
        let place = number * 7_919 % all;
        targets.push((
            Target::read(store, long, 3 + place * (long.messages / all)).await?,
            Target::read(store, small[place % SMALL_THREADS], 3 + place / SMALL_THREADS).await?,
        ));
    }
    Ok(targets)
}

impl Target {
    async fn read(store: &Store, thread: &Thread, position: usize) -> Result<Self> {
        let (scope, before) = (thread.scope()?, Position::new(i64::try_from(position)? - 1)?);
        let query = MessageQuery::first(REPEATED).after(before);
        let messages = store.list_messages(&scope, thread.id(), &query).await?.items;
        Ok(Self { chat: state(store, scope).conversation(thread.id()), messages })
    }

    async fn timed(&self, kind: &str) -> Result<Duration> {
        let message = self.messages.first().context("the message is gone")?;
        let (of_message, text) = (self.chat.message(message.id), message.content.to_plain_text());
        let again = |message: &ChatMessage| {
            MessageInput::new(message.sender_role, message.content.clone()).id(message.id)
        };
        let again: Vec<_> = self.messages.iter().map(again).collect();
        let start = Instant::now();
        match kind {
            "get" => drop(of_message.get().await?),
            "repeat" => drop(self.chat.add_messages(again).await?),
            "edit" => drop(of_message.edit(format!("{text} indeed")).await?),
            _ => ensure!(of_message.delete().await?, "a message is not there"),
        }
        Ok(start.elapsed())
    }
}
