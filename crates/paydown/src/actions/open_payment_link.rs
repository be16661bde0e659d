//! A payment link is opened: its invoice joins the browser's session. Nothing is consumed, so any number of fetches by
//! mail scanners is harmless; the secret is only ever compared as a hash.

use crate::actions::{create_link, limits};
use crate::app::App;
use crate::secrets::token_hash;
use anyhow::{Context as _, Result};
use billing::ids::{ContactId, CustomerId, InvoiceId, MailId, MerchantId};
use billing::invoice::Lifecycle;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::contacts;
use store::db::Tx;
use store::invoices::{self, Invoice};
use store::links::{self, Link};
use store::mails::{self, MailKind, NewMail};
use store::sessions::{self, Session};

/// An invoice that was opened by link closes after so long without use.
pub const LINK_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A link works for so long after its invoice has ended.
const LIFE_AFTER_END: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A session that came by link is worth nothing after so long, however much it is used.
const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What opening came to.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The session holds the invoice now.
    Open(InvoiceId),
    /// The link stopped working at this instant; a new one may be sent to this contact.
    Expired(Timestamp, Option<ContactId>),
    /// The merchant took it back.
    Revoked,
    /// The invoice was cancelled.
    Void(Box<Invoice>),
    /// Somebody of another company is signed in; nothing was opened.
    OtherCompany(Box<Invoice>),
    /// No link has this secret.
    Unknown,
}

/// Which link is opened, and by whom.
#[derive(Clone, Debug)]
pub struct OpenLink {
    /// Whose.
    pub merchant: MerchantId,
    /// SHA-256 of the link's secret.
    pub link_hash: [u8; 32],
    /// SHA-256 of the session's token, which may be a new one.
    pub session_hash: [u8; 32],
    /// True when the session has no row yet.
    pub new_session: bool,
    /// For which company somebody is signed in; `None` also when they asked to open it all the same.
    pub signed_in_for: Option<CustomerId>,
}

/// Opens a link.
pub async fn open_payment_link(app: &App, input: OpenLink) -> Result<Opened> {
    let now = app.clock.now();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &input, now).await).await
}

async fn in_tx(tx: &mut Tx, input: &OpenLink, now: Timestamp) -> Result<Opened> {
    let merchant = input.merchant;
    let found = links::find_by_token_hash(tx, merchant, &input.link_hash).await?;
    let Some(link) = found else { return Ok(Opened::Unknown) };
    let invoice = invoices::find(tx, merchant, link.invoice_id).await?.context("a link has an invoice")?;
    if let Some(closed) = closed(&link, &invoice, now) {
        return Ok(closed);
    }
    if input.signed_in_for.is_some_and(|customer| customer != invoice.customer_id) {
        return Ok(Opened::OtherCompany(Box::new(invoice)));
    }
    if input.new_session {
        let session = Session {
            token_hash: input.session_hash,
            contact_id: None,
            email_key: None,
            created_at: now,
            seen_at: now,
            expires_at: now + SESSION_LIFE,
        };
        sessions::insert(tx, merchant, &session).await?;
    }
    sessions::add_grant(tx, merchant, &input.session_hash, invoice.id, link.id, now).await?;
    Ok(Opened::Open(invoice.id))
}

/// Why the link opens nothing, if it does not.
fn closed(link: &Link, invoice: &Invoice, now: Timestamp) -> Option<Opened> {
    if link.revoked_at.is_some() {
        return Some(Opened::Revoked);
    }
    // One that was sent after the end, because an older one had stopped working, has its time too.
    let is_void = invoice.lifecycle == Lifecycle::Void;
    match invoice.ended_at.map(|ended| ended.max(link.created_at) + LIFE_AFTER_END) {
        Some(end) if end < now => Some(Opened::Expired(end, link.contact_id.filter(|_| !is_void))),
        _ if is_void => Some(Opened::Void(Box::new(invoice.clone()))),
        _ if invoice.lifecycle == Lifecycle::Draft => Some(Opened::Unknown),
        _ => None,
    }
}

/// Sends a new link to the contact an expired one was sent to; answers that contact's address. `None` where there is
/// nobody to send it to, or the link is not an expired one.
pub async fn renew_link(app: &App, merchant: MerchantId, token: &str) -> Result<Option<String>> {
    let (mint, secrets, hash) = (app.mint(), Arc::clone(&app.secrets), token_hash(token));
    app.store
        .write(async move |tx: &mut Tx| {
            let Some(link) = links::find_by_token_hash(tx, merchant, &hash).await? else { return Ok(None) };
            let found = invoices::find(tx, merchant, link.invoice_id).await?;
            let invoice = found.context("a link has an invoice")?;
            let Some(Opened::Expired(_, Some(contact))) = closed(&link, &invoice, mint.now) else {
                return Ok(None);
            };
            let Some(contact) = contacts::find(tx, merchant, contact).await? else { return Ok(None) };
            let asked = [(limits::RENEWALS_PER_LINK, link.id.to_string())];
            let asked = asked.each_ref().map(|(limit, key)| (*limit, key.as_str()));
            if limits::take(tx, merchant, &asked, mint.now).await?.is_some() {
                return Ok(Some(contact.email));
            }
            let new =
                create_link::in_tx(tx, &mint, &secrets, (merchant, invoice.id), Some(contact.id)).await?;
            let mail = NewMail {
                id: mint.id(MailId::new),
                kind: MailKind::Invoice,
                cause: new.to_string(),
                recipient: contact.email.clone(),
                invoice_id: Some(invoice.id),
                payment_id: None,
                link_id: Some(new),
                signin_id: None,
                created_at: mint.now,
            };
            mails::queue(tx, merchant, &mail).await?;
            Ok(Some(contact.email))
        })
        .await
}

/// The address of the contact an expired link was sent to, once a newer one that works has been sent to the same contact.
pub async fn renewed_to(app: &App, merchant: MerchantId, token: &str) -> Result<Option<String>> {
    let (now, hash) = (app.clock.now(), token_hash(token));
    app.store
        .read(async move |tx: &mut Tx| {
            let Some(link) = links::find_by_token_hash(tx, merchant, &hash).await? else { return Ok(None) };
            let found = invoices::find(tx, merchant, link.invoice_id).await?;
            let invoice = found.context("a link has an invoice")?;
            let Some(Opened::Expired(end, Some(contact))) = closed(&link, &invoice, now) else {
                return Ok(None);
            };
            let newer = links::list_by_invoice(tx, merchant, invoice.id).await?.into_iter().any(|other| {
                let sent_again = other.contact_id == Some(contact) && other.created_at > end;
                sent_again && closed(&other, &invoice, now).is_none()
            });
            if !newer {
                return Ok(None);
            }
            Ok(contacts::find(tx, merchant, contact).await?.map(|contact| contact.email))
        })
        .await
}

/// Notes that an invoice opened by link is still looked at, which keeps it open.
pub async fn keep_open(app: &App, merchant: MerchantId, session: [u8; 32], invoice: InvoiceId) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(async move |tx: &mut Tx| sessions::touch_grant(tx, merchant, &session, invoice, now).await)
        .await
        .map(drop)
}
