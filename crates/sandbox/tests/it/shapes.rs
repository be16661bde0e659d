//! The answers have the shape that the processor publishes: every member is one of its own, and of its type.

use serde_json::{Value, json};

use crate::bench::{Bench, id, session_form};

/// Members whose content the published example abbreviates or that are free maps: only their presence is compared.
const OPEN_MEMBERS: &[&str] = &[
    "billing_details",
    "data.object",
    "last_payment_error",
    "metadata",
    "next_action",
    "payment_method_details.sepa_debit",
    "payment_method_details.us_bank_account",
    "payment_method_options",
    "sepa_debit",
    "single_use",
    "us_bank_account",
];

fn fixtures() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/contracts/stripe/fixtures.json");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| {
        panic!("the processor's published examples are needed beside this checkout, in shared/contracts/stripe/fixtures.json: {error}")
    });
    serde_json::from_str(&text).expect("the examples are JSON")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is in `ours` and not as in `theirs`.
fn differences(ours: &Value, theirs: &Value, path: &str, found: &mut Vec<String>) {
    if OPEN_MEMBERS.contains(&path) || ours.is_null() || theirs.is_null() {
        return;
    }
    if kind(ours) != kind(theirs) {
        // A member that is expanded has an object where the example has an id.
        if !(ours.is_object() && theirs.is_string()) {
            found.push(format!("{path} is {}, published as {}", kind(ours), kind(theirs)));
        }
        return;
    }
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match theirs.get(name) {
                    Some(other) => differences(value, other, &inner, found),
                    None if OPEN_MEMBERS.contains(&inner.as_str()) => {}
                    None => found.push(format!("{inner} is not published")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let Some(example) = theirs.first() {
                ours.iter().for_each(|item| differences(item, example, &format!("{path}[]"), found));
            }
        }
        _ => {}
    }
}

#[track_caller]
fn assert_shape(ours: &Value, name: &str) {
    let fixtures = fixtures();
    let theirs = &fixtures["resources"][name];
    assert!(theirs.is_object(), "there is no published example of {name}");
    let mut found = Vec::new();
    differences(ours, theirs, "", &mut found);
    assert!(found.is_empty(), "{name}: {found:#?}");
    assert_eq!(ours["object"], theirs["object"]);
}

