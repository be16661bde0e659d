//! Payment methods that are kept: with a payment, on a page of their own, by API; used while the payer is away, and ended.

use serde_json::{Value, json};

use crate::bench::{Bench, id, items};

async fn customer(bench: &Bench) -> String {
    id(&bench.post("/v1/customers", &[("name", "Acme Inc.")]).await.ok()).to_owned()
}

async fn setup_session(bench: &Bench, customer: &str, kind: &str) -> Value {
    let form = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method_types[]", kind),
        ("setup_intent_data[metadata][method]", "mth_1"),
        ("success_url", "http://127.0.0.1:9/kept"),
    ];
    bench.post("/v1/checkout/sessions", &form).await.ok()
}

async fn kept(bench: &Bench, customer: &str) -> Vec<Value> {
    items(&bench.get(&format!("/v1/customers/{customer}/payment_methods")).await.ok()).clone()
}

fn away<'a>(customer: &'a str, method: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("amount", "5000"),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method", method),
        ("payment_method_types[]", "card"),
        ("payment_method_types[]", "us_bank_account"),
        ("off_session", "true"),
        ("confirm", "true"),
    ]
}

#[tokio::test]
async fn a_card_is_kept_on_a_page_that_takes_no_money() {
    let bench = Bench::start().await;
    let customer = customer(&bench).await;
    let session = setup_session(&bench, &customer, "card").await;
    assert_eq!(
        (session["mode"].as_str(), session["payment_status"].as_str()),
        (Some("setup"), Some("no_payment_required"))
    );
    assert_eq!(session["amount_total"], json!(null));
    let page = bench.browse(session["url"].as_str().expect("an address")).await;
    assert_eq!(
        (page.texts("h1"), page.texts("button")),
        (vec!["Add a payment method".to_owned()], vec!["Keep this card".to_owned()])
    );
    let location = bench.type_card(&page, "4000000000000002", "12/34", "123").await;
    let page = bench.browse(&location).await;
    assert_eq!(page.texts(".error h2"), ["The card could not be kept"]);
    let location = bench.type_card(&page, "4000002500003155", "12/34", "123").await;
    let bank = bench.browse(&location).await;
    let form = [
        ("token", bank.value("token")),
        ("bank-code", bank.texts(".digits").remove(0)),
        ("answer", "approve".to_owned()),
    ];
    assert_eq!(bench.submit(&bank, &form).await, "http://127.0.0.1:9/kept");
    let path = format!("/v1/checkout/sessions/{}?expand[]=setup_intent", id(&session));
    let done = bench.get(&path).await.ok();
    let setup = &done["setup_intent"];
    assert_eq!((done["status"].as_str(), setup["status"].as_str()), (Some("complete"), Some("succeeded")));
    assert_eq!(setup["metadata"], json!({ "method": "mth_1" }));
    let methods = kept(&bench, &customer).await;
    assert_eq!(methods.len(), 1);
    assert_eq!(
        (methods[0]["card"]["last4"].as_str(), methods[0]["customer"].as_str()),
        (Some("3155"), Some(customer.as_str()))
    );
    let charged = bench.post("/v1/payment_intents", &away(&customer, id(&methods[0]))).await.ok();
    assert_eq!(charged["status"], "succeeded", "its bank has seen the payer");
    let nobody =
        [("amount", "5000"), ("currency", "usd"), ("payment_method", id(&methods[0])), ("confirm", "true")];
    bench.post("/v1/payment_intents", &nobody).await.refused(400);
    bench.assert_books();
}

#[tokio::test]
async fn a_card_whose_bank_always_asks_is_declined_while_the_payer_is_away() {
    let bench = Bench::start().await;
    let customer = customer(&bench).await;
    let session = setup_session(&bench, &customer, "card").await;
    bench.pay(&session, json!({ "card": "4000002760003184" })).await;
    let method = kept(&bench, &customer).await.remove(0);
    let error = bench.post("/v1/payment_intents", &away(&customer, id(&method))).await.refused(402);
    assert_eq!(error["code"], "authentication_required");
    let path = format!("/v1/payment_intents/{}/confirm", id(&error["payment_intent"]));
    let back = [("payment_method", id(&method)), ("return_url", "http://127.0.0.1:9/back")];
    let asked = bench.post(&path, &back).await.ok();
    assert_eq!(asked["next_action"]["type"], "redirect_to_url");
}

