//! A merchant whose processor is the practice one: for the demo, and for trying the portal before keys exist.

use crate::app::App;
use crate::clock::Mint;
use crate::processors::{STRIPE, key_place, webhook_place};
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::merchants::{self, Merchant};
use store::processor_accounts::{self, Mode, ProcessorAccount};

/// How the practice processor is reached.
#[derive(Clone, Debug)]
pub struct PracticeConnection {
    /// Base address of its interface.
    pub base_url: String,
    /// Its API key, `sk_test_…`.
    pub secret_key: String,
    /// Signs its webhooks, `whsec_…`.
    pub webhook_secret: String,
}

/// Adds a merchant; its number is given here, whatever `merchant.id` says. `None`: its slug is taken.
pub async fn add_merchant(app: &App, merchant: Merchant) -> Result<Option<MerchantId>> {
    app.store
        .write(async move |tx: &mut Tx| {
            let id = merchants::next_id(tx).await?;
            let added = merchants::insert(tx, &Merchant { id, ..merchant.clone() }).await?;
            Ok(added.then_some(id))
        })
        .await
}

/// Connects a merchant to the practice processor, or replaces address and keys of the connection; `actor` is who did, as the
/// audit trail calls them.
pub async fn connect_practice(
    app: &App,
    merchant: MerchantId,
    to: PracticeConnection,
    actor: &str,
) -> Result<()> {
    let mint = app.mint();
    let account = ProcessorAccount {
        merchant_id: merchant,
        processor: STRIPE.to_owned(),
        mode: Mode::Practice,
        base_url: to.base_url,
        account: "acct_practice".to_owned(),
        secret_key: app.secrets.seal(&key_place(merchant), mint.bytes(), to.secret_key.as_bytes()),
        webhook_secret: Some(app.secrets.seal(
            &webhook_place(merchant),
            mint.bytes(),
            to.webhook_secret.as_bytes(),
        )),
        webhook_secret_before: None,
        polled_to: mint.now,
        connected_at: mint.now,
    };
    let actor = actor.to_owned();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &account, &actor).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, account: &ProcessorAccount, actor: &str) -> Result<()> {
    processor_accounts::upsert(tx, account).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.to_owned(),
        act: acts::PROCESSOR_CONNECT.to_owned(),
        object: STRIPE.to_owned(),
        before: "null".to_owned(),
        after: "\"practice\"".to_owned(),
        at: mint.now,
    };
    audit::append(tx, account.merchant_id, &row).await
}

/// The keys of a connection that was made before, unsealed. `None`: there is none, or it is no practice one, or one without
/// webhooks.
pub async fn practice_connection(app: &App, merchant: MerchantId) -> Result<Option<PracticeConnection>> {
    let found =
        app.store.read(async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await).await?;
    let Some(account) = found.filter(|account| account.mode == Mode::Practice) else { return Ok(None) };
    let secret_key = app.secrets.open(&key_place(merchant), &account.secret_key)?;
    let Some(sealed) = account.webhook_secret else { return Ok(None) };
    let webhook_secret = app.secrets.open(&webhook_place(merchant), &sealed)?;
    Ok(Some(PracticeConnection {
        base_url: account.base_url,
        secret_key: String::from_utf8(secret_key.to_vec())?,
        webhook_secret: String::from_utf8(webhook_secret.to_vec())?,
    }))
}
