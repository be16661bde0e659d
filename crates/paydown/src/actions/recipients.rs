//! Whom a mail about a payment goes to. One place, so that the receipt and the bad news reach the same people.

use crate::actions::create_link;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::Result;
use billing::ids::{ContactId, InvoiceId, LinkId, MerchantId};
use store::contacts;
use store::db::Tx;
use store::links::{self, Link};
use store::mandates::Mandate;
use store::payments::Payment;

/// One who hears how a payment ended.
pub(super) struct Recipient {
    /// Their address.
    pub(super) email: String,
    /// The link that opens the invoice for them: the one the payment was started with, else one of their own.
    pub(super) link_id: LinkId,
}

/// Everyone who hears how a payment ended, each address once. A mail never carries an address that opens nothing for
/// its reader, so where the payment was started without a link, a link is made.
pub(super) async fn recipients(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    payment: &Payment,
    invoice: InvoiceId,
) -> Result<Vec<Recipient>> {
    let of_link = live_link(tx, payment).await?;
    let mut people: Vec<(String, Option<ContactId>)> =
        payment.receipt_email.iter().map(|email| (email.clone(), None)).collect();
    let known = [payment.contact_id, of_link.as_ref().and_then(|link| link.contact_id)];
    for contact in known.into_iter().flatten() {
        if let Some(contact) = contacts::find(tx, payment.merchant, contact).await? {
            people.push((contact.email, Some(contact.id)));
        }
    }
    let mut seen = std::collections::HashSet::new();
    people.retain(|(address, _)| {
        billing::contact::comparable_email(address).is_some_and(|comparable| seen.insert(comparable))
    });
    let mut recipients = Vec::new();
    for (email, contact) in people {
        let link_id = match &of_link {
            Some(link) => link.id,
            None => create_link::in_tx(tx, mint, secrets, (payment.merchant, invoice), contact).await?,
        };
        recipients.push(Recipient { email, link_id });
    }
    Ok(recipients)
}

/// The address of whoever gave a mandate: of the contact who signed in, else the one they gave.
pub(super) async fn person_of_mandate(
    tx: &mut Tx,
    merchant: MerchantId,
    mandate: &Mandate,
) -> Result<Option<String>> {
    if let Some(contact) = mandate.contact_id
        && let Some(contact) = contacts::find(tx, merchant, contact).await?
    {
        return Ok(Some(contact.email));
    }
    Ok(mandate.payer_email.clone())
}

/// The link the payment was started with, unless it was taken back.
async fn live_link(tx: &mut Tx, payment: &Payment) -> Result<Option<Link>> {
    let Some(id) = payment.link_id else { return Ok(None) };
    Ok(links::find(tx, payment.merchant, id).await?.filter(|link| link.revoked_at.is_none()))
}
