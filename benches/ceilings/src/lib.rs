//! Ceilings: the least code that takes a payment, durable before the answer, written by hand. `cargo xtask bench` runs them
//! beside Paydown in the same rounds, so that its figures are ratios and not a machine's.
//!
//! They do all of the work and nothing besides: idempotency lookup, payable-now check, payment, allocation, posting with
//! entries, outbox event, balance. No authentication, no validation, no audit trail, no receipts, no states. They must never
//! be made slower to look better beside them, and nothing of the product may use them.

pub mod census;
pub mod copy;
pub mod databases;
pub mod postgres;
pub mod server;
pub mod sqlite;

/// What every seeded invoice asks for, minor units: enough for more small payments than any round makes.
pub const TOTAL_MINOR: i64 = 100_000_000;
/// How many invoices one customer has.
pub const INVOICES_PER_CUSTOMER: i64 = 100;
/// Rows of a list page, as many as the portal shows on one.
pub const ROWS_PER_PAGE: i64 = 25;

/// A payment that somebody asks to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pay {
    /// The caller's key: the same one again is answered with the first payment.
    pub key: Vec<u8>,
    /// The invoice's number, from 1.
    pub invoice: i64,
    /// Minor units.
    pub amount_minor: i64,
    /// The bank's word for it.
    pub reference: String,
    /// YYYY-MM-DD.
    pub received_on: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A payment was made: its number.
    Taken(i64),
    /// It was there: its number.
    Repeated(i64),
    /// The key was used for something else.
    AnotherBody,
    /// More than is open, or no such invoice.
    TooMuch,
}
