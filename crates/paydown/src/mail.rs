//! Mail: what is written to payers. Sending happens after the commit, from the outbox.

pub mod pages;
