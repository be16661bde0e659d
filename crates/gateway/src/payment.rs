//! What a processor says about one payment. Facts only: what they do to an invoice is decided elsewhere.

use crate::{BankFacts, CardFacts, ReturnFacts, VerificationFacts};
use billing::ids::{AttemptId, InvoiceId, MerchantId, PaymentId};
use billing::payment::{Decline, Method, PaymentState};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;

/// What a processor says about one payment, at the time it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentFacts {
    /// Our attempt, as the processor keeps it for us.
    pub attempt: Option<AttemptId>,
    /// Our merchant, as the processor keeps it for us.
    pub merchant: Option<MerchantId>,
    /// The payment the page was made for, where the page was read and carries all our marks.
    pub origin: Option<Origin>,
    /// What these facts make of the payment.
    pub state: PaymentState,
    /// The hosted page, where it was read.
    pub session: Option<SessionFacts>,
    /// The processor's name of the payment; none before the payer has submitted the page.
    pub payment_intent_id: Option<String>,
    /// The charge that succeeded, else the latest that was tried.
    pub charge_id: Option<String>,
    /// What was captured, in the currency it was captured in. There if and only if the state is succeeded or returned.
    pub captured: Option<Money>,
    /// When it was captured; of a bank debit not always known.
    pub captured_at: Option<Timestamp>,
    /// The latest decline, or the bank's refusal of a debit, while no later try succeeded.
    pub decline: Option<DeclineFacts>,
    /// What the bank said when it did not honour a debit, in the words of the network.
    pub debit_failure: Option<DebitFailure>,
    /// True while the bank waits to see the payer.
    pub bank_waits: bool,
    /// Where the payer goes to be seen by the bank; only while it waits, and never of a hosted page, which does it itself.
    pub challenge_url: Option<String>,
    /// The card of the latest charge.
    pub card: Option<CardFacts>,
    /// The bank account that is debited.
    pub bank: Option<BankFacts>,
    /// How far the payer has proved that the bank account is theirs, where that takes small deposits.
    pub verification: Option<VerificationFacts>,
    /// The day on which a bank account is expected to be debited, where the processor says.
    pub expected_on: Option<Date>,
    /// That the bank took the money of a debit back after success. There if and only if the state is returned.
    pub returned: Option<ReturnFacts>,
    /// What the processor keeps; known some time after the success.
    pub fee: Option<FeeFacts>,
    /// True if real money moves.
    pub live: bool,
}

impl PaymentFacts {
    /// That a payment is in this state, and nothing else: no page, no charge, no money.
    pub const fn of_state(state: PaymentState, live: bool) -> PaymentFacts {
        PaymentFacts {
            attempt: None,
            merchant: None,
            origin: None,
            state,
            session: None,
            payment_intent_id: None,
            charge_id: None,
            captured: None,
            captured_at: None,
            decline: None,
            debit_failure: None,
            bank_waits: false,
            challenge_url: None,
            card: None,
            bank: None,
            verification: None,
            expected_on: None,
            returned: None,
            fee: None,
            live,
        }
    }

    /// The same facts as they were before the bank took the money back; `None` where it did not. For whoever learns of
    /// the return first and has the success still to book.
    pub fn before_return(&self) -> Option<PaymentFacts> {
        self.returned.as_ref()?;
        Some(PaymentFacts { state: PaymentState::Succeeded, returned: None, ..self.clone() })
    }
}

/// The payment of ours that a hosted page was made for, as the marks on the page tell. From it a payment can be taken
/// over that the database has lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its payment.
    pub payment: PaymentId,
    /// Who is paid.
    pub merchant: MerchantId,
    /// Which invoice is paid.
    pub invoice: InvoiceId,
    /// What was asked for the invoice, without the surcharge.
    pub amount: Money,
    /// The surcharge, in the same currency.
    pub surcharge: Money,
    /// By what the page lets the payer pay.
    pub method: Method,
    /// The address the payer gave, if any.
    pub payer_email: Option<String>,
    /// When the page was made, by the processor's clock.
    pub made_at: Timestamp,
}

/// A hosted page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionFacts {
    /// The processor's id.
    pub id: String,
    /// Its address; only while it is open.
    pub url: Option<String>,
    /// True while the payer can still pay there.
    pub open: bool,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// One decline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclineFacts {
    /// The kind a payer is told.
    pub reason: Decline,
    /// When, if a charge reached the bank.
    pub declined_at: Option<Timestamp>,
    /// The processor's own code, for staff and logs.
    pub code: Option<String>,
}

/// Why a bank did not honour a debit. Which kind that is to a payer is decided elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DebitFailure {
    /// The network's return code, for example `R01` or `AC04`, where the processor passes it on.
    pub return_code: Option<String>,
    /// The processor's own name, for example `insufficient_funds`.
    pub code: Option<String>,
}

/// What the processor keeps of one charge, in the currency of its own books, which may differ from the charge's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeeFacts {
    /// The line of the processor's books.
    pub balance_transaction_id: String,
    /// What it keeps.
    pub fee: Money,
    /// What is left for the merchant.
    pub net: Money,
}
