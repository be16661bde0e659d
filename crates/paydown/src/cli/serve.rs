//! `paydown serve`: opens what the settings name, brings the schema up to date, and serves until it is told to stop.

use super::world::{At, Exit};
use crate::app::App;
use crate::config::{Config, LogFormat, Mail};
use crate::mail::transport::{Folder, Smtp, Transport};
use crate::metrics::Metrics;
use crate::{practice, router, server};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::sync::Arc;
use store::db::{Role, Tx, migrate};
use store::merchants;
use store::migrations::MIGRATIONS;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

pub(super) async fn serve(at: &mut At<'_>) -> Result<Exit> {
    let mut config = at.config()?;
    start_log(&config, &config.log_level)?;
    let transport = transport(&config)?;
    let store = at.open(&config, Role::Server).await?;
    migrate(&store, MIGRATIONS, at.world.clock.now().as_microsecond()).await?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    config.public_url = config.public_url_at(address);
    let app = at.app(&config, store)?;
    let figures = figures(&config).await?;
    let figures_at = figures.as_ref().map(TcpListener::local_addr).transpose()?.map(|at| at.to_string());
    let stop = at.world.stop.clone();
    if let Some(listener) = figures {
        let metrics = Metrics::install(app.clock.now())?;
        tokio::spawn(metrics.serve(app.clone(), listener, stop.clone()));
    }
    let practice = practice::beside(&app, &config.data_dir, address.port()).await?;
    let told = json!({ "listen": address.to_string(), "public_url": config.public_url, "metrics_listen": figures_at });
    let portals = portals(&app, &config).await?;
    at.tell(&told, || {
        let mail = mail_goes(&config.mail);
        format!("Paydown serves on {address}. Ctrl+C ends it.\n{portals}Mail goes {mail}.")
    })?;
    server::run(app.clone(), listener, router::router(app), transport, stop).await?;
    if let Some(practice) = practice {
        practice.shutdown().await;
    }
    Ok(Exit::Done)
}

/// The address of each merchant's portal, a line each.
async fn portals(app: &App, config: &Config) -> Result<String> {
    let merchants = app.store.read(async |tx: &mut Tx| merchants::all(tx).await).await?;
    if merchants.is_empty() {
        return Ok("There is no merchant yet: `paydown init` makes one.\n".to_owned());
    }
    let lines = merchants
        .iter()
        .map(|merchant| format!("{}: {}/p/{}\n", merchant.name, config.public_url, merchant.slug));
    Ok(lines.collect())
}

/// Where mail goes, and how to change that where it reaches nobody.
pub(super) fn mail_goes(mail: &Mail) -> String {
    match mail {
        Mail::Folder(path) => {
            format!("into the folder {}; set PAYDOWN_MAIL=smtp://… to send it to people", path.display())
        }
        Mail::Smtp(_) => "by SMTP".to_owned(),
    }
}

/// The listener of `/metrics`, if it is wanted. A port that is taken is an error only where somebody chose it.
async fn figures(config: &Config) -> Result<Option<TcpListener>> {
    let Some(address) = config.metrics_listen else { return Ok(None) };
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if !config.is_set("metrics_listen") => {
            tracing::warn!(%address, %error, "/metrics is not served; set metrics_listen to another port or to off");
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address} for /metrics")),
    }
}

fn transport(config: &Config) -> Result<Arc<dyn Transport>> {
    Ok(match &config.mail {
        Mail::Folder(path) => Arc::new(Folder::try_new(path)?),
        Mail::Smtp(smtp) => Arc::new(Smtp::try_new(smtp)?),
    })
}

/// The log goes to standard error; standard output is for what was asked for. Only what is of this `level` or worse is written
/// unless the settings say otherwise.
pub(super) fn start_log(config: &Config, level: &str) -> Result<()> {
    let level = if config.is_set("log_level") { &config.log_level } else { level };
    // The driver's finer lines tell every parameter: names, addresses, what a webhook said.
    let filter = EnvFilter::try_new(level)?.add_directive("tokio_postgres=info".parse()?);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
