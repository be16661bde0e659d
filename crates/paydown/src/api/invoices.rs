//! `/v1/invoices`: written, issued, shown with their balances, listed, voided. An issued invoice is never edited.

use super::answers::{
    CannotDraft, CannotFinalize, CannotVoid, Common, NotFound, OptionalKey, Unclear, done, made,
};
use super::caller::{InvoicesRead, InvoicesWrite, May};
use super::extract::{Asked, At, Body, MayRepeat, Named};
use super::fields::{self, CurrencyCode, Day, Line, Lines, Percent, Quantity, SignedAmount};
use super::page::{Limit, List, no_such_row};
use super::problem::{Code, Problem};
use crate::actions::draft_invoice::{self, DraftInvoice, Written, draft_invoice};
use crate::actions::finalize_invoice::{self, FinalizeInvoice, finalize_invoice};
use crate::actions::void_invoice::{VoidInvoice, void_invoice_once};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::ids::InvoiceId;
use billing::invoice::{CannotVoid as WhyNot, Lifecycle, Progress as Paid, progress};
use billing::line;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::invoices::{self, Filter};
use utoipa::{IntoParams, ToSchema};

/// Most lines of an invoice.
const MOST_LINES: usize = 500;

/// The stored part of an invoice's state.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being written; nothing is owed.
    Draft,
    /// Issued.
    Open,
    /// Cancelled; nothing is owed.
    Void,
    /// Written off; it can still be paid.
    Uncollectible,
}

/// How far an invoice is paid; a draft, a void or an uncollectible one shows that word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Nothing was paid.
    Unpaid,
    /// Something was paid, something is owed.
    PartiallyPaid,
    /// Nothing is owed and something was paid.
    Paid,
    /// Nothing is owed, though nothing was paid.
    Credited,
    /// It asked for nothing.
    NothingDue,
    /// It is a draft.
    Draft,
    /// It is void.
    Void,
    /// It was written off.
    Uncollectible,
}

/// A demand for payment. Amounts are in minor units of its currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invoice {
    /// Its id.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    pub(super) id: String,
    /// What people call it; null for a draft that gets its number when it is issued.
    #[schema(example = "INV-0042")]
    number: Option<String>,
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// What it is.
    status: Status,
    /// How far it is paid.
    progress: Progress,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What it asks for.
    #[schema(example = 125_000)]
    total: i64,
    /// The tax in it.
    tax: i64,
    /// What was paid: payments and credit set against it.
    #[schema(example = 50_000)]
    paid: i64,
    /// What credit notes and write-offs took off it.
    #[schema(example = 0)]
    reduced: i64,
    /// What payments in flight have asked for.
    pending: i64,
    /// What is owed.
    #[schema(example = 75_000)]
    open: i64,
    /// `open` less `pending`: the most that anybody may pay now.
    #[schema(example = 75_000)]
    payable_now: i64,
    /// The day it was issued, or written as long as it is a draft; in the merchant's time zone.
    #[schema(format = Date)]
    issued_on: String,
    /// The day it is due, in the merchant's time zone.
    #[schema(format = Date)]
    due_on: String,
    /// The customer's order number.
    purchase_order: Option<String>,
    /// A note to the customer.
    memo: Option<String>,
    /// Its lines; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lines: Option<Vec<InvoiceLine>>,
    /// When it was written.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was issued.
    #[schema(format = DateTime)]
    issued_at: Option<String>,
    /// When nothing was owed any more.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// One row of an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceLine {
    /// What for.
    #[schema(example = "Support, November")]
    description: String,
    /// How many, decimal text.
    #[schema(example = "1.5")]
    quantity: String,
    /// Price of one, minor units.
    unit_amount: i64,
    /// Tax on top, in percent, decimal text.
    #[schema(example = "19")]
    tax_rate: Option<String>,
    /// Quantity × price, half up, minor units.
    net: i64,
    /// Tax on it, half up, minor units.
    tax: i64,
}

