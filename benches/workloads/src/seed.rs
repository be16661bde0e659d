//! Seeded databases and where they are kept: made once for a schema and a number of invoices, copied for each run. A copy is
//! worked on and thrown away, the original never.

mod business;

pub use business::{BIG, HOT, INVOICE, RUSH, contact};

use crate::load::now;
use crate::program::{Place, SLUG};
use anyhow::{Context as _, Result};
use ceilings::{copy, databases};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use store::migrations::MIGRATIONS;

/// Counted up whenever other rows are written.
const VERSION: u32 = 1;
/// What the databases of a run are called, in front of their names.
const RUN: &str = "run_";
const MAKING: &str = "making_";

/// Where seeded databases are kept, and how they are made.
#[derive(Debug, Clone)]
pub struct Seeds {
    cache: PathBuf,
    program: PathBuf,
    postgres: Option<String>,
}

impl Seeds {
    /// Keeps them in this folder; `postgres` is the address of the server for the other engine.
    pub async fn new(cache: &Path, program: &Path, postgres: Option<String>) -> Result<Seeds> {
        fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
        if let Some(url) = &postgres {
            databases::remove_all(url, RUN).await?;
            databases::remove_all(url, MAKING).await?;
        }
        Ok(Seeds { cache: cache.to_owned(), program: program.to_owned(), postgres })
    }

    /// The address of the PostgreSQL server.
    pub fn postgres(&self) -> Result<&str> {
        self.postgres.as_deref().context("no PostgreSQL server was given; add --postgres URL")
    }

    /// Paydown's data folder with so many invoices on SQLite, not to be changed.
    pub async fn paydown(&self, invoices: i64) -> Result<PathBuf> {
        let folder = self.cache.join(name("paydown", invoices));
        if folder.exists() {
            return Ok(folder);
        }
        let began_at = now();
        let making = self.cache.join("making");
        if making.exists() {
            fs::remove_dir_all(&making)?;
        }
        let place = self.place(&making, None);
        place.run(&[
            "init",
            "--yes",
            "--name",
            "Bench",
            "--slug",
            SLUG,
            "--help-email",
            "help@bench.example",
        ])?;
        business::seed(&place.database, invoices).await?;
        place.verify().context("the seeded database")?;
        fs::rename(&making, &folder)?;
        told(&format!("{invoices} invoices in SQLite"), began_at.elapsed());
        Ok(folder)
    }

    /// A copy of it in this folder, to work on.
    pub async fn copy_paydown(&self, invoices: i64, into: &Path) -> Result<Place> {
        copy_folder(&self.paydown(invoices).await?, into)?;
        Ok(self.place(into, None))
    }

    /// The same business on PostgreSQL, to work on.
    pub async fn copy_paydown_to_postgres(&self, invoices: i64, into: &Path) -> Result<Place> {
        let (url, seeded) = (self.postgres()?, self.paydown(invoices).await?);
        let template = name("paydown", invoices);
        if !databases::exists(url, &template).await? {
            let began_at = now();
            let (making, folder) = (format!("{MAKING}{template}"), self.cache.join("making"));
            copy_folder(&seeded, &folder)?;
            let database = databases::create(url, &making, None).await?;
            let place = self.place(&folder, Some(database.clone()));
            place.run(&["migrate", "run"])?;
            copy::to_postgres(&seeded.join("paydown.db").display().to_string(), &database).await?;
            place.verify().context("the database that was copied to PostgreSQL")?;
            fs::remove_dir_all(&folder)?;
            databases::rename(url, &making, &template).await?;
            told(&format!("{invoices} invoices in PostgreSQL"), began_at.elapsed());
        }
        copy_folder(&seeded, into)?;
        fs::remove_file(into.join("paydown.db"))?;
        let run = format!("{RUN}paydown");
        databases::remove(url, &run).await?;
        let database = databases::create(url, &run, Some(&template)).await?;
        Ok(self.place(into, Some(database)))
    }

    /// The ceilings' file, in this folder, to work on.
    pub fn copy_ceiling(&self, invoices: i64, for_lists: bool, into: &Path) -> Result<PathBuf> {
        let kind = if for_lists { "ceiling_lists" } else { "ceiling" };
        let seeded = self.cache.join(format!("{}.db", name(kind, invoices)));
        if !seeded.exists() {
            let began_at = now();
            let making = tempfile::tempdir_in(&self.cache)?;
            let file = making.path().join("ceiling.db");
            ceilings::sqlite::seed(&file, invoices, for_lists)?;
            fs::rename(&file, &seeded)?;
            told(&format!("{invoices} invoices for the ceilings"), began_at.elapsed());
        }
        fs::create_dir_all(into)?;
        let file = into.join(format!("{kind}.db"));
        fs::copy(&seeded, &file)?;
        Ok(file)
    }

    /// The ceilings' database on PostgreSQL, to work on.
    pub async fn copy_ceiling_in_postgres(&self, invoices: i64) -> Result<String> {
        let (url, template) = (self.postgres()?, name("ceiling", invoices));
        if !databases::exists(url, &template).await? {
            let making = format!("{MAKING}{template}");
            let database = databases::create(url, &making, None).await?;
            ceilings::postgres::seed(&database, invoices).await?;
            databases::rename(url, &making, &template).await?;
        }
        let run = format!("{RUN}ceiling");
        databases::remove(url, &run).await?;
        databases::create(url, &run, Some(&template)).await
    }

    fn place(&self, data: &Path, database: Option<String>) -> Place {
        let database = database.unwrap_or_else(|| data.join("paydown.db").display().to_string());
        Place { program: self.program.clone(), data: data.to_owned(), database }
    }
}

/// What a seeded database is called: another schema, other rows or another number of them is another database.
fn name(kind: &str, invoices: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(VERSION.to_be_bytes());
    for migration in MIGRATIONS {
        hash.update(migration.sqlite);
        hash.update(migration.postgres);
    }
    format!("{kind}_{invoices}_{}", HEXLOWER.encode(&hash.finalize()[..6]))
}

fn copy_folder(from: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), into.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn told(what: &str, took: std::time::Duration) {
    crate::report::say(&format!("made {what} in {:.0} s", took.as_secs_f64()));
}
