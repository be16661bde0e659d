//! A request that is repeated is done once; payers and programs that meet on one invoice pay it once.

use super::client::{Client, new_key};
use crate::on_both_engines;
use crate::test_app::TestApp;
use paydown::api_key::Scope;
use serde_json::json;
use std::collections::HashSet;

on_both_engines!(a_repeat_gets_the_first_answer_word_for_word, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let first = client.post_once("k-1", "/v1/payments", Client::wire(&invoice, 4_000)).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None), "{}", first.text);
    app.settle_after(jiff::SignedDuration::from_hours(24 * 29)).await;
    let again = client.post_once("k-1", "/v1/payments", Client::wire(&invoice, 4_000)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(again.text, first.text);
    // Blanks and the order of fields say nothing; another amount does.
    let mut pretty = serde_json::to_string_pretty(&Client::wire(&invoice, 4_000)).expect("JSON");
    pretty.push('\n');
    let headers = [("idempotency-key", "k-1")];
    let again = client.send("POST", "/v1/payments", &headers, Some(pretty.into_bytes())).await;
    assert_eq!(again.text, first.text);
    client
        .post_once("k-1", "/v1/payments", Client::wire(&invoice, 4_001))
        .await
        .is(422, "idempotency_key_reused");
    client.post("/v1/payments", Client::wire(&invoice, 4_000)).await.is(400, "missing_idempotency_key");
    assert_eq!(client.figures(&invoice).await, [4_000, 0, 6_000, 6_000]);
});

on_both_engines!(a_key_of_a_request_belongs_to_its_caller_and_route, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let other = client.with_key(&new_key(app, app.merchant, &Scope::ALL, 0).await);
    let one = client.post_once("k", "/v1/payments", Client::wire(&invoice, 1_000)).await;
    let two = other.post_once("k", "/v1/payments", Client::wire(&invoice, 1_000)).await;
    assert_eq!((one.status, two.status), (201, 201));
    assert_ne!(one.text_of("id"), two.text_of("id"));
    let named = json!({ "name": "Globex" });
    let made = client.post_once("k", "/v1/customers", named.clone()).await;
    let again = client.post_once("k", "/v1/customers", named).await;
    assert_eq!((made.status, &again.text), (201, &made.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    // The same key on the same route of another invoice is another request.
    let draft = |number: &str| {
        json!({
            "customer": customer, "currency": "usd", "due_on": "2026-12-30", "number": number,
            "lines": [{ "description": "Support", "quantity": "1.5", "unit_amount": 100, "tax_rate": "19" }],
        })
    };
    let [one, two] = [
        client.post("/v1/invoices", draft("A-1")).await.text_of("id"),
        client.post("/v1/invoices", draft("A-2")).await.text_of("id"),
    ];
    let finalize = async |id: &str| {
        client.send("POST", &format!("/v1/invoices/{id}/finalize"), &[("idempotency-key", "f")], None).await
    };
    let issued = finalize(&one).await;
    assert_eq!(finalize(&one).await.text, issued.text);
    finalize(&two).await.is(422, "idempotency_key_reused");
    let links = format!("/v1/invoices/{one}/links");
    let link = client.post_once("l", &links, json!({})).await;
    let again = client.post_once("l", &links, json!({})).await;
    assert_eq!((link.status, &again.text), (201, &link.text), "the address is told again");
    assert!(link.text_of("url").starts_with(&format!("{}/l/", client.origin)));
});

on_both_engines!(a_key_is_forgotten_after_thirty_days, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 10_000).await;
    client.post_once("k-1", "/v1/payments", Client::wire(&invoice, 1_000)).await;
    app.settle_after(jiff::SignedDuration::from_hours(24 * 31)).await;
    paydown::actions::sweep::sweep_bodies(&app.app).await.expect("old keys are swept");
    let anew = client.post_once("k-1", "/v1/payments", Client::wire(&invoice, 1_000)).await;
    assert_eq!((anew.status, anew.header("idempotent-replayed")), (201, None));
    assert_eq!(client.figures(&invoice).await, [2_000, 0, 8_000, 8_000]);
});

on_both_engines!(sixty_four_who_pay_all_of_it_at_once_pay_it_once, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    for round in 0..5 {
        let invoice = client.invoice(&customer, 125_000).await;
        let payers = (0..64).map(|payer| {
            let (client, body) = (client.clone(), Client::wire(&invoice, 125_000));
            tokio::spawn(async move {
                client.post_once(&format!("r-{round}-{payer}"), "/v1/payments", body).await
            })
        });
        let answers = futures::future::join_all(payers).await;
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("a payer")).collect();
        let accepted = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(accepted, 1, "of 64 full payments exactly one is accepted");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.is(422, "surplus").json["surplus"], 125_000);
        }
        assert_eq!(client.figures(&invoice).await, [125_000, 0, 0, 0]);
    }
    let listed = client.get("/v1/payments?limit=100").await;
    assert_eq!(listed.json["data"].as_array().map(Vec::len), Some(5));
});

on_both_engines!(a_thousand_keys_twenty_times_each_make_a_thousand_payments, async |app: &mut TestApp| {
    const KEYS: usize = 1_000;
    const TIMES: usize = 20;
    const AT_ONCE: usize = 10;
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoices = [client.invoice(&customer, 10_000_000).await, client.invoice(&customer, 10_000_000).await];
    // Each key twenty times at once, and ten keys: more than wait for two invoices would be told to come again.
    let mut ids = HashSet::new();
    for chunk in 0..KEYS / AT_ONCE {
        let calls = (0..AT_ONCE * TIMES).map(|call| {
            let key = chunk * AT_ONCE + call % AT_ONCE;
            let (client, body) = (client.clone(), Client::wire(&invoices[key % 2], 7));
            tokio::spawn(async move { client.post_once(&format!("key-{key}"), "/v1/payments", body).await })
        });
        let mut made = 0;
        for answer in futures::future::join_all(calls).await {
            let answer = answer.expect("a caller");
            assert_eq!(answer.status, 201, "{}", answer.text);
            made += usize::from(answer.header("idempotent-replayed").is_none());
            ids.insert(answer.text_of("id"));
        }
        assert_eq!(made, AT_ONCE, "each key is done once");
    }
    assert_eq!(ids.len(), KEYS);
    assert_eq!(client.figures(&invoices[0]).await[0] + client.figures(&invoices[1]).await[0], 7_000);
});
