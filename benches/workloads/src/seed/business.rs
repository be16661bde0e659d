//! A business with so many invoices, written by the product's own actions, many to a transaction: whatever an issued invoice
//! leaves behind is there, and `verify` proves it. Nothing is written past an action but the seals, which have none of their
//! own here.

use crate::inside::Repeatable;
use anyhow::{Context as _, Result, bail, ensure};
use billing::ids::{CustomerId, MerchantId};
use billing::line::Line;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use ledger::Currency;
use paydown::actions::create_customer::{self, NewCustomer};
use paydown::actions::issue_invoice::{self, Issued, NewInvoice};
use paydown::clock::Mint;
use rust_decimal::Decimal;
use std::path::PathBuf;
use std::sync::Arc;
use store::db::{DatabaseUrl, Role, Store, StoreConfig, Tx};
use store::{merchants, seals};

/// How the numbers begin of the invoices that partial payments are spread over.
pub const INVOICE: &str = "INV-";
/// How the numbers begin of the invoices that everybody pays at once.
pub const RUSH: &str = "RUSH-";
/// How many of these there are.
const RUSHES: i64 = 200;
/// The number of the invoice that everybody pays a part of.
pub const HOT: &str = "HOT-1";
/// The one contact of the customer with a tenth of all invoices.
pub const BIG: &str = "big@bench.example";

/// The first invoice is issued here; they are as far apart as it takes to fill `SPAN`.
const START: &str = "2024-01-01T00:00:00Z";
const SPAN: SignedDuration = SignedDuration::from_hours(700 * 24);
const TOTAL_MINOR: i64 = 125_000;
/// Enough for any number of small payments.
const HOT_MINOR: i64 = 100_000_000_000;
/// One invoice of so many is the big customer's.
const BIG_SHARE: i64 = 10;
const INVOICES_PER_CUSTOMER: i64 = 100;
/// Written in one transaction.
const BATCH: i64 = 500;
const SEALED_AT_ONCE: i64 = 5_000;

/// The one contact of the customer of this number, from 0, who has a hundred invoices.
pub fn contact(number: i64) -> String {
    format!("c{number}@bench.example")
}

/// Who is billed.
struct Customers {
    big: CustomerId,
    others: Vec<CustomerId>,
    rush: CustomerId,
}

/// Fills a database that `paydown init` has made.
pub async fn seed(file: &str, invoices: i64) -> Result<()> {
    ensure!(invoices >= 1_000 && invoices % 1_000 == 0, "the number of invoices is a multiple of 1,000");
    let url = DatabaseUrl::Sqlite(PathBuf::from(file));
    let store = Store::open(&StoreConfig::new(url, Role::Command, 0)).await?;
    let all = store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
    let merchant = all.first().context("init has made a merchant")?.id;
    let random = Repeatable::of_seed(1);
    let start: Timestamp = START.parse()?;
    let mint = Mint::new(start, Arc::clone(&random));
    let owners = invoices * (BIG_SHARE - 1) / BIG_SHARE / INVOICES_PER_CUSTOMER;
    let customers = store.write(async move |tx: &mut Tx| people(tx, &mint, merchant, owners).await).await?;
    let step = SPAN.as_micros() / i128::from(invoices);
    let step = SignedDuration::from_micros(i64::try_from(step)?);
    let mut plans = (0..invoices).map(|number| plan(&customers, number)).collect::<Vec<_>>();
    plans.extend((1..=RUSHES).map(|number| (customers.rush, format!("{RUSH}{number}"), TOTAL_MINOR)));
    plans.push((customers.rush, HOT.to_owned(), HOT_MINOR));
    let mut at = start;
    let plans: Arc<[(CustomerId, String, i64)]> = plans.into();
    for first in (0..plans.len()).step_by(usize::try_from(BATCH)?) {
        let (plans, random, begin) = (Arc::clone(&plans), Arc::clone(&random), at);
        let last = plans.len().min(first + usize::try_from(BATCH)?);
        let write = async move |tx: &mut Tx| {
            let mut at = begin;
            for plan in &plans[first..last] {
                at += step;
                issue(tx, &Mint::new(at, Arc::clone(&random)), merchant, plan).await?;
            }
            Ok(at)
        };
        at = store.write(write).await?;
    }
    seal(&store, merchant).await?;
    store.close().await
}

/// Whose the invoice is, what it is called and what it asks for.
fn plan(customers: &Customers, number: i64) -> (CustomerId, String, i64) {
    let others = i64::try_from(customers.others.len()).unwrap_or(1);
    let (round, place) = (number / BIG_SHARE, number % BIG_SHARE);
    let owner = (round * (BIG_SHARE - 1) + place - 1).rem_euclid(others);
    let customer = match place {
        0 => customers.big,
        _ => usize::try_from(owner).map_or(customers.big, |owner| customers.others[owner]),
    };
    (customer, format!("{INVOICE}{}", number + 1), TOTAL_MINOR)
}

async fn people(tx: &mut Tx, mint: &Mint, merchant: MerchantId, owners: i64) -> Result<Customers> {
    let mut others = Vec::new();
    for number in 0..owners {
        let (name, email) = (format!("Customer {number}"), contact(number));
        others.push(customer(tx, mint, merchant, (name, email)).await?);
    }
    let big = customer(tx, mint, merchant, ("Big".to_owned(), BIG.to_owned())).await?;
    let rush = ("Rush".to_owned(), "rush@bench.example".to_owned());
    Ok(Customers { big, others, rush: customer(tx, mint, merchant, rush).await? })
}

async fn customer(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (name, email): (String, String),
) -> Result<CustomerId> {
    let contacts = vec![("Dana".to_owned(), email)];
    let new = NewCustomer { merchant, name, address: "1 Road".to_owned(), contacts };
    create_customer::in_tx(tx, mint, "cli:bench", &new).await
}

async fn issue(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (customer_id, number, total_minor): &(CustomerId, String, i64),
) -> Result<()> {
    let issued_on = mint.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let line = Line {
        description: "Managed workplace, this month".to_owned(),
        quantity: Decimal::ONE,
        unit_amount_minor: *total_minor,
        tax_rate: None,
    };
    let new = NewInvoice {
        merchant,
        customer_id: *customer_id,
        number: number.clone(),
        currency: Currency::USD,
        issued_on,
        due_on: issued_on.checked_add(30.days())?,
        purchase_order: None,
        memo: None,
        lines: vec![line],
    };
    match issue_invoice::in_tx(tx, mint, &new).await? {
        Ok(Issued::New(_)) => Ok(()),
        other => bail!("{number} was not issued: {other:?}"),
    }
}

/// As the server's sealer does, in larger bites.
async fn seal(store: &Store, merchant: MerchantId) -> Result<()> {
    loop {
        let write = async move |tx: &mut Tx| seals::seal_batch(tx, merchant, SEALED_AT_ONCE).await;
        if !store.write(write).await?.is_full(SEALED_AT_ONCE) {
            return Ok(());
        }
    }
}
