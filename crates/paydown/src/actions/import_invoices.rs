//! Invoices of a file become owed, each in a transaction of its own: one that cannot be is told with its row and stops
//! nothing else. The same file again changes nothing.

use crate::actions::create_customer::{self, NewCustomer};
use crate::actions::issue_invoice::{self, CannotIssue, Issued, NewInvoice};
use crate::app::App;
use crate::clock::Mint;
use crate::import::{ImportedInvoice, RowError};
use anyhow::Result;
use billing::contact::comparable_email;
use billing::ids::{AuditId, CustomerId, InvoiceId, MerchantId};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::customers::{self, name_key};
use store::db::Tx;
use store::{contacts, invoices, merchants};

/// What one invoice of a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is owed now; in a dry run it would be.
    New {
        /// Which.
        invoice: InvoiceId,
        /// True if its customer was created with it.
        new_customer: bool,
    },
    /// The very same invoice was there.
    Unchanged(InvoiceId),
    /// It cannot be, and why.
    Refused(RowError),
}

/// Ends a dry run: the transaction is rolled back with what it came to.
#[derive(Debug, thiserror::Error)]
#[error("a dry run is rolled back")]
struct DryRun(Imported);

/// Imports one invoice for `actor`, as the audit trail calls them. With `dry_run` everything is tried and nothing stays.
pub async fn import_invoice(
    app: &App,
    merchant: MerchantId,
    invoice: ImportedInvoice,
    (actor, dry_run): (&str, bool),
) -> Result<Imported> {
    let (mint, actor) = (app.mint(), actor.to_owned());
    let outcome = app
        .store
        .write(async move |tx: &mut Tx| {
            let imported = in_tx(tx, &mint, (merchant, &actor), &invoice).await?;
            if dry_run { Err(DryRun(imported).into()) } else { Ok(imported) }
        })
        .await;
    outcome.or_else(|error| error.downcast::<DryRun>().map(|DryRun(imported)| imported))
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, actor): (MerchantId, &str),
    imported: &ImportedInvoice,
) -> Result<Imported> {
    // Two imports at once would both find no customer and both make one.
    merchants::lock(tx, merchant).await?;
    let there = invoices::find_by_number(tx, merchant, &imported.number).await?;
    let customer = match &there {
        Some(there) => owner(tx, merchant, there.customer_id, imported).await?,
        None => find_customer(tx, merchant, imported).await?,
    };
    let (customer_id, new_customer) = match customer {
        Found::One(id) => (id, false),
        Found::None if there.is_some() => return Ok(Imported::Refused(taken(imported))),
        Found::None => (create(tx, mint, merchant, imported).await?, true),
        Found::Several => return Ok(Imported::Refused(unclear_customer(imported))),
    };
    if let (Some(email), Found::One(_), None) = (&imported.email, &customer, &there) {
        create_customer::add_contact(tx, mint, (merchant, customer_id), "", email).await?;
    }
    let new = NewInvoice {
        merchant,
        customer_id,
        number: imported.number.clone(),
        currency: imported.currency,
        issued_on: imported.issued_on,
        due_on: imported.due_on,
        purchase_order: imported.purchase_order.clone(),
        memo: imported.memo.clone(),
        lines: imported.lines.clone(),
    };
    Ok(match issue_invoice::in_tx(tx, mint, &new).await? {
        Ok(Issued::New(invoice)) => {
            note(tx, mint, (merchant, actor), (invoice, imported)).await?;
            Imported::New { invoice, new_customer }
        }
        Ok(Issued::Unchanged(invoice)) => Imported::Unchanged(invoice),
        Err(CannotIssue::NumberTaken(_)) => Imported::Refused(taken(imported)),
        // The reader has added the lines up; an error here rolls the customer back as well.
        Err(error @ CannotIssue::Lines(_)) => return Err(error.into()),
    })
}

async fn note(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, actor): (MerchantId, &str),
    (invoice, imported): (InvoiceId, &ImportedInvoice),
) -> Result<()> {
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.to_owned(),
        act: acts::INVOICE_IMPORT.to_owned(),
        object: invoice.to_string(),
        before: "null".to_owned(),
        after: json!({ "number": imported.number, "customer": imported.customer_name }).to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await
}

enum Found {
    One(CustomerId),
    None,
    Several,
}

/// The customer of an invoice that is there, if the file means the same one.
async fn owner(
    tx: &mut Tx,
    merchant: MerchantId,
    id: CustomerId,
    imported: &ImportedInvoice,
) -> Result<Found> {
    let customer = customers::find(tx, merchant, id).await?;
    let same_name = customer.is_some_and(|there| name_key(&there.name) == name_key(&imported.customer_name));
    let same_email = match imported.email.as_deref().and_then(comparable_email) {
        Some(key) => contacts::list(tx, merchant, id).await?.iter().any(|contact| contact.email_key == key),
        None => true,
    };
    Ok(if same_name && same_email { Found::One(id) } else { Found::None })
}

/// The customer of this name who has this address; or, of this name, the one who has none yet.
///
/// A name alone is not enough where an address is given: two customers of one name must not see each other's invoices.
async fn find_customer(tx: &mut Tx, merchant: MerchantId, imported: &ImportedInvoice) -> Result<Found> {
    let candidates = customers::find_by_name(tx, merchant, &imported.customer_name).await?;
    let Some(key) = imported.email.as_deref().and_then(comparable_email) else {
        return Ok(match candidates.as_slice() {
            [] => Found::None,
            [only] => Found::One(only.id),
            _ => Found::Several,
        });
    };
    let mut without_contacts = None;
    for candidate in &candidates {
        let people = contacts::list(tx, merchant, candidate.id).await?;
        if people.iter().any(|contact| contact.email_key == key) {
            return Ok(Found::One(candidate.id));
        }
        if people.is_empty() {
            without_contacts.get_or_insert(candidate.id);
        }
    }
    Ok(without_contacts.map_or(Found::None, Found::One))
}

async fn create(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    imported: &ImportedInvoice,
) -> Result<CustomerId> {
    let contacts = imported.email.iter().map(|email| (String::new(), email.clone())).collect();
    let new =
        NewCustomer { merchant, name: imported.customer_name.clone(), address: String::new(), contacts };
    create_customer::in_tx(tx, mint, &new).await
}

fn taken(imported: &ImportedInvoice) -> RowError {
    refused(
        imported,
        ("Number", &imported.number),
        "is the number of an invoice that says something else",
        "An issued invoice is never changed: void it and import it under another number",
    )
}

fn unclear_customer(imported: &ImportedInvoice) -> RowError {
    refused(
        imported,
        ("Customer", &imported.customer_name),
        "is the name of several customers",
        "Add the e-mail address of the one that is meant",
    )
}

fn refused(imported: &ImportedInvoice, (column, value): (&str, &str), problem: &str, fix: &str) -> RowError {
    RowError {
        row: imported.rows.first().copied().unwrap_or(1),
        invoice: Some(imported.number.clone()),
        column: column.to_owned(),
        value: value.to_owned(),
        problem: problem.to_owned(),
        fix: fix.to_owned(),
    }
}
