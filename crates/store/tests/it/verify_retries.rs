//! Is `verify` honest about debits that were presented again? Books with one that came back twice and is on its way for the third time
//! are right; then each rule is broken by hand, past every guard, and has to be named.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, at, customer, id};
use crate::tamper::tamper;
use anyhow::Result;
use billing::bank_return::ReturnKind;
use billing::ids::*;
use billing::payment::{Method, PaymentState};
use ledger::{Currency, Money};
use store::both_engines;
use store::db::{Store, Tx};
use store::payments::{self, Ending, Payment};
use store::reservations::{self, Reservation, ReservationEnd};
use store::retries;
use store::testing::TestDatabase;
use store::verify::{Options, verify};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn invoice() -> InvoiceId {
    id!(InvoiceId, 220)
}

fn first() -> PaymentId {
    id!(PaymentId, 221)
}

async fn open(db: &TestDatabase) -> Store {
    let store = books::open(db).await;
    store.write(async move |tx: &mut Tx| fill(tx).await).await.unwrap();
    books::seal(&store).await;
    store
}

async fn fill(tx: &mut Tx) -> Result<()> {
    books::invoice(tx, 220, "INV-220", "open", 10_000, (10_000, 4_000, 0)).await?;
    for (minute, retry_of) in [(221, None), (222, Some(first())), (223, Some(first()))] {
        let state = match minute {
            223 => PaymentState::Processing,
            _ => PaymentState::Failed,
        };
        debit(tx, minute, retry_of, state).await?;
    }
    Ok(())
}

async fn debit(tx: &mut Tx, minute: i64, retry_of: Option<PaymentId>, state: PaymentState) -> Result<()> {
    let id = id!(PaymentId, minute);
    let row = Payment {
        method: Method::UsBankAccount,
        retry_of,
        ..Payment::submitting(M, id, customer(), usd(4_000), at(minute))
    };
    payments::insert_first(tx, &row, "the payer pressed pay").await?;
    let hold = Reservation { payment_id: id, invoice_id: invoice(), amount_minor: 4_000, live: true };
    reservations::insert(tx, M, &hold, at(minute)).await?;
    payments::set_state(tx, &row, PaymentState::Processing, "the processor's answer", at(minute)).await?;
    if state == PaymentState::Failed {
        let row = payments::find(tx, M, id).await?.unwrap();
        payments::set_state(tx, &row, state, "webhook", at(minute)).await?;
        payments::set_ending(tx, M, id, Ending::Declined).await?;
        payments::set_return_code(tx, M, id, "R01").await?;
        reservations::end(tx, M, id, ReservationEnd::Released, at(minute)).await?;
    }
    Ok(())
}

both_engines!(presentments_of_one_debit_are_told_from_others, async |db: TestDatabase| {
    let store = open(&db).await;
    let told = store.write(async move |tx: &mut Tx| {
        let all = retries::presented(tx, M, first()).await?;
        let kinds: Vec<_> = all.iter().map(|one| (one.total.minor(), one.returned())).collect();
        let back = Some(ReturnKind::NotEnoughMoney);
        assert_eq!(kinds, [(4_000, back), (4_000, back), (4_000, None)]);
        assert_eq!(all[2].retry_of, Some(first()));
        let saved = PaymentMethodId::from_bytes([9; 16]);
        assert_eq!(retries::latest(tx, M, invoice(), saved).await?, None, "of no saved account");
        Ok(())
    });
    told.await.unwrap();
    store.close().await.unwrap();
});

both_engines!(what_is_broken_around_retries_is_named, async |db: TestDatabase| {
    let store = open(&db).await;
    let before = verify(&store, &Options::default()).await.unwrap();
    assert!(before.is_clean(), "{before:#?}");
    let one = |minute: i64| format!("created_at = {}", at(minute).as_microsecond());
    let root = format!("(SELECT id FROM payments WHERE {})", one(221));
    let late = at(221).as_microsecond() + 15_552_000_000_001;
    let retried = "retry_of IS NOT NULL";
    for (sql, undo, invariant, phrase) in [
        (
            format!("UPDATE payments SET retry_of = {root} WHERE method = 'card' AND state = 'failed'"),
            "UPDATE payments SET retry_of = NULL WHERE method = 'card'".to_owned(),
            27,
            "more than twice",
        ),
        (
            format!("UPDATE payments SET surcharge = surcharge + 1 WHERE {}", one(222)),
            format!("UPDATE payments SET surcharge = surcharge - 1 WHERE {}", one(222)),
            27,
            "for another amount",
        ),
        (
            format!("UPDATE payments SET method = 'sepa_debit' WHERE {}", one(222)),
            format!("UPDATE payments SET method = 'us_bank_account' WHERE {}", one(222)),
            27,
            "by other means",
        ),
        (
            format!("UPDATE payments SET send_at = {late} WHERE {}", one(223)),
            format!("UPDATE payments SET send_at = NULL WHERE {}", one(223)),
            27,
            "after more than 180 days",
        ),
        (
            format!(
                "UPDATE payments SET retry_of = (SELECT id FROM payments WHERE {}) WHERE {}",
                one(223),
                one(222)
            ),
            format!("UPDATE payments SET retry_of = {root} WHERE {}", one(222)),
            27,
            "had not come back",
        ),
        (
            format!(
                "UPDATE payments SET retry_of = (SELECT id FROM contacts WHERE merchant_id = 1) WHERE {retried}"
            ),
            format!("UPDATE payments SET retry_of = {root} WHERE {retried}"),
            22,
            "a payment presents one again",
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
