//! `cargo xtask bench`: builds what is measured as it is shipped, brings a PostgreSQL server that flushes, and hands over to
//! the program `workloads`. It measures nothing itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::{
    postgres::{Cluster, Owner},
    tools::Tools,
};

/// What to measure, and how.
#[derive(Debug, PartialEq, Default)]
pub struct Bench {
    cache: Option<PathBuf>,
    without_postgres: bool,
    /// Flags that `workloads` knows.
    passed_on: Vec<String>,
}

impl Bench {
    /// Reads the flags. What is wrong is better told before a build of minutes.
    pub fn parse(mut flags: impl Iterator<Item = String>) -> Result<Self> {
        let mut bench = Self::default();
        while let Some(flag) = flags.next() {
            if ["--quick", "--json"].contains(&flag.as_str()) {
                bench.passed_on.push(flag);
                continue;
            }
            let value = flags
                .next()
                .with_context(|| format!("`bench` does not know `{flag}`, or it lacks a value"))?;
            match flag.as_str() {
                "--cache" => bench.cache = Some(PathBuf::from(value)),
                "--only" if is_one_of(&value, &["w1", "w2", "w5", "w6"]) => {
                    bench.passed_on.extend([flag, value])
                }
                "--engine" if is_one_of(&value, &["sqlite", "postgres"]) => {
                    bench.without_postgres = value.eq_ignore_ascii_case("sqlite");
                    bench.passed_on.extend([flag, value]);
                }
                "--invoices"
                    if value.parse().is_ok_and(|count: u64| count > 0 && count.is_multiple_of(1_000)) =>
                {
                    bench.passed_on.extend([flag, value]);
                }
                "--invoices" => bail!("the number of invoices is a multiple of 1,000, not {value}"),
                _ => bail!("`bench` does not know `{flag} {value}`"),
            }
        }
        Ok(bench)
    }

    /// Builds, measures, prints. Fails if a workload failed; a goal that is not met is no failure.
    pub fn run(&self, sh: &Shell) -> Result<()> {
        // The server first and alone, so that it is the program which is shipped.
        cmd!(sh, "cargo build --release --locked --package paydown").run()?;
        cmd!(sh, "cargo build --release --locked --package ceilings --package workloads").run()?;
        let target = target_folder(sh)?;
        let cache = self.cache.clone().unwrap_or_else(|| target.join("bench"));
        let cache = std::path::absolute(cache)?;
        std::fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let cluster = match self.without_postgres {
            true => None,
            false => Some(postgres(sh, &cache)?),
        };
        let programs = target.join("release");
        let (workloads, paydown, ceilings) =
            (programs.join("workloads"), programs.join("paydown"), programs.join("ceilings"));
        let mut command = cmd!(sh, "{workloads} --cache {cache} --paydown {paydown} --ceilings {ceilings}");
        if let Some(cluster) = &cluster {
            command = command.args(["--postgres", cluster.url()]);
        }
        command.args(&self.passed_on).quiet().run().context("the bench failed")
    }
}

fn is_one_of(value: &str, words: &[&str]) -> bool {
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A server whose data lies beside the other seeded databases.
fn postgres(sh: &Shell, cache: &Path) -> Result<Cluster> {
    let programs = Tools::ensure_postgres(sh)?;
    let postgres = programs.join("postgres");
    let version = cmd!(sh, "{postgres} --version").quiet().read()?;
    let major = version.split_whitespace().nth(2).and_then(|word| word.split(['.', 'b', 'r']).next());
    let major = major.with_context(|| format!("no version in {version:?}"))?;
    // A folder of its own, which its owner may enter, be it us or `postgres`.
    let folder = cache.join(format!("postgres-{major}"));
    std::fs::create_dir_all(&folder)?;
    let owner = Owner::of_this_process(sh)?;
    owner.take(&folder)?;
    let reachable = owner.cmd(sh, Path::new("test")).arg("-w").arg(&folder).run().is_ok();
    ensure!(
        reachable,
        "the user postgres, as whom root has to run the server, cannot reach {}; give another folder with --cache",
        folder.display()
    );
    Cluster::start_kept(&programs, &folder.join("data"))
}

/// Where cargo builds.
pub fn target_folder(sh: &Shell) -> Result<PathBuf> {
    let metadata = cmd!(sh, "cargo metadata --no-deps --offline --format-version 1").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    Ok(PathBuf::from(
        metadata["target_directory"].as_str().context("cargo metadata names the target folder")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::Bench;

    fn parse(line: &str) -> anyhow::Result<Bench> {
        Bench::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_checked_before_anything_is_built() {
        let bench = parse("--quick --only W1 --engine sqlite --invoices 50000 --cache there --json").unwrap();
        assert!(bench.without_postgres);
        assert_eq!(bench.cache.unwrap().to_str(), Some("there"));
        assert_eq!(bench.passed_on.join(" "), "--quick --only W1 --engine sqlite --invoices 50000 --json");
        for refused in
            ["--fast", "--only W9", "--only", "--engine mysql", "--invoices 7", "--invoices 1500", "W1"]
        {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
