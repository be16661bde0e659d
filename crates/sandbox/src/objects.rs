//! The processor's objects as the sandbox keeps them. How they look to a caller is the business of `api`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cards::CardSummary;
use crate::store::Document;

macro_rules! document {
    ($type:ty, $kind:literal, $status:expr) => {
        impl Document for $type {
            const KIND: &'static str = $kind;
            fn id(&self) -> &str {
                &self.id
            }
            fn created_at(&self) -> i64 {
                self.created
            }
            fn status(&self) -> &str {
                let status: fn(&$type) -> &str = $status;
                status(self)
            }
        }
    };
}

mod dispute;
mod instrument;
mod mandate;
mod payment_method;
mod payout;
mod refund;
mod setup_intent;
mod stored_file;
mod verification;

pub(crate) use dispute::{Dispute, DisputeStatus};
pub(crate) use instrument::Instrument;
pub(crate) use mandate::{Mandate, MandateStatus, SingleUse};
pub(crate) use payment_method::PaymentMethod;
pub(crate) use payout::{Payout, PayoutStatus};
pub(crate) use refund::{Refund, RefundStatus};
pub(crate) use setup_intent::{SetupIntent, SetupStatus};
pub(crate) use stored_file::StoredFile;
pub(crate) use verification::Verification;

pub(crate) type Metadata = BTreeMap<String, String>;

/// A customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
}

/// Where a hosted page is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

impl SessionStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

/// One thing on a hosted page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LineItem {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) unit_amount_minor: i64,
    pub(crate) quantity: i64,
}

/// What was wrong with a field of the hosted page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FieldProblem {
    /// The field's id on the page.
    pub(crate) field: String,
    pub(crate) message: String,
}

/// What the payer last typed on the hosted page, without any number of a card or account and without a security code.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PageState {
    /// The way of paying that was chosen.
    pub(crate) method: Option<String>,
    /// The test account that was typed, by its token.
    pub(crate) account_token: Option<String>,
    pub(crate) holder_type: Option<String>,
    pub(crate) account_type: Option<String>,
    /// The test card that was typed, by its name in the table.
    pub(crate) card_token: Option<String>,
    pub(crate) expiry: String,
    pub(crate) name: String,
    pub(crate) problems: Vec<FieldProblem>,
}

/// What a session hands on to its payment intent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct IntentData {
    pub(crate) description: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) metadata: Metadata,
    /// `on_session` or `off_session` when the payment method is to be kept.
    #[serde(default)]
    pub(crate) setup_future_usage: Option<String>,
    /// How a bank account in the United States is verified.
    #[serde(default)]
    pub(crate) verification_method: Option<String>,
}

/// A checkout session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) expires_at: i64,
    pub(crate) status: SessionStatus,
    pub(crate) is_paid: bool,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) line_items: Vec<LineItem>,
    pub(crate) customer: Option<String>,
    pub(crate) customer_email: Option<String>,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) intent_data: IntentData,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) adaptive_pricing: bool,
    pub(crate) allow_promotion_codes: Option<bool>,
    pub(crate) automatic_tax: bool,
    pub(crate) billing_address_collection: Option<String>,
    pub(crate) customer_creation: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) submit_type: Option<String>,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    /// Born when the payer first presses Pay.
    pub(crate) payment_intent: Option<String>,
    /// Of a page that keeps a payment method; born with it.
    #[serde(default)]
    pub(crate) setup_intent: Option<String>,
    /// Name the payer gave on the page.
    pub(crate) payer_name: Option<String>,
    /// The one token that the page's next submit must carry.
    pub(crate) form_token: String,
    pub(crate) page: PageState,
}

impl Intent {
    /// The card of the last try.
    pub(crate) fn card(&self) -> Option<&CardSummary> {
        self.instrument.as_ref().and_then(Instrument::card)
    }
}

