//! Background work: what hangs or fails in one place stops nothing in another, and never for ever in silence.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{GUARD, TestApp};
use async_trait::async_trait;
use axum::Router;
use billing::ids::{AttemptId, AuditId, JobId, MerchantId, PaymentId};
use billing::payment::PaymentState::Succeeded;
use jiff::SignedDuration;
use paydown::actions::run_jobs::{self, Queue, Workers};
use paydown::mail::transport::{Outgoing, Transport};
use paydown::processors::{STRIPE, key_place};
use paydown::server;
use std::sync::Arc;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::inbox::{self, InboxState, NewInboxEvent};
use store::{anomalies, jobs, merchants, processor_accounts};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const OTHER: MerchantId = MerchantId(2);

/// A mail server that takes a mail and does not answer before it is let go.
struct Hanging {
    asked: watch::Sender<bool>,
    let_go: CancellationToken,
}

#[async_trait]
impl Transport for Hanging {
    async fn send(&self, _: &Outgoing) -> anyhow::Result<()> {
        self.asked.send_replace(true);
        self.let_go.cancelled().await;
        Ok(())
    }
}

on_both_engines!(a_mail_server_and_a_processor_that_hang_stop_nobody_else, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 10_000).await; // its receipt waits in the outbox
    let (asked, mut is_asked) = watch::channel(false);
    let let_go = CancellationToken::new();
    let transport = Arc::new(Hanging { asked, let_go: let_go.clone() });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stop = CancellationToken::new();
    let serving =
        tokio::spawn(server::run(app.app.clone(), listener, Router::new(), transport, stop.clone()));
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    let (hung, mut is_hung) = watch::channel(0);
    let hangs = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            connections.push(connection);
            hung.send_replace(connections.len());
        }
    });
    merchant_with_processor(app, address).await;
    tokio::time::timeout(GUARD, is_asked.wait_for(|asked| *asked))
        .await
        .expect("mail is sent")
        .expect("it runs");
    tokio::time::timeout(GUARD, is_hung.wait_for(|count| *count >= 4))
        .await
        .expect("calls are made")
        .expect("so");

    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    app.sandbox.drain_webhooks().await.expect("the sandbox delivers");
    let paid = tokio::time::timeout(GUARD, async {
        while app.state(payment).await != Succeeded {
            tokio::task::yield_now().await;
        }
    });
    paid.await.expect("the payment is booked while all else hangs");
    hangs.abort();
    let_go.cancel();
    stop.cancel();
    serving.await.expect("the server ends").expect("in order");
    app.restart().await;
    park_all(app).await;
});

/// A second merchant with six events that its processor has to be asked about.
async fn merchant_with_processor(app: &TestApp, address: String) {
    let (mint, first) = (app.app.mint(), app.merchant);
    let secrets = Arc::clone(&app.app.secrets);
    let write = app.app.store.write(async move |tx: &mut Tx| {
        let mut merchant = merchants::find(tx, first).await?.expect("the first merchant");
        (merchant.id, merchant.slug) = (OTHER, "southwind".to_owned());
        merchants::insert(tx, &merchant).await?;
        let mut account = processor_accounts::find(tx, first, STRIPE).await?.expect("the first account");
        (account.merchant_id, account.base_url) = (OTHER, address.clone());
        account.secret_key = secrets.seal(&key_place(OTHER), mint.bytes(), b"sk_test_hangs");
        processor_accounts::upsert(tx, &account).await?;
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: "cli:test".to_owned(),
            act: acts::PROCESSOR_CONNECT.to_owned(),
            object: STRIPE.to_owned(),
            before: "null".to_owned(),
            after: "{}".to_owned(),
            at: mint.now,
        };
        audit::append(tx, OTHER, &row).await?;
        for number in 0..6 {
            inbox::store(tx, OTHER, &lost(&format!("evt_{number}"), mint.id(AttemptId::new), mint.now))
                .await?;
        }
        Ok(())
    });
    write.await.expect("the second merchant is written");
}

/// An event with our marks about a page that cannot be read.
fn lost(event_id: &str, attempt: AttemptId, received_at: jiff::Timestamp) -> NewInboxEvent {
    NewInboxEvent {
        processor: STRIPE.to_owned(),
        event_id: event_id.to_owned(),
        kind: "checkout.session.completed".to_owned(),
        object_id: "cs_lost".to_owned(),
        session_id: Some("cs_lost".to_owned()),
        payment_intent_id: None,
        attempt_id: Some(attempt),
        raw: "{}".to_owned(),
        received_at,
    }
}

