//! A person says how a payment ended: only where the processor was asked and has no answer, and its word counts afterwards.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::PaymentState::{
    self, Canceled, Failed, Processing, RequiresAction, Returned, Submitting, Succeeded, Unknown,
};
use billing::payment::resolve::CannotResolve as Rule;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::once::Ran;
use paydown::actions::resolve_payment::{CannotResolve, ResolvePayment, Word, resolve_payment};
use paydown::actions::submit_attempt::Submitted;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use store::audit::{self, acts};
use store::db::Tx;
use store::resolutions::{self, Resolution};

const PAGES: &str = "POST /v1/checkout/sessions";
const LIST: &str = "GET /v1/checkout/sessions";
const REASON: &str = "Their support says so, ticket 4711";

impl TestApp {
    /// One person says how a payment ended; `false`: it is settled, `true`: it waits for a second person.
    async fn say(
        &self,
        payment: PaymentId,
        word: Word,
        who: &str,
    ) -> Result<(PaymentState, bool), CannotResolve> {
        let input = ResolvePayment {
            merchant: self.merchant,
            payment,
            word,
            reason: REASON.to_owned(),
            actor: who.to_owned(),
        };
        match resolve_payment(&self.app, input, None).await.expect("a word is judged") {
            Ran::New(resolved) => Ok((resolved.payment.state, resolved.waits.is_some())),
            Ran::Refused(why) => Err(why),
            other => panic!("nothing was repeated: {other:?}"),
        }
    }

    /// Two people say how a payment ended.
    async fn resolve(&self, payment: PaymentId, word: Word) -> Result<PaymentState, CannotResolve> {
        match self.say(payment, word.clone(), "cli:lee").await? {
            (state, false) => Ok(state),
            (_, true) => {
                let (state, waits) = self.say(payment, word, "cli:dana").await?;
                assert!(!waits, "two have said the same");
                Ok(state)
            }
        }
    }

    /// The last word of a person on a payment.
    async fn said(&self, payment: PaymentId) -> Resolution {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| resolutions::latest(tx, merchant, payment).await;
        self.app.store.read(read).await.expect("words can be read").expect("somebody spoke")
    }

    /// The processor cannot be asked, and tells nothing by itself.
    async fn silence_processor(&self) {
        self.control("/webhooks", json!({ "mode": "lose" })).await;
        self.use_processor_key("sk_test_taken_back").await;
    }

    /// A payment of 400.00 whose outcome nobody knows; the processor has no page of it.
    async fn unknown_payment(&self) -> (InvoiceId, PaymentId) {
        self.sandbox
            .arm_fault(Fault { delay_ms: Some(20), ..Fault::once(PAGES, FaultKind::Status500Before) });
        let invoice = self.invoice(100_000).await;
        let payment = self.reserve(self.ask(invoice, 40_000)).await;
        assert_eq!(self.submit(payment).await, Submitted::State(Unknown));
        (invoice, payment)
    }

    /// What the processor has behind a payment's page.
    async fn charge_of(&self, payment: PaymentId) -> String {
        let session = self.session(payment).await;
        let read = async |path: String| -> Value {
            let url = format!("{}/v1/{path}", self.sandbox.base_url());
            let answer = self.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
            answer.json().await.expect("answers are JSON")
        };
        let session = read(format!("checkout/sessions/{session}")).await;
        let intent = session["payment_intent"].as_str().expect("it was paid").to_owned();
        let intent = read(format!("payment_intents/{intent}")).await;
        intent["latest_charge"].as_str().expect("it was charged").to_owned()
    }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn succeeded(charge_id: &str, minor: i64) -> Word {
    Word::Succeeded { charge_id: charge_id.to_owned(), captured: usd(minor) }
}

on_both_engines!(what_nobody_can_tell_is_given_up_by_a_person, async |app: &mut TestApp| {
    let (invoice, payment) = app.unknown_payment().await;
    app.silence_processor().await;
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "unknown keeps its hold");
    assert_eq!(app.resolve(payment, Word::Failed).await, Ok(Failed));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.history(payment).await, [Submitting, Unknown, Failed]);
    assert_eq!(app.anomalies(payment).await, ["resolved_by_hand"]);
    let said = app.said(payment).await;
    assert_eq!((said.actor.as_str(), said.reason.as_str(), said.state), ("cli:dana", REASON, Failed));
    assert!(said.unanswered.is_some() && said.answered_at.is_none(), "{said:?}");
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| audit::list_by_object(tx, merchant, &payment.to_string(), 10).await;
    let trail = app.app.store.read(read).await.expect("the trail can be read");
    // Both are of one instant.
    let mut rows: Vec<_> = trail.iter().map(|row| (row.act.as_str(), row.actor.as_str())).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(acts::PAYMENT_PROPOSE, "cli:lee"), (acts::PAYMENT_RESOLVE, "cli:dana")]);
    let booked = trail.iter().find(|row| row.act == acts::PAYMENT_RESOLVE).expect("it is booked");
    assert!(booked.after.contains("cli:lee"), "{trail:?}");
    assert!(booked.before.contains("unknown") && booked.after.contains(REASON), "{trail:?}");

    // Said twice it is refused, and the processor is asked on until it has said the same.
    assert_eq!(app.resolve(payment, Word::Failed).await, Err(Rule::Ended(Failed).into()));
    app.settle_after(SignedDuration::from_mins(6)).await;
    assert_eq!(app.said(payment).await.answered_at, None);
    app.use_processor_key(PROCESSOR_KEY).await;
    for _ in 0..3 {
        app.settle_after(SignedDuration::from_hours(25)).await;
    }
    assert!(
        app.said(payment).await.answered_at.is_some(),
        "its list has no such page, long after the last life of one"
    );
    assert_eq!(app.next_due_at().await, None, "nobody asks any more");
    assert_eq!((app.state(payment).await, app.figures(invoice).await), (Failed, (100_000, 0, 0)));
});

