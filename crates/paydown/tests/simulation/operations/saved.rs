//! Saved methods: kept while paying or without, charged with their owner and without, asked about by banks; held debits that are
//! stopped before the cut-off; methods and mandates that are given up.

use crate::operations::payers::submit;
use crate::world::{Issued, MERCHANT, Told, World};
use axum::body::Body;
use axum::http::Request;
use billing::ids::{PaymentId, SetupId};
use billing::payment::{Method, PaymentState};
use jiff::civil::time;
use paydown::actions::apply_setup::{apply_setup, end_setup};
use paydown::actions::call_off_payment::call_off_payment;
use paydown::actions::charge_saved::{ChargeSaved, Charged, charge_saved};
use paydown::actions::end_mandate::{Revoker, end_mandate};
use paydown::actions::remove_method::{Remover, remove_method};
use paydown::actions::set_cut_off::set_cut_off;
use paydown::actions::set_default_method::set_default_method;
use paydown::actions::start_payment::{Agreement, Means, Payer, StartPayment};
use paydown::actions::start_setup::{SetupStarted, StartSetup, start_setup};
use paydown::actions::stop_payment::stop_payment;
use paydown::app::App;
use scraper::{Html, Selector};
use store::db::Tx;
use store::payment_methods::{self, SavedMethod};
use store::{attempts, payments};

impl World {
    /// An invoice with a saved method that can pay it.
    fn some_saved(&mut self) -> Option<(Issued, SavedMethod)> {
        let invoice = self.some_invoice()?;
        let customer = invoice.customer;
        let read = async move |tx: &mut Tx| payment_methods::list_of_customer(tx, MERCHANT, customer).await;
        let mut all = self.live(async |app: App| app.store.read(read).await)?.ok()?;
        // Now and then somebody still sees one that was removed.
        if self.often(90) {
            all.retain(|saved| saved.removed_at.is_none());
        }
        let at = self.draw(all.len());
        Some((invoice, all.get(at)?.clone()))
    }

    /// The page on which the bank asks about a saved card, if it does.
    fn note_challenge(&mut self, payment: PaymentId) {
        let read = async move |tx: &mut Tx| attempts::latest(tx, MERCHANT, payment).await;
        let attempt = self.live(async |app: App| app.store.read(read).await);
        let url = attempt.and_then(Result::ok).flatten().and_then(|attempt| attempt.session_url);
        if let Some(at) = url.as_deref().and_then(|url| url.find("/c/challenge/").map(|at| &url[at..])) {
            self.challenges.push(at.to_owned());
        }
    }

    /// A held debit, or what was one, a newer one rather than an older one.
    fn some_held(&mut self) -> Option<PaymentId> {
        let of_accounts = |told: &&Told| told.is_saved && told.method.is_bank_debit();
        let held: Vec<PaymentId> =
            self.payments.iter().filter(of_accounts).map(|told| told.payment).collect();
        let recent = self.draw(held.len().min(3));
        held.get(held.len().checked_sub(1 + recent)?).copied()
    }

    /// What somebody was told is stopped was never sent, and stays stopped.
    pub fn check_stopped(&mut self) -> Result<(), String> {
        for id in self.stopped.clone() {
            let read = async move |tx: &mut Tx| {
                Ok((payments::find(tx, MERCHANT, id).await?, attempts::latest(tx, MERCHANT, id).await?))
            };
            let Some(Ok((payment, attempt))) = self.live(async |app: App| app.store.read(read).await) else {
                return Err("a stopped payment cannot be read".to_owned());
            };
            let state = payment.map(|payment| payment.state);
            let calls = attempt.map(|attempt| attempt.calls);
            if (state, calls) != (Some(PaymentState::Canceled), Some(0)) {
                return Err(format!("{id} was stopped; it is {state:?} after {calls:?} calls"));
            }
        }
        Ok(())
    }
}

