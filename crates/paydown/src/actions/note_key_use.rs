//! When a key was last used is noted to the minute, apart from what it was used for: a row that every request changes would
//! make them all wait for each other.

use crate::app::App;
use anyhow::Result;
use billing::ids::{ApiKeyId, MerchantId};
use jiff::Timestamp;
use store::api_keys;
use store::db::Tx;

/// Notes that a key was used; an earlier use changes nothing.
pub async fn note_key_use(app: &App, merchant: MerchantId, key: ApiKeyId, at: Timestamp) -> Result<()> {
    app.store.write(async move |tx: &mut Tx| api_keys::note_used(tx, merchant, key, at).await).await
}
