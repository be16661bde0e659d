//! The trait every processor is behind. No provider's names, no wire formats.

use crate::{
    BalanceLine, CallError, CannotCharge, Checkout, DisputeFacts, EventList, Evidence, EvidenceUpload,
    MandateFacts, NewCustomer, NewRefund, PageList, PaymentFacts, PayoutFacts, PayoutList, RefundFacts,
    SavedCharge, SavedMethod, SessionFacts, SetupFacts, SetupPage, Span, StoredCall,
};
use async_trait::async_trait;
use billing::amount::MethodLimits;
use billing::ids::AttemptId;
use billing::payment::Method;
use jiff::{SignedDuration, Timestamp};
use ledger::Currency;

/// A payment processor, connected for one merchant in one mode (test or live).
#[async_trait]
pub trait Processor: Send + Sync {
    /// Pure: the route and whole body of a hosted checkout, to be stored before it is sent.
    fn checkout(&self, request: &Checkout) -> Result<StoredCall, CannotCharge>;

    /// Pure: the same for a page on which a payer leaves a card or a bank account and pays nothing.
    fn setup_page(&self, request: &SetupPage) -> Result<StoredCall, CannotCharge>;

    /// Pure: the same for a charge of what the processor keeps. Sending it charges, see [`Processor::send_charge`].
    fn saved_charge(&self, request: &SavedCharge) -> Result<StoredCall, CannotCharge>;

    /// Pure: the same for a refund, see [`Processor::send_refund`].
    fn refund(&self, request: &NewRefund) -> Result<StoredCall, CannotCharge>;

    /// Makes the processor's own record of a person who pays; answers its name there. The same person under the same
    /// key is made once.
    async fn create_customer(&self, customer: &NewCustomer, key: &str) -> Result<String, CallError>;

    /// Sends the stored call of a hosted page under its stored key, and nothing else: a refusal is the answer to this call and to no other.
    /// Sending it again is harmless: the answer is then the first one, so it may be older than what is known by now.
    async fn send(&self, call: &StoredCall, key: &str) -> Result<SessionFacts, CallError>;

    /// Sends the stored call of a charge under its stored key. A decline is an answer: the payment is failed. Whatever
    /// [`CallError::may_have_happened`] says may have charged; only the same call under the same key may follow it.
    async fn send_charge(&self, call: &StoredCall, key: &str) -> Result<PaymentFacts, CallError>;

    /// Sends the stored call of a refund under its stored key. The same holds as for a charge.
    async fn send_refund(&self, call: &StoredCall, key: &str) -> Result<RefundFacts, CallError>;

    /// Asks the processor to call a payment off that is under way, a bank debit for example. Whatever it answers, the
    /// facts are read from it: only its answer counts.
    async fn cancel_payment(&self, payment_intent_id: &str, key: &str) -> Result<PaymentFacts, CallError>;

    /// Asks the processor to end a hosted page. Whatever it answers, the facts are read from it: where it refused
    /// because the page is complete or running, they say so.
    async fn expire_session(&self, session_id: &str, key: &str) -> Result<PaymentFacts, CallError>;

    /// Everything about one hosted page: its payment, charge, card or bank account, fee, and whether a bank debit was
    /// taken back.
    async fn read_session(&self, session_id: &str) -> Result<PaymentFacts, CallError>;

    /// The same, starting from the processor's name of the payment; its hosted page is looked up, since only the page
    /// says whether the payment may still go on.
    async fn read_payment_intent(&self, payment_intent_id: &str) -> Result<PaymentFacts, CallError>;

    /// Looks through the list of hosted pages made between two times for the one of our attempt. `None` is proof that
    /// there is none: it is a list, never a search index, and it is read to its end. The bounds are taken a little
    /// wider than given, since two clocks are never quite equal.
    async fn find_attempt(
        &self,
        attempt: AttemptId,
        created_after: Timestamp,
        created_before: Timestamp,
    ) -> Result<Option<PaymentFacts>, CallError>;

    /// The same among charges without a page.
    async fn find_charge(
        &self,
        attempt: AttemptId,
        created_after: Timestamp,
        created_before: Timestamp,
    ) -> Result<Option<PaymentFacts>, CallError>;

    /// The hosted pages of ours that were made in a span of time, whoever remembers them. Only what their marks tell is
    /// read: where a payment stands is asked page by page.
    async fn list_pages(&self, span: Span) -> Result<PageList, CallError>;

    /// The processor's name of the payment that a charge belongs to; `None` if it belongs to none.
    async fn payment_of_charge(&self, charge_id: &str) -> Result<Option<String>, CallError>;

