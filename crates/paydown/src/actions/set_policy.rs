//! May parts be paid, from which amount, and must a payer by link say who they are: set for the merchant, a customer or one
//! invoice. It binds money that is asked for from now on, never money already received.

use crate::app::App;
use crate::clock::Mint;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use billing::policy::{Identify, Minimum, Partial, PolicyLayer};
use ledger::Currency;
use serde_json::{Value, json};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::policies::{self, Scope};
use store::{customers, invoices};

/// What is set. What is `None` stays as it is.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// Whose.
    pub merchant: MerchantId,
    /// For whom.
    pub scope: Scope,
    /// May a part be paid?
    pub partial: Option<Partial>,
    /// The least part.
    pub minimum: Option<Minimum>,
    /// Must a payer by link say who they are?
    pub identify: Option<Identify>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why nothing was set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotSetPolicy {
    /// No such customer or invoice.
    #[error("there is no such {0}")]
    NoSuch(&'static str),
    /// An amount below 0, or a percentage that is none.
    #[error("a minimum is an amount above 0 or a percentage up to 100 %")]
    Minimum,
    /// It would never bind.
    #[error("the invoice is in {invoice}, so a minimum in {minimum} would not bind it")]
    OtherCurrency {
        /// Of the invoice.
        invoice: Currency,
        /// Of the minimum.
        minimum: Currency,
    },
}

/// Sets a layer of the policy; answers what the layer says now.
pub async fn set_policy(app: &App, input: SetPolicy) -> Result<Result<PolicyLayer, CannotSetPolicy>> {
    let fine = match input.minimum {
        Some(Minimum::Amount(money)) => money.is_positive(),
        Some(Minimum::Percent(hundredths)) => (1..=10_000).contains(&hundredths),
        Some(Minimum::None) | None => true,
    };
    if !fine {
        return Ok(Err(CannotSetPolicy::Minimum));
    }
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &input).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &SetPolicy) -> Result<Result<PolicyLayer, CannotSetPolicy>> {
    let SetPolicy { merchant, scope, partial, minimum, identify, actor } = input;
    let object = match scope {
        Scope::Merchant => merchant.to_string(),
        Scope::Customer(id) if customers::find(tx, *merchant, *id).await?.is_some() => id.to_string(),
        Scope::Customer(_) => return Ok(Err(CannotSetPolicy::NoSuch("customer"))),
        Scope::Invoice(id) => {
            let Some(invoice) = invoices::find(tx, *merchant, *id).await? else {
                return Ok(Err(CannotSetPolicy::NoSuch("invoice")));
            };
            let invoice = invoice.figures.currency;
            if let Some(Minimum::Amount(money)) = minimum
                && money.currency() != invoice
            {
                return Ok(Err(CannotSetPolicy::OtherCurrency { invoice, minimum: money.currency() }));
            }
            id.to_string()
        }
    };
    let before = policies::find(tx, *merchant, *scope).await?;
    let there = before.unwrap_or_default();
    let layer = PolicyLayer {
        partial: partial.or(there.partial),
        minimum: minimum.or(there.minimum),
        identify: identify.or(there.identify),
        ..there
    };
    policies::put(tx, *merchant, *scope, &layer, mint.now).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.clone(),
        act: acts::POLICY_SET.to_owned(),
        object,
        before: before.map_or(Value::Null, |layer| layer_json(&layer)).to_string(),
        after: layer_json(&layer).to_string(),
        at: mint.now,
    };
    audit::append(tx, *merchant, &row).await?;
    Ok(Ok(layer))
}

/// A layer as JSON, for the audit trail and the command line: what is null is left to the layer above.
pub fn layer_json(layer: &PolicyLayer) -> Value {
    let partial = layer.partial.map(|partial| match partial {
        Partial::Never => "never",
        Partial::Always => "always",
    });
    let minimum = match layer.minimum {
        None => Value::Null,
        Some(Minimum::None) => json!("none"),
        Some(Minimum::Amount(money)) => {
            json!({ "amount": money.minor(), "currency": money.currency().code() })
        }
        Some(Minimum::Percent(hundredths)) => json!({ "percent_hundredths": hundredths }),
    };
    let identify = match layer.identify {
        None => Value::Null,
        Some(Identify::Never) => json!("never"),
        Some(Identify::Always) => json!("always"),
        Some(Identify::Above(money)) => {
            json!({ "above": money.minor(), "currency": money.currency().code() })
        }
    };
    json!({ "partial": partial, "minimum": minimum, "floor": layer.floor_minor, "identify": identify })
}
