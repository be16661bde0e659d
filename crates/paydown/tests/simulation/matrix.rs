//! The fault matrix: a script of people who pay, give up and record goes through every point at which money.md names a fault. It
//! is run once without one; then once for every step the program takes in it (each write, each request, before and after) and
//! everything that can go wrong there. Each time the end must be that of the run without a fault.
//!
//! In the long run also every pair of the steps around the writes and requests that move money, in both orders.

use crate::fate::{Carriage, Place, Planned};
use crate::run::Extent;
use crate::scripted::visa;
use crate::summary::Of;
use crate::world::World;
use billing::payment::Method;
use ledger::Currency;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const DAY: u64 = 86_400;
/// Steps of which all pairs are tried in the long run.
const PAIRED: usize = 20;

type Plan = Vec<(u64, Planned)>;

/// What a request can meet with.
const CARRIAGES: [Carriage; 10] = [
    Carriage::NeverSent,
    Carriage::Lost,
    Carriage::AnswerLost,
    Carriage::FailsBefore,
    Carriage::FailsAfter,
    Carriage::TooMany,
    Carriage::InProgress,
    Carriage::Garbled,
    Carriage::Twice,
    Carriage::Late(60),
];

/// Lives through the script under a plan; answers what it came to, and the steps it took.
fn lived(plan: Plan) -> (String, Vec<Place>) {
    let mut world = World::calm();
    let invoice = world.script_invoice(Currency::USD, 100_000);
    world.fate.follow(plan);
    let card = world.script_page(invoice, Method::Card, 40_000);
    world.script_pay(&card, &visa());
    world.script_settle();
    let debit = world.script_page(invoice, Method::UsBankAccount, 20_000);
    world.script_pay(&debit, &json!({ "account": "000123456789" }));
    world.script_settle();
    let given_up = world.script_page(invoice, Method::Card, 15_000);
    world.script_cancel(&given_up);
    world.script_cheque(invoice, 10_000);
    let taken_back = world.script_page(invoice, Method::UsBankAccount, 5_000);
    world.script_pay(&taken_back, &json!({ "account": "92010001" }));
    for _ in 0..12 {
        world.script_wait(DAY);
    }
    let trail = world.fate.trail();
    world.end().expect("the books are sound and everything ends");
    (world.summary(Of::Captured), trail)
}

/// Everything that can go wrong at one step.
fn faults(place: Place) -> Vec<Planned> {
    let mut faults = vec![Planned::Dies, Planned::IsLate];
    match place {
        Place::Call | Place::Request => faults.extend(CARRIAGES.map(Planned::Meets)),
        Place::Write | Place::Written | Place::Answered => faults.push(Planned::Fails),
        Place::Mail => {}
    }
    faults
}

fn singles(trail: &[Place]) -> Vec<Plan> {
    let numbered = (0..).zip(trail);
    numbered.flat_map(|(at, place)| faults(*place).into_iter().map(move |fault| vec![(at, fault)])).collect()
}

/// The steps that move money: around each call that changes something at the processor, and around each reading that a booking
/// follows, from the write before it that is durable to the write after it that is. Of these twenty, as many of either kind.
fn critical(trail: &[Place]) -> Vec<usize> {
    let around = |at: usize| {
        let before = (0..at).rev().find(|step| trail[*step] == Place::Written);
        let mut steps: Vec<usize> = before.into_iter().chain([at]).collect();
        let mut from = at;
        for place in [Place::Answered, Place::Write, Place::Written] {
            let Some(found) = (from + 1..trail.len()).find(|step| trail[*step] == place) else { break };
            steps.push(found);
            from = found;
        }
        steps
    };
    let calls = (0..trail.len()).filter(|at| trail[*at] == Place::Call).take(2);
    let is_booked_after = |at: &usize| {
        trail[*at] == Place::Request && trail.get(at + 1..at + 3) == Some(&[Place::Answered, Place::Write])
    };
    let first_call = trail.iter().position(|place| *place == Place::Call).unwrap_or_default();
    let readings = (first_call..trail.len()).filter(is_booked_after);
    let mut steps: Vec<usize> = calls.flat_map(around).collect();
    for reading in readings {
        for step in around(reading) {
            if !steps.contains(&step) && steps.len() < PAIRED {
                steps.push(step);
            }
        }
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Every pair of them (the second is the step of that number in the run that the first has changed), each with everything that can go wrong at the one and at the other: both orders of any two faults.
fn pairs(trail: &[Place]) -> Vec<Plan> {
    let chosen = critical(trail);
    let mut plans = Vec::new();
    for (index, first) in chosen.iter().enumerate() {
        for second in &chosen[index + 1..] {
            for one in faults(trail[*first]) {
                for two in faults(trail[*second]) {
                    plans.push(vec![(*first as u64, one), (*second as u64, two)]);
                }
            }
        }
    }
    plans
}

#[test]
fn whatever_goes_wrong_the_end_is_the_same() {
    let (expected, trail) = lived(Vec::new());
    let mut plans = singles(&trail);
    let all = plans.len();
    let extent = Extent::asked_for();
    if extent == Extent::Long {
        plans.extend(pairs(&trail));
    } else if extent == Extent::Few {
        let mut chance = StdRng::seed_from_u64(4);
        plans = (0..20).map(|_| plans[chance.random_range(0..all)].clone()).collect();
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = catch_unwind(AssertUnwindSafe(|| lived(plan.clone()).0));
                    let end = end.unwrap_or_else(|_| "a panic; see above".to_owned());
                    if end != expected {
                        let place = |at: u64| usize::try_from(at).ok().and_then(|at| trail.get(at));
                        let places: Vec<_> = plan.iter().map(|(at, _)| place(*at)).collect();
                        let told = format!("{plan:?} at {places:?}\n{end}\ninstead of\n{expected}");
                        wrong.lock().expect("nobody panics here").push(told);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nobody panics here");
    println!("fault matrix: {} steps, {} of {all} single faults and pairs", trail.len(), plans.len());
    assert!(
        wrong.is_empty(),
        "{} of {} came to another end\n\n{}",
        wrong.len(),
        plans.len(),
        wrong.join("\n\n")
    );
}
