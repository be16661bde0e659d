//! Which of a person's saved methods is offered first, chosen by the person. Nothing is charged by it.

use crate::app::App;
use crate::processors::STRIPE;
use anyhow::Result;
use billing::ids::{ContactId, MerchantId, PaymentMethodId};
use store::db::Tx;
use store::{payment_methods, processor_accounts};

/// Chooses it; `false` where it is not there any more, or somebody else's.
pub async fn set_default_method(
    app: &App,
    merchant: MerchantId,
    contact: ContactId,
    id: PaymentMethodId,
) -> Result<bool> {
    let now = app.clock.now();
    app.store
        .write(async move |tx: &mut Tx| {
            let Some(at) = processor_accounts::find(tx, merchant, STRIPE).await? else { return Ok(false) };
            let found = payment_methods::lock_at(tx, &at, id).await?;
            let theirs = found.filter(|saved| saved.contact_id == contact && saved.removed_at.is_none());
            match theirs {
                Some(saved) => payment_methods::set_default(tx, &at, &saved, now).await.map(|()| true),
                None => Ok(false),
            }
        })
        .await
}
