//! S6, S7 and S8: the invoice page, with or without a chosen amount, and the page that changes the amount. All GETs; a
//! chosen amount is judged again at each load.

mod timeline;

pub use timeline::method;

use crate::pages::amount::{AmountPage, Refusal as Shown};
use crate::pages::invoice::{self as shown, InvoicePage, Notice, Offer, Place};
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Fail;
use crate::portal::load::{self, Loaded};
use crate::portal::refusals::{self, Asked};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use billing::amount::Refusal;
use billing::bank_return::ReturnKind;
use billing::ids::CreditApplicationId;
use billing::payment::Outcome;
use billing::policy::Partial;
use ledger::Money;
use serde::Deserialize;
use std::str::FromStr as _;
use store::credit_applications;
use store::db::Tx;
use store::invoices::{Invoice, InvoiceLine};
use store::payments::Payment;

/// A chosen amount, minor units, or one typed.
#[derive(Deserialize)]
pub struct Amount {
    amount: Option<String>,
    typed: Option<String>,
    /// The application of credit that was just made.
    credit: Option<String>,
}

impl Amount {
    /// The amount of the address; text that is no number is an amount of nothing, which the rule refuses.
    pub fn minor(&self) -> Option<i64> {
        self.amount.as_ref().map(|text| text.parse().unwrap_or(0))
    }
}

/// `GET /invoices/{id}`.
pub async fn show(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
) -> Result<Response, Fail> {
    let loaded = load::load(&ctx, &id).await?;
    let chosen = match query.minor().map(|minor| (minor, loaded.terms.decide(minor))) {
        None => None,
        Some((_, Ok(accepted))) => Some(accepted.amount),
        Some((minor, Err(refusal))) => return refused(&ctx, &loaded, Asked::Drawn(minor), &refusal),
    };
    let mut notices = notices(&ctx, &loaded);
    notices.extend(credit_used(&ctx, &loaded, &query).await?);
    let page = InvoicePage {
        chrome: ctx.chrome(),
        invoice: document(&ctx, &loaded),
        figures: loaded.figures(),
        status: load::status(&ctx, &loaded.invoice),
        offer: offer(&ctx, &loaded, chosen),
        chosen,
        card_most: loaded.card_most(),
        notices,
        payments: timeline::rows(&ctx, &loaded).await?,
        credit: if ctx.is_writable() { loaded.credit } else { Money::zero(loaded.credit.currency()) },
    };
    ctx.page(StatusCode::OK, &page)
}

/// What somebody who comes from using credit is told.
async fn credit_used(ctx: &Ctx, loaded: &Loaded, query: &Amount) -> Result<Option<Notice>, Fail> {
    let Some(Ok(id)) = query.credit.as_deref().map(CreditApplicationId::from_str) else { return Ok(None) };
    if !matches!(loaded.access, Access::Contact) {
        return Ok(None);
    }
    let merchant = ctx.merchant.id;
    let read = async move |tx: &mut Tx| credit_applications::find(tx, merchant, id).await;
    let found = ctx.app.store.read(read).await?.filter(|found| found.invoice_id == loaded.invoice.id);
    Ok(found.map(|found| Notice::CreditUsed { amount: found.amount }))
}

/// `GET /invoices/{id}/amount`.
pub async fn amount(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
) -> Result<Response, Fail> {
    let loaded = load::load(&ctx, &id).await?;
    if let Some(typed) = &query.typed {
        return match loaded.terms.decide_text(typed, ctx.marks()) {
            Ok(accepted) if accepted.is_full() => Ok(ctx.go(&format!("/invoices/{id}"))),
            Ok(accepted) => Ok(ctx.go(&format!("/invoices/{id}?amount={}", accepted.amount.minor()))),
            Err(refusal) => refused(&ctx, &loaded, Asked::Typed(typed), &refusal),
        };
    }
    if let Err(refusal) = loaded.terms.decide(loaded.invoice.figures.payable_now().minor())
        && !loaded.terms.allows_part()
    {
        return refused(&ctx, &loaded, Asked::Typed(""), &refusal);
    }
    if !loaded.terms.allows_part() {
        let why = refusals::no_part(&loaded);
        return amount_page(&ctx, &loaded, StatusCode::CONFLICT, Some((String::new(), why)), false);
    }
    let accepted = query.minor().and_then(|minor| loaded.terms.decide(minor).ok());
    let form = loaded.form(&ctx, accepted.map(|accepted| accepted.amount), None);
    let page =
        AmountPage { chrome: ctx.chrome(), number: loaded.invoice.number.clone(), form, pressed: false };
    ctx.page(StatusCode::OK, &page)
}

