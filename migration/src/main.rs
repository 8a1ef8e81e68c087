//! The migration CLI of chatkeep: looks at the schema of the configured database, and changes it.
//!
//! It reads the same configuration as the library: `chatkeep.toml`, `.env`, and the environment (`DATABASE_URL`, or
//! `DB_BACKEND` and the other `DB_*`).
//!
//! Exit codes: 0 when all went well, and for `status` and `reindex --check` when nothing is to do; 1 when they find
//! something to do, or `reindex` leaves out rows that are corrupt; 2 for an error; 130 for a `reindex` that Ctrl-C
//! ended.

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
compile_error!("nothing to migrate: enable the feature `postgres`, `sqlite` or both");

mod reindex;

use std::process::ExitCode;

use chatkeep::{Error, Migrations, StateConfig};
use clap::{Parser, Subcommand};

/// Looks at the schema of the database that chatkeep is configured for, and changes it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "The database is the library's own: chatkeep.toml, .env, DATABASE_URL, DB_*."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply what is pending, all of it or the next few
    Up {
        /// How many migrations at the most
        #[arg(short = 'n', long, value_name = "COUNT")]
        steps: Option<u32>,
    },
    /// Take back the last migrations, with the data in their tables
    Down {
        /// How many migrations
        #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 1)]
        steps: u32,
        /// Do it although messages are lost by it
        #[arg(long)]
        yes: bool,
    },
    /// Show what is applied and what is pending; exit with 1 if anything is pending
    Status,
    /// Put into the index of searches and filters what is not in it. The store may be used meanwhile, and Ctrl-C is safe
    /// at any time: the next run goes on. Exit with 1 if rows were left out because they are corrupt
    Reindex {
        /// Everything anew, not only what is missing or was indexed by another version
        #[arg(long)]
        all: bool,
        /// Only count what is not indexed, and exit with 1 if anything is
        #[arg(long, conflicts_with = "all")]
        check: bool,
    },
    /// Empty the database: take back everything, and apply it again. Other tables stay
    Fresh {
        /// Do it although messages are lost by it
        #[arg(long)]
        yes: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                eprintln!("  because: {error}");
                source = error.source();
            }
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Error> {
    let config = StateConfig::load()?;
    let opened = chatkeep::open_migrations(&config.database).await?;
    let migrations = &*opened;
    match command {
        Command::Up { steps } => {
            let applied = migrations.up(steps).await?;
            report("applied", &applied);
            if !applied.is_empty() {
                reindex::hint(migrations).await;
            }
        }
        Command::Down { steps, yes } => {
            if !yes && loses_messages(migrations).await? {
                return Ok(ExitCode::from(2));
            }
            report("taken back", &migrations.down(steps).await?);
        }
        Command::Status => return status(migrations).await,
        Command::Reindex { check: true, .. } => return reindex::check(migrations).await,
        Command::Reindex { all, check: false } => return reindex::run(migrations, all).await,
        Command::Fresh { yes } => {
            if !yes && loses_messages(migrations).await? {
                return Ok(ExitCode::from(2));
            }
            migrations.fresh().await?;
            println!("the database is empty and up to date");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(done: &str, names: &[String]) {
    for name in names {
        println!("{done}: {name}");
    }
    if names.is_empty() {
        println!("nothing to do");
    }
}

async fn status(migrations: &dyn Migrations) -> Result<ExitCode, Error> {
    let all = migrations.status().await?;
    for migration in &all {
        println!("{} {}", if migration.applied { "applied" } else { "pending" }, migration.name);
    }
    let pending = all.iter().any(|migration| !migration.applied);
    Ok(if pending { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn loses_messages(migrations: &dyn Migrations) -> Result<bool, Error> {
    let count = migrations.count_messages().await?;
    if count > 0 {
        eprintln!(
            "error: the database holds {count} message(s), which would be lost: add --yes if that is meant"
        );
    }
    Ok(count > 0)
}
