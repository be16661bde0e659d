//! Payouts in the books: what `verify` says of right ones, and of each way in which they can be wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, at, id};
use crate::tamper::{loosen, tamper};
use anyhow::Result;
use billing::chart::{self, Processor};
use billing::ids::*;
use billing::payout::PayoutState;
use ledger::{Currency, Money, Posting};
use store::both_engines;
use store::db::{Store, Tx};
use store::payouts::items::{self, About, Item, Known};
use store::payouts::{self, Payout};
use store::postings::{self, CauseKind, NewPosting};
use store::testing::TestDatabase;
use store::verify::{Options, VerifyReport, verify};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn payout(minute: i64, amount_minor: i64) -> Payout {
    Payout {
        id: id!(PayoutId, minute),
        processor: "stripe".to_owned(),
        processor_payout_id: format!("po_{minute}"),
        state: PayoutState::InTransit,
        amount: usd(amount_minor),
        balance: usd(amount_minor),
        is_automatic: true,
        made_at: at(minute),
        arrives_at: at(minute + 1_440),
        statement: None,
        failure_code: None,
        failure_message: None,
        reconciled_at: None,
        unreconciled_because: None,
        created_at: at(minute),
        changed_at: at(minute),
    }
}

fn item(line_id: &str, amount_minor: i64, fee_minor: i64, about: About) -> Item {
    Item {
        line_id: line_id.to_owned(),
        kind: "charge".to_owned(),
        word: "charge".to_owned(),
        amount: usd(amount_minor),
        fee_minor,
        source_id: Some("ch_1".to_owned()),
        known: Some(Known { about, subject: None, payment_id: None }),
        made_at: at(300),
    }
}

async fn post(tx: &mut Tx, minute: i64, cause: CauseKind, of: PayoutId, posting: Posting) -> Result<()> {
    let (id, cause_id) = (id!(PostingId, minute), of.to_string());
    let new =
        NewPosting { id, cause, cause_id: &cause_id, reverses: None, posting: &posting, at: at(minute) };
    postings::insert_first(tx, M, &new).await
}

/// One payout that was paid and reconciled, one in flight, and one that a person asked for.
async fn fill(tx: &mut Tx) -> Result<()> {
    let paid = payout(400, 9_700);
    payouts::insert(tx, M, &paid, "webhook").await?;
    let created = chart::payout_created(paid.id, Processor::Stripe, paid.amount)?.unwrap();
    post(tx, 401, CauseKind::PayoutCreated, paid.id, created).await?;
    items::put(tx, M, paid.id, &item("txn_1", 10_000, 290, About::Payment)).await?;
    items::put(tx, M, paid.id, &item("txn_2", -10, 0, About::Fee)).await?;
    payouts::set_reconciled(tx, M, paid.id, Ok(at(402))).await?;
    payouts::set_state(tx, M, &paid, (PayoutState::Paid, "webhook"), (None, None), at(403)).await?;
    let arrived = chart::payout_paid(paid.id, paid.amount)?.unwrap();
    post(tx, 403, CauseKind::PayoutPaid, paid.id, arrived).await?;
    for (minute, amount_minor, is_automatic) in [(410, 500, true), (420, -300, false)] {
        let in_flight = Payout { is_automatic, ..payout(minute, amount_minor) };
        payouts::insert(tx, M, &in_flight, "webhook").await?;
        let created = chart::payout_created(in_flight.id, Processor::Stripe, in_flight.amount)?.unwrap();
        post(tx, minute, CauseKind::PayoutCreated, in_flight.id, created).await?;
    }
    Ok(())
}

async fn open(db: &TestDatabase) -> Store {
    let store = books::open(db).await;
    store.write(async move |tx: &mut Tx| fill(tx).await).await.unwrap();
    books::seal(&store).await;
    store
}

async fn look(store: &Store) -> VerifyReport {
    verify(store, &Options::default()).await.unwrap()
}

async fn must_name(db: &TestDatabase, loose: &[&str], sql: &str, invariant: u8, phrase: &str) {
    let store = open(db).await;
    for table in loose {
        loosen(db, table).await;
    }
    let before = look(&store).await;
    assert!(before.is_clean(), "{before:#?}");
    tamper(db, sql).await;
    let report = look(&store).await;
    let named = report.findings.iter().any(|one| one.invariant == invariant && one.what.contains(phrase));
    assert!(named, "{invariant} ({phrase}) is not named in {report:#?}");
    store.close().await.unwrap();
}

macro_rules! breaks {
    ($($name:ident: $invariant:literal, $phrase:literal, $([$($loose:literal),*],)? $sql:literal;)*) => {$(
        both_engines!($name, async |db: TestDatabase| {
            must_name(&db, &[$($($loose),*)?], $sql, $invariant, $phrase).await;
        });
    )*};
}

