//! S6, S7 and S8: the invoice page, with or without a chosen amount, and the page that changes the amount. All GETs; a
//! chosen amount is judged again at each load.

use crate::pages::amount::AmountPage;
use crate::pages::invoice::{self as shown, InvoicePage, Notice, Offer, PaymentRow, PaymentRowState};
use crate::pages::parts::Method;
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Fail;
use crate::portal::load::{self, Loaded};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use billing::amount::{Refusal, RefusalKind};
use billing::payment::PaymentState;
use ledger::Money;
use serde::Deserialize;
use std::collections::HashMap;
use store::contacts;
use store::db::Tx;
use store::invoices::{Invoice, InvoiceLine};
use store::payments::Payment;
use store::receipts::{self, ReceiptLine};

/// A chosen amount, minor units, or one typed.
#[derive(Deserialize)]
pub struct Amount {
    amount: Option<String>,
    typed: Option<String>,
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
    let loaded = match load::load(&ctx, &id).await? {
        Ok(loaded) => loaded,
        Err(instead) => return Ok(instead),
    };
    let chosen = match query.minor().map(|minor| (minor, loaded.terms.decide(minor))) {
        None => None,
        Some((_, Ok(accepted))) => Some(accepted.amount),
        Some((minor, Err(refusal))) => return refused(&ctx, &loaded, minor, &refusal),
    };
    let payments = rows(&ctx, &loaded).await?;
    let page = InvoicePage {
        chrome: ctx.chrome(),
        invoice: document(&ctx, &loaded),
        figures: loaded.figures(),
        status: load::status(&ctx, &loaded.invoice),
        offer: offer(&ctx, &loaded, chosen),
        chosen,
        notices: notices(&ctx, &loaded),
        payments,
    };
    ctx.page(StatusCode::OK, &page)
}

/// `GET /invoices/{id}/amount`.
pub async fn amount(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
) -> Result<Response, Fail> {
    let loaded = match load::load(&ctx, &id).await? {
        Ok(loaded) => loaded,
        Err(instead) => return Ok(instead),
    };
    if let Some(typed) = &query.typed {
        return match loaded.terms.decide_text(typed, ctx.marks()) {
            Ok(accepted) if accepted.is_full() => Ok(ctx.go(&format!("/invoices/{id}"))),
            Ok(accepted) => Ok(ctx.go(&format!("/invoices/{id}?amount={}", accepted.amount.minor()))),
            Err(refusal) => amount_page(&ctx, &loaded, StatusCode::UNPROCESSABLE_ENTITY, (typed, &refusal)),
        };
    }
    if !loaded.terms.allows_part() {
        let full = loaded.invoice.figures.payable_now().minor();
        let refusal = loaded.terms.decide(full).err().unwrap_or(Refusal {
            kind: RefusalKind::PartialNotAllowed,
            limits: loaded.terms.limits(),
            next_legal: Vec::new(),
        });
        return amount_page(&ctx, &loaded, StatusCode::CONFLICT, ("", &refusal));
    }
    let accepted = query.minor().and_then(|minor| loaded.terms.decide(minor).ok());
    let form = loaded.form(&ctx, accepted.map(|accepted| accepted.amount), None);
    let page = AmountPage { chrome: ctx.chrome(), number: loaded.invoice.number.clone(), form };
    ctx.page(StatusCode::OK, &page)
}

/// The amount page with fresh figures, for an amount that is not legal now: 409.
pub fn refused(ctx: &Ctx, loaded: &Loaded, minor: i64, refusal: &Refusal) -> Result<Response, Fail> {
    let typed = ctx.locale.plain(Money::new(minor, loaded.invoice.figures.currency));
    amount_page(ctx, loaded, StatusCode::CONFLICT, (&typed, refusal))
}

fn amount_page(
    ctx: &Ctx,
    loaded: &Loaded,
    status: StatusCode,
    (typed, refusal): (&str, &Refusal),
) -> Result<Response, Fail> {
    let form = loaded.form(ctx, None, Some((typed.to_owned(), refusal)));
    let number = loaded.invoice.number.clone();
    ctx.page(status, &AmountPage { chrome: ctx.chrome(), number, form })
}

