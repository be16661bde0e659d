//! Everything a payer sees, as pure rendering: one struct per page, filled with typed values, that derives its template.
//! No database, no handler, no clock. Words come from the catalogue, amounts from `format`; nothing here decides one.
//!
//! Each page has `chrome` (what surrounds every page) and renders with askama's `Template::render`. Ids are the opaque
//! texts that stand in addresses. Enums here are the page's own: whoever fills them maps the domain's states to them.

pub mod agreement;
pub mod amount;
pub mod challenge;
pub mod chrome;
pub mod credit;
pub mod error;
pub mod help;
pub mod invoice;
pub mod link;
pub mod list;
pub mod mandate;
pub mod methods;
pub mod parts;
pub mod pay;
pub mod payment;
pub mod receipt;
pub mod reference;
pub mod refund;
pub mod samples;
pub mod sign_in;
pub mod verification;
pub mod ways;

pub use chrome::{Chrome, Merchant, Viewer};
pub use samples::samples;

#[cfg(test)]
mod tests;
