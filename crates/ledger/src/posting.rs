//! A posting: the balanced set of entries of one business event. One that does not balance cannot be made.

use crate::{Account, Currency, Money, Side};

/// One debit or credit. The amount is above 0 and in the currency of its posting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The bucket.
    pub account: Account,
    /// Debit or credit.
    pub side: Side,
    /// Minor units, above 0.
    pub amount_minor: i64,
}

/// At least two entries of one currency whose debits equal their credits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    currency: Currency,
    entries: Vec<Entry>,
}

/// Why entries are no posting. Reaching one of these is a bug of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// An amount in another currency than the posting's.
    #[error("an entry in {found} in a posting in {expected}")]
    CurrencyMismatch {
        /// Currency of the posting.
        expected: Currency,
        /// Currency of the entry.
        found: Currency,
    },
    /// An entry below 0.
    #[error("an entry of {0} minor units")]
    NegativeEntry(i64),
    /// Fewer than two entries.
    #[error("a posting of {0} entries")]
    TooFewEntries(usize),
    /// Debits and credits differ.
    #[error("debits of {debits} against credits of {credits}")]
    Unbalanced {
        /// Sum of the debits, minor units.
        debits: i128,
        /// Sum of the credits, minor units.
        credits: i128,
    },
}

impl Posting {
    /// The currency of every entry.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The entries, in the order they were added.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The same entries with sides exchanged: what undoes this posting.
    pub fn reversed(&self) -> Posting {
        let entries =
            self.entries.iter().map(|entry| Entry { side: entry.side.opposite(), ..*entry }).collect();
        Posting { currency: self.currency, entries }
    }

    /// Debits minus credits on one account number, minor units.
    pub fn net_debit_minor(&self, number: u16) -> i64 {
        let of_number = self.entries.iter().filter(|entry| entry.account.number == number);
        of_number.map(|entry| entry.side.sign() * entry.amount_minor).sum()
    }
}

/// Collects entries and checks them once, in [`PostingBuilder::build`]. Entries of 0 are left out.
#[derive(Debug)]
pub struct PostingBuilder {
    currency: Currency,
    entries: Vec<Entry>,
    error: Option<PostingError>,
}

impl PostingBuilder {
    /// An empty posting in a currency.
    pub fn new(currency: Currency) -> PostingBuilder {
        PostingBuilder { currency, entries: Vec::new(), error: None }
    }

    /// Adds a debit.
    #[must_use]
    pub fn debit(self, account: Account, amount: Money) -> PostingBuilder {
        self.add(account, Side::Debit, amount)
    }

    /// Adds a credit.
    #[must_use]
    pub fn credit(self, account: Account, amount: Money) -> PostingBuilder {
        self.add(account, Side::Credit, amount)
    }

    /// The posting, if it balances.
    pub fn build(self) -> Result<Posting, PostingError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.entries.len() < 2 {
            return Err(PostingError::TooFewEntries(self.entries.len()));
        }
        let total = |side| -> i128 {
            self.entries
                .iter()
                .filter(|entry| entry.side == side)
                .map(|entry| i128::from(entry.amount_minor))
                .sum()
        };
        let (debits, credits) = (total(Side::Debit), total(Side::Credit));
        if debits != credits {
            return Err(PostingError::Unbalanced { debits, credits });
        }
        Ok(Posting { currency: self.currency, entries: self.entries })
    }

    fn add(mut self, account: Account, side: Side, amount: Money) -> PostingBuilder {
        if amount.currency() != self.currency {
            self.error.get_or_insert(PostingError::CurrencyMismatch {
                expected: self.currency,
                found: amount.currency(),
            });
        } else if amount.minor() < 0 {
            self.error.get_or_insert(PostingError::NegativeEntry(amount.minor()));
        } else if !amount.is_zero() {
            self.entries.push(Entry { account, side, amount_minor: amount.minor() });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account(number: u16) -> Account {
        Account { number, normal: Side::Debit, customer: None, subject: None }
    }

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn what_does_not_balance_is_no_posting() {
        let lopsided =
            PostingBuilder::new(Currency::USD).debit(account(1200), usd(2)).credit(account(1100), usd(1));
        assert_eq!(lopsided.build(), Err(PostingError::Unbalanced { debits: 2, credits: 1 }));
        let single =
            PostingBuilder::new(Currency::USD).debit(account(1200), usd(2)).credit(account(1100), usd(0));
        assert_eq!(single.build(), Err(PostingError::TooFewEntries(1)));
        let negative =
            PostingBuilder::new(Currency::USD).debit(account(1200), usd(-2)).credit(account(1100), usd(-2));
        assert_eq!(negative.build(), Err(PostingError::NegativeEntry(-2)));
        let mixed = PostingBuilder::new(Currency::USD)
            .debit(account(1200), usd(1))
            .credit(account(1100), Money::new(1, Currency::EUR));
        assert!(matches!(mixed.build(), Err(PostingError::CurrencyMismatch { .. })));
    }

    proptest! {
        #[test]
        fn a_posting_and_its_reversal_cancel(amounts in proptest::collection::vec(1..1_000_000_i64, 1..6)) {
            let total = amounts.iter().sum();
            let mut builder = PostingBuilder::new(Currency::USD).debit(account(1200), usd(total));
            for (position, amount) in amounts.iter().enumerate() {
                builder = builder.credit(account(2000 + u16::try_from(position).unwrap()), usd(*amount));
            }
            let posting = builder.build().unwrap();
            let reversed = posting.reversed();
            for number in [1200, 2000, 2001, 2002, 2003, 2004, 2005] {
                prop_assert_eq!(posting.net_debit_minor(number) + reversed.net_debit_minor(number), 0);
            }
            prop_assert_eq!(reversed.reversed(), posting);
        }
    }
}
