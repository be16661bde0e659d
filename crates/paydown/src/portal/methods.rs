//! Saved methods in the portal: a person's own, for who signed in and for nobody else. A payment link opens one invoice and none of
//! these pages.

use crate::actions::apply_setup::{apply_setup, end_setup};
use crate::actions::remove_method::{Remover, remove_method};
use crate::actions::set_default_method::set_default_method;
use crate::actions::start_payment::{Agreement, Payer, has_expired};
use crate::actions::start_setup::{SetupStarted, StartSetup, start_setup};
use crate::csrf::Posted;
use crate::pages::mandate;
use crate::pages::methods::{
    AddMethodPage, Agreement as Shown, MethodsPage, News, RemoveMethodPage, Saved, Unfinished,
};
use crate::pages::parts::Method as Title;
use crate::pages::ways::Way;
use crate::portal::context::{Ctx, see_other};
use crate::portal::fail::Fail;
use crate::portal::pay::allowed;
use crate::portal::verification;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use billing::ids::{ContactId, PaymentMethodId, SetupId};
use billing::payment::{Method, PaymentState};
use ledger::Money;
use serde::Deserialize;
use std::str::FromStr as _;
use store::contacts::Contact;
use store::db::Tx;
use store::mandates::{self, Mandate};
use store::offered_methods;
use store::payment_methods::{self, SavedMethod};
use store::payments::{self, Payment};
use store::processor_accounts::{Mode, ProcessorAccount};
use store::setups::{self, Setup, SetupState};
use store::verifications::{self, Of, Verification};

/// What has just happened, as the address says it.
#[derive(Deserialize)]
pub struct Said {
    news: Option<String>,
}

/// The form that adds one.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AddForm {
    intent: String,
    method: String,
}

/// A form of one button.
#[derive(Deserialize)]
pub struct Nothing {}

/// Whoever signed in, and what the merchant takes payments with; else the page to go to.
fn owner(ctx: &Ctx) -> Result<(Contact, ProcessorAccount), Box<Response>> {
    let Some(contact) = &ctx.contact else {
        let proved = ctx.session.as_ref().is_some_and(|session| session.email_key.is_some());
        return Err(Box::new(ctx.go(if proved { "/companies" } else { "/sign-in?next=/methods" })));
    };
    match &ctx.account {
        Some(account) => Ok((contact.clone(), account.clone())),
        None => Err(Box::new(ctx.go("/invoices"))),
    }
}

/// Whoever changes what can be debited showed within this time that they read the contact's mail.
const FRESH_SECONDS: i64 = 5 * 60;

/// The same for a change: `again` is where somebody goes on who signed in too long ago.
fn fresh_owner(ctx: &Ctx, again: &str) -> Result<(Contact, ProcessorAccount), Box<Response>> {
    let owner = owner(ctx)?;
    let signed_in_at = ctx.session.as_ref().map(|session| session.created_at);
    let is_fresh = signed_in_at.is_some_and(|at| ctx.now.duration_since(at).as_secs() <= FRESH_SECONDS);
    if is_fresh { Ok(owner) } else { Err(Box::new(ctx.go(&format!("/sign-in?next={again}")))) }
}

struct Found {
    saved: Vec<(SavedMethod, Option<Mandate>)>,
    unfinished: Vec<(Setup, Option<Verification>)>,
    offers: Vec<Method>,
}

async fn find(ctx: &Ctx, account: ProcessorAccount, contact: ContactId) -> Result<Found, Fail> {
    let merchant = ctx.merchant.id;
    let found = ctx.app.store.read(async move |tx: &mut Tx| {
        let mut saved = Vec::new();
        for one in payment_methods::list(tx, &account, contact).await? {
            let mandate = match one.mandate_id {
                Some(id) => mandates::find_by_id(tx, merchant, id).await?,
                None => None,
            };
            saved.push((one, mandate));
        }
        let mut unfinished = Vec::new();
        for setup in setups::list_open(tx, merchant, contact).await? {
            let verification = verifications::find(tx, merchant, Of::Setup(setup.id)).await?;
            unfinished.push((setup, verification));
        }
        Ok(Found { saved, unfinished, offers: offered_methods::list(tx, merchant).await? })
    });
    Ok(found.await?)
}