/// The payer, signed in, pays with what they saved.
pub(super) fn charge(world: &mut World) -> Result<(), String> {
    let Some((invoice, saved)) = world.some_saved() else { return Ok(()) };
    let Some(amount) = world.some_amount(&invoice) else { return Ok(()) };
    let form = world.form(&invoice, saved.method, amount);
    let form = StartPayment {
        means: Means { saved: Some(saved.id), ..Means::default() },
        payer: Payer { contact_id: Some(saved.contact_id), ..form.payer },
        ..form
    };
    let sent = form.clone();
    let said = world.live(async move |app: App| submit(&app, sent).await);
    world.learned(&form, said)?;
    if let Some(told) = world.payments.iter_mut().find(|told| told.payment == form.payment) {
        told.is_saved = true;
        world.note_challenge(form.payment);
    }
    Ok(())
}

/// Staff charge it while its owner is away.
pub(super) fn charge_away(world: &mut World) -> Result<(), String> {
    let Some((invoice, saved)) = world.some_saved() else { return Ok(()) };
    let Some(amount_minor) = world.some_amount(&invoice) else { return Ok(()) };
    let input = ChargeSaved {
        merchant: MERCHANT,
        invoice: invoice.id,
        saved: saved.id,
        amount_minor,
        surcharge_minor: 0,
        retries: None,
        request: None,
        actor: "alice".to_owned(),
    };
    let charged = world.live(async move |app: App| match charge_saved(&app, input.clone()).await? {
        Charged::SurchargeIs(now) => {
            charge_saved(&app, ChargeSaved { surcharge_minor: now.minor(), ..input }).await
        }
        charged => Ok(charged),
    });
    match charged {
        Some(Ok(Charged::New(payment))) => {
            let (invoice, method) = (invoice.id, saved.method);
            world.payments.push(Told {
                payment,
                invoice,
                amount_minor,
                method,
                session: None,
                is_saved: true,
            });
            Ok(())
        }
        Some(Err(error)) => world.excuse("charging a saved method", &error),
        Some(Ok(_)) | None => Ok(()),
    }
}

