//! The database: the only crate with SQL, one text for SQLite and PostgreSQL.
//!
//! One file per noun; each holds the statements of that noun and typed functions over a transaction. They store and
//! find, they never decide: what may happen is `billing`'s, the order of steps is an action's. Only [`db`] knows which
//! engine runs.

pub mod allocations;
pub mod anomalies;
pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod backlog;
mod columns;
pub mod contacts;
pub mod credit_applications;
pub mod credit_notes;
pub mod customers;
pub mod cut_offs;
pub mod db;
pub mod disputes;
pub mod events;
pub mod evidence;
pub mod grants;
pub mod idempotency;
pub mod inbox;
pub mod invoices;
pub mod jobs;
pub mod links;
pub mod mails;
pub mod mandates;
pub mod merchant_links;
pub mod merchants;
pub mod migrations;
pub mod numberings;
pub mod offered_methods;
pub mod payment_methods;
pub mod payments;
pub mod payouts;
pub mod policies;
pub mod postings;
pub mod processor_accounts;
pub mod processor_customers;
pub mod rates;
pub mod receipts;
pub mod refund_limits;
pub mod refunds;
pub mod reservations;
pub mod resolution_proposals;
pub mod resolutions;
pub mod retries;
pub mod returned_payments;
pub mod reversals;
pub mod seals;
pub mod sent_debits;
pub mod sessions;
pub mod setups;
pub mod signins;
pub mod surcharges;
#[cfg(feature = "testing")]
#[path = "db/testing.rs"]
pub mod testing;
pub mod unmatched_receipts;
pub mod verifications;
pub mod verify;
pub mod write_offs;
