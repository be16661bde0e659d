//! Disputes of cards: answered, won, lost, accepted, asked about only; and the evidence that goes with them.

use serde_json::{Value, json};

use crate::bench::{Bench, KEY, START, id};

const DAY: i64 = 24 * 60 * 60;

async fn disputed(bench: &Bench, card: &str) -> (Value, String) {
    let session = bench.charge(card).await;
    let charge = id(&session["payment_intent"]["latest_charge"]).to_owned();
    let dispute = bench.get(&format!("/v1/disputes?charge={charge}")).await.ok()["data"][0].clone();
    let path = format!("/v1/disputes/{}", id(&dispute));
    (dispute, path)
}

fn nets(dispute: &Value) -> Vec<(i64, i64)> {
    let transactions = dispute["balance_transactions"].as_array().expect("a list");
    transactions
        .iter()
        .map(|line| (line["amount"].as_i64().expect("a number"), line["fee"].as_i64().expect("a number")))
        .collect()
}

#[tokio::test]
async fn evidence_wins_or_loses_as_its_text_says() {
    let bench = Bench::start().await;
    let (dispute, path) = disputed(&bench, "4000000000000259").await;
    assert_eq!(
        (dispute["status"].as_str(), dispute["reason"].as_str()),
        (Some("needs_response"), Some("fraudulent"))
    );
    assert_eq!(dispute["evidence_details"]["due_by"], START + 9 * DAY);
    assert_eq!(nets(&dispute), [(-50_000, 1_500)]);
    assert_eq!(bench.assert_books().currencies["usd"].disputed_minor, 50_000);
    let draft =
        bench.post(&path, &[("evidence[customer_name]", "Dana Payer"), ("submit", "false")]).await.ok();
    assert_eq!(
        (draft["status"].as_str(), draft["evidence_details"]["submission_count"].as_i64()),
        (Some("needs_response"), Some(0))
    );
    let won = bench.post(&path, &[("evidence[uncategorized_text]", "winning_evidence")]).await.ok();
    assert_eq!(won["status"], "won");
    assert_eq!(won["evidence"]["customer_name"], "Dana Payer");
    assert_eq!(nets(&won), [(-50_000, 1_500), (50_000, 0)]);
    let types = bench.event_types().await;
    assert_eq!(
        types[types.len() - 3..],
        ["charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed"]
    );
    bench.post(&path, &[("evidence[customer_name]", "x")]).await.refused(400);

    let (_, path) = disputed(&bench, "4000000000002685").await;
    let lost = bench.post(&path, &[("evidence[uncategorized_text]", "losing_evidence")]).await.ok();
    assert_eq!(
        (lost["status"].as_str(), lost["reason"].as_str()),
        (Some("lost"), Some("product_not_received"))
    );
    let won = bench.control(&path.replace("/v1", ""), json!({ "outcome": "won" })).await;
    assert_eq!((won["status"].as_str(), nets(&won).len()), (Some("won"), 2), "a bank may change its mind");
    let books = bench.assert_books();
    assert_eq!((books.disputes, books.currencies["usd"].disputed_minor), (2, 0));
}

#[tokio::test]
async fn who_accepts_or_says_nothing_has_lost() {
    let bench = Bench::start().await;
    let (_, accepted) = disputed(&bench, "4000000000000259").await;
    assert_eq!(bench.post(&format!("{accepted}/close"), &[]).await.ok()["status"], "lost");
    bench.post(&format!("{accepted}/close"), &[]).await.refused(400);
    let (_, silent) = disputed(&bench, "4000000000000259").await;
    bench.advance_days(9).await;
    let dispute = bench.get(&silent).await.ok();
    assert_eq!(
        (dispute["status"].as_str(), dispute["evidence_details"]["past_due"].as_bool()),
        (Some("lost"), Some(true))
    );
    let (_, reviewed) = disputed(&bench, "4000000000000259").await;
    let sent = bench.post(&reviewed, &[("evidence[product_description]", "Support hours")]).await.ok();
    assert_eq!(sent["status"], "under_review");
    bench.advance_days(60).await;
    assert_eq!(bench.get(&reviewed).await.ok()["status"], "lost");
    assert_eq!(bench.assert_books().currencies["usd"].disputed_minor, 150_000);
}

