//! Refunds in the books, and whether `verify` notices each way in which they can be wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, act, at, customer, grant, id, partly_paid, post};
use crate::tamper::tamper;
use anyhow::Result;
use billing::chart::{self, Channel, Paid, Processor};
use billing::ids::*;
use billing::refund::{RefundMeaning, RefundState};
use billing::take_back::{Allocated, Taken};
use ledger::{Currency, Money};
use store::allocations::{self, Allocation};
use store::audit::acts;
use store::both_engines;
use store::db::{Store, Tx};
use store::invoices::{self, Shift};
use store::refunds::{
    self, Approval, Refund, RefundCall, RefundLearned, RefundOrigin, RefundPart, RefundPlace, RefundSource,
    RefundsOf,
};
use store::testing::TestDatabase;
use store::verify::{Options, VerifyReport, verify};
use store::{grants, refund_limits};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// Half of a card payment, sent and paid.
fn of_card() -> Refund {
    let key = "paydown-refund-1".to_owned();
    Refund {
        merchant: M,
        id: id!(RefundId, 300),
        source: RefundSource::Payment,
        channel: Channel::Processor(Processor::Stripe),
        origin: RefundOrigin::Asked,
        customer_id: customer(),
        payment_id: Some(id!(PaymentId, 20)),
        invoice_id: None,
        amount: usd(20_595),
        meaning: Some(RefundMeaning::OwedAgain),
        state: RefundState::Requested,
        reason: "half of it".to_owned(),
        requested_by: "cli:dana".to_owned(),
        approval: Approval::NotNeeded,
        call: Some(RefundCall {
            processor_key: key,
            route: "POST /v1/refunds".into(),
            body: "amount=20595".into(),
        }),
        calls: 0,
        server_errors: 0,
        called_at: None,
        learned: RefundLearned::default(),
        paid: None,
        created_at: at(300),
        changed_at: at(300),
    }
}

/// A part of the customer's credit, approved and still to be paid from the bank.
fn of_credit() -> Refund {
    Refund {
        id: id!(RefundId, 310),
        source: RefundSource::Credit,
        channel: Channel::Bank,
        payment_id: None,
        amount: usd(1_000),
        meaning: None,
        approval: Approval::Waiting,
        call: None,
        created_at: at(310),
        changed_at: at(310),
        ..of_card()
    }
}

async fn fill(tx: &mut Tx) -> Result<()> {
    let refund = of_card();
    let payment = id!(PaymentId, 20);
    let taken = Taken {
        allocated: vec![Allocated { invoice: partly_paid(), amount_minor: 20_000 }],
        surcharge_minor: 595,
        ..Taken::default()
    };
    let part = |place, amount_minor| RefundPart { place, payment_id: Some(payment), amount_minor };
    let parts = [part(RefundPlace::Surcharge, 595), part(RefundPlace::Allocated(partly_paid()), 20_000)];
    refunds::insert(tx, &refund, &parts).await?;
    let paid = Paid { customer: customer(), payment, currency: Currency::USD };
    let asked = chart::refund_asked(&paid, refund.id, &taken)?;
    post(tx, 400, "refund_asked", &refund.id.to_string(), &asked, None).await?;
    let allocation = Allocation {
        id: id!(AllocationId, 300),
        payment_id: Some(payment),
        grant_id: None,
        application_id: None,
        invoice_id: partly_paid(),
        amount_minor: -20_000,
        posting_id: id!(PostingId, 400),
        at: at(300),
    };
    allocations::insert(tx, M, &allocation).await?;
    let shift = Shift { open_minor: 20_000, pending_minor: 0, paid_minor: -20_000 };
    invoices::shift(tx, M, partly_paid(), shift, at(300)).await?;
    act(tx, 300, acts::REFUND_REQUEST, &refund.id.to_string()).await?;
    refunds::set_state(tx, &refund, RefundState::Submitting, "sent", at(301)).await?;
    let sent = Refund { state: RefundState::Submitting, changed_at: at(301), ..refund };
    let learned = RefundLearned { processor_refund_id: Some("re_1".into()), ..RefundLearned::default() };
    refunds::learn(tx, M, sent.id, &learned).await?;
    refunds::set_state(tx, &sent, RefundState::Succeeded, "paid", at(302)).await?;
    let succeeded = chart::refund_succeeded(sent.id, sent.channel, sent.amount)?;
    post(tx, 401, "refund_succeeded", &sent.id.to_string(), &succeeded, None).await?;
    credit(tx).await?;
    refund_limits::put(tx, M, usd(500)).await?;
    act(tx, 320, acts::REFUND_LIMIT_SET, "refund_limit.USD").await
}

