//! Commands run as a person runs them: words in, text and exit code out, over a real database.

mod credit;
mod disputes;
mod keys;
mod refunds;
mod resolve;
mod retry;
mod reverse;

use super::*;
use crate::clock::{Clock, Random};
use clap::CommandFactory as _;
use jiff::Timestamp;
use sandbox::{Sandbox, SandboxConfig, SandboxData};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const NOW: i64 = 1_795_000_000;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }
}

/// Never the same bytes twice.
#[derive(Default)]
struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&number.to_be_bytes()[8 - chunk.len()..]);
        }
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A data folder and whoever types commands at it.
struct Desk {
    dir: TempDir,
    random: Arc<Counter>,
    /// What a person types at the next command; nobody sits there without.
    answers: Mutex<Option<Answers>>,
}

/// Types one line after the other, then leaves.
struct Answers(VecDeque<&'static str>);

impl Terminal for Answers {
    fn line(&mut self, _: &str) -> io::Result<String> {
        self.0.pop_front().map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn secret(&mut self, question: &str) -> io::Result<String> {
        self.line(question)
    }
}

struct Ended {
    exit: Exit,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {:?} {:?}", self.out, self.err))
    }
}

impl Desk {
    fn new() -> Desk {
        Desk { dir: tempfile::tempdir().unwrap(), random: Arc::default(), answers: Mutex::default() }
    }

    /// A folder that was set up.
    async fn ready() -> Desk {
        let desk = Desk::new();
        let done = desk.run("init --name Northwind --help-email help@northwind.example").await;
        assert_eq!(done.exit, Exit::Done, "{}", done.err);
        desk
    }

    async fn run(&self, line: &str) -> Ended {
        self.run_args(line.split_whitespace()).await
    }

    async fn run_args<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ended {
        let (out, err) = (Shared::default(), Shared::default());
        let pairs = [
            ("PAYDOWN_DATA_DIR", self.dir.path().join("data").display().to_string()),
            ("PAYDOWN_SMTP_PASSWORD", "hunter2".to_owned()),
            ("PAYDOWN_MAIL", "smtp://billing@mx.example".to_owned()),
            ("USER", "dana".to_owned()),
        ];
        let world = World {
            environment: pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<BTreeMap<_, _>>(),
            clock: Arc::new(StandingClock),
            random: Arc::clone(&self.random) as Arc<dyn Random>,
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            terminal: self
                .answers
                .lock()
                .unwrap()
                .take()
                .map(|answers| Box::new(answers) as Box<dyn Terminal>),
            stop: CancellationToken::new(),
        };
        let args = ["paydown"].into_iter().chain(args).map(OsString::from);
        let exit = run(args, world).await;
        Ended { exit, out: out.text(), err: err.text() }
    }

    /// The same with a person who answers.
    async fn run_answering(&self, line: &str, answers: &[&'static str]) -> Ended {
        *self.answers.lock().unwrap() = Some(Answers(answers.iter().copied().collect()));
        self.run(line).await
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

const INVOICES: &str = "Number,Customer,Email,Issued,Due,Description,Quantity,Price,Tax Rate\n\
    INV-1,Acme,dana@acme.test,2026-11-01,2026-11-30,Work,10,100.00,\n\
    INV-1,,,,,Travel,1,250.00,\n\
    INV-2,Harbor,lee@harbor.test,2026-11-01,2026-11-30,Hosting,1,99.99,19\n";

#[test]
fn the_command_tree_is_well_formed() {
    Cli::command().debug_assert();
}

#[tokio::test]
async fn help_is_an_answer_and_a_slip_is_not() {
    let desk = Desk::new();
    let help = desk.run("--help").await;
    assert_eq!(help.exit, Exit::Done);
    for word in ["demo", "init", "serve", "invoice", "import", "verify", "Exit codes"] {
        assert!(help.out.contains(word), "{word}");
    }
    assert!(desk.run("--version").await.out.starts_with("paydown 0."));
    for wrong in
        ["", "invoices", "invoice", "invoice show", "import invoices x.csv", "policy set --partial maybe"]
    {
        let ended = desk.run(wrong).await;
        assert_eq!((ended.exit, ended.out.as_str()), (Exit::Usage, ""), "{wrong}");
        assert!(!ended.err.is_empty());
    }
    let both = desk.run("policy show --customer cus_1 --invoice INV-1").await;
    assert_eq!(both.exit, Exit::Usage);
    let codes: Vec<u8> = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::NotFound,
        Exit::Conflict,
        Exit::Refused,
        Exit::Unavailable,
    ]
    .map(Exit::code)
    .to_vec();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn an_empty_folder_says_what_to_do() {
    let desk = Desk::new();
    for line in ["invoice list", "verify", "payment list", "merchant list"] {
        let ended = desk.run(line).await;
        assert_eq!(ended.exit, Exit::NotFound, "{line}");
        assert!(ended.err.contains("paydown init"), "{}", ended.err);
    }
    assert!(!desk.dir.path().join("data").exists(), "a question makes nothing");
}

#[tokio::test]
async fn settings_are_shown_with_their_origin_and_without_secrets() {
    let desk = Desk::new();
    let ended = desk.run("config show --origin --json --listen 127.0.0.1:9").await;
    let json = ended.json();
    assert_eq!(json["listen"], json!({ "value": "127.0.0.1:9", "origin": "flag --listen" }));
    assert_eq!(json["smtp_password"]["value"], "***");
    assert_eq!(json["mail"]["origin"], "environment PAYDOWN_MAIL");
    assert_eq!(json["log_level"], json!({ "value": "info", "origin": "default" }));
    let plain = desk.run("config show --origin").await;
    assert!(plain.out.contains("environment PAYDOWN_SMTP_PASSWORD") && !plain.out.contains("hunter2"));
    let wrong = desk.run("config show --listen nowhere").await;
    assert_eq!(wrong.exit, Exit::Usage);
    assert!(wrong.err.contains("listen (flag --listen)"), "{}", wrong.err);
}

#[tokio::test]
async fn a_folder_is_set_up_once() {
    let desk = Desk::ready().await;
    let again = desk.run("init --name Other --help-email help@other.example").await;
    assert_eq!(again.exit, Exit::Conflict);
    assert!(again.err.contains("Northwind"), "{}", again.err);
    let one = desk.run("merchant list --json").await.json();
    assert_eq!(one, json!([{ "id": "mer_1", "slug": "northwind", "name": "Northwind" }]));
    let status = desk.run("migrate status --json").await.json();
    assert_eq!(status["pending"], json!([]));
    assert_eq!(desk.run("migrate run --json").await.json()["ran"], json!([]));
    let taken = desk.run("merchant create --name Northwind --help-email help@northwind.example").await;
    assert_eq!(taken.exit, Exit::Conflict);
    let wrong = desk.run("merchant create --name Harbor --help-email nobody").await;
    assert_eq!(wrong.exit, Exit::Usage);
    assert_eq!(
        desk.run("merchant create --name Harbor --help-email h@harbor.example").await.exit,
        Exit::Done
    );
    let unclear = desk.run("invoice list").await;
    assert_eq!(unclear.exit, Exit::Usage);
    assert!(unclear.err.contains("--merchant: northwind, harbor"), "{}", unclear.err);
    assert_eq!(desk.run("invoice list --merchant harbor").await.exit, Exit::Done);
    assert_eq!(desk.run("invoice list --merchant nobody").await.exit, Exit::NotFound);
}

#[tokio::test]
async fn who_sits_at_a_terminal_is_asked_for_what_is_missing() {
    let desk = Desk::new();
    let refused = desk.run("init --help-email help@northwind.example").await;
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.err.contains("--name and --help-email are needed"), "{}", refused.err);
    let typed =
        ["Northwind", "", "nobody", "help@northwind.example", "", "dollars", "EUR", "", "blue", "#204060"];
    let rest = ["no-such.png", "", "", ""];
    let unasked = desk.run_answering("init --yes", &typed).await;
    assert_eq!(unasked.exit, Exit::Usage, "a script is never asked");
    let left = desk.run_answering("init", &typed[..3]).await;
    assert_eq!(left.exit, Exit::Usage);
    assert!(left.err.contains("nothing was set up"), "{}", left.err);
    let done = desk.run_answering("init --json", &[&typed[..], &rest].concat()).await;
    assert_eq!(done.exit, Exit::Done, "{}", done.err);
    assert_eq!(done.json()["processor"], json!({ "mode": "practice", "webhooks": true }));
    for wrong in ["no e-mail address", "no currency", "no colour", "no such file"] {
        assert!(done.err.contains(wrong), "{wrong}: {}", done.err);
    }
    let none = desk.run_answering("processor connect stripe", &[""]).await;
    assert_eq!(none.exit, Exit::Usage);
    assert!(none.err.contains("nothing was changed"), "{}", none.err);
    assert!(desk.run("processor connect stripe").await.err.contains("--key-file FILE"));
    assert_eq!(desk.run("verify").await.exit, Exit::Done);
}

#[tokio::test]
async fn a_file_is_imported_once_and_errors_stop_nothing_else() {
    let desk = Desk::ready().await;
    let bad = "INV-3,Acme,dana@acme.test,2026-11-01,2026-11-30,Bad,1,ten,\n";
    let file = desk.file("invoices.csv", &format!("{INVOICES}{bad}"));
    let line = |more: &str| format!("import invoices {file} --preset generic --json {more}");
    let dry = desk.run(&line("--dry-run")).await.json();
    assert_eq!((&dry["imported"], &dry["dry_run"]), (&json!(2), &json!(true)));
    assert_eq!(desk.run("invoice list --json").await.json(), json!([]), "a dry run leaves nothing");
    let first = desk.run(&line("--send")).await;
    assert_eq!(first.exit, Exit::Failed, "one row is wrong");
    let told = first.json();
    assert_eq!((&told["imported"], &told["unchanged"], &told["sent"]), (&json!(2), &json!(0), &json!(2)));
    assert_eq!((&told["errors"][0]["row"], &told["errors"][0]["column"]), (&json!(5), &json!("Price")));
    let second = desk.run(&line("")).await.json();
    assert_eq!((&second["imported"], &second["unchanged"]), (&json!(0), &json!(2)));
    assert_eq!(desk.run("invoice list --json").await.json().as_array().unwrap().len(), 2);
    let fine = desk.file("fine.csv", INVOICES);
    let again = desk.run(&format!("import invoices {fine} --preset generic")).await;
    assert_eq!(again.exit, Exit::Done);
    assert!(again.out.contains("Nothing changed"), "{}", again.out);
    let other = desk.file("other.csv", &INVOICES.replace("250.00", "251.00"));
    let refused = desk.run(&format!("import invoices {other} --preset generic")).await;
    assert_eq!(refused.exit, Exit::Failed);
    assert!(
        refused.out.contains("invoice INV-1") && refused.out.contains("says something else"),
        "{}",
        refused.out
    );
    let books = desk.run("verify --json").await;
    assert_eq!((books.exit, &books.json()["clean"]), (Exit::Done, &json!(true)), "{}", books.out);
}

/// Invoices as (number, customer, address), one row each.
fn billed(rows: &[(&str, &str, &str)]) -> String {
    let row = |(number, customer, email): &(&str, &str, &str)| {
        format!("{number},{customer},{email},2026-11-01,2026-11-30,x,1.00\n")
    };
    format!(
        "Number,Customer,Email,Issued,Due,Description,Price\n{}",
        rows.iter().map(row).collect::<String>()
    )
}

#[tokio::test]
async fn another_address_under_a_known_name_is_another_contact_where_that_is_asked_for() {
    let desk = Desk::ready().await;
    let rows =
        [("1", "Acme Ltd", "dana@acme.test"), ("2", "ACME  Ltd", "ap@acme.test"), ("3", "Acme Ltd", "")];
    let file = desk.file("acme.csv", &billed(&rows));
    let line = format!("import invoices {file} --preset generic --namesakes-together");
    let dry = desk.run(&format!("{line} --dry-run")).await.out;
    assert!(dry.contains("3 invoices would be imported"), "{dry}");
    let told = desk.run(&line).await.out;
    assert!(told.contains("3 invoices imported from 3 rows, 1 customers with them"), "{told}");
    assert!(told.contains("row 3: ap@acme.test becomes a contact of ACME  Ltd, who is known"), "{told}");
    assert!(desk.run(&line).await.out.contains("Nothing changed"));
    // An address that was corrected where the invoice came from.
    let corrected = desk.file("later.csv", &billed(&[("1", "Acme Ltd", "dana@acme.example")]));
    let told = desk
        .run(&format!("import invoices {corrected} --preset generic --namesakes-together --json"))
        .await
        .json();
    assert_eq!(
        (&told["unchanged"], told["notices"].as_array().map(Vec::len)),
        (&json!(1), Some(1)),
        "{told}"
    );
}

#[tokio::test]
async fn an_address_under_another_name_is_another_customer_and_told() {
    let desk = Desk::ready().await;
    let rows = [("1", "Acme Ltd", "books@keeper.test"), ("2", "Apex Ltd", "Books@Keeper.test")];
    let file = desk.file("two.csv", &billed(&rows));
    let told = desk.run(&format!("import invoices {file} --preset generic --json")).await.json();
    assert_eq!((&told["imported"], &told["errors"]), (&json!(2), &json!([])));
    let notice = told["notices"][0].as_str().unwrap();
    assert!(
        notice.starts_with("row 3: Books@Keeper.test is a contact of Acme Ltd already; Apex Ltd is"),
        "{notice}"
    );
    // The invoices of one are not those of the other.
    let taken = desk.file("taken.csv", &billed(&[("2", "Acme Ltd", "books@keeper.test")]));
    let told = desk.run(&format!("import invoices {taken} --preset generic --json")).await.json();
    assert_eq!(told["errors"][0]["problem"], "is the number of an invoice that says something else");
    assert_eq!((&told["errors"][0]["column"], &told["notices"]), (&json!("Number"), &json!([])));
}

#[tokio::test]
async fn customers_of_one_name_stay_apart_by_their_address_and_that_is_told() {
    let desk = Desk::ready().await;
    let rows = [("1", "Smith", "a@one.test"), ("2", "Smith", "b@two.test"), ("3", "Smith", "A@One.test")];
    let file = desk.file("smith.csv", &billed(&rows));
    let line = format!("import invoices {file} --preset generic");
    let told = desk.run(&line).await.out;
    assert!(told.contains("3 invoices imported from 3 rows, 2 customers with them"), "{told}");
    assert!(
        told.contains("row 3: Smith is the name of a customer with another address; a second one is"),
        "{told}"
    );
    assert!(desk.run(&line).await.out.contains("Nothing changed"));
    let together = "--namesakes-together";
    for (email, flag) in [("", ""), ("", together), ("c@three.test", together)] {
        let unclear = desk.file("unclear.csv", &billed(&[("4", "Smith", email)]));
        let told =
            desk.run(&format!("import invoices {unclear} --preset generic --json {flag}")).await.json();
        assert_eq!(told["errors"][0]["problem"], "is the name of several customers", "{email}");
        assert_eq!(told["errors"][0]["column"], "Customer");
    }
    let known = desk.file("known.csv", &billed(&[("4", "Smith", "b@two.test")]));
    assert_eq!(
        desk.run(&format!("import invoices {known} --preset generic --json")).await.json()["imported"],
        1
    );
}

#[tokio::test]
async fn an_invoice_is_shown_linked_and_voided() {
    let desk = Desk::ready().await;
    let file = desk.file("invoices.csv", INVOICES);
    assert_eq!(desk.run(&format!("import invoices {file} --preset generic")).await.exit, Exit::Done);
    let shown = desk.run("invoice show INV-1 --json").await.json();
    let mut names: Vec<&String> = shown.as_object().unwrap().keys().collect();
    names.sort();
    let expected = "currency customer id number open paid payable_now pending progress status total";
    assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" "), expected);
    assert_eq!((&shown["total"], &shown["payable_now"]), (&json!(125_000), &json!(125_000)));
    assert_eq!((&shown["status"], &shown["progress"]), (&json!("open"), &json!("unpaid")));
    let by_id = desk.run(&format!("invoice show {} --json", shown["id"].as_str().unwrap())).await;
    assert_eq!(by_id.json(), shown);
    let link = desk.run("invoice link INV-1").await.out;
    assert!(link.starts_with("http://127.0.0.1:8080/l/1."), "{link}");
    assert_eq!(desk.run("invoice link INV-1 --revoke --json").await.json()["revoked"], 1);
    assert_eq!(desk.run("invoice send INV-1").await.exit, Exit::Done);
    assert_eq!(desk.run("invoice void INV-1").await.exit, Exit::Done);
    assert_eq!(desk.run("invoice void INV-1").await.exit, Exit::Refused);
    assert_eq!(desk.run("invoice send INV-1").await.exit, Exit::Refused);
    let void = desk.run("invoice show INV-1 --json").await.json();
    assert_eq!(
        (&void["status"], &void["progress"], &void["open"]),
        (&json!("void"), &Value::Null, &json!(0))
    );
    assert_eq!(desk.run("invoice show INV-9").await.exit, Exit::NotFound);
    assert_eq!(desk.run("payment show pay_1").await.exit, Exit::Usage);
    assert_eq!(desk.run("payment list --json").await.json(), json!([]));
    assert_eq!(desk.run("invoice list --limit 0").await.exit, Exit::Usage);
    assert_eq!(desk.run("verify").await.exit, Exit::Done);
}

#[tokio::test]
async fn links_of_a_merchant_are_set_one_by_one() {
    let desk = Desk::ready().await;
    assert!(desk.run("merchant links show").await.out.contains("No links are set"));
    let set =
        desk.run("merchant links set --terms https://a.example/terms --review http://a.example --json").await;
    let all = |terms: Value, review: &str| json!({ "review_us": review, "refer_a_friend": null, "terms": terms, "privacy": null });
    assert_eq!(set.json(), all(json!("https://a.example/terms"), "http://a.example/"));
    let set = desk.run("merchant links set --terms none --json").await.json();
    assert_eq!(set, all(Value::Null, "http://a.example/"), "what is not given stays");
    for wrong in ["", "--terms javascript:x", "--terms /terms", "--privacy https://u:p@a.example"] {
        assert_eq!(desk.run(&format!("merchant links set {wrong}")).await.exit, Exit::Usage, "{wrong}");
    }
    assert!(desk.run("merchant links show").await.out.contains("Review us       http://a.example/"));
}

#[tokio::test]
async fn rules_are_set_layer_by_layer() {
    let desk = Desk::ready().await;
    let file = desk.file("invoices.csv", INVOICES);
    assert_eq!(desk.run(&format!("import invoices {file} --preset generic")).await.exit, Exit::Done);
    assert!(desk.run("policy show").await.out.contains("not set: always"));
    let set = desk.run("policy set --minimum 25.00 --json").await.json();
    assert_eq!(set["minimum"], json!({ "amount": 2_500, "currency": "USD" }));
    let set = desk.run("policy set --partial never --json").await.json();
    assert_eq!(
        (&set["partial"], &set["minimum"]["amount"]),
        (&json!("never"), &json!(2_500)),
        "the minimum stays"
    );
    let set = desk.run("policy set --identify 1000 --json").await.json();
    assert_eq!(set["identify"], json!({ "above": 100_000, "currency": "USD" }));
    let set = desk.run("policy set --identify always --json").await.json();
    assert_eq!((&set["identify"], &set["minimum"]["amount"]), (&json!("always"), &json!(2_500)));
    assert_eq!(desk.run("policy set --identify sometimes").await.exit, Exit::Usage);
    assert_eq!(desk.run("policy set --identify 10%").await.exit, Exit::Usage);
    assert_eq!(desk.run("policy set --identify never").await.exit, Exit::Done);
    let set = desk.run("policy set --invoice INV-1 --partial always --minimum 10%").await;
    assert!(set.out.contains("10% of what is left"), "{}", set.out);
    assert_eq!(desk.run("policy show --invoice INV-2 --json").await.json()["partial"], Value::Null);
    assert_eq!(desk.run("policy set --invoice INV-1 --minimum 5EUR").await.exit, Exit::Usage);
    assert_eq!(desk.run("policy set --minimum 101%").await.exit, Exit::Usage);
    assert_eq!(desk.run("policy set").await.exit, Exit::Usage);
    assert_eq!(desk.run("policy set --invoice INV-9 --partial never").await.exit, Exit::NotFound);
    assert!(desk.run("surcharge show").await.out.contains("Nothing is passed on"));
    let set = desk.run("surcharge set --percent 2.9 --fixed 0.30 --cap 10 --json").await.json();
    assert_eq!(
        set,
        json!([{ "customer": null, "method": "card", "currency": "USD", "rate_millionths": 29_000, "fixed": 30, "cap": 1_000 }])
    );
    let acme = "surcharge set --method us_bank_account --percent 1 --customer";
    assert_eq!(desk.run(&format!("{acme} nobody@nowhere.example")).await.exit, Exit::NotFound);
    assert_eq!(desk.run("surcharge set --method cheque").await.exit, Exit::Usage);
    assert!(desk.run("surcharge show").await.out.contains("2.9% + 0.30 USD, at most 10.00 USD"));
    assert_eq!(desk.run("surcharge set --percent 101").await.exit, Exit::Usage);
    assert_eq!(desk.run("surcharge set --fixed=-1").await.exit, Exit::Usage);
    assert_eq!(desk.run("verify").await.exit, Exit::Done, "each act has its row in the trail");
}

fn practice() -> SandboxConfig {
    SandboxConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: SandboxData::Memory,
        secret_key: "sk_test_practice".to_owned(),
        webhook: None,
        clock: Arc::new(|| NOW),
        seed: 1,
        public_url: None,
    }
}

