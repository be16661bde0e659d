//! S1: payment links. A GET only ever adds the invoice to the browser's session.

use crate::actions::open_payment_link::{OpenLink, Opened, open_payment_link, renew_link, renewed_to};
use crate::csrf::Posted;
use crate::pages::link::{LinkPage, LinkState};
use crate::portal::context::{Ctx, see_other};
use crate::portal::fail::Fail;
use crate::portal::next::Next;
use crate::secrets::token_hash;
use crate::session;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::Response;
use billing::contact::masked_email;
use billing::ids::{ContactId, InvoiceId, PaymentId};
use billing::invoice::{Progress, progress};
use billing::payment::PaymentState;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::Deserialize;
use store::db::Tx;
use store::invoices::{self, Invoice};
use store::{contacts, customers, payments, receipts};

/// Where a mail's link leads besides the invoice.
#[derive(Deserialize)]
pub struct To {
    to: Option<String>,
}

/// A form without fields of its own.
#[derive(Deserialize)]
pub struct Nothing {}

/// `GET /l/{token}`.
pub async fn open(ctx: Ctx, Path(token): Path<String>, Query(to): Query<To>) -> Result<Response, Fail> {
    let signed_in_for = ctx.contact.as_ref().map(|contact| contact.customer_id);
    let to = to.to.as_deref();
    match opened(&ctx, &token, to, signed_in_for).await? {
        Ok(gone_on) => Ok(gone_on),
        Err(Opened::Open(_) | Opened::Unknown) => Err(Fail::NotFound),
        Err(Opened::Revoked) => page(&ctx, StatusCode::GONE, LinkState::Revoked),
        Err(Opened::Void(invoice)) => {
            let on = ctx.day(invoice.ended_at.unwrap_or(ctx.now));
            page(&ctx, StatusCode::OK, LinkState::Void { number: invoice.number, on })
        }
        Err(Opened::Expired(at, contact)) => expired(&ctx, &token, at, contact).await,
        Err(Opened::OtherCompany(invoice)) => other_company(&ctx, (&token, to), &invoice).await,
    }
}

/// `POST /l/{token}/open`: "Open as Acme Inc", by somebody signed in for another company. What opens no more says so where
/// it is looked at.
pub async fn open_all_the_same(
    Path(token): Path<String>,
    Query(to): Query<To>,
    Posted { ctx, .. }: Posted<Nothing>,
) -> Result<Response, Fail> {
    Ok(match opened(&ctx, &token, to.to.as_deref(), None).await? {
        Ok(gone_on) => gone_on,
        Err(Opened::Unknown) => return Err(Fail::NotFound),
        Err(_) => see_other(&format!("/l/{}", urlencoded(&token))),
    })
}

/// `POST /l/{token}/new`: sends a new link to whom the old one was sent.
pub async fn renew(Path(token): Path<String>, Posted { ctx, .. }: Posted<Nothing>) -> Result<Response, Fail> {
    renew_link(&ctx.app, ctx.merchant.id, &token).await?.ok_or(Fail::NotFound)?;
    Ok(see_other(&format!("/l/{}/new", urlencoded(&token))))
}

/// `GET /l/{token}/new`: that it was sent; sends nothing. Where none was, it leads to what the link itself shows.
pub async fn renewed(ctx: Ctx, Path(token): Path<String>) -> Result<Response, Fail> {
    match renewed_to(&ctx.app, ctx.merchant.id, &token).await? {
        Some(sent_to) => {
            page(&ctx, StatusCode::OK, LinkState::Renewed { masked_email: masked_email(&sent_to) })
        }
        None => Ok(see_other(&format!("/l/{}", urlencoded(&token)))),
    }
}

