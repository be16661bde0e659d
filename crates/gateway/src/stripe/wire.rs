//! Stripe's objects, with the fields we use and nothing else. What Stripe documents as null may be null or absent;
//! what we do not know is passed over.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The key of our attempt in every `metadata`.
pub(super) const ATTEMPT: &str = "paydown_attempt";
/// The key of our payment.
pub(super) const PAYMENT: &str = "paydown_payment";
/// The key of our merchant.
pub(super) const MERCHANT: &str = "paydown_merchant";
/// The key of our contact.
pub(super) const CONTACT: &str = "paydown_contact";
/// The key of our own name of a setup.
pub(super) const SETUP: &str = "paydown_setup";
/// The key of our refund.
pub(super) const REFUND: &str = "paydown_refund";
/// The key of the invoice's number.
pub(super) const INVOICE: &str = "paydown_invoice";
/// The key of the invoice itself.
pub(super) const INVOICE_ID: &str = "paydown_invoice_id";
/// The key of the surcharge within the charge, in our minor units.
pub(super) const SURCHARGE: &str = "paydown_surcharge";

/// What asks for everything about a payment in one answer.
pub(super) const EXPAND_SESSION: &str = "payment_intent.latest_charge.balance_transaction";
/// The same, in a list.
pub(super) const EXPAND_SESSIONS: &str = "data.payment_intent.latest_charge.balance_transaction";
/// Of a refund or a dispute its line in the books.
pub(super) const EXPAND_LINE: &str = "balance_transaction";
/// The same, in a list.
pub(super) const EXPAND_LINES: &str = "data.balance_transaction";
/// Everything about a payment, starting at it.
pub(super) const EXPAND_INTENT: &str = "latest_charge.balance_transaction";

/// An object, or only its id where it was not expanded.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

/// Of any object its id, where nothing else of it is used.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

impl Expandable<Named> {
    pub(super) fn id(&self) -> &str {
        match self {
            Expandable::Id(id) => id,
            Expandable::Object(object) => &object.id,
        }
    }
}

impl<T> Expandable<T> {
    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Expandable::Object(object) => Some(object),
            Expandable::Id(_) => None,
        }
    }
}

pub(super) type Metadata = BTreeMap<String, String>;

#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) expires_at: i64,
    #[serde(default)]
    pub(super) created: Option<i64>,
    #[serde(default)]
    pub(super) amount_total: Option<i64>,
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) payment_method_types: Option<Vec<String>>,
    #[serde(default)]
    pub(super) customer_details: Option<CustomerDetails>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) client_reference_id: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    #[serde(default)]
    pub(super) setup_intent: Option<Expandable<SetupIntent>>,
}

#[derive(Deserialize)]
pub(super) struct SetupIntent {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    #[serde(default)]
    pub(super) created: Option<i64>,
    #[serde(default)]
    pub(super) payment_method: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) mandate: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) next_action: Option<NextAction>,
    #[serde(default)]
    pub(super) last_setup_error: Option<PaymentError>,
}

#[derive(Deserialize)]
pub(super) struct CustomerDetails {
    #[serde(default)]
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) created: Option<i64>,
    #[serde(default)]
    pub(super) amount_received: Option<i64>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    #[serde(default)]
    pub(super) payment_method: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) next_action: Option<NextAction>,
    #[serde(default)]
    pub(super) last_payment_error: Option<PaymentError>,
    #[serde(default)]
    pub(super) latest_charge: Option<Expandable<Charge>>,
}

