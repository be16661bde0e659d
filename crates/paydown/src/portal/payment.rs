//! S12 to S14: one payment, waiting or ended; the two ways back from the processor's page; its receipt. What an address
//! claims is never believed: the processor is asked.

use crate::actions::cancel_payment::cancel_payment;
use crate::actions::reconcile_payment::reconcile_payment;
use crate::actions::stop_payment::stop_payment;
use crate::actions::submit_attempt::{note_redirect, note_seen};
use crate::csrf::Posted;
use crate::pages::challenge::ChallengePage;
use crate::pages::payment::{Contest, Debit, Decline as Reason, Held, Outcome as Shown, PaymentPage};
use crate::pages::receipt::{Applied, BankNote, ReceiptPage};
use crate::portal::context::{Access, Ctx, Reader, see_other};
use crate::portal::fail::Fail;
use crate::portal::invoice::{bank_reason, method};
use crate::portal::load::{self, Loaded};
use crate::portal::refunds;
use crate::portal::verification;
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use billing::amount::Terms;
use billing::ids::{MerchantId, PaymentId};
use billing::payment::{Decline, Hold, Method, Outcome, PaymentState};
use billing::settling::arrives_on;
use ledger::Money;
use serde::Deserialize;
use serde_json::json;
use std::str::FromStr as _;
use std::time::Duration;
use store::db::Tx;
use store::disputes;
use store::mandates::{self, Mandate};
use store::payments::{self, Ending, Payment};
use store::receipts::{Receipt, ReceiptLine};
use store::verifications::{self, Of};
use store::{attempts, invoices, receipts};

/// The return request asks so often, a second apart.
const LOOKS: u32 = 8;
/// A page that still waits for the payer is asked about so often.
const LOOKS_AT_AN_OPEN_PAGE: u32 = 2;

/// What the page says besides: that the same form was sent twice, or that a payment was stopped too late.
#[derive(Deserialize)]
pub struct Again {
    again: Option<String>,
    late: Option<String>,
}

/// A payment's address.
pub type At = Path<(String, String)>;

/// The payment of an address with its invoice, for who may see it.
async fn find(ctx: &Ctx, id: &str) -> Result<(Payment, Loaded), Fail> {
    let id = PaymentId::from_str(id).map_err(|_| Fail::NotFound)?;
    let (merchant, reader) = (ctx.merchant.id, ctx.reader());
    let found = ctx
        .app
        .store
        .read(async move |tx: &mut Tx| {
            let payment = payments::find(tx, merchant, id).await?;
            Ok(payment.zip(load::of_payment(tx, (merchant, id), &reader).await?))
        })
        .await?;
    let (payment, invoice) = found.ok_or(Fail::NotFound)?;
    Ok((payment, load::load(ctx, &invoice.id.to_string()).await?))
}

/// `GET /payments/{id}`.
pub async fn show(ctx: Ctx, Path((_, id)): At, Query(again): Query<Again>) -> Result<Response, Fail> {
    let (payment, loaded) = find(&ctx, &id).await?;
    let ended = payment.state.hold() != Hold::Held;
    if ended && payment.seen_at.is_none() && ctx.is_own(&payment) && ctx.is_writable() {
        // Whoever cannot be noted gets a mail besides; the page is shown all the same.
        if let Err(error) = note_seen(&ctx.app, ctx.merchant.id, payment.id).await {
            tracing::warn!(payment = %payment.id, error = format!("{error:#}"), "that it was seen is not noted");
        }
    }
    let said = page(&ctx, &payment, &loaded, again.again.is_some()).await?;
    let page = PaymentPage { stopped_too_late: again.late.is_some() && ctx.is_own(&payment), ..said };
    ctx.page(StatusCode::OK, &page)
}

/// `GET /payments/{id}/state`.
pub async fn state(ctx: Ctx, Path((_, id)): At) -> Result<Response, Fail> {
    let (payment, loaded) = find(&ctx, &id).await?;
    let page = page(&ctx, &payment, &loaded, false).await?;
    Ok(Json(json!({ "state": page.poll_state(), "words": page.waiting_words() })).into_response())
}

