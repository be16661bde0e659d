//! A saved method that pays: whether this payer may use it now, what the processor is asked to charge, and until when a debit of it
//! is held.

use super::StartPayment;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::cut_off::next_cut_off;
use billing::ids::{AttemptId, PaymentMethodId};
use gateway::SavedCharge;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::Money;
use store::db::Tx;
use store::invoices::Invoice;
use store::mandates::{self, Account};
use store::merchants::{self, Merchant};
use store::payment_methods::{self, SavedMethod};
use store::payments::Payment;
use store::{cut_offs, processor_accounts, processor_customers};

/// A saved method that may be charged.
pub(super) struct Chosen {
    /// It.
    pub(super) saved: SavedMethod,
    /// The account it is, for what the payer agrees to.
    pub(super) account: Account,
    /// When it is sent, where it is held until then.
    pub(super) send_at: Option<Timestamp>,
    /// The processor's name of its owner.
    customer: String,
}

/// The saved method, if it may be charged for this invoice now. Its row stays locked, so that it is not removed meanwhile.
pub(super) async fn choose(
    tx: &mut Tx,
    mint: &Mint,
    input: &StartPayment,
    invoice: &Invoice,
    id: PaymentMethodId,
) -> Result<Option<Chosen>> {
    let merchant_id = input.merchant;
    let Some(at) = processor_accounts::find(tx, merchant_id, STRIPE).await? else { return Ok(None) };
    let Some(saved) = payment_methods::lock_at(tx, &at, id).await? else { return Ok(None) };
    let merchant = merchants::find(tx, merchant_id).await?.context("an invoice has a merchant")?;
    let zone = TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC);
    let is_theirs = input.means.charged_by.is_some() || input.payer.contact_id == Some(saved.contact_id);
    let is_usable = saved.removed_at.is_none()
        && is_theirs
        && saved.customer_id == invoice.customer_id
        && saved.method == input.method
        && !has_expired(&saved, mint.now, &zone);
    if !is_usable {
        return Ok(None);
    }
    let Some(customer) = processor_customers::find(tx, &at, saved.contact_id).await? else { return Ok(None) };
    if !saved.method.is_bank_debit() {
        return Ok(Some(Chosen { saved, account: Account::default(), send_at: None, customer }));
    }
    let mandate = match saved.mandate_id {
        Some(id) => mandates::find_by_id(tx, merchant_id, id).await?,
        None => None,
    };
    let Some(mandate) = mandate.filter(|mandate| mandate.ended.is_none()) else { return Ok(None) };
    let minute_of_day = cut_offs::find(tx, merchant_id).await?;
    let send_at = Some(next_cut_off(mint.now, &zone, minute_of_day));
    Ok(Some(Chosen { saved, account: mandate.account, send_at, customer }))
}

/// True for a card whose last month is over, where the merchant is.
pub(crate) fn has_expired(saved: &SavedMethod, now: Timestamp, zone: &TimeZone) -> bool {
    let today = now.to_zoned(zone.clone()).date();
    saved.expires.is_some_and(|until| until < (today.year(), today.month()))
}

impl Chosen {
    /// What the processor is asked to charge.
    pub(super) fn charge(
        &self,
        (attempt, payment): (AttemptId, &Payment),
        (merchant, invoice): (&Merchant, &Invoice),
        charge: Money,
        return_url: Option<String>,
    ) -> SavedCharge {
        SavedCharge {
            attempt,
            payment: payment.id,
            merchant: payment.merchant,
            invoice: invoice.id,
            invoice_number: invoice.number.clone(),
            charge,
            surcharge_minor: payment.surcharge_minor,
            method: self.saved.method,
            customer: self.customer.clone(),
            payment_method_id: self.saved.token.clone(),
            mandate_id: self.account.processor_mandate_id.clone(),
            return_url,
            // What the network wants to read on an entry that is presented again.
            description: match payment.retry_of {
                Some(_) => format!("RETRY PYMT {} invoice {}", merchant.name, invoice.number),
                None => format!("{} invoice {}", merchant.name, invoice.number),
            },
            statement_suffix: None,
        }
    }
}
