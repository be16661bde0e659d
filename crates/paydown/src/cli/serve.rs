//! `paydown serve`: opens what the settings name, brings the schema up to date, and serves until it is told to stop.

use super::world::{At, Exit};
use crate::config::{Config, LogFormat, Mail};
use crate::mail::transport::{Folder, Smtp, Transport};
use crate::{router, server};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::sync::Arc;
use store::db::{Role, migrate};
use store::migrations::MIGRATIONS;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

pub(super) async fn serve(at: &mut At<'_>) -> Result<Exit> {
    let mut config = at.config()?;
    start_log(&config)?;
    let transport = transport(&config)?;
    let store = at.open(&config, Role::Server).await?;
    migrate(&store, MIGRATIONS, at.world.clock.now().as_microsecond()).await?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    config.public_url = config.public_url_at(address);
    let app = at.app(&config, store)?;
    at.tell(&json!({ "listen": address.to_string(), "public_url": config.public_url }), || {
        format!("Paydown serves {} on {address}. Ctrl+C ends it.", config.public_url)
    })?;
    server::run(app.clone(), listener, router::router(app), transport, at.world.stop.clone()).await?;
    Ok(Exit::Done)
}

fn transport(config: &Config) -> Result<Arc<dyn Transport>> {
    Ok(match &config.mail {
        Mail::Folder(path) => Arc::new(Folder::try_new(path)?),
        Mail::Smtp(smtp) => Arc::new(Smtp::try_new(&smtp.address, smtp.password.as_ref())?),
    })
}

/// The log goes to standard error; standard output is for what was asked for.
fn start_log(config: &Config) -> Result<()> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&config.log_level)?)
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
