//! The practice processor inside our own process, for merchants that have no keys yet: the demo's, and whoever was set up
//! without any. Its data lie in the data folder; it answers this machine only. It moves no money, and the portal reaches it
//! as it reaches any processor.

use crate::actions::practice_merchant::{PracticeConnection, connect_practice, practice_connection};
use crate::app::App;
use crate::clock::Clock;
use anyhow::{Context as _, Result};
use billing::ids::MerchantId;
use data_encoding::HEXLOWER;
use sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxData, WebhookTarget};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use store::db::Tx;
use store::merchants::{self, Merchant};
use tokio::net::TcpStream;
use url::Url;

/// Its file in the data folder.
pub const FILE: &str = "practice-processor.db";

/// Keys of a new connection, without an address yet.
pub fn new_keys(app: &App) -> PracticeConnection {
    let mint = app.mint();
    PracticeConnection {
        base_url: String::new(),
        secret_key: format!("sk_test_practice{}", HEXLOWER.encode(&mint.bytes::<16>())),
        webhook_secret: format!("whsec_{}", HEXLOWER.encode(&mint.bytes::<16>())),
    }
}

/// Starts it at the address it had, or at another where that is taken; it tells nobody of events yet.
pub async fn start(
    folder: &Path,
    keys: &PracticeConnection,
    seed: u64,
    clock: Arc<dyn Clock>,
) -> Result<RunningSandbox> {
    let config = |port: u16| {
        let clock = Arc::clone(&clock);
        SandboxConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            data: SandboxData::File(folder.join(FILE)),
            secret_key: keys.secret_key.clone(),
            webhook: None,
            clock: Arc::new(move || clock.now().as_second()),
            seed,
            public_url: None,
        }
    };
    match port_of(&keys.base_url) {
        Some(port) => match Sandbox::start(config(port)).await {
            Ok(running) => Ok(running),
            Err(_) => Sandbox::start(config(0)).await,
        },
        None => Sandbox::start(config(0)).await,
    }
}

/// Gives a merchant that was just added the practice processor.
pub async fn connect(app: &App, folder: &Path, merchant: MerchantId, actor: &str) -> Result<()> {
    let keys = new_keys(app);
    let seed = u64::from_le_bytes(app.mint().bytes());
    let running = start(folder, &keys, seed, Arc::clone(&app.clock)).await?;
    let connection = PracticeConnection { base_url: running.base_url(), ..keys };
    running.shutdown().await;
    connect_practice(app, merchant, connection, actor).await
}

/// Starts it beside a portal on this port, if a merchant uses it, its data are in this folder, and it does not run yet.
pub async fn beside(app: &App, folder: &Path, portal_port: u16) -> Result<Option<RunningSandbox>> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let all = app.store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
    for merchant in all {
        if let Some(keys) = practice_connection(app, merchant.id).await?
            && !answers(&keys.base_url).await
        {
            return serve(app, folder, (&merchant, keys), portal_port).await.map(Some);
        }
    }
    Ok(None)
}

async fn serve(
    app: &App,
    folder: &Path,
    (merchant, keys): (&Merchant, PracticeConnection),
    portal_port: u16,
) -> Result<RunningSandbox> {
    let seed = u64::from_le_bytes(app.mint().bytes());
    let running = start(folder, &keys, seed, Arc::clone(&app.clock)).await;
    let running = running.context("the practice processor cannot start")?;
    let url = format!("http://{}:{portal_port}/hooks/stripe/{}", Ipv4Addr::LOCALHOST, merchant.slug);
    running.set_webhook(Some(WebhookTarget { url, secret: keys.webhook_secret.clone() }));
    if running.base_url() != keys.base_url {
        let moved = PracticeConnection { base_url: running.base_url(), ..keys };
        connect_practice(app, merchant.id, moved, "job:serve").await?;
    }
    tracing::info!(address = running.base_url(), "the practice processor answers; no real money moves");
    Ok(running)
}

/// True if something listens there, on whatever machine.
async fn answers(base_url: &str) -> bool {
    match Url::parse(base_url).ok().and_then(|url| Some((url.host_str()?.to_owned(), url.port()?))) {
        Some((host, port)) => TcpStream::connect((host.as_str(), port)).await.is_ok(),
        // An address without a port is not one of ours.
        None => true,
    }
}

/// The port of an address on this machine.
fn port_of(base_url: &str) -> Option<u16> {
    Url::parse(base_url).ok()?.port()
}
