//! Is `verify` honest about recorded receipts that were taken out of the books again? Books with one that was a customer's and one
//! that was nobody's are right; then each is broken by hand, past every guard, and has to be named.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, act, at, customer, id, post};
use crate::tamper::tamper;
use anyhow::Result;
use billing::chart::{self, Channel, Paid, Place};
use billing::ids::*;
use billing::payment::{Method, PaymentState};
use billing::reversal::ReversalKind;
use billing::take_back::{Allocated, Taken, TakenWithRest};
use jiff::civil::date;
use ledger::{Currency, Money};
use store::allocations::{self, Allocation};
use store::audit::acts;
use store::both_engines;
use store::db::{Store, Tx};
use store::payments::{self, Payment};
use store::receipts::{self, Receipt, ReceiptLine};
use store::reversals::{self, Reversal};
use store::testing::TestDatabase;
use store::unmatched_receipts::{self, UnmatchedReceipt};
use store::verify::{Options, verify};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn invoice() -> InvoiceId {
    id!(InvoiceId, 210)
}

fn cheque() -> PaymentId {
    id!(PaymentId, 211)
}

fn nobodys() -> PaymentId {
    id!(PaymentId, 212)
}

async fn open(db: &TestDatabase) -> Store {
    let store = books::open(db).await;
    store.write(async move |tx: &mut Tx| fill(tx).await).await.unwrap();
    books::seal(&store).await;
    store
}

async fn fill(tx: &mut Tx) -> Result<()> {
    books::invoice(tx, 210, "INV-210", "open", 10_000, (10_000, 0, 0)).await?;
    received(tx).await?;
    bounce(tx).await?;
    nobody(tx).await
}

/// A cheque of 60.00 is set against the invoice.
async fn received(tx: &mut Tx) -> Result<()> {
    let row = Payment {
        method: Method::Cheque,
        state: PaymentState::Succeeded,
        captured: Some(usd(6_000)),
        captured_at: Some(at(211)),
        received_on: Some(date(2026, 1, 2)),
        ..Payment::submitting(M, cheque(), customer(), usd(6_000), at(211))
    };
    payments::insert_first(tx, &row, "it was recorded as received").await?;
    let posting = chart::money_received(customer(), usd(6_000), &[(Place::Invoice(invoice()), usd(6_000))])?;
    post(tx, 1211, "receipt", &cheque().to_string(), &posting, None).await?;
    act(tx, 1211, acts::PAYMENT_RECORD, &cheque().to_string()).await?;
    allocate(tx, 211, 6_000, 1211).await?;
    let line = ReceiptLine {
        invoice_id: invoice(),
        applied_minor: 6_000,
        open_before_minor: 10_000,
        open_after_minor: 4_000,
    };
    let receipt = Receipt {
        payment_id: cheque(),
        amount_minor: 6_000,
        surcharge_minor: 0,
        credit_minor: 0,
        unapplied_minor: 0,
        currency: Currency::USD,
        at: at(211),
        lines: vec![line],
    };
    receipts::insert(tx, M, &receipt).await
}

async fn allocate(tx: &mut Tx, minute: i64, amount_minor: i64, posting: i64) -> Result<()> {
    let allocation = Allocation {
        id: id!(AllocationId, minute),
        payment_id: Some(cheque()),
        grant_id: None,
        application_id: None,
        invoice_id: invoice(),
        amount_minor,
        posting_id: id!(PostingId, posting),
        at: at(minute),
    };
    allocations::insert(tx, M, &allocation).await
}

/// It bounces: the invoice is owed again.
async fn bounce(tx: &mut Tx) -> Result<()> {
    let payment = payments::find(tx, M, cheque()).await?.unwrap();
    payments::set_state(tx, &payment, PaymentState::Returned, "it bounced", at(213)).await?;
    let allocated = vec![Allocated { invoice: invoice(), amount_minor: 6_000 }];
    let back = TakenWithRest { taken: Taken { allocated, ..Taken::default() }, rest_minor: 0 };
    let paid = Paid { customer: customer(), payment: cheque(), currency: Currency::USD };
    let posting = chart::payment_returned(&paid, Channel::Bank, &back)?;
    post(tx, 1213, "payment_returned", &cheque().to_string(), &posting, None).await?;
    allocate(tx, 213, -6_000, 1213).await?;
    payments::set_returned(tx, M, cheque(), (Some("bounced"), at(213))).await?;
    reversals::insert(tx, M, &reversal(cheque(), false, ReversalKind::Bounced)).await?;
    act(tx, 1214, acts::PAYMENT_REVERSE, &cheque().to_string()).await
}

fn reversal(id: PaymentId, is_nobodys: bool, kind: ReversalKind) -> Reversal {
    Reversal {
        id,
        is_nobodys,
        kind,
        reason: "The bank says so".to_owned(),
        actor: "cli:ops".to_owned(),
        at: at(213),
    }
}

/// 70.00 of nobody, entered wrongly.
async fn nobody(tx: &mut Tx) -> Result<()> {
    let receipt = UnmatchedReceipt {
        id: nobodys(),
        method: Method::Wire,
        amount: usd(7_000),
        left: usd(7_000),
        payer: None,
        reference: None,
        received_on: date(2026, 1, 2),
        customer_id: None,
        created_at: at(212),
        reversed_at: None,
    };
    unmatched_receipts::insert(tx, M, &receipt).await?;
    let cause = nobodys().to_string();
    post(tx, 1212, "receipt", &cause, &chart::unmatched_received(nobodys(), usd(7_000))?, None).await?;
    act(tx, 1212, acts::PAYMENT_RECORD, &cause).await?;
    let posting = chart::unmatched_reversed(nobodys(), usd(7_000))?;
    post(tx, 1215, "receipt_reversed", &cause, &posting, Some(id!(PostingId, 1212))).await?;
    unmatched_receipts::reverse(tx, M, nobodys(), at(215)).await?;
    reversals::insert(tx, M, &reversal(nobodys(), true, ReversalKind::EnteredWrongly)).await?;
    act(tx, 1215, acts::PAYMENT_REVERSE, &cause).await
}

