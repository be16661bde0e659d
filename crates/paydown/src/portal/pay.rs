//! S9: "Check and pay". The form carries the payment's id, made when it was drawn, so that however often it is sent there
//! is one payment; amount and fee are judged again on the server.

use crate::actions::start_payment::{
    Agreement, Means, Payer, StartPayment, Started, has_expired, start_payment,
};
use crate::actions::submit_attempt::{PAYER_WAITS, Submitted, note_redirect, submit_undisturbed};
use crate::csrf::Posted;
use crate::headers::FormAction;
use crate::pages::mandate;
use crate::pages::parts::near_date;
use crate::pages::pay::{EarlierPayment, OtherWays, PayPage, PayProblem};
use crate::pages::ways::{CannotCarry, SavedWay, Way};
use crate::portal::context::{Access, Ctx, see_other};
use crate::portal::fail::Fail;
use crate::portal::identify;
use crate::portal::invoice::{self, Amount};
use crate::portal::load::{self, Loaded, Offer};
use crate::portal::methods::{expiry, saved_title};
use crate::portal::payment::card_page;
use crate::portal::refusals::Asked;
use crate::texts::Arg;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use billing::contact::comparable_email;
use billing::cut_off::next_cut_off;
use billing::ids::{PaymentId, PaymentMethodId};
use billing::payment::{Hold, Method, PaymentState};
use billing::settling::arrives_on;
use jiff::Timestamp;
use ledger::Money;
use serde::Deserialize;
use std::str::FromStr as _;
use std::time::Duration;
use store::db::Tx;
use store::payment_methods::SavedMethod;
use store::payments::{self, Payment};
use store::processor_accounts::Mode;
use store::verify::holds_card_number;

/// Longest reference of a payer.
const LONGEST_REFERENCE: usize = 60;
/// How often a second press looks whether the first one has its card page.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The pay form, as it came: a field that is missing is empty.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct PayForm {
    intent: String,
    amount: String,
    fee: Option<String>,
    fee_us_bank_account: Option<String>,
    fee_sepa_debit: Option<String>,
    method: Option<String>,
    keep: Option<String>,
    receipt_email: String,
    payer_reference: String,
}

/// The hidden fields of the form, read.
struct Hidden {
    payment: PaymentId,
    method: Method,
    saved: Option<SavedMethod>,
    fee_minor: i64,
}

/// Which ways the page has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    /// Those of the processor's page.
    New,
    /// What the payer saved, where there is something; else the others.
    Saved,
}

/// What is asked for besides the amount.
#[derive(Deserialize)]
pub struct Ways {
    with: Option<String>,
}

/// `GET /invoices/{id}/pay`.
pub async fn form(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
    Query(ways): Query<Ways>,
) -> Result<Response, Fail> {
    let with = if ways.with.as_deref() == Some("new") { With::New } else { With::Saved };
    let loaded = load::load(&ctx, &id).await?;
    if loaded.processor.is_none() {
        return Ok(ctx.go(&format!("/invoices/{id}")));
    }
    if !ctx.is_writable() {
        return Err(Fail::ReadOnly);
    }
    let minor = query.minor().unwrap_or(loaded.invoice.figures.payable_now().minor());
    match loaded.terms.decide(minor) {
        Ok(accepted) if identify::is_needed(&loaded, accepted.amount) => {
            Ok(ctx.go(&identify::page_of(&loaded, accepted.amount)))
        }
        Ok(accepted) => draw(&ctx, &loaded, (accepted.amount, with), None, None, StatusCode::OK),
        Err(refusal) => invoice::refused(&ctx, &loaded, Asked::Drawn(minor), &refusal),
    }
}

