//! Postings and audit rows are sealed after they were committed, merchant by merchant, and the heads of the chains go
//! into the log once a day: kept outside of the database they prove that it was not written anew.
//!
//! Nothing here runs in a payment's transaction, and what is sought among everything is sought outside of any write.

use crate::app::App;
use anyhow::{Result, bail};
use billing::ids::MerchantId;
use store::db::Tx;
use store::merchants;
use store::seals::{self, Chain};

/// Rows sealed in one transaction.
const SEALED_AT_ONCE: i64 = 500;
/// Stragglers sealed in one transaction; each is looked up by itself.
const STRAGGLERS_AT_ONCE: usize = 100;
/// Rows looked at by one statement that seeks stragglers.
const LOOKED_AT_ONCE: i64 = 20_000;

/// Seals what was posted, per merchant, batch by batch; `stragglers` also looks behind the newest seal and logs the
/// heads. A merchant whose chain cannot be extended does not keep the others from theirs.
pub async fn seal(app: &App, stragglers: bool) -> Result<()> {
    let all = app.store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
    let mut failed = 0;
    for merchant in all.into_iter().map(|merchant| merchant.id) {
        if let Err(error) = seal_merchant(app, merchant, stragglers).await {
            tracing::error!(%merchant, error = format!("{error:#}"), "nothing could be sealed");
            failed += 1;
        }
    }
    if failed > 0 {
        bail!("the books of {failed} merchants could not be sealed");
    }
    Ok(())
}

async fn seal_merchant(app: &App, merchant: MerchantId, stragglers: bool) -> Result<()> {
    while seal_once(app, merchant).await? {}
    if stragglers {
        for chain in Chain::ALL {
            seal_what_came_late(app, merchant, chain).await?;
            log_head(app, merchant, chain).await?;
        }
    }
    Ok(())
}

/// One batch; `true` when there may be more.
async fn seal_once(app: &App, merchant: MerchantId) -> Result<bool> {
    let batch = async move |tx: &mut Tx| seals::seal_batch(tx, merchant, SEALED_AT_ONCE).await;
    Ok(app.store.write(batch).await?.is_full(SEALED_AT_ONCE))
}

async fn seal_what_came_late(app: &App, merchant: MerchantId, chain: Chain) -> Result<()> {
    let mut after = [0; 16];
    loop {
        let look = async move |tx: &mut Tx| {
            seals::find_stragglers(tx, merchant, chain, &after, LOOKED_AT_ONCE).await
        };
        let found = app.store.report(look).await?;
        for ids in found.ids.chunks(STRAGGLERS_AT_ONCE) {
            let ids = ids.to_vec();
            let write = async move |tx: &mut Tx| seals::seal_stragglers(tx, merchant, chain, &ids).await;
            app.store.write(write).await?;
        }
        match found.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

/// `paydown verify --anchor` takes what is logged here.
async fn log_head(app: &App, merchant: MerchantId, chain: Chain) -> Result<()> {
    let head = app.store.read(async move |tx: &mut Tx| seals::head(tx, merchant, chain).await).await?;
    if let Some(head) = head {
        tracing::info!(%head, "the newest seal; keep it to prove later that nothing before it was changed");
    }
    Ok(())
}
