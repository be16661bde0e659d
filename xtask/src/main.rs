//! `cargo xtask`: the project's chores as a program, so that a check runs the same at home and in CI. It builds, starts and
//! stops things and never changes a source file. A check that cannot run is a failure, never a skip.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod bench;
mod ci;
mod contract;
mod licences;
mod postgres;
mod spdx;
mod suite;
mod tools;

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use xshell::Shell;

use bench::Bench;
use suite::Suite;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test [--long] [-- ARGS]       every test, with a throw-away PostgreSQL and a browser
                                ARGS go to `cargo test`; `-- -p store` tests one crate
  browser [--headed] [-- ARGS]  the browser tests only
  contract [--long]             the API held against its description by schemathesis (part of `test` and `ci`)
  ci [--long]                   format, licences, lints, documentation, tests, contract, simulation; stops at
                                the first failure
  bench [FLAGS]                 figures of a release build beside its ceilings (docs/performance.md)
  help                          this text

  --long    more generated cases per property; takes much longer
  --headed  show the browser's window

Flags of bench:
  --quick             20,000 invoices and short rounds: to see that it runs, not how fast
  --only W1           one workload: W1 payments, W2 pages, W5 many payers of one invoice,
                      W6 webhooks; may be repeated
  --engine ENGINE     sqlite or postgres; both without it
  --invoices N        how many the database has, in thousands [default: 1000000]
  --cache FOLDER      where seeded databases are kept [default: bench in cargo's target folder]
  --json              end with a line of JSON";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<()> {
    let sh = Shell::new()?;
    sh.change_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    match Command::parse(arguments)? {
        Command::Help => println!("{USAGE}"),
        Command::Test(suite) => {
            suite.run(&sh)?;
            if let Some(long) = suite.everything_and_long() {
                contract::run(&sh, long)?;
            }
        }
        Command::Contract { long } => contract::build_and_run(&sh, long)?,
        Command::Ci { long } => ci::run(&sh, long)?,
        Command::Bench(bench) => bench.run(&sh)?,
    }
    Ok(())
}

/// What was asked for on the command line.
#[derive(Debug, PartialEq)]
enum Command {
    Help,
    Test(Suite),
    Contract { long: bool },
    Ci { long: bool },
    Bench(Bench),
}

impl Command {
    fn parse(mut arguments: Vec<String>) -> Result<Self> {
        let passed_on = match arguments.iter().position(|argument| argument == "--") {
            Some(at) => arguments.split_off(at).split_off(1),
            None => Vec::new(),
        };
        let mut flags = arguments.into_iter();
        let verb = flags.next().unwrap_or_else(|| "help".to_owned());
        if verb == "bench" && passed_on.is_empty() {
            return Bench::parse(flags).map(Self::Bench).with_context(|| USAGE);
        }
        let (mut long, mut headed) = (false, false);
        for flag in flags {
            match (verb.as_str(), flag.as_str()) {
                ("test" | "ci" | "contract", "--long") => long = true,
                ("browser", "--headed") => headed = true,
                _ => bail!("`{verb}` does not know `{flag}`\n\n{USAGE}"),
            }
        }
        match verb.as_str() {
            "help" | "--help" | "-h" => Ok(Self::Help),
            "test" => Ok(Self::Test(Suite::everything(long, passed_on))),
            "browser" => Ok(Self::Test(Suite::browser(headed, passed_on))),
            "contract" if passed_on.is_empty() => Ok(Self::Contract { long }),
            "ci" if passed_on.is_empty() => Ok(Self::Ci { long }),
            "ci" | "contract" => {
                bail!("`{verb}` passes nothing on; use `cargo xtask test -- {}`", passed_on.join(" "))
            }
            other => bail!("there is no command `{other}`\n\n{USAGE}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Suite};

    fn parse(line: &str) -> anyhow::Result<Command> {
        Command::parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn flags_belong_to_their_command() {
        assert_eq!(parse("").unwrap(), Command::Help);
        assert_eq!(parse("ci --long").unwrap(), Command::Ci { long: true });
        assert_eq!(parse("contract").unwrap(), Command::Contract { long: false });
        assert_eq!(parse("test --long").unwrap(), Command::Test(Suite::everything(true, Vec::new())));
        assert_eq!(parse("browser --headed").unwrap(), Command::Test(Suite::browser(true, Vec::new())));
        for refused in [
            "ci --headed",
            "browser --long",
            "test -p store",
            "ci -- -p store",
            "contract -- -p store",
            "release",
            "bench -- -p store",
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn only_the_first_double_dash_is_ours() {
        let passed_on = ["-p", "store", "--", "--nocapture"].map(str::to_owned).to_vec();
        assert_eq!(
            parse("test -- -p store -- --nocapture").unwrap(),
            Command::Test(Suite::everything(false, passed_on))
        );
    }
}
