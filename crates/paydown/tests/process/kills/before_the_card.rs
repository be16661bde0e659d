//! From the form to the card page: T1, the call, T2, the redirect.

use super::{INVOICE, MAKE, PART, about_to_pay, goes_on_and_pays, left_alone, on_both_engines, press};
use crate::place::Place;
use crate::program::until;
use billing::payment::PaymentState;
use serde_json::json;
use std::time::Duration;
use store::testing::Change;

on_both_engines!(before_t1_commits_nothing_happened, async |mut place: Place| {
    let (payer, invoice_path, form) = about_to_pay(&mut place).await;
    let held = place.database.hold_writes().await;
    let mut pressed = press(payer, &form);
    let early = tokio::time::timeout(Duration::from_millis(400), &mut pressed).await;
    assert!(early.is_err(), "T1 waits for the lock: {:?}", early.map(|ended| ended.map(|(_, page)| page)));
    place.kill();
    drop(held);
    place.serve().await;
    let mut payer = left_alone(pressed, &place).await;
    assert_eq!((place.count_payments().await, place.sessions().await.len()), (0, 0));
    payer.get(&invoice_path).await.says("Pay $1,250.00");
    assert!(payer.press(&form).await.left_for.is_some(), "the same form works");
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(after_t1_before_the_call, async |mut place: Place| {
    let (payer, invoice_path, form) = about_to_pay(&mut place).await;
    place.database.refuse(Change::Update("attempts", "calls")).await;
    let pressed = press(payer, &form);
    place.state(&form.payment, PaymentState::Submitting).await;
    place.kill();
    place.database.let_through().await;
    assert_eq!(place.attempt(&form.payment).await.expect("an attempt").calls, 0);
    assert_eq!(place.sessions().await.len(), 0);
    place.serve().await;
    let payer = left_alone(pressed, &place).await;
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(during_the_call_before_its_effect, async |mut place: Place| {
    let (payer, invoice_path, form) = about_to_pay(&mut place).await;
    place.fault(MAKE, "timeout_before").await;
    let pressed = press(payer, &form);
    place.fault_hit().await;
    place.kill();
    assert_eq!(place.sessions().await.len(), 0);
    place.serve().await;
    let payer = left_alone(pressed, &place).await;
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(during_the_call_after_its_effect, async |mut place: Place| {
    let (payer, invoice_path, form) = about_to_pay(&mut place).await;
    place.fault(MAKE, "timeout_after").await;
    let pressed = press(payer, &form);
    until("the card page", async || place.sessions().await.first().map(drop)).await;
    place.kill();
    let made = place.sessions().await[0]["id"].clone();
    place.serve().await;
    let payer = left_alone(pressed, &place).await;
    place.state(&form.payment, PaymentState::RequiresAction).await;
    let attempt = place.attempt(&form.payment).await.expect("an attempt");
    assert_eq!(attempt.session_id.as_deref(), made.as_str(), "the page that was made");
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(a_call_that_outlives_us_makes_one_page, async |mut place: Place| {
    let (payer, invoice_path, form) = about_to_pay(&mut place).await;
    place.control("/faults", json!({ "route": MAKE, "fault": "slow", "delay_ms": 1_500 })).await;
    let pressed = press(payer, &form);
    place.fault_hit().await;
    place.restart().await;
    let payer = left_alone(pressed, &place).await;
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(after_the_call_before_t2, async |mut place: Place| {
    let (mut payer, invoice_path, form) = about_to_pay(&mut place).await;
    place.database.refuse(Change::Update("payments", "state")).await;
    let page = payer.press(&form).await;
    assert_eq!((page.status, page.left_for.as_deref()), (500, None), "{}", page.html);
    place.kill();
    place.database.let_through().await;
    let payment = place.payment(&form.payment).await.expect("T1 is done");
    assert_eq!((payment.state, place.sessions().await.len()), (PaymentState::Submitting, 1));
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(after_t2_before_the_redirect, async |mut place: Place| {
    let (mut payer, invoice_path, form) = about_to_pay(&mut place).await;
    place.database.refuse(Change::Update("payments", "redirected_at")).await;
    let page = payer.press(&form).await;
    assert_eq!((page.status, page.left_for.as_deref()), (500, None), "{}", page.html);
    place.kill();
    place.database.let_through().await;
    let payment = place.payment(&form.payment).await.expect("T1 is done");
    assert_eq!((payment.state, payment.redirected_at), (PaymentState::RequiresAction, None));
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    let again = payer.press(&form).await.left_for;
    assert_eq!(again, place.attempt(&form.payment).await.expect("an attempt").session_url);
    assert_eq!(place.figures(INVOICE).await.1, PART, "one hold");
    goes_on_and_pays(place, payer, &invoice_path, &form.payment).await;
});
