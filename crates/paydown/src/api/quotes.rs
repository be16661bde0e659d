//! `POST /v1/invoices/{id}/quotes`: what the portal would say to an amount, by the same rule, and nothing is done.

use super::answers::{CannotQuote, Common};
use super::caller::{InvoicesRead, May};
use super::extract::{At, Body};
use super::fields::SignedAmount;
use super::problem::{Code, Limits, More, Problem};
use crate::actions::start_payment::{of_any, offered, surcharge};
use crate::app::App;
use anyhow::Context as _;
use axum::Json;
use axum::extract::State;
use billing::amount::{MethodLimits, Refusal, RefusalKind, Terms};
use billing::ids::{InvoiceId, MerchantId};
use billing::invoice::Lifecycle;
use billing::payment::Method;
use gateway::Processor;
use ledger::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::db::Tx;
use store::invoices::{self, Invoice};
use utoipa::ToSchema;

/// What would come of an amount. Minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quote {
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What would go to the invoice.
    #[schema(example = 50_000)]
    amount: i64,
    /// What the payer would pay on top by card.
    surcharge: i64,
    /// Both together.
    #[schema(example = 50_000)]
    total: i64,
    /// What would be left to pay.
    #[schema(example = 75_000)]
    left: i64,
    /// True if it pays all that is left.
    full: bool,
    /// Least and most that may be paid now.
    limits: Limits,
}

/// What is asked for.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 50000 }))]
pub struct NewQuote {
    /// Minor units of the invoice's currency.
    #[schema(inline)]
    amount: SignedAmount,
}

/// Ask what may be paid
///
/// The very rule of the portal, with the merchant's policy and the limits of the methods it offers; the surcharge is that of the first of
/// them, a card where cards are taken. Nothing is stored. An amount that may not
/// be paid is answered with 422, the limits and the nearest amounts that may.
#[utoipa::path(
    post, path = "/v1/invoices/{id}/quotes", tag = "Invoices", operation_id = "quoteInvoice",
    params(("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000")),
    request_body = NewQuote,
    responses((status = 200, description = "The amount may be paid", body = Quote), Common, CannotQuote),
    security(("key" = ["invoices:read"]))
)]
pub async fn create(
    State(app): State<App>,
    May(caller, _): May<InvoicesRead>,
    At(id): At,
    Body(new): Body<NewQuote>,
) -> Result<Json<Quote>, Problem> {
    let id: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let merchant = caller.merchant;
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let asked = new.amount.0;
    let looking = Looking { merchant, id, asked, processor };
    let found = app.store.read(async move |tx: &mut Tx| look(tx, &looking).await).await?;
    let (invoice, terms, fee) = found.ok_or_else(Problem::not_found)?;
    if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
        let is = invoice.lifecycle.as_str();
        return Err(Problem::new(Code::NotOpen, format!("The invoice is {is}; nothing can be paid on it.")));
    }
    let accepted = terms.decide(asked).map_err(|refusal| refused(&refusal, invoice.figures.currency))?;
    Ok(Json(quote(id, &terms, accepted.amount, (fee, accepted.left))?))
}

struct Looking {
    merchant: MerchantId,
    id: InvoiceId,
    asked: i64,
    processor: Option<Arc<dyn Processor>>,
}

/// The invoice, the terms in force, and the surcharge on the amount, or on what is payable where that is less.
async fn look(tx: &mut Tx, looking: &Looking) -> anyhow::Result<Option<(Invoice, Terms, Money)>> {
    let Looking { merchant, id, asked, processor } = looking;
    let Some(invoice) = invoices::find(tx, *merchant, *id).await? else { return Ok(None) };
    let currency = invoice.figures.currency;
    let methods = match processor {
        Some(processor) => offered(tx, *merchant, &**processor, currency).await?,
        None => Vec::new(),
    };
    let terms = of_any(tx, &invoice, &methods).await?;
    let first = methods.first().copied().unwrap_or((Method::Card, MethodLimits::NONE));
    let payable = terms.payable.minor().max(0);
    let fee = surcharge(tx, &invoice, Money::new((*asked).clamp(0, payable), currency), first).await?;
    Ok(Some((invoice, terms, fee)))
}

