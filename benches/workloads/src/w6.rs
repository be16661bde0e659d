//! W6: a processor's webhooks, signed and of the usual size, from sixteen senders, one in eight sent twice. Every one that was
//! accepted is there once afterwards, and applied. The payments they are about have ended, so that applying one asks nobody:
//! what is measured is ours, never a processor's speed.

use crate::bench::{Bench, Engine};
use crate::http::{Outgoing, post_json};
use crate::load::now;
use crate::program::{Place, SLUG};
use crate::report::{Better, Goal, conditions, figures, say};
use crate::seed::contact;
use anyhow::{Context as _, Result, bail, ensure};
use billing::ids::{AttemptId, MerchantId, PaymentId};
use billing::payment::PaymentState;
use ceilings::census;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::StatusCode;
use jiff::Timestamp;
use ledger::{Currency, Money};
use paydown::processors::{STRIPE, webhook_secrets};
use paydown::secrets::SecretKey;
use serde_json::json;
use sha2::Sha256;
use std::time::Duration;
use store::attempts::{self, Attempt, Learned};
use store::db::{DatabaseUrl, Role, Store, StoreConfig, Tx};
use store::payments::{self, Ending, Payment};
use store::{contacts, merchants, processor_accounts};
use tokio::time::sleep;

const SENDERS: usize = 16;
/// So many are to be accepted in a second, and 99 of 100 within so many milliseconds.
const RATE: f64 = 300.0;
const P99_MILLIS: f64 = 200.0;
/// One of so many is sent again at once.
const REPEATED: u64 = 8;
/// Events are spread over so many payments.
const PAYMENTS: u64 = 64;
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
    let postings = place.verify()?;
    say(&format!("  the books are right: {postings} postings"));
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
            "type": "payment_intent.canceled",
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

/// Makes the payments that the events are about, each of which ended without money; answers what signs webhooks.
async fn prepare(place: &Place) -> Result<String> {
    let key = SecretKey::load_or_create(&place.data, None, [0; 32])?;
    let now = Timestamp::from_second(unix_now())?;
    let url = place.database.parse::<DatabaseUrl>()?;
    let store = Store::open(&StoreConfig::new(url, Role::Command, now.as_microsecond())).await?;
    let account = store
        .write(async move |tx: &mut Tx| {
            let merchant = merchants::find_by_slug(tx, SLUG).await?.context("the merchant is seeded")?.id;
            for number in 0..PAYMENTS {
                end_payment(tx, merchant, number, now).await?;
            }
            processor_accounts::find(tx, merchant, STRIPE).await?.context("it has the practice processor")
        })
        .await?;
    store.close().await?;
    let secrets = webhook_secrets(&key, &account, now)?;
    Ok(secrets.first().context("its webhooks are signed")?.expose().to_owned())
}

async fn end_payment(tx: &mut Tx, merchant: MerchantId, number: u64, now: Timestamp) -> Result<()> {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let people = contacts::find_by_email(tx, merchant, &contact(0)).await?;
    let person = people.first().context("the customer is seeded")?;
    let id = PaymentId::new(now, random);
    let payment = Payment::submitting(merchant, id, person.customer_id, Money::new(100, Currency::USD), now);
    payments::insert_first(tx, &payment, "bench").await?;
    let call = ("POST /v1/checkout/sessions".to_owned(), String::new());
    let attempt = AttemptId::new(now, random);
    let key = format!("bench-{number}");
    attempts::insert(tx, &Attempt::first(&payment, attempt, (STRIPE, key), call)).await?;
    let learned = Learned { payment_intent_id: Some(intent(number)), ..Learned::default() };
    attempts::learn(tx, merchant, attempt, &learned).await?;
    payments::set_ending(tx, merchant, payment.id, Ending::Expired).await?;
    payments::set_state(tx, &payment, PaymentState::Canceled, "bench", now).await
}

/// Signatures are made at a time that a receiver compares with its own.
#[expect(clippy::disallowed_methods, reason = "a benchmark signs now")]
fn unix_now() -> i64 {
    Timestamp::now().as_second()
}
