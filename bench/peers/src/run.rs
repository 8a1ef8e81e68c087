//! Opens the systems on a store and measures them in turn.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use chatkeep_testkit::PgServer;
use peers_worker::{About, Command, Loaded, Rate, Target};

use crate::peer::Peer;
use crate::report::{Measure, Report};
use crate::systems::{Kind, Starter, System};
use crate::texts::texts;

/// Conversations that are appended to.
const THREADS: usize = 400;

/// Memory needs no long slices, and fills up.
const SHORTER: f64 = 0.5;

/// How long a system may take beyond the time that it was given, in seconds.
const GRACE: f64 = 120.0;

/// What the database is told while conversations are loaded, so that a system which appends one at a time can.
const LOADING: &str = "ALTER SYSTEM SET synchronous_commit = off";
const MEASURING: &str = "ALTER SYSTEM RESET synchronous_commit";

pub(crate) fn measure(
    kind: Kind,
    systems: &[System],
    starter: &Starter,
    server: &PgServer,
    report: &mut Report,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    set(server, LOADING)?;
    let mut peers = Vec::new();
    for &system in systems {
        if !system.stores.contains(&kind) {
            report.skip(kind, system, "it has no such store".to_owned());
            continue;
        }
        eprintln!("{}: preparing {}", kind.name(), system.name);
        match open(kind, system, starter, server, folder.path(), report) {
            Ok(peer) => peers.push((system, Some(peer))),
            Err(error) => report.skip(kind, system, format!("{error:#}")),
        }
    }
    set(server, MEASURING)?;
    server.psql("CHECKPOINT")?;
    ensure!(server.psql("SHOW synchronous_commit")?.trim() == "on", "the server does not wait for its disk");
    for measure in Measure::ALL {
        rounds(kind, measure, &mut peers, report);
    }
    Ok(())
}

fn set(server: &PgServer, setting: &str) -> Result<()> {
    server.psql(setting)?;
    server.psql("SELECT pg_reload_conf()")?;
    // Until each process of the server has seen it.
    sleep(Duration::from_secs(1));
    Ok(())
}

fn open(
    kind: Kind,
    system: System,
    starter: &Starter,
    server: &PgServer,
    folder: &Path,
    report: &mut Report,
) -> Result<Peer> {
    let mut peer = Peer::start(starter.command(system)?, &folder.join(format!("{}.log", system.name)))?;
    let database = system.name.replace('-', "_");
    let target = match kind {
        Kind::Postgres => Target::Postgres(server.create_database(&database, None)?),
        Kind::Sqlite => Target::Sqlite(folder.join(format!("{database}.db"))),
        Kind::Memory => Target::Memory,
    };
    let about: About = peer.ask(&Command::Open { target, texts: texts() }, GRACE)?;
    let (history, cap) = (report.plan.history, report.plan.cap);
    let loaded: Loaded = peer.ask(&Command::Prepare { threads: THREADS, history, cap }, cap + GRACE)?;
    if kind == Kind::Postgres {
        server.psql_in(&database, "VACUUM ANALYZE")?;
    }
    report.open(kind, system, &about, loaded.history);
    Ok(peer)
}

/// The systems in turn, as often as the plan says and once more before, which does not count.
fn rounds(kind: Kind, measure: Measure, peers: &mut [(System, Option<Peer>)], report: &mut Report) {
    let mut rates: Vec<Vec<Rate>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..=report.plan.rounds {
        eprintln!("{}: {measure:?}, round {round} of {}", kind.name(), report.plan.rounds);
        let seconds = match kind {
            Kind::Memory => report.plan.slice * SHORTER,
            Kind::Sqlite if measure == Measure::AppendTogether && round > 0 => report.plan.contended,
            _ => report.plan.slice,
        };
        for ((system, peer), rates) in peers.iter_mut().zip(&mut rates) {
            let Some(running) = peer.as_mut().filter(|_| measure.is_of(kind, *system)) else { continue };
            match running.ask::<Rate>(&measure.command(seconds), seconds + GRACE) {
                Ok(rate) if round > 0 => rates.push(rate),
                Ok(_) => {}
                Err(error) => {
                    report.skip(kind, *system, format!("{measure:?}, round {round}: {error:#}"));
                    *peer = None;
                }
            }
        }
    }
    for ((system, _), rates) in peers.iter().zip(&rates) {
        report.add(kind, measure, *system, rates);
    }
}
