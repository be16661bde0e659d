//! `kill -9` at moments that nobody chose, under load: every payment that a payer was told about is there once.
//!
//! So many kills without a loss prove no more than the rule of three says: with 95 % confidence fewer than 3 in that many lose
//! anything. The figure is printed.

use super::on_both_engines;
use crate::payer::Payer;
use crate::place::Place;
use crate::program::{http, until};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::sync::watch;

const CLIENTS: u8 = 32;
/// The server is killed so often on each engine; in the long run, with other moments each time.
const ROUNDS: usize = 10;
const LONG_ROUNDS: usize = 250;
/// A server that was killed serves again within so long, as a rule: the machine has other work to do here than to start it.
const READY_WITHIN: Duration = Duration::from_secs(3);
/// An account that pays.
const ACCOUNT: &str = "000123456789";
const NUMBER: &str = "INV-LOAD";
const TOTAL_MINOR: i64 = 900_000_000;
const INVOICES: &str = "Number,Customer,Email,Issued,Due,Description,Quantity,Price,Tax Rate\n\
    INV-LOAD,Acme,dana@acme.test,2026-11-01,2026-11-30,Work,1,9000000.00,\n";

/// What payers were told.
#[derive(Default)]
struct Told {
    /// They were sent to a card page.
    started: BTreeSet<String>,
    /// They paid there, and the processor said so.
    paid: BTreeMap<String, i64>,
    /// Their bank refused the debit, and the processor said so.
    refused: BTreeSet<String>,
    /// A page said that the payment was received.
    received: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

/// Pays again and again until told to stop.
struct Client {
    number: u8,
    http: reqwest::Client,
    processor_url: String,
    link: String,
    /// Where the server is; nowhere at the end.
    origin: watch::Receiver<Option<String>>,
    told: Told,
}

impl Client {
    async fn pay_until_the_end(mut self) -> Told {
        for visit in 0_u16.. {
            let Some(origin) = self.origin.borrow_and_update().clone() else { break };
            // Another address and another browser each time, or we would ask for more than one payer may.
            let [high, low] = visit.to_be_bytes();
            let address = Ipv4Addr::new(127, 1 + high, self.number, low);
            let mut payer = Payer::at(&origin, Some(IpAddr::V4(address)));
            let broken = self.visit(&mut payer, i64::from(visit)).await.is_err();
            self.told.secrets.append(&mut payer.secrets);
            if broken && self.origin.changed().await.is_err() {
                break;
            }
        }
        self.told
    }

    async fn visit(&mut self, payer: &mut Payer, visit: i64) -> reqwest::Result<()> {
        let invoice_path = payer.try_get(&self.link).await?.path;
        for round in 0..4 {
            let amount_minor = 1_000 + i64::from(self.number) * 100 + visit * 10 + round;
            let Some(form) = payer.try_form(&invoice_path, amount_minor).await? else { return Ok(()) };
            // Every third pays from a bank account, and every fourth of these is refused there.
            let is_debit = (i64::from(self.number) + visit + round) % 3 == 0;
            let form = if is_debit { form.by("us_bank_account") } else { form };
            let Some(page) = payer.try_press(&form).await?.left_for else { return Ok(()) };
            self.told.started.insert(form.payment.clone());
            let session = page.rsplit('/').next().unwrap_or_default();
            if is_debit {
                let is_refused = round == 3;
                self.debit(session, is_refused).await?;
                if is_refused {
                    self.told.refused.insert(form.payment.clone());
                    continue;
                }
            } else {
                let view = self
                    .control(&format!("/sessions/{session}/pay"), json!({ "card": crate::place::VISA }))
                    .await?;
                assert_eq!(view["payment_status"], "paid", "{view}");
            }
            self.told.paid.insert(form.payment.clone(), amount_minor);
            let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
            let page = payer.try_get(&format!("{portal}/payments/{}/return", form.payment)).await?;
            if page.words().contains("Payment received") {
                self.told.received.insert(form.payment);
            }
        }
        Ok(())
    }

    /// Agrees to a debit on the bank page, and days pass for it alone.
    async fn debit(&self, session: &str, is_refused: bool) -> reqwest::Result<()> {
        let path = format!("/sessions/{session}/pay");
        let view = self.control(&path, json!({ "account": ACCOUNT })).await?;
        let intent = view["payment_intent"]["id"].as_str().unwrap_or_else(|| panic!("{view}"));
        let body = if is_refused { json!({ "code": "R01" }) } else { json!({}) };
        let view = self.control(&format!("/payment_intents/{intent}/debit"), body).await?;
        assert_eq!(view["status"] == "succeeded", !is_refused, "{view}");
        Ok(())
    }

