//! What goes wrong between us and the processor, and that the end is the same.

mod by_hand;
mod captures;
mod clocks;
mod crashes;
mod crowds;
mod fees;
mod hooks;
mod races;
mod restores;
mod timeouts;
mod unbooked;
pub mod webhooks;
mod workers;