both_engines!(a_reversal_is_kept_once_as_it_was_put, async |db: TestDatabase| {
    let store = open(&db).await;
    let kept = store.write(async move |tx: &mut Tx| {
        let found = reversals::find(tx, M, cheque()).await?;
        assert_eq!(found, Some(reversal(cheque(), false, ReversalKind::Bounced)));
        assert_eq!(reversals::find(tx, M, id!(PaymentId, 20)).await?, None);
        let receipt = unmatched_receipts::find(tx, M, nobodys()).await?.unwrap();
        assert_eq!((receipt.left, receipt.reversed_at), (usd(0), Some(at(215))));
        let waiting =
            unmatched_receipts::newest(tx, M, PaymentId::from_bytes([255; 16]), (false, 10)).await?;
        assert_eq!(waiting, [], "nothing of it waits for a place");
        Ok(payments::find(tx, M, cheque()).await?.unwrap().reversal())
    });
    assert_eq!(kept.await.unwrap(), Some(ReversalKind::Bounced));
    let matched = store
        .write(async move |tx: &mut Tx| unmatched_receipts::set_customer(tx, M, nobodys(), customer()).await);
    assert!(matched.await.is_err(), "it is nobody's for good");
    let twice = store.write(async move |tx: &mut Tx| {
        reversals::insert(tx, M, &reversal(cheque(), false, ReversalKind::EnteredWrongly)).await
    });
    assert!(twice.await.is_err());
    store.close().await.unwrap();
});

both_engines!(what_is_broken_around_reversals_is_named, async |db: TestDatabase| {
    let store = open(&db).await;
    store.write(async move |tx: &mut Tx| books::merchant(tx, MerchantId(2)).await).await.unwrap();
    let before = verify(&store, &Options::default()).await.unwrap();
    assert!(before.is_clean(), "{before:#?}");
    let nobodys = "receipt_id IS NOT NULL";
    let of_a_payment = "payment_id IS NOT NULL";
    for (sql, undo, invariant, phrase) in [
        (
            format!("UPDATE reversals SET merchant_id = 2 WHERE {of_a_payment}"),
            "UPDATE reversals SET merchant_id = 1".to_owned(),
            22,
            "a reversal refers",
        ),
        (
            format!("UPDATE reversals SET merchant_id = 2 WHERE {of_a_payment}"),
            "UPDATE reversals SET merchant_id = 1".to_owned(),
            9,
            "nobody reversed it",
        ),
        (
            format!("UPDATE reversals SET merchant_id = 2 WHERE {nobodys}"),
            "UPDATE reversals SET merchant_id = 1".to_owned(),
            9,
            "nobody says why",
        ),
        (
            format!("UPDATE reversals SET kind = 'entered_wrongly' WHERE {of_a_payment}"),
            format!("UPDATE reversals SET kind = 'bounced' WHERE {of_a_payment}"),
            9,
            "says another reason",
        ),
        (
            "UPDATE unmatched_receipts SET reversed_at = NULL".to_owned(),
            format!(
                "UPDATE unmatched_receipts SET reversed_at = {} \
                 WHERE id IN (SELECT receipt_id FROM reversals WHERE {nobodys})",
                at(215).as_microsecond()
            ),
            3,
            "what has no place of a receipt",
        ),
        (
            "UPDATE entries SET account = 1200 WHERE account = 1000 AND side = 'credit' AND amount = 6000"
                .to_owned(),
            "UPDATE entries SET account = 1000 WHERE account = 1200 AND side = 'credit' AND amount = 6000"
                .to_owned(),
            9,
            "another way than it came",
        ),
        (
            "UPDATE audit SET act = 'payment.record' WHERE act = 'payment.reverse'".to_owned(),
            format!("UPDATE audit SET act = 'payment.reverse' WHERE id IN ({})", acts_of_reversals()),
            24,
            "a recorded receipt was reversed, and no audit row",
        ),
        (
            "UPDATE reversals SET reason = 'card 4242 4242 4242 4242'".to_owned(),
            "UPDATE reversals SET reason = 'The bank says so'".to_owned(),
            25,
            "the reason of a reversal",
        ),
    ] {
        tamper(&db, &sql).await;
        let report = verify(&store, &Options::default()).await.unwrap();
        let named = report.findings.iter().any(|one| one.invariant == invariant && one.what.contains(phrase));
        assert!(named, "{sql}: {phrase} is not named in {report:#?}");
        tamper(&db, &undo).await;
        let after = verify(&store, &Options::default()).await.unwrap();
        assert!(after.is_clean(), "{undo}: {after:#?}");
    }
    store.close().await.unwrap();
});

/// The two audit rows, by their times: no literal of an id is one on either engine.
fn acts_of_reversals() -> String {
    let times = [at(1214), at(1215)].map(|at| at.as_microsecond().to_string());
    format!("SELECT id FROM audit WHERE at IN ({})", times.join(", "))
}
