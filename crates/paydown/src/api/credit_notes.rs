//! `/v1/credit_notes`, `/v1/write_offs` and `/v1/returned_payment_demands`: what an invoice asks less for, what is given up of it,
//! and what is asked for a second time.

use super::answers::{
    CannotCredit, CannotDemand, CannotWriteOff, Common, NotFound, RequiredKey, Unclear, made,
};
use super::caller::{InvoicesRead, InvoicesWrite, May};
use super::credit::{at_most, in_its_currency, lower};
use super::extract::{Asked, At, Body, Named, Repeatable};
use super::fields::{self, Amount, CurrencyCode, Day, Line};
use super::invoices::{Invoice, sentence, told};
use super::page::{Limit, List, no_such_row};
use super::problem::{Code, Problem};
use crate::actions::demand_returned_payment::{self, DemandReturnedPayment, demand_returned_payment};
use crate::actions::issue_credit_note::{self, IssueCreditNote, Issued, issue_credit_note};
use crate::actions::write_off_invoice::{self, WriteOffInvoice, WrittenOff, write_off_invoice};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::credit_note::CannotCredit as CreditRule;
use billing::ids::CreditNoteId;
use billing::line::TaxRate;
use billing::write_off::CannotReduce;
use serde::{Deserialize, Serialize};
use store::credit_notes::{self, CreditNote as Stored};
use store::db::Tx;
use utoipa::{IntoParams, ToSchema};

/// A document that lowers what an invoice asks. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditNote {
    /// Its id.
    #[schema(example = "crn_06a8q2m0000000000000000000")]
    id: String,
    /// What people call it; the numbers of a merchant have no gap.
    #[schema(example = "CN-0001")]
    number: String,
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// All of it, tax included.
    #[schema(example = 11_900)]
    amount: i64,
    /// The tax in it.
    #[schema(example = 1_900)]
    tax: i64,
    /// The tax by rate.
    taxes: Vec<CreditedTax>,
    /// What it took off what is owed.
    #[schema(example = 11_900)]
    to_invoice: i64,
    /// What the invoice could not take, which is the customer's credit.
    #[schema(example = 0)]
    to_credit: i64,
    /// Why; payers read it.
    #[schema(example = "Two days less")]
    reason: String,
    /// The day it was issued, in the merchant's time zone.
    #[schema(format = Date)]
    issued_on: String,
    /// When it was issued.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Tax of one rate that was given back.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditedTax {
    /// Percent.
    #[schema(example = "19")]
    rate: String,
    /// Minor units.
    #[schema(example = 1_900)]
    amount: i64,
}

/// A credit note as it is entered.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "invoice": "inv_06a8q2m0000000000000000000", "amount": 11900, "reason": "Two days less"
}))]
pub struct NewCreditNote {
    /// Id of the invoice.
    #[schema(inline)]
    invoice: fields::InvoiceId,
    /// Tax included, minor units; without it, all that is left to credit.
    #[schema(inline)]
    amount: Option<Amount>,
    /// Why; payers read it.
    #[schema(inline, example = "Two days less")]
    reason: Line<200>,
}

/// Which credit notes are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this credit note.
    #[param(inline)]
    starting_after: Option<fields::CreditNoteId>,
}

/// A part of an invoice that was given up. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct WriteOff {
    /// Its id.
    #[schema(example = "wof_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What was given up.
    #[schema(example = 75_000)]
    amount: i64,
    /// Why.
    #[schema(example = "Insolvent")]
    reason: String,
    /// What the invoice is afterwards: `uncollectible` where all that was open was given up.
    status: super::invoices::Status,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A write-off as it is entered.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "invoice": "inv_06a8q2m0000000000000000000", "reason": "Insolvent" }))]
pub struct NewWriteOff {
    /// Id of the invoice.
    #[schema(inline)]
    invoice: fields::InvoiceId,
    /// Minor units; without it, all that is payable now.
    #[schema(inline)]
    amount: Option<Amount>,
    /// Why; for your books, no payer reads it.
    #[schema(inline, example = "Insolvent")]
    reason: Line<200>,
}

/// What is asked for a second time.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "customer": "cus_06a8q2m0000000000000000000", "due_on": "2026-12-14" }))]
pub struct NewDemand {
    /// Id of the customer.
    #[schema(inline)]
    customer: fields::CustomerId,
    /// The day it is due.
    #[schema(inline)]
    due_on: Day,
    /// Minor units; without it, all that is owed.
    #[schema(inline)]
    amount: Option<Amount>,
    /// ISO 4217; needed only where more than one currency is owed.
    #[schema(inline)]
    currency: Option<CurrencyCode>,
    /// What the line of the invoice says; without it, "Returned payment".
    #[schema(inline, example = "Returned payment of 2 November")]
    description: Option<Line<200>>,
}

