//! Invoices of a file become owed, each in a transaction of its own: one that cannot be is told with its row and stops
//! nothing else. The same file again changes nothing. A dry run is one transaction for the whole file, and leaves nothing.
//!
//! Whose invoice it is: customers of one name are told apart by their addresses, since a contact sees every invoice of its
//! customer. Another address under a known name is another customer until a person says otherwise, unless the one that is
//! known has no address yet; a known address under another name is another customer too, as who keeps the books of two firms
//! has it. Where `namesakes_together` is asked for, a name is one customer and an address that it does not have becomes a
//! contact of it; where several have the name already, the address decides between them. Each of these is told. Without an
//! address it is the only customer of that name; of several, the invoice is refused.

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
pub struct Imported {
    /// Whether it is owed now.
    pub outcome: Outcome,
    /// What the bookkeeper may not have meant: a sentence each, which begins with the row.
    pub notices: Vec<String>,
}

/// Whether an invoice of a file is owed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is; in a dry run it would be.
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

/// Ends a dry run: the transaction is rolled back with what the file came to.
#[derive(Debug, thiserror::Error)]
#[error("a dry run is rolled back")]
struct DryRun(Vec<Imported>);

/// How to import, and for whom.
#[derive(Debug, Clone)]
pub struct ImportAs {
    /// As the audit trail calls them.
    pub actor: String,
    /// Everything is tried and nothing stays.
    pub dry_run: bool,
    /// Another address under a known name is another contact of that customer, not another customer.
    pub namesakes_together: bool,
}

/// Imports the invoices of a file, in its order; tells of each in the same order.
pub async fn import_invoices(
    app: &App,
    merchant: MerchantId,
    invoices: Vec<ImportedInvoice>,
    how: &ImportAs,
) -> Result<Vec<Imported>> {
    if how.dry_run {
        return rehearse(app, merchant, invoices, how).await;
    }
    let mut all = Vec::with_capacity(invoices.len());
    for invoice in invoices {
        let (mint, how) = (app.mint(), how.clone());
        let import = async move |tx: &mut Tx| in_tx(tx, &mint, (merchant, &how), &invoice).await;
        all.push(app.store.write(import).await?);
    }
    Ok(all)
}

/// The whole file in one transaction that is rolled back: whose an invoice is depends on the customers that those before it
/// bring along.
async fn rehearse(
    app: &App,
    merchant: MerchantId,
    invoices: Vec<ImportedInvoice>,
    how: &ImportAs,
) -> Result<Vec<Imported>> {
    let (mint, how) = (app.mint(), how.clone());
    let rehearsal = async move |tx: &mut Tx| -> Result<Vec<Imported>> {
        let mut all = Vec::with_capacity(invoices.len());
        for invoice in &invoices {
            all.push(in_tx(tx, &mint, (merchant, &how), invoice).await?);
        }
        Err(DryRun(all).into())
    };
    app.store.write(rehearsal).await.or_else(|error| error.downcast::<DryRun>().map(|DryRun(all)| all))
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, how): (MerchantId, &ImportAs),
    imported: &ImportedInvoice,
) -> Result<Imported> {
    // Two imports at once would both find no customer and both make one.
    merchants::lock(tx, merchant).await?;
    let there = invoices::find_by_number(tx, merchant, &imported.number).await?;
    let customer = match &there {
        Some(there) => owner(tx, (merchant, there.customer_id), imported, how.namesakes_together).await?,
        None => find_customer(tx, merchant, imported, how.namesakes_together).await?,
    };
    let mut notices = Vec::new();
    let (customer_id, new_customer) = match customer {
        Found::One(id) => (id, false),
        Found::None if there.is_some() => return Ok(refusal(taken(imported))),
        Found::None => {
            notices.extend(shared_address(tx, merchant, imported).await?);
            notices.extend(shared_name(tx, merchant, imported).await?);
            (create(tx, mint, (merchant, &how.actor), imported).await?, true)
        }
        Found::Several => return Ok(refusal(unclear_customer(imported))),
    };
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
    let outcome = match issue_invoice::in_tx(tx, mint, &new).await? {
        Ok(Issued::New(invoice)) => {
            note(tx, mint, (merchant, &how.actor), (invoice, imported)).await?;
            Outcome::New { invoice, new_customer }
        }
        Ok(Issued::Unchanged(invoice)) => Outcome::Unchanged(invoice),
        Err(CannotIssue::NumberTaken(_)) => return Ok(refusal(taken(imported))),
        // The reader has added the lines up; an error here rolls the customer back as well.
        Err(error @ CannotIssue::Lines(_)) => return Err(error.into()),
    };
    if let (Some(email), false) = (&imported.email, new_customer)
        && create_customer::add_contact(tx, mint, &how.actor, (merchant, customer_id), "", email).await?
    {
        notices.push(new_contact(imported, email));
    }
    Ok(Imported { outcome, notices })
}

