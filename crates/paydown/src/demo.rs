//! `paydown demo`: the main job on real parts, with nothing to set up. A portal, the practice processor and a practice
//! mailbox, on loopback, over a sample business.

mod business;
mod clock;
mod seed;

use crate::actions::create_api_key::{NewApiKey, create_api_key, revoke_api_key};
use crate::actions::create_link::{create_link, link_url};
use crate::actions::practice_merchant::{
    PracticeConnection, add_merchant, connect_practice, practice_connection,
};
use crate::api_key::{Scope, USUAL_REQUESTS_PER_MINUTE};
use crate::app::App;
use crate::clock::{Clock, Random};
use crate::mail::{mailbox, transport};
use crate::processors::Processors;
use crate::secrets::{CannotOpen, SecretKey};
use crate::{practice, router, server};
use anyhow::{Context as _, Result};
use billing::ids::{LinkId, MerchantId};
use clock::DemoClock;
use jiff::tz::TimeZone;
use ledger::Currency;
use sandbox::{RunningSandbox, WebhookTarget};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::db::{DatabaseUrl, Role, Store, StoreConfig, Tx, migrate};
use store::merchants::{self, Merchant};
use store::migrations::MIGRATIONS;
use store::{api_keys, invoices, links};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How the demo is run.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Keeps the data there; without it they are in a temporary folder and gone at the end.
    pub keep: Option<PathBuf>,
    /// Port of the portal on loopback; 0 lets the system choose.
    pub port: u16,
    /// What the practice processor's ids follow from.
    pub seed: u64,
    /// Another database than a SQLite file in the folder.
    pub database: Option<DatabaseUrl>,
}

/// What a visitor needs to know.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Welcome {
    /// Opens the invoice of 1,250.00 USD.
    pub payment_link: String,
    /// The portal's front door.
    pub billing_link: String,
    /// Whom to sign in as.
    pub contact_email: String,
    /// A key of the API that may do everything; made anew at each start.
    pub api_key: String,
    /// Where the API is described.
    pub api_url: String,
    /// Where sent mail is read.
    pub mailbox_url: String,
    /// Base address of the practice processor.
    pub processor_url: String,
    /// Its API key.
    pub processor_key: String,
    /// The database, as `--database` takes it.
    pub database: String,
}

/// The database has a demo of another folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "this database holds a demo that another data folder has the key of; name that folder with --keep DIR, or take an empty \
     database"
)]
pub struct OtherFolder;

const SLUG: &str = "northwind";
/// Who signs in to the demo, and whom its payment link was sent to.
const CONTACT: &str = "dana@acme.test";
/// Who did what the demo did, for the audit trail.
const ACTOR: &str = "cli:demo";

