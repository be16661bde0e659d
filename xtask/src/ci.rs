//! `cargo xtask ci`: every check in order, cheapest first, with the time each took. It stops at the first failure and never
//! builds a release.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::{contract, licences, suite::Suite};

type Check = fn(&Shell, bool) -> Result<()>;

/// Lints come just before documentation because the two share the checked dependencies.
const STEPS: [(&str, Check); 7] = [
    ("format", |sh, _| Ok(cmd!(sh, "cargo fmt --all --check").run()?)),
    ("licences", |sh, _| licences::check(sh)),
    ("lints", |sh, _| Ok(cmd!(sh, "cargo clippy --workspace --all-targets --locked -- -D warnings").run()?)),
    ("documentation", |sh, _| {
        let command = cmd!(sh, "cargo doc --workspace --no-deps --locked");
        Ok(command.env("RUSTDOCFLAGS", "-D warnings").run()?)
    }),
    ("tests", |sh, long| Suite::everything(long, Vec::new()).run(sh)),
    // With the program as the tests have built it.
    ("contract", contract::run),
    ("simulation", simulation),
];

/// The simulation, webhook confluence and the fault matrix, with the build of the tests: one with some optimisation runs faster, and
/// takes longer to make than that saves.
fn simulation(sh: &Shell, long: bool) -> Result<()> {
    let extent = if long { "long" } else { "normal" };
    let command = cmd!(sh, "cargo test --locked --package paydown --test simulation -- --nocapture");
    Ok(command.env("PAYDOWN_SIMULATION", extent).run()?)
}

/// Runs the steps and prints the table, also after a failure.
pub fn run(sh: &Shell, long: bool) -> Result<()> {
    // A snapshot that differs is a failure here, not a file to look at later.
    let _snapshots = sh.push_env("INSTA_UPDATE", "no");
    let began_at = now();
    let mut rows = Vec::new();
    let mut failed = None;
    for (name, check) in STEPS {
        println!("\n==> {name}");
        let step_began_at = now();
        let outcome = check(sh, long);
        rows.push(Row { name, passed: outcome.is_ok(), took: step_began_at.elapsed() });
        if let Err(error) = outcome {
            eprintln!("xtask: {name}: {error:#}");
            failed = Some(name);
            break;
        }
    }
    println!("\n{}", table(&rows, began_at.elapsed()));
    match failed {
        Some(name) => bail!("{name} failed"),
        None => Ok(()),
    }
}

struct Row {
    name: &'static str,
    passed: bool,
    took: Duration,
}

fn table(rows: &[Row], total: Duration) -> String {
    let mut text = String::new();
    for (name, _) in STEPS {
        let (state, took) = match rows.iter().find(|row| row.name == name) {
            Some(row) => (if row.passed { "ok" } else { "FAILED" }, clock(row.took)),
            None => ("not run", String::new()),
        };
        text.push_str(format!("{name:<15}{state:<8}{took:>9}").trim_end());
        text.push('\n');
    }
    text.push_str(&format!("{:<23}{:>9}", "total", clock(total)));
    text
}

/// Minutes and seconds, as `12m 03s`.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}m {:02}s", seconds / 60, seconds % 60)
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch for people to read; nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::{Duration, Row, table};

    #[test]
    fn the_table_tells_what_was_not_run() {
        let rows = [
            Row { name: "format", passed: true, took: Duration::from_secs(2) },
            Row { name: "licences", passed: false, took: Duration::from_secs(63) },
        ];
        let text = table(&rows, Duration::from_secs(65));
        assert_eq!(text.lines().next().unwrap(), "format         ok         0m 02s");
        assert_eq!(text.lines().nth(1).unwrap(), "licences       FAILED     1m 03s");
        assert_eq!(text.lines().nth(2).unwrap(), "lints          not run");
        assert_eq!(text.lines().last().unwrap(), "total                     1m 05s");
    }
}
