//! What goes wrong, and when: the one source of chance for the network, the database and the crashes of a run, and its clock.
//!
//! Everything here follows from the seed and from the order in which it is asked. It must never look at real time.

use crate::clock::SimulatedClock;
use futures::future::BoxFuture;
use jiff::Timestamp;
use paydown::clock::Clock as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use store::db::{Moment, StoreError, Watch};
use tokio::sync::Notify;

/// What becomes of one request to the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage {
    /// It arrives, and its answer too.
    Arrives,
    /// No connection; nothing was sent.
    NeverSent,
    /// Sent, and lost on its way.
    Lost,
    /// It arrives; its answer is lost.
    AnswerLost,
    /// 500, kept under the key; nothing was done.
    FailsBefore,
    /// 500, kept under the key, though it was done.
    FailsAfter,
    /// 429.
    TooMany,
    /// 409: another call with the key is under way.
    InProgress,
    /// It arrives; half of its answer comes back.
    Garbled,
    /// It arrives twice; the second answer comes back.
    Twice,
    /// It arrives after so many seconds.
    Late(u8),
}

/// Where in its work the program takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before a write; nothing is written yet.
    Write,
    /// After a write that is durable; its writer has not heard of it.
    Written,
    /// Before a request that changes something at the processor.
    Call,
    /// Before one that only reads.
    Request,
    /// After the processor's answer; nobody has read it.
    Answered,
    /// Before a mail is handed over, and after.
    Mail,
}

/// What goes wrong at one step, where it is planned and not left to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// The program dies there.
    Dies,
    /// What it was about to do fails; what it has done is not known to be done.
    Fails,
    /// A minute passes there, and everybody else goes first.
    IsLate,
    /// The request meets with this.
    Meets(Carriage),
}

/// See the module.
pub struct Fate {
    clock: Arc<SimulatedClock>,
    state: Mutex<State>,
    death: Notify,
}

struct State {
    chance: StdRng,
    /// Of a thousand requests, how many meet with something.
    trouble: u32,
    /// The program dies when this many steps have been taken.
    dies_in: Option<u32>,
    is_dead: bool,
    /// Faults since they were last counted.
    faults: u32,
    steps: u64,
    /// What goes wrong at which step, where it is planned.
    plan: Vec<(u64, Planned)>,
    /// Where each step was taken, as long as somebody wants to know.
    trail: Option<Vec<Place>>,
}

impl Fate {
    /// The fate of a seed. Some seeds are calm, most are not.
    pub fn new(seed: u64, clock: Arc<SimulatedClock>) -> Fate {
        let fate = Fate::calm(clock);
        {
            let mut state = fate.state();
            state.chance = StdRng::seed_from_u64(seed ^ 0x6661_7465);
            state.trouble = [0, 20, 60, 120, 250][state.chance.random_range(0..5)];
        }
        fate
    }

    /// Nothing goes wrong but what is planned.
    pub fn calm(clock: Arc<SimulatedClock>) -> Fate {
        let state = State {
            chance: StdRng::seed_from_u64(0),
            trouble: 0,
            dies_in: None,
            is_dead: false,
            faults: 0,
            steps: 0,
            plan: Vec::new(),
            trail: None,
        };
        Fate { clock, state: Mutex::new(state), death: Notify::new() }
    }

    /// From the next step on: what goes wrong at which step, counted from 0, and a trail of all steps is kept.
    pub fn follow(&self, plan: Vec<(u64, Planned)>) {
        let mut state = self.state();
        (state.plan, state.steps, state.trail) = (plan, 0, Some(Vec::new()));
    }

    /// Where each step was taken since [`Fate::follow`]; nothing that was planned is left, and no trail is kept any more.
    pub fn trail(&self) -> Vec<Place> {
        let mut state = self.state();
        state.plan.clear();
        state.trail.take().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while asking")
    }

    /// From now on nothing goes wrong.
    pub fn relent(&self) {
        let mut state = self.state();
        (state.trouble, state.dies_in) = (0, None);
    }

    /// Whether anything goes wrong by chance.
    pub fn is_troubled(&self) -> bool {
        self.state().trouble > 0
    }

    /// The program dies at the step after so many.
    pub fn doom(&self, steps: u32) {
        self.state().dies_in = Some(steps);
    }

