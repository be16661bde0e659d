//! Disputes as a program sees and answers them.

use super::client::{Answer, Client};
use crate::on_both_engines;
use crate::test_app::TestApp;
use data_encoding::BASE64;
use jiff::SignedDuration;
use serde_json::{Value, json};

const PDF: &[u8] = b"%PDF-1.7\nsigned for by Dana\n%%EOF";

/// A payment of 400.00 that its holder contests; the id of the dispute.
async fn contested(app: &TestApp, client: &Client, with: Value) -> String {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let charge = app.attempt(payment).await.charge_id.expect("it was captured");
    app.control(&format!("/charges/{charge}/dispute"), with).await;
    app.settle().await;
    let listed = client.get(&format!("/v1/disputes?payment={payment}")).await;
    listed.json["data"][0]["id"].as_str().expect("a dispute").to_owned()
}

fn evidence(name: &str, content: &[u8]) -> Value {
    json!({
        "texts": { "other": "Dana signed for it." },
        "files": [{ "purpose": "receipt", "name": name, "content": BASE64.encode(content) }],
    })
}

/// Every route, and every error that only disputes have.
pub async fn walk(app: &TestApp, client: &Client) {
    let id = contested(app, client, json!({})).await;
    let (one, said) = (format!("/v1/disputes/{id}"), format!("/v1/disputes/{id}/evidence"));
    assert_eq!(client.get("/v1/disputes?status=needs_response").await.status, 200);
    assert_eq!(client.get(&one).await.json["amount"], 40_000);
    assert_eq!(client.get("/v1/dispute_settings").await.json, json!({ "when_lost": "owed_again" }));
    let set = client.post("/v1/dispute_settings", json!({ "when_lost": "absorbed" })).await;
    assert_eq!((set.status, &set.json), (200, &json!({ "when_lost": "absorbed" })));
    let chosen = client.post(&one, json!({ "when_lost": "owed_again" })).await;
    assert_eq!(chosen.json["when_lost"], "owed_again", "{}", chosen.text);
    let wrong = client.post_once("d-1", &said, evidence("receipt.png", PDF)).await;
    wrong.is(422, "file_not_taken");
    let taken = client.post_once("d-1", &said, evidence("receipt.pdf", PDF)).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    client.post_once("d-2", &said, evidence("receipt.pdf", PDF)).await.is(409, "evidence_sent");
    let accepted = accept(client, "d-3", &id).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text);
    accept(client, "d-4", &id).await.is(409, "dispute_ended");
    app.settle().await;
    assert_eq!(client.get(&one).await.json["status"], "accepted");
    client.post(&one, json!({ "when_lost": null })).await.is(409, "dispute_ended");
    let other = contested(app, client, json!({})).await;
    app.advance(SignedDuration::from_hours(9 * 24));
    let late =
        client.post_once("d-5", &format!("/v1/disputes/{other}/evidence"), evidence("a.pdf", PDF)).await;
    late.is(409, "evidence_past_due");
    app.settle().await;
    app.settle_after(SignedDuration::from_hours(2)).await;
}

async fn accept(client: &Client, key: &str, id: &str) -> Answer {
    client.send("POST", &format!("/v1/disputes/{id}/accept"), &[("idempotency-key", key)], None).await
}

