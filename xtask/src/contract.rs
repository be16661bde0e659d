//! `cargo xtask contract`: holds the running API against its own description with schemathesis: requests made from the schemas
//! and requests that break them, to the real program with practice money. It judges no answer itself; afterwards the books and
//! the log have to be clean. What cannot run is a failure, never a skip.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::tools::Tools;

/// What is installed, each with the hashes of its files.
const PINS: &str = "xtask/contract/requirements.txt";
/// Which checks run and what they take for an answer.
const SETTINGS: &str = "xtask/contract/schemathesis.toml";
/// A check of ours.
const CHECKS: &str = "xtask/contract/checks.py";

/// How much is tried: generated requests of each operation and phase, and so many in all at least.
struct Effort {
    examples: u32,
    least_cases: u64,
}

const USUAL: Effort = Effort { examples: 10, least_cases: 1_000 };
const LONG: Effort = Effort { examples: 120, least_cases: 10_000 };

/// Builds the program, then does what [`run`] does.
pub fn build_and_run(sh: &Shell, long: bool) -> Result<()> {
    cmd!(sh, "cargo build --locked --package paydown").run()?;
    run(sh, long)
}

/// Runs schemathesis against the program that is built already, as the tests leave it.
pub fn run(sh: &Shell, long: bool) -> Result<()> {
    let effort = if long { &LONG } else { &USUAL };
    let schemathesis = ensure_schemathesis(sh)?;
    let paydown = crate::bench::target_folder(sh)?.join("debug/paydown");
    ensure!(paydown.exists(), "{} is not built; `cargo xtask contract` builds it", paydown.display());
    let folder = tempfile::tempdir()?;
    let server = Server::start(&paydown, folder.path())?;
    let (data, report) = (server.data.as_path(), folder.path().join("report.json"));
    let made =
        cmd!(sh, "{paydown} key create --name contract --rate 0 --json --data-dir {data}").quiet().read()?;
    let key = text(&serde_json::from_str(&made)?, "key")?;
    let (origin, examples) = (&server.origin, effort.examples.to_string());
    let (settings, checks) = (sh.current_dir().join(SETTINGS), sh.current_dir().join(CHECKS));
    // It keeps notes of its own where it runs.
    let _there = sh.push_dir(folder.path());
    // One worker: with several, Python's own threads get in each other's way.
    let outcome = cmd!(sh, "{schemathesis} --config-file {settings} --no-color run {origin}/v1/openapi.json")
        .args(["--checks", "all", "--workers", "1", "--max-examples", &examples])
        .args(["--report", "json", "--report-json-path"])
        .arg(&report)
        .env("PAYDOWN_CONTRACT_KEY", key)
        .env("SCHEMATHESIS_HOOKS", checks)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .quiet()
        .run();
    outcome.context("the API and its description differ")?;
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
    let cases = report["test_cases"]["generated"].as_u64().unwrap_or_default();
    let seconds = report["running_time"].as_f64().unwrap_or_default();
    ensure!(cases >= effort.least_cases, "only {cases} cases of {} were tried", effort.least_cases);
    let proof =
        cmd!(sh, "{paydown} verify --json --data-dir {data}").quiet().read().context("verify failed")?;
    let proof: Value = serde_json::from_str(&proof)?;
    ensure!(proof["clean"] == true, "the books are not clean: {proof}");
    let answered = server.end()?;
    println!("contract: {cases} cases, {answered} answers, no server error, books clean, {seconds:.0} s");
    Ok(())
}

/// The program with its sample business, in a folder that goes with it.
struct Server {
    child: Child,
    origin: String,
    data: PathBuf,
    log: PathBuf,
}

impl Server {
    fn start(paydown: &Path, folder: &Path) -> Result<Self> {
        let (data, log) = (folder.join("data"), folder.join("log"));
        let mut child = Command::new(paydown)
            .args(["demo", "--json", "--port", "0", "--keep"])
            .arg(&data)
            .envs([("PAYDOWN_LOG_LEVEL", "info"), ("PAYDOWN_LOG_FORMAT", "json")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("{} does not start", paydown.display()))?;
        let out = child.stdout.take().context("its output is piped")?;
        let mut server = Self { child, origin: String::new(), data, log };
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let told =
            serde_json::from_str(&line).with_context(|| format!("it told {line:?}: {}", server.told()))?;
        let url = text(&told, "api_url")?;
        server.origin = url.trim_end_matches("/v1/docs").to_owned();
        Ok(server)
    }

    fn told(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it and reads its log: how many requests it answered. Errors in it are ours.
    fn end(mut self) -> Result<u64> {
        ensure!(self.child.try_wait()?.is_none(), "the program ended by itself:\n{}", self.told());
        self.child.kill()?;
        self.child.wait()?;
        let mut answered = 0;
        for line in self.told().lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            let status = event["status"].as_u64();
            if event.is_null() || event["level"] == "ERROR" || status.is_some_and(|status| status >= 500) {
                bail!("the log has what it must not: {line}");
            }
            answered += u64::from(status.is_some());
        }
        Ok(answered)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) && self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

fn text(json: &Value, name: &str) -> Result<String> {
    json[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {json}"))
}

/// The program, installed into the cache where it is not there yet.
fn ensure_schemathesis(sh: &Shell) -> Result<PathBuf> {
    let mut pins = DefaultHasher::new();
    sh.read_file(PINS)?.hash(&mut pins);
    let folder = cache()?.join(format!("schemathesis-{:016x}", pins.finish()));
    let (program, complete) = (folder.join("bin/schemathesis"), folder.join("complete"));
    if complete.exists() && program.exists() {
        return Ok(program);
    }
    let python = Tools::ensure_python(sh)?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let pip = folder.join("bin/pip");
    let by_hand = format!(
        "schemathesis is not here and cannot be installed from PyPI. By hand:\n  python3 -m venv {at}\n  \
         {at}/bin/pip install --require-hashes -r {PINS}\n  touch {at}/complete",
        at = folder.display()
    );
    cmd!(sh, "{python} -m venv {folder}").run().with_context(|| by_hand.clone())?;
    let flags = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "3"];
    cmd!(sh, "{pip} install {flags...} --only-binary :all: --require-hashes -r {PINS}")
        .run()
        .context(by_hand)?;
    File::create(complete)?;
    Ok(program)
}

/// Where what was installed is kept between runs.
fn cache() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache.filter(|folder| folder.is_absolute()).or_else(home);
    Ok(cache.context("neither HOME nor XDG_CACHE_HOME is set")?.join("paydown-ci"))
}

#[cfg(test)]
mod tests {
    use super::{PINS, SETTINGS};
    use std::path::Path;

    fn read(file: &str) -> String {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
    }

    #[test]
    fn every_pin_has_a_hash() {
        let pins = read(PINS);
        let names = pins.lines().filter(|line| line.contains("==")).count();
        assert!(names > 10, "{names}");
        for pin in pins.split("\n\n").flat_map(|part| part.split_inclusive("==").skip(1)) {
            assert!(pin.contains("--hash=sha256:"), "{pin}");
        }
        assert!(pins.contains("schemathesis==") && !pins.contains("find-links"));
    }

    #[test]
    fn no_check_is_switched_off() {
        let settings: toml::Table = read(SETTINGS).parse().unwrap();
        assert!(
            !read(SETTINGS).contains("enabled"),
            "what is switched off needs another test, with the reason"
        );
        assert!(settings["checks"].as_table().unwrap().len() >= 3);
    }
}