async fn page(
    ctx: &Ctx,
    payment: &Payment,
    loaded: &Loaded,
    pressed_twice: bool,
) -> Result<PaymentPage, Fail> {
    let (merchant, id, invoice) = (ctx.merchant.id, payment.id, loaded.invoice.id);
    let sees_all = matches!(loaded.access, Access::Contact);
    let read = async move |tx: &mut Tx| {
        let receipt = receipts::find(tx, merchant, id).await?;
        let mandate = mandates::find(tx, merchant, id).await?;
        let verification = verifications::find(tx, merchant, Of::Payment(id)).await?;
        let whole = sees_all || receipt.as_ref().is_none_or(|receipt| receipt.lines.len() <= 1);
        let told = refunds::of_payment(tx, (merchant, id), (!whole).then_some(invoice)).await?;
        Ok((receipt, mandate, verification, told))
    };
    let (receipt, mandate, verification, told) = match payment.state.hold() {
        Hold::Held | Hold::Released if !payment.method.is_bank_debit() => (None, None, None, Vec::new()),
        _ => ctx.app.store.read(read).await?,
    };
    let contest = contest(ctx, payment).await?;
    let line = receipt.iter().flat_map(|receipt| &receipt.lines).find(|line| line.invoice_id == invoice);
    let money = |minor| Money::new(minor, payment.currency);
    Ok(PaymentPage {
        chrome: ctx.chrome(),
        id: payment.id.to_string(),
        reference: payment.id.reference(),
        amount: money(receipt.as_ref().map_or(payment.amount_minor, |receipt| share(receipt, line))),
        fee: Some(money(receipt.as_ref().map_or(payment.surcharge_minor, |receipt| receipt.surcharge_minor)))
            .filter(|fee| fee.is_positive()),
        invoice_id: invoice.to_string(),
        number: loaded.invoice.number.clone(),
        after: line.map(|line| money(line.open_after_minor)),
        left: loaded.invoice.figures.payable_now(),
        in_progress: loaded.invoice.figures.pending(),
        due: loaded.invoice.due_on,
        today: ctx.today(),
        debit: debit(ctx, payment, mandate),
        outcome: shown(ctx.outcome(payment), payment),
        contest,
        refunds: told.into_iter().map(|refund| refund.note(ctx)).collect(),
        may_pay_less: without(payment, &loaded.terms).allows_part(),
        pressed_twice,
        held: held(ctx, payment),
        is_charge: payment.payment_method_id.is_some(),
        stopped_too_late: false,
        verification: verification.and_then(|how| verification::shown(ctx, &how, ctx.is_own(payment))),
    })
}

/// Until when a debit is held, or was.
fn held(ctx: &Ctx, payment: &Payment) -> Option<Held> {
    let send_at = payment.send_at?;
    let on = ctx.day(send_at);
    Some(Held {
        on,
        time: ctx.chrome().clock(send_at),
        until: arrives_on(payment.method, on),
        may_stop: ctx.is_own(payment) && ctx.now < send_at && ctx.is_writable(),
    })
}

/// What the card's bank has to do with a payment that still stands.
async fn contest(ctx: &Ctx, payment: &Payment) -> Result<Option<Contest>, Fail> {
    if payment.state != PaymentState::Succeeded || payment.method != Method::Card {
        return Ok(None);
    }
    let (merchant, id) = (ctx.merchant.id, payment.id);
    let read = async move |tx: &mut Tx| {
        let gone = disputes::charged_back_minor(tx, merchant, id).await?;
        Ok((disputes::any_open(tx, merchant, id).await?, gone))
    };
    let currency = payment.captured.map_or(payment.currency, Money::currency);
    Ok(match ctx.app.store.read(read).await? {
        (true, _) => Some(Contest::Open),
        (false, gone) if gone > 0 => Some(Contest::PartBack(Money::new(gone, currency))),
        (false, _) => None,
    })
}