on_both_engines!(a_program_answers_a_dispute, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let id = contested(app, &client, json!({ "reason": "product_not_received" })).await;
    let shown = client.get(&format!("/v1/disputes/{id}")).await;
    for (name, value) in [
        ("status", json!("needs_response")),
        ("currency", json!("usd")),
        ("fee", json!({ "amount": 1_500, "currency": "usd" })),
        ("reason", json!("product_not_received")),
        ("network_code", json!("13.1")),
        ("evidence", json!([])),
        ("lost_as", json!(null)),
    ] {
        assert_eq!(shown.json[name], value, "{name}");
    }
    let said = format!("/v1/disputes/{id}/evidence");
    let taken = client.post_once("k-1", &said, evidence("receipt.pdf", PDF)).await;
    let file = json!({ "purpose": "receipt", "kind": "pdf", "name": "receipt.pdf", "size": PDF.len() });
    assert_eq!(taken.json["evidence"][0]["files"], json!([file]), "{}", taken.text);
    assert_eq!(taken.json["evidence"][0]["status"], "sending");
    let again = client.post_once("k-1", &said, evidence("receipt.pdf", PDF)).await;
    assert_eq!((again.status, again.text.as_str()), (200, taken.text.as_str()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    client.post_once("k-1", &said, evidence("other.pdf", PDF)).await.is(422, "idempotency_key_reused");
    app.settle().await;
    let shown = client.get(&format!("/v1/disputes/{id}")).await;
    assert_eq!(
        (&shown.json["status"], &shown.json["evidence"][0]["status"]),
        (&json!("under_review"), &json!("sent"))
    );
    let payment = shown.text_of("payment");
    let events = client.get("/v1/events?limit=100").await;
    let of_it =
        events.json["data"].as_array().expect("a list").iter().filter(|event| event["payment"] == *payment);
    let mut kinds: Vec<&str> = of_it.filter_map(|event| event["type"].as_str()).collect();
    kinds.sort_unstable();
    kinds.retain(|kind| kind.starts_with("dispute."));
    assert_eq!(
        kinds,
        ["dispute.evidence_sent", "dispute.evidence_stored", "dispute.opened", "dispute.updated"]
    );
});

on_both_engines!(what_is_no_evidence_is_refused_by_name, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let id = contested(app, &client, json!({})).await;
    let said = format!("/v1/disputes/{id}/evidence");
    let with = |from: &str, to: Value| {
        let mut body = evidence("receipt.pdf", PDF);
        *body.pointer_mut(from).expect("it is there") = to;
        body
    };
    for (body, status, code) in [
        (json!({}), 422, "invalid_request"),
        (json!({ "texts": { "rumour": "x" } }), 422, "invalid_request"),
        (with("/files/0/purpose", json!("rumour")), 422, "invalid_request"),
        (with("/files/0/content", json!("not base64!")), 422, "invalid_request"),
        (with("/files/0/content", json!("")), 422, "file_not_taken"),
        (with("/files/0/content", json!(BASE64.encode(b"MZ"))), 422, "file_not_taken"),
        (with("/files/0/name", json!("receipt.docx")), 422, "file_not_taken"),
        (with("/texts/other", json!("4242424242424242")), 422, "card_number"),
        (with("/texts/other", json!("x".repeat(20_001))), 422, "invalid_request"),
    ] {
        client.post_once("k", &said, body).await.is(status, code);
    }
    let large = evidence("receipt.pdf", &[PDF, &vec![b' '; 4 * 1024 * 1024]].concat());
    client.post_once("k", &said, large).await.is(422, "file_not_taken");
    let too_much = Some(vec![b' '; 12 * 1024 * 1024 + 1]);
    let headers = [("idempotency-key", "k")];
    client.send("POST", &said, &headers, too_much).await.is(413, "body_too_large");
    client.send("POST", &said, &[], Some(b"{}".to_vec())).await.is(400, "missing_idempotency_key");
    let unknown = "/v1/disputes/dsp_00000000000000000000000000";
    client.get(unknown).await.is(404, "not_found");
    client.post(unknown, json!({ "when_lost": "absorbed" })).await.is(404, "not_found");
    client.post_once("k", &format!("{unknown}/evidence"), evidence("a.pdf", PDF)).await.is(404, "not_found");
    accept(&client, "k", "dsp_00000000000000000000000000").await.is(404, "not_found");
    let none = client.get("/v1/disputes?starting_after=dsp_00000000000000000000000000").await;
    none.is(422, "unknown_cursor");
    assert_eq!(client.get(&format!("/v1/disputes/{id}")).await.json["evidence"], json!([]));
});
