//! What a payer can do, and what the books say afterwards.

mod debits;
mod disputes;
mod endings;
mod parts;
mod payers;
mod payouts;
mod policy;
mod proofs;
mod repeats;
mod retries;
mod reversals;
mod saved;
mod setups;
mod surcharge;
mod void;