/// An invoice as it is written.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer": "cus_06a8q2m0000000000000000000", "currency": "usd", "due_on": "2026-12-31",
    "lines": [{ "description": "Support, November", "quantity": 25, "unit_amount": 5000, "tax_rate": "8.875" }],
    "purchase_order": "PO 7042"
}))]
pub struct NewInvoice {
    /// Id of the customer.
    #[schema(inline)]
    customer: fields::CustomerId,
    /// ISO 4217.
    #[schema(inline)]
    currency: CurrencyCode,
    /// The day it is due, in the merchant's time zone.
    #[schema(inline)]
    due_on: Day,
    /// What is asked for.
    #[schema(min_items = 1, max_items = 500)]
    #[serde(deserialize_with = "lines")]
    lines: Vec<NewLine>,
    /// What people will call it; without it, it gets the next number when it is issued.
    #[schema(inline)]
    number: Option<Line<64>>,
    /// The customer's order number.
    #[schema(inline)]
    purchase_order: Option<Line<100>>,
    /// A note to the customer.
    #[schema(inline)]
    memo: Option<Lines<2000>>,
}

/// One row of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    /// What for.
    #[schema(inline)]
    description: Line<500>,
    /// How many: a whole number, or text such as "1.5" with at most six decimals.
    #[schema(inline)]
    quantity: Quantity,
    /// Price of one, minor units; below 0 for a deduction.
    #[schema(inline)]
    unit_amount: SignedAmount,
    /// Tax on top, in percent: a whole number, or text such as "8.875" with at most four decimals.
    #[schema(inline)]
    tax_rate: Option<Percent>,
}

fn lines<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<NewLine>, D::Error> {
    let lines = Vec::deserialize(from)?;
    if (1..=MOST_LINES).contains(&lines.len()) {
        Ok(lines)
    } else {
        Err(serde::de::Error::custom(format_args!("1 to {MOST_LINES} lines are expected")))
    }
}

/// Which invoices are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this invoice.
    #[param(inline)]
    starting_after: Option<fields::InvoiceId>,
    /// Those of one customer.
    #[param(inline)]
    customer: Option<fields::CustomerId>,
    /// Those in one state.
    #[param(inline)]
    status: Option<Status>,
    /// Those that are so far paid.
    #[param(inline)]
    progress: Option<Progress>,
    /// Those in one currency.
    #[param(inline)]
    currency: Option<CurrencyCode>,
    /// The one with this number.
    #[param(inline)]
    number: Option<Line<64>>,
    /// Those due on this day or later.
    #[param(inline)]
    due_from: Option<Day>,
    /// Those due on this day or earlier.
    #[param(inline)]
    due_to: Option<Day>,
}

impl Status {
    pub(super) const fn of(lifecycle: Lifecycle) -> Status {
        match lifecycle {
            Lifecycle::Draft => Status::Draft,
            Lifecycle::Open => Status::Open,
            Lifecycle::Void => Status::Void,
            Lifecycle::Uncollectible => Status::Uncollectible,
        }
    }

    const fn stored(self) -> Lifecycle {
        match self {
            Status::Draft => Lifecycle::Draft,
            Status::Open => Lifecycle::Open,
            Status::Void => Lifecycle::Void,
            Status::Uncollectible => Lifecycle::Uncollectible,
        }
    }
}

impl Progress {
    fn of(invoice: &invoices::Invoice) -> Progress {
        match invoice.lifecycle {
            Lifecycle::Draft => Progress::Draft,
            Lifecycle::Void => Progress::Void,
            Lifecycle::Uncollectible => Progress::Uncollectible,
            Lifecycle::Open => match progress(invoice.lifecycle, &invoice.figures) {
                Some(Paid::PartiallyPaid) => Progress::PartiallyPaid,
                Some(Paid::Paid) => Progress::Paid,
                Some(Paid::Credited) => Progress::Credited,
                Some(Paid::NothingDue) => Progress::NothingDue,
                Some(Paid::Unpaid) | None => Progress::Unpaid,
            },
        }
    }

    /// As the store filters it: a state, or a progress within the open ones.
    const fn stored(self) -> (Lifecycle, Option<Paid>) {
        match self {
            Progress::Draft => (Lifecycle::Draft, None),
            Progress::Void => (Lifecycle::Void, None),
            Progress::Uncollectible => (Lifecycle::Uncollectible, None),
            Progress::Unpaid => (Lifecycle::Open, Some(Paid::Unpaid)),
            Progress::PartiallyPaid => (Lifecycle::Open, Some(Paid::PartiallyPaid)),
            Progress::Paid => (Lifecycle::Open, Some(Paid::Paid)),
            Progress::Credited => (Lifecycle::Open, Some(Paid::Credited)),
            Progress::NothingDue => (Lifecycle::Open, Some(Paid::NothingDue)),
        }
    }
}