fn offer(ctx: &Ctx, loaded: &Loaded, chosen: Option<Money>) -> Offer {
    let full = loaded.terms.decide(loaded.invoice.figures.payable_now().minor());
    if !loaded.takes_cards {
        Offer::Nothing
    } else if loaded.terms.allows_part() {
        Offer::AnyPart(loaded.form(ctx, chosen, None))
    } else if full.is_ok() {
        Offer::InFull
    } else {
        Offer::Nothing
    }
}

fn notices(ctx: &Ctx, loaded: &Loaded) -> Vec<Notice> {
    let mut notices: Vec<Notice> =
        loaded.payments.iter().filter_map(|payment| notice(ctx, payment)).collect();
    let left = loaded.invoice.figures.payable_now();
    let refusal = loaded.terms.decide(left.minor()).err();
    let too_little = refusal.is_some_and(|why| matches!(why.kind, RefusalKind::LeftBelowMethod { .. }));
    if left.is_positive() && too_little {
        notices.push(Notice::TooLittleForACard);
    }
    notices
}

fn notice(ctx: &Ctx, payment: &Payment) -> Option<Notice> {
    let amount = Money::new(payment.amount_minor, payment.currency);
    match payment.state {
        PaymentState::RequiresAction if ctx.is_own(payment) => Some(Notice::OwnUnfinished {
            payment_id: payment.id.to_string(),
            amount,
            started_at: payment.created_at,
        }),
        PaymentState::Unknown | PaymentState::Processing => Some(Notice::Checking { amount }),
        PaymentState::Created | PaymentState::Submitting if ctx.is_own(payment) => {
            Some(Notice::Checking { amount })
        }
        PaymentState::Created | PaymentState::Submitting | PaymentState::RequiresAction => {
            Some(Notice::SomeoneElses { amount })
        }
        _ => None,
    }
}

/// Payments as the page lists them: their share of this invoice, and what was left after it.
async fn rows(ctx: &Ctx, loaded: &Loaded) -> Result<Vec<PaymentRow>, Fail> {
    let (merchant, invoice) = (ctx.merchant.id, loaded.invoice.id);
    let ids: Vec<_> = loaded.payments.iter().map(|payment| payment.id).collect();
    let people = if matches!(loaded.access, Access::Contact) { Some(loaded.customer.id) } else { None };
    let (lines, names) = ctx
        .app
        .store
        .read(async move |tx: &mut Tx| {
            let mut lines: HashMap<_, ReceiptLine> = HashMap::new();
            for id in &ids {
                let receipt = receipts::find(tx, merchant, *id).await?;
                let line = receipt
                    .and_then(|receipt| receipt.lines.into_iter().find(|line| line.invoice_id == invoice));
                lines.extend(line.map(|line| (*id, line)));
            }
            let mut names = HashMap::new();
            if let Some(customer) = people {
                let list = contacts::list(tx, merchant, customer).await?;
                names.extend(list.into_iter().map(|contact| (contact.id, contact.name)));
            }
            Ok((lines, names))
        })
        .await?;
    let row = |payment: &Payment| {
        let money = |minor| Money::new(minor, loaded.invoice.figures.currency);
        let line = lines.get(&payment.id);
        let state = match (line, payment.state) {
            (Some(line), _) => PaymentRowState::Received { left_after: money(line.open_after_minor) },
            (None, PaymentState::Failed | PaymentState::Canceled) => PaymentRowState::NotCompleted,
            (None, PaymentState::RequiresAction) => PaymentRowState::Started,
            (None, _) => PaymentRowState::Checking,
        };
        let by = payment.contact_id.and_then(|id| names.get(&id)).filter(|name| !name.is_empty());
        PaymentRow {
            id: payment.id.to_string(),
            method: method(payment),
            amount: line.map_or(money(payment.amount_minor), |line| money(line.applied_minor)),
            by: by.cloned(),
            on: ctx.day(payment.captured_at.unwrap_or(payment.created_at)),
            state,
        }
    };
    Ok(loaded.payments.iter().map(row).collect())
}

/// How a payment was made.
pub fn method(payment: &Payment) -> Method {
    let brand = payment.card_brand.as_deref().map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    });
    Method::Card { brand, last4: payment.card_last4.clone() }
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
