//! What a payer pays with, as far as a payer may be told. Never a whole number of a card or an account.

use jiff::Timestamp;

/// A card as may be shown. Never its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardFacts {
    /// The scheme, for example `visa`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// 1 to 12.
    pub exp_month: u8,
    /// Four digits.
    pub exp_year: u16,
    /// `credit`, `debit`, `prepaid` or `unknown`.
    pub funding: String,
}

/// A bank account as may be shown. Never its number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BankFacts {
    /// The bank, where the processor names it.
    pub bank_name: Option<String>,
    /// The last four digits of the account.
    pub last4: String,
    /// Country code of the bank, if known.
    pub country: Option<String>,
    /// Whose account it is; decides how long a debit can be taken back as not allowed.
    pub holder: Option<BankHolder>,
    /// What kind of account it is.
    pub account: Option<BankAccountKind>,
    /// The same for the same account, whoever typed it.
    pub fingerprint: Option<String>,
    /// The processor's name of the account.
    pub payment_method_id: Option<String>,
    /// The processor's name of the leave to debit it.
    pub mandate_id: Option<String>,
}

/// Whose account it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum BankHolder {
    /// A business.
    Business,
    /// A person.
    Personal,
}

/// What kind of account it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum BankAccountKind {
    /// For everyday payments.
    Checking,
    /// For savings.
    Savings,
}

/// Small deposits by which a payer proves to see the account. The processor's page takes what they read there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerificationFacts {
    /// How it stands.
    pub state: VerificationState,
    /// What the payer has to read from the statement, while it waits.
    pub kind: Option<VerificationKind>,
    /// Where the payer enters it, while it waits.
    pub url: Option<String>,
    /// When the deposits should be in the account.
    pub arrives_at: Option<Timestamp>,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// Until when the processor waits.
    pub until: Option<Timestamp>,
    /// True if what the payer entered last was wrong. How many tries are left the processor does not tell.
    pub last_try_was_wrong: bool,
}

/// How a verification by small deposits stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum VerificationState {
    /// For the deposits, or for the payer to enter what they read.
    Waiting,
    /// The payer was wrong too often; this account cannot be verified any more.
    TooManyTries,
    /// The payer did not come back in time.
    TimedOut,
    /// The deposits did not arrive: the account is not there or takes none.
    NotDelivered,
}

/// What a payer reads from the statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum VerificationKind {
    /// Two small amounts.
    Amounts,
    /// A code beside one deposit of the least amount.
    Code,
}
