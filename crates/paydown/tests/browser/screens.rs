//! Every screen in every state that can be reached, looked at closely ([`crate::visitor::Visitor::examine`]): at 320, 768
//! and 1280 px, light, dark and in forced colours.

mod debits;
mod doors;
mod help;
mod invoices;
mod letters;
mod money_back;
mod paper;
mod payments;
mod proving;
mod saved;
mod trouble;
