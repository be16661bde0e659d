//! The practice processor over real HTTP: what a merchant's adapter, a payer's browser and a test see of it.

mod api;
mod bench;
mod challenges;
mod faults;
mod hosted_page;
mod idempotency;
mod payment_intents;
mod restart;
mod sessions;
mod shapes;
mod webhooks;
