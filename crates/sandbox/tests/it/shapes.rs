//! The answers have the shape that the processor publishes: every member is one of its own, and of its type.

use serde_json::{Value, json};

use crate::bench::{Bench, id, session_form};

/// Members whose content the published example abbreviates or that are free maps: only their presence is compared.
const OPEN_MEMBERS: &[&str] =
    &["data.object", "last_payment_error", "metadata", "next_action", "payment_method_options"];

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
