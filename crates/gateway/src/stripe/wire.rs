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
/// The same, starting at the payment.
pub(super) const EXPAND_INTENT: &str = "latest_charge.balance_transaction";

/// An object, or only its id where it was not expanded.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(Box<T>),
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
    pub(super) amount_received: Option<i64>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
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
    pub(super) charge: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) livemode: bool,
}

#[derive(Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) payment_method_details: Option<PaymentMethodDetails>,
    #[serde(default)]
    pub(super) balance_transaction: Option<Expandable<BalanceTransaction>>,
}

#[derive(Deserialize)]
pub(super) struct PaymentMethodDetails {
    #[serde(default)]
    pub(super) card: Option<Card>,
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
    pub(super) fee: i64,
    pub(super) net: i64,
    pub(super) currency: String,
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
}
