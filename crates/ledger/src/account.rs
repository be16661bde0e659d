//! Ledger accounts: a bucket with a normal side, told apart by up to two dimensions. What the numbers stand for is
//! `billing`'s chart of accounts, not ours.

/// The two sides of every entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Side {
        match self {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        }
    }

    /// +1 for a debit, −1 for a credit: the sum of `sign × amount` over a posting is 0.
    pub const fn sign(self) -> i64 {
        match self {
            Side::Debit => 1,
            Side::Credit => -1,
        }
    }
}

/// The id of whatever an account is kept per (a customer, an invoice, a payment): 16 opaque bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Dimension(pub [u8; 16]);

/// One bucket: a number of the chart, and for whom and for what it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Account {
    /// Number in the chart of accounts, for example 1100.
    pub number: u16,
    /// The side on which its balance normally stands.
    pub normal: Side,
    /// Whose account it is, where one is kept per customer.
    pub customer: Option<Dimension>,
    /// What it is kept for, where there is one per invoice, grant, payment, receipt, …
    pub subject: Option<Dimension>,
}