/// `GET /methods`.
pub async fn show(ctx: Ctx, Query(said): Query<Said>) -> Result<Response, Fail> {
    let (contact, account) = match owner(&ctx) {
        Ok(owner) => owner,
        Err(instead) => return Ok(*instead),
    };
    let found = find(&ctx, account, contact.id).await?;
    let page = MethodsPage {
        chrome: ctx.chrome(),
        saved: all_shown(&ctx, &found.saved),
        unfinished: found
            .unfinished
            .iter()
            .filter_map(|(setup, how)| unfinished(&ctx, setup, how.as_ref()))
            .collect(),
        may_add: !found.offers.is_empty() && ctx.is_writable(),
        news: match said.news.as_deref() {
            Some("added") => Some(News::Added),
            Some("removed") => Some(News::Removed),
            Some("declined") => Some(News::Declined),
            Some("not-added") => Some(News::NotAdded),
            _ => None,
        },
    };
    ctx.page(StatusCode::OK, &page)
}

/// All of them. The one that leads among those that can be charged is offered first, whether its owner said so or not.
fn all_shown(ctx: &Ctx, saved: &[(SavedMethod, Option<Mandate>)]) -> Vec<Saved> {
    let mut all: Vec<Saved> =
        saved.iter().map(|(saved, mandate)| shown(ctx, saved, mandate.as_ref())).collect();
    if let Some(first) = all.iter_mut().find(|one| one.can_be_charged()) {
        first.is_default = true;
    }
    all
}

fn shown(ctx: &Ctx, saved: &SavedMethod, mandate: Option<&Mandate>) -> Saved {
    Saved {
        id: saved.id.to_string(),
        title: saved_title(saved),
        expires: expiry(saved),
        is_expired: has_expired(saved, ctx.now, &ctx.zone),
        on: ctx.day(saved.created_at),
        is_default: false,
        agreement: mandate
            .map(|mandate| Shown { id: mandate.id.to_string(), holds: mandate.ended.is_none() }),
    }
}

fn unfinished(ctx: &Ctx, setup: &Setup, how: Option<&Verification>) -> Option<Unfinished> {
    let is_open = setup.session_expires_at.is_some_and(|ends| ends > ctx.now);
    let verification = how.and_then(|how| verification::shown(ctx, how, true));
    let url = setup.session_url.clone().filter(|_| is_open && setup.state == SetupState::RequiresAction);
    if verification.is_none() && url.is_none() {
        return None;
    }
    let key = match setup.method {
        Method::Card => "method-add-card",
        Method::SepaDebit => "way-sepa-debit",
        _ => "way-us-bank-account",
    };
    let title = ctx.chrome().t(key);
    Some(Unfinished { id: setup.id.to_string(), title, on: ctx.day(setup.created_at), url, verification })
}