#[tokio::test]
async fn an_inquiry_takes_nothing_until_it_is_escalated() {
    let bench = Bench::start().await;
    let (inquiry, path) = disputed(&bench, "4000000000001976").await;
    assert_eq!(inquiry["status"], "warning_needs_response");
    assert_eq!((nets(&inquiry).len(), inquiry["is_charge_refundable"].as_bool()), (0, Some(true)));
    let escalated =
        bench.post(&path, &[("evidence[uncategorized_text]", "escalate_inquiry_evidence")]).await.ok();
    assert_eq!(
        (escalated["status"].as_str(), nets(&escalated)),
        (Some("needs_response"), vec![(-50_000, 1_500)])
    );
    let (_, path) = disputed(&bench, "4000000000001976").await;
    bench.advance_days(9).await;
    assert_eq!(bench.get(&path).await.ok()["status"], "warning_closed");
    bench.assert_books();
}

#[tokio::test]
async fn part_of_a_charge_can_be_disputed_several_times() {
    let bench = Bench::start().await;
    let session = bench.charge("4242424242424242").await;
    let path = format!("/charges/{}/dispute", id(&session["payment_intent"]["latest_charge"]));
    for amount in [20_000, 30_000] {
        let dispute = bench.control(&path, json!({ "reason": "duplicate", "amount": amount })).await;
        assert_eq!(dispute["amount"], amount);
    }
    let too_much =
        bench.client.post(bench.url(&format!("/control{path}"))).json(&json!({ "amount": 1 })).send().await;
    assert_eq!(too_much.expect("an answer").status(), 400);
    assert_eq!(bench.assert_books().currencies["usd"].disputed_minor, 50_000);
}

async fn upload(bench: &Bench, name: &str, content: &[u8]) -> (u16, Value) {
    let boundary = "practice-boundary";
    let mut body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--{boundary}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let sent = bench
        .client
        .post(bench.url("/v1/files"))
        .bearer_auth(KEY)
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .body(body)
        .send()
        .await
        .expect("an answer");
    let status = sent.status().as_u16();
    (status, sent.json().await.expect("JSON"))
}

#[tokio::test]
async fn evidence_files_are_known_by_size_and_type_only() {
    let bench = Bench::start().await;
    let content = [b"%PDF-1.7\n".as_slice(), &vec![b' '; 3_000_000]].concat();
    let (status, file) = upload(&bench, "receipt.pdf", &content).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!((file["type"].as_str(), file["size"].as_u64()), (Some("pdf"), Some(content.len() as u64)));
    assert_eq!(
        (file["purpose"].as_str(), file["filename"].as_str()),
        (Some("dispute_evidence"), Some("receipt.pdf"))
    );
    let (_, path) = disputed(&bench, "4000000000000259").await;
    let error = bench.post(&path, &[("evidence[receipt]", "file_none")]).await.refused(404);
    assert_eq!(error["param"], "evidence[receipt]");
    let sent = bench.post(&path, &[("evidence[receipt]", id(&file))]).await.ok();
    assert_eq!(sent["evidence"]["receipt"], file["id"]);
    assert_eq!(upload(&bench, "receipt.pdf", b"MZ not a document").await.0, 400);
    let large = [b"%PDF-1.7\n".as_slice(), &vec![b' '; 5_000_000]].concat();
    assert_eq!(upload(&bench, "large.pdf", &large).await.0, 400);
    assert_eq!(bench.get("/v1/files").await.ok()["data"].as_array().map(Vec::len), Some(1));
}