#[derive(Deserialize)]
pub(super) struct PaymentError {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    #[serde(default)]
    pub(super) network_decline_code: Option<String>,
    #[serde(default)]
    pub(super) charge: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NextAction {
    #[serde(default)]
    pub(super) redirect_to_url: Option<RedirectToUrl>,
    #[serde(default)]
    pub(super) verify_with_microdeposits: Option<VerifyWithMicrodeposits>,
}

#[derive(Deserialize)]
pub(super) struct RedirectToUrl {
    #[serde(default)]
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct VerifyWithMicrodeposits {
    #[serde(default)]
    pub(super) arrival_date: Option<i64>,
    #[serde(default)]
    pub(super) hosted_verification_url: Option<String>,
    #[serde(default)]
    pub(super) microdeposit_type: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) livemode: bool,
    #[serde(default)]
    pub(super) invoice_settings: Option<InvoiceSettings>,
}

#[derive(Deserialize)]
pub(super) struct InvoiceSettings {
    #[serde(default)]
    pub(super) default_payment_method: Option<Expandable<Named>>,
}

#[derive(Deserialize)]
pub(super) struct Mandate {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) payment_method: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) customer_acceptance: Option<Acceptance>,
    #[serde(default)]
    pub(super) payment_method_details: Option<MandateDetails>,
}

#[derive(Deserialize)]
pub(super) struct Acceptance {
    #[serde(default)]
    pub(super) accepted_at: Option<i64>,
    #[serde(default)]
    pub(super) online: Option<Online>,
}

#[derive(Deserialize)]
pub(super) struct Online {
    #[serde(default)]
    pub(super) ip_address: Option<String>,
    #[serde(default)]
    pub(super) user_agent: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct MandateDetails {
    #[serde(default)]
    pub(super) sepa_debit: Option<SepaMandate>,
}

#[derive(Deserialize)]
pub(super) struct SepaMandate {
    #[serde(default)]
    pub(super) reference: Option<String>,
    #[serde(default)]
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    #[serde(default)]
    pub(super) charge: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) balance_transaction: Option<Expandable<BalanceTransaction>>,
    #[serde(default)]
    pub(super) failure_balance_transaction: Option<Expandable<BalanceTransaction>>,
    #[serde(default)]
    pub(super) destination_details: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct Payout {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) created: i64,
    pub(super) arrival_date: i64,
    #[serde(default)]
    pub(super) automatic: bool,
    #[serde(default)]
    pub(super) balance_transaction: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) failure_balance_transaction: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) failure_code: Option<String>,
    #[serde(default)]
    pub(super) failure_message: Option<String>,
    #[serde(default)]
    pub(super) statement_descriptor: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ChargeOwner {
    pub(super) livemode: bool,
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<Named>>,
}

#[derive(Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) payment_method: Option<String>,
    #[serde(default)]
    pub(super) payment_method_details: Option<PaymentMethodDetails>,
    #[serde(default)]
    pub(super) balance_transaction: Option<Expandable<BalanceTransaction>>,
    #[serde(default)]
    pub(super) disputed: Option<bool>,
    #[serde(default)]
    pub(super) failure_code: Option<String>,
    #[serde(default)]
    pub(super) outcome: Option<Outcome>,
}

#[derive(Deserialize)]
pub(super) struct Outcome {
    #[serde(default)]
    pub(super) network_decline_code: Option<String>,
}

/// Of a charge, a saved method or a dispute: the part that is named like its kind.
#[derive(Deserialize)]
pub(super) struct PaymentMethodDetails {
    #[serde(default)]
    pub(super) card: Option<Card>,
    #[serde(default)]
    pub(super) us_bank_account: Option<Bank>,
    #[serde(default)]
    pub(super) sepa_debit: Option<Bank>,
}

impl PaymentMethodDetails {
    pub(super) fn bank(&self) -> Option<&Bank> {
        self.us_bank_account.as_ref().or(self.sepa_debit.as_ref())
    }
}