/// What is told of a bank debit; what was agreed to, to whom agreed.
fn debit(ctx: &Ctx, payment: &Payment, mandate: Option<Mandate>) -> Option<Debit> {
    payment.method.is_bank_debit().then(|| Debit {
        last4: payment.instrument_last4.clone(),
        expected_on: payment.expected_on,
        agreement: mandate.filter(|_| ctx.is_own(payment)).map(|mandate| mandate.wording),
        reason: ctx.is_own(payment).then(|| bank_reason(payment).payer_words()),
    })
}

/// What of a payment concerns one invoice: all of it, unless it covers several.
fn share(receipt: &Receipt, line: Option<&ReceiptLine>) -> i64 {
    match line {
        Some(line) if receipt.lines.len() > 1 => line.applied_minor,
        _ => receipt.amount_minor,
    }
}

/// The terms as they are once this payment's own hold is gone.
fn without(payment: &Payment, terms: &Terms) -> Terms {
    let own = if payment.state.hold() == Hold::Held { payment.amount_minor } else { 0 };
    let money = |minor| Money::new(minor, terms.payable.currency());
    Terms {
        payable: money(terms.payable.minor() + own),
        pending: money((terms.pending.minor() - own).max(0)),
        ..*terms
    }
}

/// The same in the page's words, with what they name.
fn shown(told: Outcome, payment: &Payment) -> Shown {
    match told {
        Outcome::Waiting { long } => Shown::Waiting { long },
        Outcome::NotOpened => Shown::NotOpened,
        Outcome::GivingUp { .. } => Shown::GivingUp,
        Outcome::Unfinished => Shown::Unfinished,
        Outcome::SomeoneElses => Shown::SomeoneElses,
        Outcome::SomeoneElsesEnded => Shown::SomeoneElsesEnded,
        Outcome::Held => Shown::Held,
        Outcome::Stopped => Shown::Stopped,
        Outcome::DebitBegun => Shown::DebitBegun,
        Outcome::DebitFailed => Shown::DebitFailed,
        Outcome::TakenBack => payment.reversal().map_or(Shown::TakenBack, |kind| Shown::Reversed { kind }),
        Outcome::ChargedBack => Shown::ChargedBack,
        Outcome::Succeeded => Shown::Succeeded,
        Outcome::OtherCurrency => match payment.captured {
            Some(taken) => Shown::OtherCurrency { taken },
            None => Shown::Succeeded,
        },
        Outcome::Declined { decline, page_open } => Shown::Declined { reason: reason(decline), page_open },
        Outcome::Cancelled => Shown::Cancelled,
        Outcome::Expired => Shown::Expired,
        Outcome::RefusedByUs => Shown::RefusedByUs { quote: payment.id.reference() },
        Outcome::Unknown => Shown::Unknown,
    }
}

fn reason(decline: Decline) -> Reason {
    match decline {
        Decline::InsufficientFunds => Reason::NotEnoughMoney,
        Decline::ExpiredCard => Reason::CardExpired,
        Decline::WrongCode => Reason::WrongCode,
        Decline::OverLimit => Reason::OverLimit,
        Decline::NotAuthenticated => Reason::NotConfirmed,
        Decline::LeftTheCheck => Reason::LeftTheCheck,
        Decline::ProcessorFault => Reason::NetworkProblem,
        Decline::NoReason => Reason::NotSaid,
    }
}

/// `GET /payments/{id}/return`: the payer is back; the processor is asked until it knows, 8 seconds at most.
pub async fn returned(ctx: Ctx, Path((_, id)): At) -> Result<Response, Fail> {
    let (payment, _) = find(&ctx, &id).await?;
    if payment.state.hold() == Hold::Held {
        let looked = tokio::time::timeout(Duration::from_secs(u64::from(LOOKS)), look(&ctx, payment.id));
        if let Ok(Err(error)) = looked.await {
            tracing::warn!(payment = %payment.id, error = format!("{error:#}"), "the return page could not ask");
        }
    }
    Ok(ctx.go(&format!("/payments/{}", payment.id)))
}