on_both_engines!(one_person_alone_settles_nothing, async |app: &mut TestApp| {
    let (invoice, payment) = app.unknown_payment().await;
    app.silence_processor().await;
    assert_eq!(app.say(payment, Word::Failed, "cli:lee").await, Ok((Unknown, true)));
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "it keeps its hold");
    assert_eq!(app.say(payment, Word::Failed, "cli:lee").await, Err(CannotResolve::SamePerson));
    // Another word takes its place, whoever says it; what counts is that two say the same, one after the other.
    assert_eq!(app.say(payment, Word::Canceled, "key:key_1").await, Ok((Unknown, true)));
    assert_eq!(app.say(payment, Word::Failed, "cli:lee").await, Ok((Unknown, true)));
    assert_eq!(app.say(payment, succeeded("ch_1", 40_000), "cli:dana").await, Ok((Unknown, true)));
    assert_eq!(app.say(payment, succeeded("ch_1", 39_999), "cli:lee").await, Ok((Unknown, true)));
    assert_eq!(app.say(payment, succeeded("ch_2", 39_999), "cli:dana").await, Ok((Unknown, true)));
    assert_eq!(app.anomalies(payment).await, [""; 0]);
    assert_eq!(app.say(payment, succeeded("ch_2", 39_999), "cli:lee").await, Ok((Succeeded, false)));
    assert_eq!(app.figures(invoice).await.2, 39_999);
    assert_eq!(app.said(payment).await.actor, "cli:lee");
    // What the processor contradicts is taken back by one.
    app.use_processor_key(PROCESSOR_KEY).await;
    for _ in 0..3 {
        app.settle_after(SignedDuration::from_hours(25)).await;
    }
    assert_eq!(app.say(payment, Word::TakenBack, "cli:lee").await, Ok((Returned, false)));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    app.settle_after(SignedDuration::from_hours(25)).await;
});

on_both_engines!(the_processor_is_asked_when_the_second_person_speaks_too, async |app: &mut TestApp| {
    app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(PAGES, FaultKind::Status500After) });
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    app.sandbox.arm_fault(Fault { times: 1_000, ..Fault::once(LIST, FaultKind::Status500Before) });
    assert_eq!(app.submit(payment).await, Submitted::State(Unknown));
    assert_eq!(app.say(payment, Word::Failed, "cli:lee").await, Ok((Unknown, true)));
    app.disarm_faults().await;
    let refused = app.say(payment, Word::Failed, "cli:dana").await;
    assert_eq!(refused, Err(Rule::Answered(RequiresAction).into()));
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
});

on_both_engines!(nobodys_word_is_taken_while_the_processor_answers, async |app: &mut TestApp| {
    // It has the page, though its answer was lost.
    app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(PAGES, FaultKind::Status500After) });
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    assert_eq!(app.submit(payment).await, Submitted::State(Unknown));
    for word in [Word::Failed, Word::Canceled, succeeded("ch_1", 40_000)] {
        assert_eq!(app.resolve(payment, word).await, Err(Rule::Answered(RequiresAction).into()));
    }
    assert_eq!(app.state(payment).await, RequiresAction, "what it answered is applied");
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.card(payment, VISA).await;
    assert_eq!(app.resolve(payment, Word::Failed).await, Err(Rule::Answered(Succeeded).into()));
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.anomalies(payment).await, [""; 0]);
    assert_eq!(app.resolve(payment, Word::TakenBack).await, Err(Rule::NotSaid.into()));
});