/// The amount page with fresh figures and why the amount is not legal: 422 for what can be typed better, 409 where the
/// invoice is not what its reader thought. Where it is long done with, the invoice itself says so.
pub fn refused(ctx: &Ctx, loaded: &Loaded, asked: Asked<'_>, refusal: &Refusal) -> Result<Response, Fail> {
    let why = refusals::words(ctx, loaded, asked, refusal);
    if matches!(why, Shown::NothingLeft | Shown::Void { .. }) {
        return Ok(ctx.go(&format!("/invoices/{}", loaded.invoice.id)));
    }
    let (typed, status) = match asked {
        Asked::Drawn(_) => (figure(ctx, loaded, asked), StatusCode::CONFLICT),
        Asked::Typed(typed) => (typed.to_owned(), status_of(&why)),
    };
    amount_page(ctx, loaded, status, Some((typed, why)), false)
}

/// The same for somebody who pressed pay: always a page, which says first that no money was taken.
pub fn refused_to_pay(ctx: &Ctx, loaded: &Loaded, minor: i64, refusal: &Refusal) -> Result<Response, Fail> {
    let asked = Asked::Drawn(minor);
    let why = refusals::words(ctx, loaded, asked, refusal);
    amount_page(ctx, loaded, StatusCode::CONFLICT, Some((figure(ctx, loaded, asked), why)), true)
}

/// The amount page for somebody whose form came without an amount that can be read. Nothing is read as "all".
pub fn no_amount(ctx: &Ctx, loaded: &Loaded) -> Result<Response, Fail> {
    let why = match loaded.terms.decide(loaded.invoice.figures.payable_now().minor()) {
        Err(refusal) if !loaded.terms.allows_part() => {
            refusals::words(ctx, loaded, Asked::Typed(""), &refusal)
        }
        Ok(_) if !loaded.terms.allows_part() => refusals::no_part(loaded),
        _ => Shown::Empty,
    };
    amount_page(ctx, loaded, StatusCode::UNPROCESSABLE_ENTITY, Some((String::new(), why)), true)
}

fn figure(ctx: &Ctx, loaded: &Loaded, asked: Asked<'_>) -> String {
    match asked {
        Asked::Drawn(minor) => ctx.locale.plain(Money::new(minor, loaded.invoice.figures.currency)),
        Asked::Typed(typed) => typed.to_owned(),
    }
}

