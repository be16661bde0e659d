//! What happens at the processor while none of its webhooks arrives.

use crate::scripted::visa;
use crate::world::{MERCHANT, Told, World, nothing};
use billing::payment::Method;
use billing::refund::RefundMeaning;
use ledger::Currency;
use paydown::actions::once::Ran;
use paydown::actions::request_refund::{RefundOf, RequestRefund, request_refund};
use paydown::actions::submit_refund::submit_refund;
use paydown::app::App;
use serde_json::{Value, json};
use std::time::Duration;

/// A name, and what happens.
pub type Scenario = (&'static str, fn(&mut World));

const GOOD_ACCOUNT: &str = "000123456789";
/// A card whose refunds come back on the third day.
const REFUND_FAILS: &str = "4000000000005126";
/// A card whose refunds take a day.
const REFUND_WAITS: &str = "4000000000007726";

/// Every scenario.
pub const SCENARIOS: &[Scenario] = &[
    ("a card pays", |world| pays(world, &visa())),
    ("a card is declined, and another pays", |world| {
        let told = page(world, Method::Card);
        world.script_pay(&told, &json!({ "card": "4000000000000002" }));
        world.script_pay(&told, &visa());
    }),
    ("a bank asks, and is told yes", |world| pays(world, &json!({ "card": "4000000000003220" }))),
    ("a page runs out", |world| {
        page(world, Method::Card);
        wait(world, 2);
    }),
    ("a payer gives up", |world| {
        let told = page(world, Method::Card);
        world.script_cancel(&told);
    }),
    ("money comes after the end", |world| {
        let told = page(world, Method::Card);
        world.script_cancel(&told);
        let session = told.session.expect("a page");
        world.control(&format!("/sessions/{session}/succeed_after_end"), &nothing());
    }),
    ("more is taken than was asked", |world| takes(world, json!({ "amount": 120_000 }))),
    ("less is taken than was asked", |world| takes(world, json!({ "amount": 30_000 }))),
    ("another currency is taken", |world| takes(world, json!({ "amount": 40_000, "currency": "eur" }))),
    ("a debit is paid", |world| debit(world, None)),
    ("a debit comes back before it is paid", |world| debit(world, Some("R01"))),
    ("a debit is paid and taken back", |world| {
        debit(world, None);
        let charge = charge(world);
        world.control(&format!("/charges/{charge}/return"), &json!({ "code": "R10" })).expect("taken back");
    }),
    ("two pay parts of one invoice", |world| {
        let (one, two) = (page(world, Method::Card), page(world, Method::Card));
        world.script_pay(&one, &visa());
        world.script_pay(&two, &visa());
    }),
    ("a fee comes later", |world| {
        world.control("/fees", &json!({ "mode": "later" }));
        pays(world, &visa());
        world.control("/fees/release", &nothing());
    }),
    ("a refund comes back late", |world| {
        let told = paid(world, &json!({ "card": REFUND_FAILS }));
        refund(world, &told, 15_000);
        wait(world, 24 * 4);
    }),
    ("a refund arrives, and another one at the processor", |world| {
        let told = paid(world, &json!({ "card": REFUND_WAITS }));
        refund(world, &told, 15_000);
        wait(world, 30);
        let charge = charge(world);
        world.dashboard("/v1/refunds", Some(&format!("charge={charge}&amount=5000"))).expect("refunded");
    }),
    ("a dispute is lost", |world| contested(world, &["lost"])),
    ("a dispute is won", |world| contested(world, &["won"])),
    ("a dispute is lost, and won after all", |world| contested(world, &["lost", "won"])),
    ("a bank asks, then takes the money, and gives it back", |world| {
        paid(world, &visa());
        let charge = charge(world);
        let asks = json!({ "reason": "fraudulent", "inquiry": true });
        world.control(&format!("/charges/{charge}/dispute"), &asks).expect("it is contested");
        decided(world, &["escalated", "won"]);
    }),
    ("a payment is refunded in part and contested", |world| {
        let told = paid(world, &visa());
        refund(world, &told, 10_000);
        contest(world);
        decided(world, &["lost"]);
    }),
    ("a payout is paid and comes back", |world| {
        pays(world, &visa());
        paid_out(world);
        let payout = world.listed("/v1/payouts").pop().expect("a payout");
        let id = payout["id"].as_str().expect("its name").to_owned();
        world
            .control(&format!("/payouts/{id}/fail"), &json!({ "code": "account_closed" }))
            .expect("it fails");
    }),
    ("a payout fails, and the next is paid", |world| {
        pays(world, &visa());
        world.control("/payouts", &json!({ "schedule": "daily", "next_fails_with": "account_closed" }));
        wait(world, 24 * 6);
        world.control("/payouts", &json!({ "schedule": "manual" }));
        wait(world, 24 * 4);
    }),
    ("a debit is refunded, and that comes back", |world| {
        let told = page(world, Method::UsBankAccount);
        world.script_pay(&told, &json!({ "account": "93000001" }));
        settle_debit(world, None);
        world.script_settle();
        refund(world, &told, 12_000);
        wait(world, 24 * 3);
    }),
    ("an account is kept, and its debit comes back", |world| {
        let told = kept_page(world, Method::UsBankAccount);
        world.script_pay(&told, &json!({ "account": GOOD_ACCOUNT }));
        settle_debit(world, Some("R10"));
    }),
    ("a card is kept", |world| {
        let told = kept_page(world, Method::Card);
        world.script_pay(&told, &visa());
    }),
    ("an account is left without paying", |world| left(world, Method::UsBankAccount)),
    ("a card is left without paying", |world| left(world, Method::Card)),
];

fn wait(world: &mut World, hours: u64) {
    world.clock.advance(Duration::from_secs(hours * 3_600));
    world.control("/clock", &nothing());
}

fn invoice(world: &mut World) {
    if world.invoices.is_empty() {
        world.script_invoice(Currency::USD, 100_000);
    }
}

fn page(world: &mut World, method: Method) -> Told {
    invoice(world);
    world.script_page(0, method, 40_000)
}

/// A page of somebody who signed in and wants what they use to be kept.
fn kept_page(world: &mut World, method: Method) -> Told {
    invoice(world);
    world.script_kept_page(0, method, 40_000)
}

fn pays(world: &mut World, input: &Value) {
    let told = page(world, Method::Card);
    world.script_pay(&told, input);
}

/// Paid and booked; everybody knows.
fn paid(world: &mut World, input: &Value) -> Told {
    let told = page(world, Method::Card);
    world.script_pay(&told, input);
    world.script_settle();
    told
}

fn takes(world: &mut World, mut taken: Value) {
    let told = page(world, Method::Card);
    taken["session"] = json!(told.session);
    world.control("/capture_override", &taken).expect("armed");
    world.script_pay(&told, &visa());
}

fn debit(world: &mut World, code: Option<&str>) {
    let told = page(world, Method::UsBankAccount);
    world.script_pay(&told, &json!({ "account": GOOD_ACCOUNT }));
    settle_debit(world, code);
}

fn settle_debit(world: &mut World, code: Option<&str>) {
    let listed = world.control_read("/sessions").expect("a list");
    let intent = listed["sessions"][0]["payment_intent"]["id"].as_str().expect("an intent").to_owned();
    let body = code.map_or_else(nothing, |code| json!({ "code": code }));
    world.control(&format!("/payment_intents/{intent}/debit"), &body).expect("the debit ends");
    world.collect_webhooks();
}

/// The newest charge.
fn charge(world: &mut World) -> String {
    let charges = world.listed("/v1/charges");
    charges.first().and_then(|charge| charge["id"].as_str()).expect("a charge").to_owned()
}

/// Staff refund a part, and the processor takes it.
fn refund(world: &mut World, told: &Told, minor: i64) {
    let input = RequestRefund {
        merchant: MERCHANT,
        of: RefundOf::Payment(told.payment),
        amount_minor: Some(minor),
        meaning: RefundMeaning::OwedAgain,
        reason: "Not as ordered".to_owned(),
        actor: "script".to_owned(),
    };
    let sent = world.live(async move |app: App| match request_refund(&app, input, None).await? {
        Ran::New(requested) => submit_refund(&app, MERCHANT, requested.refund.id).await,
        other => anyhow::bail!("{other:?}"),
    });
    sent.expect("nothing dies").expect("it is refunded");
    world.collect_webhooks();
}

fn contest(world: &mut World) {
    let charge = charge(world);
    world
        .control(&format!("/charges/{charge}/dispute"), &json!({ "reason": "fraudulent" }))
        .expect("it is contested");
}

fn contested(world: &mut World, outcomes: &[&str]) {
    paid(world, &visa());
    contest(world);
    decided(world, outcomes);
}

fn decided(world: &mut World, outcomes: &[&str]) {
    let dispute = world.listed("/v1/disputes").pop().expect("a dispute");
    let id = dispute["id"].as_str().expect("its name").to_owned();
    for outcome in outcomes {
        world.control(&format!("/disputes/{id}"), &json!({ "outcome": outcome })).expect("the bank decides");
    }
}

fn paid_out(world: &mut World) {
    world.control("/payouts", &json!({ "schedule": "daily" }));
    wait(world, 24 * 3);
    world.control("/payouts", &json!({ "schedule": "manual" }));
    wait(world, 24 * 4);
}

fn left(world: &mut World, method: Method) {
    let session = world.script_setup(method);
    let input = if method == Method::Card { visa() } else { json!({ "account": GOOD_ACCOUNT }) };
    world.control(&format!("/sessions/{session}/pay"), &input).expect("it is left");
}
