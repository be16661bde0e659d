//! The bench of Paydown, started by `cargo xtask bench`, which builds the programs and brings a PostgreSQL server: seeds
//! databases, drives the server and the ceilings beside it, holds what was accepted against what was recorded, and tells the
//! figures. An unmet floor is a figure; a wrong book is a failure.

mod bench;
mod http;
mod inside;
mod keys;
mod load;
mod machine;
mod payments;
mod program;
mod report;
mod seed;
mod sign_in;
mod w1;
mod w2;
mod w5;
mod w6;

use anyhow::Result;
use bench::{Bench, Engine};
use clap::{Parser, ValueEnum};
use report::{Goal, say};
use seed::Seeds;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Measures Paydown beside its ceilings
#[derive(Debug, Parser)]
struct Arguments {
    /// Few invoices and short rounds: to see that it runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Only this workload; may be repeated
    #[arg(long, ignore_case = true)]
    only: Vec<Workload>,
    /// Only this engine
    #[arg(long, ignore_case = true)]
    engine: Option<Engine>,
    /// How many invoices the database has [default: 1000000, with --quick 20000]
    #[arg(long)]
    invoices: Option<i64>,
    /// End with a line of JSON
    #[arg(long)]
    json: bool,
    /// Where seeded databases are kept
    #[arg(long)]
    cache: PathBuf,
    /// The `paydown` program
    #[arg(long)]
    paydown: PathBuf,
    /// The `ceilings` program
    #[arg(long)]
    ceilings: PathBuf,
    /// Address of a PostgreSQL server that is the bench's own
    #[arg(long)]
    postgres: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    W1,
    W2,
    W5,
    W6,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            say(&format!("{failed} workloads failed"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("the bench cannot run: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Answers how many workloads failed.
async fn run(arguments: Arguments) -> Result<usize> {
    let seeds = Seeds::new(&arguments.cache, &arguments.paydown, arguments.postgres.clone()).await?;
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&arguments.cache)?;
    let quick = arguments.quick;
    let bench = Bench {
        seeds,
        ceilings: arguments.ceilings.clone(),
        folder: folder.path().to_owned(),
        invoices: arguments.invoices.unwrap_or(if quick { 20_000 } else { 1_000_000 }),
        rounds: 3,
        lasting: Duration::from_secs(if quick { 1 } else { 8 }),
        rushes: if quick { 20 } else { 100 },
    };
    let rounds = (bench.rounds, bench.lasting);
    say(&format!(
        "{} invoices, {} rounds of {:?}, {}",
        bench.invoices,
        rounds.0,
        rounds.1,
        machine::describe()
    ));
    let (mut goals, mut failed) = (Vec::new(), 0);
    for (workload, engine) in plan(&arguments) {
        match measure(&bench, workload, engine).await {
            Ok(measured) => goals.extend(measured),
            Err(error) => {
                failed += 1;
                say(&format!("\n{workload:?} on {} failed: {error:#}", engine.name()));
            }
        }
    }
    report::goals(&goals, arguments.json);
    Ok(failed)
}

async fn measure(bench: &Bench, workload: Workload, engine: Engine) -> Result<Vec<Goal>> {
    match workload {
        Workload::W1 => w1::run(bench, engine).await,
        Workload::W2 => w2::run(bench).await,
        Workload::W5 => w5::run(bench, engine).await,
        Workload::W6 => w6::run(bench, engine).await,
    }
}

/// What is measured, in order. Pages are measured on SQLite, where their ceiling is.
fn plan(arguments: &Arguments) -> Vec<(Workload, Engine)> {
    let engines = [Engine::Sqlite, Engine::Postgres];
    let asked = |engine: &Engine| arguments.engine.is_none_or(|only| only == *engine);
    let all = engines.into_iter().filter(asked).flat_map(|engine| {
        [Workload::W1, Workload::W2, Workload::W5, Workload::W6].map(|workload| (workload, engine))
    });
    all.filter(|(workload, engine)| *workload != Workload::W2 || *engine == Engine::Sqlite)
        .filter(|(workload, _)| arguments.only.is_empty() || arguments.only.contains(workload))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_what_was_asked_for() {
        let plan = |line: &str| {
            let needed = ["bench", "--cache", "c", "--paydown", "p", "--ceilings", "c"];
            plan(&Arguments::parse_from(needed.into_iter().chain(line.split_whitespace())))
        };
        assert_eq!(plan("").len(), 7);
        assert_eq!(
            plan("--only w1 --only W2"),
            [
                (Workload::W1, Engine::Sqlite),
                (Workload::W2, Engine::Sqlite),
                (Workload::W1, Engine::Postgres)
            ]
        );
        assert_eq!(plan("--engine postgres --only W2"), []);
    }
}