fn status_of(why: &Shown) -> StatusCode {
    match why {
        Shown::InFullOnly
        | Shown::AllOnly
        | Shown::TooLittleLeft
        | Shown::TooMuchForACard(_)
        | Shown::AllInFlight
        | Shown::PaidMeanwhile
        | Shown::Changed { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn amount_page(
    ctx: &Ctx,
    loaded: &Loaded,
    status: StatusCode,
    refused: Option<(String, Shown)>,
    pressed: bool,
) -> Result<Response, Fail> {
    let form = loaded.form(ctx, None, refused);
    let number = loaded.invoice.number.clone();
    ctx.page(status, &AmountPage { chrome: ctx.chrome(), number, form, pressed })
}

fn offer(ctx: &Ctx, loaded: &Loaded, chosen: Option<Money>) -> Offer {
    let is_payable = loaded.terms.limits().is_some();
    if loaded.processor.is_none() || !ctx.is_writable() {
        Offer::Nothing
    } else if loaded.terms.allows_part() {
        Offer::AnyPart(Box::new(loaded.form(ctx, chosen, None)))
    } else if is_payable && loaded.terms.policy.partial == Partial::Never {
        Offer::InFull
    } else if is_payable {
        Offer::AllOnly
    } else {
        Offer::Nothing
    }
}

fn notices(ctx: &Ctx, loaded: &Loaded) -> Vec<Notice> {
    let left = loaded.invoice.figures.payable_now();
    let mut notices = Vec::new();
    let mut others = (0_u32, Money::zero(left.currency()));
    for payment in &loaded.payments {
        match notice(ctx, payment, loaded.invoice.figures.open_minor > 0) {
            Some(Notice::SomeoneElses { amount, .. }) => {
                others = (others.0 + 1, others.1.checked_add(amount).unwrap_or(others.1));
            }
            other => notices.extend(other),
        }
    }
    if others.0 > 0 {
        notices.push(Notice::SomeoneElses { payments: others.0, amount: others.1 });
    }
    if left.is_positive() {
        if loaded.processor.is_none() {
            notices.push(Notice::NoMethod);
        } else if loaded.too_little_is_left() {
            notices.push(Notice::TooLittleForACard);
        } else if let Some(most) = loaded.too_much_is_left() {
            notices.push(Notice::TooMuchForACard { most });
        } else if !ctx.is_writable() {
            notices.push(Notice::Paused);
        }
    }
    notices
}

/// For so long it is told that a bank took something back.
const NEWS_DAYS: i64 = 30;

/// `is_owed`: something is owed on the invoice.
fn notice(ctx: &Ctx, payment: &Payment, is_owed: bool) -> Option<Notice> {
    let amount = Money::new(payment.amount_minor, payment.currency);
    match ctx.outcome(payment) {
        Outcome::Unfinished | Outcome::Declined { page_open: true, .. } => {
            let (payment_id, started_at) = (payment.id.to_string(), payment.created_at);
            let place = match (payment.method.is_bank_debit(), payment.payment_method_id) {
                (true, _) => Place::Bank,
                (false, Some(_)) => Place::Challenge,
                (false, None) => Place::CardPage,
            };
            Some(Notice::OwnUnfinished { payment_id, amount, started_at, place })
        }
        Outcome::NotOpened => Some(Notice::OwnNotOpened { payment_id: payment.id.to_string(), amount }),
        Outcome::GivingUp { unfinished: true } => {
            Some(Notice::OwnGivingUp { payment_id: payment.id.to_string(), amount })
        }
        Outcome::Waiting { .. } | Outcome::Unknown | Outcome::GivingUp { unfinished: false } => {
            Some(Notice::Checking { amount })
        }
        Outcome::Held => Some(Notice::Held { amount, send_at: payment.send_at? }),
        Outcome::DebitBegun => Some(Notice::Clearing {
            amount,
            by: None,
            on: ctx.day(payment.created_at),
            expected_on: payment.expected_on,
        }),
        Outcome::TakenBack => {
            let since = ctx.now.duration_since(payment.returned_at?);
            let amount = payment.captured.unwrap_or(amount);
            if let Some(kind) = payment.reversal() {
                return (since.as_hours() < 24 * NEWS_DAYS).then_some(Notice::Reversed { amount, kind });
            }
            let reason = ctx.is_own(payment).then(|| bank_reason(payment).payer_words());
            (since.as_hours() < 24 * NEWS_DAYS).then_some(Notice::TakenBack { amount, reason })
        }
        Outcome::ChargedBack => {
            let since = ctx.now.duration_since(payment.changed_at);
            (since.as_hours() < 24 * NEWS_DAYS && is_owed)
                .then_some(Notice::TakenBack { amount, reason: Some("charged-back-why") })
        }
        Outcome::SomeoneElses => Some(Notice::SomeoneElses { payments: 1, amount }),
        Outcome::SomeoneElsesEnded
        | Outcome::DebitFailed
        | Outcome::Stopped
        | Outcome::Succeeded
        | Outcome::OtherCurrency
        | Outcome::Declined { page_open: false, .. }
        | Outcome::Cancelled
        | Outcome::Expired
        | Outcome::RefusedByUs => None,
    }
}

/// What the bank's word means, where it sent no money or took it back.
pub fn bank_reason(payment: &Payment) -> ReturnKind {
    payment.return_code.as_deref().map_or(ReturnKind::Unexplained, ReturnKind::of_code)
}

fn document(ctx: &Ctx, loaded: &Loaded) -> shown::Invoice {
    let Invoice { figures, tax_minor, .. } = &loaded.invoice;
    let money = |minor| Money::new(minor, figures.currency);
    let taxed = *tax_minor != 0;
    let lines = |text: &str| text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
    shown::Invoice {
        id: loaded.invoice.id.to_string(),
        number: loaded.invoice.number.clone(),
        from_lines: lines(&ctx.merchant.address),
        to_name: loaded.customer.name.clone(),
        to_lines: lines(&loaded.customer.address),
        issued: loaded.invoice.issued_on,
        po_number: loaded.invoice.purchase_order.clone(),
        note: loaded.invoice.memo.clone(),
        lines: loaded.lines.iter().map(|line| row_of(ctx, line, money)).collect(),
        net: taxed.then(|| money(figures.total_minor - tax_minor)),
        taxes: if taxed { vec![(ctx.chrome().t("tax"), money(*tax_minor))] } else { Vec::new() },
    }
}

fn row_of(ctx: &Ctx, line: &InvoiceLine, money: impl Fn(i64) -> Money) -> shown::Line {
    let (decimal, _) = ctx.locale.number_marks();
    let quantity = line.quantity.replace('.', &decimal.to_string());
    shown::Line {
        description: line.description.clone(),
        quantity: (line.quantity != "1").then_some(quantity),
        unit: money(line.unit_amount_minor),
        amount: money(line.net_minor),
    }
}
