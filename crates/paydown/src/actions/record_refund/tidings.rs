//! Who hears of a refund: the feed, and the payer by mail.

use super::Locked;
use crate::actions::recipients::{Recipient, recipients};
use crate::actions::request_refund::only_invoice;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::Result;
use billing::ids::{EventId, MailId};
use billing::refund::RefundMeaning;
use serde_json::json;
use store::db::Tx;
use store::events::{self, Event};
use store::mails::{self, MailKind, NewMail};
use store::payments;
use store::refunds::{Refund, RefundPart};

/// The event that others follow.
pub(in crate::actions) async fn tell(
    tx: &mut Tx,
    mint: &Mint,
    refund: &Refund,
    parts: &[RefundPart],
    kind: &str,
) -> Result<()> {
    let said = json!({
        "refund": refund.id.to_string(),
        "amount": refund.amount.minor(),
        "currency": refund.amount.currency().code(),
        "meaning": refund.meaning.map(RefundMeaning::as_str),
    });
    let event = Event {
        id: mint.id(EventId::new),
        kind: kind.to_owned(),
        invoice_id: only_invoice(parts),
        payment_id: refund.payment_id,
        data: said.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, refund.merchant, &event).await
}

/// Whoever got the receipt hears that money comes back, or that it could not. Credit that no payment bore has nobody who is known
/// to have paid it.
pub(super) async fn mail(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    locked: &Locked,
    succeeded: bool,
) -> Result<()> {
    let refund = &locked.refund;
    let of = refund.payment_id.or_else(|| locked.parts.iter().find_map(|part| part.payment_id));
    let Some(payment) = of else { return Ok(()) };
    let Some(payment) = payments::find(tx, refund.merchant, payment).await? else { return Ok(()) };
    let own = payments::invoices(tx, refund.merchant, payment.id).await?;
    let Some(invoice) = only_invoice(&locked.parts).or_else(|| own.first().copied()) else { return Ok(()) };
    let kind = if succeeded { MailKind::Refunded } else { MailKind::RefundFailed };
    for Recipient { email, link_id } in recipients(tx, mint, secrets, &payment, invoice).await? {
        let mail = NewMail {
            id: mint.id(MailId::new),
            kind,
            cause: refund.id.to_string(),
            recipient: email,
            invoice_id: Some(invoice),
            payment_id: Some(payment.id),
            link_id: Some(link_id),
            signin_id: None,
            created_at: mint.now,
        };
        mails::queue(tx, refund.merchant, &mail).await?;
    }
    Ok(())
}