    async fn control(&self, path: &str, body: Value) -> reqwest::Result<Value> {
        let url = format!("{}/control{path}", self.processor_url);
        self.http.post(url).json(&body).send().await?.json().await
    }
}

on_both_engines!(every_payment_that_was_acknowledged_is_there_once, async |mut place: Place| {
    place.import("load.csv", INVOICES).await;
    place.command(&["merchant", "methods", "set", "card,us_bank_account"]).await.done();
    let (tell, origin) = watch::channel(Some(place.origin.clone()));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let (link, origin) = (place.link(NUMBER).await, origin.clone());
        let (http, processor_url) = (http().build().expect("a client"), place.processor_url.clone());
        let client = Client { number, http, processor_url, link, origin, told: Told::default() };
        clients.push(tokio::spawn(client.pay_until_the_end()));
    }
    let long = std::env::var_os("PAYDOWN_TEST_LONG").is_some();
    let rounds = if long { LONG_ROUNDS } else { ROUNDS };
    let mut moments = StdRng::seed_from_u64(if long { u64::from(std::process::id()) } else { 5 });
    let mut began = Vec::new();
    for _ in 0..rounds {
        // The moment is what this test is about; nothing is waited for.
        tokio::time::sleep(Duration::from_millis(moments.random_range(50..1_500))).await;
        began.push(place.restart().await);
        tell.send_replace(Some(place.origin.clone()));
    }
    tell.send_replace(None);
    drop(tell);
    let mut told = Told::default();
    for client in clients {
        let mut one = client.await.expect("nobody panics");
        told.started.append(&mut one.started);
        told.paid.append(&mut one.paid);
        told.received.append(&mut one.received);
        told.refused.append(&mut one.refused);
        place.secrets.append(&mut one.secrets);
    }
    all_is_there(&place, &told).await;
    place.finish(&[]).await;
    began.sort();
    let (middle, slowest) = (began[rounds / 2], began[rounds - 1]);
    println!(
        "{rounds} kills, {} payments paid, {} refused, none lost or doubled: with 95 % confidence fewer than {} % of \
         kills lose one; ready again within {middle:?}, {slowest:?} at most",
        told.paid.len(),
        told.refused.len(),
        300.0 / f64::from(u32::try_from(rounds).expect("a few")),
    );
    assert!(middle < READY_WITHIN, "half of the starts took longer than {middle:?}");
});

async fn all_is_there(place: &Place, told: &Told) {
    assert!(told.paid.len() >= ROUNDS, "the load was a load: {}", told.paid.len());
    place.books_become_equal().await;
    let states = until(
        "every payment that was paid to have succeeded, and every one that was refused to have failed",
        async || {
            let states = payments(place).await;
            let is = |id: &String, wanted: &str| states.get(id).is_some_and(|state| state == wanted);
            let ended = told.paid.keys().all(|id| is(id, "succeeded"))
                && told.refused.iter().all(|id| is(id, "failed"));
            ended.then_some(states)
        },
    )
    .await;
    for id in &told.refused {
        assert_eq!(states.get(id).map(String::as_str), Some("failed"), "{id} was refused by its bank");
    }
    for id in told.started.iter().chain(&told.received) {
        assert!(states.contains_key(id), "a payer was told of {id}, and it is gone");
    }
    let paid: i64 = told.paid.values().sum();
    let (open, _, booked) = place.figures(NUMBER).await;
    assert_eq!((open, booked), (TOTAL_MINOR - paid, paid), "what was paid is booked, once");
    let mut attempts = BTreeSet::new();
    for session in place.sessions().await {
        let attempt = session["client_reference_id"].as_str().unwrap_or_default().to_owned();
        assert!(attempts.insert(attempt), "one page for one attempt: {session}");
    }
}

/// Every payment with its state, by `payment list`, page by page.
async fn payments(place: &Place) -> BTreeMap<String, String> {
    let mut states = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let mut args = vec!["payment", "list", "--limit", "500"];
        if let Some(id) = &after {
            args.extend(["--after", id]);
        }
        let page = place.command(&args).await.done().json();
        let rows = page.as_array().expect("a list");
        for row in rows {
            let (id, state) = (crate::place::word(row, "id"), crate::place::word(row, "state"));
            assert!(states.insert(id.clone(), state).is_none(), "{id} is there twice");
            after = Some(id);
        }
        if rows.len() < 500 {
            return states;
        }
    }
}