impl Invoice {
    fn of(invoice: &invoices::Invoice, lines: Option<&[invoices::InvoiceLine]>) -> Invoice {
        let figures = &invoice.figures;
        Invoice {
            id: invoice.id.to_string(),
            number: invoice.given_number().map(str::to_owned),
            customer: invoice.customer_id.to_string(),
            status: Status::of(invoice.lifecycle),
            progress: Progress::of(invoice),
            currency: figures.currency.code().to_ascii_lowercase(),
            total: figures.total_minor,
            tax: invoice.tax_minor,
            paid: figures.paid_minor,
            reduced: match invoice.lifecycle {
                Lifecycle::Draft | Lifecycle::Void => 0,
                _ => figures.total_minor - figures.open_minor - figures.paid_minor,
            },
            pending: figures.pending_minor,
            open: figures.open_minor,
            payable_now: figures.payable_now().minor(),
            issued_on: invoice.issued_on.to_string(),
            due_on: invoice.due_on.to_string(),
            purchase_order: invoice.purchase_order.clone(),
            memo: invoice.memo.clone(),
            lines: lines.map(|lines| lines.iter().map(InvoiceLine::of).collect()),
            created_at: invoice.created_at.to_string(),
            issued_at: invoice.issued_at.map(|at| at.to_string()),
            ended_at: invoice.ended_at.map(|at| at.to_string()),
        }
    }
}

impl InvoiceLine {
    fn of(line: &invoices::InvoiceLine) -> InvoiceLine {
        InvoiceLine {
            description: line.description.clone(),
            quantity: line.quantity.clone(),
            unit_amount: line.unit_amount_minor,
            tax_rate: line.tax_rate.map(|rate| rate.percent().to_string()),
            net: line.net_minor,
            tax: line.tax_minor,
        }
    }
}

impl NewLine {
    fn stored(self) -> line::Line {
        line::Line {
            description: self.description.0,
            quantity: self.quantity.0,
            unit_amount_minor: self.unit_amount.0,
            tax_rate: self.tax_rate.map(|percent| percent.0),
        }
    }
}

/// Write an invoice
///
/// It is a draft: nothing is owed, and nobody but you sees it, until it is issued with `finalize`.
#[utoipa::path(
    post, path = "/v1/invoices", tag = "Invoices", operation_id = "createInvoice",
    params(OptionalKey), request_body = NewInvoice,
    responses((status = 201, description = "The draft", body = Invoice), Common, CannotDraft),
    security(("key" = ["invoices:write"]))
)]
pub async fn create(
    State(app): State<App>,
    May(caller, _): May<InvoicesWrite>,
    key: MayRepeat,
    Body(new): Body<NewInvoice>,
) -> Result<Response, Problem> {
    let once = key.once(&caller, &Named { route: "POST /v1/invoices", of: "", body: &new }, told)?;
    let draft = DraftInvoice {
        merchant: caller.merchant,
        customer: new.customer.0,
        number: new.number.map(|number| number.0),
        currency: new.currency.0,
        due_on: new.due_on.0,
        purchase_order: new.purchase_order.map(|text| text.0),
        memo: new.memo.map(|text| text.0),
        lines: new.lines.into_iter().map(NewLine::stored).collect(),
    };
    use draft_invoice::CannotDraft as Why;
    made(draft_invoice(&app, draft, once).await?, told, |why| match why {
        Why::NoSuchCustomer => Problem::not_found().at("customer"),
        Why::Lines(error) => Problem::new(Code::InvalidLines, sentence(&error)).at("lines"),
        Why::NumberTaken(_) => {
            Problem::new(Code::NumberTaken, "Another invoice has this number.").at("number")
        }
    })
}

pub(super) fn told(written: &Written) -> Outcome<(String, String)> {
    let shown = Invoice::of(&written.invoice, Some(&written.lines));
    let json = serde_json::to_string(&shown)?;
    Ok((shown.id, json))
}

