//! Webhooks at the door, over HTTP: what cannot be read is refused and leaves nothing behind, what cannot be applied is parked
//! and stops nobody else, and nothing is lost by either.

use super::webhooks::{sign, stored_state};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{TestApp, WEBHOOK_SECRET};
use billing::ids::AttemptId;
use billing::payment::PaymentState::Succeeded;
use paydown::actions::run_jobs;
use paydown::router::router;
use serde_json::json;
use store::db::Tx;
use store::inbox::{self, InboxState};
use tokio::net::TcpListener;

const BIG: usize = 2 * 1024 * 1024;

/// The program behind a port.
async fn serve(app: &TestApp) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let service = router(app.app.clone()).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    origin
}

/// Sends a body that the processor has signed; answers the status.
async fn send(app: &TestApp, origin: &str, body: Vec<u8>) -> u16 {
    let signature = sign(WEBHOOK_SECRET, app.app.clock.now().as_second(), &String::from_utf8_lossy(&body));
    let request =
        app.http.post(format!("{origin}/hooks/stripe/northwind")).header("stripe-signature", signature);
    // A server that has read enough may close before all is sent.
    request.body(body).send().await.map_or(413, |answer| answer.status().as_u16())
}

async fn waiting(app: &TestApp) -> i64 {
    app.app
        .store
        .read(async |tx: &mut Tx| inbox::count_waiting(tx).await)
        .await
        .expect("the inbox can be read")
}

/// An event about an object that cannot be read at the processor.
fn poison(number: usize, attempt: AttemptId) -> Vec<u8> {
    let object = json!({
        "id": "cs_test_nowhere", "object": "checkout.session", "metadata": { "paydown_attempt": attempt.to_string() },
    });
    json!({
        "id": format!("evt_poison_{number}"), "object": "event", "type": "checkout.session.completed",
        "created": 1_794_819_600, "livemode": false, "data": { "object": object },
    })
    .to_string()
    .into_bytes()
}

on_both_engines!(what_cannot_be_read_is_refused_and_nothing_is_lost, async |app: &mut TestApp| {
    let origin = serve(app).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    for body in [
        &b""[..],
        b"{",
        b"null",
        b"[]",
        b"\"evt_1\"",
        b"{}",
        br#"{"id":"evt_1"}"#,
        br#"{"id":7,"type":"checkout.session.completed","livemode":false,"data":{"object":{}}}"#,
        br#"{"id":"evt_1","type":"checkout.session.completed","livemode":"no","data":{"object":{}}}"#,
        b"\x00\x01\x02",
    ] {
        assert_eq!(send(app, &origin, body.to_vec()).await, 400, "{}", String::from_utf8_lossy(body));
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    assert_eq!(send(app, &origin, deep).await, 400, "a body nested without end is no event");
    let mut large = poison(0, app.app.mint().id(AttemptId::new));
    large.resize(BIG, b' ');
    assert_eq!(send(app, &origin, large).await, 413);
    assert_eq!(waiting(app).await, 0, "nothing of it was stored");
    assert_eq!(app.anomalies_of_merchant().await, [""; 0]);
    // What those would have told is in the processor's list.
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    assert_eq!(app.state(payment).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(events_that_cannot_be_applied_stop_no_others, async |app: &mut TestApp| {
    let origin = serve(app).await;
    for number in 0..8 {
        let attempt = app.app.mint().id(AttemptId::new);
        assert_eq!(send(app, &origin, poison(number, attempt)).await, 200, "it is stored all the same");
    }
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "booked while the others wait");
    assert_eq!(waiting(app).await, 8);
    let mut tries = 0;
    while waiting(app).await > 0 {
        tries += 1;
        assert!(tries < 60, "they are tried for ever");
        app.settle_after(jiff::SignedDuration::from_hours(6)).await;
    }
    for number in 0..8 {
        assert_eq!(stored_state(app, &format!("evt_poison_{number}")).await, Some(InboxState::Parked));
    }
    let told = app.anomalies_of_merchant().await;
    assert_eq!(told, vec!["event_not_applied"; 8], "each is a person's");
});
