//! The body of a hosted checkout. Pure, and its bytes depend on the request alone: the same request is the same
//! body for ever, which is what makes sending it again under its key harmless.

use super::{currency, wire};
use crate::{CannotCharge, Checkout, NewCustomer, SetupPage, StoredCall};
use billing::ids::{AttemptId, InvoiceId, MerchantId, PaymentId};
use billing::payment::Method;

/// Where sessions are made.
pub(super) const ROUTE: &str = "POST /v1/checkout/sessions";

const NAME_CHARACTERS: usize = 250;
pub(super) const DESCRIPTION_CHARACTERS: usize = 500;
const METADATA_CHARACTERS: usize = 500;
const EMAIL_BYTES: usize = 254;
/// Stripe's own limit for the whole statement line; how much of it the merchant's name takes is not known here.
const SUFFIX_CHARACTERS: usize = 22;

/// Languages of the hosted page. Source: `locale` of <https://docs.stripe.com/api/checkout/sessions/create>.
const LOCALES: [&str; 41] = [
    "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk",
    "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW", "auto",
];

/// The call that opens the page.
pub(super) fn checkout(request: &Checkout) -> Result<StoredCall, CannotCharge> {
    let unit_amount = currency::charge_to_wire(request.method, request.charge)?.to_string();
    if request.save && request.customer.is_none() {
        return Err(CannotCharge::NoCustomer);
    }
    let currency_code = request.charge.currency().code().to_ascii_lowercase();
    let expires_at = request.expires_at.as_second().to_string();
    let attempt = request.attempt.to_string();
    let name = cut(&request.description, NAME_CHARACTERS);

    let mut body = Body::default();
    body.add("mode", "payment");
    body.add("client_reference_id", &attempt);
    body.add_method(request.method);
    body.add("line_items[0][quantity]", "1");
    body.add("line_items[0][price_data][currency]", &currency_code);
    body.add("line_items[0][price_data][unit_amount]", &unit_amount);
    body.add("line_items[0][price_data][product_data][name]", &name);
    // Anything that could make the amount or the currency another than the one we reserved is off.
    body.add("adaptive_pricing[enabled]", "false");
    body.add("allow_promotion_codes", "false");
    body.add("automatic_tax[enabled]", "false");
    body.add("submit_type", "pay");
    body.add("locale", locale(&request.locale));
    body.add("success_url", &request.success_url);
    body.add("cancel_url", &request.cancel_url);
    body.add("expires_at", &expires_at);
    match &request.customer {
        Some(customer) => body.add("customer", customer),
        None => {
            let email = request.payer_email.as_deref().filter(|email| is_plain_address(email));
            body.add("customer_email", email.unwrap_or_default());
        }
    }
    let marks = (request.attempt, request.payment, request.merchant, request.invoice);
    for base in ["metadata", "payment_intent_data[metadata]"] {
        body.add_marks(base, marks, &request.invoice_number, request.surcharge_minor);
    }
    body.add("payment_intent_data[description]", &cut(&request.description, DESCRIPTION_CHARACTERS));
    if request.save {
        body.add("payment_intent_data[setup_future_usage]", "off_session");
    }
    let suffix = statement_suffix(request.statement_suffix.as_deref().unwrap_or_default());
    body.add("payment_intent_data[statement_descriptor_suffix]", &suffix);
    Ok(StoredCall { route: ROUTE.to_owned(), body: body.encode() })
}

/// The call that opens a page on which a payer leaves a card or an account and pays nothing.
pub(super) fn setup(request: &SetupPage) -> Result<StoredCall, CannotCharge> {
    if request.method.is_received() {
        return Err(CannotCharge::NotKept(request.method));
    }
    let mut body = Body::default();
    body.add("mode", "setup");
    body.add("client_reference_id", &request.reference);
    body.add_method(request.method);
    body.add("customer", &request.customer);
    body.add("locale", locale(&request.locale));
    body.add("success_url", &request.success_url);
    body.add("cancel_url", &request.cancel_url);
    body.add("expires_at", &request.expires_at.as_second().to_string());
    for base in ["metadata", "setup_intent_data[metadata]"] {
        body.add(&format!("{base}[{}]", wire::SETUP), &request.reference);
        body.add(&format!("{base}[{}]", wire::MERCHANT), &request.merchant.to_string());
        body.add(&format!("{base}[{}]", wire::CONTACT), &request.contact.to_string());
    }
    body.add("setup_intent_data[description]", &cut(&request.description, DESCRIPTION_CHARACTERS));
    Ok(StoredCall { route: ROUTE.to_owned(), body: body.encode() })
}