async fn park_all(app: &TestApp) {
    let later = app.app.clock.now() + SignedDuration::from_hours(48);
    let write = app.app.store.write(async move |tx: &mut Tx| {
        for event in inbox::claim_due(tx, OTHER, later, later, 100).await? {
            inbox::mark_parked(tx, &event, "the test is over").await?;
        }
        Ok(())
    });
    write.await.expect("events are parked");
}

async fn ask_for(app: &TestApp, kind: &'static str, subject: String) {
    let (mint, merchant) = (app.app.mint(), app.merchant);
    let write = app.app.store.write(async move |tx: &mut Tx| {
        jobs::enqueue(tx, merchant, mint.id(JobId::new), kind, &subject, mint.now, mint.now).await
    });
    write.await.expect("the job is written");
}

on_both_engines!(a_merchant_has_so_many_places_and_claims_no_more, async |app: &mut TestApp| {
    for _ in 0..10 {
        ask_for(app, "mail_failure", app.app.mint().id(PaymentId::new).to_string()).await;
    }
    let mut workers = Workers::new(Queue::Jobs);
    let mut started = Vec::new();
    for _ in 0..4 {
        started.push(workers.start_due(&app.app).await.expect("jobs can be claimed"));
        workers.finish().await;
    }
    assert_eq!(started, [4, 4, 2, 0]);
});

on_both_engines!(a_job_that_always_fails_waits_longer_and_is_a_persons, async |app: &mut TestApp| {
    ask_for(app, "juggle", "three balls".to_owned()).await;
    let (merchant, began) = (app.merchant, app.app.clock.now());
    let find = async move |tx: &mut Tx| jobs::find(tx, merchant, "juggle", "three balls").await;
    let mut pauses = Vec::new();
    for _ in 0..26 {
        assert_eq!(run_jobs::run_due(&app.app).await.expect("jobs can be claimed"), 1);
        let job = app.app.store.read(find).await.expect("jobs can be read").expect("it stays");
        assert!(job.last_error.is_some_and(|error| error.contains("juggle")));
        let pause = job.run_at.duration_since(app.app.clock.now());
        pauses.push(pause.as_mins());
        app.advance(pause);
        if pauses.len() < 24 {
            assert_eq!(told(app).await, Vec::<String>::new(), "after {} tries", pauses.len());
        }
    }
    assert_eq!(pauses[..6], [1, 5, 30, 120, 360, 360]);
    assert_eq!(pauses[25], 24 * 60);
    assert_eq!(told(app).await, ["job_keeps_failing"], "once");
    assert!(app.app.clock.now().duration_since(began) > SignedDuration::from_hours(5 * 24));
    app.settle().await;
});

on_both_engines!(an_event_that_can_never_be_applied_is_parked_in_the_end, async |app: &mut TestApp| {
    let (mint, merchant) = (app.app.mint(), app.merchant);
    let event = lost("evt_lost", mint.id(AttemptId::new), mint.now);
    let write = async move |tx: &mut Tx| inbox::store(tx, merchant, &event).await;
    assert!(app.app.store.write(write).await.expect("the event is written"));
    let find = async move |tx: &mut Tx| inbox::find(tx, merchant, STRIPE, "evt_lost").await;
    let mut tries = 0;
    loop {
        run_jobs::run_due(&app.app).await.expect("events can be claimed");
        tries += 1;
        let stored = app.app.store.read(find).await.expect("events can be read").expect("it stays");
        assert!(stored.last_error.is_some());
        if stored.state == InboxState::Parked {
            break;
        }
        assert!(tries < 30, "it is tried for ever");
        app.advance(stored.next_at.duration_since(app.app.clock.now()));
    }
    assert_eq!((tries, told(app).await), (24, vec!["event_not_applied".to_owned()]));
    assert!(app.app.clock.now().duration_since(mint.now) > SignedDuration::from_hours(4 * 24));
});

/// Kinds of what a person has to look at.
async fn told(app: &TestApp) -> Vec<String> {
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| anomalies::list(tx, merchant, 100).await;
    let found = app.app.store.read(read).await.expect("anomalies can be read");
    found.into_iter().map(|anomaly| anomaly.kind).collect()
}