/// `POST /invoices/{id}/pay`.
pub async fn pay(
    Path((_, id)): Path<(String, String)>,
    Posted { mut ctx, form }: Posted<PayForm>,
) -> Result<Response, Fail> {
    ctx.here = ctx.here.map(|here| here.with_amount(Some(&form.amount)));
    let loaded = load::load(&ctx, &id).await?;
    let Ok(minor) = form.amount.parse::<i64>() else { return invoice::no_amount(&ctx, &loaded) };
    let hidden = match (hidden(&loaded, &form), problem(&form)) {
        (Some(Ok(hidden)), None) => hidden,
        (Some(Err(gone)), _) => return redraw(&ctx, &loaded, minor, &form, gone),
        (None, _) => return redraw(&ctx, &loaded, minor, &form, PayProblem::Damaged),
        (_, Some(problem)) => return redraw(&ctx, &loaded, minor, &form, problem),
    };
    let session = ctx.session_hash().ok_or(Fail::FormNotOurs)?;
    let amount = Money::new(minor, loaded.invoice.figures.currency);
    let input = input(&ctx, &loaded, &form, (&hidden, minor, session));
    if let Some(offer) = loaded.offers.iter().find(|offer| offer.method == hidden.method)
        && offer.terms.decide(minor).is_err()
        && loaded.terms.decide(minor).is_ok()
    {
        return redraw(&ctx, &loaded, minor, &form, PayProblem::WayGone);
    }
    let (started, submitted) = ctx.app.undisturbed(start(ctx.app.clone(), input)).await?;
    match started {
        Started::New(payment) => Ok(match submitted {
            Some(Submitted::CardPage(url)) => allowed(&ctx, see_other(&url)),
            Some(Submitted::State(PaymentState::RequiresAction)) => {
                ctx.go(&format!("/payments/{payment}/challenge"))
            }
            Some(Submitted::State(_)) | None => ctx.go(&format!("/payments/{payment}")),
        }),
        Started::Repeated(before) => again(&ctx, &before).await,
        Started::OtherAmount(before) => {
            let problem = PayProblem::AlreadyStarted {
                payment_id: before.id.to_string(),
                amount: Money::new(before.amount_minor, before.currency),
            };
            let ways = (amount, with_of(&form));
            draw(&ctx, &loaded, ways, Some(&form), Some(problem), StatusCode::CONFLICT)
        }
        Started::Refused(refusal) => {
            // The figures may be newer than the page that was read before.
            let fresh = load::load(&ctx, &id).await?;
            invoice::refused_to_pay(&ctx, &fresh, minor, &refusal)
        }
        Started::SurchargeChanged(now) => {
            let fresh = load::load(&ctx, &id).await?;
            let before = Money::new(hidden.fee_minor, now.currency());
            redraw(&ctx, &fresh, minor, &form, PayProblem::FeeChanged { before, now })
        }
        Started::IdentityNeeded => Ok(ctx.go(&identify::page_of(&loaded, amount))),
        Started::TooMany(until) => Err(Fail::TooMany(until)),
        Started::Paused(until) => Err(Fail::Paused(until)),
        Started::CatchingUp => Err(Fail::Unavailable),
        Started::NotFound | Started::OtherRequest => Err(Fail::NotFound),
        Started::SavedGone => {
            let fresh = load::load(&ctx, &id).await?;
            redraw(&ctx, &fresh, minor, &form, PayProblem::SavedGone)
        }
        Started::NotAgain(_) => redraw(&ctx, &loaded, minor, &form, PayProblem::NotAgain { amount }),
        Started::MethodNotOffered => redraw(&ctx, &loaded, minor, &form, PayProblem::WayGone),
        Started::NoProcessor => redraw(&ctx, &loaded, minor, &form, PayProblem::ProcessorSilent),
    }
}

/// Reads them. The inner error: what was saved is not there any more.
fn hidden(loaded: &Loaded, form: &PayForm) -> Option<Result<Hidden, PayProblem>> {
    let payment = PaymentId::from_str(&form.intent).ok()?;
    let word = form.method.as_deref().unwrap_or(Method::Card.as_str());
    let (method, saved) = match PaymentMethodId::from_str(word) {
        Ok(id) => match loaded.saved.iter().find(|saved| saved.id == id) {
            Some(saved) => (saved.method, Some(saved.clone())),
            None => return Some(Err(PayProblem::SavedGone)),
        },
        Err(_) => (Method::parse(word)?, None),
    };
    let fee = match method {
        Method::UsBankAccount => &form.fee_us_bank_account,
        Method::SepaDebit => &form.fee_sepa_debit,
        _ => &form.fee,
    };
    let fee_minor = fee.as_deref().map_or(Ok(0), str::parse).ok()?;
    Some(Ok(Hidden { payment, method, saved, fee_minor }))
}

/// The page a form came from.
fn with_of(form: &PayForm) -> With {
    let is_saved = form.method.as_deref().is_some_and(|word| PaymentMethodId::from_str(word).is_ok());
    if is_saved { With::Saved } else { With::New }
}

