//! Above which amount a second person has to approve a refund, per currency. It binds what is asked for from now on.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use ledger::{Currency, Money};
use serde_json::{Value, json};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::refund_limits;

/// What is set.
#[derive(Debug, Clone)]
pub struct SetRefundLimit {
    /// Whose.
    pub merchant: MerchantId,
    /// For refunds in this currency.
    pub currency: Currency,
    /// The most that one person may refund, minor units, 0 or more; without it nobody else is needed.
    pub amount_minor: Option<i64>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// The amount is below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is 0 or more")]
pub struct NotALimit;

/// Sets the limit in a currency; answers all limits.
pub async fn set_refund_limit(app: &App, input: SetRefundLimit) -> Result<Result<Vec<Money>, NotALimit>> {
    if input.amount_minor.is_some_and(|minor| minor < 0) {
        return Ok(Err(NotALimit));
    }
    let mint = app.mint();
    let limits = app.store.write(async move |tx: &mut Tx| {
        let SetRefundLimit { merchant, currency, amount_minor, actor } = &input;
        let before = refund_limits::find(tx, *merchant, *currency).await?;
        let after = amount_minor.map(|minor| Money::new(minor, *currency));
        match after {
            Some(limit) => refund_limits::put(tx, *merchant, limit).await?,
            None => refund_limits::clear(tx, *merchant, *currency).await?,
        }
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: actor.clone(),
            act: acts::REFUND_LIMIT_SET.to_owned(),
            object: format!("refund_limit.{}", currency.code()),
            before: json!(before.map(Money::minor)).to_string(),
            after: json!(after.map(Money::minor)).to_string(),
            at: mint.now,
        };
        audit::append(tx, *merchant, &row).await?;
        refund_limits::list(tx, *merchant).await
    });
    Ok(Ok(limits.await?))
}

/// A limit as JSON; the amount in minor units.
pub fn limit_json(limit: Money) -> Value {
    json!({ "currency": limit.currency().code(), "amount": limit.minor() })
}
