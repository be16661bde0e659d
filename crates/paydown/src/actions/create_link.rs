//! Payment links: made, sent with the invoice, taken back. The secret is derived from the link's id under a key outside
//! the database, so a mail can be rendered when it is sent and only a hash is kept.

use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::{SecretKey, token_hash};
use anyhow::{Context as _, Result};
use billing::ids::{AuditId, ContactId, InvoiceId, LinkId, MailId, MerchantId};
use billing::invoice::Lifecycle;
use std::sync::Arc;
use store::audit::{self, AuditRow, acts};
use store::contacts;
use store::db::Tx;
use store::invoices;
use store::links::{self, Link};
use store::mails::{self, MailKind, NewMail};

/// The address a link is opened at.
pub fn link_url(app: &App, merchant: MerchantId, link: LinkId) -> String {
    format!("{}/l/{}", app.public_url, app.secrets.link_token(merchant.0, link.as_bytes()))
}

/// Why no link was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotLink {
    /// The merchant has no such invoice.
    #[error("there is no such invoice")]
    NoSuchInvoice,
    /// The invoice's customer has no such contact.
    #[error("the invoice's customer has no such contact")]
    NoSuchContact,
    /// A draft shows nothing to anybody, and a void invoice asks for nothing.
    #[error("the invoice is {}; only an issued one has links", .0.as_str())]
    NotOpen(Lifecycle),
}

/// Makes a link to an invoice; earlier ones keep working.
pub async fn create_link(
    app: &App,
    merchant: MerchantId,
    invoice: InvoiceId,
    contact: Option<ContactId>,
    actor: &str,
) -> Result<Result<LinkId, CannotLink>> {
    let asked = (merchant, invoice);
    match create_link_once(app, asked, contact, (actor.to_owned(), None)).await? {
        Ran::New(link) => Ok(Ok(link.id)),
        Ran::Refused(why) => Ok(Err(why)),
        Ran::Repeated(_) | Ran::OtherRequest => anyhow::bail!("there was no key"),
    }
}

/// Makes a link for a program, which may ask again.
pub async fn create_link_once(
    app: &App,
    (merchant, invoice): (MerchantId, InvoiceId),
    contact: Option<ContactId>,
    (actor, once): (String, Option<Once<Link>>),
) -> Result<Ran<Link, CannotLink>> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(before) = once::begin(tx, &mint, merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let outcome = match cannot_link(tx, (merchant, invoice), contact).await? {
                Some(why) => Err(why),
                None => {
                    let id = in_tx(tx, &mint, &secrets, (merchant, invoice), contact).await?;
                    let row = AuditRow {
                        id: mint.id(AuditId::new),
                        actor: actor.clone(),
                        act: acts::LINK_CREATE.to_owned(),
                        object: id.to_string(),
                        before: "null".to_owned(),
                        after: format!("\"{invoice}\""),
                        at: mint.now,
                    };
                    audit::append(tx, merchant, &row).await?;
                    Ok(links::find(tx, merchant, id).await?.context("it was just made")?)
                }
            };
            once::end(tx, merchant, once.as_ref(), outcome).await
        })
        .await
}

async fn cannot_link(
    tx: &mut Tx,
    (merchant, invoice): (MerchantId, InvoiceId),
    contact: Option<ContactId>,
) -> Result<Option<CannotLink>> {
    let Some(invoice) = invoices::find(tx, merchant, invoice).await? else {
        return Ok(Some(CannotLink::NoSuchInvoice));
    };
    if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
        return Ok(Some(CannotLink::NotOpen(invoice.lifecycle)));
    }
    if let Some(contact) = contact {
        let found = contacts::find(tx, merchant, contact).await?;
        if found.is_none_or(|contact| contact.customer_id != invoice.customer_id) {
            return Ok(Some(CannotLink::NoSuchContact));
        }
    }
    Ok(None)
}

/// The same within a transaction of the caller's.
pub async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    (merchant, invoice_id): (MerchantId, InvoiceId),
    contact_id: Option<ContactId>,
) -> Result<LinkId> {
    let id = mint.id(LinkId::new);
    let token_hash = token_hash(&secrets.link_token(merchant.0, id.as_bytes()));
    let link = Link { id, invoice_id, contact_id, token_hash, created_at: mint.now, revoked_at: None };
    let added = links::insert(tx, merchant, &link).await?;
    anyhow::ensure!(added, "two links have the same id");
    Ok(id)
}

/// What sending an invoice came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Queued for so many contacts.
    Queued(usize),
    /// The customer has no contact with an address.
    NoContact,
    /// Nothing is left on it, so there is nothing to ask for.
    NothingLeft,
    /// Drafts and void invoices are not sent.
    NotOpen(Lifecycle),
}

/// Queues the invoice for each contact of its customer, each with a link of their own. `None`: no such invoice.
pub async fn send_invoice(app: &App, merchant: MerchantId, invoice: InvoiceId) -> Result<Option<Sent>> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store.write(async move |tx: &mut Tx| send_in_tx(tx, &mint, &secrets, merchant, invoice).await).await
}

async fn send_in_tx(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    merchant: MerchantId,
    invoice_id: InvoiceId,
) -> Result<Option<Sent>> {
    let Some(invoice) = invoices::find(tx, merchant, invoice_id).await? else { return Ok(None) };
    if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
        return Ok(Some(Sent::NotOpen(invoice.lifecycle)));
    }
    if invoice.figures.open_minor == 0 {
        return Ok(Some(Sent::NothingLeft));
    }
    let people = contacts::list(tx, merchant, invoice.customer_id).await?;
    for contact in &people {
        let link = in_tx(tx, mint, secrets, (merchant, invoice_id), Some(contact.id)).await?;
        let mail = NewMail {
            id: mint.id(MailId::new),
            kind: MailKind::Invoice,
            cause: link.to_string(),
            recipient: contact.email.clone(),
            invoice_id: Some(invoice_id),
            payment_id: None,
            link_id: Some(link),
            signin_id: None,
            created_at: mint.now,
        };
        mails::queue(tx, merchant, &mail).await?;
    }
    Ok(Some(if people.is_empty() { Sent::NoContact } else { Sent::Queued(people.len()) }))
}

/// Takes back every link of an invoice; answers how many were live.
pub async fn revoke_links(app: &App, merchant: MerchantId, invoice: InvoiceId, actor: String) -> Result<u64> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let revoked = links::revoke_all(tx, merchant, invoice, mint.now).await?;
            let row = AuditRow {
                id: mint.id(AuditId::new),
                actor: actor.clone(),
                act: acts::LINK_REVOKE.to_owned(),
                object: invoice.to_string(),
                before: "null".to_owned(),
                after: revoked.to_string(),
                at: mint.now,
            };
            audit::append(tx, merchant, &row).await?;
            Ok(revoked)
        })
        .await
}
