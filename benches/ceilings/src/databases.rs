//! Databases of the bench's own PostgreSQL server: made, copied from each other, removed. It looks into none of them.

use crate::postgres::connect;
use anyhow::{Context as _, Result};

/// True if the server at `url` has a database of this name.
pub async fn exists(url: &str, name: &str) -> Result<bool> {
    let found =
        connect(url).await?.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await?;
    Ok(found.is_some())
}

/// Makes a database, empty or as a copy of `template`, to which nobody may be connected. Answers its address.
pub async fn create(url: &str, name: &str, template: Option<&str>) -> Result<String> {
    let like =
        template.map_or_else(String::new, |template| format!(" TEMPLATE {template} STRATEGY file_copy"));
    connect(url).await?.batch_execute(&format!("CREATE DATABASE {name}{like}")).await?;
    address(url, name)
}

/// Gives a database, to which nobody may be connected, another name.
pub async fn rename(url: &str, from: &str, to: &str) -> Result<()> {
    Ok(connect(url).await?.batch_execute(&format!("ALTER DATABASE {from} RENAME TO {to}")).await?)
}

/// Removes a database, whoever is connected to it; one that is not there is fine.
pub async fn remove(url: &str, name: &str) -> Result<()> {
    Ok(connect(url).await?.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
}

/// Removes every database whose name begins so: what a run that was killed left behind.
pub async fn remove_all(url: &str, prefix: &str) -> Result<()> {
    let client = connect(url).await?;
    let like = format!("{prefix}%");
    let rows = client.query("SELECT datname FROM pg_database WHERE datname LIKE $1", &[&like]).await?;
    for row in rows {
        remove(url, row.get(0)).await?;
    }
    Ok(())
}

/// Writes everything that waits to be written, so that the next workload does not have to.
pub async fn checkpoint(url: &str) -> Result<()> {
    Ok(connect(url).await?.batch_execute("CHECKPOINT").await?)
}

/// The address of another database of the same server.
pub fn address(url: &str, name: &str) -> Result<String> {
    let (server, _) = url.rsplit_once('/').context("a database's address ends with its name")?;
    Ok(format!("{server}/{name}"))
}
