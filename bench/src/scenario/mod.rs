//! What is measured, on whichever backend.

mod append;

use anyhow::Result;
use chatkeep::StateManager;
use chatkeep_testkit::PgServer;

use crate::cases::{Backend, Case, What};
use crate::data::{Shape, USERS, scope};
use crate::floor::Pair;
use crate::load::memory::MemoryPair;
use crate::load::postgres::PostgresPair;
use crate::load::sqlite::SqlitePair;
use crate::measure::{Measured, Plan};
use crate::report::Row;

/// The threads that are appended to.
pub(crate) const THREADS: usize = 10_000;

impl What {
    fn shape(self) -> Shape {
        match self {
            Self::Append | Self::AppendOneThread => Shape::Threads(THREADS),
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Append | Self::AppendOneThread => "appends/s",
        }
    }
}

/// Loads what the row needs, and measures it.
pub(crate) async fn run(backend: Backend, server: Option<&PgServer>, case: &Case, plan: Plan) -> Result<Row> {
    let shape = case.what.shape();
    match (backend, server) {
        (Backend::Postgres, Some(server)) => {
            measure(&PostgresPair::load(server, shape).await?, case, plan).await
        }
        (Backend::Postgres, None) => anyhow::bail!("no server was started"),
        (Backend::Sqlite, _) => measure(&SqlitePair::load(shape).await?, case, plan).await,
        (Backend::Memory, _) => measure(&MemoryPair::load(shape).await?, case, plan).await,
    }
}

async fn measure<P: Pair>(pair: &P, case: &Case, plan: Plan) -> Result<Row> {
    let measured: Measured = match case.what {
        What::Append => append::measure(pair, case.callers, THREADS, plan).await?,
        What::AppendOneThread => append::measure(pair, case.callers, 1, plan).await?,
    };
    Ok(Row::new(case.name.clone(), P::BACKEND, case.callers, case.what.unit(), measured))
}

/// Ours, with a manager for each user.
async fn states<P: Pair>(pair: &P, connections: Option<u32>) -> Result<Vec<StateManager>> {
    let store = pair.ours(connections).await?;
    Ok((0..USERS).map(|user| StateManager::new(store.clone(), scope(user))).collect())
}
