//! Lists: each row once, whatever is added meanwhile; filters; the feed of events.

use super::client::Client;
use crate::on_both_engines;
use crate::test_app::TestApp;
use serde_json::{Value, json};

on_both_engines!(a_list_shows_each_row_once_while_others_add, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let mut made = Vec::new();
    for n in 0..7 {
        app.advance(jiff::SignedDuration::from_millis(5));
        made.push(client.invoice(&customer, 1_000 + n).await);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/invoices?limit=2&status=open".to_owned();
    loop {
        let page = client.get(&path).await;
        let rows = page.json["data"].as_array().expect("rows");
        seen.extend(rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()));
        app.advance(jiff::SignedDuration::from_millis(5));
        client.invoice(&customer, 9_999).await;
        let Some(next) = page.header("link") else {
            assert_eq!(page.json["has_more"], false);
            break;
        };
        assert_eq!(page.json["has_more"], true);
        path = next.trim_start_matches('<').split('>').next().expect("an address").to_owned();
        assert!(path.contains("status=open") && path.contains("limit=2"), "{path}");
    }
    made.reverse();
    assert_eq!(seen, made);
});

on_both_engines!(filters_go_together_and_agree_with_what_is_shown, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let (acme, globex) = (client.customer("Acme").await, client.customer("Globex").await);
    let [unpaid, part, paid, void] = [
        client.invoice(&acme, 1_000).await,
        client.invoice(&acme, 1_000).await,
        client.invoice(&globex, 1_000).await,
        client.invoice(&globex, 1_000).await,
    ];
    client.invoice(&globex, 0).await;
    client.post_once("a", "/v1/payments", Client::wire(&part, 1)).await;
    client.post_once("b", "/v1/payments", Client::wire(&paid, 1_000)).await;
    client.send("POST", &format!("/v1/invoices/{void}/void"), &[], None).await;
    let draft = json!({
        "customer": acme, "currency": "eur", "due_on": "2027-01-15",
        "lines": [{ "description": "Support", "quantity": 1, "unit_amount": 100 }],
    });
    client.post("/v1/invoices", draft).await;
    let all = client.get("/v1/invoices?limit=100").await.json["data"].as_array().cloned().expect("rows");
    assert_eq!(all.len(), 6);
    let find = async |query: &str| {
        let found = client.get(&format!("/v1/invoices?limit=100&{query}")).await;
        found.json["data"].as_array().cloned().expect("rows")
    };
    let those = |name: &str, value: &str| -> Vec<Value> {
        all.iter().filter(|row| row[name] == value).cloned().collect()
    };
    for (name, words) in [
        (
            "progress",
            &[
                "unpaid",
                "partially_paid",
                "paid",
                "credited",
                "nothing_due",
                "draft",
                "void",
                "uncollectible",
            ][..],
        ),
        ("status", &["draft", "open", "void", "uncollectible"]),
        ("currency", &["usd", "eur"]),
        ("customer", &[&acme, &globex]),
    ] {
        for word in words {
            assert_eq!(find(&format!("{name}={word}")).await, those(name, word), "{name}={word}");
        }
    }
    let ids = |rows: Vec<Value>| -> Vec<String> {
        rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(find(&format!("customer={acme}&progress=unpaid&status=open")).await), [unpaid]);
    assert_eq!(find("status=void&progress=paid").await, Vec::<Value>::new());
    assert_eq!(find("due_from=2027-01-15&due_to=2027-01-15").await.len(), 1);
    assert_eq!(find("due_to=2026-12-29").await.len(), 0);
    let number = all[2]["number"].as_str().expect("an issued one");
    assert_eq!(find(&format!("number={number}")).await, [all[2].clone()]);
    let by_mail = client.get("/v1/customers?email=DANA@globex.example").await;
    assert_eq!(by_mail.json["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(by_mail.json["data"][0]["id"], globex);
    let of_acme = client.get(&format!("/v1/payments?customer={acme}")).await;
    assert_eq!(of_acme.json["data"][0]["allocations"][0]["invoice"], part);
    let both = client.get(&format!("/v1/payments?customer={acme}&invoice={part}")).await;
    both.is(422, "invalid_request");
});

on_both_engines!(the_feed_is_one_order_that_never_changes, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let mut seen: Vec<Value> = Vec::new();
    for n in 0..4 {
        app.advance(jiff::SignedDuration::from_millis(5));
        let invoice = client.invoice(&customer, 1_000).await;
        app.advance(jiff::SignedDuration::from_millis(5));
        client.post_once(&format!("k-{n}"), "/v1/payments", Client::wire(&invoice, 1_000)).await;
        let mut path = match seen.last() {
            Some(last) => {
                format!("/v1/events?limit=1&starting_after={}", last["id"].as_str().expect("an id"))
            }
            None => "/v1/events?limit=1".to_owned(),
        };
        loop {
            let page = client.get(&path).await;
            seen.extend(page.json["data"].as_array().expect("rows").iter().cloned());
            let Some(next) = page.header("link") else { break };
            path = next.trim_start_matches('<').split('>').next().expect("an address").to_owned();
        }
    }
    let kinds: Vec<_> = seen.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, ["invoice.issued", "payment.succeeded"].repeat(4));
    let numbers: Vec<_> = seen.iter().map(|event| event["number"].as_i64().expect("a number")).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    assert_eq!(seen[1]["data"]["amount"], 1_000);
    let whole = client.get("/v1/events?limit=100").await;
    assert_eq!(whole.json["data"], Value::Array(seen));
});
