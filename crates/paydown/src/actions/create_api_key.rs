//! Keys of programs are made, changed and taken back. The secret is answered once; a hash of it is kept.

use crate::api_key::{Scope, Secret, words};
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::Result;
use billing::ids::{ApiKeyId, AuditId, MerchantId};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::api_keys::{self, ApiKey};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::processor_accounts::{self, Mode};
use store::verify::holds_card_number;

/// A key as somebody asks for it.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// What people call it: 1 to 100 characters.
    pub name: String,
    /// What it may do; one at least.
    pub scopes: Vec<Scope>,
    /// So many requests a minute; 0: no limit.
    pub requests_per_minute: u32,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Who makes it, for the audit trail.
    pub actor: String,
}

/// Why no key was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotCreateKey {
    /// No name, too long a one, or one that should not be kept.
    #[error("a key needs a name of 1 to 100 characters, without a card number")]
    Name,
    /// It could do nothing.
    #[error("a key needs a scope at least")]
    NoScope,
    /// It would never have worked.
    #[error("the key would have ended before it was made")]
    Expired,
}

/// Makes a key; its secret is told here and never again.
pub async fn create_api_key(app: &App, new: NewApiKey) -> Result<Result<(ApiKey, Secret), CannotCreateKey>> {
    let mint = app.mint();
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 100 || holds_card_number(name) {
        return Ok(Err(CannotCreateKey::Name));
    }
    if new.scopes.is_empty() {
        return Ok(Err(CannotCreateKey::NoScope));
    }
    if new.expires_at.is_some_and(|at| at <= mint.now) {
        return Ok(Err(CannotCreateKey::Expired));
    }
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &new).await.map(Ok)).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, new: &NewApiKey) -> Result<(ApiKey, Secret)> {
    let account = processor_accounts::find(tx, new.merchant, STRIPE).await?;
    let live = account.is_some_and(|account| account.mode == Mode::Live);
    let secret = Secret::new(new.merchant, live, mint.bytes());
    let key = ApiKey {
        id: mint.id(ApiKeyId::new),
        name: new.name.trim().to_owned(),
        shown: secret.shown(),
        key_hash: secret.hash(),
        scopes: words(&new.scopes),
        requests_per_minute: i64::from(new.requests_per_minute),
        created_at: mint.now,
        expires_at: new.expires_at,
        revoked_at: None,
        used_at: None,
    };
    anyhow::ensure!(api_keys::insert(tx, new.merchant, &key).await?, "two keys have the same secret");
    let said = json!({ "name": key.name, "scopes": key.scopes });
    note(tx, mint, new.merchant, (acts::KEY_CREATE, &new.actor, key.id), (Value::Null, said)).await?;
    Ok((key, secret))
}

/// Takes a key back; from now on it is refused. `None`: there is none; `false`: it was taken back before.
pub async fn revoke_api_key(
    app: &App,
    merchant: MerchantId,
    id: ApiKeyId,
    actor: String,
) -> Result<Option<bool>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if api_keys::find(tx, merchant, id).await?.is_none() {
                return Ok(None);
            }
            let revoked = api_keys::revoke(tx, merchant, id, mint.now).await?;
            if revoked {
                note(tx, &mint, merchant, (acts::KEY_REVOKE, &actor, id), (Value::Null, Value::Null)).await?;
            }
            Ok(Some(revoked))
        })
        .await
}

/// Sets how many requests a minute a key may make; 0: no limit. `None`: there is no such key.
pub async fn set_key_rate(
    app: &App,
    merchant: MerchantId,
    (id, requests_per_minute): (ApiKeyId, u32),
    actor: String,
) -> Result<Option<ApiKey>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let Some(key) = api_keys::find(tx, merchant, id).await? else { return Ok(None) };
            let rate = i64::from(requests_per_minute);
            api_keys::set_rate(tx, merchant, id, rate).await?;
            let said = (json!({ "rate": key.requests_per_minute }), json!({ "rate": rate }));
            note(tx, &mint, merchant, (acts::KEY_CHANGE, &actor, id), said).await?;
            Ok(Some(ApiKey { requests_per_minute: rate, ..key }))
        })
        .await
}

async fn note(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (act, actor, key): (&str, &str, ApiKeyId),
    (before, after): (Value, Value),
) -> Result<()> {
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.to_owned(),
        act: act.to_owned(),
        object: key.to_string(),
        before: before.to_string(),
        after: after.to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await
}
