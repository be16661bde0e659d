//! A webhook is only a hint of where to look: early, late, twice, out of order, lost or forged, the end is the same.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp, WEBHOOK_SECRET, WEBHOOK_SECRET_BEFORE};
use billing::payment::PaymentState::{RequiresAction, Submitting, Succeeded};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use paydown::actions::apply_event::{Received, receive_webhook};
use paydown::actions::run_jobs;
use paydown::actions::submit_attempt::Submitted;
use paydown::processors::STRIPE;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use sha2::Sha256;
use store::db::Tx;
use store::inbox::{self, InboxState};
use store::processor_accounts;

/// Pays 400.00 of 1,000.00 while webhooks are treated in this manner, and finds it booked once.
async fn is_booked_once_under(app: &TestApp, mode: &str) {
    app.control("/webhooks", json!({ "mode": mode })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded]);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
}

on_both_engines!(webhooks_that_come_twice_are_stored_once, async |app: &mut TestApp| {
    is_booked_once_under(app, "duplicate").await;
    let arrivals = app.arrivals();
    let count = |what| arrivals.iter().filter(|(_, received)| *received == what).count();
    assert!(count(Received::Stored) > 0);
    assert_eq!(count(Received::Stored), count(Received::Repeated));
});

on_both_engines!(webhooks_in_reverse_order_come_to_the_same, async |app: &mut TestApp| {
    is_booked_once_under(app, "reverse").await;
});

on_both_engines!(lost_webhooks_are_repaired_by_polling, async |app: &mut TestApp| {
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, RequiresAction, "nobody told us");
    for _ in 0..2 {
        run_jobs::poll(&app.app).await.expect("the list is read");
        app.settle().await;
        assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "before any job of ours was due");
        app.advance(SignedDuration::from_mins(5));
    }
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded]);
});

on_both_engines!(a_clock_that_ran_ahead_does_not_end_polling, async |app: &mut TestApp| {
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let (merchant, now) = (app.merchant, app.app.clock.now());
    let ahead = now + SignedDuration::from_hours(10 * 24);
    let jump =
        async move |tx: &mut Tx| processor_accounts::set_polled_to(tx, merchant, STRIPE, ahead, ahead).await;
    assert!(app.app.store.write(jump).await.expect("it is noted"));
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    let read = async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await;
    let account = app.app.store.read(read).await.expect("it can be read").expect("it is connected");
    assert!(account.polled_to <= now, "{} is still ahead", account.polled_to);
});

on_both_engines!(what_polling_finds_is_kept_as_it_was_written, async |app: &mut TestApp| {
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    let url = format!("{}/v1/events?type=checkout.session.completed", app.sandbox.base_url());
    let answer = app.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
    let list: serde_json::Value = answer.json().await.expect("answers are JSON");
    let theirs = list["data"][0].clone();
    run_jobs::poll(&app.app).await.expect("the list is read");
    let (merchant, id) = (app.merchant, theirs["id"].as_str().expect("an id").to_owned());
    let read = async move |tx: &mut Tx| inbox::find(tx, merchant, STRIPE, &id).await;
    let ours = app.app.store.read(read).await.expect("the inbox can be read").expect("it was stored");
    let ours: serde_json::Value = serde_json::from_str(&ours.event.raw).expect("it is JSON");
    assert_eq!(ours["data"], theirs["data"]);
    app.settle().await;
});

on_both_engines!(webhooks_may_be_days_late, async |app: &mut TestApp| {
    app.control("/webhooks", json!({ "mode": "hold" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, RequiresAction);
    app.settle_after(SignedDuration::from_hours(72)).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "we asked before we gave it up");
    app.control("/webhooks/release", json!({ "order": "reverse" })).await;
    app.settle().await;
    assert!(!app.arrivals().is_empty());
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded]);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_webhook_before_our_own_answer_is_enough, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let session = app.make_page_unrecorded(payment).await;
    app.control(&format!("/sessions/{session}/pay"), json!({ "card": VISA })).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, Succeeded);
    assert_eq!(app.submit(payment).await, Submitted::State(Succeeded), "the late answer changes nothing");
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (60_000, 0, 40_000)));
});

