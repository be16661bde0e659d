//! What programs send that is no request: each is answered with the documented error, never with a 5xx, and changes nothing.

use super::client::Client;
use crate::on_both_engines;
use crate::test_app::TestApp;
use serde_json::json;

on_both_engines!(what_is_no_request_is_refused_by_name_and_changes_nothing, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let good = Client::wire(&invoice, 1_000).to_string();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        good.replacen(from, to, 1)
    };
    for (body, status, code, param) in [
        (String::new(), 400, "invalid_json", None),
        ("{".to_owned(), 400, "invalid_json", None),
        (format!("{good}x"), 400, "invalid_json", None),
        (format!("{good}{good}"), 400, "invalid_json", None),
        ("\u{feff}{}".to_owned(), 400, "invalid_json", None),
        ("[".repeat(100_000), 400, "invalid_json", None),
        ("null".to_owned(), 422, "invalid_request", None),
        ("[]".to_owned(), 422, "invalid_request", None),
        ("7".to_owned(), 422, "invalid_request", None),
        (
            format!(
                "[\"wire\",null,\"2026-11-16\",\"usd\",[{{\"invoice\":\"{invoice}\",\"amount\":1}}],null,null,null]"
            ),
            422,
            "invalid_request",
            None,
        ),
        (with("\"wire\"", "{\"wire\":null}"), 422, "invalid_request", Some("method")),
        (
            with(&format!("{{\"invoice\":\"{invoice}\",\"amount\":1000}}"), &format!("[\"{invoice}\",1000]")),
            422,
            "invalid_request",
            Some("allocations[0]"),
        ),
        ("{}".to_owned(), 422, "invalid_request", None),
        (with("1000", "1000.0"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "1e3"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "\"1000\""), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "0"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "-1"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "1000000000000000"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "99999999999999999999"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("1000", "null"), 422, "invalid_request", Some("allocations[0].amount")),
        (with("\"usd\"", "\"xxx\""), 422, "invalid_request", Some("currency")),
        (with("\"usd\"", "\"Usd\""), 422, "invalid_request", Some("currency")),
        (with("\"usd\"", "840"), 422, "invalid_request", Some("currency")),
        (with("2026-11-16", "2026-02-30"), 422, "invalid_request", Some("received_on")),
        (with("2026-11-16", "16.11.2026"), 422, "invalid_request", Some("received_on")),
        (with("2026-11-16", "2026-11-16T00:00:00Z"), 422, "invalid_request", Some("received_on")),
        (with("\"wire\"", "\"WIRE\""), 422, "invalid_request", Some("method")),
        (with(&invoice, "inv_1"), 422, "invalid_request", Some("allocations[0].invoice")),
        (with(&invoice, &invoice.to_uppercase()), 422, "invalid_request", Some("allocations[0].invoice")),
        (with("transfer 7", "a\\u0000b"), 422, "invalid_request", Some("reference")),
        (with("transfer 7", "a\\nb"), 422, "invalid_request", Some("reference")),
        (with("transfer 7", "  "), 422, "invalid_request", Some("reference")),
        (with("transfer 7", &"x".repeat(101)), 422, "invalid_request", Some("reference")),
        (with("{", "{\"merchant_id\":2,"), 422, "invalid_request", Some("merchant_id")),
        (with("{", "{\"method\":\"cash\","), 422, "invalid_request", None),
        (with("\"amount\"", "\"paid\":1,\"amount\""), 422, "invalid_request", Some("allocations[0].paid")),
        (" ".repeat(1024 * 1024 + 1), 413, "body_too_large", None),
        ("x".repeat(10 * 1024 * 1024), 413, "body_too_large", None),
    ] {
        let shown: String = body.chars().take(80).collect();
        let headers = [("idempotency-key", "k")];
        let answer = client.send("POST", "/v1/payments", &headers, Some(body.into_bytes())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{shown}: {}", answer.text);
        if param.is_some() {
            assert_eq!(answer.json["param"].as_str(), param, "{shown}: {}", answer.text);
        }
    }
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/jsonp", ""] {
        let headers = [("idempotency-key", "k"), ("content-type", kind)];
        let body = Some(good.clone().into_bytes());
        client.send("POST", "/v1/payments", &headers, body).await.is(415, "unsupported_media_type");
    }
    for key in [" ", "a b", &"k".repeat(256), "a\tb", "4242424242424242"] {
        let headers = [("idempotency-key", key)];
        let refused = client.send("POST", "/v1/payments", &headers, Some(good.clone().into_bytes())).await;
        assert_eq!(refused.status, 400, "{key:?}: {}", refused.text);
    }
    assert_eq!(client.figures(&invoice).await, [0, 0, 10_000, 10_000]);
    assert_eq!(client.get("/v1/payments").await.json["data"], json!([]));
    let charset = [("idempotency-key", "k"), ("content-type", "application/json; charset=utf-8")];
    let paid = client.send("POST", "/v1/payments", &charset, Some(good.into_bytes())).await;
    assert_eq!(paid.status, 201, "none of the refusals took the key: {}", paid.text);
});

on_both_engines!(what_is_asked_wrongly_is_refused_by_name, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    for (query, param) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=+5", "limit"),
        ("limit=", "limit"),
        ("starting_after=inv_1", "starting_after"),
        ("starting_after=pay_00000000000000000000000000", "starting_after"),
        ("starting_after=%00", "starting_after"),
        ("status=paid", "status"),
        ("customer=1%20OR%201=1", "customer"),
        ("due_from=yesterday", "due_from"),
        ("currency=US", "currency"),
        ("page=2", "page"),
    ] {
        let refused = client.get(&format!("/v1/invoices?{query}")).await;
        refused.is(422, "invalid_request");
        assert_eq!(refused.json["param"], param, "{query}: {}", refused.text);
    }
    for (list, prefix) in [("events", "evt"), ("invoices", "inv"), ("payments", "pay"), ("customers", "cus")]
    {
        let path = format!("/v1/{list}?starting_after={prefix}_00000000000000000000000000");
        let refused = client.get(&path).await;
        assert_eq!(refused.is(422, "unknown_cursor").json["param"], "starting_after");
    }
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/invoices/inv_1", "/v1/invoices/%00", "/v1/payments/%ff"] {
        client.get(path).await.is(404, "not_found");
    }
    let wrong = client.send("PUT", "/v1/invoices", &[], Some(b"{}".to_vec())).await;
    wrong.is(405, "method_not_allowed");
    let allowed = wrong.header("allow").expect("what it takes");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
});