#[tokio::test]
async fn an_account_kept_with_a_payment_is_debited_again_until_it_is_taken_off() {
    let bench = Bench::start().await;
    let customer = customer(&bench).await;
    let mut form = crate::bench::session_form("50000", "usd");
    form.retain(|(name, _)| !matches!(*name, "payment_method_types[0]" | "customer_email"));
    form.push(("payment_method_types[]", "us_bank_account"));
    form.push(("payment_intent_data[setup_future_usage]", "off_session"));
    form.push(("customer", &customer));
    let session = bench.post("/v1/checkout/sessions", &form).await.ok();
    bench.pay(&session, json!({ "account": "000123456789" })).await;
    let method = kept(&bench, &customer).await.remove(0);
    let again = bench.post("/v1/payment_intents", &away(&customer, id(&method))).await.ok();
    assert_eq!(again["status"], "processing");
    let charge =
        bench.get(&format!("/v1/charges/{}", again["latest_charge"].as_str().expect("one"))).await.ok();
    let mandate =
        charge["payment_method_details"]["us_bank_account"]["mandate"].as_str().expect("one").to_owned();
    let path = format!("/v1/mandates/{mandate}");
    let given = bench.get(&path).await.ok();
    assert_eq!((given["type"].as_str(), given["status"].as_str()), (Some("multi_use"), Some("active")));

    let detached = bench.post(&format!("/v1/payment_methods/{}/detach", id(&method)), &[]).await.ok();
    assert_eq!(detached["customer"], json!(null));
    assert_eq!(bench.get(&path).await.ok()["status"], "inactive");
    bench.last_event("mandate.updated").await;
    let error = bench.post("/v1/payment_intents", &away(&customer, id(&method))).await.refused(400);
    assert_eq!(error["code"], "payment_method_unexpected_state");
    bench.advance_days(6).await;
    assert_eq!(bench.assert_books().currencies["usd"].captured_minor, 55_000, "what was under way goes on");
}

#[tokio::test]
async fn an_account_needs_a_mandate_and_keeps_it_only_while_its_bank_allows() {
    let bench = Bench::start().await;
    let customer = customer(&bench).await;
    let session = setup_session(&bench, &customer, "us_bank_account").await;
    bench.pay(&session, json!({ "account": "000333333335" })).await;
    let method = kept(&bench, &customer).await.remove(0);
    bench.post("/v1/payment_intents", &away(&customer, id(&method))).await.ok();
    bench.advance_days(4).await;
    let error = bench.post("/v1/payment_intents", &away(&customer, id(&method))).await.refused(400);
    assert_eq!(error["code"], "payment_intent_mandate_invalid", "its bank said that it was not authorised");
    let mut anew = away(&customer, id(&method));
    anew.extend([
        ("mandate_data[customer_acceptance][type]", "online"),
        ("mandate_data[customer_acceptance][online][ip_address]", "127.0.0.1"),
        ("mandate_data[customer_acceptance][online][user_agent]", "test"),
    ]);
    assert_eq!(bench.post("/v1/payment_intents", &anew).await.ok()["status"], "processing");
}

#[tokio::test]
async fn setup_intents_work_by_api_and_verify_by_deposits() {
    let bench = Bench::start().await;
    let customer = customer(&bench).await;
    let form = [
        ("customer", customer.as_str()),
        ("payment_method", "pm_usBankAccount_success"),
        ("payment_method_types[]", "us_bank_account"),
        ("payment_method_options[us_bank_account][verification_method]", "microdeposits"),
        ("mandate_data[customer_acceptance][type]", "offline"),
        ("confirm", "true"),
    ];
    let setup = bench.post("/v1/setup_intents", &form).await.ok();
    assert_eq!(setup["next_action"]["type"], "verify_with_microdeposits");
    assert!(kept(&bench, &customer).await.is_empty());
    let path = format!("/v1/setup_intents/{}", id(&setup));
    bench.post(&format!("{path}/verify_microdeposits"), &[("descriptor_code", "SM00XX")]).await.refused(400);
    let done =
        bench.post(&format!("{path}/verify_microdeposits"), &[("descriptor_code", "SM11AA")]).await.ok();
    assert_eq!(done["status"], "succeeded");
    assert_eq!(kept(&bench, &customer).await.len(), 1);
    bench.post(&format!("{path}/cancel"), &[]).await.refused(400);
    let attached =
        bench.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await.ok();
    assert_eq!(kept(&bench, &customer).await.len(), 2);
    let cards = bench.get(&format!("/v1/payment_methods?customer={customer}&type=card")).await.ok();
    assert_eq!(items(&cards).iter().map(id).collect::<Vec<_>>(), [id(&attached)]);
    let waiting = bench.post("/v1/setup_intents", &[("customer", &customer)]).await.ok();
    let canceled = bench.post(&format!("/v1/setup_intents/{}/cancel", id(&waiting)), &[]).await.ok();
    assert_eq!(canceled["status"], "canceled");
}
