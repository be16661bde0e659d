//! Whom a mail about a payment goes to. One place, so that the receipt and the bad news reach the same people.

use anyhow::Result;
use store::db::Tx;
use store::payments::Payment;
use store::{contacts, links};

/// Everyone who hears how a payment ended, each address once.
pub(super) async fn recipients(tx: &mut Tx, payment: &Payment) -> Result<Vec<String>> {
    let mut people: Vec<String> = payment.receipt_email.iter().cloned().collect();
    let of_link = match payment.link_id {
        Some(link) => links::find(tx, payment.merchant, link).await?.and_then(|link| link.contact_id),
        None => None,
    };
    for contact in [payment.contact_id, of_link].into_iter().flatten() {
        if let Some(contact) = contacts::find(tx, payment.merchant, contact).await? {
            people.push(contact.email);
        }
    }
    let mut seen = std::collections::HashSet::new();
    people.retain(|address| {
        billing::contact::comparable_email(address).is_some_and(|comparable| seen.insert(comparable))
    });
    Ok(people)
}
