//! A bank debit on its way: what is learned of the account, when the money should come, and that the payer is told. It posts
//! nothing: until the bank has paid, the amount is reserved and no more.

use super::{Outcome, anomaly, note};
use crate::actions::recipients::{Recipient, recipients};
use crate::actions::watch_return_rates::WATCH_RETURN_RATES_JOB;
use crate::actions::{end_mandates, verification};
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::bank_return::ReturnKind;
use billing::ids::{JobId, MailId};
use billing::payment::PaymentState;
use billing::settling::arrives_on;
use gateway::{BankHolder, PaymentFacts};
use jiff::tz::TimeZone;
use store::db::Tx;
use store::mails::{self, MailKind, NewMail};
use store::mandates::{self, Account, GivenFor};
use store::payments::{self, Payment};
use store::verifications::Of;
use store::{jobs, merchants, reservations};

/// Keeps what the processor tells of the account and of a bank that did not pay.
pub(super) async fn learn(tx: &mut Tx, mint: &Mint, payment: &Payment, facts: &PaymentFacts) -> Result<()> {
    let (merchant, id) = (payment.merchant, payment.id);
    if let Some(bank) = &facts.bank
        && !matches!(facts.state, PaymentState::Canceled)
    {
        let account = Account {
            name: None,
            bank_name: bank.bank_name.clone(),
            last4: Some(bank.last4.clone()),
            holder: holder(bank.holder),
            processor_mandate_id: bank.mandate_id.clone(),
            processor_method_id: bank.payment_method_id.clone(),
        };
        mandates::accept(tx, merchant, GivenFor::Payment(id), &account, mint.now).await?;
    }
    verification::note(tx, merchant, Of::Payment(id), (facts.verification.as_ref(), mint.now)).await?;
    if let Some(failure) = &facts.debit_failure
        && let Some(code) = most_exact([failure.return_code.as_deref(), failure.code.as_deref()])
    {
        payments::set_return_code(tx, merchant, id, code).await?;
    }
    Ok(())
}

/// Of a bank's code and the processor's names for it, the first that says why; else the first there is.
pub(super) fn most_exact(codes: [Option<&str>; 2]) -> Option<&str> {
    let mut codes = codes.into_iter().flatten();
    let says_why = |code: &&str| ReturnKind::of_code(code) != ReturnKind::Unexplained;
    codes.clone().find(says_why).or_else(|| codes.next())
}

/// What a bank's no means for the debits to come: the leave may have ended, a person may have to look, and the share of debits that
/// come back is counted anew.
pub(super) async fn follow_up(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    (code, is_late): (Option<&str>, bool),
) -> Result<()> {
    let kind = code.map_or(ReturnKind::Unexplained, ReturnKind::of_code);
    end_mandates::by_bank(tx, mint, payment, (code, is_late)).await?;
    if kind.needs_person() {
        let detail = format!(
            "{} came back as {}: look before this account is debited again",
            payment.id,
            kind.as_str()
        );
        anomaly(tx, mint, payment, "bank_return", detail).await?;
    }
    let (job, merchant) = (mint.id(JobId::new), payment.merchant);
    jobs::enqueue(tx, merchant, job, WATCH_RETURN_RATES_JOB, &merchant.to_string(), mint.now, mint.now).await
}

/// Whose account it is, in the word of the store.
pub(in crate::actions) fn holder(holder: Option<BankHolder>) -> Option<String> {
    let word = match holder? {
        BankHolder::Business => "business",
        BankHolder::Personal => "personal",
    };
    Some(word.to_owned())
}

/// The bank works on it: the payer is told that it has begun, and from when on the money should be there.
pub(super) async fn begun(
    tx: &mut Tx,
    mint: &Mint,
    outcome: &Outcome,
    payment: &Payment,
    secrets: &SecretKey,
) -> Result<()> {
    let (id, facts) = (payment.merchant, &outcome.facts);
    let merchant = merchants::find(tx, id).await?.context("a payment has a merchant")?;
    let zone = TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC);
    let today = mint.now.to_zoned(zone).date();
    // As it was told before; later only where the processor says that the account is debited later.
    let usual = arrives_on(payment.method, today);
    let expected_on = facts.expected_on.max(usual);
    let account = facts.bank.as_ref().map(|bank| (bank.bank_name.as_deref(), Some(bank.last4.as_str())));
    payments::set_expected(tx, id, payment.id, expected_on, account.unwrap_or_default()).await?;
    let holds = reservations::list(tx, id, payment.id).await?;
    let invoice = holds.first().context("a payment holds something on an invoice")?.invoice_id;
    note(tx, mint, payment, invoice, "payment.processing", outcome.source).await?;
    for Recipient { email, link_id } in recipients(tx, mint, secrets, payment, invoice).await? {
        let mail = NewMail {
            id: mint.id(MailId::new),
            kind: MailKind::Started,
            cause: payment.id.to_string(),
            recipient: email,
            invoice_id: Some(invoice),
            payment_id: Some(payment.id),
            link_id: Some(link_id),
            signin_id: None,
            created_at: mint.now,
        };
        mails::queue(tx, id, &mail).await?;
    }
    Ok(())
}