on_both_engines!(what_may_go_its_way_is_waited_for, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.silence_processor().await;
    let refused = app.resolve(payment, Word::Canceled).await;
    assert!(matches!(refused, Err(CannotResolve::Rule(Rule::NotYet { .. }))), "{refused:?}");
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.state(payment).await, RequiresAction, "silence proves nothing");
    let card = "4242 4242 4242 4242";
    for (reason, why) in [(" ", CannotResolve::NoReason), (card, CannotResolve::CardNumber)] {
        let input = ResolvePayment {
            merchant: app.merchant,
            payment,
            word: Word::Canceled,
            reason: reason.to_owned(),
            actor: "cli:dana".to_owned(),
        };
        let ran = resolve_payment(&app.app, input, None).await.expect("a word is judged");
        assert!(matches!(ran, Ran::Refused(ref refused) if *refused == why), "{ran:?}");
    }
    assert_eq!(app.resolve(payment, Word::Canceled).await, Ok(Canceled));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert!(app.said(payment).await.answered_at.is_some(), "the page has ended, and it says so");
    assert_eq!(app.anomalies(payment).await, ["resolved_by_hand"]);
});

on_both_engines!(money_after_a_person_gave_up_is_booked, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.silence_processor().await;
    app.card(payment, VISA).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.resolve(payment, Word::Failed).await, Ok(Failed));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.state(payment).await, Succeeded, "nobody hinted at it: we went on asking");
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.anomalies(payment).await, ["ghost_capture", "resolved_by_hand"]);
    assert!(app.said(payment).await.answered_at.is_some());
});

// The page was made, its answer was lost, and a person gives the payment up: the page is not even known by its name.
on_both_engines!(a_page_nobody_knew_of_is_found_after_a_person_gave_up, async |app: &mut TestApp| {
    app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(PAGES, FaultKind::Status500After) });
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    app.sandbox.arm_fault(Fault { times: 1_000, ..Fault::once(LIST, FaultKind::Status500Before) });
    assert_eq!(app.submit(payment).await, Submitted::State(Unknown));
    assert_eq!(app.resolve(payment, Word::Canceled).await, Ok(Canceled));
    assert_eq!(app.attempt(payment).await.session_id, None);
    app.disarm_faults().await;
    app.settle_after(SignedDuration::from_mins(6)).await;
    assert_eq!(app.page_status(payment).await, "expired", "nobody may pay on it any more");
    assert!(app.said(payment).await.answered_at.is_some());
    assert_eq!((app.state(payment).await, app.figures(invoice).await), (Canceled, (100_000, 0, 0)));
});

on_both_engines!(a_person_books_what_the_processor_captured, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let other = app.pay_with_visa(invoice, 10_000).await;
    let taken = app.charge_of(other).await;
    let payment = app.pay(invoice, 40_000).await;
    app.silence_processor().await;
    app.card(payment, VISA).await;
    let charge = app.charge_of(payment).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.resolve(payment, succeeded(&taken, 40_000)).await, Err(CannotResolve::ChargeTaken(other)));
    assert_eq!(app.resolve(payment, succeeded(&charge, 40_000)).await, Ok(Succeeded));
    assert_eq!(app.figures(invoice).await, (50_000, 0, 50_000));
    assert!(app.receipt(payment).await.is_some());
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert!(app.said(payment).await.answered_at.is_some());
    assert_eq!(app.anomalies(payment).await, ["resolved_by_hand"], "both say the same");
    assert!(app.attempt(payment).await.balance_transaction_id.is_some(), "its fee is booked");
    let taken_back = app.resolve(payment, Word::TakenBack).await;
    assert_eq!(taken_back, Err(Rule::Answered(Succeeded).into()));
});

on_both_engines!(a_word_that_was_wrong_is_named_and_taken_back, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.silence_processor().await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.resolve(payment, succeeded("ch_never", 40_000)).await, Ok(Succeeded));
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.resolve(payment, Word::TakenBack).await, Err(Rule::MustBeAsked.into()));
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.state(payment).await, Succeeded, "the books change by a person's hand only");
    assert_eq!(app.anomalies(payment).await, ["resolution_contradicted", "resolved_by_hand"]);
    assert_eq!(app.resolve(payment, Word::TakenBack).await, Ok(Returned));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "owed again");
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.next_due_at().await, None, "nobody asks any more");
});

// A bank takes days, so a person waits for days; then a debit can be given up, and what it brings all the same is booked.
on_both_engines!(a_debit_that_nobody_tells_about_is_given_up_by_a_person, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.debit(invoice, 40_000, "000123456789").await;
    assert_eq!(app.state(payment).await, Processing);
    app.silence_processor().await;
    app.settle_after(SignedDuration::from_hours(4 * 24)).await;
    let early = app.resolve(payment, Word::Failed).await;
    assert!(matches!(early, Err(CannotResolve::Rule(Rule::NotYet { .. }))), "{early:?}");
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.anomalies(payment).await, [""; 0], "a slow bank is no riddle yet");
    assert_eq!(app.resolve(payment, Word::Failed).await, Ok(Failed));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(5 * 24)).await;
    assert_eq!(app.state(payment).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.anomalies(payment).await, ["ghost_capture", "resolved_by_hand"]);
});
