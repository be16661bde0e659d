//! S15: the payments of an invoice, newest first, each with what was left after it. Who made one is told as far as this
//! reader may know: names only to people of the same company who signed in.

use crate::pages::invoice::{By, PaymentRow, PaymentRowState};
use crate::pages::parts::Method;
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Fail;
use crate::portal::load::Loaded;
use billing::contact::masked_email;
use billing::ids::{ContactId, LinkId, PaymentId};
use billing::payment::PaymentState;
use ledger::Money;
use std::collections::HashMap;
use store::contacts::{self, Contact};
use store::db::Tx;
use store::links;
use store::payments::Payment;
use store::receipts::{self, ReceiptLine};

/// What the payments themselves do not say.
struct Around {
    lines: HashMap<PaymentId, ReceiptLine>,
    people: HashMap<ContactId, Contact>,
    sent_to: HashMap<LinkId, ContactId>,
}

/// Payments as the page lists them: their share of this invoice, and what was left after it.
pub async fn rows(ctx: &Ctx, loaded: &Loaded) -> Result<Vec<PaymentRow>, Fail> {
    let (merchant, invoice, customer) = (ctx.merchant.id, loaded.invoice.id, loaded.customer.id);
    let around = ctx
        .app
        .store
        .read(async move |tx: &mut Tx| {
            let people = contacts::list(tx, merchant, customer).await?.into_iter();
            let links = links::list_by_invoice(tx, merchant, invoice).await?.into_iter();
            Ok(Around {
                lines: receipts::lines_by_invoice(tx, merchant, invoice).await?.into_iter().collect(),
                people: people.map(|contact| (contact.id, contact)).collect(),
                sent_to: links.filter_map(|link| Some((link.id, link.contact_id?))).collect(),
            })
        })
        .await?;
    Ok(loaded.payments.iter().map(|payment| row(ctx, loaded, payment, &around)).collect())
}

fn row(ctx: &Ctx, loaded: &Loaded, payment: &Payment, around: &Around) -> PaymentRow {
    let money = |minor| Money::new(minor, loaded.invoice.figures.currency);
    let line = around.lines.get(&payment.id);
    let state = match (line, payment.state) {
        (Some(line), _) => PaymentRowState::Received { left_after: money(line.open_after_minor) },
        (None, PaymentState::Failed | PaymentState::Canceled) => PaymentRowState::NotCompleted,
        (None, PaymentState::RequiresAction) => PaymentRowState::Started,
        (None, _) => PaymentRowState::Checking,
    };
    PaymentRow {
        id: payment.id.to_string(),
        method: method(payment),
        amount: line.map_or(money(payment.amount_minor), |line| money(line.applied_minor)),
        by: by(ctx, loaded, payment, around),
        on: ctx.day(payment.captured_at.unwrap_or(payment.created_at)),
        state,
    }
}

fn by(ctx: &Ctx, loaded: &Loaded, payment: &Payment, around: &Around) -> Option<By> {
    match &loaded.access {
        Access::Contact => {
            let person = payment.contact_id.and_then(|id| around.people.get(&id));
            if let Some(person) = person.filter(|person| !person.name.is_empty()) {
                return Some(By::Person(person.name.clone()));
            }
            let sent_to = payment.link_id.and_then(|id| around.sent_to.get(&id));
            let person = person.or(sent_to.and_then(|id| around.people.get(id)))?;
            Some(By::Link { masked_email: masked_email(&person.email) })
        }
        Access::Link(grant) if ctx.is_own(payment) || payment.link_id == Some(grant.link_id) => None,
        Access::Link(_) => Some(By::Someone { company: loaded.customer.name.clone() }),
    }
}

/// How a payment was made.
pub fn method(payment: &Payment) -> Method {
    let brand = payment.card_brand.as_deref().map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    });
    Method::Card { brand, last4: payment.card_last4.clone() }
}