/// The page again with what was typed, if its amount is still legal; what is wrong stands above.
fn redraw(
    ctx: &Ctx,
    loaded: &Loaded,
    minor: i64,
    form: &PayForm,
    problem: PayProblem,
) -> Result<Response, Fail> {
    let status = match problem {
        PayProblem::FeeChanged { .. } | PayProblem::AlreadyStarted { .. } => StatusCode::CONFLICT,
        PayProblem::ProcessorSilent => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    match loaded.terms.decide(minor) {
        Ok(accepted) => {
            let ways = (accepted.amount, with_of(form));
            draw(ctx, loaded, ways, Some(form), Some(problem), status)
        }
        Err(refusal) => invoice::refused_to_pay(ctx, loaded, minor, &refusal),
    }
}

/// Stores the payment and asks for its card page, in one task: a browser that leaves in between, as with a second press,
/// leaves no payment behind that nobody asked for.
async fn start(app: crate::app::App, input: StartPayment) -> anyhow::Result<(Started, Option<Submitted>)> {
    let merchant = input.merchant;
    let started = start_payment(&app, input).await?;
    let submitted = match &started {
        Started::New(payment) => Some(submit_undisturbed(&app, merchant, *payment).await?),
        _ => None,
    };
    Ok((started, submitted))
}

fn problem(form: &PayForm) -> Option<PayProblem> {
    if form.receipt_email.trim().is_empty() {
        return Some(PayProblem::EmailEmpty);
    }
    if comparable_email(&form.receipt_email).is_none() {
        return Some(PayProblem::EmailNotAnAddress);
    }
    if form.payer_reference.trim().chars().count() > LONGEST_REFERENCE {
        return Some(PayProblem::ReferenceTooLong);
    }
    holds_card_number(&form.payer_reference).then_some(PayProblem::ReferenceHasCardNumber)
}

fn input(
    ctx: &Ctx,
    loaded: &Loaded,
    form: &PayForm,
    (hidden, amount_minor, session_hash): (&Hidden, i64, [u8; 32]),
) -> StartPayment {
    let reference: String = form.payer_reference.trim().chars().filter(|c| !c.is_control()).collect();
    let link_id = match &loaded.access {
        Access::Link(grant) => Some(grant.link_id),
        Access::Contact => None,
    };
    let amount = Money::new(amount_minor, loaded.invoice.figures.currency);
    // What is agreed to is what is taken, the fee included; one that does not fit is refused as another than is due.
    let taken = amount.minor().saturating_add(hidden.fee_minor);
    let taken = Money::new(taken, amount.currency());
    let keep = form.keep.is_some() && hidden.saved.is_none() && may_keep(ctx, loaded);
    let wording = match &hidden.saved {
        Some(saved) => saved_agreement(ctx, loaded, saved, taken),
        None => new_agreement(ctx, hidden.method, taken, keep),
    };
    let agreement = wording.map(|wording| Agreement { wording, user_agent: ctx.user_agent.clone() });
    StartPayment {
        merchant: ctx.merchant.id,
        invoice: loaded.invoice.id,
        payment: hidden.payment,
        method: hidden.method,
        means: Means { saved: hidden.saved.as_ref().map(|saved| saved.id), keep, ..Means::default() },
        agreement,
        amount_minor,
        surcharge_minor: hidden.fee_minor,
        payer: Payer {
            session_hash,
            contact_id: ctx.contact.as_ref().map(|me| me.id),
            link_id,
            client: Some(ctx.client),
        },
        receipt_email: Some(form.receipt_email.trim().to_owned()),
        payer_reference: (!reference.is_empty()).then_some(reference),
        language: ctx.locale.tag().to_owned(),
    }
}

/// The same form again: back to its card page while that is open, else to what became of it.
async fn again(ctx: &Ctx, before: &Payment) -> Result<Response, Fail> {
    // The first press may still be waiting for its card page; the second one waits with it.
    let state = match tokio::time::timeout(PAYER_WAITS, called(ctx, before.id)).await {
        Ok(state) => state?,
        Err(_) => before.state,
    };
    if state == PaymentState::RequiresAction && before.payment_method_id.is_some() {
        return Ok(ctx.go(&format!("/payments/{}/challenge", before.id)));
    }
    if state == PaymentState::RequiresAction
        && let Some(url) = card_page(ctx, before.id).await?
    {
        note_redirect(&ctx.app, ctx.merchant.id, before.id).await?;
        return Ok(allowed(ctx, see_other(&url)));
    }
    Ok(ctx.go(&format!("/payments/{}?again=1", before.id)))
}

/// The state of a payment once its call has been answered, or given up.
async fn called(ctx: &Ctx, payment: PaymentId) -> Result<PaymentState, Fail> {
    let merchant = ctx.merchant.id;
    loop {
        let read = async move |tx: &mut Tx| payments::find(tx, merchant, payment).await;
        let found = ctx.app.store.read(read).await?.ok_or(Fail::NotFound)?;
        if found.state != PaymentState::Submitting {
            return Ok(found.state);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn draw(
    ctx: &Ctx,
    loaded: &Loaded,
    (amount, with): (Money, With),
    before: Option<&PayForm>,
    problem: Option<PayProblem>,
    status: StatusCode,
) -> Result<Response, Fail> {
    let saved = if with == With::Saved { saved_ways(ctx, loaded, amount)? } else { Vec::new() };
    let is_free = |way: &Way| way.cannot.is_none();
    let on_saved = saved.iter().any(is_free);
    let other_ways = match (on_saved, loaded.saved.is_empty()) {
        (true, _) => Some(OtherWays::New),
        (false, false) if saved_ways(ctx, loaded, amount)?.iter().any(is_free) => Some(OtherWays::Saved),
        (false, _) => None,
    };
    let ways = if on_saved { saved } else { ways(ctx, loaded, amount)? };
    let asked = before.and_then(|form| form.method.as_deref());
    let free = |way: &&Way| is_free(way);
    let chosen = ways.iter().filter(free).find(|way| Some(way.word()) == asked);
    let chosen = chosen.or_else(|| ways.iter().find(free)).map_or("", Way::word).to_owned();
    let practice = ctx.account.as_ref().is_some_and(|account| account.mode == Mode::Practice);
    let own_address = ctx.contact.as_ref().map(|contact| contact.email.clone()).unwrap_or_default();
    // The same form keeps its id, so that one which was sent before is recognised; a new one is a new payment.
    let kept = before.filter(|_| !matches!(problem, Some(PayProblem::AlreadyStarted { .. })));
    let kept = kept.and_then(|form| PaymentId::from_str(&form.intent).ok());
    let intent = kept.unwrap_or_else(|| ctx.app.mint().id(PaymentId::new)).to_string();
    let keep = (!on_saved && may_keep(ctx, loaded)).then(|| before.is_some_and(|form| form.keep.is_some()));
    let page = PayPage {
        chrome: ctx.chrome(),
        invoice_id: loaded.invoice.id.to_string(),
        number: loaded.invoice.number.clone(),
        amount,
        left: loaded.invoice.figures.payable_now(),
        may_change: loaded.terms.allows_part(),
        ways,
        chosen,
        other_ways,
        keep,
        intent,
        processor: if practice { "the practice processor".to_owned() } else { "Stripe".to_owned() },
        minutes: u32::try_from(ctx.merchant.abandon_after_seconds / 60).unwrap_or(30),
        receipt_email: before.map_or(own_address, |form| form.receipt_email.clone()),
        // A card number is not sent back into the page.
        payer_reference: before
            .map(|form| form.payer_reference.clone())
            .filter(|_| problem != Some(PayProblem::ReferenceHasCardNumber))
            .unwrap_or_default(),
        earlier: earlier(ctx, loaded),
        problem,
    };
    Ok(allowed(ctx, ctx.page(status, &page)?))
}

/// True for somebody who signed in for the company that is billed: the processor keeps things for people it knows.
fn may_keep(ctx: &Ctx, loaded: &Loaded) -> bool {
    matches!(loaded.access, Access::Contact) && ctx.contact.is_some()
}

/// What is agreed to with a new account: the debit, and later ones where the account is kept.
fn new_agreement(ctx: &Ctx, method: Method, amount: Money, keep: bool) -> Option<String> {
    let chrome = ctx.chrome();
    let once = mandate::wording(&chrome, method, amount, ctx.today())?;
    let later = mandate::keep_wording(&chrome, method).filter(|_| keep);
    Some(later.map_or(once.clone(), |later| format!("{once} {later}")))
}

/// What is agreed to with a saved account.
fn saved_agreement(ctx: &Ctx, loaded: &Loaded, saved: &SavedMethod, amount: Money) -> Option<String> {
    let chrome = ctx.chrome();
    let send_at = send_at(ctx, loaded);
    let until = chrome.clock(send_at);
    mandate::saved_wording(&chrome, saved.method, (amount, &saved.last4), (ctx.day(send_at), &until))
}

/// When a debit of a saved account that is agreed to now is sent.
fn send_at(ctx: &Ctx, loaded: &Loaded) -> Timestamp {
    next_cut_off(ctx.now, &ctx.zone, loaded.cut_off)
}

/// `16:00 Pacific time on 18 Nov`.
fn stop_until(ctx: &Ctx, send_at: Timestamp) -> String {
    let chrome = ctx.chrome();
    let day = near_date(&chrome, ctx.day(send_at), ctx.today());
    chrome.words("time-on-day", &[("time", Arg::text(chrome.clock(send_at))), ("on", Arg::text(day))])
}

/// What is taken, the fee included.
fn taken(amount: Money, fee: Option<Money>) -> Result<Money, Fail> {
    let taken = fee.map_or(Ok(amount), |fee| amount.checked_add(fee));
    Ok(taken.map_err(anyhow::Error::from)?)
}

/// The payer's saved cards and accounts that the merchant takes.
fn saved_ways(ctx: &Ctx, loaded: &Loaded, amount: Money) -> Result<Vec<Way>, Fail> {
    let mut ways = Vec::new();
    for saved in &loaded.saved {
        let Some(offer) = loaded.offers.iter().find(|offer| offer.method == saved.method) else { continue };
        let expired = has_expired(saved, ctx.now, &ctx.zone).then_some(CannotCarry::Expired);
        let send_at = send_at(ctx, loaded);
        let fee = loaded.fee(offer, amount)?;
        ways.push(Way {
            method: saved.method,
            fee,
            arrives_on: arrives_on(saved.method, ctx.day(send_at)),
            agreement: saved_agreement(ctx, loaded, saved, taken(amount, fee)?),
            cannot: expired.or_else(|| cannot_carry(offer, amount)),
            saved: Some(SavedWay {
                id: saved.id.to_string(),
                title: saved_title(saved),
                expires: expiry(saved),
                stop_until: saved.method.is_bank_debit().then(|| stop_until(ctx, send_at)),
            }),
        });
    }
    Ok(ways)
}

/// The ways to pay an amount on the processor's page, each with what it costs and when the money arrives.
fn ways(ctx: &Ctx, loaded: &Loaded, amount: Money) -> Result<Vec<Way>, Fail> {
    let way = |offer: &Offer| {
        let method = offer.method;
        let fee = loaded.fee(offer, amount)?;
        Ok(Way {
            method,
            fee,
            arrives_on: arrives_on(method, ctx.today()),
            agreement: mandate::wording(&ctx.chrome(), method, taken(amount, fee)?, ctx.today()),
            cannot: cannot_carry(offer, amount),
            saved: None,
        })
    };
    loaded.offers.iter().map(way).collect()
}

/// Why a method cannot carry an amount that another one may.
fn cannot_carry(offer: &Offer, amount: Money) -> Option<CannotCarry> {
    offer.terms.decide(amount.minor()).err()?;
    let money = |minor| Money::new(minor, amount.currency());
    let limits = offer.terms.method;
    Some(if amount.minor() < limits.minimum_minor {
        CannotCarry::Less(money(limits.minimum_minor))
    } else if amount.minor() > limits.maximum_minor {
        CannotCarry::More(money(limits.maximum_minor))
    } else {
        CannotCarry::Steps
    })
}

/// What this session, link or contact did on this invoice within the last 30 minutes.
fn earlier(ctx: &Ctx, loaded: &Loaded) -> Option<EarlierPayment> {
    let own_link = |payment: &Payment| match &loaded.access {
        Access::Link(grant) => payment.link_id == Some(grant.link_id),
        Access::Contact => false,
    };
    let at = |payment: &Payment| payment.captured_at.unwrap_or(payment.created_at);
    let found = loaded.payments.iter().find(|payment| {
        let seconds = ctx.now.duration_since(at(payment)).as_secs();
        let counts = payment.state.hold() != Hold::Released;
        seconds < 1_800 && counts && (ctx.is_own(payment) || own_link(payment))
    })?;
    Some(EarlierPayment {
        id: found.id.to_string(),
        amount: Money::new(found.amount_minor, found.currency),
        seconds_ago: u64::try_from(ctx.now.duration_since(at(found)).as_secs()).unwrap_or(0),
        only_started: found.state.hold() == Hold::Held,
    })
}

/// Lets the form of this page lead to the processor's page.
pub fn allowed(ctx: &Ctx, mut response: Response) -> Response {
    let base = ctx.account.as_ref().map(|account| account.base_url.as_str());
    let origin = match base {
        Some("https://api.stripe.com" | "https://api.stripe.com/") => {
            Some("https://checkout.stripe.com".to_owned())
        }
        Some(base) => url::Url::parse(base).ok().map(|url| url.origin().ascii_serialization()),
        None => None,
    };
    if let Some(origin) = origin {
        response.extensions_mut().insert(FormAction(origin));
    }
    response
}
