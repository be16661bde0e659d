//! The simulation: the real rules, store, actions, jobs and adapter against a simulated clock, processor, network and mail, with
//! crashes and restarts, driven by one seed that replays exactly.
//!
//! What is real: everything of the product from the action inwards, on an SQLite file, and the practice processor with its own
//! data and books. What is simulated stands in four files: time and chance (`clock.rs`), what goes wrong (`fate.rs`), the network
//! (`wire.rs`), and the process (`world.rs`). A crash drops the runtime with everything that was under way, at a step that the seed
//! chose: before or after any write, any request, any mail. Nothing here looks at real time or sleeps.
//!
//! After every operation the rows it changed must be sound, after every twentieth the whole database, and at the end, once nothing
//! goes wrong any more, every payment must come to its end and both sides' books must be equal.
//!
//! A plain `cargo test` runs a few seeds. `cargo xtask ci` sets `PAYDOWN_SIMULATION` to `normal` or `long`. `PAYDOWN_SIMULATION_SEEDS` says how many seeds are run, `PAYDOWN_SIMULATION_FIRST` from which one on, `PAYDOWN_SIMULATION_SEED`
//! replays one and tells what it did. `PAYDOWN_SIMULATION_KEEP` names a folder for the database of a seed that failed and the
//! processor's lists.

mod checks;
mod clock;
mod confluence;
mod ending;
mod fate;
mod matrix;
mod operations;
mod run;
mod sabotage;
mod scripted;
mod summary;
mod wire;
mod world;

use run::{Extent, Run, asked_for, replay_command, run_all, run_one};

#[test]
fn every_seed_keeps_the_books() {
    if let Some(seed) = asked_for("PAYDOWN_SIMULATION_SEED") {
        let run = run_one(seed);
        println!("{}", run.diary.join("\n"));
        run.outcome.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        return;
    }
    let count = asked_for("PAYDOWN_SIMULATION_SEEDS").unwrap_or(Extent::asked_for().of(12, 1_000, 20_000));
    let first = asked_for("PAYDOWN_SIMULATION_FIRST").unwrap_or(1);
    let failures = run_all(first..first + count);
    let told: Vec<String> = failures
        .iter()
        .map(|(seed, why)| format!("seed {seed}: {why}\n  replay it with: {}", replay_command(*seed)))
        .collect();
    assert!(failures.is_empty(), "{} of {count} seeds failed\n\n{}", failures.len(), told.join("\n\n"));
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [1, 2, 3] {
        let (once, again): (Run, Run) = (run_one(seed), run_one(seed));
        assert_eq!(once.diary, again.diary, "seed {seed} went another way");
        assert_eq!((once.steps, once.digest), (again.steps, again.digest), "seed {seed}");
    }
}
