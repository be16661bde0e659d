//! Paydown, the program: a self-hosted portal where customers pay invoices, in parts if they like.

pub mod actions;
pub mod app;
pub mod assets;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod contact;
pub mod csrf;
pub mod demo;
pub mod format;
pub mod headers;
pub mod import;
pub mod look;
pub mod mail;
pub mod metrics;
pub mod pages;
pub mod portal;
pub mod practice;
pub mod processors;
pub mod router;
pub mod secrets;
pub mod server;
pub mod session;
pub mod texts;
pub mod webhooks;
