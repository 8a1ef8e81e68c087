//! What is measured, on whichever backend.

mod read;
pub(crate) mod scale;
mod start;
mod write;

use anyhow::Result;
use std::sync::Arc;

use chatkeep::{ConversationRepository, StateManager};

use crate::cases::{Case, What};
use crate::data::{Shape, USERS, scope};
use crate::floor::Pair;
use crate::measure::{Measured, Plan};

/// The threads that are appended to.
const THREADS: usize = 10_000;

impl What {
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Append
            | Self::AppendUncoalesced
            | Self::AppendOneThread
            | Self::AppendPgbench
            | Self::AppendJoinAll(_)
            | Self::Batch(_)
            | Self::Window
            | Self::Previews
            | Self::ColdStart => Shape::Threads(THREADS),
            Self::Newest(messages) | Self::Stream(messages) => Shape::Messages(messages),
            Self::List(threads) => Shape::List(threads),
            Self::Search(orgs) => Shape::Corpus(orgs),
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Append
            | Self::AppendUncoalesced
            | Self::AppendOneThread
            | Self::AppendPgbench
            | Self::AppendJoinAll(_)
            | Self::Window => "appends/s",
            Self::Batch(_) | Self::Stream(_) => "messages/s",
            Self::Newest(_) => "reads/s",
            Self::List(_) | Self::Previews => "lists/s",
            Self::Search(_) => "searches/s",
            Self::ColdStart => "starts/s",
        }
    }
}

/// Measures a row on a pair of its shape.
pub(crate) async fn measure<P: Pair>(pair: &P, case: &Case, plan: Plan) -> Result<Measured> {
    let callers = case.callers;
    match case.what {
        What::Append => write::append(pair, callers, THREADS, plan).await,
        What::AppendUncoalesced => write::append_uncoalesced(pair, callers, THREADS, plan).await,
        What::AppendOneThread => write::append(pair, callers, 1, plan).await,
        What::AppendPgbench => write::append_pgbench(pair, callers, THREADS, plan).await,
        What::AppendJoinAll(appends) => write::append_join_all(pair, appends, THREADS, plan).await,
        What::Batch(messages) => write::batch(pair, messages, THREADS, plan).await,
        What::Window => write::window(pair, plan).await,
        What::Newest(_) => read::compared(pair, read::Ask::Newest, plan).await,
        What::Stream(messages) => read::compared(pair, read::Ask::Stream { messages }, plan).await,
        What::List(_) => read::compared(pair, read::Ask::List, plan).await,
        What::Previews => read::previews(pair, THREADS, plan).await,
        What::Search(orgs) => read::compared(pair, read::Ask::Search { orgs }, plan).await,
        What::ColdStart => start::measure(pair, THREADS, plan).await,
    }
}

/// Ours, with a manager for each user.
async fn states<P: Pair>(pair: &P, connections: Option<u32>) -> Result<Vec<StateManager>> {
    Ok(managers(&pair.ours(connections).await?))
}

fn managers(store: &Arc<dyn ConversationRepository>) -> Vec<StateManager> {
    (0..USERS).map(|user| StateManager::new(Arc::clone(store), scope(user))).collect()
}