/// The body that makes a record of a person. An address that Stripe might refuse is left out.
pub(super) fn customer(customer: &NewCustomer) -> String {
    let mut body = Body::default();
    body.add("name", &cut(&customer.name, NAME_CHARACTERS));
    body.add(
        "email",
        Some(customer.email.as_str()).filter(|email| is_plain_address(email)).unwrap_or_default(),
    );
    body.add(&format!("metadata[{}]", wire::CONTACT), &customer.contact.to_string());
    body.add(&format!("metadata[{}]", wire::MERCHANT), &customer.merchant.to_string());
    body.encode()
}

/// Form parameters in the order they were added.
#[derive(Default)]
pub(super) struct Body(Vec<(String, String)>);

impl Body {
    /// Adds a parameter; an empty one would mean "unset" to Stripe, so it is left out.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The one method a page takes. How an American account is proved to be the payer's is Stripe's choice: by signing
    /// in at the bank, or by two small deposits.
    pub(super) fn add_method(&mut self, method: Method) {
        self.add("payment_method_types[0]", method.as_str());
        if method == Method::UsBankAccount {
            self.add("payment_method_options[us_bank_account][verification_method]", "automatic");
        }
    }

    /// What leads back from an object at Stripe to ours.
    pub(super) fn add_marks(
        &mut self,
        base: &str,
        (attempt, payment, merchant, invoice): (AttemptId, PaymentId, MerchantId, InvoiceId),
        invoice_number: &str,
        surcharge_minor: i64,
    ) {
        self.add(&format!("{base}[{}]", wire::ATTEMPT), &attempt.to_string());
        self.add(&format!("{base}[{}]", wire::PAYMENT), &payment.to_string());
        self.add(&format!("{base}[{}]", wire::MERCHANT), &merchant.to_string());
        self.add(&format!("{base}[{}]", wire::INVOICE), &cut(invoice_number, METADATA_CHARACTERS));
        self.add(&format!("{base}[{}]", wire::INVOICE_ID), &invoice.to_string());
        self.add(&format!("{base}[{}]", wire::SURCHARGE), &surcharge_minor.to_string());
    }

    pub(super) fn encode(&self) -> String {
        serde_urlencoded::to_string(&self.0).expect("pairs of texts always encode")
    }
}

pub(super) fn cut(text: &str, characters: usize) -> String {
    text.trim().chars().take(characters).collect()
}

/// Stripe refuses the whole call for an address it does not like. It only fills in a field, so what is not plainly an
/// address is left out.
fn is_plain_address(email: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b',' | b';' | b'<' | b'>' | b'"');
    email.len() <= EMAIL_BYTES
        && email.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty()
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
                && name.bytes().chain(domain.bytes()).all(is_plain)
        })
}

/// The language if the page speaks it, else its base language, else the browser's.
fn locale(tag: &str) -> &'static str {
    let base = tag.split('-').next().unwrap_or(tag);
    let spoken = |wanted: &str| LOCALES.into_iter().find(|known| known.eq_ignore_ascii_case(wanted));
    spoken(tag).or_else(|| spoken(base)).unwrap_or("auto")
}

/// What card networks print: Latin letters, digits and plain marks; nothing at all unless there is a letter in it.
pub(super) fn statement_suffix(text: &str) -> String {
    let is_printed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '/' | '#');
    let printed: String = text.chars().filter(is_printed).take(SUFFIX_CHARACTERS).collect();
    let printed = printed.trim().to_owned();
    if printed.chars().any(|c| c.is_ascii_alphabetic()) { printed } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_speaks_the_payers_language_or_the_browsers() {
        for (tag, expected) in [
            ("en", "en"),
            ("en-US", "en"),
            ("en-gb", "en-GB"),
            ("de-AT", "de"),
            ("fr-CA", "fr-CA"),
            ("xx", "auto"),
            ("", "auto"),
        ] {
            assert_eq!(locale(tag), expected, "{tag}");
        }
    }

    #[test]
    fn an_address_that_stripe_might_refuse_is_left_out() {
        for email in ["ada@example.com", "a.b+c@mail.example.co.uk", "o'hara@example.com"] {
            assert!(is_plain_address(email), "{email}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for email in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@.com",
            "a b@example.com",
            "ä@example.com",
            &long,
        ] {
            assert!(!is_plain_address(email), "{email}");
        }
        assert!(!is_plain_address("a@b@example.com") && !is_plain_address("Ada <ada@example.com>"));
    }

    #[test]
    fn a_statement_suffix_is_what_networks_print() {
        assert_eq!(statement_suffix("INV-1042"), "INV-1042");
        assert_eq!(statement_suffix("<b>\"INV\"*'1042"), "bINV1042");
        assert_eq!(statement_suffix("1042"), "", "digits alone are refused by Stripe");
        assert_eq!(statement_suffix("Rechnung für Müller & Söhne").len(), SUFFIX_CHARACTERS);
    }
}
