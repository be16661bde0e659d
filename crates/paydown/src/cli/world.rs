//! What a command works with: what was handed in, the settings, the database, the merchant that is meant.

use super::ask::Terminal;
use crate::app::App;
use crate::clock::{Clock, Random};
use crate::config::{Config, Flags};
use crate::processors::Processors;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use store::db::{DatabaseUrl, Role, Store, StoreConfig, Tx, status};
use store::merchants::{self, Merchant};
use store::migrations::MIGRATIONS;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the outside gives to a command.
pub struct World {
    /// The environment's variables.
    pub environment: BTreeMap<String, String>,
    /// The one clock.
    pub clock: Arc<dyn Clock>,
    /// The one source of randomness.
    pub random: Arc<dyn Random>,
    /// Takes what was asked for.
    pub out: Box<dyn Write + Send>,
    /// Takes errors and hints.
    pub err: Box<dyn Write + Send>,
    /// Whoever can be asked; nobody where the program does not run on a terminal.
    pub terminal: Option<Box<dyn Terminal>>,
    /// Cancelled when a person or the system wants the program to end.
    pub stop: CancellationToken,
}

/// How a command ended; the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed, or `verify` found something.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// What it names does not exist.
    NotFound = 3,
    /// It exists already, or something else is in the way.
    Conflict = 4,
    /// A rule says no.
    Refused = 5,
    /// Try again.
    Unavailable = 6,
}

impl Exit {
    /// The exit code.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Ends a command with an exit code and what is told.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Stop {
    pub(super) exit: Exit,
    message: String,
}

/// An error with its exit code.
pub(super) fn stop(exit: Exit, message: impl Into<String>) -> anyhow::Error {
    Stop { exit, message: message.into() }.into()
}

/// One command at work.
pub(super) struct At<'w> {
    pub(super) world: &'w mut World,
    pub(super) settings: Flags,
    pub(super) merchant: Option<String>,
    pub(super) json: bool,
}

impl At<'_> {
    pub(super) fn config(&self) -> Result<Config> {
        Config::load(&self.settings, &self.world.environment)
            .map_err(|error| stop(Exit::Usage, format!("{error:#}")))
    }

    /// Opens the database of a folder that was set up before.
    pub(super) async fn store(&self, config: &Config) -> Result<Store> {
        if let DatabaseUrl::Sqlite(path) = &config.database
            && !path.exists()
        {
            let message = format!("there is no database {}; run: paydown init", path.display());
            return Err(stop(Exit::NotFound, message));
        }
        let store = self.open(config, Role::Command).await?;
        if !status(&store, MIGRATIONS).await?.pending.is_empty() {
            return Err(stop(
                Exit::Failed,
                "the database is older than this program; run: paydown migrate run",
            ));
        }
        Ok(store)
    }

    /// Opens the database, whatever its schema, making the file and its folder where there is none.
    pub(super) async fn open(&self, config: &Config, role: Role) -> Result<Store> {
        make_folder(&config.data_dir)?;
        let now = self.world.clock.now().as_microsecond();
        Store::open(&StoreConfig::new(config.database.clone(), role, now)).await
    }

    /// Everything an action needs, over an open database.
    pub(super) fn app(&self, config: &Config, store: Store) -> Result<App> {
        let mut random = [0; 32];
        self.world.random.fill(&mut random);
        let secrets = SecretKey::load_or_create(&config.data_dir, config.secret_key_file.as_deref(), random)?;
        Ok(App {
            store,
            clock: Arc::clone(&self.world.clock),
            random: Arc::clone(&self.world.random),
            secrets: Arc::new(secrets),
            processors: Arc::new(Processors::with_clock(Arc::clone(&self.world.clock))),
            public_url: Arc::from(config.public_url.as_str()),
            trusted_proxies: Arc::from(config.trusted_proxies.as_slice()),
            amount_inputmode: config.amount_inputmode,
            tasks: TaskTracker::new(),
        })
    }

    /// The database and the merchant that is meant: the one there is, or the one that is named.
    pub(super) async fn merchant(&self) -> Result<(Config, Store, Merchant)> {
        let config = self.config()?;
        let store = self.store(&config).await?;
        let mut all = store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
        let slugs = all.iter().map(|merchant| merchant.slug.as_str()).collect::<Vec<_>>().join(", ");
        let merchant = match (&self.merchant, all.len()) {
            (_, 0) => return Err(stop(Exit::NotFound, "there is no merchant yet; run: paydown init")),
            (None, 1) => all.remove(0),
            (None, _) => {
                let message = format!("there are several merchants; say which with --merchant: {slugs}");
                return Err(stop(Exit::Usage, message));
            }
            (Some(slug), _) => all.into_iter().find(|merchant| merchant.slug == *slug).ok_or_else(|| {
                stop(Exit::NotFound, format!("there is no merchant {slug:?}; there are: {slugs}"))
            })?,
        };
        Ok((config, store, merchant))
    }

    /// Who acts, for the audit trail.
    pub(super) fn actor(&self) -> String {
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| self.world.environment.get(name));
        let user = user.map_or("unknown", String::as_str);
        format!("cli:{}", user.chars().filter(|c| !c.is_control()).take(64).collect::<String>())
    }

    /// Prints JSON where it was asked for, else the lines.
    pub(super) fn tell(&mut self, json: &Value, lines: impl FnOnce() -> String) -> Result<()> {
        let out = &mut self.world.out;
        if self.json {
            writeln!(out, "{json}")?
        } else {
            writeln!(out, "{}", lines().trim_end())?
        }
        out.flush().context("the output cannot be written")
    }
}

/// Makes the data folder, for its owner only.
pub(super) fn make_folder(path: &std::path::Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

/// Rows under their headings, columns aligned; numbers to the right where a heading ends with a `>`.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([headings[column].trim_end_matches('>').chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(headings).zip(&widths).map(|((cell, heading), width)| {
            if heading.ends_with('>') { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let head: Vec<String> = headings.iter().map(|heading| heading.trim_end_matches('>').to_owned()).collect();
    line(&head) + &rows.iter().map(|row| line(row)).collect::<String>()
}
