//! Who may call: scopes, ends, limits, and nobody else's data.

use super::client::{Client, description, new_key};
use crate::on_both_engines;
use crate::test_app::TestApp;
use jiff::SignedDuration;
use paydown::actions::create_api_key::{NewApiKey, create_api_key, revoke_api_key};
use paydown::api_key::Scope;
use serde_json::json;
use store::api_keys;
use store::db::Tx;

on_both_engines!(without_a_key_in_force_nobody_learns_anything, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let (merchant, now) = (app.merchant, app.app.clock.now());
    let new = |expires_at| NewApiKey {
        merchant,
        name: "ends".to_owned(),
        scopes: Scope::ALL.to_vec(),
        requests_per_minute: 0,
        expires_at,
        actor: "cli:test".to_owned(),
    };
    let in_an_hour = Some(now + SignedDuration::from_hours(1));
    let (_, ends) = create_api_key(&app.app, new(in_an_hour)).await.expect("a write").expect("a key");
    let (key, revoked) = create_api_key(&app.app, new(None)).await.expect("a write").expect("a key");
    for good in [&ends, &revoked] {
        assert_eq!(client.with_key(good.reveal()).get("/v1/events").await.status, 200);
    }
    app.advance(SignedDuration::from_hours(1));
    let again = async || revoke_api_key(&app.app, merchant, key.id, "cli:test".to_owned()).await;
    assert_eq!(again().await.expect("a write"), Some(true));
    assert_eq!(again().await.expect("a write"), Some(false));
    let never_made = client.key.replace(&client.key[client.key.len() - 8..], "00000000");
    let elsewhere = client.key.replace("_1_", "_2_");
    for bad in [ends.reveal(), revoked.reveal(), &never_made, &elsewhere, "x", ""] {
        let refused = client.with_key(bad).get("/v1/invoices").await;
        refused.is(401, "invalid_key");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"paydown\""));
    }
    for headers in [[("authorization", "Basic cGF5ZG93bjo=")], [("authorization", &client.key)]] {
        client.send("GET", "/v1/invoices", &headers, None).await.is(401, "invalid_key");
    }
    let from_a_page = [("origin", "https://evil.example")];
    client.send("GET", "/v1/invoices", &from_a_page, None).await.is(403, "browser_origin");
});

on_both_engines!(a_key_does_what_its_scopes_say_and_no_more, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let payment = client.post_once("k", "/v1/payments", Client::wire(&invoice, 1_000)).await.text_of("id");
    let before = (client.figures(&invoice).await, client.get("/v1/events?limit=100").await.text);
    let paths = description()["paths"].as_object().expect("paths");
    let mut routes = 0;
    for (template, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let needed = operation["security"][0]["key"][0].as_str().expect("each route names a scope");
            let without: Vec<Scope> =
                Scope::ALL.into_iter().filter(|scope| scope.as_str() != needed).collect();
            let weak = client.with_key(&new_key(app, app.merchant, &without, 0).await);
            let id = if template.contains("customers") {
                &customer
            } else if template.contains("payments") {
                &payment
            } else {
                &invoice
            };
            let path = template.replace("{id}", id);
            let headers = [("idempotency-key", "never")];
            let body = Some(b"{}".to_vec());
            let refused = weak.send(&method.to_uppercase(), &path, &headers, body).await;
            refused.is(403, "insufficient_scope");
            assert!(refused.text.contains(needed), "{}", refused.text);
            routes += 1;
        }
    }
    assert!(routes >= 17, "{routes} routes");
    assert_eq!((client.figures(&invoice).await, client.get("/v1/events?limit=100").await.text), before);
});

