//! `/v1/charges`: tries that reached a bank.

use serde_json::{Value, json};

use super::{Reply, list as listing, payment_methods};
use crate::banks::{BankSummary, TEST_ROUTING};
use crate::calendar;
use crate::cards::CardSummary;
use crate::error::Failure;
use crate::form::Form;
use crate::objects::{Charge, ChargeStatus, Instrument};
use crate::work::Work;

/// Reads one charge.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get(id, "id")?))
}

/// Lists charges, of one payment intent or customer if asked.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "payment_intent", "payment_intent")?;
    listing::filter(&mut query, form, "customer", "customer")?;
    listing::answer(work, &query, "/v1/charges", view)
}

/// A charge as callers see it.
pub(crate) fn view(charge: &Charge) -> Value {
    let is_taken = charge.status == ChargeStatus::Succeeded;
    // A bank debit counts as paid and captured as soon as it is accepted.
    let is_paid = is_taken || charge.status == ChargeStatus::Pending;
    json!({
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount_minor,
        "amount_captured": if is_paid { charge.amount_minor } else { 0 },
        "amount_refunded": charge.refunded_minor,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": charge.balance_transaction,
        "billing_details": payment_methods::billing_details(charge.instrument.name(), charge.payer_email.as_deref()),
        "calculated_statement_descriptor": charge.data.statement_descriptor,
        "captured": is_paid,
        "created": charge.created,
        "currency": charge.currency,
        "customer": charge.customer,
        "description": charge.data.description,
        "disputed": charge.is_disputed,
        "failure_balance_transaction": null,
        "failure_code": charge.failure.as_ref().map(|failure| &failure.code),
        "failure_message": charge.failure.as_ref().map(|failure| &failure.message),
        "fraud_details": {},
        "livemode": false,
        "metadata": charge.data.metadata,
        "on_behalf_of": null,
        "outcome": outcome(charge),
        "paid": is_paid,
        "payment_intent": charge.payment_intent,
        "payment_method": charge.payment_method,
        "payment_method_details": payment_method_details(charge),
        "receipt_email": charge.data.receipt_email,
        "receipt_number": null,
        "receipt_url": null,
        "refunded": is_taken && charge.refunded_minor == charge.amount_minor,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": charge.data.statement_descriptor,
        "statement_descriptor_suffix": charge.data.statement_descriptor_suffix,
        "status": status(charge.status),
        "transfer_data": null,
        "transfer_group": null,
    })
}

fn status(status: ChargeStatus) -> &'static str {
    match status {
        ChargeStatus::Succeeded => "succeeded",
        ChargeStatus::Pending => "pending",
        ChargeStatus::Failed => "failed",
    }
}

fn outcome(charge: &Charge) -> Value {
    let decline_code = charge.failure.as_ref().and_then(|failure| failure.decline_code.as_deref());
    match decline_code {
        None => json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "approved_by_network",
            "reason": null,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }),
        Some(decline_code) => json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": charge.failure.as_ref().and_then(|failure| failure.network_code.as_deref()),
            "network_status": "declined_by_network",
            "reason": decline_code,
            "seller_message": format!("The bank returned the decline code `{decline_code}`."),
            "type": "issuer_declined",
        }),
    }
}

fn payment_method_details(charge: &Charge) -> Value {
    match &charge.instrument {
        Instrument::Card(card) => card_details(charge, card),
        Instrument::UsBankAccount(bank) => us_bank_details(charge, bank),
        Instrument::SepaDebit(bank) => sepa_details(charge, bank),
    }
}

fn us_bank_details(charge: &Charge, bank: &BankSummary) -> Value {
    json!({
        "type": "us_bank_account",
        "us_bank_account": {
            "account_holder_type": bank.holder_type,
            "account_type": bank.account_type,
            "bank_name": bank.bank_name,
            "expected_debit_date": charge.debit_at.map(calendar::date),
            "fingerprint": bank.token,
            "last4": bank.last4,
            "mandate": charge.mandate,
            "payment_reference": null,
            "routing_number": TEST_ROUTING,
        },
    })
}

fn sepa_details(charge: &Charge, bank: &BankSummary) -> Value {
    json!({
        "sepa_debit": {
            "bank_code": "19043",
            "branch_code": "",
            "country": bank.country,
            "expected_debit_date": charge.debit_at.map(calendar::date),
            "fingerprint": bank.token,
            "last4": bank.last4,
            "mandate": charge.mandate,
        },
        "type": "sepa_debit",
    })
}

fn card_details(charge: &Charge, card: &CardSummary) -> Value {
    let has_wrong_code = charge.failure.as_ref().is_some_and(|failure| failure.code == "incorrect_cvc");
    let three_d_secure = charge.is_authenticated.then(|| {
        json!({
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": null,
            "result": "authenticated",
            "result_reason": null,
            "transaction_id": null,
            "version": "2.2.0",
        })
    });
    json!({
        "card": {
            "amount_authorized": if charge.status == ChargeStatus::Succeeded { Some(charge.amount_minor) } else { None },
            "authorization_code": null,
            "brand": card.brand,
            "checks": {
                "address_line1_check": null,
                "address_postal_code_check": null,
                "cvc_check": if has_wrong_code { "fail" } else { "pass" },
            },
            "country": "US",
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": card.token,
            "funding": card.funding,
            "installments": null,
            "last4": card.last4,
            "mandate": null,
            "network": card.brand,
            "network_token": { "used": false },
            "network_transaction_id": null,
            "regulated_status": "unregulated",
            "three_d_secure": three_d_secure,
            "wallet": null,
        },
        "type": "card",
    })
}