fn refusal(error: RowError) -> Imported {
    Imported { outcome: Outcome::Refused(error), notices: Vec::new() }
}

/// What to think of an address that a new customer shares with others.
async fn shared_address(
    tx: &mut Tx,
    merchant: MerchantId,
    imported: &ImportedInvoice,
) -> Result<Option<String>> {
    let Some(email) = &imported.email else { return Ok(None) };
    let Some(key) = comparable_email(email) else { return Ok(None) };
    let others = contacts::find_by_email(tx, merchant, &key).await?;
    Ok(others.first().map(|other| {
        format!(
            "row {}: {email} is a contact of {} already; {} is made a customer of its own. If both are one, correct the \
             name before it is imported",
            first_row(imported),
            other.customer_name,
            imported.customer_name
        )
    }))
}

/// What to think of a name that a new customer shares with others.
async fn shared_name(
    tx: &mut Tx,
    merchant: MerchantId,
    imported: &ImportedInvoice,
) -> Result<Option<String>> {
    let others = customers::find_by_name(tx, merchant, &imported.customer_name).await?;
    Ok((!others.is_empty()).then(|| {
        format!(
            "row {}: {} is the name of a customer with another address; a second one is made, and neither sees the \
             other's invoices. If both are one, import with --namesakes-together",
            first_row(imported),
            imported.customer_name
        )
    }))
}

fn new_contact(imported: &ImportedInvoice, email: &str) -> String {
    format!(
        "row {}: {email} becomes a contact of {}, who is known, and sees all its invoices",
        first_row(imported),
        imported.customer_name
    )
}

fn first_row(imported: &ImportedInvoice) -> usize {
    imported.rows.first().copied().unwrap_or(1)
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
    (merchant, id): (MerchantId, CustomerId),
    imported: &ImportedInvoice,
    by_name: bool,
) -> Result<Found> {
    let customer = customers::find(tx, merchant, id).await?;
    let same_name = customer.is_some_and(|there| name_key(&there.name) == name_key(&imported.customer_name));
    if !same_name || by_name {
        return Ok(if same_name { Found::One(id) } else { Found::None });
    }
    let same_email = match imported.email.as_deref().and_then(comparable_email) {
        Some(key) => contacts::list(tx, merchant, id).await?.iter().any(|contact| contact.email_key == key),
        None => true,
    };
    Ok(if same_email { Found::One(id) } else { Found::None })
}

/// The customer of this name who has this address, or else has none yet; the only one of this name, where no address is
/// given or a name is one customer. Whoever has another address is somebody else until a person says otherwise: a contact
/// sees every invoice of its customer.
async fn find_customer(
    tx: &mut Tx,
    merchant: MerchantId,
    imported: &ImportedInvoice,
    namesakes_together: bool,
) -> Result<Found> {
    let candidates = customers::find_by_name(tx, merchant, &imported.customer_name).await?;
    let key = imported.email.as_deref().and_then(comparable_email);
    let key = match (candidates.as_slice(), key) {
        ([], _) => return Ok(Found::None),
        ([only], None) => return Ok(Found::One(only.id)),
        ([only], Some(_)) if namesakes_together => return Ok(Found::One(only.id)),
        (_, None) => return Ok(Found::Several),
        (_, Some(key)) => key,
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
    Ok(match without_contacts {
        Some(id) => Found::One(id),
        None if namesakes_together => Found::Several,
        None => Found::None,
    })
}

async fn create(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, actor): (MerchantId, &str),
    imported: &ImportedInvoice,
) -> Result<CustomerId> {
    let contacts = imported.email.iter().map(|email| (String::new(), email.clone())).collect();
    let new =
        NewCustomer { merchant, name: imported.customer_name.clone(), address: String::new(), contacts };
    create_customer::in_tx(tx, mint, actor, &new).await
}

fn taken(imported: &ImportedInvoice) -> RowError {
    refused(
        imported,
        (&imported.number_column, &imported.number),
        "is the number of an invoice that says something else",
        "An issued invoice is never changed: void it and import it under another number",
    )
}

fn unclear_customer(imported: &ImportedInvoice) -> RowError {
    refused(
        imported,
        (&imported.customer_column, &imported.customer_name),
        "is the name of several customers",
        "Write the e-mail address of the one that is meant",
    )
}

fn refused(imported: &ImportedInvoice, (column, value): (&str, &str), problem: &str, fix: &str) -> RowError {
    RowError {
        row: first_row(imported),
        invoice: Some(imported.number.clone()),
        column: column.to_owned(),
        value: value.to_owned(),
        problem: problem.to_owned(),
        fix: fix.to_owned(),
    }
}