breaks! {
    a_payout_beyond_sums: 15, "amount of a payout has more than 15 digits",
        "UPDATE payouts SET amount = 9223372036854775807";
    an_item_beyond_sums: 15, "item has more than 15 digits",
        "UPDATE payout_items SET net = 9223372036854775807";
    a_payout_paid_that_1300_has_in_flight: 14, "does not hold what a payout has in flight",
        "UPDATE payouts SET state = 'paid' WHERE processor_payout_id = 'po_410'";
    a_payout_of_another_amount: 14, "does not hold what a payout has in flight",
        "UPDATE payouts SET amount = amount + 1 WHERE processor_payout_id = 'po_410'";
    transit_of_no_payout: 14, "is of no payout",
        "UPDATE entries SET subject = (SELECT id FROM contacts) WHERE account = 1300";
    transit_in_another_currency: 14, "in another currency than its payout",
        "UPDATE payouts SET currency = 'EUR' WHERE processor_payout_id = 'po_410'";
    a_payout_without_a_posting: 14, "has no posting",
        "UPDATE entries SET account = 1250 WHERE account = 1300";
    a_payout_that_is_not_its_items: 15, "is not the sum of its items",
        "UPDATE payout_items SET amount = amount + 1, net = net + 1 WHERE line_id = 'txn_1'";
    an_item_that_is_gone: 15, "is not the sum of its items",
        "DELETE FROM payout_items WHERE line_id = 'txn_2'";
    an_item_of_nothing: 15, "belongs to nothing",
        "UPDATE payout_items SET about = NULL WHERE line_id = 'txn_2'";
    an_item_in_another_currency: 15, "is in another currency",
        "UPDATE payout_items SET currency = 'EUR' WHERE line_id = 'txn_2'";
    an_item_in_two_payouts: 15, "more than one", ["payout_items"],
        "INSERT INTO payout_items SELECT merchant_id, line_id, (SELECT id FROM payouts WHERE processor_payout_id = 'po_410'), \
         kind, word, currency, amount, fee, net, source_id, about, subject, payment_id, made_at FROM payout_items \
         WHERE line_id = 'txn_2'";
    an_item_whose_fee_is_lost: 15, "does not leave its amount less its fee",
        "UPDATE payout_items SET fee = fee + 1 WHERE line_id = 'txn_1'";
    a_payout_by_hand_with_items: 15, "a person asked for",
        "UPDATE payouts SET is_automatic = 0 WHERE processor_payout_id = 'po_400'";
    a_history_of_a_payout_with_a_gap: 17, "the history of a payout has a gap",
        "UPDATE payout_states SET number = 3 WHERE number = 2";
    a_history_of_a_payout_that_ends_elsewhere: 17, "does not end in its state",
        "UPDATE payout_states SET state = 'failed' WHERE number = 2";
    a_step_of_a_payout_that_is_not_allowed: 17, "from failed to paid",
        "UPDATE payout_states SET state = 'failed' WHERE number = 1 \
         AND payout_id = (SELECT id FROM payouts WHERE processor_payout_id = 'po_400')";
    a_step_of_a_payout_that_falls: 17, "is earlier than the one before",
        "UPDATE payout_states SET at = 0 WHERE number = 2";
    an_item_of_a_strange_payout: 22, "refers to a payment or payout",
        "UPDATE payout_items SET payout_id = (SELECT id FROM contacts) WHERE line_id = 'txn_2'";
    an_item_of_a_strange_payment: 22, "refers to a payment or payout",
        "UPDATE payout_items SET payment_id = (SELECT id FROM contacts) WHERE line_id = 'txn_2'";
    a_step_of_a_strange_payout: 22, "a step of a payout's history",
        "UPDATE payout_states SET payout_id = (SELECT id FROM contacts) WHERE number = 2";
    a_payout_of_no_merchant: 22, "rows belong to a merchant that does not exist",
        "UPDATE payouts SET merchant_id = 99 WHERE processor_payout_id = 'po_420'";
}

both_engines!(right_payouts_are_found_right, async |db: TestDatabase| {
    let store = open(&db).await;
    let report = look(&store).await;
    assert!(report.is_clean() && report.unsealed.is_empty(), "{report:#?}");
    store.close().await.unwrap();
});

both_engines!(a_line_is_in_one_payout_with_one_sum, async |db: TestDatabase| {
    let store = open(&db).await;
    let put = async |payout: PayoutId, item: Item| {
        store.write(async move |tx: &mut Tx| items::put(tx, M, payout, &item).await).await.unwrap()
    };
    let known = item("txn_1", 10_000, 290, About::Return);
    assert!(put(id!(PayoutId, 400), known.clone()).await, "the same again tells what it belongs to");
    assert!(!put(id!(PayoutId, 410), known).await, "another payout's");
    assert!(!put(id!(PayoutId, 400), item("txn_1", 10_000, 291, About::Payment)).await, "another sum");
    let list = store.read(async |tx: &mut Tx| items::list(tx, M, id!(PayoutId, 400)).await).await.unwrap();
    let nets: Vec<_> = list.iter().map(|item| (item.net(), item.known.as_ref().unwrap().about)).collect();
    assert_eq!(nets, [(usd(9_710), About::Return), (usd(-10), About::Fee)]);
    store.close().await.unwrap();
});
