//! `paydown demo` and `paydown sandbox`: everything on practice money.

use super::serve::start_log;
use super::world::{At, Exit, make_folder, stop};
use super::{DemoArgs, SandboxArgs};
use crate::demo::{DemoOptions, OtherFolder, Welcome, run};
use anyhow::Result;
use sandbox::{Sandbox, SandboxConfig, SandboxData, WebhookTarget};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use store::db::DatabaseUrl;
use tokio_util::sync::CancellationToken;

pub(super) async fn demo(at: &mut At<'_>, args: DemoArgs) -> Result<Exit> {
    start_log(&at.config()?, "warn")?;
    let database = at.settings.database.as_deref().map(str::parse::<DatabaseUrl>).transpose();
    let database = database.map_err(|error| stop(Exit::Usage, format!("{error:#}")))?;
    let kept = args.keep.clone();
    let foreign = database.is_some();
    let options = DemoOptions { keep: args.keep, port: args.port, seed: args.seed, database };
    let world = (Arc::clone(&at.world.clock), Arc::clone(&at.world.random));
    let stop_when = at.world.stop.clone();
    let failed = Arc::new(Mutex::new(None));
    let (note, giving_up) = (Arc::clone(&failed), stop_when.clone());
    let at = Mutex::new(at);
    let told = |welcome: &Welcome| {
        let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
        let json = serde_json::to_value(welcome).unwrap_or_default();
        if let Err(error) = at.tell(&json, || welcome_text(welcome, kept.is_some(), foreign)) {
            // Nobody reads what was asked for: end rather than serve unseen.
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            giving_up.cancel();
        }
    };
    run(options, world, told, stop_when).await.map_err(|error| {
        match error.downcast_ref::<OtherFolder>() {
            Some(why) => stop(Exit::Conflict, why.to_string()),
            None => error,
        }
    })?;
    match failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => Ok(Exit::Done),
    }
}

fn welcome_text(welcome: &Welcome, kept: bool, foreign: bool) -> String {
    let end = match (kept, foreign) {
        (true, _) => "Ctrl+C ends it; the data stay.",
        (false, false) => "Ctrl+C ends it and leaves nothing behind.",
        (false, true) => {
            "Ctrl+C ends it. The sample data stay in the database, but their key goes with the temporary folder: to go on \
             with them, begin with --keep DIR on an empty database."
        }
    };
    format!(
        "Paydown demo. No real money moves.\n\n  Pay an invoice   {}\n  Sign in          {}  as {}\n  Mailbox          {}\n  API              {}\n    with the key   {}\n\n\
         Card 4242 4242 4242 4242, any date to come, any code, pays. {end}",
        welcome.payment_link,
        welcome.billing_link,
        welcome.contact_email,
        welcome.mailbox_url,
        welcome.api_url,
        welcome.api_key
    )
}

pub(super) async fn sandbox(at: &mut At<'_>, args: SandboxArgs) -> Result<Exit> {
    let config = at.config()?;
    start_log(&config, "warn")?;
    let file = match args.data {
        Some(file) => file,
        None => {
            make_folder(&config.data_dir)?;
            config.data_dir.join("practice-processor.db")
        }
    };
    let clock = Arc::clone(&at.world.clock);
    let target = args.webhook.zip(args.webhook_secret).map(|(url, secret)| WebhookTarget { url, secret });
    let running = Sandbox::start(SandboxConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        data: SandboxData::File(file),
        secret_key: args.key,
        webhook: target,
        clock: Arc::new(move || clock.now().as_second()),
        seed: args.seed,
        public_url: None,
    })
    .await?;
    let (url, key) = (running.base_url(), running.secret_key().to_owned());
    at.tell(&json!({ "processor_url": url, "processor_key": key }), || {
        format!("The practice processor is at {url}, its key is {key}. No real money moves. Ctrl+C ends it.")
    })?;
    let stop: CancellationToken = at.world.stop.clone();
    stop.cancelled().await;
    running.shutdown().await;
    Ok(Exit::Done)
}
