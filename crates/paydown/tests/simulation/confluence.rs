//! Webhooks in any order, once or twice: one end. For each scenario the last events, five at most, arrive in every order there is,
//! singly or each twice with jobs between, and every time invoices, payments, refunds, disputes, payouts, allocations and balances
//! must be the same.
//!
//! Of fourteen scenarios and more the processor tells by five events or more: of each the last five come in 120 orders, singly and
//! doubled. The few of which it tells by less come in all the orders there are. How many cases that makes stands in [`CASES`].

mod scenarios;

use crate::run::Extent;
use crate::summary::Of;
use crate::world::World;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::Undelivered;
use scenarios::SCENARIOS;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const EVENTS: usize = 5;
/// Scenarios of which the processor tells by that many events, at least.
const FULL_SCENARIOS: usize = 14;
/// Every order of the events of every scenario, once and twice each.
const CASES: usize = 5_092;

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
    let mut full = 0;
    for (scenario, (name, ..)) in SCENARIOS.iter().enumerate() {
        let events = happened(scenario).1;
        let (count, kinds) = (events.len(), events.iter().map(|event| event.kind.as_str()));
        println!("{name}: {}", kinds.collect::<Vec<_>>().join(", "));
        assert!(count >= 1, "{name}: nothing is told of");
        full += usize::from(count == EVENTS);
        let order: Vec<usize> = (0..count).collect();
        let (mut world, _) = happened(scenario);
        world.end().expect("what nobody was told of is found, and both books are equal");
        expected.push(end_of(&Case { scenario, order, is_doubled: false }));
        for order in orders(count) {
            cases.extend([false, true].map(|is_doubled| Case { scenario, order: order.clone(), is_doubled }));
        }
    }
    let all = cases.len();
    assert!(full >= FULL_SCENARIOS, "{full} scenarios are told of by {EVENTS} events");
    assert_eq!(all, CASES, "the cases that the module tells of");
    let extent = Extent::asked_for();
    if extent == Extent::Few {
        let mut chance = StdRng::seed_from_u64(9);
        cases = (0..20).map(|_| cases[chance.random_range(0..all)].clone()).collect();
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
