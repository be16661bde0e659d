//! The payments of the books: each of the ways one can end, and what each leaves behind.

use super::*;
use billing::allocation::CaptureSplit;
use billing::chart::{Capture, Processor};

/// How a payment of the books went.
pub(super) struct Pay {
    pub(super) minute: i64,
    pub(super) amount: i64,
    pub(super) surcharge: i64,
    pub(super) states: &'static [&'static str],
    pub(super) captured: Option<(Money, CaptureSplit)>,
    pub(super) reservation: &'static str,
    /// Holds the surplus of it; 20.00 of that are spent.
    pub(super) grant: GrantId,
}

pub(super) async fn payments(tx: &mut Tx) -> Result<()> {
    let split = |to_invoice_minor, surcharge_minor, surplus_minor| CaptureSplit {
        to_invoice_minor,
        surcharge_minor,
        surplus_minor,
    };
    let euros = Money::new(900, Currency::EUR);
    let list = [
        (
            partly_paid(),
            Pay {
                minute: 20,
                amount: 40_000,
                surcharge: 1_190,
                states: &["submitting", "requires_action", "succeeded"],
                captured: Some((usd(41_190), split(40_000, 1_190, 0))),
                reservation: "consumed",
                grant: grant(),
            },
        ),
        (
            partly_paid(),
            Pay {
                minute: 21,
                amount: 20_000,
                surcharge: 0,
                states: &["submitting", "requires_action"],
                captured: None,
                reservation: "live",
                grant: grant(),
            },
        ),
        (
            partly_paid(),
            Pay {
                minute: 22,
                amount: 10_000,
                surcharge: 0,
                states: &["submitting", "failed"],
                captured: None,
                reservation: "released",
                grant: grant(),
            },
        ),
        (
            partly_paid(),
            Pay {
                minute: 23,
                amount: 6_000,
                surcharge: 0,
                states: &["submitting", "requires_action", "canceled", "succeeded"],
                captured: Some((usd(6_000), split(6_000, 0, 0))),
                reservation: "released",
                grant: grant(),
            },
        ),
        (
            partly_paid(),
            Pay {
                minute: 24,
                amount: 1_000,
                surcharge: 0,
                states: &["submitting", "requires_action", "succeeded"],
                captured: Some((euros, split(0, 0, 0))),
                reservation: "released",
                grant: grant(),
            },
        ),
        (
            overpaid(),
            Pay {
                minute: 25,
                amount: 30_000,
                surcharge: 0,
                states: &["submitting", "requires_action", "processing", "succeeded"],
                captured: Some((usd(35_000), split(30_000, 0, 5_000))),
                reservation: "consumed",
                grant: grant(),
            },
        ),
    ];
    for (invoice_id, pay) in list {
        payment(tx, invoice_id, &pay).await?;
        if let Some((captured, split)) = pay.captured {
            capture(tx, invoice_id, &pay, captured, split).await?;
        }
    }
    let fee = chart::processing_fee_charged(id!(PaymentId, 20), Processor::Stripe, usd(1_200))?;
    post(tx, 150, "processing_fee", "txn_1", &fee, None).await
}

pub(super) async fn payment(tx: &mut Tx, invoice_id: InvoiceId, pay: &Pay) -> Result<()> {
    let (payment_id, created_at) = (id!(PaymentId, pay.minute), at(pay.minute).as_microsecond());
    let captured = pay.captured.map(|(money, _)| money.minor());
    let captured_currency = pay.captured.map(|(money, _)| money.currency().code());
    put(
        tx,
        Sql("INSERT INTO payments (merchant_id, id, customer_id, currency, amount, surcharge, method, state, contact_id, \
             link_id, receipt_email, payer_reference, captured, captured_currency, captured_at, created_at, changed_at, language) \
             VALUES ($1, $2, $3, 'USD', $4, $5, 'card', $6, $7, NULL, 'ada@globex.example', 'ref 1', $8, $9, $10, $11, \
             $11, 'en')"),
        args![
            M.0,
            payment_id.as_bytes(),
            customer().as_bytes(),
            pay.amount,
            pay.surcharge,
            *pay.states.last().expect("every payment has a state"),
            contact().as_bytes(),
            captured,
            captured_currency,
            captured.map(|_| created_at),
            created_at,
        ],
    )
    .await?;
    put(
        tx,
        Sql("INSERT INTO reservations (merchant_id, payment_id, invoice_id, amount, state, created_at, ended_at) \
             VALUES ($1, $2, $3, $4, $5, $6, NULL)"),
        args![M.0, payment_id.as_bytes(), invoice_id.as_bytes(), pay.amount, pay.reservation, created_at],
    )
    .await?;
    for (number, state) in (1_i64..).zip(pay.states) {
        put(
            tx,
            Sql("INSERT INTO payment_states (merchant_id, payment_id, number, state, reason, at) \
                 VALUES ($1, $2, $3, $4, 'test', $5)"),
            args![M.0, payment_id.as_bytes(), number, *state, created_at + number],
        )
        .await?;
    }
    let (key, intent) = (format!("key-{}", pay.minute), format!("pi_{}", pay.minute));
    let charge = pay.captured.map(|_| format!("ch_{}", pay.minute));
    put(
        tx,
        Sql("INSERT INTO attempts (merchant_id, id, payment_id, number, processor, processor_key, route, body, session_id, \
             payment_intent_id, charge_id, calls, server_errors, created_at) VALUES ($1, $2, $3, 1, 'stripe', $4, \
             '/v1/checkout/sessions', 'amount=1', $4, $5, $6, 1, 0, $7)"),
        args![
            M.0,
            id!(AttemptId, pay.minute).as_bytes(),
            payment_id.as_bytes(),
            &key,
            &intent,
            charge.as_ref(),
            created_at,
        ],
    )
    .await
}

