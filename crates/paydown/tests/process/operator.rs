//! What an operator sees of a running server: health, figures, logs.

use crate::ends::newer;
use crate::place::Place;
use crate::program::until;
use serde_json::Value;
use store::db::{Role, Store, StoreConfig, migrate};
use store::testing::{Change, TestDatabase};

/// The value of one line of `/metrics`.
fn figure(metrics: &str, line: &str) -> Option<f64> {
    let found = metrics.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(' '));
    found.and_then(|value| value.parse().ok())
}

async fn metrics(place: &Place) -> String {
    let answer = place.http.get(&place.metrics_url).send().await.expect("figures are served");
    assert_eq!(answer.status(), 200);
    answer.text().await.expect("text")
}

store::both_engines!(figures_are_on_a_listener_of_their_own, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    let (mut payer, invoice_path) = place.payer("INV-1").await;
    let form = payer.form(&invoice_path, 40_000).await;
    assert!(payer.press(&form).await.left_for.is_some());
    assert_eq!(payer.get("/metrics").await.status, 404, "not on the portal");
    assert!(place.metrics_url.starts_with("http://127.0.0.1:"), "{}", place.metrics_url);
    let seen = metrics(&place).await;
    let seen = |line: &str| figure(&seen, line).unwrap_or_else(|| panic!("no {line} in {seen}"));
    let shown = "{route=\"/p/{merchant}/invoices/{id}\",method=\"GET\",status=\"200\"}";
    assert!(seen(&format!("paydown_requests_total{shown}")) >= 1.0);
    assert!(seen("paydown_payments{state=\"requires_action\"}") >= 1.0);
    assert!(seen("paydown_payments{state=\"succeeded\"}") < 1.0);
    assert!(seen("process_open_fds") > 3.0);
    assert!(seen("process_resident_memory_bytes") > 1_000_000.0);
    assert!(seen("paydown_read_only") < 1.0);
    for line in ["paydown_writes_waiting", "paydown_jobs_due", "paydown_mails_waiting", "paydown_anomalies"] {
        seen(line);
    }
    place.database.refuse(Change::Update("inbox", "state")).await;
    place.pay(&form.payment).await;
    until("an event that waits", async || {
        let waits = figure(&metrics(&place).await, "paydown_events_waiting")?;
        (waits >= 1.0).then_some(())
    })
    .await;
    place.database.let_through().await;
    let all = metrics(&place).await;
    assert!(figure(&all, "paydown_webhooks_total{outcome=\"stored\"}") >= Some(1.0), "{all}");
    for secret in [&form.payment, &invoice_path, "northwind"] {
        assert!(!all.contains(secret), "figures name nobody: {secret}");
    }
    place.state(&form.payment, billing::payment::PaymentState::Succeeded).await;
    place.finish(&[&payer]).await;
});

store::both_engines!(every_line_of_a_request_carries_its_id, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    let (mut payer, invoice_path) = place.payer("INV-1").await;
    let form = payer.form(&invoice_path, 40_000).await;
    place.fault("POST /v1/checkout/sessions", "429").await;
    let page = payer.press(&form).await;
    assert!(page.left_for.is_some(), "the second call made the page");
    let lines = until("both lines of the request", async || {
        let lines: Vec<Value> =
            place.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let has = |words: &str| {
            let of_the_request = |line: &&Value| line["span"]["id"] == page.request_id.as_str();
            lines.iter().filter(of_the_request).any(|line| line["message"] == words)
        };
        (has("the card page was not made yet") && has("answered")).then_some(lines)
    })
    .await;
    for line in lines.iter().filter(|line| line["message"] == "answered") {
        assert!(line["span"]["id"].is_string(), "{line}");
    }
    place.pay(&form.payment).await;
    place.finish(&[&payer]).await;
});

/// An address and what it answers.
async fn asked(place: &Place, path: &str) -> (u16, String) {
    let answer = place.http.get(format!("{}{path}", place.origin)).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_its_database_is_alive_but_not_ready() {
    let place = Place::open(TestDatabase::postgres_with(&[]).await).await;
    assert_eq!(asked(&place, "/readyz").await, (200, "ready\n".to_owned()));
    place.database.take_away().await;
    assert_eq!(asked(&place, "/healthz").await.0, 200);
    assert_eq!(asked(&place, "/readyz").await, (503, "the database does not answer\n".to_owned()));
    place.database.give_back().await;
    until("the server to be ready again", async || (asked(&place, "/readyz").await.0 == 200).then_some(()))
        .await;
    place.finish(&[]).await;
}

store::both_engines!(a_server_whose_database_moved_on_is_not_ready, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    assert_eq!(asked(&place, "/readyz").await, (200, "ready\n".to_owned()));
    let config = StoreConfig::new(place.database.url(), Role::Command, 0);
    let next_version = Store::open(&config).await.expect("the database opens");
    migrate(&next_version, &newer(), 0).await.expect("the next version migrates");
    next_version.close().await.expect("it closes");
    assert_eq!(asked(&place, "/healthz").await.0, 200);
    let (code, words) = asked(&place, "/readyz").await;
    assert_eq!((code, words.as_str()), (503, "the database is not of this program's version\n"));
    place.server().terminate();
    assert_eq!(place.ended().await, Some(0));
});
