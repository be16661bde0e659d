//! Payouts as programs see them: with their items, page by page, and from the payments they settle.

use super::client::{Client, new_key};
use crate::on_both_engines;
use crate::test_app::TestApp;
use jiff::SignedDuration;
use paydown::api_key::Scope;
use serde_json::json;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Every route about payouts, answered well.
pub async fn are_shown(app: &TestApp, client: &Client) {
    app.control("/payouts", json!({ "schedule": "daily" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    for _ in 0..3 {
        app.settle_after(DAY).await;
    }
    let list = client.get("/v1/payouts").await;
    assert_eq!((list.status, list.json["data"].as_array().map(Vec::len)), (200, Some(1)), "{}", list.text);
    let first = &list.json["data"][0];
    assert_eq!((&first["status"], &first["amount"]), (&json!("in_transit"), &json!(38_810)));
    assert!(first["reconciled_at"].is_string() && first["automatic"] == true);
    let id = first["id"].as_str().expect("an id").to_owned();
    let shown = client.get(&format!("/v1/payouts/{id}")).await;
    assert_eq!((shown.status, &shown.json["id"]), (200, &json!(id)));
    let items = &shown.json["items"];
    assert_eq!(items.as_array().map(Vec::len), Some(1));
    let figures = ["amount", "fee", "net"].map(|name| items[0][name].as_i64().expect("a figure"));
    assert_eq!(figures, [40_000, 1_190, 38_810]);
    assert_eq!((&items[0]["about"], &items[0]["subject"]), (&json!("payment"), &json!(payment.to_string())));
    let paid = client.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!((&paid.json["payout"], &paid.json["settled"]), (&json!(id), &json!(false)));
    for _ in 0..2 {
        app.settle_after(DAY).await;
    }
    let shown = client.get(&format!("/v1/payouts/{id}")).await;
    let history = &shown.json["history"];
    assert_eq!((&history[0]["status"], &history[1]["status"]), (&json!("in_transit"), &json!("paid")));
    let paid = client.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!((&paid.json["payout"], &paid.json["settled"]), (&json!(id), &json!(true)));
    let listed = client.get("/v1/payments?limit=100").await;
    let mut rows = listed.json["data"].as_array().expect("rows").iter();
    // Others were made at the same instant, so its place in the list is not known.
    let row = rows.find(|row| row["id"] == paid.json["id"]).expect("it is listed");
    assert_eq!((&row["payout"], &row["settled"]), (&json!(id), &json!(true)));
}

on_both_engines!(payouts_are_shown_with_their_items, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    are_shown(app, &client).await;
    let kinds = client.get("/v1/events?limit=100").await;
    let kinds: Vec<_> = kinds.json["data"].as_array().expect("rows").iter().map(|row| &row["type"]).collect();
    let of_payouts: Vec<_> =
        kinds.iter().filter_map(|kind| kind.as_str()).filter(|kind| kind.starts_with("payout.")).collect();
    assert_eq!(of_payouts, ["payout.created", "payout.reconciled", "payout.paid"]);
    let weak = client.with_key(&new_key(app, app.merchant, &[Scope::PaymentsRead], 0).await);
    weak.get("/v1/payouts").await.is(403, "insufficient_scope");
    for path in ["/v1/payouts/pyt_x", "/v1/payouts/pyt_00000000000000000000000000"] {
        client.get(path).await.is(404, "not_found");
    }
    let nowhere = "/v1/payouts?starting_after=pyt_00000000000000000000000000";
    client.get(nowhere).await.is(422, "unknown_cursor");
    client.get("/v1/payouts?starting_after=pay_x").await.is(422, "invalid_request");
});