/// On to what the link leads to, or why it leads nowhere.
async fn opened(
    ctx: &Ctx,
    token: &str,
    to: Option<&str>,
    signed_in_for: Option<billing::ids::CustomerId>,
) -> Result<Result<Response, Opened>, Fail> {
    let (new_token, new_hash) = session::new_token(&ctx.app.mint());
    let input = OpenLink {
        merchant: ctx.merchant.id,
        link_hash: token_hash(token),
        session_hash: ctx.session_hash().unwrap_or(new_hash),
        new_session: ctx.session.is_none(),
        signed_in_for,
    };
    let invoice = match open_payment_link(&ctx.app, input).await? {
        Opened::Open(invoice) => invoice,
        other => return Ok(Err(other)),
    };
    let back = ctx.next.as_ref().filter(|next| to.is_none() && next.invoice() == Some(invoice));
    let paid_by =
        if back.is_none() && to.is_none() { last_payment_of_paid(ctx, invoice).await? } else { None };
    let mut response = match (back, paid_by) {
        (Some(back), _) => ctx.go(back.as_str()),
        (None, Some(payment)) => ctx.go(&format!("/payments/{payment}/receipt")),
        (None, None) => ctx.go(&target(&format!("/invoices/{invoice}"), to)),
    };
    if ctx.next.is_some() {
        let forget = Next::forget(&ctx.app, ctx.merchant.id);
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    if ctx.session.is_none() {
        let name = session::session_name(&ctx.app.public_url, ctx.merchant.id);
        let cookie = session::set_cookie(&ctx.app.public_url, &name, &new_token);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(Ok(response))
}

/// The newest payment that succeeded, of an invoice that it paid in full. What customer credit paid has no receipt.
async fn last_payment_of_paid(ctx: &Ctx, invoice: InvoiceId) -> Result<Option<PaymentId>, Fail> {
    let merchant = ctx.merchant.id;
    let found = ctx.app.store.read(async move |tx: &mut Tx| {
        let found = invoices::find(tx, merchant, invoice).await?;
        let progress = found.and_then(|invoice| progress(invoice.lifecycle, &invoice.figures));
        if progress != Some(Progress::Paid) {
            return Ok(None);
        }
        let payments = payments::list_by_invoice(tx, merchant, invoice).await?;
        let succeeded = |id: &PaymentId| {
            payments.iter().any(|payment| payment.id == *id && payment.state == PaymentState::Succeeded)
        };
        let lines = receipts::lines_by_invoice(tx, merchant, invoice).await?;
        let newest = lines.into_iter().find(|(id, line)| line.applied_minor > 0 && succeeded(id));
        Ok(newest.filter(|(_, line)| line.open_after_minor == 0).map(|(id, _)| id))
    });
    Ok(found.await?)
}

/// A fixed list: the invoice, its amount, or the receipt of a payment.
fn target(invoice: &str, to: Option<&str>) -> String {
    match to {
        Some("amount") => format!("{invoice}/amount"),
        Some(to) => match to.strip_prefix("receipt/").and_then(|id| id.parse::<PaymentId>().ok()) {
            Some(payment) => format!("/payments/{payment}/receipt"),
            None => invoice.to_owned(),
        },
        None => invoice.to_owned(),
    }
}

async fn expired(
    ctx: &Ctx,
    token: &str,
    at: jiff::Timestamp,
    contact: Option<ContactId>,
) -> Result<Response, Fail> {
    let merchant = ctx.merchant.id;
    let found = match contact {
        Some(id) => {
            ctx.app.store.read(async move |tx: &mut Tx| contacts::find(tx, merchant, id).await).await?
        }
        None => None,
    };
    let renew = found.map(|contact| (masked_email(&contact.email), format!("/l/{token}/new")));
    let state = LinkState::Expired { on: ctx.day(at), renew };
    page(ctx, StatusCode::GONE, state)
}

async fn other_company(
    ctx: &Ctx,
    (token, to): (&str, Option<&str>),
    invoice: &Invoice,
) -> Result<Response, Fail> {
    let (merchant, customer) = (ctx.merchant.id, invoice.customer_id);
    let found = ctx.app.store.read(async move |tx: &mut Tx| customers::find(tx, merchant, customer).await);
    let (Some(customer), Some(contact)) = (found.await?, &ctx.contact) else { return Err(Fail::NotFound) };
    let to = to.map_or_else(String::new, |to| format!("?to={}", urlencoded(to)));
    let name = if contact.name.is_empty() { &contact.email } else { &contact.name };
    let state = LinkState::OtherCompany {
        name: name.clone(),
        company: contact.customer_name.clone(),
        invoice_for: customer.name,
        open_url: format!("/l/{token}/open{to}"),
    };
    page(ctx, StatusCode::OK, state)
}

/// A text as one part of an address; the dot of our tokens stays as mails write it.
pub fn urlencoded(text: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.');
    percent_encoding::utf8_percent_encode(text, PLAIN).to_string()
}

/// The page of a session that ended while somebody was at `ctx.here`; they come back to it by their link or by signing in.
pub fn session_ended(ctx: &Ctx, state: LinkState) -> Result<Response, Fail> {
    let mut response = page(ctx, StatusCode::FORBIDDEN, state)?;
    if let Some(here) = &ctx.here {
        response.headers_mut().append(header::SET_COOKIE, here.keep(&ctx.app, ctx.merchant.id));
    }
    Ok(response)
}

/// A page of S1.
pub fn page(ctx: &Ctx, status: StatusCode, state: LinkState) -> Result<Response, Fail> {
    ctx.page(status, &LinkPage { chrome: ctx.chrome(), state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fixed_targets_are_followed() {
        let payment = PaymentId::from_bytes([3; 16]);
        assert_eq!(target("/invoices/i", None), "/invoices/i");
        assert_eq!(target("/invoices/i", Some("amount")), "/invoices/i/amount");
        let receipt = format!("receipt/{payment}");
        assert_eq!(target("/invoices/i", Some(&receipt)), format!("/payments/{payment}/receipt"));
        for evil in ["//evil.example", "https:evil", "receipt/../..", "\\\\evil"] {
            assert_eq!(target("/invoices/i", Some(evil)), "/invoices/i");
        }
    }
}
