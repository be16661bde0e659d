//! W5: 64 payers pay the whole of one invoice at the same moment, invoice after invoice. One is accepted, 63 are refused,
//! each time, also when the server is killed in the middle: what it acknowledged before is there afterwards, and whoever
//! asks again under the same key gets the same answer. There is no floor to this; it is exact or it fails.

use crate::bench::{Bench, Engine};
use crate::http::{Answer, Connection};
use crate::keys::Keys;
use crate::load::now;
use crate::payments::{api_key, payment};
use crate::program::{Place, Server};
use crate::report::{Better, Goal, conditions, say};
use crate::seed::RUSH;
use anyhow::{Context as _, Result, bail, ensure};
use billing::ids::InvoiceId;
use ceilings::census;
use futures::future::{join_all, try_join_all};
use hyper::StatusCode;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

const PAYERS: usize = 64;
/// Invoices during whose payment the server is killed, per one that it is not.
const KILLED_SHARE: usize = 5;
/// When it is killed: by turns after so long, a little longer each time, or after so many answers.
const KILL_STEP: Duration = Duration::from_millis(1);
const ANSWERS_STEP: usize = 5;

/// When the server is killed.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// So long after everybody has begun to ask.
    After(Duration),
    /// As soon as so many have their answer.
    AfterAnswers(usize),
}

/// An invoice and what it asks for.
struct Rush {
    number: String,
    id: InvoiceId,
    open_minor: i64,
}

/// Runs it on one engine.
pub async fn run(bench: &Bench, engine: Engine) -> Result<Vec<Goal>> {
    let place = match engine {
        Engine::Sqlite => bench.seeds.copy_paydown(bench.invoices, &bench.fresh("w5")?).await?,
        Engine::Postgres => {
            bench.seeds.copy_paydown_to_postgres(bench.invoices, &bench.fresh("w5-postgres")?).await?
        }
    };
    let authorization = api_key(&place)?;
    let rushes = rushes(bench, &place).await?;
    let (quiet, killed) = rushes.split_at(bench.rushes);
    let killed = &killed[..bench.rushes / KILLED_SHARE];
    conditions(&format!("W5 on {}", engine.name()), 1, &bench.folder)?;
    let server = place.serve().await?;
    let mut connections = connect(&server).await?;
    let began_at = now();
    for rush in quiet {
        together(&mut connections, &authorization, rush).await.with_context(|| rush.number.clone())?;
    }
    let took = began_at.elapsed().as_secs_f64();
    say(&format!(
        "  {PAYERS} payers of all of it, {} invoices: 1 accepted of each, {:.0} answers/s",
        quiet.len(),
        (quiet.len() * PAYERS) as f64 / took
    ));
    let (mut server, mut answered) = (server, 0);
    for (step, rush) in killed.iter().enumerate() {
        let when = match step % 2 {
            0 => Kill::AfterAnswers(1 + step * ANSWERS_STEP % PAYERS),
            _ => Kill::After(KILL_STEP * u32::try_from(step)?),
        };
        let outcome = with_a_kill(&place, server, &authorization, rush, when).await;
        let (next, before) = outcome.with_context(|| format!("{}, killed {when:?}", rush.number))?;
        server = next;
        answered += before;
    }
    say(&format!(
        "  the same with kill -9 in the middle, {} invoices: 1 accepted of each, {answered} of {} were answered before",
        killed.len(),
        killed.len() * PAYERS
    ));
    server.stop()?;
    let paid = rushes.iter().take(quiet.len() + killed.len());
    check(&place, paid).await?;
    say("  recorded = accepted");
    place.verify()?.say();
    bench.discard(&place.data)?;
    let id = match engine {
        Engine::Sqlite => "W5-a SQLite",
        Engine::Postgres => "W5-a PostgreSQL",
    };
    let mut goal = Goal::new(id, Better::Higher, 1.0, 1.0);
    // Anything else has failed by now.
    goal.add(1.0);
    Ok(vec![goal])
}

async fn rushes(bench: &Bench, place: &Place) -> Result<Vec<Rush>> {
    let seeded = bench.seeds.paydown(bench.invoices).await?.join("paydown.db");
    let ids = census::invoice_ids(&seeded.display().to_string(), RUSH)?;
    let open = census::on_invoices(&place.database, RUSH).await?;
    let rush = |(number, id): (String, [u8; 16])| {
        let open_minor = open.get(&number).context("the copy has the invoice")?.open_minor;
        Ok(Rush { number, id: InvoiceId::from_bytes(id), open_minor })
    };
    ids.into_iter().map(rush).collect()
}