fn quote(id: InvoiceId, terms: &Terms, amount: Money, (fee, left): (Money, Money)) -> anyhow::Result<Quote> {
    let (least, most) = terms.limits().context("an accepted amount is within limits")?;
    Ok(Quote {
        invoice: id.to_string(),
        currency: amount.currency().code().to_ascii_lowercase(),
        amount: amount.minor(),
        surcharge: fee.minor(),
        total: amount.checked_add(fee)?.minor(),
        left: left.minor(),
        full: left.is_zero(),
        limits: Limits { minimum: least.minor(), maximum: most.minor() },
    })
}

/// The refusal of the amount rule, with what would be accepted.
pub(super) fn refused(refusal: &Refusal, currency: Currency) -> Problem {
    let (code, detail) = words(&refusal.kind);
    let limits = refusal.limits.map(|(least, most)| Limits { minimum: least.minor(), maximum: most.minor() });
    let more = More {
        limits,
        next_legal_amounts: Some(refusal.next_legal.iter().map(|money| money.minor()).collect()),
        currency: Some(currency.code().to_ascii_lowercase()),
        ..More::default()
    };
    Problem::new(code, detail).at("amount").with(more)
}

fn words(kind: &RefusalKind) -> (Code, String) {
    match kind {
        RefusalKind::Text(_) => (Code::InvalidRequest, "The amount cannot be read.".to_owned()),
        RefusalKind::NotPositive => (Code::AmountNotPositive, "An amount is above 0.".to_owned()),
        RefusalKind::Above { payable, pending } if pending.is_positive() => {
            (Code::AmountAbovePayable, format!("{payable} is payable now; {pending} is on its way."))
        }
        RefusalKind::Above { payable, .. } => {
            (Code::AmountAbovePayable, format!("{payable} is payable now."))
        }
        RefusalKind::NothingLeft => (Code::NothingPayable, "Nothing is left to pay.".to_owned()),
        RefusalKind::AllInProgress => {
            (Code::AllInProgress, "All that is owed is on its way already.".to_owned())
        }
        RefusalKind::PartialNotAllowed => {
            (Code::PartialNotAllowed, "This invoice has to be paid in full.".to_owned())
        }
        RefusalKind::BelowMinimum { minimum } => {
            (Code::AmountBelowMinimum, format!("The least that may be paid now is {minimum}."))
        }
        RefusalKind::Crumb { crumb, all, at_most: Some(most) } => (
            Code::AmountLeavesTooLittle,
            format!("{crumb} would stay, too little to be paid later: pay {all}, or at most {most}."),
        ),
        RefusalKind::Crumb { crumb, all, at_most: None } => (
            Code::AmountLeavesTooLittle,
            format!("{crumb} would stay, too little to be paid later: pay {all}."),
        ),
        RefusalKind::BelowMethod { minimum } => {
            (Code::AmountNotChargeable, format!("A card payment is {minimum} at least."))
        }
        RefusalKind::LeftBelowMethod { left, minimum } => (
            Code::AmountNotChargeable,
            format!(
                "{left} is left, and a card payment is {minimum} at least; it can be paid by another way."
            ),
        ),
        RefusalKind::AboveMethod { maximum } => {
            (Code::AmountNotChargeable, format!("A card payment is {maximum} at most."))
        }
        RefusalKind::OffStep { step_minor } => (
            Code::AmountNotChargeable,
            format!("By card, amounts are multiples of {step_minor} minor units."),
        ),
        RefusalKind::PercentOutOfRange { least_percent } => {
            (Code::AmountBelowMinimum, format!("{least_percent} to 100 percent may be paid."))
        }
    }
}
