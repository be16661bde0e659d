//! The one chromedriver process that all tests of this binary share. It chooses its own port, is waited for by its own
//! word, and is gone when the last test is, also after a panic. It never outlives the tests and is never looked for by name.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tempfile::TempDir;

/// What it says once it listens; the port follows.
const READY: &str = "was started successfully on port ";
/// It answers so soon, or is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(10);

static RUNNING: Mutex<Weak<Chromedriver>> = Mutex::new(Weak::new());

/// A running chromedriver.
pub struct Chromedriver {
    process: Child,
    port: u16,
    /// Browsers keep their profiles here.
    _folder: TempDir,
}

impl Chromedriver {
    /// The one that runs, or a new one.
    pub fn shared() -> Arc<Chromedriver> {
        // A test that failed to start one is no reason for the others not to try.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = running.upgrade() {
            return found;
        }
        let new = Arc::new(Chromedriver::start());
        *running = Arc::downgrade(&new);
        new
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start() -> Chromedriver {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut process = Command::new(needed("PAYDOWN_TEST_CHROMEDRIVER"))
            .args(["--port=0", "--log-level=SEVERE"])
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("PAYDOWN_TEST_CHROMEDRIVER names a program");
        let mut said = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let port = said.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, after) = line.split_once(READY)?;
            after.trim_end_matches('.').parse().ok()
        });
        // What else it says is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || said.for_each(drop));
        let Some(port) = port else {
            let ended = process.wait();
            panic!("chromedriver did not start: {ended:?}");
        };
        Chromedriver { process, port, _folder: folder }
    }

    /// Asks it to end its browsers and itself.
    fn ask_to_end(&self) -> std::io::Result<()> {
        let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        line.set_read_timeout(Some(PATIENCE))?;
        write!(line, "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port)?;
        line.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // Killed it would leave its browsers behind.
        if self.ask_to_end().is_err() {
            self.process.kill().ok();
        }
        self.process.wait().ok();
    }
}

/// A variable that says where a program is.
///
/// # Panics
/// When it is missing: a test without its browser has not passed.
pub fn needed(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `cargo xtask browser` or `cargo xtask test`, which find a browser")
    })
}