pub(super) async fn capture(
    tx: &mut Tx,
    invoice_id: InvoiceId,
    pay: &Pay,
    captured: Money,
    split: CaptureSplit,
) -> Result<()> {
    let payment_id = id!(PaymentId, pay.minute);
    let is_ghost = pay.states.contains(&"canceled");
    if is_ghost || captured.currency() != Currency::USD {
        put(
            tx,
            Sql("INSERT INTO anomalies (merchant_id, id, kind, payment_id, detail, at) \
                 VALUES ($1, $2, $3, $4, 'seen', $5)"),
            args![
                M.0,
                id!(AnomalyId, pay.minute).as_bytes(),
                if is_ghost { "ghost_capture" } else { "other_currency" },
                payment_id.as_bytes(),
                at(pay.minute).as_microsecond()
            ],
        )
        .await?;
    }
    let minute = 120 + pay.minute;
    if captured.currency() != Currency::USD {
        let posting = chart::captured_in_other_currency(payment_id, Processor::Stripe, captured)?;
        return post(tx, minute, "capture_other_currency", &payment_id.to_string(), &posting, None).await;
    }
    let who = Capture {
        customer: customer(),
        invoice: invoice_id,
        payment: payment_id,
        processor: Processor::Stripe,
        grant: pay.grant,
    };
    let posting = chart::payment_succeeded(&who, captured, split)?;
    post(tx, minute, "capture", &payment_id.to_string(), &posting, None).await?;
    allocate(
        tx,
        pay.minute,
        Some(payment_id),
        None,
        invoice_id,
        split.to_invoice_minor,
        id!(PostingId, minute),
    )
    .await?;
    let now = at(pay.minute).as_microsecond();
    if split.surplus_minor > 0 {
        put(
            tx,
            Sql("INSERT INTO grants (merchant_id, id, customer_id, payment_id, invoice_id, currency, amount, remaining, \
                 created_at, source) VALUES ($1, $2, $3, $4, $5, 'USD', $6, $8, $7, 'surplus')"),
            args![
                M.0,
                pay.grant.as_bytes(),
                customer().as_bytes(),
                payment_id.as_bytes(),
                invoice_id.as_bytes(),
                split.surplus_minor,
                now,
                split.surplus_minor - 2_000,
            ],
        )
        .await?;
    }
    let receipted = captured.minor() - split.surcharge_minor;
    put(
        tx,
        Sql("INSERT INTO receipts (merchant_id, payment_id, amount, surcharge, credit, currency, at) \
             VALUES ($1, $2, $3, $4, $5, 'USD', $6)"),
        args![M.0, payment_id.as_bytes(), receipted, split.surcharge_minor, split.surplus_minor, now],
    )
    .await?;
    put(
        tx,
        Sql("INSERT INTO receipt_lines (merchant_id, payment_id, invoice_id, applied, open_before, open_after) \
             VALUES ($1, $2, $3, $4, $4, 0)"),
        args![M.0, payment_id.as_bytes(), invoice_id.as_bytes(), split.to_invoice_minor],
    )
    .await
}

/// 20.00 of the surplus are set against the other invoice.
pub(super) async fn credit(tx: &mut Tx) -> Result<()> {
    let posting = chart::credit_applied(customer(), grant(), partly_paid(), usd(2_000))?;
    let cause = id!(AllocationId, 61).to_string();
    post(tx, 161, "credit_applied", &cause, &posting, None).await?;
    allocate(tx, 61, None, Some(grant()), partly_paid(), 2_000, id!(PostingId, 161)).await
}

pub(super) async fn allocate(
    tx: &mut Tx,
    minute: i64,
    payment_id: Option<PaymentId>,
    grant_id: Option<GrantId>,
    invoice_id: InvoiceId,
    amount: i64,
    posting_id: PostingId,
) -> Result<()> {
    put(
        tx,
        Sql("INSERT INTO allocations (merchant_id, id, payment_id, grant_id, invoice_id, amount, posting_id, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
        args![
            M.0,
            id!(AllocationId, minute).as_bytes(),
            payment_id.as_ref().map(PaymentId::as_bytes),
            grant_id.as_ref().map(GrantId::as_bytes),
            invoice_id.as_bytes(),
            amount,
            posting_id.as_bytes(),
            at(minute).as_microsecond(),
        ],
    )
    .await
}