impl Session {
    /// Where the payer goes after paying, with the placeholder filled in.
    pub(crate) fn success_address(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id)
    }

    /// Whether it keeps a payment method instead of taking money.
    pub(crate) fn is_setup(&self) -> bool {
        self.setup_intent.is_some()
    }

    /// What the page is for: the first line's name, which the merchant wrote.
    pub(crate) fn title(&self) -> &str {
        match self.line_items.first() {
            Some(line) => &line.name,
            None if self.is_setup() => "Add a payment method",
            None => "Payment",
        }
    }
}

/// Where a payment intent is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

impl IntentStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// Why the last try did not work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentError {
    pub(crate) code: String,
    pub(crate) decline_code: Option<String>,
    /// The code of the bank's network, such as `R01`.
    #[serde(default)]
    pub(crate) network_code: Option<String>,
    pub(crate) message: String,
    /// The failed charge; absent when it did not come to one.
    pub(crate) charge: Option<String>,
}

/// A bank waiting to see the payer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Challenge {
    /// The six digits the mock bank prints on its screen.
    pub(crate) code: String,
    /// The one token that the page's next submit must carry.
    pub(crate) form_token: String,
    /// What was wrong with the last answer.
    pub(crate) problem: Option<String>,
}

/// A payment intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount_minor: i64,
    pub(crate) amount_received_minor: i64,
    pub(crate) currency: String,
    pub(crate) status: IntentStatus,
    pub(crate) customer: Option<String>,
    pub(crate) data: IntentData,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) is_automatic_methods: bool,
    /// Id of the payment method of the last try, and its card or account.
    pub(crate) payment_method: Option<String>,
    #[serde(flatten)]
    pub(crate) instrument: Option<Instrument>,
    #[serde(default)]
    pub(crate) mandate: Option<String>,
    #[serde(default)]
    pub(crate) verification: Option<Verification>,
    pub(crate) last_error: Option<PaymentError>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) return_url: Option<String>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) cancellation_reason: Option<String>,
    /// The checkout session it belongs to.
    pub(crate) session: Option<String>,
    pub(crate) client_secret: String,
}

/// A try to take money: captured, or refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) status: ChargeStatus,
    pub(crate) customer: Option<String>,
    pub(crate) payer_email: Option<String>,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: String,
    #[serde(flatten)]
    pub(crate) instrument: Instrument,
    #[serde(default)]
    pub(crate) mandate: Option<String>,
    pub(crate) data: IntentData,
    pub(crate) failure: Option<PaymentError>,
    pub(crate) is_authenticated: bool,
    /// When the bank is to be debited; of bank debits only.
    #[serde(default)]
    pub(crate) debit_at: Option<i64>,
    #[serde(default)]
    pub(crate) is_disputed: bool,
    /// Refunded so far, failed refunds not counted.
    #[serde(default)]
    pub(crate) refunded_minor: i64,
    /// Absent until the fee is known.
    pub(crate) balance_transaction: Option<String>,
}

/// Whether a charge took money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Succeeded,
    /// A bank has been asked and has not answered.
    Pending,
    Failed,
}

/// A line of the processor's own books: what came in, what it kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BalanceTransaction {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) available_on: i64,
    pub(crate) amount_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) net_minor: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    /// The charge, refund, dispute or payout it is of.
    pub(crate) source: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What accountants file it under.
    #[serde(default = "of_charge")]
    pub(crate) reporting_category: String,
    /// The payout it was paid out with.
    #[serde(default)]
    pub(crate) payout: Option<String>,
}

fn of_charge() -> String {
    "charge".to_owned()
}

/// Something that happened, with the object as it was then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) object: serde_json::Value,
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

document!(Customer, "customer", |_| "active");
document!(Session, "checkout.session", |session| session.status.word());
document!(Intent, "payment_intent", |intent| intent.status.word());
document!(Charge, "charge", |charge| match (charge.status, &charge.balance_transaction) {
    (ChargeStatus::Failed, _) => "failed",
    (ChargeStatus::Pending, _) => "pending",
    (ChargeStatus::Succeeded, Some(_)) => "succeeded",
    (ChargeStatus::Succeeded, None) => "fee_unknown",
});
document!(BalanceTransaction, "balance_transaction", |_| "booked");
document!(Event, "event", |event| event.kind.as_str());
