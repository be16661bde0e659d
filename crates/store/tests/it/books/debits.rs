//! Debits of bank accounts in the books: one that the bank took back after its credit was spent in part, one that it works on;
//! what their payers agreed to; and the word of a person on a payment of which nobody could be asked.

use super::payments::{Pay, allocate, capture, payment};
use super::*;
use billing::allocation::CaptureSplit;
use billing::chart::{Channel, Fee, Paid, Processor};
use billing::take_back::{Allocated, OwnGrant, Taken, TakenWithRest};
use sha2::{Digest as _, Sha256};

/// 400.00 USD, all of it taken back, a part of it on its way again.
fn debited() -> InvoiceId {
    id!(InvoiceId, 14)
}

fn returned() -> PaymentId {
    id!(PaymentId, 26)
}

fn own_grant() -> GrantId {
    id!(GrantId, 64)
}

pub(super) async fn debits(tx: &mut Tx) -> Result<()> {
    invoice(tx, 14, "INV-14", "open", 40_000, (40_000, 10_000, 0)).await?;
    invoice(tx, 15, "INV-15", "open", 5_000, (3_000, 0, 2_000)).await?;
    let split = CaptureSplit { to_invoice_minor: 40_000, surcharge_minor: 0, surplus_minor: 5_000 };
    let pay = Pay {
        minute: 26,
        amount: 40_000,
        surcharge: 0,
        states: &["submitting", "requires_action", "processing", "succeeded", "returned"],
        captured: Some((usd(45_000), split)),
        reservation: "consumed",
        grant: own_grant(),
    };
    payment(tx, debited(), &pay).await?;
    capture(tx, debited(), &pay, usd(45_000), split).await?;
    spend(tx).await?;
    take_back(tx).await?;
    let under_way = Pay {
        minute: 27,
        amount: 10_000,
        surcharge: 0,
        states: &["submitting", "requires_action", "processing"],
        captured: None,
        reservation: "live",
        grant: own_grant(),
    };
    payment(tx, debited(), &under_way).await?;
    mandate(tx, 26, 40_000, Some("the bank took the money back")).await?;
    mandate(tx, 27, 10_000, None).await?;
    around(tx).await
}

/// 20.00 of its surplus are set against another invoice.
async fn spend(tx: &mut Tx) -> Result<()> {
    let posting = chart::credit_applied(customer(), own_grant(), id!(InvoiceId, 15), usd(2_000))?;
    let cause = id!(AllocationId, 62).to_string();
    post(tx, 162, "credit_applied", &cause, &posting, None).await?;
    allocate(tx, 62, None, Some(own_grant()), id!(InvoiceId, 15), 2_000, id!(PostingId, 162)).await
}

/// The bank takes back all of it. What was spent meanwhile is owed.
async fn take_back(tx: &mut Tx) -> Result<()> {
    let grant = OwnGrant { grant: own_grant(), born_on: Some(debited()), amount_minor: 3_000 };
    let taken = Taken {
        allocated: vec![Allocated { invoice: debited(), amount_minor: 40_000 }],
        grants: vec![grant],
        ..Taken::default()
    };
    let paid = Paid { customer: customer(), payment: returned(), currency: Currency::USD };
    let back = TakenWithRest { taken, rest_minor: 2_000 };
    let posting = chart::payment_returned(&paid, Channel::Processor(Processor::Stripe), &back)?;
    post(tx, 190, "payment_returned", &returned().to_string(), &posting, None).await?;
    allocate(tx, 63, Some(returned()), None, debited(), -40_000, id!(PostingId, 190)).await?;
    let fee = chart::fee_charged(Fee::Return, returned(), Processor::Stripe, usd(400))?;
    post(tx, 191, "return_fee", "txn_2", &fee, None).await?;
    put(
        tx,
        Sql("UPDATE grants SET remaining = 0 WHERE merchant_id = $1 AND id = $2"),
        args![M.0, own_grant().as_bytes()],
    )
    .await?;
    put(
        tx,
        Sql("UPDATE payments SET return_code = 'R10', returned_at = $3 WHERE merchant_id = $1 AND id = $2"),
        args![M.0, returned().as_bytes(), at(190).as_microsecond()],
    )
    .await
}

async fn mandate(tx: &mut Tx, minute: i64, amount: i64, ended: Option<&str>) -> Result<()> {
    let (payment, wording) = (id!(PaymentId, minute), format!("Take {amount} once."));
    put(
        tx,
        Sql("UPDATE payments SET method = 'us_bank_account', expected_on = '2026-01-09' WHERE merchant_id = $1 AND id = $2"),
        args![M.0, payment.as_bytes()],
    )
    .await?;
    let hash: [u8; 32] = Sha256::digest(&wording).into();
    let now = at(minute).as_microsecond();
    put(
        tx,
        Sql("INSERT INTO mandates (merchant_id, id, payment_id, customer_id, contact_id, method, rule, wording, wording_hash, \
             amount, currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, \
             last4, processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by) VALUES ($1, $2, $3, $4, $5, \
             'us_bank_account', 'once', $6, $7, $8, 'USD', 'ada@globex.example', '127.0.0.1', 'Browser', 'en', $9, $9, 'Ada', \
             'Test Bank', '6789', 'mandate_1', 'pm_1', $10, $11, \
             CASE WHEN CAST($10 AS BIGINT) IS NULL THEN NULL ELSE 'bank' END)"),
        args![
            M.0,
            id!(MandateId, minute).as_bytes(),
            payment.as_bytes(),
            customer().as_bytes(),
            contact().as_bytes(),
            &wording,
            &hash,
            amount,
            now,
            ended.map(|_| at(190).as_microsecond()),
            ended,
        ],
    )
    .await
}

async fn around(tx: &mut Tx) -> Result<()> {
    put(
        tx,
        Sql("INSERT INTO offered_methods (merchant_id, method) VALUES ($1, 'us_bank_account')"),
        args![M.0],
    )
    .await?;
    act(tx, 175, acts::METHODS_SET, &M.to_string()).await?;
    put(
        tx,
        Sql("INSERT INTO resolutions (merchant_id, payment_id, state, reason, actor, unanswered, at) \
             VALUES ($1, $2, 'failed', 'Their support says so', 'cli:ops', 'it did not answer', $3)"),
        args![M.0, id!(PaymentId, 22).as_bytes(), at(176).as_microsecond()],
    )
    .await?;
    put(
        tx,
        Sql("INSERT INTO resolution_proposals (merchant_id, payment_id, number, state, reason, actor, at) \
             VALUES ($1, $2, 1, 'failed', 'Their support says so', 'cli:lee', $3)"),
        args![M.0, id!(PaymentId, 22).as_bytes(), at(174).as_microsecond()],
    )
    .await?;
    act(tx, 169, acts::PAYMENT_PROPOSE, &id!(PaymentId, 22).to_string()).await?;
    act(tx, 176, acts::PAYMENT_RESOLVE, &id!(PaymentId, 22).to_string()).await
}