/// `Visa ending 4242`, `First Bank account ending 6789`.
pub fn saved_title(saved: &SavedMethod) -> String {
    let last4 = Some(saved.last4.clone());
    let name = Some(saved.name.clone()).filter(|name| !name.is_empty());
    match saved.method.is_bank_debit() {
        true => Title::BankDebit { bank_name: name, last4 },
        false => Title::Card { brand: name.map(|name| capitalised(&name)), last4 },
    }
    .words()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// `04/28`, of a card.
pub fn expiry(saved: &SavedMethod) -> Option<String> {
    saved.expires.map(|(year, month)| format!("{month:02}/{:02}", year.rem_euclid(100)))
}

/// `GET /methods/add`.
pub async fn add_form(ctx: Ctx) -> Result<Response, Fail> {
    draw_add(&ctx, None, StatusCode::OK).await
}

async fn draw_add(ctx: &Ctx, problem: Option<&'static str>, status: StatusCode) -> Result<Response, Fail> {
    let (contact, account) = match fresh_owner(ctx, "/methods/add") {
        Ok(owner) => owner,
        Err(instead) => return Ok(*instead),
    };
    if !ctx.is_writable() {
        return Err(Fail::ReadOnly);
    }
    let practice = account.mode == Mode::Practice;
    let found = find(ctx, account, contact.id).await?;
    let way = |method: &Method| Way {
        method: *method,
        fee: None,
        arrives_on: None,
        agreement: mandate::setup_wording(&ctx.chrome(), *method),
        cannot: None,
        saved: None,
    };
    let page = AddMethodPage {
        chrome: ctx.chrome(),
        ways: found.offers.iter().map(way).collect(),
        intent: ctx.app.mint().id(SetupId::new).to_string(),
        processor: if practice { "the practice processor".to_owned() } else { "Stripe".to_owned() },
        problem,
    };
    Ok(allowed(ctx, ctx.page(status, &page)?))
}

/// `POST /methods/add`.
pub async fn add(Posted { ctx, form }: Posted<AddForm>) -> Result<Response, Fail> {
    let (contact, _) = match fresh_owner(&ctx, "/methods/add") {
        Ok(owner) => owner,
        Err(instead) => return Ok(*instead),
    };
    let session_hash = ctx.session_hash().ok_or(Fail::FormNotOurs)?;
    let method = Method::parse(&form.method).filter(|method| !method.is_received());
    let (Ok(setup), Some(method)) = (SetupId::from_str(&form.intent), method) else {
        return draw_add(&ctx, Some("form-damaged"), StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let wording = mandate::setup_wording(&ctx.chrome(), method);
    let input = StartSetup {
        merchant: ctx.merchant.id,
        setup,
        method,
        payer: Payer { session_hash, contact_id: Some(contact.id), link_id: None, client: Some(ctx.client) },
        agreement: wording.map(|wording| Agreement { wording, user_agent: ctx.user_agent.clone() }),
        language: ctx.locale.tag().to_owned(),
    };
    let app = ctx.app.clone();
    match ctx.app.undisturbed(async move { start_setup(&app, input).await }).await? {
        SetupStarted::Page(url) => Ok(allowed(&ctx, see_other(&url))),
        SetupStarted::Repeated => Ok(ctx.go("/methods")),
        SetupStarted::NotOffered => {
            draw_add(&ctx, Some("method-not-offered"), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        SetupStarted::Silent => {
            draw_add(&ctx, Some("method-add-silent"), StatusCode::SERVICE_UNAVAILABLE).await
        }
        SetupStarted::TooMany(until) => Err(Fail::TooMany(until)),
        SetupStarted::Paused(until) => Err(Fail::Paused(until)),
    }
}

/// The setup of an address, if it is the reader's own.
async fn own_setup(ctx: &Ctx, id: &str) -> Result<Setup, Fail> {
    let id = SetupId::from_str(id).map_err(|_| Fail::NotFound)?;
    let merchant = ctx.merchant.id;
    let found = ctx.app.store.read(async move |tx: &mut Tx| setups::find(tx, merchant, id).await).await?;
    let me = ctx.contact.as_ref().map(|contact| contact.id);
    found.filter(|setup| Some(setup.contact_id) == me).ok_or(Fail::NotFound)
}

/// `GET /methods/setups/{id}/return`: the processor is asked what became of it.
pub async fn returned(ctx: Ctx, Path((_, id)): Path<(String, String)>) -> Result<Response, Fail> {
    let setup = own_setup(&ctx, &id).await?;
    let (app, merchant) = (ctx.app.clone(), ctx.merchant.id);
    let asked = ctx.app.undisturbed(async move { apply_setup(&app, merchant, setup.id).await }).await;
    if let Err(error) = asked {
        tracing::warn!(setup = %setup.id, error = format!("{error:#}"), "what became of a setup is not known yet");
    }
    after(&ctx, &id).await
}

/// `GET /methods/setups/{id}/turned-back`: its page is ended.
pub async fn turned_back(ctx: Ctx, Path((_, id)): Path<(String, String)>) -> Result<Response, Fail> {
    let setup = own_setup(&ctx, &id).await?;
    let (app, merchant) = (ctx.app.clone(), ctx.merchant.id);
    if let Err(error) = ctx.app.undisturbed(async move { end_setup(&app, merchant, setup.id).await }).await {
        tracing::warn!(setup = %setup.id, error = format!("{error:#}"), "the page of a setup could not be ended yet");
    }
    after(&ctx, &id).await
}

async fn after(ctx: &Ctx, id: &str) -> Result<Response, Fail> {
    let setup = own_setup(ctx, id).await?;
    let news = match (setup.state, setup.decline) {
        (SetupState::Succeeded, _) => "added",
        (SetupState::Failed, _) | (SetupState::Canceled, Some(_)) => "declined",
        (SetupState::Canceled, None) => "not-added",
        _ => return Ok(ctx.go("/methods")),
    };
    Ok(ctx.go(&format!("/methods?news={news}")))
}

/// `POST /methods/{id}/default`.
pub async fn make_default(
    Path((_, id)): Path<(String, String)>,
    Posted { ctx, .. }: Posted<Nothing>,
) -> Result<Response, Fail> {
    let (contact, _) = match owner(&ctx) {
        Ok(owner) => owner,
        Err(instead) => return Ok(*instead),
    };
    let id = PaymentMethodId::from_str(&id).map_err(|_| Fail::NotFound)?;
    match set_default_method(&ctx.app, ctx.merchant.id, contact.id, id).await? {
        true => Ok(ctx.go("/methods")),
        false => Err(Fail::NotFound),
    }
}

/// The reader's own method of an address, with what is on its way by it.
async fn own(ctx: &Ctx, contact: ContactId, id: &str) -> Result<(SavedMethod, Vec<Payment>), Fail> {
    let id = PaymentMethodId::from_str(id).map_err(|_| Fail::NotFound)?;
    let merchant = ctx.merchant.id;
    let found = ctx.app.store.read(async move |tx: &mut Tx| {
        let Some(saved) = payment_methods::find(tx, merchant, id).await? else { return Ok(None) };
        let mut in_flight = Vec::new();
        for payment in payments::in_flight_of_method(tx, merchant, id).await? {
            in_flight.extend(payments::find(tx, merchant, payment).await?);
        }
        Ok(Some((saved, in_flight)))
    });
    let found = found.await?.filter(|(saved, _)| saved.contact_id == contact && saved.removed_at.is_none());
    found.ok_or(Fail::NotFound)
}

/// `GET /methods/{id}/remove`: what it does, before it is done.
pub async fn remove_form(ctx: Ctx, Path((_, id)): Path<(String, String)>) -> Result<Response, Fail> {
    let (contact, _) = match fresh_owner(&ctx, &format!("/methods/{id}/remove")) {
        Ok(owner) => owner,
        Err(instead) => return Ok(*instead),
    };
    let (saved, in_flight) = own(&ctx, contact.id, &id).await?;
    let amount = |payment: &Payment| Money::new(payment.amount_minor, payment.currency);
    let (held, pending): (Vec<_>, Vec<_>) =
        in_flight.iter().partition(|payment| payment.state == PaymentState::Created);
    let page = RemoveMethodPage {
        chrome: ctx.chrome(),
        id: saved.id.to_string(),
        heading: saved_title(&saved),
        ends_agreement: saved.mandate_id.is_some(),
        held: held.into_iter().map(amount).collect(),
        pending: pending.into_iter().map(amount).collect(),
    };
    ctx.page(StatusCode::OK, &page)
}

/// `POST /methods/{id}/remove`.
pub async fn remove(
    Path((_, id)): Path<(String, String)>,
    Posted { ctx, .. }: Posted<Nothing>,
) -> Result<Response, Fail> {
    let (contact, _) = match fresh_owner(&ctx, &format!("/methods/{id}/remove")) {
        Ok(owner) => owner,
        Err(instead) => return Ok(*instead),
    };
    let id = PaymentMethodId::from_str(&id).map_err(|_| Fail::NotFound)?;
    let (app, merchant, remover) = (ctx.app.clone(), ctx.merchant.id, Remover::Owner(contact.id));
    let removed = ctx.app.undisturbed(async move { remove_method(&app, merchant, id, remover).await });
    match removed.await? {
        Some(_) => Ok(ctx.go("/methods?news=removed")),
        None => Err(Fail::NotFound),
    }
}
