//! W6: a processor's webhooks, signed and of the usual size, from sixteen senders, one in eight sent twice. Every one that was
//! accepted is there once afterwards, and applied. The payments they are about are paid, so that applying one asks nobody:
//! what is measured is ours, never a processor's speed.

use crate::bench::{Bench, Engine};
use crate::http::{Outgoing, post_json};
use crate::inside;
use crate::load::now;
use crate::program::{Place, SLUG};
use crate::report::{Better, Goal, conditions, figures, say};
use crate::seed::INVOICE;
use anyhow::{Context as _, Result, bail, ensure};
use billing::ids::{MerchantId, PaymentId};
use billing::payment::{Method, PaymentState};
use ceilings::census;
use data_encoding::HEXLOWER;
use gateway::{FeeFacts, PaymentFacts};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::StatusCode;
use jiff::Timestamp;
use ledger::Money;
use paydown::actions::record_outcome::{Outcome, record_outcome};
use paydown::actions::start_payment::{Means, Payer, StartPayment, Started, start_payment};
use paydown::app::App;
use paydown::processors::{STRIPE, webhook_secrets};
use serde_json::json;
use sha2::Sha256;
use std::time::Duration;
use store::db::Tx;
use store::{invoices, merchants, processor_accounts};
use tokio::time::sleep;

const SENDERS: usize = 16;
/// So many are to be accepted in a second, and 99 of 100 within so many milliseconds.
const RATE: f64 = 300.0;
const P99_MILLIS: f64 = 200.0;
/// One of so many is sent again at once.
const REPEATED: u64 = 8;
/// Events are spread over so many payments.
const PAYMENTS: u64 = 64;
/// What each of them paid, and what the processor kept.
const PAID_MINOR: i64 = 100;
const FEE_MINOR: i64 = 30;
/// What the events of a processor are padded to, bytes.
const PADDING: usize = 2_500;
/// All are applied so long after the last one was accepted, or something is wrong.
const APPLIED_WITHIN: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Runs it on one engine.
pub async fn run(bench: &Bench, engine: Engine) -> Result<Vec<Goal>> {
    let place = match engine {
        Engine::Sqlite => bench.seeds.copy_paydown(bench.invoices, &bench.fresh("w6")?).await?,
        Engine::Postgres => {
            bench.seeds.copy_paydown_to_postgres(bench.invoices, &bench.fresh("w6-postgres")?).await?
        }
    };
    let mut events = Events::new(prepare(&place).await?);
    let server = place.serve().await?;
    server.idle().await?;
    let path = format!("/hooks/stripe/{SLUG}");
    let (rate, p99) = match engine {
        Engine::Sqlite => ("W6 rate ÷ 300, SQLite", "W6 p99 ÷ 200 ms, SQLite"),
        Engine::Postgres => ("W6 rate ÷ 300, PG", "W6 p99 ÷ 200 ms, PG"),
    };
    let mut goals = [Goal::new(rate, Better::Higher, 1.0, 3.0), Goal::new(p99, Better::Lower, 1.0, 0.5)];
    for number in 1..=bench.rounds {
        conditions(&format!("W6 on {}", engine.name()), number, &bench.folder)?;
        let sent = server.drive((SENDERS, bench.lasting), StatusCode::OK, || events.request(&path)).await?;
        figures("webhooks, 16 senders", &sent);
        goals[0].add(sent.rate() / RATE);
        goals[1].add(sent.millis(990) / P99_MILLIS);
    }
    let began_at = now();
    applied(&place, events.made).await?;
    say(&format!(
        "  accepted = stored once = applied: {} events, {} of them sent twice; the last {:.1} s after it was accepted",
        events.made,
        events.repeated,
        began_at.elapsed().as_secs_f64()
    ));
    server.stop()?;
    place.verify()?.say();
    bench.discard(&place.data)?;
    Ok(goals.into())
}

