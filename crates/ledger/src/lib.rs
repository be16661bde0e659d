//! Pure double entry: [`Money`] and [`Currency`], [`Account`]s, [`Entry`]s and balanced [`Posting`]s.
//!
//! This crate must never do I/O, read a clock, know an invoice or a payment, or use a float. What an amount *means*
//! is decided in `billing`; here it can only be moved from one account to another without being lost.

mod account;
mod currency;
mod money;
mod posting;

pub use account::{Account, Dimension, Side};
pub use currency::{Currency, UnknownCurrency};
pub use money::{Money, MoneyError};
pub use posting::{Entry, Posting, PostingBuilder, PostingError};
