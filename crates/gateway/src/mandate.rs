//! The leave to debit a bank account, as the processor keeps it.

use jiff::Timestamp;

/// What a processor says about one mandate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MandateFacts {
    /// The processor's id.
    pub id: String,
    /// Whether a debit may be made on it.
    pub state: MandateState,
    /// The account it is for.
    pub payment_method_id: Option<String>,
    /// True if it is for more than one debit.
    pub is_reusable: bool,
    /// When the payer agreed, on the processor's page.
    pub accepted_at: Option<Timestamp>,
    /// The network address the payer agreed from.
    pub accepted_from: Option<String>,
    /// The browser the payer agreed with.
    pub user_agent: Option<String>,
    /// What the bank knows it by, where the network has such a name.
    pub reference: Option<String>,
    /// Where the payer can read it, where the processor shows it.
    pub url: Option<String>,
    /// True if real money moves.
    pub live: bool,
}

/// Whether a debit may be made on a mandate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum MandateState {
    /// It may.
    Active,
    /// It never may again: revoked, refused, or used up.
    Inactive,
    /// Not yet: the account is not verified.
    Pending,
    /// A word we do not know: it may not.
    Unknown,
}
