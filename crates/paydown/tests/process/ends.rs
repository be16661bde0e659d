//! How a server ends, and how one does not start: SIGTERM drains, a second one is refused, and so is a newer database.

use crate::place::Place;
use crate::program::{GUARD, Program, run, text, until};
use crate::{payer::Payer, place};
use serde_json::json;
use std::time::Duration;
use store::db::{DatabaseUrl, Migration};
use store::migrations::MIGRATIONS;
use store::testing::TestDatabase;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const MAKE: &str = "POST /v1/checkout/sessions";
/// money.md: ten seconds of draining, and a little for ending.
const DRAINED: Duration = Duration::from_secs(13);

/// A payer presses the button, and the calls that follow go wrong so often; comes back when the first has begun.
async fn pressed(place: &mut Place, fault: &str, (delay_ms, times): (u64, u64)) -> JoinHandle<Pressed> {
    let (mut payer, invoice_path) = place.payer("INV-1").await;
    let form = payer.form(&invoice_path, 40_000).await;
    let armed = json!({ "route": MAKE, "fault": fault, "delay_ms": delay_ms, "times": times });
    place.control("/faults", armed).await;
    let payment = form.payment.clone();
    let pressing = tokio::spawn(async move {
        let left_for = payer.try_press(&form).await.ok().and_then(|page| page.left_for);
        Pressed { payer, invoice_path, payment, left_for }
    });
    until("the call that goes wrong", async || {
        let left = place.look("/faults").await["faults"][0]["times"].as_u64().unwrap_or(0);
        (left < times).then_some(())
    })
    .await;
    pressing
}

/// What became of a payer who pressed the button just before the end.
struct Pressed {
    payer: Payer,
    invoice_path: String,
    payment: String,
    left_for: Option<String>,
}

store::both_engines!(sigterm_lets_a_call_finish_and_takes_nobody_new, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    let pressing = pressed(&mut place, "slow", (1_500, 1)).await;
    place.server().terminate();
    let address = place.origin.trim_start_matches("http://").to_owned();
    until("nobody new to be let in", async || TcpStream::connect(&address).await.err()).await;
    assert!(!pressing.is_finished(), "the call is still under way");
    let Pressed { mut payer, invoice_path, payment, left_for } = pressing.await.expect("nobody panics");
    assert!(left_for.is_some(), "the payer goes to the card page all the same");
    assert_eq!(timeout(DRAINED, place.ended()).await.expect("it ends in time"), Some(0));
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    place.pay(&payment).await;
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    payer.get(&format!("{portal}/payments/{payment}/return")).await.says("Payment received");
    place.finish(&[&payer]).await;
});

store::both_engines!(sigterm_waits_ten_seconds_at_most, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    let pressing = pressed(&mut place, "timeout_after", (40_000, 9)).await;
    place.server().terminate();
    assert_eq!(timeout(DRAINED, place.ended()).await.expect("it ends in time"), Some(0));
    let Pressed { mut payer, payment, left_for, .. } = pressing.await.expect("nobody panics");
    assert_eq!(left_for, None);
    place.disarm().await;
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    place.state(&payment, billing::payment::PaymentState::RequiresAction).await;
    assert_eq!(place.sessions().await.len(), 1);
    place.finish(&[&payer]).await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_one_file_is_refused_naming_the_first() {
    let mut place = Place::open(TestDatabase::sqlite_with(&[]).await).await;
    let first = place.server().id();
    let refused = place.command(&["serve"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{refused:?}");
    assert!(refused.err.contains(&format!("process {first}")), "it names {first}: {}", refused.err);
    assert!(refused.err.contains("stop it first, or use PostgreSQL"), "and the fix: {}", refused.err);
    assert_eq!(place.command(&["invoice", "list"]).await.code, 0, "a command may run beside");
    place.restart().await;
    place.finish(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_may_share_a_database_server() {
    let mut place = Place::open(TestDatabase::postgres_with(&[]).await).await;
    let log = crate::program::Log::default();
    let mut second = Program::start(place.program(&["serve", "--json"]), &log);
    let origin = format!("http://{}", place::word(&second.ready().await, "listen"));
    let link = place.link("INV-1").await;
    Payer::new(&origin).get(&link).await.says("$1,250.00");
    second.terminate();
    assert_eq!(second.ended().await, Some(0), "{}", text(&log));
    Payer::new(&place.origin).get(&link).await.says("$1,250.00");
    place.finish(&[]).await;
}

store::both_engines!(a_change_by_a_command_is_seen_at_once, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    let (mut payer, invoice_path) = place.payer("INV-1").await;
    assert!(payer.get(&invoice_path).await.html.contains("Change amount"));
    place.command(&["policy", "set", "--partial", "never"]).await.done();
    assert!(!payer.get(&invoice_path).await.html.contains("Change amount"));
    place.command(&["invoice", "link", "INV-1", "--revoke"]).await.done();
    assert_ne!(payer.get(&invoice_path).await.status, 200);
    place.finish(&[&payer]).await;
});

/// The migrations of the next version.
pub fn newer() -> Vec<Migration> {
    let last = MIGRATIONS.last().expect("there are migrations");
    let text = "ALTER TABLE jobs ADD COLUMN future TEXT";
    let next = Migration { number: last.number + 1, name: "future", sqlite: text, postgres: text };
    MIGRATIONS.iter().copied().chain([next]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_newer_than_the_program_is_refused() {
    let newer = newer();
    for database in [TestDatabase::sqlite_with(&newer).await, TestDatabase::postgres_with(&newer).await] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let url = match database.url() {
            DatabaseUrl::Sqlite(path) => path.display().to_string(),
            DatabaseUrl::Postgres(url) => url,
        };
        for args in [&["serve"][..], &["invoice", "list"], &["migrate", "run"]] {
            let mut command = crate::program::paydown(&folder.path().join("data"), args);
            command.env("PAYDOWN_DATABASE", &url).env("PAYDOWN_LISTEN", "127.0.0.1:0");
            let refused = timeout(GUARD, run(command)).await.expect("it ends");
            assert_ne!(refused.code, 0, "{args:?}");
            assert!(refused.err.contains("newer"), "{args:?}: {}", refused.err);
            assert_eq!(refused.out, "", "{args:?}");
        }
    }
}
