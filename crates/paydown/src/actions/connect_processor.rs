//! A merchant is connected to its processor, or its keys are replaced. The processor is asked whose key it is before
//! anything is stored; keys are stored sealed, and live and test never mix.

use crate::app::App;
use crate::clock::Mint;
use crate::processors::{OLD_SECRET_LIVES, STRIPE, key_place, webhook_place};
use crate::secrets::SecretKey;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use gateway::stripe::{ConfigError, DEFAULT_ADDRESS, Stripe, StripeConfig};
use gateway::{Account, CallError, Processor as _, SecretText};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::{disputes, payments, refunds};

/// Whose processor, and its secrets.
#[derive(Debug, Clone)]
pub struct ConnectProcessor {
    /// Whose.
    pub merchant: MerchantId,
    /// A secret or restricted key.
    pub secret_key: SecretText,
    /// What signs webhooks, `whsec_…`; `None` keeps the one there is.
    pub webhook_secret: Option<SecretText>,
    /// Where the processor is, when it is not Stripe itself: the practice processor.
    pub address: Option<String>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// What was connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Whether money is real.
    pub mode: Mode,
    /// What the processor says about the account.
    pub account: Account,
    /// True if webhooks can be checked from now on.
    pub webhooks: bool,
    /// True if there was a secret for webhooks, and it was that of another account: until a new one is given, webhooks are
    /// refused and events come by polling alone.
    pub webhook_secret_dropped: bool,
    /// Until when webhooks signed with the secret before this one are taken as well, if there is one.
    pub old_secret_until: Option<Timestamp>,
}

/// Why nothing was connected.
#[derive(Debug, thiserror::Error)]
pub enum CannotConnect {
    /// The key or the address cannot be used.
    #[error(transparent)]
    Unusable(#[from] ConfigError),
    /// Not the secret of a webhook endpoint.
    #[error("this is not a webhook secret: it starts with whsec_")]
    NotAWebhookSecret,
    /// The processor did not answer, or did not take the key.
    #[error("the processor was asked whose key this is, and: {0}")]
    NotAnswered(#[from] CallError),
    /// Payments of another mode exist.
    #[error("this merchant has {} payments, and the key is for {} ones: live and test never mix; create another merchant", there.as_str(), wanted.as_str())]
    OtherMode {
        /// What the payments are.
        there: Mode,
        /// What the key is.
        wanted: Mode,
    },
    /// Payments, refunds or disputes are under way at another account.
    #[error(
        "payments, refunds or disputes are under way at the account {0}; connect this one when they have ended"
    )]
    OtherAccount(String),
    /// Another merchant has it: both would book the same payouts.
    #[error("the account {account} is that of {merchant:?}: every merchant needs an account of its own")]
    TakenAccount {
        /// The processor's name of the account.
        account: String,
        /// The slug of who has it.
        merchant: String,
    },
}

/// Connects, or replaces keys.
pub async fn connect_processor(
    app: &App,
    input: ConnectProcessor,
) -> Result<Result<Connected, CannotConnect>> {
    if input.webhook_secret.as_ref().is_some_and(|secret| !secret.expose().starts_with("whsec_")) {
        return Ok(Err(CannotConnect::NotAWebhookSecret));
    }
    let address = input.address.clone().unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let config = StripeConfig { address: address.clone(), ..StripeConfig::new(input.secret_key.clone()) };
    let stripe = match Stripe::try_new(config) {
        Ok(stripe) => stripe,
        Err(error) => return Ok(Err(error.into())),
    };
    let account = match stripe.account().await {
        Ok(account) => account,
        Err(error) => return Ok(Err(error.into())),
    };
    let mode = match (account.live, address == DEFAULT_ADDRESS) {
        (true, _) => Mode::Live,
        (false, true) => Mode::Test,
        (false, false) => Mode::Practice,
    };
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    let wanted = Wanted { input, address, mode, account };
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &secrets, &wanted).await).await
}