/// Runs the demo until `stop` is cancelled; `welcome` is told once everything answers.
pub async fn run(
    options: DemoOptions,
    (real_clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    welcome: impl FnOnce(&Welcome) + Send,
    stop: CancellationToken,
) -> Result<()> {
    let temporary = tempfile::Builder::new().prefix("paydown-demo-").tempdir()?;
    let folder = options.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let database = options.database.clone().unwrap_or_else(|| DatabaseUrl::Sqlite(folder.join("paydown.db")));
    let clock = Arc::new(DemoClock::new(real_clock));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
    let listener = listener.with_context(|| format!("port {} is taken; choose another", options.port))?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let app = open(&folder, &database, &public_url, Arc::clone(&clock), random).await?;
    let (sandbox, merchant, link) = business_at(&app, &folder, options.seed, &clock).await?;
    let mail_folder = folder.join("mail");
    let mailbox_url = serve_mailbox(&mail_folder, stop.clone()).await?;
    let found = practice_connection(&app, merchant).await?.context("the demo's merchant is connected")?;
    let told = Welcome {
        payment_link: link_url(&app, merchant, link),
        billing_link: format!("{public_url}/p/{SLUG}"),
        contact_email: CONTACT.to_owned(),
        api_key: api_key(&app, merchant).await?,
        api_url: format!("{public_url}/v1/docs"),
        mailbox_url,
        processor_url: sandbox.base_url(),
        processor_key: found.secret_key,
        database: match &database {
            DatabaseUrl::Sqlite(path) => path.display().to_string(),
            DatabaseUrl::Postgres(url) => url.clone(),
        },
    };
    let transport = Arc::new(transport::Folder::try_new(&mail_folder)?);
    welcome(&told);
    server::run(app.clone(), listener, router::router(app), transport, stop).await?;
    sandbox.shutdown().await;
    Ok(())
}

async fn open(
    folder: &Path,
    database: &DatabaseUrl,
    public_url: &str,
    clock: Arc<DemoClock>,
    random: Arc<dyn Random>,
) -> Result<App> {
    let mut key = [0; 32];
    random.fill(&mut key);
    let secrets = SecretKey::load_or_create(folder, None, key)?;
    let now = clock.now().as_microsecond();
    let store = Store::open(&StoreConfig::new(database.clone(), Role::Server, now)).await?;
    migrate(&store, MIGRATIONS, now).await?;
    Ok(App {
        store,
        processors: Arc::new(Processors::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
        clock,
        random,
        secrets: Arc::new(secrets),
        public_url: Arc::from(public_url),
        trusted_proxies: Arc::default(),
        amount_inputmode: Default::default(),
        tasks: tokio_util::task::TaskTracker::new(),
    })
}

/// Starts the practice processor and finds the sample business, or makes it.
async fn business_at(
    app: &App,
    folder: &Path,
    seed: u64,
    clock: &Arc<DemoClock>,
) -> Result<(RunningSandbox, MerchantId, LinkId)> {
    let there = app.store.read(async move |tx: &mut Tx| merchants::find_by_slug(tx, SLUG).await).await?;
    let kept = match &there {
        Some(merchant) => practice_connection(app, merchant.id).await.map_err(cannot_go_on)?,
        None => None,
    };
    let keys = kept.unwrap_or_else(|| practice::new_keys(app));
    let sandbox = practice::start(folder, &keys, seed, Arc::clone(clock) as Arc<dyn Clock>).await?;
    let merchant_id = match &there {
        Some(merchant) => merchant.id,
        None => {
            add_merchant(app, northwind(app)).await?.context("the demo's merchant was added meanwhile")?
        }
    };
    let connection = PracticeConnection { base_url: sandbox.base_url(), ..keys.clone() };
    connect_practice(app, merchant_id, connection, ACTOR).await?;
    let link = match there {
        Some(_) => link_again(app, merchant_id).await?,
        None => {
            let seeder = seed::Seeder {
                app,
                clock,
                merchant: merchant_id,
                time_zone: TimeZone::get("America/Los_Angeles")?,
                processor: &sandbox.base_url(),
                http: reqwest::Client::new(),
            };
            seeder.seed().await?
        }
    };
    let url = format!("{}/hooks/stripe/{SLUG}", app.public_url);
    sandbox.set_webhook(Some(WebhookTarget { url, secret: keys.webhook_secret }));
    Ok((sandbox, merchant_id, link))
}

/// Where the demo was made without --keep, its key went with its folder. Whatever else went wrong is told as it is.
fn cannot_go_on(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<CannotOpen>() {
        Some(CannotOpen::OtherKey(_)) => OtherFolder.into(),
        _ => error,
    }
}

fn northwind(app: &App) -> Merchant {
    Merchant {
        id: MerchantId(0),
        slug: SLUG.to_owned(),
        name: "Northwind IT".to_owned(),
        address: "88 Alder Street\nPortland, OR 97205".to_owned(),
        help_email: "billing@northwind.example".to_owned(),
        help_phone: Some("+1 503 555 0142".to_owned()),
        currency: Currency::USD,
        time_zone: "America/Los_Angeles".to_owned(),
        brand_color: "#1f5eff".to_owned(),
        sender: "billing@northwind.example".to_owned(),
        statement_line: "NORTHWIND IT".to_owned(),
        abandon_after_seconds: 1_800,
        created_at: app.clock.now(),
    }
}

/// The link of an earlier start, as long as it is in force.
async fn link_again(app: &App, merchant: MerchantId) -> Result<LinkId> {
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let Some(invoice) = invoices::find_by_number(tx, merchant, "INV-1042").await? else {
                return Ok(None);
            };
            Ok(Some((invoice.id, links::list_by_invoice(tx, merchant, invoice.id).await?)))
        })
        .await?;
    let (invoice, sent) = found.context("this folder holds no demo; choose an empty one")?;
    if let Some(link) = sent.iter().find(|link| link.revoked_at.is_none()) {
        return Ok(link.id);
    }
    let contact = sent.first().and_then(|link| link.contact_id);
    Ok(create_link(app, merchant, invoice, contact, ACTOR).await??)
}

/// A key for whoever tries the API; those of earlier starts end.
async fn api_key(app: &App, merchant: MerchantId) -> Result<String> {
    const NAME: &str = "demo";
    let before = app.store.read(async move |tx: &mut Tx| api_keys::list(tx, merchant).await).await?;
    for key in before.iter().filter(|key| key.name == NAME && key.revoked_at.is_none()) {
        revoke_api_key(app, merchant, key.id, ACTOR.to_owned()).await?;
    }
    let new = NewApiKey {
        merchant,
        name: NAME.to_owned(),
        scopes: Scope::ALL.to_vec(),
        requests_per_minute: USUAL_REQUESTS_PER_MINUTE,
        expires_at: None,
        actor: ACTOR.to_owned(),
    };
    let (_, secret) = create_api_key(app, new).await??;
    Ok(secret.reveal().to_owned())
}

async fn serve_mailbox(folder: &Path, stop: CancellationToken) -> Result<String> {
    std::fs::create_dir_all(folder)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let router = mailbox::router(folder.to_owned());
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the practice mailbox stopped");
        }
    });
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::db::StoreError;

    #[test]
    fn only_a_key_that_does_not_fit_means_another_folder() {
        let error = CannotOpen::OtherKey("processor_accounts.secret_key of merchant 1".to_owned());
        assert!(cannot_go_on(error.into()).is::<OtherFolder>());
        assert!(cannot_go_on(CannotOpen::Newer(String::new()).into()).is::<CannotOpen>());
        assert!(cannot_go_on(StoreError::Busy.into()).is::<StoreError>());
    }
}
