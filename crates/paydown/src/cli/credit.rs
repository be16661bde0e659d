//! `paydown credit`, `credit-note`, `write-off`, `returned-payment`: what we hold for customers, and what an invoice asks less for
//! or gives up.

use super::invoices::find;
use super::rules::customer_of;
use super::world::{At, Exit, stop, table};
use crate::actions::apply_credit::{ApplyCredit, apply_credit};
use crate::actions::demand_returned_payment::{DemandReturnedPayment, demand_returned_payment};
use crate::actions::issue_credit_note::{IssueCreditNote, issue_credit_note};
use crate::actions::move_allocation::{MoveAllocation, Whose, move_allocation};
use crate::actions::once::Ran;
use crate::actions::write_off_invoice::{WriteOffInvoice, write_off_invoice};
use anyhow::Result;
use billing::amount::{NumberMarks, Typed, parse_text};
use billing::ids::{CreditNoteId, GrantId, PaymentId};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use ledger::{Currency, Money};
use serde_json::{Value, json};
use store::credit_notes::{self, CreditNote};
use store::db::Tx;
use store::grants::StoredGrant;
use store::verify::holds_card_number;
use store::{grants, returned_payments};

#[derive(Debug, Subcommand)]
pub(super) enum CreditCommand {
    /// List what a customer has, in the order in which it is spent
    List {
        /// Name of the customer, the address of a contact, or cus_…
        customer: String,
    },
    /// Set credit against an invoice, the oldest first
    Apply {
        /// Number or id of the invoice
        number: String,
        /// How much, such as 40.00 [default: as much as there is and as is payable]
        #[arg(long)]
        amount: Option<String>,
    },
    /// Move what stands on an invoice to another one, or off to the customer's credit
    Move(MoveArgs),
}

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// Number or id of the invoice it is taken off
    from: String,
    /// Of this payment, pay_…
    #[arg(long, value_name = "ID", required_unless_present = "grant", conflicts_with = "grant")]
    payment: Option<PaymentId>,
    /// Of this grant of credit that was spent there, grt_…
    #[arg(long, value_name = "ID")]
    grant: Option<GrantId>,
    /// Number or id of the invoice it goes to [default: it becomes credit]
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// How much [default: all of it]
    #[arg(long)]
    amount: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CreditNoteCommand {
    /// Issue a credit note: less is asked of an invoice from now on
    Issue {
        /// Number or id of the invoice
        number: String,
        /// How much, tax included [default: all that is left to credit]
        #[arg(long)]
        amount: Option<String>,
        /// Why; payers read it
        #[arg(long)]
        reason: String,
    },
    /// List credit notes in the order in which they were issued
    List(super::ListArgs),
    /// Show a credit note
    Show {
        /// Number or id of the credit note
        number: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct WriteOffArgs {
    /// Number or id of the invoice
    number: String,
    /// How much [default: all that is payable now]
    #[arg(long)]
    amount: Option<String>,
    /// Why; for your books, no payer reads it
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReturnedPaymentCommand {
    /// Ask for a returned payment again, on a new invoice
    Demand {
        /// Name of the customer, the address of a contact, or cus_…
        customer: String,
        /// The day it is due, such as 2026-12-14
        #[arg(long, value_name = "DATE")]
        due: Date,
        /// In which currency, where more than one is owed
        #[arg(long, value_name = "CODE")]
        currency: Option<String>,
        /// What the line of the invoice says [default: Returned payment]
        #[arg(long)]
        description: Option<String>,
    },
}

pub(super) async fn run(at: &mut At<'_>, command: CreditCommand) -> Result<Exit> {
    match command {
        CreditCommand::List { customer } => list(at, &customer).await,
        CreditCommand::Apply { number, amount } => apply(at, &number, amount.as_deref()).await,
        CreditCommand::Move(args) => move_it(at, args).await,
    }
}

/// A text that is kept, without a card number.
pub(super) fn kept(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(stop(Exit::Usage, "write 1 to 200 characters in one line"));
    }
    if holds_card_number(text) {
        return Err(stop(Exit::Usage, "this text holds a card number; leave it out"));
    }
    Ok(text.to_owned())
}

/// An amount in a currency, written as the amount field of the portal takes it.
pub(super) fn amount_in(text: &str, currency: Currency) -> Result<Money> {
    match parse_text(text, currency, NumberMarks::ENGLISH) {
        Ok(Typed::Minor(minor)) if minor > 0 => Ok(Money::new(minor, currency)),
        _ => Err(stop(Exit::Usage, format!("{text:?} is no amount in {currency}"))),
    }
}

/// What an action without a key came to.
pub(super) fn ended<T, E: std::fmt::Display>(ran: Ran<T, E>) -> Result<T> {
    match ran {
        Ran::New(made) => Ok(made),
        Ran::Refused(why) => Err(stop(Exit::Refused, format!("nothing was done: {why}"))),
        Ran::Repeated(_) | Ran::OtherRequest => anyhow::bail!("an action without a key has no repeat"),
    }
}

async fn list(at: &mut At<'_>, customer: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let id = customer_of(&store, merchant.id, customer).await?;
    let merchant_id = merchant.id;
    let (left, owed, found) = store
        .read(async move |tx: &mut Tx| {
            let left = grants::left(tx, merchant_id, id).await?;
            let owed = returned_payments::owed(tx, merchant_id, id).await?;
            Ok((left, owed, grants::list_by_customer(tx, merchant_id, id, false).await?))
        })
        .await?;
    let sums = |sums: &[Money]| -> Value {
        sums.iter().map(|sum| json!({ "currency": sum.currency().code(), "amount": sum.minor() })).collect()
    };
    let json = json!({
        "customer": id.to_string(),
        "left": sums(&left),
        "owed_of_returned_payments": sums(&owed),
        "grants": found.iter().map(grant_json).collect::<Vec<_>>(),
    });
    at.tell(&json, || {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|grant| {
                vec![
                    grant.born.source.as_str().to_owned(),
                    grant.at.to_string(),
                    grant.born.amount.to_string(),
                    grant.left.to_string(),
                    grant.born.id.to_string(),
                ]
            })
            .collect();
        let mut text = table(&["SOURCE", "SINCE", "AMOUNT>", "LEFT>", "ID"], &rows);
        for sum in &left {
            text.push_str(&format!("Left in all: {sum}\n"));
        }
        for sum in &owed {
            text.push_str(&format!("Owed of returned payments: {sum}\n"));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn grant_json(grant: &StoredGrant) -> Value {
    let born = &grant.born;
    json!({
        "id": born.id.to_string(),
        "source": born.source.as_str(),
        "currency": born.amount.currency().code(),
        "amount": born.amount.minor(),
        "left": grant.left.minor(),
        "payment": born.payment_id.map(|id| id.to_string()),
        "credit_note": born.credit_note_id.map(|id| id.to_string()),
        "born_on": born.invoice_id.map(|id| id.to_string()),
        "created_at": grant.at.to_string(),
    })
}

async fn apply(at: &mut At<'_>, number: &str, amount: Option<&str>) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, number).await?;
    let amount = amount.map(|text| amount_in(text, invoice.figures.currency)).transpose()?;
    let app = at.app(&config, store)?;
    let input = ApplyCredit {
        merchant: merchant.id,
        id: None,
        invoice: invoice.id,
        amount,
        contact: None,
        actor: at.actor(),
    };
    let applied = ended(apply_credit(&app, input, None).await?)?;
    let (amount, left) = (applied.application.amount, applied.invoice.figures.payable_now());
    let json = json!({
        "id": applied.application.id.to_string(),
        "number": invoice.number,
        "amount": amount.minor(),
        "credit_left": applied.credit_left.minor(),
        "payable_now": left.minor(),
    });
    at.tell(&json, || {
        format!(
            "{amount} of credit is set against {}. Left to pay: {left}. Credit left: {}.",
            invoice.number, applied.credit_left
        )
    })?;
    Ok(Exit::Done)
}

async fn move_it(at: &mut At<'_>, args: MoveArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let from = find(&store, merchant.id, &args.from).await?;
    let to = match &args.to {
        Some(number) => Some(find(&store, merchant.id, number).await?),
        None => None,
    };
    let whose = match (args.payment, args.grant) {
        (Some(payment), _) => Whose::Payment(payment),
        (None, Some(grant)) => Whose::Grant(grant),
        (None, None) => return Err(stop(Exit::Usage, "name a payment or a grant")),
    };
    let amount = args.amount.map(|text| amount_in(&text, from.figures.currency)).transpose()?;
    let app = at.app(&config, store)?;
    let target = to.as_ref().map(|to| to.id);
    let input =
        MoveAllocation { merchant: merchant.id, from: from.id, whose, to: target, amount, actor: at.actor() };
    let moved = ended(move_allocation(&app, input, None).await?)?;
    let json = json!({
        "id": moved.off.id.to_string(),
        "from": from.number,
        "to": to.as_ref().map(|to| to.number.clone()),
        "grant": moved.grant.map(|grant| grant.to_string()),
        "amount": moved.amount.minor(),
    });
    at.tell(&json, || match (&to, moved.grant) {
        (Some(to), _) => format!("{} went from {} to {}.", moved.amount, from.number, to.number),
        (None, Some(grant)) => {
            format!("{} of {} is the customer's credit, {grant}.", moved.amount, from.number)
        }
        (None, None) => format!("{} was taken off {}.", moved.amount, from.number),
    })?;
    Ok(Exit::Done)
}

pub(super) async fn credit_note(at: &mut At<'_>, command: CreditNoteCommand) -> Result<Exit> {
    match command {
        CreditNoteCommand::Issue { number, amount, reason } => issue(at, &number, amount, &reason).await,
        CreditNoteCommand::List(args) => list_notes(at, args).await,
        CreditNoteCommand::Show { number } => show_note(at, &number).await,
    }
}

async fn issue(at: &mut At<'_>, number: &str, amount: Option<String>, reason: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, number).await?;
    let amount = amount.map(|text| amount_in(&text, invoice.figures.currency)).transpose()?;
    let app = at.app(&config, store)?;
    let reason = kept(reason)?;
    let input =
        IssueCreditNote { merchant: merchant.id, invoice: invoice.id, amount, reason, actor: at.actor() };
    let issued = ended(issue_credit_note(&app, input, None).await?)?;
    at.tell(&note_json(&issued.note), || note_text(&issued.note, &invoice.number))?;
    Ok(Exit::Done)
}

async fn list_notes(at: &mut At<'_>, args: super::ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| text.parse::<CreditNoteId>()).transpose();
    let after = after.map_err(|error| stop(Exit::Usage, error.to_string()))?;
    let after = after.unwrap_or(CreditNoteId::from_bytes([0; 16]));
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let found = store.read(async move |tx: &mut Tx| credit_notes::latest(tx, id, after, limit).await).await?;
    at.tell(&found.iter().map(note_json).collect(), || {
        let row = |note: &CreditNote| {
            let day = note.issued_on.to_string();
            vec![note.number.clone(), day, note.amount.to_string(), note.reason.clone(), note.id.to_string()]
        };
        table(&["NUMBER", "ISSUED", "AMOUNT>", "REASON", "ID"], &found.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(Exit::Done)
}

async fn show_note(at: &mut At<'_>, number: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let (wanted, id, merchant_id) = (number.to_owned(), number.parse::<CreditNoteId>().ok(), merchant.id);
    let found = store
        .read(async move |tx: &mut Tx| {
            match (credit_notes::find_by_number(tx, merchant_id, &wanted).await?, id) {
                (None, Some(id)) => credit_notes::find(tx, merchant_id, id).await,
                (found, _) => Ok(found),
            }
        })
        .await?;
    let unknown = || format!("there is no credit note {number:?}; `paydown credit-note list` shows them");
    let note = found.ok_or_else(|| stop(Exit::NotFound, unknown()))?;
    let invoice = find(&store, merchant.id, &note.invoice_id.to_string()).await?;
    at.tell(&note_json(&note), || note_text(&note, &invoice.number))?;
    Ok(Exit::Done)
}

fn note_text(note: &CreditNote, invoice: &str) -> String {
    let money = |minor| Money::new(minor, note.amount.currency());
    format!(
        "Credit note  {}\nId           {}\nInvoice      {invoice}\nIssued       {}\nAmount       {}\nTax in it    {}\n\
         Off what is owed  {}\nTo credit    {}\nReason       {}\n",
        note.number,
        note.id,
        note.issued_on,
        note.amount,
        money(note.tax_minor),
        money(note.to_invoice_minor),
        money(note.amount.minor() - note.to_invoice_minor),
        note.reason,
    )
}

fn note_json(note: &CreditNote) -> Value {
    json!({
        "id": note.id.to_string(),
        "number": note.number,
        "customer": note.customer_id.to_string(),
        "invoice": note.invoice_id.to_string(),
        "currency": note.amount.currency().code(),
        "amount": note.amount.minor(),
        "tax": note.tax_minor,
        "to_invoice": note.to_invoice_minor,
        "to_credit": note.amount.minor() - note.to_invoice_minor,
        "reason": note.reason,
        "issued_on": note.issued_on.to_string(),
    })
}

pub(super) async fn write_off(at: &mut At<'_>, args: WriteOffArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, &args.number).await?;
    let amount = args.amount.map(|text| amount_in(&text, invoice.figures.currency)).transpose()?;
    let app = at.app(&config, store)?;
    let reason = kept(&args.reason)?;
    let input =
        WriteOffInvoice { merchant: merchant.id, invoice: invoice.id, amount, reason, actor: at.actor() };
    let done = ended(write_off_invoice(&app, input, None).await?)?;
    let (amount, status) = (done.write_off.amount, done.invoice.lifecycle.as_str());
    let json = json!({
        "id": done.write_off.id.to_string(),
        "number": invoice.number,
        "amount": amount.minor(),
        "status": status,
        "open": done.invoice.figures.open_minor,
    });
    at.tell(&json, || format!("{amount} of {} is written off; it is {status}.", invoice.number))?;
    Ok(Exit::Done)
}

pub(super) async fn returned_payment(at: &mut At<'_>, command: ReturnedPaymentCommand) -> Result<Exit> {
    let ReturnedPaymentCommand::Demand { customer, due, currency, description } = command;
    let (config, store, merchant) = at.merchant().await?;
    let id = customer_of(&store, merchant.id, &customer).await?;
    let currency = currency.map(|code| Currency::try_new(&code)).transpose();
    let currency = currency.map_err(|error| stop(Exit::Usage, error.to_string()))?;
    let app = at.app(&config, store)?;
    let input = DemandReturnedPayment {
        merchant: merchant.id,
        customer: id,
        currency,
        amount_minor: None,
        due_on: due,
        description: description.as_deref().map(kept).transpose()?,
        actor: at.actor(),
    };
    let written = ended(demand_returned_payment(&app, input, None).await?)?;
    let (number, total) = (&written.invoice.number, written.invoice.figures.total());
    at.tell(&super::invoices::invoice_json(&written.invoice), || {
        format!("{number} asks for {total}; `paydown invoice send {number}` mails it.")
    })?;
    Ok(Exit::Done)
}
