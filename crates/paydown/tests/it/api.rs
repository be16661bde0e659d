//! The API over HTTP, as a program calls it. Every answer that any of these tests gets is held against the description that the
//! server gives of itself.

mod by_hand;
pub mod client;
mod contract;
pub mod disputes;
mod errors;
mod invoices;
mod keys;
mod lists;
mod payouts;
mod received;
mod refunds;
mod repeats;
mod saved;
