//! Events get their place in the feed when somebody reads it, without waiting for the sealer, which does it too.

use crate::app::App;
use anyhow::Result;
use billing::ids::MerchantId;
use store::db::Tx;
use store::{events, seals};

/// Events numbered in one transaction.
const AT_ONCE: i64 = 500;

/// Numbers what has no number yet, 500 events at most. Another process may do the same at this moment; then this does less.
pub async fn number_events(app: &App, merchant: MerchantId) -> Result<()> {
    let waiting =
        app.store.read(async move |tx: &mut Tx| events::list_unnumbered(tx, merchant, 1).await).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    app.store
        .write(async move |tx: &mut Tx| seals::number_events(tx, merchant, AT_ONCE).await)
        .await
        .map(drop)
}
