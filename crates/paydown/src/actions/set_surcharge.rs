//! What a merchant passes on of the cost of a method, per currency, to everybody or to one customer. It is computed on the amount
//! paid, from now on; payments that have been started keep theirs.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, CustomerId, MerchantId};
use billing::payment::Method;
use billing::surcharge::Surcharge;
use ledger::Currency;
use serde_json::{Value, json};
use store::audit::{self, AuditRow, acts};
use store::customers;
use store::db::Tx;
use store::surcharges::{self, Passed};

/// What is set.
#[derive(Debug, Clone)]
pub struct SetSurcharge {
    /// Whose.
    pub merchant: MerchantId,
    /// To whom it is passed on; without it, to every customer who has none of their own.
    pub customer: Option<CustomerId>,
    /// For payments by this method.
    pub method: Method,
    /// In this currency.
    pub currency: Currency,
    /// How much. `None` takes back what was set for the customer, so that the merchant's holds again; of the merchant itself that
    /// is nothing.
    pub surcharge: Option<Surcharge>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why it was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSet {
    /// The figures make no surcharge.
    #[error("a surcharge is 0 to 100 %, plus an amount, up to an amount, none of them below 0")]
    NotASurcharge,
    /// What is received outside of any processor costs nothing there.
    #[error("a surcharge is passed on for card, us_bank_account and sepa_debit")]
    NotAWay,
    /// There is no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
}

/// Sets a surcharge; answers what payers of whom it is set for pay from now on.
pub async fn set_surcharge(app: &App, input: SetSurcharge) -> Result<Result<Passed, CannotSet>> {
    if let Some(Surcharge { rate_millionths, fixed_minor, cap_minor }) = input.surcharge
        && (!(0..=1_000_000).contains(&rate_millionths)
            || fixed_minor < 0
            || cap_minor.is_some_and(|cap| cap < 0))
    {
        return Ok(Err(CannotSet::NotASurcharge));
    }
    if input.method.is_received() {
        return Ok(Err(CannotSet::NotAWay));
    }
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let SetSurcharge { merchant, customer, method, currency, surcharge, actor } = &input;
            if let Some(customer) = customer
                && customers::find(tx, *merchant, *customer).await?.is_none()
            {
                return Ok(Err(CannotSet::NoSuchCustomer));
            }
            let of = (*method, *currency);
            let before = surcharges::find(tx, *merchant, *customer, of).await?;
            let after = match (customer, surcharge) {
                (Some(customer), None) => {
                    surcharges::remove(tx, *merchant, *customer, of).await?;
                    surcharges::effective(tx, *merchant, *customer, of).await?
                }
                (_, surcharge) => surcharge.unwrap_or(Surcharge::NONE),
            };
            let passed =
                Passed { customer: *customer, method: *method, currency: *currency, surcharge: after };
            if customer.is_none() || surcharge.is_some() {
                surcharges::put(tx, *merchant, &passed).await?;
            }
            let told = |surcharge: Option<Surcharge>| {
                let told = surcharge.map(|surcharge| surcharge_json(&Passed { surcharge, ..passed.clone() }));
                told.unwrap_or(Value::Null).to_string()
            };
            let whose = customer.map(|customer| format!(".{customer}")).unwrap_or_default();
            let row = AuditRow {
                id: mint.id(AuditId::new),
                actor: actor.clone(),
                act: acts::SURCHARGE_SET.to_owned(),
                object: format!("{}.{}{whose}", method.as_str(), currency.code()),
                before: told(before),
                after: told(if customer.is_some() { *surcharge } else { Some(after) }),
                at: mint.now,
            };
            audit::append(tx, *merchant, &row).await?;
            Ok(Ok(passed))
        })
        .await
}

/// A surcharge as JSON, for the audit trail and the command line; amounts in minor units.
pub fn surcharge_json(passed: &Passed) -> Value {
    let Surcharge { rate_millionths, fixed_minor, cap_minor } = passed.surcharge;
    json!({
        "customer": passed.customer.map(|customer| customer.to_string()),
        "method": passed.method.as_str(),
        "currency": passed.currency.code(),
        "rate_millionths": rate_millionths,
        "fixed": fixed_minor,
        "cap": cap_minor,
    })
}