struct Wanted {
    input: ConnectProcessor,
    address: String,
    mode: Mode,
    account: Account,
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    wanted: &Wanted,
) -> Result<Result<Connected, CannotConnect>> {
    let merchant = wanted.input.merchant;
    let there = processor_accounts::find(tx, merchant, STRIPE).await?;
    if let Some(there) = &there
        && let Err(why) = may_replace(tx, mint, there, wanted).await?
    {
        return Ok(Err(why));
    }
    let account = sealed(mint, secrets, wanted, there.as_ref())?;
    if let Some(another) = processor_accounts::another_of_account(tx, &account).await? {
        return Ok(Err(CannotConnect::TakenAccount { account: account.account, merchant: another }));
    }
    processor_accounts::upsert(tx, &account).await?;
    let told =
        |account: &ProcessorAccount| json!({ "mode": account.mode.as_str(), "account": account.account });
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: wanted.input.actor.clone(),
        act: acts::PROCESSOR_CONNECT.to_owned(),
        object: STRIPE.to_owned(),
        before: there.as_ref().map_or_else(|| "null".to_owned(), |there| told(there).to_string()),
        after: told(&account).to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await?;
    Ok(Ok(Connected {
        mode: wanted.mode,
        account: wanted.account.clone(),
        webhooks: account.webhook_secret.is_some(),
        webhook_secret_dropped: account.webhook_secret.is_none()
            && there.is_some_and(|there| there.webhook_secret.is_some()),
        old_secret_until: account.webhook_secret_before.map(|_| mint.now + OLD_SECRET_LIVES),
    }))
}

async fn may_replace(
    tx: &mut Tx,
    mint: &Mint,
    there: &ProcessorAccount,
    wanted: &Wanted,
) -> Result<Result<(), CannotConnect>> {
    let has_payments = !payments::list(tx, there.merchant_id, None, 1).await?.is_empty();
    if has_payments && there.mode != wanted.mode {
        return Ok(Err(CannotConnect::OtherMode { there: there.mode, wanted: wanted.mode }));
    }
    // The practice processor is one account, however it is called.
    let same = there.account == wanted.account.id || there.mode == Mode::Practice;
    if !same && is_under_way(tx, mint, there.merchant_id).await? {
        return Ok(Err(CannotConnect::OtherAccount(there.account.clone())));
    }
    Ok(Ok(()))
}

/// True while anything waits for a word of the account that is connected.
async fn is_under_way(tx: &mut Tx, mint: &Mint, merchant: MerchantId) -> Result<bool> {
    Ok(!payments::in_flight(tx, merchant, mint.now).await?.is_empty()
        || !refunds::in_flight(tx, merchant).await?.is_empty()
        || disputes::any_undecided(tx, merchant).await?)
}

/// The row to store. A new webhook secret moves the one before it back, which stays accepted while secrets are rolled.
fn sealed(
    mint: &Mint,
    secrets: &SecretKey,
    wanted: &Wanted,
    there: Option<&ProcessorAccount>,
) -> Result<ProcessorAccount> {
    let ConnectProcessor { merchant, secret_key, webhook_secret, .. } = &wanted.input;
    let there = there.filter(|there| there.mode == wanted.mode && there.account == wanted.account.id);
    let (mut current, mut before) = there
        .map_or((None, None), |there| (there.webhook_secret.clone(), there.webhook_secret_before.clone()));
    if there.is_some_and(|there| mint.now >= there.connected_at + OLD_SECRET_LIVES) {
        before = None; // it has had its time, and must not be given another
    }
    if let Some(secret) = webhook_secret {
        let place = webhook_place(*merchant);
        let is_same = match &current {
            Some(sealed) => secrets.open(&place, sealed)?.as_slice() == secret.expose().as_bytes(),
            None => false,
        };
        if !is_same {
            before = current.replace(secrets.seal(&place, mint.bytes(), secret.expose().as_bytes()));
        }
    }
    Ok(ProcessorAccount {
        merchant_id: *merchant,
        processor: STRIPE.to_owned(),
        mode: wanted.mode,
        base_url: wanted.address.clone(),
        account: wanted.account.id.clone(),
        secret_key: secrets.seal(&key_place(*merchant), mint.bytes(), secret_key.expose().as_bytes()),
        webhook_secret: current,
        webhook_secret_before: before,
        polled_to: mint.now,
        connected_at: mint.now,
    })
}
