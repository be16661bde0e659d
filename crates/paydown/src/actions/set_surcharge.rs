//! What a merchant passes on of the cost of cards, per currency. It is computed on the amount paid, from now on; payments
//! that have been started keep theirs.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use billing::surcharge::Surcharge;
use ledger::Currency;
use serde_json::{Value, json};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::surcharges;

/// What is set.
#[derive(Debug, Clone)]
pub struct SetSurcharge {
    /// Whose.
    pub merchant: MerchantId,
    /// For payments in this currency.
    pub currency: Currency,
    /// How much.
    pub surcharge: Surcharge,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// The figures make no surcharge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a surcharge is 0 to 100 %, plus an amount, up to an amount, none of them below 0")]
pub struct NotASurcharge;

/// Sets the surcharge on card payments in a currency.
pub async fn set_surcharge(app: &App, input: SetSurcharge) -> Result<Result<(), NotASurcharge>> {
    let Surcharge { rate_millionths, fixed_minor, cap_minor } = input.surcharge;
    if !(0..=1_000_000).contains(&rate_millionths) || fixed_minor < 0 || cap_minor.is_some_and(|cap| cap < 0)
    {
        return Ok(Err(NotASurcharge));
    }
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let SetSurcharge { merchant, currency, surcharge, actor } = &input;
            let before = surcharges::of_cards(tx, *merchant, *currency).await?;
            surcharges::put(tx, *merchant, *currency, *surcharge).await?;
            let row = AuditRow {
                id: mint.id(AuditId::new),
                actor: actor.clone(),
                act: acts::SURCHARGE_SET.to_owned(),
                object: format!("card.{}", currency.code()),
                before: surcharge_json(*currency, before).to_string(),
                after: surcharge_json(*currency, *surcharge).to_string(),
                at: mint.now,
            };
            audit::append(tx, *merchant, &row).await?;
            Ok(Ok(()))
        })
        .await
}

/// A surcharge as JSON, for the audit trail and the command line; amounts in minor units.
pub fn surcharge_json(currency: Currency, surcharge: Surcharge) -> Value {
    let Surcharge { rate_millionths, fixed_minor, cap_minor } = surcharge;
    json!({
        "currency": currency.code(),
        "rate_millionths": rate_millionths,
        "fixed": fixed_minor,
        "cap": cap_minor,
    })
}
