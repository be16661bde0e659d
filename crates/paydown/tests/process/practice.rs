//! Practice money without any key: the demo on both engines, its folder served again, and a folder set up without keys.

use crate::payer::Payer;
use crate::place::{VISA, word};
use crate::program::{Log, Program, http, paydown, run, text, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use store::db::DatabaseUrl;
use store::testing::TestDatabase;

/// `paydown` over a folder and a database.
fn program(data: &Path, database: &DatabaseUrl, args: &[&str]) -> Command {
    let mut command = paydown(data, args);
    command.env("PAYDOWN_DATABASE", address_of(database)).env("PAYDOWN_LISTEN", "127.0.0.1:0");
    command.env("PAYDOWN_METRICS_LISTEN", "off").arg("--json");
    command
}

fn address_of(database: &DatabaseUrl) -> String {
    match database {
        DatabaseUrl::Sqlite(path) => path.display().to_string(),
        DatabaseUrl::Postgres(url) => url.clone(),
    }
}

/// Follows the link and pays a part of what is left by a test card, all over HTTP.
async fn pays_a_part(payer: &mut Payer, link: &str, amount_minor: i64) {
    let invoice_path = payer.get(link).await.path;
    let form = payer.form(&invoice_path, amount_minor).await;
    let card_page = payer.press(&form).await.left_for.expect("the payer goes to the card page");
    let (origin, session) = card_page.split_once("/c/pay/").expect("the practice processor's page");
    let url = format!("{origin}/control/sessions/{session}/pay");
    let paid = http().build().expect("a client").post(url).json(&json!({ "card": VISA })).send().await;
    assert_eq!(paid.expect("the processor answers").status(), 200);
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    let said = payer.get(&format!("{portal}/payments/{}/return", form.payment)).await.words();
    assert!(said.contains("Payment received") || said.contains("Paid in full"), "{said}");
}

/// Starts a server and waits until it is ready; its address.
async fn serve(data: &Path, database: &DatabaseUrl, log: &Log) -> (Program, String) {
    let mut server = Program::start(program(data, database, &["serve"]), log);
    let origin = format!("http://{}", word(&server.ready().await, "listen"));
    let (client, ready) = (http().build().expect("a client"), format!("{origin}/readyz"));
    until("the server to be ready", async || {
        client.get(&ready).send().await.ok().filter(|answer| answer.status() == 200).map(drop)
    })
    .await;
    (server, origin)
}

async fn ends(mut program: Program, log: &Log) {
    program.terminate();
    assert_eq!(program.ended().await, Some(0), "{}", text(log));
}

/// The path of a new link.
async fn link(data: &Path, database: &DatabaseUrl, number: &str) -> String {
    let made = run(program(data, database, &["invoice", "link", number])).await.done().json();
    let url = word(&made, "url");
    format!("/l/{}", url.rsplit_once("/l/").expect("a link").1)
}

store::both_engines!(
    the_demo_shows_everything_and_its_folder_is_served_again,
    &[],
    async |database: TestDatabase| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (data, url, log) = (folder.path().join("demo"), database.url(), Log::default());
        let (kept, address) = (data.display().to_string(), address_of(&url));
        let args = ["demo", "--port", "0", "--keep", &kept, "--database", &address];
        let mut demo = Program::start(program(&data, &url, &args), &log);
        let told = demo.ready().await;
        let payment_link = word(&told, "payment_link");
        let (origin, path) = payment_link.split_once("/l/").expect("a link");
        let mut payer = Payer::new(origin);
        payer.get(&format!("/l/{path}")).await.says("$1,250.00");
        pays_a_part(&mut payer, &format!("/l/{path}"), 50_000).await;
        for key in ["billing_link", "mailbox_url"] {
            assert_eq!(payer.get(&word(&told, key)).await.status, 200, "{key}");
        }
        for key in ["contact_email", "processor_url", "processor_key", "database"] {
            word(&told, key);
        }
        ends(demo, &log).await;
        let list = run(program(&data, &url, &["invoice", "list"])).await.done().json();
        believable(list.as_array().expect("a list"));
        assert_eq!(run(program(&data, &url, &["verify"])).await.code, 0);
        let (server, origin) = serve(&data, &url, &log).await;
        pays_a_part(&mut Payer::new(&origin), &link(&data, &url, "INV-1042").await, 25_000).await;
        ends(server, &log).await;
        assert_eq!(run(program(&data, &url, &["verify"])).await.code, 0);
        // Another folder has another key: it says so, and what to do.
        let again = run(program(&data, &url, &["demo", "--port", "0", "--database", &address])).await;
        assert_eq!(again.code, 4, "{again:?}");
        assert!(again.err.contains("--keep DIR") && again.err.contains("an empty database"), "{again:?}");
        let mut demo = Program::start(program(&data, &url, &args), &log);
        demo.ready().await;
        ends(demo, &log).await;
    }
);

fn believable(invoices: &[Value]) {
    let all = |key: &str| -> BTreeSet<&str> { invoices.iter().filter_map(|it| it[key].as_str()).collect() };
    assert_eq!(invoices.len(), 40);
    assert_eq!(all("currency"), BTreeSet::from(["EUR", "JPY", "USD"]));
    assert!(all("progress").is_superset(&BTreeSet::from(["paid", "partially_paid", "unpaid"])));
    assert_eq!(all("status"), BTreeSet::from(["open", "void"]));
    assert!(invoices.iter().any(|it| it["pending"].as_i64() > Some(0)), "a card page is open");
    assert!(invoices.iter().any(|it| it["total"] == 0), "nothing is due");
}

store::both_engines!(a_folder_without_keys_takes_practice_money, &[], async |database: TestDatabase| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (data, url, log) = (folder.path().join("data"), database.url(), Log::default());
    let init = ["init", "--name", "Northwind", "--help-email", "help@northwind.example"];
    let told = run(program(&data, &url, &init)).await.done().json();
    assert_eq!(told["processor"]["mode"], "practice");
    let rows = "Number,Customer,Email,Issued,Due,Description,Price\n\
        INV-1,Acme,dana@acme.test,2026-11-01,2026-11-30,Work,1250.00\n";
    std::fs::write(folder.path().join("invoices.csv"), rows).expect("a file");
    let import = ["import", "invoices", "invoices.csv", "--preset", "generic"];
    run(program(&data, &url, &import)).await.done();
    for part_minor in [50_000, 75_000] {
        let (server, origin) = serve(&data, &url, &log).await;
        pays_a_part(&mut Payer::new(&origin), &link(&data, &url, "INV-1").await, part_minor).await;
        ends(server, &log).await;
    }
    let shown = run(program(&data, &url, &["invoice", "show", "INV-1"])).await.done().json();
    assert_eq!((&shown["progress"], &shown["open"]), (&json!("paid"), &json!(0)));
    assert_eq!(run(program(&data, &url, &["verify"])).await.code, 0);
});