#[test]
fn the_comparison_finds_what_is_wrong() {
    let mut found = Vec::new();
    let theirs = json!({ "a": 1, "b": { "c": "x" }, "d": [{ "e": 1 }] });
    differences(
        &json!({ "a": "1", "b": { "z": 1 }, "d": [{ "e": true }], "f": null }),
        &theirs,
        "",
        &mut found,
    );
    let expected = [
        "a is string, published as number",
        "b.z is not published",
        "d[].e is bool, published as number",
        "f is not published",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn objects_of_a_payment_have_the_published_shape() {
    let bench = Bench::start().await;
    let customer = bench
        .post("/v1/customers", &[("name", "Acme Inc."), ("email", "dana@acme.example"), ("metadata[k]", "v")])
        .await
        .ok();
    assert_shape(&customer, "customer");
    let session = bench.open_session().await;
    assert_shape(&session, "checkout.session");
    bench.pay(&session, json!({ "card": "4000000000009995" })).await;
    let declined = bench.session(&session).await;
    assert_shape(&declined["payment_intent"], "payment_intent");
    assert_shape(&declined["payment_intent"]["latest_charge"], "charge");
    bench.pay(&session, json!({ "card": "4000000000003220", "challenge": "nothing" })).await;
    assert_shape(&bench.session(&session).await["payment_intent"], "payment_intent");
    bench.pay(&session, json!({ "card": "4000000000003220" })).await;
    let paid = bench.session(&session).await;
    assert_shape(&paid, "checkout.session");
    let intent = &paid["payment_intent"];
    assert_shape(intent, "payment_intent");
    assert_shape(&intent["latest_charge"], "charge");
    assert_shape(&intent["latest_charge"]["balance_transaction"], "balance_transaction");
    let events = bench.get("/v1/events").await.ok();
    assert_shape(&events["data"][0], "event");
    assert_shape(&bench.get("/v1/balance").await.ok(), "balance");
}

#[tokio::test]
async fn objects_of_a_debit_have_the_published_shape() {
    let bench = Bench::start().await;
    for (types, currency_account) in [
        (["us_bank_account"], json!({ "account": "000555555559" })),
        (["sepa_debit"], json!({ "iban": "AT591904300235473203" })),
    ] {
        let session = bench.open_session_for(&types, &[]).await;
        bench.pay(&session, currency_account).await;
        let session = bench.session(&session).await;
        assert_shape(&session, "checkout.session");
        let intent = &session["payment_intent"];
        assert_shape(intent, "payment_intent");
        let charge = &intent["latest_charge"];
        assert_shape(charge, "charge");
        let mandate = charge["payment_method_details"][types[0]]["mandate"].as_str().expect("a mandate");
        assert_shape(&bench.get(&format!("/v1/mandates/{mandate}")).await.ok(), "mandate");
        let method = intent["payment_method"].as_str().expect("a method");
        assert_shape(&bench.get(&format!("/v1/payment_methods/{method}")).await.ok(), "payment_method");
    }
    bench.advance_days(6).await;
    let disputes = bench.get("/v1/disputes").await.ok();
    assert_eq!(crate::bench::items(&disputes).len(), 2);
    for dispute in crate::bench::items(&disputes) {
        assert_shape(dispute, "dispute");
        assert_shape(&dispute["balance_transactions"][0], "balance_transaction");
    }
}

#[tokio::test]
async fn what_comes_after_a_payment_has_the_published_shape() {
    let bench = Bench::start().await;
    let form = [("mode", "setup"), ("currency", "usd"), ("success_url", "http://127.0.0.1:9/kept")];
    let keeping = bench.post("/v1/checkout/sessions", &form).await.ok();
    assert_shape(&keeping, "checkout.session");
    let setup = keeping["setup_intent"].as_str().expect("one");
    assert_shape(&bench.get(&format!("/v1/setup_intents/{setup}")).await.ok(), "setup_intent");
    let session = bench.charge("4000000000005126").await;
    let charge = id(&session["payment_intent"]["latest_charge"]).to_owned();
    let refund = bench.post("/v1/refunds", &[("charge", &charge), ("amount", "100")]).await.ok();
    assert_shape(&refund, "refund");
    let method = session["payment_intent"]["payment_method"].as_str().expect("a method");
    assert_shape(&bench.get(&format!("/v1/payment_methods/{method}")).await.ok(), "payment_method");
    let disputed = bench.charge("4000000000000259").await;
    let dispute = bench.get("/v1/disputes").await.ok()["data"][0].clone();
    assert_eq!(dispute["charge"], disputed["payment_intent"]["latest_charge"]["id"]);
    assert_shape(&dispute, "dispute");
    bench.control("/payouts", json!({ "schedule": "daily" })).await;
    bench.advance_days(4).await;
    let payout = bench.get("/v1/payouts").await.ok()["data"][0].clone();
    assert_shape(&payout, "payout");
    let items = bench.get(&format!("/v1/balance_transactions?payout={}", id(&payout))).await.ok();
    assert_shape(&items["data"][0], "balance_transaction");
    assert_shape(&bench.get("/v1/balance").await.ok(), "balance");
}

#[tokio::test]
async fn errors_have_the_documented_members() {
    let documented = [
        ("type", "string"),
        ("code", "string"),
        ("message", "string"),
        ("param", "string"),
        ("decline_code", "string"),
        ("charge", "string"),
        ("payment_intent", "object"),
        ("doc_url", "string"),
    ];
    let bench = Bench::start().await;
    let confirmed = [
        ("amount", "5000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa_chargeDeclined"),
        ("confirm", "true"),
    ];
    let mut unknown = session_form("50000", "usd");
    unknown.push(("colour", "blue"));
    let errors = [
        bench.post("/v1/payment_intents", &confirmed).await.refused(402),
        bench.post("/v1/checkout/sessions", &unknown).await.refused(400),
        bench.get("/v1/checkout/sessions/cs_test_none").await.refused(404),
    ];
    for error in &errors {
        for (name, value) in error.as_object().expect("an object") {
            let expected = documented.iter().find(|(documented, _)| documented == name);
            assert_eq!(expected.map(|(_, kind)| *kind), Some(kind(value)), "{name}");
        }
        assert!(error["type"].is_string() && error["message"].is_string());
    }
    assert_eq!(errors[0]["type"], "card_error");
    assert_eq!(id(&errors[0]["payment_intent"]).get(..3), Some("pi_"));
}
