//! Runs seeds, as many at once as there are processors.

use crate::operations::{choose, weights};
use crate::sabotage::Sabotage;
use crate::world::World;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Operations of a seed.
const OPERATIONS: usize = 200;
/// The whole database is proven after so many.
const PROVEN_EVERY: usize = 20;
/// A run that fails in many seeds fails for one reason.
const FAILURES_TOLD: usize = 5;

/// What became of a seed.
pub struct Run {
    /// Why it failed.
    pub outcome: Result<(), String>,
    /// What it did.
    pub diary: Vec<String>,
    /// How many steps it took.
    pub steps: u64,
    /// What the database holds in the end, in one number.
    pub digest: u64,
}

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To see that it works.
    Few,
    /// What every change has to pass.
    Normal,
    /// What takes hours.
    Long,
}

impl Extent {
    /// What the environment asks for.
    pub fn asked_for() -> Extent {
        match std::env::var("PAYDOWN_SIMULATION").as_deref() {
            Ok("long") => Extent::Long,
            Ok("normal") => Extent::Normal,
            Ok(other) => panic!("PAYDOWN_SIMULATION is normal or long, not {other:?}"),
            Err(_) => Extent::Few,
        }
    }

    /// The number that goes with it.
    pub fn of<T>(self, few: T, normal: T, long: T) -> T {
        match self {
            Extent::Few => few,
            Extent::Normal => normal,
            Extent::Long => long,
        }
    }
}

/// A number from the environment.
pub fn asked_for(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

/// How a person runs this seed again.
pub fn replay_command(seed: u64) -> String {
    format!(
        "PAYDOWN_SIMULATION_SEED={seed} cargo test -p paydown --test simulation every_seed -- --nocapture"
    )
}

/// Runs seeds; answers those that failed, and why.
pub fn run_all(seeds: Range<u64>) -> Vec<(u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let failures = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let failed = failures.lock().expect("nobody panics here").len();
                    if seed >= seeds.end || failed >= FAILURES_TOLD {
                        return;
                    }
                    if let Err(why) = run_one(seed).outcome {
                        failures.lock().expect("nobody panics here").push((seed, why));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("nobody panics here");
    failures.sort();
    failures
}

/// Runs one seed.
pub fn run_one(seed: u64) -> Run {
    run_with(seed, None)
}

/// Runs one seed with a program that has a defect.
pub fn run_with(seed: u64, sabotage: Option<Sabotage>) -> Run {
    let mut world = World::begin(seed, sabotage);
    let lived = catch_unwind(AssertUnwindSafe(|| live_through(&mut world).and_then(|()| world.end())));
    let outcome = match lived {
        Ok(outcome) => outcome,
        Err(panic) => Err(panicked(&*panic)),
    };
    let last = world.diary.last().cloned().unwrap_or_default();
    let outcome = outcome.map_err(|why| format!("{last}: {why}"));
    if let (Err(_), Ok(folder)) = (&outcome, std::env::var("PAYDOWN_SIMULATION_KEEP")) {
        world.keep(Path::new(&folder));
    }
    let digest = if outcome.is_ok() { world.digest() } else { 0 };
    Run { outcome, steps: world.fate.steps(), digest, diary: world.diary }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("a panic: {}", text.unwrap_or("without words"))
}

fn live_through(world: &mut World) -> Result<(), String> {
    let weights = weights();
    for number in 1..=OPERATIONS {
        let operation = choose(world.draw(weights));
        world.diary.push(format!("{number} at {}: {}", world.fate.now(), operation.name));
        world.fate.take_faults();
        if world.often(6) {
            let steps = u32::try_from(world.draw(25)).unwrap_or(0);
            world.fate.doom(steps);
        }
        (operation.run)(world)?;
        let seconds = u64::try_from(world.draw(8)).unwrap_or(0);
        world.clock.advance(Duration::from_secs(seconds));
        world.check_rows()?;
        if number % PROVEN_EVERY == 0 {
            world.verify()?;
        }
    }
    Ok(())
}
