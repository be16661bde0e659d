//! What every workload is given: the programs, the seeded databases, a folder to work in, and how long rounds are.

use crate::program::Server;
use crate::seed::Seeds;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which database engines are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        }
    }
}

/// See the module.
pub struct Bench {
    /// Seeded databases.
    pub seeds: Seeds,
    /// The `ceilings` program.
    pub ceilings: PathBuf,
    /// Where copies are worked on; removed at the end.
    pub folder: PathBuf,
    /// How many invoices there are.
    pub invoices: i64,
    /// Interleaved rounds.
    pub rounds: usize,
    /// How long each figure is measured within a round.
    pub lasting: Duration,
    /// Invoices that everybody pays at once.
    pub rushes: usize,
}

/// Runs both, one after the other: ours first in rounds of an odd number, last in the others, so that neither has the better
/// place each time.
pub async fn in_turn<A, B>(
    round: usize,
    ours: impl Future<Output = Result<A>>,
    theirs: impl Future<Output = Result<B>>,
) -> Result<(A, B)> {
    if round % 2 == 1 {
        let ours = ours.await?;
        Ok((ours, theirs.await?))
    } else {
        let theirs = theirs.await?;
        Ok((ours.await?, theirs))
    }
}

impl Bench {
    /// The bare server over a copy of its file.
    pub async fn bare(&self, for_lists: bool) -> Result<(Server, PathBuf)> {
        let file = self.seeds.copy_ceiling(self.invoices, for_lists, &self.folder.join("a2"))?;
        Ok((Server::bare(&self.ceilings, &file).await?, file))
    }

    /// A folder of this run that is not there yet.
    pub fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        self.discard(&folder)?;
        Ok(folder)
    }

    /// Removes a copy that was worked on.
    pub fn discard(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        Ok(())
    }
}
