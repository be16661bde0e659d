//! The programs under measurement, as a person runs them: the release build of `paydown` over a data folder, and the bare
//! server beside it. Each is a process of its own that ends with its handle, by its own id.

use crate::http::{Connection, Outgoing, get};
use crate::load::{Driven, Round, drive, now};
use crate::machine;
use crate::report::say;
use anyhow::{Context as _, Result, bail, ensure};
use hyper::StatusCode;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// The short name of the only merchant.
pub const SLUG: &str = "bench";
/// A server that does not answer for so long is broken.
const START: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A process that has no more than this of a processor within `LOOK_EVERY` is idle.
const IDLE: Duration = Duration::from_millis(20);
/// Looks in a row that have to be idle.
const IDLE_LOOKS: u32 = 8;

/// A data folder with its database, and the program that serves it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The `paydown` binary.
    pub program: PathBuf,
    /// `--data-dir`.
    pub data: PathBuf,
    /// `--database`: a file or `postgres://…`.
    pub database: String,
}

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // Settings of whoever runs the bench are not to be measured.
        command
            .env_clear()
            .env("USER", "bench")
            .envs(std::env::var_os("TMPDIR").map(|folder| ("TMPDIR", folder)));
        command.args(arguments).arg("--json").arg("--data-dir").arg(&self.data);
        command.arg("--database").arg(&self.database);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end; answers what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.command(arguments).output().context("paydown does not start")?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "paydown {}: {}\n{out}{err}", arguments.join(" "), output.status);
        serde_json::from_str(&out).with_context(|| format!("paydown {} printed {out}", arguments.join(" ")))
    }

    /// Proves the books; fails with what it found.
    pub fn verify(&self) -> Result<Proof> {
        let began_at = now();
        let report = self.run(&["verify"]).context("the books are not right")?;
        ensure!(report["clean"] == true, "the books are not right: {report}");
        let postings = report["postings"].as_u64().context("verify counts the postings")?;
        Ok(Proof { postings, took: began_at.elapsed() })
    }

    /// Starts the server and waits until it is ready.
    pub async fn serve(&self) -> Result<Server> {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off"]);
        let log = File::options().create(true).append(true).open(self.data.join("server.log"))?;
        let server = Server::start(command.stderr(log), |line| {
            let told: Value = serde_json::from_str(line)?;
            Ok(told["listen"].as_str().context("it tells its address")?.parse()?)
        });
        let server = server.with_context(|| format!("see {}", self.data.join("server.log").display()))?;
        server.ready("/readyz").await?;
        Ok(server)
    }
}

/// That the books are right.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// How many postings there are.
    pub postings: u64,
    /// How long proving it took, with starting the program.
    pub took: Duration,
}

impl Proof {
    /// Says so.
    pub fn say(&self) {
        let seconds = self.took.as_secs_f64();
        say(&format!("  the books are right: {} postings, proven in {seconds:.1} s", self.postings));
    }
}

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    /// Kept open: whoever prints into a closed pipe fails.
    _out: BufReader<ChildStdout>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the bare server over a file.
    pub async fn bare(program: &Path, file: &Path) -> Result<Server> {
        let mut command = Command::new(program);
        command.arg("serve").arg(file).stdin(Stdio::null());
        let server = Server::start(&mut command, |line| Ok(line.trim().parse()?))?;
        server.ready("/customers/1").await?;
        Ok(server)
    }

    fn start(command: &mut Command, address: impl Fn(&str) -> Result<SocketAddr>) -> Result<Server> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("the server does not start")?;
        let mut out = BufReader::new(child.stdout.take().context("piped")?);
        let mut line = String::new();
        let read = out.read_line(&mut line).map_err(anyhow::Error::from);
        match read.and_then(|_| address(&line)) {
            Ok(address) => Ok(Server { child, _out: out, address }),
            Err(error) => {
                child.kill().ok();
                child.wait().ok();
                Err(error.context(format!("the server printed {line:?} instead of its address")))
            }
        }
    }

    async fn ready(&self, path: &str) -> Result<()> {
        let asked = async || {
            let mut connection = Connection::open(self.address).await?;
            Ok::<_, anyhow::Error>(connection.send(get(path, &[])?).await?.status == StatusCode::OK)
        };
        let looks = START.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..looks {
            if asked().await.unwrap_or(false) {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        bail!("the server is not ready after {START:?}")
    }

    /// Waits until it does nothing by itself any more: what a server looks through at its start is not to be measured.
    pub async fn idle(&self) -> Result<()> {
        let (mut last, mut idle) = (machine::processor_time(self.child.id())?, 0);
        for _ in 0..START.as_millis() / LOOK_EVERY.as_millis() {
            sleep(LOOK_EVERY).await;
            let time = machine::processor_time(self.child.id())?;
            idle = if time - last <= IDLE { idle + 1 } else { 0 };
            if idle == IDLE_LOOKS {
                return Ok(());
            }
            last = time;
        }
        // Then what it does belongs to what it is.
        Ok(())
    }

    /// So many clients ask for so long; every answer has to have this status.
    pub async fn drive(
        &self,
        (clients, lasting): (usize, Duration),
        expect: StatusCode,
        next: impl FnMut() -> Result<Outgoing>,
    ) -> Result<Driven> {
        let before = machine::processor_time(self.child.id())?;
        let driven = drive(Round { address: self.address, clients, lasting, expect }, next).await?;
        Ok(driven.with_processor(machine::processor_time(self.child.id())? - before))
    }

    /// Memory that no file stands behind, megabytes.
    pub fn megabytes(&self) -> Result<f64> {
        machine::anonymous_megabytes(self.child.id())
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, as an init system does, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(asked.success(), "the server has ended before it was asked to");
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and need not be.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
