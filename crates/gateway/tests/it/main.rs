//! The adapter from outside: what it sends, what it makes of every answer, which webhooks it believes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod checkout;
mod debits;
mod facts;
mod fixtures;
mod lists;
mod money_back;
mod saved;
mod state;
mod support;
mod webhook;