async fn connect(server: &Server) -> Result<Vec<Connection>> {
    try_join_all((0..PAYERS).map(|_| Connection::open(server.address))).await
}

/// Each payer's key for an invoice; the same one when it asks again.
fn keys(rush: &Rush) -> Vec<String> {
    let seed = rush.id.as_bytes().iter().fold(0_u64, |seed, byte| seed.rotate_left(8) ^ u64::from(*byte));
    let mut keys = Keys::new(seed);
    (0..PAYERS).map(|_| keys.key()).collect()
}

/// All of them pay all of it; answers what each was told, as far as it was told.
async fn ask(
    connections: &mut [Connection],
    authorization: &str,
    rush: &Rush,
    on_answer: impl Fn(),
) -> Result<Vec<Result<Answer>>> {
    let requests = keys(rush).into_iter().map(|key| payment(authorization, &key, rush.id, rush.open_minor));
    let requests = requests.collect::<Result<Vec<_>>>()?;
    let told = connections.iter_mut().zip(requests).map(async |(payer, request)| {
        let told = payer.send(request).await;
        on_answer();
        told
    });
    Ok(join_all(told).await)
}

async fn together(connections: &mut [Connection], authorization: &str, rush: &Rush) -> Result<()> {
    let told: Vec<Answer> =
        ask(connections, authorization, rush, || {}).await?.into_iter().collect::<Result<_>>()?;
    one_of(&told.iter().map(|answer| accepted(answer, rush)).collect::<Result<Vec<_>>>()?)
}

/// The payment that an answer acknowledges; `None` where nothing was left for it. Whatever else was answered is wrong.
fn accepted(answer: &Answer, rush: &Rush) -> Result<Option<String>> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    match answer.status {
        StatusCode::CREATED => {
            let amount = &body["amount"];
            ensure!(*amount == rush.open_minor, "{amount} of {} was accepted", rush.open_minor);
            Ok(Some(body["id"].as_str().context("a payment has an id")?.to_owned()))
        }
        StatusCode::UNPROCESSABLE_ENTITY if body["code"] == "surplus" => {
            let surplus = &body["surplus"];
            ensure!(*surplus == rush.open_minor, "refused {surplus} of {}", rush.open_minor);
            Ok(None)
        }
        other => bail!("answered {other}: {}", answer.text()),
    }
}

fn one_of(told: &[Option<String>]) -> Result<()> {
    let count = told.iter().flatten().count();
    ensure!(count == 1, "{count} of {PAYERS} payments of the whole were accepted");
    Ok(())
}

/// Kills the server while they pay, starts it again, and has all of them ask once more. Answers the new server, and how many
/// had been answered before.
async fn with_a_kill(
    place: &Place,
    server: Server,
    authorization: &str,
    rush: &Rush,
    when: Kill,
) -> Result<(Server, usize)> {
    let mut connections = connect(&server).await?;
    let answers = Semaphore::new(0);
    let kill = async {
        match when {
            Kill::After(time) => sleep(time).await,
            Kill::AfterAnswers(count) => drop(answers.acquire_many(u32::try_from(count)?).await?),
        }
        server.kill()
    };
    let asked = ask(&mut connections, authorization, rush, || answers.add_permits(1));
    let (before, killed) = tokio::join!(asked, kill);
    killed?;
    let server = place.serve().await?;
    let mut connections = connect(&server).await?;
    let told =
        ask(&mut connections, authorization, rush, || {}).await?.into_iter().collect::<Result<Vec<_>>>()?;
    let told = told.iter().map(|answer| accepted(answer, rush)).collect::<Result<Vec<_>>>()?;
    one_of(&told)?;
    let mut answered = 0;
    for (before, after) in before?.into_iter().zip(&told) {
        // Whoever got no answer knows nothing; whoever got one has to get it again.
        let Ok(before) = before else { continue };
        let before = accepted(&before, rush)?;
        ensure!(before == *after, "{before:?} was acknowledged before the kill, {after:?} after it");
        answered += 1;
    }
    Ok((server, answered))
}

/// Each invoice has one payment, of all of it.
async fn check(place: &Place, paid: impl Iterator<Item = &Rush>) -> Result<()> {
    let recorded = census::on_invoices(&place.database, RUSH).await?;
    for Rush { number, open_minor, .. } in paid {
        let on = recorded.get(number).with_context(|| format!("{number} is gone"))?;
        let right = (on.payments, on.allocated_minor, on.paid_minor, on.open_minor)
            == (1, *open_minor, *open_minor, 0);
        ensure!(right, "{number}, of which {open_minor} were open: {on:?}");
    }
    Ok(())
}
