//! Mail: what is written to payers. Sending happens after the commit, from the outbox.

pub mod compose;
pub mod mailbox;
pub mod pages;
pub mod transport;

#[cfg(test)]
pub(crate) mod testing;
