//! What a processor is asked for: values in, a [`StoredCall`] out. Nothing here is sent by itself.

use billing::ids::{AttemptId, ContactId, InvoiceId, MerchantId, PaymentId, RefundId};
use billing::payment::Method;
use jiff::Timestamp;
use ledger::Money;

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

/// A hosted page on which one payment is made by one method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkout {
    /// The attempt it is; how we find it again.
    pub attempt: AttemptId,
    /// Its payment.
    pub payment: PaymentId,
    /// Who is paid.
    pub merchant: MerchantId,
    /// By what the page lets the payer pay: a card or a debit of a bank account. The leave to debit is given on the page.
    pub method: Method,
    /// True if what the payer pays with is kept for later payments. Needs a record of the payer.
    pub save: bool,
    /// What the payer is charged: the amount and the surcharge together.
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
    /// What the statement adds to the merchant's name.
    pub statement_suffix: Option<String>,
    /// Language tag of the page; what the processor does not speak becomes its own choice.
    pub locale: String,
}

/// A hosted page on which a payer leaves a card or a bank account for later payments, and pays nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupPage {
    /// Our own name of it, at most 100 characters; how we find it again.
    pub reference: String,
    /// Who will be paid.
    pub merchant: MerchantId,
    /// Who leaves it.
    pub contact: ContactId,
    /// What may be left: a card or a bank account.
    pub method: Method,
    /// The payer's record at the processor, which keeps it.
    pub customer: String,
    /// What the payer reads on the agreement or the statement, where there is such a line.
    pub description: String,
    /// Where the payer lands afterwards.
    pub success_url: String,
    /// Where the payer lands when giving up.
    pub cancel_url: String,
    /// When the page ends by itself.
    pub expires_at: Timestamp,
    /// Language tag of the page.
    pub locale: String,
}

/// A charge of a saved card or bank account, without a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedCharge {
    /// The attempt it is; how we find it again.
    pub attempt: AttemptId,
    /// Its payment.
    pub payment: PaymentId,
    /// Who is paid.
    pub merchant: MerchantId,
    /// The invoice.
    pub invoice: InvoiceId,
    /// The invoice's number, for whoever looks at the processor's dashboard.
    pub invoice_number: String,
    /// What is charged: the amount and the surcharge together.
    pub charge: Money,
    /// How much of the charge is surcharge, minor units.
    pub surcharge_minor: i64,
    /// What kind of saved method it is.
    pub method: Method,
    /// The payer's record at the processor.
    pub customer: String,
    /// The processor's name of the saved card or account.
    pub payment_method_id: String,
    /// The leave to debit it, of a bank account.
    pub mandate_id: Option<String>,
    /// Where the payer lands after their bank has seen them. There if and only if they wait for the answer; without it
    /// a bank that asks for them is a decline.
    pub return_url: Option<String>,
    /// What the payer reads beside the amount.
    pub description: String,
    /// What a card's statement adds to the merchant's name.
    pub statement_suffix: Option<String>,
}

/// Money of a payment that goes back to where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRefund {
    /// The refund it is; how we find it again.
    pub refund: RefundId,
    /// Whose money it is.
    pub payment: PaymentId,
    /// Who pays it back.
    pub merchant: MerchantId,
    /// The processor's name of the payment.
    pub payment_intent_id: String,
    /// How much, in the currency of the capture.
    pub amount: Money,
    /// Why, if the processor shall know.
    pub reason: Option<RefundReason>,
}

/// Why money goes back, in the words processors share.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RefundReason {
    /// It was paid twice.
    Duplicate,
    /// It was not the payer who paid. The card is blocked for it at the processor.
    Fraudulent,
    /// The payer asked for it.
    Requested,
}