/// A bank account, American or European.
#[derive(Deserialize)]
pub(super) struct Bank {
    #[serde(default)]
    pub(super) bank_name: Option<String>,
    #[serde(default)]
    pub(super) last4: Option<String>,
    #[serde(default)]
    pub(super) country: Option<String>,
    #[serde(default)]
    pub(super) account_holder_type: Option<String>,
    #[serde(default)]
    pub(super) account_type: Option<String>,
    #[serde(default)]
    pub(super) fingerprint: Option<String>,
    #[serde(default)]
    pub(super) mandate: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) expected_debit_date: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct PaymentMethod {
    pub(super) id: String,
    pub(super) livemode: bool,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) created: Option<i64>,
    #[serde(default)]
    pub(super) customer: Option<Expandable<Named>>,
    #[serde(flatten)]
    pub(super) details: PaymentMethodDetails,
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) created: i64,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) charge: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<Named>>,
    #[serde(default)]
    pub(super) evidence_details: Option<EvidenceDetails>,
    #[serde(default)]
    pub(super) network_reason_code: Option<String>,
    #[serde(default)]
    pub(super) balance_transactions: Option<Vec<BalanceTransaction>>,
    #[serde(default)]
    pub(super) payment_method_details: Option<DisputeDetails>,
}

#[derive(Deserialize)]
pub(super) struct EvidenceDetails {
    #[serde(default)]
    pub(super) due_by: Option<i64>,
    #[serde(default)]
    pub(super) has_evidence: bool,
    #[serde(default)]
    pub(super) past_due: bool,
    #[serde(default)]
    pub(super) submission_count: u32,
}

#[derive(Deserialize)]
pub(super) struct DisputeDetails {
    #[serde(default)]
    pub(super) card: Option<NetworkReason>,
    #[serde(default)]
    pub(super) us_bank_account: Option<NetworkReason>,
    #[serde(default)]
    pub(super) sepa_debit: Option<NetworkReason>,
}

#[derive(Deserialize)]
pub(super) struct NetworkReason {
    #[serde(default)]
    pub(super) network_reason_code: Option<String>,
}

impl Dispute {
    /// The network's own code, wherever it stands.
    pub(super) fn network_reason(&self) -> Option<&str> {
        let details = self.payment_method_details.as_ref();
        details
            .and_then(|it| it.us_bank_account.as_ref().or(it.sepa_debit.as_ref()).or(it.card.as_ref()))
            .and_then(|it| it.network_reason_code.as_deref())
            .or(self.network_reason_code.as_deref())
    }
}

#[derive(Deserialize)]
pub(super) struct Card {
    #[serde(default)]
    pub(super) brand: Option<String>,
    #[serde(default)]
    pub(super) last4: Option<String>,
    #[serde(default)]
    pub(super) exp_month: Option<u8>,
    #[serde(default)]
    pub(super) exp_year: Option<u16>,
    #[serde(default)]
    pub(super) funding: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) reporting_category: String,
    #[serde(default)]
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) net: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) created: Option<i64>,
    #[serde(default)]
    pub(super) available_on: Option<i64>,
    /// An id, or the object in its place: looked into, never relied on.
    #[serde(default)]
    pub(super) source: serde_json::Value,
    /// A number that is not money and must not become one of ours: kept as it was written.
    #[serde(default)]
    pub(super) exchange_rate: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) created: i64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) data: EventData,
}

#[derive(Deserialize)]
pub(super) struct EventData {
    /// Of any kind and any version: looked into, never relied on.
    pub(super) object: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    #[serde(default)]
    pub(super) country: Option<String>,
    #[serde(default)]
    pub(super) default_currency: Option<String>,
    #[serde(default)]
    pub(super) charges_enabled: Option<bool>,
    #[serde(default)]
    pub(super) business_profile: Option<BusinessProfile>,
    #[serde(default)]
    pub(super) settings: Option<Settings>,
}

#[derive(Deserialize)]
pub(super) struct BusinessProfile {
    #[serde(default)]
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Settings {
    #[serde(default)]
    pub(super) dashboard: Option<Dashboard>,
}

#[derive(Deserialize)]
pub(super) struct Dashboard {
    #[serde(default)]
    pub(super) display_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ErrorAnswer {
    pub(super) error: ErrorBody,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) param: Option<String>,
    /// The payment of a charge that was declined: looked into only where a charge was sent.
    #[serde(default)]
    pub(super) payment_intent: Option<serde_json::Value>,
}
