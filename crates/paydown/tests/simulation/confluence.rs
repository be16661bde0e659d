//! Webhooks in any order, once or twice: one end. For each scenario the last events, five at most, arrive in every order there is,
//! singly or each twice with jobs between, and every time invoices, payments, allocations and balances must be the same.

use crate::run::Extent;
use crate::scripted::visa;
use crate::summary::Of;
use crate::world::{World, nothing};
use billing::payment::Method;
use ledger::Currency;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::Undelivered;
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const EVENTS: usize = 5;

/// Something that happens at the processor while none of its webhooks arrives.
type Scenario = (&'static str, fn(&mut World));

const SCENARIOS: &[Scenario] = &[
    ("a card pays", |world| pays(world, visa())),
    ("a card is declined, and another pays", |world| {
        let told = page(world, Method::Card);
        world.script_pay(&told, &json!({ "card": "4000000000000002" }));
        world.script_pay(&told, &visa());
    }),
    ("a bank asks, and is told yes", |world| pays(world, json!({ "card": "4000000000003220" }))),
    ("a page runs out", |world| {
        page(world, Method::Card);
        world.clock.advance(std::time::Duration::from_secs(2 * 3_600));
        world.control("/clock", &nothing());
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
    ("a debit is paid", |world| debit(world, "000123456789", None)),
    ("a debit comes back before it is paid", |world| debit(world, "000123456789", Some("R01"))),
    ("a debit is paid and taken back", |world| {
        debit(world, "000123456789", None);
        let listed = world.control_read("/sessions").expect("a list");
        let charge = &listed["sessions"][0]["payment_intent"]["latest_charge"];
        let charge = charge["id"].as_str().or(charge.as_str()).expect("a charge").to_owned();
        world.control(&format!("/charges/{charge}/return"), &json!({ "code": "R10" })).expect("taken back");
    }),
    ("two pay parts of one invoice", |world| {
        let (one, two) = (page(world, Method::Card), page(world, Method::Card));
        world.script_pay(&one, &visa());
        world.script_pay(&two, &visa());
    }),
    ("a fee comes later", |world| {
        world.control("/fees", &json!({ "mode": "later" }));
        pays(world, visa());
        world.control("/fees/release", &nothing());
    }),
];

fn page(world: &mut World, method: Method) -> crate::world::Told {
    if world.invoices.is_empty() {
        world.script_invoice(Currency::USD, 100_000);
    }
    world.script_page(0, method, 40_000)
}

fn pays(world: &mut World, input: serde_json::Value) {
    let told = page(world, Method::Card);
    world.script_pay(&told, &input);
}

fn takes(world: &mut World, mut taken: serde_json::Value) {
    let told = page(world, Method::Card);
    taken["session"] = json!(told.session);
    world.control("/capture_override", &taken).expect("armed");
    world.script_pay(&told, &visa());
}

fn debit(world: &mut World, account: &str, code: Option<&str>) {
    let told = page(world, Method::UsBankAccount);
    world.script_pay(&told, &json!({ "account": account }));
    let listed = world.control_read("/sessions").expect("a list");
    let intent = listed["sessions"][0]["payment_intent"]["id"].as_str().expect("an intent").to_owned();
    let body = code.map_or_else(nothing, |code| json!({ "code": code }));
    world.control(&format!("/payment_intents/{intent}/debit"), &body).expect("the debit ends");
}

/// A scenario, an order of its events, and whether each comes twice.
#[derive(Clone, Debug)]
struct Case {
    scenario: usize,
    order: Vec<usize>,
    is_doubled: bool,
}

/// The world after everything happened at the processor, and the events that nobody was told of.
fn happened(scenario: usize) -> (World, Vec<Undelivered>) {
    let mut world = World::calm();
    (SCENARIOS[scenario].1)(&mut world);
    world.collect_webhooks();
    let mut events: Vec<Undelivered> = world.webhooks.drain(..).collect();
    let last = events.split_off(events.len().saturating_sub(EVENTS));
    for earlier in &events {
        world.deliver(earlier).expect("it is taken");
    }
    (world, last)
}

fn end_of(case: &Case) -> String {
    let (mut world, events) = happened(case.scenario);
    for at in &case.order {
        for _ in 0..if case.is_doubled { 2 } else { 1 } {
            world.deliver(&events[*at]).expect("it is taken");
        }
        world.run_everything_due().expect("jobs come to rest");
    }
    world.verify().expect("the books are sound");
    world.check_rows().expect("the rows are sound");
    world.summary(Of::All)
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        let longer = |order: Vec<usize>| {
            (0..count)
                .filter(|at| !order.contains(at))
                .map(|at| [&order[..], &[at]].concat())
                .collect::<Vec<_>>()
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    orders
}

#[test]
fn webhooks_in_any_order_come_to_one_end() {
    let mut cases = Vec::new();
    let mut expected = Vec::new();
    for (scenario, (name, ..)) in SCENARIOS.iter().enumerate() {
        let count = happened(scenario).1.len();
        assert!(count >= 1, "{}: nothing is told of", name);
        let order: Vec<usize> = (0..count).collect();
        let (mut world, _) = happened(scenario);
        world.end().expect("what nobody was told of is found, and both books are equal");
        expected.push(end_of(&Case { scenario, order, is_doubled: false }));
        for order in orders(count) {
            cases.extend([false, true].map(|is_doubled| Case { scenario, order: order.clone(), is_doubled }));
        }
    }
    let all = cases.len();
    let extent = Extent::asked_for();
    if extent != Extent::Long {
        let mut chance = StdRng::seed_from_u64(9);
        cases = (0..extent.of(20, 200, all)).map(|_| cases[chance.random_range(0..all)].clone()).collect();
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = catch_unwind(AssertUnwindSafe(|| end_of(case)));
                    let end = end.unwrap_or_else(|_| "a panic; see above".to_owned());
                    if end != expected[case.scenario] {
                        let name = SCENARIOS[case.scenario].0;
                        let expected = &expected[case.scenario];
                        let told = format!("{name}, {case:?}\n{end}\ninstead of\n{expected}");
                        wrong.lock().expect("nobody panics here").push(told);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nobody panics here");
    println!("webhook confluence: {} of {all} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases came to another end\n\n{}", wrong.len(), cases.len(), wrong[0]);
}
