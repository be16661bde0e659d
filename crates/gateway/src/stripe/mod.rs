//! Stripe: hosted pages, bank debits, saved methods, refunds, disputes and payouts over its published HTTP interface. The practice processor answers the same calls, so this
//! is the one path that tests, the demo and real money take.
//!
//! Must never search (Stripe's search index lags), follow a redirect, or mix test and live.

mod bank;
mod charges;
mod checkout;
mod client;
mod currency;
mod decline;
mod disputes;
mod events;
mod facts;
mod http;
mod lines;
mod lists;
mod mandates;
mod payouts;
mod refunds;
mod saved;
mod skew;
mod state;
mod webhook;
mod wire;

pub use client::Stripe;
pub use events::{event_kind, read_event};
pub use http::{Carrier, ConfigError, DEFAULT_ADDRESS, StripeConfig};
pub use state::{IntentStatus, Page, payment_state};
pub use webhook::{TOLERANCE_SECONDS, WebhookError, verify};

/// The version of the interface that the wire types were written against; each call names it.
pub const API_VERSION: &str = "2025-12-15.clover";
