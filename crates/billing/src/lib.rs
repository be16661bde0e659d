//! The rules of money: what may be paid, what a payment may become, which posting a business event makes.
//!
//! Pure functions of `(state, input, now)`. This crate must never do I/O, read a clock, or fail for an outside reason;
//! it decides, and the actions of the program carry out what it decided.

pub mod allocation;
pub mod amount;
pub mod bank_return;
pub mod chart;
pub mod contact;
pub mod credit_note;
pub mod customer;
pub mod cut_off;
pub mod dispute;
pub mod evidence;
pub mod ids;
pub mod invoice;
pub mod line;
pub mod payment;
pub mod payout;
pub mod policy;
pub mod refund;
pub mod reversal;
pub mod settling;
pub mod surcharge;
pub mod take_back;
pub mod write_off;
