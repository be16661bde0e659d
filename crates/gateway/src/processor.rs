//! The trait every processor is behind, and the facts it answers with. No provider's names, no wire formats.

use crate::{CallError, CannotCharge};
use async_trait::async_trait;
use billing::amount::MethodLimits;
use billing::ids::{AttemptId, ContactId, InvoiceId, MerchantId, PaymentId};
use billing::payment::{Decline, PaymentState};
use jiff::{SignedDuration, Timestamp};
use ledger::{Currency, Money};

/// A payment processor, connected for one merchant in one mode (test or live).
#[async_trait]
pub trait Processor: Send + Sync {
    /// Pure: the route and whole body of a hosted card checkout, to be stored before it is sent.
    fn card_checkout(&self, request: &CardCheckout) -> Result<StoredCall, CannotCharge>;

    /// Makes the processor's own record of a person who pays; answers its name there. The same person under the same
    /// key is made once.
    async fn create_customer(&self, customer: &NewCustomer, key: &str) -> Result<String, CallError>;

    /// Sends a stored call under its stored key, and nothing else: a refusal is the answer to this call and to no other.
    /// Sending it again is harmless: the answer is then the first one, so it may be older than what is known by now.
    async fn send(&self, call: &StoredCall, key: &str) -> Result<SessionFacts, CallError>;

    /// Asks the processor to end a hosted page. Whatever it answers, the facts are read from it: where it refused
    /// because the page is complete or running, they say so.
    async fn expire_session(&self, session_id: &str, key: &str) -> Result<PaymentFacts, CallError>;

    /// Everything about one hosted page: its payment, charge, card and fee.
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

    /// The hosted pages of ours that were made in a span of time, whoever remembers them. Only what their marks tell is
    /// read: where a payment stands is asked page by page.
    async fn list_pages(&self, span: Span) -> Result<PageList, CallError>;

    /// What happened in a span of time, of the kinds that concern payments and of those that move their money
    /// afterwards. An event that cannot be read is left out and logged: one must never keep the others from us.
    async fn list_events(&self, span: Span) -> Result<EventList, CallError>;

    /// Whose account the key opens.
    async fn account(&self) -> Result<Account, CallError>;

    /// True if the key moves real money. A webhook of the other mode is stored and never acted on.
    fn is_live(&self) -> bool;

    /// What a card charge can be in this currency.
    fn card_limits(&self, currency: Currency) -> MethodLimits;

    /// The longest life of a hosted page.
    fn session_life(&self) -> SignedDuration;
}

/// A call as it was decided: stored before it is sent, sent as it was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredCall {
    /// Method and path, for example `POST /v1/checkout/sessions`.
    pub route: String,
    /// The exact bytes sent.
    pub body: String,
}

/// A person who pays, as a processor gets to know them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCustomer {
    /// Who they are here.
    pub contact: ContactId,
    /// Whose customer they are.
    pub merchant: MerchantId,
    /// Their name.
    pub name: String,
    /// Their address; the hosted page shows it to them.
    pub email: String,
}

/// A hosted page on which one payment is made by card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardCheckout {
    /// The attempt it is; how we find it again.
    pub attempt: AttemptId,
    /// Its payment.
    pub payment: PaymentId,
    /// Who is paid.
    pub merchant: MerchantId,
    /// What the card is charged: the amount and the surcharge together.
    pub charge: Money,
    /// What the payer reads beside the amount.
    pub description: String,
    /// The invoice.
    pub invoice: InvoiceId,
    /// The invoice's number, for whoever looks at the processor's dashboard.
    pub invoice_number: String,
    /// How much of the charge is surcharge, minor units.
    pub surcharge_minor: i64,
    /// The payer's record at the processor, with the address in it. Only for a person who signed in: whoever sees the
    /// page sees the address.
    pub customer: Option<String>,
    /// Fills in the payer's address, if known and there is no record.
    pub payer_email: Option<String>,
    /// Where the payer lands after paying.
    pub success_url: String,
    /// Where the payer lands when giving up.
    pub cancel_url: String,
    /// When the page ends by itself.
    pub expires_at: Timestamp,
    /// What the card statement adds to the merchant's name.
    pub statement_suffix: Option<String>,
    /// Language tag of the page; what the processor does not speak becomes its own choice.
    pub locale: String,
}

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
    /// What was captured, in the currency it was captured in. There if and only if the state is succeeded.
    pub captured: Option<Money>,
    /// When it was captured.
    pub captured_at: Option<Timestamp>,
    /// The latest decline, while no later try succeeded.
    pub decline: Option<DeclineFacts>,
    /// True while the bank waits to see the payer.
    pub bank_waits: bool,
    /// The card of the latest charge.
    pub card: Option<CardFacts>,
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
            bank_waits: false,
            card: None,
            fee: None,
            live,
        }
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

/// What happened at the processor. Only a hint of where to look: the object is fetched and its state applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessorEvent {
    /// The processor's id; the same event delivered twice has the same.
    pub id: String,
    /// What kind it is.
    pub kind: EventKind,
    /// When it happened.
    pub created_at: Timestamp,
    /// True if real money moves.
    pub live: bool,
    /// The object it is about, if the event names one.
    pub object_id: Option<String>,
    /// The kind of that object, for example `charge`.
    pub object_kind: Option<String>,
    /// The hosted page, if the object is one.
    pub session_id: Option<String>,
    /// The payment, if the object is one or names one.
    pub payment_intent_id: Option<String>,
    /// Our attempt, if the object carries it.
    pub attempt: Option<AttemptId>,
}

/// The kinds of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// Something about a payment of ours may have changed; the processor's word for it.
    Payment(&'static str),
    /// It moves money of a payment or of the processor's balance in a way that is not booked yet: a refund, a
    /// dispute, a payout. A person has to know, since the books do not.
    NotBooked(String),
    /// Known not to be ours to act on: stored, acknowledged, left alone.
    NotOurs(String),
}

impl EventKind {
    /// The processor's word.
    pub fn as_str(&self) -> &str {
        match self {
            EventKind::Payment(word) => word,
            EventKind::NotBooked(word) | EventKind::NotOurs(word) => word,
        }
    }

    /// True if the object has to be fetched.
    pub fn concerns_payment(&self) -> bool {
        matches!(self, EventKind::Payment(_))
    }
}

/// A span of time, both ends included, in whole seconds of the processor's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// From.
    pub from: Timestamp,
    /// To; `None` is up to the latest.
    pub to: Option<Timestamp>,
}

/// A bounded list of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventList {
    /// Oldest first.
    pub events: Vec<ListedEvent>,
    /// False if older events of the span were left out because there were too many: then the span is not covered, and
    /// has to be asked for in parts. A span of one second is always complete.
    pub complete: bool,
}

/// A bounded list of hosted pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageList {
    /// Those with all our marks; anybody else's on the same account are left out, and so is what cannot be read: one page
    /// must never keep the others from us.
    pub pages: Vec<ListedPage>,
    /// Where the list was too long for one reading: the older part of the span, still to be read.
    pub rest: Option<Span>,
}

/// A hosted page in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedPage {
    /// The page.
    pub page: SessionFacts,
    /// What it was made for.
    pub origin: Origin,
}

/// An event and how the processor wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedEvent {
    /// Where it points.
    pub event: ProcessorEvent,
    /// Its JSON.
    pub raw: String,
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
