//! `paydown invoice`: what is owed, and the links to it.

use super::serve::mail_goes;
use super::world::{At, Exit, stop, table};
use super::{InvoiceCommand, ListArgs};
use crate::actions::create_link::{Sent, create_link, link_url, revoke_links, send_invoice};
use crate::actions::void_invoice::{VoidInvoice, void_invoice};
use anyhow::{Context as _, Result};
use billing::ids::{InvoiceId, MerchantId};
use billing::invoice::progress;
use serde_json::{Value, json};
use store::customers;
use store::db::{Store, Tx};
use store::invoices::{self, Invoice};

pub(super) async fn run(at: &mut At<'_>, command: InvoiceCommand) -> Result<Exit> {
    match command {
        InvoiceCommand::List(args) => list(at, args).await,
        InvoiceCommand::Show { number } => show(at, &number).await,
        InvoiceCommand::Send { number } => send(at, &number).await,
        InvoiceCommand::Void { number } => void(at, &number).await,
        InvoiceCommand::Link { number, revoke } => link(at, &number, revoke).await,
    }
}

async fn list(at: &mut At<'_>, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| text.parse::<InvoiceId>()).transpose();
    let after = after.map_err(|error| stop(Exit::Usage, error.to_string()))?;
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let found =
        store.read(async move |tx: &mut Tx| invoices::in_cli_list(tx, id, after, limit).await).await?;
    let json = Value::Array(found.iter().map(invoice_json).collect());
    at.tell(&json, || {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|invoice| {
                vec![
                    invoice.number.clone(),
                    state(invoice).to_owned(),
                    invoice.due_on.to_string(),
                    invoice.figures.total().to_string(),
                    invoice.figures.paid().to_string(),
                    invoice.figures.payable_now().to_string(),
                    invoice.id.to_string(),
                ]
            })
            .collect();
        table(&["NUMBER", "STATE", "DUE", "TOTAL>", "PAID>", "LEFT TO PAY>", "ID"], &rows)
    })?;
    Ok(Exit::Done)
}

async fn show(at: &mut At<'_>, number: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, number).await?;
    let (merchant_id, customer_id) = (merchant.id, invoice.customer_id);
    let read = async move |tx: &mut Tx| customers::find(tx, merchant_id, customer_id).await;
    let customer = store.read(read).await?.context("an invoice has a customer")?;
    at.tell(&invoice_json(&invoice), || {
        let figures = &invoice.figures;
        format!(
            "Invoice      {}\nId           {}\nCustomer     {} ({})\nState        {}\nIssued       {}\nDue          {}\nTotal        {}\n\
             Paid         {}\nOn its way   {}\nOpen         {}\nLeft to pay  {}\n",
            invoice.number,
            invoice.id,
            customer.name,
            customer.id,
            state(&invoice),
            invoice.issued_on,
            invoice.due_on,
            figures.total(),
            figures.paid(),
            figures.pending(),
            figures.open(),
            figures.payable_now(),
        )
    })?;
    Ok(Exit::Done)
}

async fn send(at: &mut At<'_>, number: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, number).await?;
    let app = at.app(&config, store)?;
    match send_invoice(&app, merchant.id, invoice.id).await? {
        Some(Sent::Queued(contacts)) => {
            at.tell(&json!({ "number": invoice.number, "queued": contacts }), || {
                let people =
                    if contacts == 1 { "1 contact".to_owned() } else { format!("{contacts} contacts") };
                let place = mail_goes(&config.mail);
                format!("{} is queued for {people}; `paydown serve` sends it, {place}.", invoice.number)
            })?;
            Ok(Exit::Done)
        }
        Some(Sent::NoContact) => Err(stop(
            Exit::Refused,
            format!("the customer of {number} has no contact with an e-mail address"),
        )),
        Some(Sent::NothingLeft) => Err(stop(
            Exit::Refused,
            format!(
                "nothing is left on {number}, so there is nothing to ask for; `paydown invoice link {number}` prints a link"
            ),
        )),
        Some(Sent::NotOpen(lifecycle)) => {
            Err(stop(Exit::Refused, format!("{number} is {}, so it is not sent", lifecycle.as_str())))
        }
        None => Err(unknown(number)),
    }
}

async fn void(at: &mut At<'_>, number: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, number).await?;
    let input = VoidInvoice { merchant: merchant.id, invoice: invoice.id, actor: at.actor() };
    let app = at.app(&config, store)?;
    match void_invoice(&app, input).await? {
        Some(Ok(())) => {
            let told = json!({ "number": invoice.number, "status": "void" });
            at.tell(&told, || format!("{} is void.", invoice.number))?;
            Ok(Exit::Done)
        }
        Some(Err(why)) => Err(stop(Exit::Refused, format!("{number} is not voided: {why}"))),
        None => Err(unknown(number)),
    }
}

async fn link(at: &mut At<'_>, number: &str, revoke: bool) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let invoice = find(&store, merchant.id, number).await?;
    let app = at.app(&config, store)?;
    if revoke {
        let revoked = revoke_links(&app, merchant.id, invoice.id, at.actor()).await?;
        at.tell(&json!({ "number": invoice.number, "revoked": revoked }), || {
            let links = if revoked == 1 { "1 link".to_owned() } else { format!("{revoked} links") };
            format!("Taken back: {links} to {}.", invoice.number)
        })?;
        return Ok(Exit::Done);
    }
    let made = create_link(&app, merchant.id, invoice.id, None, &at.actor()).await?;
    let link = made.map_err(|why| stop(Exit::Refused, format!("{number} gets no link: {why}")))?;
    let url = link_url(&app, merchant.id, link);
    at.tell(&json!({ "number": invoice.number, "id": link.to_string(), "url": url }), || url.clone())?;
    Ok(Exit::Done)
}

/// The invoice with this number, or with this id.
pub(super) async fn find(store: &Store, merchant: MerchantId, number: &str) -> Result<Invoice> {
    let (wanted, id) = (number.to_owned(), number.parse::<InvoiceId>().ok());
    let found = store
        .read(async move |tx: &mut Tx| match (invoices::find_by_number(tx, merchant, &wanted).await?, id) {
            (None, Some(id)) => invoices::find(tx, merchant, id).await,
            (found, _) => Ok(found),
        })
        .await?;
    found.ok_or_else(|| unknown(number))
}

fn unknown(number: &str) -> anyhow::Error {
    stop(Exit::NotFound, format!("there is no invoice {number:?}; `paydown invoice list` shows them"))
}

/// How far it is, in one word of the API.
fn state(invoice: &Invoice) -> &'static str {
    progress(invoice.lifecycle, &invoice.figures)
        .map_or(invoice.lifecycle.as_str(), |progress| progress.as_str())
}

/// Others rely on these names: amounts are integers in minor units.
pub(super) fn invoice_json(invoice: &Invoice) -> Value {
    let figures = &invoice.figures;
    json!({
        "id": invoice.id.to_string(),
        "number": invoice.number,
        "customer": invoice.customer_id.to_string(),
        "status": invoice.lifecycle.as_str(),
        "progress": progress(invoice.lifecycle, figures).map(|progress| progress.as_str()),
        "currency": figures.currency.code(),
        "total": figures.total_minor,
        "paid": figures.paid_minor,
        "pending": figures.pending_minor,
        "open": figures.open_minor,
        "payable_now": figures.payable_now().minor(),
    })
}
