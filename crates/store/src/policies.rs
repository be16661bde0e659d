//! Layers of the partial-payment policy: merchant, customer, invoice.

use crate::args;
use crate::db::{Row, Sql, Tx};
use anyhow::{Result, bail};
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use billing::policy::{Identify, Minimum, Partial, PolicyLayer};
use jiff::Timestamp;
use ledger::{Currency, Money};

/// Whom a layer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every invoice of the merchant.
    Merchant,
    /// Every invoice of a customer.
    Customer(CustomerId),
    /// One invoice.
    Invoice(InvoiceId),
}

impl Scope {
    fn parts(&self) -> (&'static str, [u8; 16]) {
        match self {
            Scope::Merchant => ("merchant", [0; 16]),
            Scope::Customer(id) => ("customer", *id.as_bytes()),
            Scope::Invoice(id) => ("invoice", *id.as_bytes()),
        }
    }
}

const LAYERS: Sql = Sql("SELECT scope, partial, minimum_kind, minimum, minimum_currency, floor,
    identify, identify_above, identify_currency FROM policies
  WHERE merchant_id = $1 AND (scope = 'merchant' OR (scope = 'customer' AND subject = $2)
    OR (scope = 'invoice' AND subject = $3))
  ORDER BY CASE scope WHEN 'merchant' THEN 1 WHEN 'customer' THEN 2 ELSE 3 END");
const ONE: Sql = Sql("SELECT scope, partial, minimum_kind, minimum, minimum_currency, floor,
    identify, identify_above, identify_currency FROM policies
  WHERE merchant_id = $1 AND scope = $2 AND subject = $3");
const PUT: Sql = Sql("INSERT INTO policies (merchant_id, scope, subject, partial, minimum_kind, minimum,
    minimum_currency, floor, identify, identify_above, identify_currency, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (merchant_id, scope, subject) DO UPDATE SET partial = excluded.partial,
    minimum_kind = excluded.minimum_kind, minimum = excluded.minimum, minimum_currency = excluded.minimum_currency,
    floor = excluded.floor, identify = excluded.identify, identify_above = excluded.identify_above,
    identify_currency = excluded.identify_currency, updated_at = excluded.updated_at");

/// The layers that hold for an invoice of a customer, most general first.
pub async fn layers(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: CustomerId,
    invoice: InvoiceId,
) -> Result<Vec<PolicyLayer>> {
    tx.fetch_all(LAYERS, args![merchant.0, customer.as_bytes(), invoice.as_bytes()], decode).await
}

/// One layer, if it was ever set.
pub async fn find(tx: &mut Tx, merchant: MerchantId, scope: Scope) -> Result<Option<PolicyLayer>> {
    let (word, subject) = scope.parts();
    tx.fetch_optional(ONE, args![merchant.0, word, &subject], decode).await
}

/// Sets a layer.
pub async fn put(
    tx: &mut Tx,
    merchant: MerchantId,
    scope: Scope,
    layer: &PolicyLayer,
    now: Timestamp,
) -> Result<()> {
    let (word, subject) = scope.parts();
    let partial = layer.partial.map(|partial| match partial {
        Partial::Never => "never",
        Partial::Always => "always",
    });
    let (kind, minimum, code) = match layer.minimum {
        None => (None, None, None),
        Some(Minimum::None) => (Some("none"), None, None),
        Some(Minimum::Amount(money)) => (Some("amount"), Some(money.minor()), Some(money.currency().code())),
        Some(Minimum::Percent(hundredths)) => (Some("percent"), Some(hundredths), None),
    };
    let (identify, above, identify_code) = match layer.identify {
        None => (None, None, None),
        Some(Identify::Never) => (Some("never"), None, None),
        Some(Identify::Always) => (Some("always"), None, None),
        Some(Identify::Above(money)) => (Some("above"), Some(money.minor()), Some(money.currency().code())),
    };
    let args = args![
        merchant.0,
        word,
        &subject,
        partial,
        kind,
        minimum,
        code,
        layer.floor_minor,
        identify,
        above,
        identify_code,
        now.as_microsecond(),
    ];
    tx.execute(PUT, args).await?;
    Ok(())
}

fn decode(row: &Row<'_>) -> Result<PolicyLayer> {
    let partial = match row.opt_text(1)?.as_deref() {
        None => None,
        Some("never") => Some(Partial::Never),
        Some("always") => Some(Partial::Always),
        Some(other) => bail!("the policy word {other:?} is unknown"),
    };
    let minimum = match (row.opt_text(2)?.as_deref(), row.opt_i64(3)?, row.opt_text(4)?) {
        (None, ..) => None,
        (Some("none"), ..) => Some(Minimum::None),
        (Some("amount"), Some(minor), Some(code)) => {
            Some(Minimum::Amount(Money::new(minor, Currency::try_new(&code)?)))
        }
        (Some("percent"), Some(hundredths), _) => Some(Minimum::Percent(hundredths)),
        other => bail!("the policy minimum {other:?} is incomplete"),
    };
    let identify = match (row.opt_text(6)?.as_deref(), row.opt_i64(7)?, row.opt_text(8)?) {
        (None, ..) => None,
        (Some("never"), ..) => Some(Identify::Never),
        (Some("always"), ..) => Some(Identify::Always),
        (Some("above"), Some(minor), Some(code)) => {
            Some(Identify::Above(Money::new(minor, Currency::try_new(&code)?)))
        }
        other => bail!("the policy on identity {other:?} is incomplete"),
    };
    Ok(PolicyLayer { partial, minimum, floor_minor: row.opt_i64(5)?, identify })
}