impl CreditNote {
    fn of(note: &Stored, taxes: &[(TaxRate, i64)]) -> CreditNote {
        let taxes = taxes
            .iter()
            .map(|(rate, amount)| CreditedTax { rate: rate.percent().to_string(), amount: *amount });
        CreditNote {
            id: note.id.to_string(),
            number: note.number.clone(),
            customer: note.customer_id.to_string(),
            invoice: note.invoice_id.to_string(),
            currency: lower(note.amount),
            amount: note.amount.minor(),
            tax: note.tax_minor,
            taxes: taxes.collect(),
            to_invoice: note.to_invoice_minor,
            to_credit: note.amount.minor() - note.to_invoice_minor,
            reason: note.reason.clone(),
            issued_on: note.issued_on.to_string(),
            created_at: note.issued_at.to_string(),
        }
    }
}

/// Issue a credit note
///
/// An issued invoice is never edited: less is a credit note. It is of at most what the invoice asked for less earlier credit notes
/// and write-offs. What is payable takes it; the rest, for instance of an invoice that was paid, becomes the customer's credit,
/// which goes back to the invoice as soon as something is payable there. Its tax is the invoice's in proportion, by rate.
#[utoipa::path(
    post, path = "/v1/credit_notes", tag = "Credit", operation_id = "issueCreditNote",
    params(RequiredKey), request_body = NewCreditNote,
    responses((status = 201, description = "Issued", body = CreditNote), Common, CannotCredit),
    security(("key" = ["invoices:write"]))
)]
pub async fn issue(
    State(app): State<App>,
    May(caller, _): May<InvoicesWrite>,
    key: Repeatable,
    Body(new): Body<NewCreditNote>,
) -> Result<Response, Problem> {
    let once = key.once(&caller, &Named { route: "POST /v1/credit_notes", of: "", body: &new }, issued)?;
    let amount = in_its_currency(&app, caller.merchant, (new.invoice.0, "invoice"), new.amount).await?;
    let input = IssueCreditNote {
        merchant: caller.merchant,
        invoice: new.invoice.0,
        amount,
        reason: new.reason.0,
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran = app.undisturbed(async move { issue_credit_note(&acting, input, Some(once)).await }).await?;
    made(ran, issued, |why| {
        use issue_credit_note::CannotIssue as Why;
        let detail = sentence(&why);
        match why {
            Why::NoSuchInvoice => Problem::not_found().at("invoice"),
            Why::OtherCurrency(_) => Problem::new(Code::CurrencyMismatch, detail).at("amount"),
            Why::Rule(CreditRule::NotIssued(_)) => Problem::new(Code::NotOpen, detail).at("invoice"),
            Why::Rule(CreditRule::ReturnedPayment) => Problem::new(Code::CannotCredit, detail).at("invoice"),
            Why::Rule(CreditRule::NotPositive) => {
                Problem::new(Code::AmountAboveCreditable, "Nothing is left to credit.").at("invoice")
            }
            Why::Rule(CreditRule::MoreThanLeft(most)) => at_most(Code::AmountAboveCreditable, detail, most),
        }
    })
}

fn issued(issued: &Issued) -> Outcome<(String, String)> {
    let shown = CreditNote::of(&issued.note, &issued.taxes);
    Ok((shown.id.clone(), serde_json::to_string(&shown)?))
}

/// List credit notes, newest first
#[utoipa::path(
    get, path = "/v1/credit_notes", tag = "Credit", operation_id = "listCreditNotes", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<CreditNote>), Common, Unclear),
    security(("key" = ["invoices:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<InvoicesRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (merchant, limit) = (caller.merchant, wanted.limit);
    let before = wanted.starting_after.map(|id| id.0);
    let rows = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && credit_notes::find(tx, merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            let before = before.unwrap_or(CreditNoteId::from_bytes([0xff; 16]));
            let mut rows = Vec::new();
            for note in credit_notes::newest(tx, merchant, before, limit.and_one()).await? {
                let taxes = credit_notes::taxes(tx, merchant, note.id).await?;
                rows.push(CreditNote::of(&note, &taxes));
            }
            Ok(Some(rows))
        })
        .await?;
    Ok(List::of(rows.ok_or_else(no_such_row)?, limit).answer(&uri, |row: &CreditNote| &row.id))
}

/// Show a credit note
#[utoipa::path(
    get, path = "/v1/credit_notes/{id}", tag = "Credit", operation_id = "showCreditNote",
    params(("id" = String, Path, description = "Id of the credit note", example = "crn_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The credit note", body = CreditNote), Common, NotFound),
    security(("key" = ["invoices:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<InvoicesRead>,
    At(id): At,
) -> Result<Json<CreditNote>, Problem> {
    let id: CreditNoteId = id.parse().map_err(|_| Problem::not_found())?;
    let read = async move |tx: &mut Tx| issue_credit_note::find(tx, caller.merchant, id).await;
    let found = app.store.read(read).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(CreditNote::of(&found.note, &found.taxes)))
}

/// Write off an invoice, or a part of it
///
/// At most what is payable now: money on its way keeps its place. A write-off of all that is open makes the invoice
/// `uncollectible`; it can still be paid, and what comes undoes the write-off by as much.
#[utoipa::path(
    post, path = "/v1/write_offs", tag = "Invoices", operation_id = "writeOffInvoice",
    params(RequiredKey), request_body = NewWriteOff,
    responses((status = 201, description = "Written off", body = WriteOff), Common, CannotWriteOff),
    security(("key" = ["invoices:write"]))
)]
pub async fn write_off(
    State(app): State<App>,
    May(caller, _): May<InvoicesWrite>,
    key: Repeatable,
    Body(new): Body<NewWriteOff>,
) -> Result<Response, Problem> {
    let once = key.once(&caller, &Named { route: "POST /v1/write_offs", of: "", body: &new }, written_off)?;
    let amount = in_its_currency(&app, caller.merchant, (new.invoice.0, "invoice"), new.amount).await?;
    let input = WriteOffInvoice {
        merchant: caller.merchant,
        invoice: new.invoice.0,
        amount,
        reason: new.reason.0,
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran = app.undisturbed(async move { write_off_invoice(&acting, input, Some(once)).await }).await?;
    made(ran, written_off, |why| {
        use write_off_invoice::CannotWriteOff as Why;
        let detail = sentence(&why);
        match why {
            Why::NoSuchInvoice => Problem::not_found().at("invoice"),
            Why::OtherCurrency(_) => Problem::new(Code::CurrencyMismatch, detail).at("amount"),
            Why::Rule(CannotReduce::NotIssued(_)) => Problem::new(Code::NotOpen, detail).at("invoice"),
            Why::Rule(CannotReduce::NotPositive) => {
                Problem::new(Code::NothingPayable, "Nothing is payable on the invoice now.").at("invoice")
            }
            Why::Rule(CannotReduce::MoreThanPayable(most)) => at_most(Code::AmountAbovePayable, detail, most),
        }
    })
}

fn written_off(done: &WrittenOff) -> Outcome<(String, String)> {
    let WrittenOff { write_off, invoice } = done;
    let shown = WriteOff {
        id: write_off.id.to_string(),
        invoice: write_off.invoice_id.to_string(),
        currency: lower(write_off.amount),
        amount: write_off.amount.minor(),
        reason: write_off.reason.clone(),
        status: super::invoices::Status::of(invoice.lifecycle),
        created_at: write_off.at.to_string(),
    };
    Ok((shown.id.clone(), serde_json::to_string(&shown)?))
}

/// Ask for a returned payment again
///
/// What a bank took back after it had been spent is owed by the customer. It is demanded on a new invoice, which is no revenue a
/// second time and takes no credit note. How much is owed is shown with the customer's credit.
#[utoipa::path(
    post, path = "/v1/returned_payment_demands", tag = "Invoices", operation_id = "demandReturnedPayment",
    params(RequiredKey), request_body = NewDemand,
    responses((status = 201, description = "The invoice, issued", body = Invoice), Common, CannotDemand),
    security(("key" = ["invoices:write"]))
)]
pub async fn demand(
    State(app): State<App>,
    May(caller, _): May<InvoicesWrite>,
    key: Repeatable,
    Body(new): Body<NewDemand>,
) -> Result<Response, Problem> {
    let once =
        key.once(&caller, &Named { route: "POST /v1/returned_payment_demands", of: "", body: &new }, told)?;
    let input = DemandReturnedPayment {
        merchant: caller.merchant,
        customer: new.customer.0,
        currency: new.currency.map(|code| code.0),
        amount_minor: new.amount.map(|amount| amount.0),
        due_on: new.due_on.0,
        description: new.description.map(|line| line.0),
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran =
        app.undisturbed(async move { demand_returned_payment(&acting, input, Some(once)).await }).await?;
    made(ran, told, |why| {
        use demand_returned_payment::CannotDemand as Why;
        let detail = sentence(&why);
        match why {
            Why::NoSuchCustomer => Problem::not_found().at("customer"),
            Why::NothingOwed => Problem::new(Code::NothingOwed, detail).at("customer"),
            Why::WhichCurrency => Problem::new(Code::InvalidRequest, detail).at("currency"),
            Why::NotPositive => Problem::new(Code::AmountNotPositive, detail).at("amount"),
            Why::AboveOwed(most) => at_most(Code::AmountAboveOwed, detail, most),
        }
    })
}
