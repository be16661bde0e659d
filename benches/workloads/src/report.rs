//! What is told: figures while they come, goals at the end. Ratios are taken within a round, so that what moved one side
//! moved the other; a goal is judged by the median of its rounds. It decides nothing about what is measured.
#![expect(clippy::print_stdout, reason = "telling figures is what it is for")]

use crate::load::Driven;
use crate::machine::{self, Flush};
use anyhow::Result;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;

/// Prints a line at once.
pub fn say(line: &str) {
    println!("{line}");
    // Whoever closed our output does not want to read it.
    std::io::stdout().flush().ok();
}

/// Prints a line of figures.
pub fn figures(what: &str, driven: &Driven) {
    let processor = driven.processor_micros().map(|micros| format!("   {micros:>5.0} µs of processor each"));
    say(&format!(
        "  {what:<46}{:>9.0}/s   p50 {:>7.2} ms   p99 {:>7.2} ms   {:>7} answers{}",
        driven.rate(),
        driven.millis(500),
        driven.millis(990),
        driven.count(),
        processor.unwrap_or_default()
    ));
}

/// Prints under which conditions a round runs, and answers how long a flush takes.
pub fn conditions(what: &str, round: usize, folder: &Path) -> Result<Flush> {
    let flush = machine::flush(folder)?;
    say(&format!(
        "\n{what}, round {round}: load {:.2}, flush p50 {:.2} ms, p99 {:.2} ms",
        machine::load()?,
        flush.p50,
        flush.p99
    ));
    Ok(flush)
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// At least the floor.
    Higher,
    /// At most the floor.
    Lower,
}

/// A goal of docs/performance.md and what was measured.
#[derive(Debug, Clone)]
pub struct Goal {
    id: &'static str,
    ratios: Vec<f64>,
    floor: f64,
    reach: f64,
    better: Better,
}

impl Goal {
    /// A goal whose ratios come round by round.
    pub const fn new(id: &'static str, better: Better, floor: f64, reach: f64) -> Goal {
        Goal { id, ratios: Vec::new(), floor, reach, better }
    }

    /// One round's ratio.
    pub fn add(&mut self, ratio: f64) {
        self.ratios.push(ratio);
        self.ratios.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        let half = self.ratios.len() / 2;
        match self.ratios.as_slice() {
            [] => f64::NAN,
            ratios if ratios.len() % 2 == 0 => f64::midpoint(ratios[half - 1], ratios[half]),
            ratios => ratios[half],
        }
    }

    fn keeps(&self, bound: f64) -> bool {
        match self.better {
            Better::Higher => self.median() >= bound,
            Better::Lower => self.median() <= bound,
        }
    }

    fn line(&self) -> String {
        let (min, max) = (self.ratios.first().unwrap_or(&f64::NAN), self.ratios.last().unwrap_or(&f64::NAN));
        let verdict = match (self.keeps(self.floor), self.keeps(self.reach)) {
            (_, true) => "reached",
            (true, false) => "met",
            (false, false) => "not met",
        };
        format!(
            "{:<24}{:>8.2}   ({min:.2} to {max:.2})   floor {:.2}, reach {:.2}: {verdict}",
            self.id,
            self.median(),
            self.floor,
            self.reach
        )
    }

    fn json(&self) -> Value {
        let rounded = |number: f64| (number * 1_000.0).round() / 1_000.0;
        json!({
            "id": self.id,
            "ratio": rounded(self.median()),
            "floor": self.floor,
            "reach": self.reach,
            "met": self.keeps(self.floor),
        })
    }
}

/// Prints every goal; the last line as JSON where that is asked for.
pub fn goals(goals: &[Goal], as_json: bool) {
    say("\ngoal                       ratio   (min to max)");
    for goal in goals {
        say(&goal.line());
    }
    if as_json {
        say(&json!({ "goals": goals.iter().map(Goal::json).collect::<Vec<_>>() }).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_judged_by_the_median_and_its_direction() {
        let of = |better, ratios: &[f64]| {
            let mut goal = Goal::new("W1-a", better, 0.5, 0.8);
            ratios.iter().for_each(|ratio| goal.add(*ratio));
            goal
        };
        let goal = of(Better::Higher, &[0.9, 0.1, 0.6]);
        assert_eq!(
            goal.json(),
            json!({ "id": "W1-a", "ratio": 0.6, "floor": 0.5, "reach": 0.8, "met": true })
        );
        assert!(goal.line().ends_with("(0.10 to 0.90)   floor 0.50, reach 0.80: met"), "{}", goal.line());
        assert_eq!(of(Better::Lower, &[0.6, 0.5]).json()["met"], false);
        assert_eq!(of(Better::Lower, &[0.6, 0.3]).json()["met"], true);
        assert_eq!(of(Better::Higher, &[]).json()["met"], false);
    }
}