    /// How leaving a card or an account on a page went.
    async fn read_setup(&self, session_id: &str) -> Result<SetupFacts, CallError>;

    /// Asks the processor to end such a page. Whatever it answers, the facts are read from it.
    async fn expire_setup(&self, session_id: &str, key: &str) -> Result<SetupFacts, CallError>;

    /// All cards and bank accounts that the processor keeps for a payer, the newest first.
    async fn list_saved(&self, customer: &str) -> Result<Vec<SavedMethod>, CallError>;

    /// One of them; `None` for a kind that we do not charge.
    async fn read_saved(&self, payment_method_id: &str) -> Result<Option<SavedMethod>, CallError>;

    /// Makes the processor forget one. It cannot be charged any more; a mandate ends with it. Forgetting it twice is
    /// forgetting it.
    async fn remove_saved(&self, payment_method_id: &str, key: &str) -> Result<(), CallError>;

    /// Which of them the payer wants to be charged unless told otherwise.
    async fn default_saved(&self, customer: &str) -> Result<Option<String>, CallError>;

    /// Changes it.
    async fn set_default_saved(
        &self,
        customer: &str,
        payment_method_id: &str,
        key: &str,
    ) -> Result<(), CallError>;

    /// Whether an account may be debited, and what the payer agreed to.
    async fn read_mandate(&self, mandate_id: &str) -> Result<MandateFacts, CallError>;

    /// One refund.
    async fn read_refund(&self, refund_id: &str) -> Result<RefundFacts, CallError>;

    /// All refunds of a payment, the newest first. It is read to its end: what is not in it was never made.
    async fn list_refunds(&self, payment_intent_id: &str) -> Result<Vec<RefundFacts>, CallError>;

    /// One dispute.
    async fn read_dispute(&self, dispute_id: &str) -> Result<DisputeFacts, CallError>;

    /// All disputes of a payment, the newest first.
    async fn list_disputes(&self, payment_intent_id: &str) -> Result<Vec<DisputeFacts>, CallError>;

    /// Hands a file over for evidence; answers its name there. The same file under the same key is handed over once.
    async fn upload_evidence(&self, file: &EvidenceUpload, key: &str) -> Result<String, CallError>;

    /// Adds to the evidence of a dispute, and sends it to the bank if that is asked.
    async fn submit_evidence(
        &self,
        dispute_id: &str,
        evidence: &Evidence,
        key: &str,
    ) -> Result<DisputeFacts, CallError>;

    /// Lets a dispute be: it is lost. One that has ended meanwhile is answered with how.
    async fn accept_dispute(&self, dispute_id: &str, key: &str) -> Result<DisputeFacts, CallError>;

    /// The payouts that were made in a span of time.
    async fn list_payouts(&self, span: Span) -> Result<PayoutList, CallError>;

    /// One payout.
    async fn read_payout(&self, payout_id: &str) -> Result<PayoutFacts, CallError>;

    /// All that a payout consists of, without its own line, read to its end: the sum of what is left after fees is the
    /// payout. Refused by the processor for one that a person asked for, which has no items.
    async fn payout_items(&self, payout_id: &str) -> Result<Vec<BalanceLine>, CallError>;

    /// One line of the processor's books.
    async fn read_line(&self, line_id: &str) -> Result<BalanceLine, CallError>;

    /// What happened in a span of time, of the kinds that concern payments and of those that move their money
    /// afterwards. An event that cannot be read is left out and logged: one must never keep the others from us.
    async fn list_events(&self, span: Span) -> Result<EventList, CallError>;

    /// Whose account the key opens.
    async fn account(&self) -> Result<Account, CallError>;

    /// True if the key moves real money. A webhook of the other mode is stored and never acted on.
    fn is_live(&self) -> bool;

    /// What a charge by this method can be in this currency. Where the processor does not charge so, the most is 0.
    fn method_limits(&self, method: Method, currency: Currency) -> MethodLimits;

    /// How far our clock was ahead of the processor's at its last answer, negative if it was behind; `None` before the
    /// first one. The processor tells whole seconds, and the way of the answer counts: a second or two mean nothing.
    fn clock_skew(&self) -> Option<SignedDuration>;

    /// The longest life of a hosted page.
    fn session_life(&self) -> SignedDuration;
}

/// Whose account a key opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The processor's id.
    pub id: String,
    /// The business name, if it has one.
    pub name: Option<String>,
    /// Country code, if known.
    pub country: Option<String>,
    /// What the processor pays out in by default, if known.
    pub default_currency: Option<Currency>,
    /// True if it may take payments.
    pub charges_enabled: bool,
    /// True if the key moves real money.
    pub live: bool,
}
