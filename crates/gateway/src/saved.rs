//! Cards and bank accounts that a processor keeps for a payer: by what name, and what the payer may be told of them.

use crate::{BankFacts, CardFacts, DeclineFacts, SessionFacts, VerificationFacts};
use billing::ids::{ContactId, MerchantId};
use billing::payment::Method;
use jiff::Timestamp;

/// A card or bank account that the processor keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedMethod {
    /// The processor's id.
    pub id: String,
    /// The record of the payer it belongs to; none once it was removed.
    pub customer: Option<String>,
    /// What kind it is.
    pub method: Method,
    /// The card, if it is one.
    pub card: Option<CardFacts>,
    /// The bank account, if it is one. Its mandate is told by the setup or the payment that made it.
    pub bank: Option<BankFacts>,
    /// Since when the processor knows it.
    pub created_at: Option<Timestamp>,
    /// True if real money moves.
    pub live: bool,
}

/// What a processor says about one page on which a payer leaves a method, at the time it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupFacts {
    /// Our own name of it.
    pub reference: Option<String>,
    /// Our merchant.
    pub merchant: Option<MerchantId>,
    /// Who leaves it.
    pub contact: Option<ContactId>,
    /// Where it stands.
    pub state: SetupState,
    /// The page.
    pub session: SessionFacts,
    /// The processor's name of the setup; none before the payer has submitted the page.
    pub setup_id: Option<String>,
    /// The processor's name of what was left.
    pub payment_method_id: Option<String>,
    /// The leave to debit it, of a bank account.
    pub mandate_id: Option<String>,
    /// The latest decline, while no later try succeeded.
    pub decline: Option<DeclineFacts>,
    /// How far the payer has proved that the bank account is theirs, where that takes small deposits.
    pub verification: Option<VerificationFacts>,
    /// True if real money moves.
    pub live: bool,
}

/// Where leaving a method stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SetupState {
    /// The payer has something to do: the page, a challenge, small deposits.
    RequiresAction,
    /// The processor works on it.
    Processing,
    /// It is kept and can be charged.
    Succeeded,
    /// The bank said no.
    Failed,
    /// The payer gave up, or the page ended.
    Canceled,
    /// Neither is clear.
    Unknown,
}
