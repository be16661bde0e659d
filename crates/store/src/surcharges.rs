//! What is passed on of a method's cost, per method and currency: for a merchant's payers, and where it was set, for those of one
//! customer instead.

use crate::args;
use crate::columns::{currency, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, MerchantId};
use billing::payment::Method;
use billing::surcharge::Surcharge;
use ledger::Currency;

/// A surcharge that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// For the payers of this customer; none for everybody else's.
    pub customer: Option<CustomerId>,
    /// For payments by this method.
    pub method: Method,
    /// In this currency.
    pub currency: Currency,
    /// How much.
    pub surcharge: Surcharge,
}

const EFFECTIVE: Sql =
    Sql("SELECT scope, subject, method, currency, rate_millionths, fixed, cap FROM surcharges
  WHERE merchant_id = $1 AND method = $2 AND currency = $3 AND (scope = 'merchant' OR subject = $4)
  ORDER BY scope LIMIT 1");
const OF_CUSTOMER: Sql =
    Sql("SELECT scope, subject, method, currency, rate_millionths, fixed, cap FROM surcharges
  WHERE merchant_id = $1 AND (scope = 'merchant' OR subject = $2) ORDER BY method, currency, scope");
const FIND: Sql = Sql("SELECT scope, subject, method, currency, rate_millionths, fixed, cap FROM surcharges
  WHERE merchant_id = $1 AND scope = $2 AND subject = $3 AND method = $4 AND currency = $5");
const ALL: Sql = Sql("SELECT scope, subject, method, currency, rate_millionths, fixed, cap FROM surcharges
  WHERE merchant_id = $1 ORDER BY scope DESC, subject, method, currency LIMIT 10000");
const PUT: Sql =
    Sql("INSERT INTO surcharges (merchant_id, scope, subject, method, currency, rate_millionths, fixed, cap)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (merchant_id, scope, subject, method, currency) DO UPDATE SET rate_millionths = excluded.rate_millionths,
    fixed = excluded.fixed, cap = excluded.cap");
const REMOVE: Sql = Sql("DELETE FROM surcharges
  WHERE merchant_id = $1 AND scope = 'customer' AND subject = $2 AND method = $3 AND currency = $4");

/// The surcharge on payments of a customer by a method in a currency: what was set for the customer, else what was set for the
/// merchant, else nothing.
pub async fn effective(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: CustomerId,
    (method, of): (Method, Currency),
) -> Result<Surcharge> {
    // The scopes in alphabetical order: a customer's comes before the merchant's.
    let args = args![merchant.0, method.as_str(), of.code(), customer.as_bytes()];
    let found = tx.fetch_optional(EFFECTIVE, args, decode).await?;
    Ok(found.map_or(Surcharge::NONE, |passed| passed.surcharge))
}

/// True if anything is passed on to a customer, by any method in any currency.
pub async fn any(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<bool> {
    let all = tx.fetch_all(OF_CUSTOMER, args![merchant.0, customer.as_bytes()], decode).await?;
    let own = |passed: &Passed| {
        all.iter().any(|other| {
            other.customer.is_some()
                && passed.customer.is_none()
                && (other.method, other.currency) == (passed.method, passed.currency)
        })
    };
    Ok(all.iter().any(|passed| passed.surcharge != Surcharge::NONE && !own(passed)))
}

/// What was set for the merchant, or for one customer; `None` where nothing was.
pub async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: Option<CustomerId>,
    (method, of): (Method, Currency),
) -> Result<Option<Surcharge>> {
    let (scope, subject) = scope(customer);
    let args = args![merchant.0, scope, &subject, method.as_str(), of.code()];
    Ok(tx.fetch_optional(FIND, args, decode).await?.map(|passed| passed.surcharge))
}

/// All that was set: the merchant's first, then by customer, method and currency.
pub async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Passed>> {
    tx.fetch_all(ALL, args![merchant.0], decode).await
}

/// Sets a surcharge.
pub async fn put(tx: &mut Tx, merchant: MerchantId, passed: &Passed) -> Result<()> {
    let Surcharge { rate_millionths, fixed_minor, cap_minor } = passed.surcharge;
    let ((scope, subject), method) = (scope(passed.customer), passed.method.as_str());
    let code = passed.currency.code();
    let args = args![merchant.0, scope, &subject, method, code, rate_millionths, fixed_minor, cap_minor];
    tx.execute(PUT, args).await.map(drop)
}

/// From now on the merchant's surcharge is the customer's again; `false` where the customer had none of its own.
pub async fn remove(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: CustomerId,
    (method, of): (Method, Currency),
) -> Result<bool> {
    Ok(tx.execute(REMOVE, args![merchant.0, customer.as_bytes(), method.as_str(), of.code()]).await? == 1)
}

fn scope(customer: Option<CustomerId>) -> (&'static str, [u8; 16]) {
    match customer {
        Some(customer) => ("customer", *customer.as_bytes()),
        None => ("merchant", [0; 16]),
    }
}

fn decode(row: &Row<'_>) -> Result<Passed> {
    let is_customers = row.text(0)? == "customer";
    let subject = CustomerId::from_bytes(row.bytes16(1)?);
    let surcharge =
        Surcharge { rate_millionths: row.i64(4)?, fixed_minor: row.i64(5)?, cap_minor: row.opt_i64(6)? };
    Ok(Passed {
        customer: is_customers.then_some(subject),
        method: word(row, 2, Method::parse)?,
        currency: currency(row, 3)?,
        surcharge,
    })
}