async fn credit(tx: &mut Tx) -> Result<()> {
    let refund = of_credit();
    let place = RefundPlace::Grant { grant: grant(), born_on: None };
    let part = RefundPart { place, payment_id: Some(id!(PaymentId, 25)), amount_minor: 1_000 };
    refunds::insert(tx, &refund, &[part]).await?;
    let asked = chart::credit_refund_asked(customer(), refund.id, usd(1_000), &[(grant(), usd(1_000))])?;
    post(tx, 402, "refund_asked", &refund.id.to_string(), &asked, None).await?;
    grants::spend(tx, M, grant(), 1_000).await?;
    act(tx, 310, acts::REFUND_REQUEST, &refund.id.to_string()).await?;
    assert!(refunds::approve(tx, M, refund.id, "cli:lee", at(311)).await?);
    act(tx, 311, acts::REFUND_APPROVE, &refund.id.to_string()).await
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

async fn must_name(db: &TestDatabase, sql: &str, invariant: u8, phrase: &str) {
    let store = open(db).await;
    let before = look(&store).await;
    assert!(before.is_clean(), "{before:#?}");
    tamper(db, sql).await;
    let report = look(&store).await;
    let named = report.findings.iter().any(|one| one.invariant == invariant && one.what.contains(phrase));
    assert!(named, "{invariant} ({phrase}) is not named in {report:#?}");
    store.close().await.unwrap();
}

macro_rules! breaks {
    ($($name:ident: $invariant:literal, $phrase:literal, $sql:literal;)*) => {$(
        both_engines!($name, async |db: TestDatabase| {
            must_name(&db, $sql, $invariant, $phrase).await;
        });
    )*};
}

breaks! {
    an_ended_refund_whose_account_is_not_empty: 13, "a refund has ended, and its account 2300 is not at 0",
        "UPDATE refunds SET state = 'failed' WHERE state = 'requested'";
    a_refund_in_flight_of_another_amount: 14, "a refund is in flight, and its account 2300 does not hold its amount",
        "UPDATE refunds SET amount = amount + 1 WHERE state = 'requested'";
    an_entry_of_no_refund: 14, "an entry on 2300 names no refund",
        "UPDATE entries SET subject = (SELECT id FROM contacts) WHERE account = 2300 AND side = 'debit'";
    a_refund_in_another_currency: 14, "one in another currency",
        "UPDATE refunds SET currency = 'EUR' WHERE state = 'succeeded'";
    a_refund_that_is_not_its_parts: 13, "the parts of a refund are not its amount",
        "UPDATE refund_parts SET amount = amount - 1 WHERE place = 'surcharge'";
    more_back_than_was_captured: 13, "more was sent back through a charge than it captured",
        "UPDATE refunds SET amount = 41191 WHERE state = 'succeeded'";
    a_refund_without_a_name: 13, "is not known by its name there",
        "UPDATE refunds SET processor_refund_id = NULL WHERE state = 'succeeded'";
    money_that_was_refunded_and_is_still_there: 12, "what was captured",
        "DELETE FROM refund_parts WHERE place = 'surcharge'";
    a_gap_in_the_history_of_a_refund: 17, "the history of a refund has a gap",
        "DELETE FROM refund_states WHERE state = 'submitting'";
    a_refund_in_another_state_than_its_history: 17, "the history of a refund does not end in its state",
        "UPDATE refunds SET state = 'unknown' WHERE state = 'requested'";
    a_step_of_a_refund_before_the_one_before: 17, "a step of a refund is earlier",
        "UPDATE refund_states SET at = 1 WHERE state = 'succeeded'";
    a_step_that_no_refund_takes: 17, "the history of a refund has the step from",
        "UPDATE refund_states SET state = 'canceled' WHERE state = 'submitting'";
    a_refund_that_nobody_asked_for: 24, "a refund was asked for, approved or paid",
        "DELETE FROM audit WHERE act = 'refund.request'";
    a_refund_that_nobody_approved: 24, "a refund was asked for, approved or paid",
        "DELETE FROM audit WHERE act = 'refund.approve'";
    a_refund_that_nobody_paid: 24, "a refund was asked for, approved or paid",
        "UPDATE refunds SET state = 'succeeded' WHERE state = 'requested'";
    a_limit_that_nobody_set: 24, "an amount above which refunds are approved",
        "DELETE FROM audit WHERE act = 'refund_limit.set'";
    a_refund_of_a_strangers_customer: 22, "a refund refers to a customer",
        "UPDATE refunds SET customer_id = (SELECT id FROM contacts) WHERE state = 'requested'";
    a_part_of_no_grant: 22, "a part of a refund refers to a grant",
        "UPDATE refund_parts SET grant_id = (SELECT id FROM contacts) WHERE place = 'grant'";
    a_step_of_no_refund: 22, "a step of a refund's history refers to",
        "UPDATE refund_states SET refund_id = (SELECT id FROM contacts) WHERE state = 'submitting'";
    a_card_number_in_a_reason: 25, "the reason or reference of a refund",
        "UPDATE refunds SET reason = 'to 4242 4242 4242 4242' WHERE state = 'requested'";
}

both_engines!(refunds_are_found_as_they_were_kept, async |db: TestDatabase| {
    let store = open(&db).await;
    let read = store.read(async move |tx: &mut Tx| {
        let card = refunds::find(tx, M, id!(RefundId, 300)).await?.unwrap();
        let by_name = refunds::find_by_processor_id(tx, M, "re_1").await?;
        let parts = refunds::parts(tx, M, card.id).await?;
        let newest = refunds::newest(tx, M, RefundsOf::Customer(customer()), None, 10).await?;
        let waiting = refunds::list(tx, M, None, (true, 10)).await?;
        let taken = refunds::taken_of(tx, M, id!(PaymentId, 20)).await?;
        let sent = refunds::sent_through(tx, M, id!(PaymentId, 25)).await?;
        let of_invoice = refunds::of_invoice(tx, M, partly_paid()).await?;
        let steps = refunds::history(tx, M, card.id).await?;
        Ok((card, by_name, parts, newest, waiting, taken, sent, of_invoice, steps))
    });
    let (card, by_name, parts, newest, waiting, taken, sent, of_invoice, steps) = read.await.unwrap();
    assert_eq!((card.state, by_name), (RefundState::Succeeded, Some(card.id)));
    assert_eq!(card.call, of_card().call);
    assert_eq!(parts.iter().map(|part| part.amount_minor).collect::<Vec<_>>(), [595, 20_000]);
    assert_eq!(newest.iter().map(|refund| refund.id).collect::<Vec<_>>(), [id!(RefundId, 310), card.id]);
    assert_eq!(waiting.iter().map(|refund| refund.id).collect::<Vec<_>>(), [id!(RefundId, 310)]);
    assert_eq!(waiting[0].approval, Approval::Given { by: "cli:lee".into(), at: at(311) });
    assert_eq!((taken, sent), (20_595, 0));
    assert_eq!(of_invoice.iter().map(|row| row.amount_minor).collect::<Vec<_>>(), [20_000]);
    assert_eq!(steps.iter().map(|step| step.number).collect::<Vec<_>>(), [1, 2, 3]);
    let write = store.write(async move |tx: &mut Tx| {
        let reworded = Refund { reason: "another".into(), ..of_card() };
        refunds::insert(tx, &reworded, &[]).await
    });
    assert!(write.await.is_err(), "one id, one refund");
    store.close().await.unwrap();
});