on_both_engines!(another_merchants_ids_are_as_unknown_as_any, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let payment = client.post_once("k", "/v1/payments", Client::wire(&invoice, 1_000)).await.text_of("id");
    let contacts = client.get(&format!("/v1/customers/{customer}/contacts")).await;
    let contact = contacts.json["data"][0]["id"].as_str().expect("a contact").to_owned();
    let event = client.get("/v1/events").await.json["data"][0]["id"].as_str().expect("an event").to_owned();
    let stranger = client.with_key(&new_key(app, app.another_merchant("globex").await, &Scope::ALL, 0).await);
    let nobody = "00000000000000000000000000";
    let of = |text: &str, id: &str| text.replace(id, &format!("{}{nobody}", &id[..4]));
    let draft = |customer: &str| {
        json!({
            "customer": customer, "currency": "usd", "due_on": "2026-12-30",
            "lines": [{ "description": "Support", "quantity": 1, "unit_amount": 100 }],
        })
    };
    let theirs = stranger.customer("Theirs").await;
    let own = stranger.invoice(&theirs, 5_000).await;
    for (method, path, body) in [
        ("GET", format!("/v1/customers/{customer}"), json!(null)),
        ("GET", format!("/v1/customers/{customer}/contacts"), json!(null)),
        ("POST", format!("/v1/customers/{customer}/contacts"), json!({ "email": "a@b.example" })),
        ("POST", "/v1/invoices".to_owned(), draft(&customer)),
        ("GET", format!("/v1/invoices/{invoice}"), json!(null)),
        ("POST", format!("/v1/invoices/{invoice}/finalize"), json!(null)),
        ("POST", format!("/v1/invoices/{invoice}/void"), json!(null)),
        ("POST", format!("/v1/invoices/{invoice}/quotes"), json!({ "amount": 1 })),
        ("POST", format!("/v1/invoices/{invoice}/links"), json!({})),
        ("POST", format!("/v1/invoices/{own}/links"), json!({ "contact": contact })),
        ("GET", format!("/v1/invoices/{invoice}/links"), json!(null)),
        ("DELETE", format!("/v1/invoices/{invoice}/links"), json!(null)),
        ("GET", format!("/v1/payments/{payment}"), json!(null)),
        ("POST", "/v1/payments".to_owned(), Client::wire(&invoice, 1)),
        ("POST", "/v1/payments".to_owned(), {
            let mut body = Client::wire(&own, 1);
            body["customer"] = json!(customer);
            body
        }),
        ("GET", format!("/v1/events?starting_after={event}"), json!(null)),
        ("GET", format!("/v1/invoices?starting_after={invoice}"), json!(null)),
        ("GET", format!("/v1/payments?starting_after={payment}"), json!(null)),
        ("GET", format!("/v1/customers?starting_after={customer}"), json!(null)),
    ] {
        let ask = async |path: &str, body: String| {
            let body = (body != "null").then(|| body.into_bytes());
            let mut answer = stranger.send(method, path, &[("idempotency-key", "k-2")], body).await;
            answer.json["request_id"] = json!("");
            (answer.status, answer.json)
        };
        let swap = |text: &str| {
            [&customer, &invoice, &payment, &contact, &event]
                .iter()
                .fold(text.to_owned(), |text, id| of(&text, id))
        };
        let theirs = ask(&path, body.to_string()).await;
        assert!([404, 422].contains(&theirs.0), "{method} {path}: {theirs:?}");
        assert_eq!(theirs, ask(&swap(&path), swap(&body.to_string())).await, "{method} {path}");
    }
    for list in ["customers", "invoices", "payments"] {
        let listed = stranger.get(&format!("/v1/{list}?limit=100")).await;
        assert!(!listed.text.contains(&customer), "{}", listed.text);
    }
    let filtered = stranger.get(&format!("/v1/invoices?customer={customer}")).await;
    assert_eq!(filtered.json["data"], json!([]));
    assert_eq!(client.figures(&invoice).await, [1_000, 0, 9_000, 9_000]);
});

on_both_engines!(a_key_calls_as_often_as_it_may, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let slow = client.with_key(&new_key(app, app.merchant, &Scope::ALL, 3).await);
    for left in [2, 1, 0] {
        let answer = slow.get("/v1/customers").await;
        assert_eq!(answer.header("ratelimit-policy"), Some("\"key\";q=3;w=60"));
        let standing = answer.header("ratelimit").expect("a standing");
        assert!(standing.starts_with(&format!("\"key\";r={left};t=")), "{standing}");
    }
    let refused = slow.get("/v1/customers").await;
    refused.is(429, "rate_limited");
    assert_eq!(refused.header("ratelimit"), Some("\"key\";r=0;t=60"));
    let wait: i64 = refused.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=21).contains(&wait), "{wait}");
    assert_eq!(client.get("/v1/customers").await.status, 200, "another key is another matter");
    app.advance(SignedDuration::from_secs(wait));
    assert_eq!(slow.get("/v1/customers").await.status, 200);
    let free = client.with_key(&new_key(app, app.merchant, &Scope::ALL, 0).await);
    assert_eq!(free.get("/v1/customers").await.header("ratelimit"), None);
});

on_both_engines!(when_a_key_was_used_is_noted_by_the_minute, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let merchant = app.merchant;
    let used_at = async |app: &TestApp| {
        app.background_work().await;
        let keys = async move |tx: &mut Tx| api_keys::list(tx, merchant).await;
        app.app.store.read(keys).await.expect("keys")[0].used_at
    };
    assert_eq!(used_at(app).await, None);
    let first = app.app.clock.now();
    client.get("/v1/customers").await;
    assert_eq!(used_at(app).await, Some(first));
    app.advance(SignedDuration::from_secs(59));
    client.get("/v1/customers").await;
    assert_eq!(used_at(app).await, Some(first));
    app.advance(SignedDuration::from_secs(1));
    client.get("/v1/customers").await;
    assert_eq!(used_at(app).await, Some(first + SignedDuration::from_secs(60)));
});