    /// A new life begins.
    pub fn revive(&self) {
        let mut state = self.state();
        (state.is_dead, state.dies_in) = (false, None);
    }

    /// Whether the program has died in this life.
    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// How many faults there were since the last call.
    pub fn take_faults(&self) -> u32 {
        std::mem::take(&mut self.state().faults)
    }

    /// How many steps were taken in all lives.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Waits for the death of the program.
    pub async fn death(&self) {
        loop {
            let notified = self.death.notified();
            if self.is_dead() {
                return;
            }
            notified.await;
        }
    }

    /// A place where the program may die, or somebody else may come first. Answers what was planned for it besides.
    pub async fn step(&self, place: Place) -> Option<Planned> {
        let Some((turns, planned)) = self.take_step(place) else { return std::future::pending().await };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        planned
    }

    /// The same, for whatever has only one way to fail.
    pub async fn fails(&self, place: Place) -> bool {
        self.step(place).await == Some(Planned::Fails)
    }

    /// How often others go first, and what is planned. `None`: the program dies here, or has died.
    fn take_step(&self, place: Place) -> Option<(u32, Option<Planned>)> {
        let mut state = self.state();
        let number = state.steps;
        state.steps += 1;
        if let Some(trail) = &mut state.trail {
            trail.push(place);
        }
        let planned = state.plan.iter().find(|(at, _)| *at == number).map(|(_, planned)| *planned);
        if state.dies_in == Some(0) || planned == Some(Planned::Dies) {
            state.is_dead = true;
        }
        state.dies_in = state.dies_in.and_then(|steps| steps.checked_sub(1));
        if state.is_dead {
            self.death.notify_waiters();
            return None;
        }
        state.faults += u32::from(planned.is_some());
        let turns = match planned {
            Some(Planned::IsLate) => {
                self.clock.advance(Duration::from_secs(60));
                5
            }
            Some(_) => 0,
            None if state.chance.random_ratio(1, 6) => state.chance.random_range(1..4),
            None => 0,
        };
        Some((turns, planned))
    }

    /// What becomes of the next request.
    pub fn carriage(&self) -> Carriage {
        let mut state = self.state();
        let trouble = state.trouble;
        if trouble == 0 || !state.chance.random_ratio(trouble, 1_000) {
            return Carriage::Arrives;
        }
        state.faults += 1;
        match state.chance.random_range(0..10) {
            0 => Carriage::NeverSent,
            1 => Carriage::Lost,
            2 => Carriage::AnswerLost,
            3 => Carriage::FailsBefore,
            4 => Carriage::FailsAfter,
            5 => Carriage::TooMany,
            6 => Carriage::InProgress,
            7 => Carriage::Garbled,
            8 => Carriage::Twice,
            _ => Carriage::Late(state.chance.random_range(1..90)),
        }
    }

    /// True in so many of a hundred cases, as long as anything goes wrong at all.
    pub fn strikes(&self, percent: u32) -> bool {
        let mut state = self.state();
        let strikes = state.trouble > 0 && state.chance.random_ratio(percent, 100);
        state.faults += u32::from(strikes);
        strikes
    }

    /// Time passes for everybody.
    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Now, for what is written down.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A few writes in a thousand are refused before they begin, or answered so that nobody knows.
    fn spoils_a_write(&self) -> bool {
        let mut state = self.state();
        let trouble = state.trouble;
        let spoils = trouble > 0 && state.chance.random_ratio(trouble, 40_000);
        state.faults += u32::from(spoils);
        spoils
    }
}

/// Stands at every write of the program.
pub struct AtWrites(pub Arc<Fate>);

impl Watch for AtWrites {
    fn at(&self, moment: Moment) -> BoxFuture<'static, Result<(), StoreError>> {
        let fate = Arc::clone(&self.0);
        Box::pin(async move {
            let place = match moment {
                Moment::BeforeWrite => Place::Write,
                Moment::AfterWrite => Place::Written,
            };
            match fate.fails(place).await || fate.spoils_a_write() {
                false => Ok(()),
                true if moment == Moment::BeforeWrite => Err(StoreError::Busy),
                true => Err(StoreError::CommitUnknown("the simulation says so".into())),
            }
        })
    }
}
