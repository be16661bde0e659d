//! W1: partial payments over the API at 1, 8 and 64 clients, spread over all invoices; repeated, on one hot invoice, beside
//! two hogs. Between the ceilings, round by round. At the end the database holds what was accepted, and the books are right.

use crate::bench::{Bench, Engine, in_turn};
use crate::load::Driven;
use crate::machine::Hogs;
use crate::payments::{AMOUNT_MINOR, CeilingPayments, Payments, api_key};
use crate::program::{Place, Server};
use crate::report::{Better, Goal, conditions, figures, say};
use crate::seed::{HOT, INVOICE};
use anyhow::{Context as _, Result, ensure};
use billing::ids::InvoiceId;
use ceilings::census::{self, Recorded};
use hyper::StatusCode;
use std::path::Path;

/// Payments of one transaction of A1.
const PER_COMMIT: usize = 100;
/// Clients where the ceiling is PostgreSQL.
const ON_POSTGRES: usize = 32;

/// Paydown over a database, and what it has accepted.
struct Ours {
    place: Place,
    server: Server,
    payments: Payments,
    before: Recorded,
    accepted: usize,
}

impl Ours {
    async fn open(bench: &Bench, place: Place) -> Result<Ours> {
        let payments = payments(bench, &place).await?;
        let before = census::recorded(&place.database).await?;
        let server = place.serve().await?;
        server.idle().await?;
        Ok(Ours { place, server, payments, before, accepted: 0 })
    }

    async fn fresh(&mut self, bench: &Bench, what: &str, clients: usize) -> Result<Driven> {
        let driven = self
            .server
            .drive((clients, bench.lasting), StatusCode::CREATED, || self.payments.fresh())
            .await?;
        self.accepted(what, driven).await
    }

    async fn on_hot(&mut self, bench: &Bench, what: &str, clients: usize) -> Result<Driven> {
        let driven = self
            .server
            .drive((clients, bench.lasting), StatusCode::CREATED, || self.payments.on_hot())
            .await?;
        self.accepted(what, driven).await
    }

    /// Counts what was accepted, and waits until nothing of it is left to be sealed: that would fall into the next one's turn.
    async fn accepted(&mut self, what: &str, driven: Driven) -> Result<Driven> {
        self.accepted += driven.count();
        self.server.idle().await?;
        Ok(told(what, driven))
    }

    async fn repeated(&mut self, bench: &Bench, clients: usize) -> Result<Driven> {
        self.server.drive((clients, bench.lasting), StatusCode::CREATED, || self.payments.repeated()).await
    }

    /// Ends the server, holds what was accepted against what was recorded, and proves the books.
    async fn close(self, bench: &Bench) -> Result<()> {
        self.server.stop()?;
        let after = census::recorded(&self.place.database).await?;
        let accepted = i64::try_from(self.accepted)?;
        let recorded =
            (after.payments - self.before.payments, after.allocated_minor - self.before.allocated_minor);
        ensure!(
            recorded == (accepted, accepted * AMOUNT_MINOR),
            "accepted {accepted} payments of {AMOUNT_MINOR}, and yet recorded {recorded:?}"
        );
        say(&format!("  accepted = recorded = {accepted}"));
        self.place.verify()?.say();
        bench.discard(&self.place.data)
    }
}

/// The ids are the same on both engines: the one is a copy of the other.
async fn payments(bench: &Bench, place: &Place) -> Result<Payments> {
    let seeded = bench.seeds.paydown(bench.invoices).await?.join("paydown.db");
    let ids = |prefix: &str| -> Result<Vec<InvoiceId>> {
        let rows = census::invoice_ids(&seeded.display().to_string(), prefix)?;
        Ok(rows.into_iter().map(|(_, id)| InvoiceId::from_bytes(id)).collect())
    };
    let hot = *ids(HOT)?.first().context("there is a hot invoice")?;
    Ok(Payments::new(api_key(place)?, ids(INVOICE)?, hot))
}

/// Runs it on one engine.
pub async fn run(bench: &Bench, engine: Engine) -> Result<Vec<Goal>> {
    match engine {
        Engine::Sqlite => on_sqlite(bench).await,
        Engine::Postgres => on_postgres(bench).await,
    }
}

fn told(what: &str, driven: Driven) -> Driven {
    figures(what, &driven);
    driven
}

