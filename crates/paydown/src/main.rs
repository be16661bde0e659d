//! The program's start: the one place that makes the clock and the source of randomness.

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use paydown::cli::{self, Terminal, World};
use paydown::clock::{Clock, Random};
use rand::TryRng as _;
use rand::rngs::SysRng;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock is made here")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        SysRng.try_fill_bytes(buffer).expect("a system without randomness cannot make secrets");
    }
}

fn main() -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run());
    // A drain that took too long is over: what still runs is left as a crash leaves it, and picked up at the next start.
    runtime.shutdown_background();
    ended
}

async fn run() -> Result<ExitCode> {
    let installed = rustls::crypto::ring::default_provider().install_default();
    anyhow::ensure!(installed.is_ok(), "another TLS provider was installed before ours");
    let world = World {
        environment: std::env::vars().collect(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        out: Box::new(std::io::stdout()),
        err: Box::new(std::io::stderr()),
        terminal: person(),
        stop: stop_on_signal()?,
    };
    Ok(ExitCode::from(cli::run(std::env::args_os(), world).await.code()))
}

/// The person at the terminal. Questions go to standard error: standard output is for what was asked for.
struct Person;

impl Terminal for Person {
    fn line(&mut self, question: &str) -> std::io::Result<String> {
        let mut err = std::io::stderr();
        write!(err, "{question}")?;
        err.flush()?;
        let mut line = String::new();
        match std::io::stdin().read_line(&mut line)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    fn secret(&mut self, question: &str) -> std::io::Result<String> {
        rpassword::prompt_password(question)
    }
}

fn person() -> Option<Box<dyn Terminal>> {
    let there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    there.then(|| Box::new(Person) as Box<dyn Terminal>)
}

/// Cancelled by Ctrl+C and by SIGTERM: whoever serves then drains.
fn stop_on_signal() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl+C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
