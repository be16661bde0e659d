//! The requests of W1 and W5, for Paydown and for the ceilings: the same payments of the same size, made from a number, so
//! that any of them can be made again with its key.

use crate::http::{Outgoing, post_json};
use crate::keys::Keys;
use crate::program::Place;
use anyhow::{Context as _, Result};
use billing::ids::InvoiceId;
use serde_json::json;

/// What each of them brings, minor units.
pub const AMOUNT_MINOR: i64 = 100;
const REFERENCE: &str = "WIRE 2025-1231";
const RECEIVED_ON: &str = "2025-12-31";
/// Numbers of payments on the one hot invoice begin here.
const HOT_FROM: u64 = 1 << 40;

/// Makes the payments of one database.
#[derive(Debug)]
pub struct Payments {
    authorization: String,
    invoices: Vec<InvoiceId>,
    hot: InvoiceId,
    fresh: u64,
    hot_fresh: u64,
    repeated: u64,
}

/// An API key of the place, without a limit on how often it may be used.
pub fn api_key(place: &Place) -> Result<String> {
    let made = place.run(&["key", "create", "--name", "bench", "--rate", "0"])?;
    let key = made["key"].as_str().context("key create prints the key")?;
    Ok(format!("Bearer {key}"))
}

/// A payment of several minor units on one invoice.
pub fn payment(authorization: &str, key: &str, invoice: InvoiceId, amount_minor: i64) -> Result<Outgoing> {
    let body = json!({
        "method": "wire",
        "reference": REFERENCE,
        "received_on": RECEIVED_ON,
        "currency": "usd",
        "allocations": [{ "invoice": invoice.to_string(), "amount": amount_minor }],
    });
    post_json("/v1/payments", &[("authorization", authorization), ("idempotency-key", key)], body.to_string())
}

impl Payments {
    /// Payments spread over these invoices, and on the hot one.
    pub const fn new(authorization: String, invoices: Vec<InvoiceId>, hot: InvoiceId) -> Payments {
        Payments { authorization, invoices, hot, fresh: 0, hot_fresh: HOT_FROM, repeated: 0 }
    }

    /// One that was never made, on any of the invoices.
    pub fn fresh(&mut self) -> Result<Outgoing> {
        self.fresh += 1;
        self.of(self.fresh)
    }

    /// One that was never made, on the hot invoice.
    pub fn on_hot(&mut self) -> Result<Outgoing> {
        self.hot_fresh += 1;
        payment(&self.authorization, &Keys::new(self.hot_fresh).key(), self.hot, AMOUNT_MINOR)
    }

    /// One that was made before, whole and with its key.
    pub fn repeated(&mut self) -> Result<Outgoing> {
        self.repeated = self.repeated % self.fresh + 1;
        self.of(self.repeated)
    }

    fn of(&self, number: u64) -> Result<Outgoing> {
        let mut keys = Keys::new(number);
        let key = keys.key();
        let invoice = self.invoices[keys.below(self.invoices.len())];
        payment(&self.authorization, &key, invoice, AMOUNT_MINOR)
    }
}

/// The same for the ceilings, which number their invoices.
#[derive(Debug)]
pub struct CeilingPayments {
    invoices: usize,
    number: u64,
}

impl CeilingPayments {
    /// Payments spread over so many invoices. Each `row` of them has keys of its own.
    pub fn new(invoices: i64, row: u64) -> Result<CeilingPayments> {
        Ok(CeilingPayments { invoices: usize::try_from(invoices)?, number: row << 48 })
    }

    /// The next one, on any of the invoices.
    pub fn fresh(&mut self) -> ceilings::Pay {
        self.number += 1;
        let mut keys = Keys::new(self.number);
        let key = keys.key().into_bytes();
        // An index of a table in memory fits.
        let invoice = i64::try_from(keys.below(self.invoices)).unwrap_or(0) + 1;
        let (reference, received_on) = (REFERENCE.to_owned(), RECEIVED_ON.to_owned());
        ceilings::Pay { key, invoice, amount_minor: AMOUNT_MINOR, reference, received_on }
    }

    /// The next one, on the first invoice.
    pub fn on_hot(&mut self) -> ceilings::Pay {
        ceilings::Pay { invoice: 1, ..self.fresh() }
    }

    /// The next one as a request to the bare server.
    pub fn request(&mut self) -> Result<Outgoing> {
        let pay = self.fresh();
        let body = json!({
            "invoice": pay.invoice,
            "amount": pay.amount_minor,
            "reference": pay.reference,
            "received_on": pay.received_on,
        });
        let key = String::from_utf8(pay.key)?;
        post_json("/payments", &[("idempotency-key", &key)], body.to_string())
    }
}
