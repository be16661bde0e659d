//! Paydown, the program: a self-hosted portal where customers pay invoices, in parts if they like.

pub mod assets;
pub mod format;
pub mod look;
pub mod mail;
pub mod pages;
pub mod secrets;
pub mod texts;
