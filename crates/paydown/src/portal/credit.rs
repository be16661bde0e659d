//! Credit of the customer, used on an invoice: for whoever is signed in for that customer. Who has only a link to one invoice
//! neither sees it nor uses it: a link may be forwarded, and what else the company has is nobody's business.

use crate::actions::apply_credit::{ApplyCredit, CannotApply, apply_credit};
use crate::actions::once::Ran;
use crate::csrf::Posted;
use crate::pages::credit::{CreditPage, CreditRefusal};
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Fail;
use crate::portal::load::{self, Loaded};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use billing::amount::{Typed, parse_text};
use billing::ids::CreditApplicationId;
use ledger::Money;
use serde::Deserialize;
use std::str::FromStr as _;

/// The amount of the form, as it was typed.
#[derive(Deserialize)]
pub struct Wanted {
    typed: Option<String>,
}

/// The confirmation, as it came: a field that is missing is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Confirmed {
    intent: String,
    amount: String,
}

/// `GET /invoices/{id}/credit`: the form, or what is to be confirmed.
pub async fn form(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fail> {
    let loaded = of_contact(&ctx, &id).await?;
    if !ctx.is_writable() {
        return Err(Fail::ReadOnly);
    }
    let Some(typed) = wanted.typed else {
        let refusal = nothing_to_use(&loaded).map(|refusal| (String::new(), refusal));
        return draw(&ctx, &loaded, None, refusal, false);
    };
    match judged(&ctx, &loaded, &typed) {
        Ok(amount) => draw(&ctx, &loaded, Some(amount), None, false),
        Err(refusal) => draw(&ctx, &loaded, None, Some((typed, refusal)), false),
    }
}

/// `POST /invoices/{id}/credit`: uses it.
pub async fn apply(
    Path((_, id)): Path<(String, String)>,
    Posted { ctx, form }: Posted<Confirmed>,
) -> Result<Response, Fail> {
    let loaded = of_contact(&ctx, &id).await?;
    let contact = ctx.contact.as_ref().ok_or(Fail::NotFound)?;
    let (Ok(minor), Ok(intent)) = (form.amount.parse::<i64>(), CreditApplicationId::from_str(&form.intent))
    else {
        return draw(&ctx, &loaded, None, Some((String::new(), CreditRefusal::NotAnAmount)), true);
    };
    let input = ApplyCredit {
        merchant: ctx.merchant.id,
        id: Some(intent),
        invoice: loaded.invoice.id,
        amount: Some(Money::new(minor, loaded.invoice.figures.currency)),
        contact: Some(contact.id),
        actor: contact.id.to_string(),
    };
    let acting = ctx.app.clone();
    let ran = ctx.app.undisturbed(async move { apply_credit(&acting, input, None).await }).await?;
    let why = match ran {
        Ran::New(applied) => {
            return Ok(ctx.go(&format!("/invoices/{id}?credit={}", applied.application.id)));
        }
        Ran::Refused(why) => why,
        Ran::Repeated(_) | Ran::OtherRequest => return Err(Fail::Ours),
    };
    let refusal = match why {
        CannotApply::NoSuchInvoice => return Err(Fail::NotFound),
        CannotApply::NotOpen(_) | CannotApply::NothingPayable => CreditRefusal::NothingLeft,
        CannotApply::OtherCurrency(_) | CannotApply::NotPositive => CreditRefusal::NotAnAmount,
        CannotApply::NoCredit => CreditRefusal::NoCredit,
        CannotApply::AbovePayable(_) => CreditRefusal::OverLeft,
        CannotApply::AboveCredit(_) => CreditRefusal::OverCredit,
    };
    // The figures may be newer than those that were read before.
    let fresh = of_contact(&ctx, &id).await?;
    let typed = ctx.locale.plain(Money::new(minor, fresh.invoice.figures.currency));
    draw(&ctx, &fresh, None, Some((typed, refusal)), true)
}

/// The invoice, for somebody who is signed in for its customer.
async fn of_contact(ctx: &Ctx, id: &str) -> Result<Loaded, Fail> {
    let loaded = load::load(ctx, id).await?;
    match loaded.access {
        Access::Contact => Ok(loaded),
        Access::Link(_) => Err(Fail::NotFound),
    }
}

fn nothing_to_use(loaded: &Loaded) -> Option<CreditRefusal> {
    if !loaded.credit.is_positive() {
        Some(CreditRefusal::NoCredit)
    } else if !loaded.invoice.figures.payable_now().is_positive() {
        Some(CreditRefusal::NothingLeft)
    } else {
        None
    }
}

/// What was typed, as an amount of credit that can be used.
fn judged(ctx: &Ctx, loaded: &Loaded, typed: &str) -> Result<Money, CreditRefusal> {
    if let Some(refusal) = nothing_to_use(loaded) {
        return Err(refusal);
    }
    let left = loaded.invoice.figures.payable_now();
    let minor = match parse_text(typed, left.currency(), ctx.marks()) {
        Ok(Typed::Minor(minor)) => minor,
        Ok(Typed::Percent(_)) | Err(_) => return Err(CreditRefusal::NotAnAmount),
    };
    if minor <= 0 {
        Err(CreditRefusal::NotAnAmount)
    } else if minor > left.minor() {
        Err(CreditRefusal::OverLeft)
    } else if minor > loaded.credit.minor() {
        Err(CreditRefusal::OverCredit)
    } else {
        Ok(Money::new(minor, left.currency()))
    }
}

fn draw(
    ctx: &Ctx,
    loaded: &Loaded,
    chosen: Option<Money>,
    refused: Option<(String, CreditRefusal)>,
    pressed: bool,
) -> Result<Response, Fail> {
    let status = match &refused {
        None => StatusCode::OK,
        Some((_, CreditRefusal::NotAnAmount)) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(_) => StatusCode::CONFLICT,
    };
    let page = CreditPage {
        chrome: ctx.chrome(),
        invoice_id: loaded.invoice.id.to_string(),
        number: loaded.invoice.number.clone(),
        credit: loaded.credit,
        left: loaded.invoice.figures.payable_now(),
        chosen,
        intent: ctx.app.mint().id(CreditApplicationId::new).to_string(),
        refused,
        pressed,
    };
    ctx.page(status, &page)
}