pub(super) fn leave(world: &mut World) -> Result<(), String> {
    let method = [Method::Card, Method::UsBankAccount, Method::SepaDebit][world.draw(3)];
    let at = world.draw(world.customers.len());
    let contact = world.customers[at].1;
    let Some(setup) = world.live(async |app: App| app.mint().id(SetupId::new)) else { return Ok(()) };
    let agreement = Agreement { wording: "Later ones, when I ask.".to_owned(), user_agent: None };
    let payer = Payer { session_hash: [1; 32], contact_id: Some(contact), link_id: None, client: None };
    let input = StartSetup {
        merchant: MERCHANT,
        setup,
        method,
        payer,
        agreement: method.is_bank_debit().then_some(agreement),
        language: "en".to_owned(),
    };
    match world.live(async move |app: App| start_setup(&app, input).await) {
        Some(Ok(SetupStarted::Page(url))) => {
            let session = url.rsplit('/').next().unwrap_or_default().to_owned();
            world.setups.push((setup, session.clone()));
            if world.often(75) {
                let typed = world.typed(method);
                world.control(&format!("/sessions/{session}/pay"), &typed);
                world.collect_webhooks();
            }
            Ok(())
        }
        Some(Err(error)) => world.excuse("leaving a method", &error),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Back from that page, or turned back on it.
pub(super) fn come_back(world: &mut World) -> Result<(), String> {
    let recent = world.draw(world.setups.len().min(3));
    let Some((setup, _)) = world.setups.iter().rev().nth(recent).cloned() else { return Ok(()) };
    let gives_up = world.often(15);
    let back = world.live(async move |app: App| match gives_up {
        true => end_setup(&app, MERCHANT, setup).await,
        false => apply_setup(&app, MERCHANT, setup).await.map(drop),
    });
    match back {
        Some(Err(error)) => world.excuse("coming back after leaving a method", &error),
        _ => Ok(()),
    }
}

/// The payer reads the code that the bank sent, or says it was not them.
pub(super) fn answer_bank(world: &mut World) -> Result<(), String> {
    if world.challenges.is_empty() {
        return Ok(());
    }
    let at = world.draw(world.challenges.len());
    let path = world.challenges.swap_remove(at);
    let request = || Request::get(path.as_str()).body(Body::empty()).expect("a request");
    let (_, page) = world.fetch(request());
    let Some((token, code)) = asked(&String::from_utf8_lossy(&page)) else { return Ok(()) };
    let answer = if world.often(70) { "approve" } else { "refuse" };
    let form = format!("token={token}&bank-code={code}&answer={answer}");
    let request = Request::post(path.as_str()).header("content-type", "application/x-www-form-urlencoded");
    world.fetch(request.body(Body::from(form)).expect("a request"));
    world.collect_webhooks();
    Ok(())
}

/// What is on the bank's page; nothing where it does not ask any more.
fn asked(page: &str) -> Option<(String, String)> {
    let html = Html::parse_document(page);
    let select = |selector: &str| Selector::parse(selector).expect("a selector");
    let token = html.select(&select("input[name=token]")).next()?.attr("value")?.to_owned();
    let code: String = html.select(&select(".digits")).flat_map(|digits| digits.text()).collect();
    Some((token, code.trim().to_owned()))
}

/// "Stop this payment". Whoever is told that it is stopped can rely on it.
pub(super) fn stop(world: &mut World) -> Result<(), String> {
    let Some(payment) = world.some_held() else { return Ok(()) };
    match world.live(async move |app: App| stop_payment(&app, MERCHANT, payment).await) {
        Some(Ok(Ok(PaymentState::Canceled))) => world.stopped.push(payment),
        Some(Ok(Ok(state))) => return Err(format!("{payment} was stopped and is {state:?}")),
        Some(Ok(Err(_))) | None => {}
        Some(Err(error)) => return world.excuse("stopping a payment", &error),
    }
    Ok(())
}

pub(super) fn call_off(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    let (payment, actor) = (told.payment, "alice".to_owned());
    match world.live(async move |app: App| call_off_payment(&app, MERCHANT, payment, actor).await) {
        Some(Err(error)) => world.excuse("calling a payment off", &error),
        Some(Ok(None)) => Err(format!("{payment} is not known")),
        Some(Ok(Some(_))) | None => Ok(()),
    }
}

pub(super) fn remove(world: &mut World) -> Result<(), String> {
    let Some((_, saved)) = world.some_saved() else { return Ok(()) };
    let staff = world.often(50).then(|| "alice".to_owned());
    let end_it = world.often(30);
    let removed = world.live(async move |app: App| {
        if let Some(mandate) = saved.mandate_id.filter(|_| end_it) {
            let revoker = staff.map_or(Revoker::Giver(saved.contact_id), Revoker::Staff);
            return end_mandate(&app, MERCHANT, mandate, revoker).await.map(drop);
        }
        let remover = staff.map_or(Remover::Owner(saved.contact_id), Remover::Staff);
        remove_method(&app, MERCHANT, saved.id, remover).await.map(drop)
    });
    match removed {
        Some(Err(error)) => world.excuse("giving a saved method up", &error),
        _ => Ok(()),
    }
}

pub(super) fn prefer(world: &mut World) -> Result<(), String> {
    let Some((_, saved)) = world.some_saved() else { return Ok(()) };
    let hour = i8::try_from(world.draw(24)).unwrap_or(0);
    let moves_cut_off = world.often(30);
    let done = world.live(async move |app: App| {
        if moves_cut_off {
            set_cut_off(&app, MERCHANT, time(hour, 0, 0, 0), "alice".to_owned()).await?;
        }
        set_default_method(&app, MERCHANT, saved.contact_id, saved.id).await
    });
    match done {
        Some(Err(error)) => world.excuse("choosing a saved method", &error),
        _ => Ok(()),
    }
}
