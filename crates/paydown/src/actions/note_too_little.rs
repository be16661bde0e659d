//! So little is left on an invoice that no card can take it: the merchant is told, once, because the payer cannot do
//! anything about it. Nothing about money changes.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AnomalyId, EventId, InvoiceId, MerchantId};
use ledger::Money;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::events::{self, Event};
use store::invoices;

/// The event that says it was told.
const KIND: &str = "invoice.too_little_left";
/// An invoice with more events than this was told of it long ago.
const LOOK_BACK: i64 = 500;

/// Tells the merchant that `left` is too little for a card, unless it was told of this invoice before.
pub async fn note_too_little(app: &App, merchant: MerchantId, invoice: InvoiceId, left: Money) -> Result<()> {
    let was_told = async move |tx: &mut Tx| told(tx, merchant, invoice).await;
    if app.store.read(was_told).await? {
        return Ok(());
    }
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let Some(found) = invoices::lock(tx, merchant, invoice).await? else { return Ok(()) };
            if told(tx, merchant, invoice).await? {
                return Ok(());
            }
            let minor = left.minor();
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "too_little_left".to_owned(),
                payment_id: None,
                detail: format!(
                    "{minor} minor units are left on {}, less than a card can take",
                    found.number
                ),
                at: mint.now,
            };
            anomalies::insert(tx, merchant, &anomaly).await?;
            let event = Event {
                id: mint.id(EventId::new),
                kind: KIND.to_owned(),
                invoice_id: Some(invoice),
                payment_id: None,
                data: format!("{{\"left\":{minor}}}"),
                at: mint.now,
                feed_number: None,
            };
            events::append(tx, merchant, &event).await
        })
        .await
}

async fn told(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<bool> {
    let events = events::list_by_invoice(tx, merchant, invoice, LOOK_BACK).await?;
    Ok(events.iter().any(|event| event.kind == KIND))
}
