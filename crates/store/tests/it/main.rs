//! The tests of the store, in one binary. Whatever can run on both engines does, from one body.
//!
//! No test measures time or sleeps: whoever must wait for another waits for its word.

mod books;
mod credit;
mod disputes;
mod harness;
mod migrate;
mod nouns;
mod payouts;
mod postgres;
mod refunds;
mod seals;
mod seam;
mod sqlite;
mod statements;
mod tamper;
mod tampers;
mod verify;
mod verify_retries;
mod verify_reversals;
mod verify_saved;