/// An error in a sentence.
pub(super) fn sentence(error: &dyn std::fmt::Display) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// List invoices, newest first
///
/// Without their lines. Filters go together: what is listed satisfies all of them.
#[utoipa::path(
    get, path = "/v1/invoices", tag = "Invoices", operation_id = "listInvoices", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Invoice>), Common, Unclear),
    security(("key" = ["invoices:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<InvoicesRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (before, limit) = (wanted.starting_after.map(|id| id.0), wanted.limit);
    let status = wanted.status.map(Status::stored);
    let (of_progress, progress) = wanted.progress.map(Progress::stored).unzip();
    if status.zip(of_progress).is_some_and(|(status, progress)| status != progress) {
        return Ok(List::<Invoice>::of(Vec::new(), limit).answer(&uri, |row| &row.id));
    }
    let filter = Filter {
        customer: wanted.customer.map(|id| id.0),
        lifecycle: status.or(of_progress),
        progress: progress.flatten(),
        currency: wanted.currency.map(|currency| currency.0),
        number: wanted.number.map(|number| number.0),
        due_from: wanted.due_from.map(|day| day.0),
        due_to: wanted.due_to.map(|day| day.0),
    };
    let read = async move |tx: &mut Tx| {
        if let Some(id) = before
            && invoices::find(tx, caller.merchant, id).await?.is_none()
        {
            return Ok(None);
        }
        invoices::newest(tx, caller.merchant, &filter, before, limit.and_one()).await.map(Some)
    };
    let rows = app.store.report(read).await?.ok_or_else(no_such_row)?;
    let rows = rows.iter().map(|invoice| Invoice::of(invoice, None)).collect();
    Ok(List::of(rows, limit).answer(&uri, |row: &Invoice| &row.id))
}

/// Show an invoice with its balances
#[utoipa::path(
    get, path = "/v1/invoices/{id}", tag = "Invoices", operation_id = "showInvoice",
    params(("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The invoice", body = Invoice), Common, NotFound),
    security(("key" = ["invoices:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<InvoicesRead>,
    At(id): At,
) -> Result<Json<Invoice>, Problem> {
    let id: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let read = async move |tx: &mut Tx| draft_invoice::written(tx, caller.merchant, id).await;
    let written = app.store.read(read).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(Invoice::of(&written.invoice, Some(&written.lines))))
}

/// Issue a draft
///
/// From now on it is owed, its customer sees it, and it is never edited again.
#[utoipa::path(
    post, path = "/v1/invoices/{id}/finalize", tag = "Invoices", operation_id = "finalizeInvoice",
    params(
        ("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    responses((status = 200, description = "The invoice, issued", body = Invoice), Common, CannotFinalize),
    security(("key" = ["invoices:write"]))
)]
pub async fn finalize(
    State(app): State<App>,
    May(caller, _): May<InvoicesWrite>,
    At(id): At,
    key: MayRepeat,
) -> Result<Response, Problem> {
    let invoice: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/invoices/{id}/finalize", of: &id, body: &() };
    let once = key.once(&caller, &named, told)?;
    let input = FinalizeInvoice { merchant: caller.merchant, invoice, actor: caller.actor() };
    use finalize_invoice::CannotFinalize as Why;
    // In a task of its own, as all that posts: a caller who leaves stops nothing half-way.
    let acting = app.clone();
    let ran = app.undisturbed(async move { finalize_invoice(&acting, input, once).await }).await?;
    done(ran, told, |why| match why {
        Why::NoSuchInvoice => Problem::not_found(),
        Why::NotDraft(_) => Problem::new(Code::NotDraft, sentence(&why)),
    })
}

/// Void an invoice
///
/// Refused while anything is paid on it or on its way.
#[utoipa::path(
    post, path = "/v1/invoices/{id}/void", tag = "Invoices", operation_id = "voidInvoice",
    params(
        ("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    responses((status = 200, description = "The invoice, void", body = Invoice), Common, CannotVoid),
    security(("key" = ["invoices:write"]))
)]
pub async fn void(
    State(app): State<App>,
    May(caller, _): May<InvoicesWrite>,
    At(id): At,
    key: MayRepeat,
) -> Result<Response, Problem> {
    let invoice: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/invoices/{id}/void", of: &id, body: &() };
    let once = key.once(&caller, &named, told)?;
    let input = VoidInvoice { merchant: caller.merchant, invoice, actor: caller.actor() };
    let acting = app.clone();
    let ran = app.undisturbed(async move { void_invoice_once(&acting, input, once).await }).await?;
    done(ran, told, |why| match why {
        None => Problem::not_found(),
        Some(WhyNot::NotOpen(is)) => Problem::new(
            Code::NotOpen,
            format!("The invoice is {}; only an open one can be voided.", is.as_str()),
        ),
        Some(why) => Problem::new(Code::CannotVoid, sentence(&why)),
    })
}
