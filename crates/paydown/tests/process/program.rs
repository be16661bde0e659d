//! One process of the built program: started, read, killed or asked to end, by its own id and never by its name. Dropping
//! it kills it, so a test that panics leaves nothing running.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Nothing here takes longer; a test that does is stuck.
///
/// Longer than a lease: where several servers may run, what a dead one had claimed waits for two minutes.
pub const GUARD: Duration = Duration::from_secs(180);

/// What programs wrote to their logs, all of a test's in one.
pub type Log = Arc<Mutex<String>>;

/// A running program.
pub struct Program {
    child: Child,
    lines: UnboundedReceiver<String>,
    log: Log,
}

/// A program that came to its end by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained about.
    pub err: String,
}

impl Ended {
    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Insists that it did what it was asked for.
    pub fn done(self) -> Ended {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self
    }
}

/// `paydown`, knowing nothing of this machine but where its folder is.
pub fn paydown(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paydown"));
    let temporary = std::env::temp_dir();
    command.env_clear().env("PAYDOWN_DATA_DIR", data).env("USER", "dana").env("TMPDIR", temporary);
    command.current_dir(data.parent().expect("a folder in a folder")).args(args);
    command
}

/// A client that goes nowhere but where it is told.
pub fn http() -> reqwest::ClientBuilder {
    // Whoever comes first installs it.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// Runs a command to its end.
pub async fn run(mut command: Command) -> Ended {
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().expect("the program starts"));
    let output = timeout(GUARD, output).await.expect("the command ends").expect("nobody panics");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let code = output.status.code().expect("a command ends by itself");
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

impl Program {
    /// Starts a program that goes on.
    pub fn start(mut command: Command, log: &Log) -> Program {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (told, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let kept = Arc::clone(log);
        std::thread::spawn(move || keep(err, &kept));
        Program { child, lines, log: Arc::clone(log) }
    }

    /// The line of JSON it prints when it is ready.
    pub async fn ready(&mut self) -> Value {
        let line = timeout(GUARD, self.lines.recv()).await.expect("it says that it is ready");
        let line = line.unwrap_or_else(|| panic!("it ended at once: {}", text(&self.log)));
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is ours");
    }

    /// Asks it to end, as an init system does.
    pub fn terminate(&self) {
        let line = format!("kill -TERM {}", self.child.id());
        let asked = Command::new("sh").args(["-c", &line]).status().expect("a shell");
        assert!(asked.success(), "it runs");
    }

    /// Waits until it has ended by itself; its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let child = &mut self.child;
        until("the end of the program", async || child.try_wait().expect("it is ours")).await.code()
    }
}

impl Program {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and need not be.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn keep(mut from: impl Read, log: &Log) {
    let mut buffer = [0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        log.lock().expect("nobody panics here").push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}

/// A log's text so far.
pub fn text(log: &Log) -> String {
    log.lock().expect("nobody panics here").clone()
}

/// Looks again and again until there is something to see.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = interval(Duration::from_millis(15));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let seen = timeout(GUARD, async {
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    });
    seen.await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
