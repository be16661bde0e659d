//! The built program as people run it: processes with ports of the system's choosing, killed, ended, restarted, on both
//! engines. Nothing here reaches into the program; what stops it at an exact step stands outside of it.
//!
//! A test waits for what it needs to see, never for a while. Every process is ended by its own id, also when a test panics.

mod anomalies;
mod commands;
mod ends;
mod kills;
mod mail;
mod operator;
mod payer;
mod place;
mod practice;
mod program;