#[tokio::test]
async fn a_merchant_is_told_that_a_colour_was_corrected() {
    let desk = Desk::new();
    let line = "init --name Northwind --help-email help@northwind.example";
    let told = desk.run(&format!("{line} --brand-color #ffe94d")).await;
    assert!(told.out.starts_with("Brand colour corrected: "), "{} {}", told.out, told.err);
    let more = "merchant create --name Southwind --help-email help@southwind.example --json";
    assert_eq!(desk.run(more).await.json()["brand_color_corrected"], Value::Null);
    let pale = desk.run(&format!("{more} --slug pale --brand-color #ffe94d")).await.json();
    assert!(pale["brand_color_corrected"].as_str().unwrap().contains("darker"), "{pale}");
}

#[tokio::test]
async fn a_processor_is_asked_who_it_is_and_its_keys_are_sealed() {
    let sandbox = Sandbox::start(practice()).await.unwrap();
    let desk = Desk::ready().await;
    let key = desk.file("key", "sk_test_practice\n");
    let secret = desk.file("secret", "whsec_one\n");
    let line =
        |more: &str| format!("processor connect stripe --address {} --json {more}", sandbox.base_url());
    let told = desk.run(&line(&format!("--key-file {key} --webhook-secret-file {secret}"))).await;
    assert_eq!(told.exit, Exit::Done, "{}", told.err);
    assert_eq!((&told.json()["mode"], &told.json()["webhooks"]), (&json!("practice"), &json!(true)));
    let kept = desk.run(&line(&format!("--key-file {key}"))).await.json();
    assert_eq!(kept["webhooks"], true, "the secret that is there stays");
    let other = Sandbox::start(SandboxConfig { seed: 2, ..practice() }).await.unwrap();
    let moved = format!("processor connect stripe --address {} --key-file {key}", other.base_url());
    let told = desk.run(&format!("{moved} --json")).await.json();
    assert_eq!((&told["webhooks"], &told["webhook_secret_dropped"]), (&json!(false), &json!(true)), "{told}");
    assert_eq!(
        desk.run(&format!("{moved} --json")).await.json()["webhook_secret_dropped"],
        false,
        "told once"
    );
    assert_eq!(
        desk.run(&line(&format!("--key-file {key} --webhook-secret-file {secret}"))).await.exit,
        Exit::Done
    );
    let text = desk.run(&moved).await.out;
    assert!(
        text.contains("was dropped: webhooks are refused until") && text.contains("--webhook-secret-file"),
        "{text}"
    );
    assert_eq!(desk.run(&line(&format!("--key-file {key}"))).await.json()["webhooks"], false);
    other.shutdown().await;
    let wrong = desk.file("wrong", "sk_test_other");
    assert_eq!(desk.run(&line(&format!("--key-file {wrong}"))).await.exit, Exit::Unavailable);
    let live = desk.file("live", "sk_live_other");
    let refused = desk.run(&line(&format!("--key-file {live}"))).await;
    assert_eq!(refused.exit, Exit::Usage, "a live key never crosses a network in the clear: {}", refused.err);
    let none = desk.file("none", "hello");
    assert_eq!(desk.run(&line(&format!("--key-file {none}"))).await.exit, Exit::Usage);
    let swapped = desk.run(&line(&format!("--key-file {key} --webhook-secret-file {key}"))).await;
    assert_eq!(swapped.exit, Exit::Usage);
    sandbox.shutdown().await;
    for entry in fs::read_dir(desk.dir.path().join("data")).unwrap() {
        // SQLite may take its side files away between listing and reading.
        let bytes = match fs::read(entry.unwrap().path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read.unwrap(),
        };
        for secret in [b"sk_test_practice".as_slice(), b"whsec_one"] {
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret),
                "a secret lies in the data folder"
            );
        }
    }
}

#[tokio::test]
async fn the_description_of_the_api_is_printed_without_any_database() {
    let desk = Desk::new();
    let described = serde_json::to_value(crate::api::description()).unwrap();
    for line in ["openapi", "openapi --json"] {
        let told = desk.run(line).await;
        assert_eq!((told.exit, told.err.as_str()), (Exit::Done, ""), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&told.out).unwrap(), described, "{line}");
        assert_eq!(told.out.lines().count() == 1, line.ends_with("json"));
    }
    assert_eq!(described["openapi"], "3.1.0");
}
