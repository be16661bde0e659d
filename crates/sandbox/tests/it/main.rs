//! The practice processor over real HTTP: what a merchant's adapter, a payer's browser and a test see of it.

mod api;
mod bank_debits;
mod bank_page;
mod bench;
mod challenges;
mod difficult;
mod disputes;
mod faults;
mod hosted_page;
mod idempotency;
mod microdeposits;
mod payment_intents;
mod payouts;
mod refunds;
mod restart;
mod saved_methods;
mod sessions;
mod shapes;
mod webhooks;
