//! What a payer can do, and what the books say afterwards.

mod endings;
mod debits;
mod parts;
mod payers;
mod policy;
mod repeats;
mod surcharge;
mod void;