async fn on_sqlite(bench: &Bench) -> Result<Vec<Goal>> {
    let place = bench.seeds.copy_paydown(bench.invoices, &bench.fresh("w1")?).await?;
    let mut ours = Ours::open(bench, place).await?;
    let idle = ours.server.megabytes()?;
    let (bare, _) = bench.bare(false).await?;
    let in_process = bench.seeds.copy_ceiling(bench.invoices, false, &bench.fresh("a1")?)?;
    let mut of_bare = CeilingPayments::new(bench.invoices, 1)?;
    let mut goals = [
        Goal::new("W1-a", Better::Higher, 0.35, 0.55),
        Goal::new("W1-b", Better::Higher, 0.50, 0.80),
        Goal::new("W1-e p50", Better::Lower, 1.0, 1.0),
        Goal::new("W1-e p99", Better::Lower, 2.0, 1.3),
        Goal::new("W1-g", Better::Higher, 0.5, 0.65),
        Goal::new("W1-h", Better::Higher, 1.5, 4.0),
        Goal::new("W5-b", Better::Higher, 0.9, 1.3),
        Goal::new("M-1 load, MB", Better::Lower, 128.0, 96.0),
    ];
    for number in 1..=bench.rounds {
        let flush = conditions("W1 on SQLite", number, &bench.folder)?;
        let mut both = async |clients: usize| {
            let what = format!("payments, {clients} clients");
            in_turn(
                number,
                ours.fresh(bench, &what, clients),
                bare_round(bench, &bare, clients, &mut of_bare),
            )
            .await
        };
        let (one, _) = both(1).await?;
        both(8).await?;
        let (spread, theirs) = both(64).await?;
        let megabytes = ours.server.megabytes()?;
        let a1 = a1(bench, &in_process, number)?;
        let hot = ours.on_hot(bench, "payments on one invoice, 64 clients", 64).await?;
        let repeated = told("repeated payments, 64 clients", ours.repeated(bench, 64).await?);
        let hogged = {
            let _hogs = Hogs::start(2);
            ours.fresh(bench, "payments, 64 clients, two hogs", 64).await?
        };
        let ratios = [
            spread.rate() / a1,
            spread.rate() / theirs.rate(),
            one.millis(500) / (flush.p50 + 0.5),
            spread.millis(990) / theirs.millis(990),
            hogged.rate() / spread.rate(),
            repeated.rate() / spread.rate(),
            hot.rate() / spread.rate(),
            megabytes,
        ];
        goals.iter_mut().zip(ratios).for_each(|(goal, ratio)| goal.add(ratio));
    }
    ours.close(bench).await?;
    bench.discard(&bench.folder.join("a1"))?;
    let mut memory = Goal::new("M-1 idle, MB", Better::Lower, 40.0, 25.0);
    memory.add(idle);
    Ok(goals.into_iter().chain([memory]).collect())
}

async fn bare_round(
    bench: &Bench,
    bare: &Server,
    clients: usize,
    payments: &mut CeilingPayments,
) -> Result<Driven> {
    let driven = bare.drive((clients, bench.lasting), StatusCode::CREATED, || payments.request()).await?;
    Ok(told(&format!("A2, {clients} clients"), driven))
}

fn a1(bench: &Bench, file: &Path, number: usize) -> Result<f64> {
    let mut payments = CeilingPayments::new(bench.invoices, 2 + u64::try_from(number)?)?;
    let rate = ceilings::sqlite::run(file, bench.lasting, PER_COMMIT, || payments.fresh())?;
    say(&format!("  {:<46}{rate:>9.0}/s", "A1, in process, 100 to a commit"));
    Ok(rate)
}

async fn on_postgres(bench: &Bench) -> Result<Vec<Goal>> {
    let place = bench.seeds.copy_paydown_to_postgres(bench.invoices, &bench.fresh("w1-postgres")?).await?;
    let url = bench.seeds.copy_ceiling_in_postgres(bench.invoices).await?;
    ceilings::databases::checkpoint(&url).await?;
    let mut ours = Ours::open(bench, place).await?;
    let mut payments = CeilingPayments::new(bench.invoices, 1)?;
    let mut goals =
        [Goal::new("W1-f", Better::Higher, 0.6, 0.9), Goal::new("W5-c", Better::Higher, 0.6, 1.0)];
    for number in 1..=bench.rounds {
        conditions("W1 on PostgreSQL", number, &bench.folder)?;
        let mut both = async |clients: usize| {
            let what = format!("payments, {clients} clients");
            let theirs = async {
                let (micros, took) =
                    ceilings::postgres::run(&url, clients, bench.lasting, || payments.fresh()).await?;
                Ok(told(&format!("A3, {clients} clients"), Driven::new(micros, took)))
            };
            in_turn(number, ours.fresh(bench, &what, clients), theirs).await
        };
        both(1).await?;
        both(8).await?;
        let (spread, a3) = both(ON_POSTGRES).await?;
        let on_hot = async {
            let (micros, took) =
                ceilings::postgres::run(&url, ON_POSTGRES, bench.lasting, || payments.on_hot()).await?;
            Ok(told("A3 on one invoice, 32 clients", Driven::new(micros, took)))
        };
        let what = "payments on one invoice, 32 clients";
        let (hot, hot_a3) = in_turn(number, ours.on_hot(bench, what, ON_POSTGRES), on_hot).await?;
        ours.fresh(bench, "payments, 64 clients", 64).await?;
        goals[0].add(spread.rate() / a3.rate());
        goals[1].add(hot.rate() / hot_a3.rate());
    }
    ours.close(bench).await?;
    Ok(goals.into())
}