on_both_engines!(a_webhook_about_nothing_of_ours_is_parked, async |app: &mut TestApp| {
    let event = event("evt_foreign", "cs_test_foreign", false);
    let signature = sign(WEBHOOK_SECRET, app.app.clock.now().as_second(), &event);
    assert_eq!(receive(app, &event, &signature).await, Received::Stored);
    assert_eq!(receive(app, &event, &signature).await, Received::Repeated);
    app.settle().await;
    assert_eq!(stored_state(app, "evt_foreign").await, Some(InboxState::Parked));
});

on_both_engines!(a_webhook_that_is_not_the_processors_leaves_no_trace, async |app: &mut TestApp| {
    let now = app.app.clock.now().as_second();
    let (event, live) = (event("evt_forged", "cs_test_1", false), event("evt_forged", "cs_live_1", true));
    let genuine = sign(WEBHOOK_SECRET, now, &event);
    for (body, signature) in [
        (&event, String::new()),
        (&event, "t=1,v1=00".to_owned()),
        (&event, sign("whsec_other", now, &event)),
        (&event, sign(WEBHOOK_SECRET, now - 301, &event)),
        (&event, sign(WEBHOOK_SECRET, now + 301, &event)),
        (&event.replace("cs_test_1", "cs_test_2"), genuine.clone()),
        (&live, sign(WEBHOOK_SECRET, now, &live)),
        (&event, sign(PROCESSOR_KEY, now, &event)),
    ] {
        assert_eq!(receive(app, body, &signature).await, Received::Refused, "{signature}");
    }
    assert_eq!(stored_state(app, "evt_forged").await, None);
    let rolled = sign(WEBHOOK_SECRET_BEFORE, now - 299, &event);
    assert_eq!(receive(app, &event, &rolled).await, Received::Stored, "the secret before is still good");
    assert_eq!(receive(app, &event, &genuine).await, Received::Repeated);
    app.settle_after(SignedDuration::from_hours(24)).await;
    let late = sign(WEBHOOK_SECRET_BEFORE, app.app.clock.now().as_second(), &event);
    assert_eq!(receive(app, &event, &late).await, Received::Refused, "it was replaced a day ago");
});

fn event(id: &str, session: &str, live: bool) -> String {
    let object = json!({ "id": session, "object": "checkout.session", "livemode": live, "metadata": {} });
    json!({
        "id": id,
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1_794_819_600,
        "livemode": live,
        "data": { "object": object },
    })
    .to_string()
}

pub fn sign(secret: &str, second: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{second}.{body}").as_bytes());
    format!("t={second},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

pub async fn receive(app: &TestApp, body: &str, signature: &str) -> Received {
    let received = receive_webhook(&app.app, app.merchant, body.as_bytes(), signature).await;
    received.expect("a webhook is judged")
}

pub async fn stored_state(app: &TestApp, event: &str) -> Option<InboxState> {
    let (merchant, event) = (app.merchant, event.to_owned());
    let read = async move |tx: &mut Tx| inbox::find(tx, merchant, STRIPE, &event).await;
    app.app.store.read(read).await.expect("the inbox can be read").map(|stored| stored.state)
}

// The event came, and the processor could not be asked what it is about: it waits, it is not thought applied.
on_both_engines!(an_event_is_not_applied_before_the_processor_was_asked, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    let read = "GET /v1/checkout/sessions/{id}";
    app.sandbox.arm_fault(Fault { times: 1_000, ..Fault::once(read, FaultKind::Status500Before) });
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, RequiresAction);
    app.disarm_faults().await;
    app.settle_after(SignedDuration::from_secs(6)).await;
    assert_eq!(
        app.figures(invoice).await,
        (60_000, 0, 40_000),
        "within seconds, not when the page is given up"
    );
});
