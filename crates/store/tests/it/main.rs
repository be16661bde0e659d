//! The tests of the store, in one binary. Whatever can run on both engines does, from one body.
//!
//! No test measures time or sleeps: whoever must wait for another waits for its word.

mod harness;
mod migrate;
mod postgres;
mod seam;
mod sqlite;
mod statements;