async fn look(ctx: &Ctx, payment: PaymentId) -> anyhow::Result<()> {
    for round in 1..=LOOKS {
        let (app, merchant) = (ctx.app.clone(), ctx.merchant.id);
        let asking = async move { reconcile_payment(&app, merchant, payment, "return page").await };
        let Some(state) = ctx.app.undisturbed(asking).await?.map(|looked| looked.state()) else {
            return Ok(());
        };
        let enough = state == PaymentState::RequiresAction && round >= LOOKS_AT_AN_OPEN_PAGE;
        if state.hold() != Hold::Held || enough {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// `GET /payments/{id}/turned-back`: ends the session's own payment, nobody else's.
pub async fn turned_back(ctx: Ctx, Path((_, id)): At) -> Result<Response, Fail> {
    let (payment, _) = find(&ctx, &id).await?;
    if ctx.is_own(&payment) {
        cancel_payment(&ctx.app, ctx.merchant.id, payment.id, Ending::PayerCanceled).await?;
    }
    Ok(ctx.go(&format!("/payments/{}", payment.id)))
}

/// What the payer does once the payment is given up.
#[derive(Deserialize)]
pub struct Cancel {
    next: Option<String>,
}

/// `POST /payments/{id}/cancel`: "Cancel it and start again", "Use another way", "Pay less".
pub async fn cancel(Path((_, id)): At, Posted { ctx, form }: Posted<Cancel>) -> Result<Response, Fail> {
    let (payment, loaded) = find(&ctx, &id).await?;
    if !ctx.is_own(&payment) {
        return Err(Fail::NotFound);
    }
    let state = cancel_payment(&ctx.app, ctx.merchant.id, payment.id, Ending::PayerCanceled).await?;
    let invoice = format!("/invoices/{}", loaded.invoice.id);
    Ok(match (state.hold(), form.next.as_deref()) {
        (Hold::Released, Some("less")) => {
            ctx.go(&format!("{invoice}/amount?amount={}", payment.amount_minor))
        }
        (Hold::Released, _) => ctx.go(&invoice),
        (Hold::Held | Hold::Consumed, _) => ctx.go(&format!("/payments/{}", payment.id)),
    })
}

/// `POST /payments/{id}/stop`: "Stop this payment". After the cut-off the page says that it was too late.
pub async fn stop(Path((_, id)): At, Posted { ctx, .. }: Posted<Nothing>) -> Result<Response, Fail> {
    let (payment, _) = find(&ctx, &id).await?;
    if !ctx.is_own(&payment) {
        return Err(Fail::NotFound);
    }
    let stopped = stop_payment(&ctx.app, ctx.merchant.id, payment.id).await?;
    let late = if stopped.is_err() { "?late=1" } else { "" };
    Ok(ctx.go(&format!("/payments/{}{late}", payment.id)))
}

/// A form of one button.
#[derive(Deserialize)]
pub struct Nothing {}

/// `GET /payments/{id}/challenge`: "Your bank wants to check it is you", while it does; else what became of the payment.
pub async fn challenge(ctx: Ctx, Path((_, id)): At) -> Result<Response, Fail> {
    let (payment, loaded) = find(&ctx, &id).await?;
    let waits = payment.state == PaymentState::RequiresAction && payment.payment_method_id.is_some();
    if !waits || !ctx.is_own(&payment) {
        return Ok(ctx.go(&format!("/payments/{}", payment.id)));
    }
    let page = ChallengePage {
        chrome: ctx.chrome(),
        id: payment.id.to_string(),
        number: loaded.invoice.number.clone(),
        amount: Money::new(payment.amount_minor + payment.surcharge_minor, payment.currency),
    };
    ctx.page(StatusCode::OK, &page)
}

/// `GET /payments/{id}/continue`: back to the card page while it is open.
pub async fn go_on(ctx: Ctx, Path((_, id)): At) -> Result<Response, Fail> {
    let (payment, _) = find(&ctx, &id).await?;
    if ctx.is_own(&payment)
        && payment.state == PaymentState::RequiresAction
        && let Some(url) = card_page(&ctx, payment.id).await?
    {
        note_redirect(&ctx.app, ctx.merchant.id, payment.id).await?;
        return Ok(see_other(&url));
    }
    Ok(ctx.go(&format!("/payments/{}", payment.id)))
}

/// The address of a payment's card page, while it is open.
pub async fn card_page(ctx: &Ctx, payment: PaymentId) -> Result<Option<String>, Fail> {
    let merchant = ctx.merchant.id;
    let found =
        ctx.app.store.read(async move |tx: &mut Tx| attempts::latest(tx, merchant, payment).await).await?;
    let open = found.filter(|attempt| attempt.session_expires_at.is_none_or(|end| end > ctx.now));
    Ok(open.and_then(|attempt| attempt.session_url))
}

/// `GET /payments/{id}/receipt`.
pub async fn receipt(ctx: Ctx, Path((_, id)): At) -> Result<Response, Fail> {
    let (payment, loaded) = find(&ctx, &id).await?;
    let (merchant, id, reader) = (ctx.merchant.id, payment.id, ctx.reader());
    let seen = loaded.invoice.id;
    let read = async move |tx: &mut Tx| {
        let Some((receipt, applied)) = visible_receipt(tx, (merchant, id), &reader).await? else {
            return Ok(None);
        };
        let whole = applied.len() == receipt.lines.len();
        let told = refunds::of_payment(tx, (merchant, id), (!whole).then_some(seen)).await?;
        Ok(Some((receipt, applied, told)))
    };
    let Some((receipt, applied, told)) = ctx.app.store.read(read).await? else {
        return Ok(ctx.go(&format!("/payments/{id}")));
    };
    let money = |minor| Money::new(minor, receipt.currency);
    let address = ctx.merchant.address.lines().filter(|line| !line.is_empty());
    let page = ReceiptPage {
        chrome: ctx.chrome(),
        reference: id.reference(),
        payment_id: id.to_string(),
        received_at: receipt.at,
        received_on: payment.received_on,
        paid_by: loaded.customer.name.clone(),
        merchant_lines: address.map(str::to_owned).collect(),
        method: method(&payment, applied.len() == receipt.lines.len()),
        amount: money(receipt.amount_minor),
        fee: (receipt.surcharge_minor > 0).then(|| money(receipt.surcharge_minor)),
        applied,
        kept_as_credit: money(receipt.credit_minor),
        payer_reference: payment.payer_reference.clone(),
        refunds: told.into_iter().map(|refund| refund.note(&ctx)).collect(),
        bank: bank_note(&ctx, &payment).await?,
    };
    ctx.page(StatusCode::OK, &page)
}

/// What the bank did with a payment after it was received.
async fn bank_note(ctx: &Ctx, payment: &Payment) -> Result<Option<BankNote>, Fail> {
    let changed_on = ctx.day(payment.returned_at.unwrap_or(payment.changed_at));
    Ok(match payment.state {
        PaymentState::Returned => Some(BankNote::TakenBack { on: changed_on }),
        PaymentState::ChargedBack => Some(BankNote::GivenBack { on: changed_on }),
        _ => contest(ctx, payment).await?.map(BankNote::Contest),
    })
}

/// A receipt as far as its reader may know it. Who came by the link of one invoice learns nothing of the others that the
/// same money was set against: neither them nor the whole amount.
async fn visible_receipt(
    tx: &mut Tx,
    (merchant, payment): (MerchantId, PaymentId),
    reader: &Reader,
) -> anyhow::Result<Option<(Receipt, Vec<Applied>)>> {
    let Some(mut receipt) = receipts::find(tx, merchant, payment).await? else { return Ok(None) };
    let money = |minor| Money::new(minor, receipt.currency);
    let mut applied = Vec::new();
    for line in &receipt.lines {
        let invoice = invoices::find(tx, merchant, line.invoice_id).await?;
        if let Some(invoice) = invoice.filter(|invoice| reader.access(invoice).is_ok()) {
            applied.push(Applied {
                invoice_id: line.invoice_id.to_string(),
                number: invoice.number,
                amount: money(line.applied_minor),
                balance_before: money(line.open_before_minor),
                balance_after: money(line.open_after_minor),
            });
        }
    }
    if applied.len() < receipt.lines.len() {
        receipt.amount_minor = applied.iter().map(|part| part.amount.minor()).sum();
        receipt.credit_minor = 0;
    }
    Ok(Some((receipt, applied)))
}