/// Waits until nothing waits, and holds what is stored against what was accepted.
async fn applied(place: &Place, accepted: u64) -> Result<()> {
    for _ in 0..APPLIED_WITHIN.as_millis() / LOOK_EVERY.as_millis() {
        let inbox = census::inbox(&place.database).await?;
        ensure!(inbox.events == accepted, "{accepted} events were accepted, {} are stored", inbox.events);
        if inbox.applied == accepted {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
    bail!("after {APPLIED_WITHIN:?}: {:?} of {accepted}", census::inbox(&place.database).await?)
}

/// Signed events, made from their number.
struct Events {
    secret: String,
    padding: String,
    made: u64,
    repeated: u64,
    again: bool,
}

impl Events {
    fn new(secret: String) -> Events {
        Events { secret, padding: "x".repeat(PADDING), made: 0, repeated: 0, again: false }
    }

    /// The next one, or the last one again.
    fn request(&mut self, path: &str) -> Result<Outgoing> {
        if self.again {
            self.repeated += 1;
        } else {
            self.made += 1;
        }
        self.again = !self.again && self.made.is_multiple_of(REPEATED);
        let at = unix_now();
        let body = json!({
            "id": format!("evt_bench{}", self.made),
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": at,
            "livemode": false,
            "data": { "object": {
                "id": intent(self.made % PAYMENTS), "object": "payment_intent", "description": self.padding,
            } },
        })
        .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())?;
        mac.update(format!("{at}.{body}").as_bytes());
        let signature = format!("t={at},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()));
        post_json(path, &[("stripe-signature", &signature)], body)
    }
}

fn intent(number: u64) -> String {
    format!("pi_bench{number}")
}

/// Makes the payments that the events are about, each of which is paid and its fee known, so that nothing is left to ask; answers
/// what signs webhooks.
async fn prepare(place: &Place) -> Result<String> {
    let app = inside::open(place).await?;
    let read = async move |tx: &mut Tx| {
        let merchant = merchants::find_by_slug(tx, SLUG).await?.context("the merchant is seeded")?.id;
        let account = processor_accounts::find(tx, merchant, STRIPE).await?;
        Ok((merchant, account.context("it has the practice processor")?))
    };
    let (merchant, account) = app.store.read(read).await?;
    for number in 0..PAYMENTS {
        pay(&app, merchant, number).await?;
    }
    let secrets = webhook_secrets(&app.secrets, &account, app.clock.now())?;
    app.store.close().await?;
    Ok(secrets.first().context("its webhooks are signed")?.expose().to_owned())
}

async fn pay(app: &App, merchant: MerchantId, number: u64) -> Result<()> {
    let name = format!("{INVOICE}{}", number + 1);
    let find = async move |tx: &mut Tx| invoices::find_by_number(tx, merchant, &name).await;
    let invoice = app.store.read(find).await?.context("the invoice is seeded")?;
    let payer = Payer { session_hash: [1; 32], contact_id: None, link_id: None, client: None };
    let form = StartPayment {
        merchant,
        invoice: invoice.id,
        payment: app.mint().id(PaymentId::new),
        method: Method::Card,
        means: Means::default(),
        agreement: None,
        amount_minor: PAID_MINOR,
        surcharge_minor: 0,
        payer,
        receipt_email: None,
        payer_reference: None,
        language: "en".to_owned(),
    };
    let started = start_payment(app, form).await?;
    let Started::New(payment) = started else { bail!("{started:?}") };
    let usd = |minor| Money::new(minor, invoice.figures.currency);
    let fee = FeeFacts {
        balance_transaction_id: format!("txn_bench{number}"),
        fee: usd(FEE_MINOR),
        net: usd(PAID_MINOR - FEE_MINOR),
    };
    let facts = PaymentFacts {
        payment_intent_id: Some(intent(number)),
        charge_id: Some(format!("ch_bench{number}")),
        captured: Some(usd(PAID_MINOR)),
        captured_at: Some(app.clock.now()),
        fee: Some(fee),
        ..PaymentFacts::of_state(PaymentState::Succeeded, false)
    };
    let outcome =
        Outcome { merchant, payment, facts, source: "bench", ending: None, unmade_after_calls: None };
    let recorded = record_outcome(app, outcome).await?;
    ensure!(recorded.state() == Some(PaymentState::Succeeded), "{recorded:?}");
    Ok(())
}

/// Signatures are made at a time that a receiver compares with its own.
#[expect(clippy::disallowed_methods, reason = "a benchmark signs now")]
fn unix_now() -> i64 {
    Timestamp::now().as_second()
}
