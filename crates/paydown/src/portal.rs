//! The portal over HTTP: handlers, one file per family of pages. They load, ask an action or a rule, and fill a page;
//! they decide nothing about money and write nothing themselves.

pub mod agreements;
pub mod context;
pub mod credit;
pub mod fail;
pub mod files;
pub mod help;
pub mod identify;
pub mod invoice;
pub mod links;
pub mod list;
pub mod load;
pub mod methods;
pub mod next;
pub mod pay;
pub mod payment;
pub mod refunds;
mod refusals;
pub mod sign_in;
pub mod typed;
pub mod verification;
