//! What a run came to, as text that is equal for runs that came to the same: no ids, no times.

use crate::world::{MERCHANT, World};
use billing::ids::{CustomerId, InvoiceId};
use billing::payment::PaymentState;
use paydown::app::App;
use std::fmt::Write as _;
use store::db::Tx;
use store::{
    allocations, disputes, invoices, payment_methods, payments, payouts, postings, receipts, refunds,
};

/// Every account there is.
pub const ACCOUNTS: [u16; 20] = [
    1000, 1100, 1150, 1200, 1220, 1250, 1300, 2100, 2150, 2200, 2300, 4000, 4050, 4060, 4100, 5100, 5110,
    5120, 5200, 5210,
];

/// Which payments a summary tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All that somebody was told of, in that order.
    All,
    /// Those that took money, in the order of their amounts: who tries again makes another payment.
    Captured,
}

impl World {
    /// Invoices, payments with where their money went, and every balance.
    pub fn summary(&mut self, of: Of) -> String {
        let invoices: Vec<InvoiceId> = self.invoices.iter().map(|invoice| invoice.id).collect();
        let told = self.payments.clone();
        let customers = self.customers.iter().map(|(customer, _)| *customer).collect();
        let summed = self.live(async move |app: App| {
            let mut text = String::new();
            for id in &invoices {
                let id = *id;
                let read = async move |tx: &mut Tx| invoices::find(tx, MERCHANT, id).await;
                let invoice = app.store.read(read).await?.expect("it was issued");
                writeln!(text, "invoice {:?} {:?}", invoice.lifecycle, invoice.figures)?;
            }
            let mut lines = Vec::new();
            for told in told {
                let id = told.payment;
                let read = async move |tx: &mut Tx| {
                    let payment = payments::find(tx, MERCHANT, id).await?.expect("it was told of");
                    let set = allocations::list_by_payment(tx, MERCHANT, id).await?;
                    Ok((payment, set, receipts::find(tx, MERCHANT, id).await?.is_some()))
                };
                let (payment, set, has_receipt) = app.store.read(read).await?;
                if of == Of::Captured
                    && matches!(payment.state, PaymentState::Canceled | PaymentState::Failed)
                {
                    continue;
                }
                let mut places: Vec<_> = invoices
                    .iter()
                    .map(|id| {
                        set.iter()
                            .filter(|set| set.invoice_id == *id)
                            .map(|set| set.amount_minor)
                            .sum::<i64>()
                    })
                    .collect();
                places.retain(|minor| *minor != 0);
                lines.push(format!(
                    "payment {:>9} {} {:?} captured {:?} set {places:?} receipt {has_receipt}",
                    payment.amount_minor,
                    payment.method.as_str(),
                    payment.state,
                    payment.captured,
                ));
            }
            if of == Of::Captured {
                lines.sort();
            }
            for line in lines {
                writeln!(text, "{line}")?;
            }
            for line in others(&app, customers).await? {
                writeln!(text, "{line}")?;
            }
            for account in ACCOUNTS {
                let read = async move |tx: &mut Tx| postings::balances(tx, MERCHANT, account).await;
                let mut balances = app.store.read(read).await?;
                balances.retain(|money| !money.is_zero());
                if !balances.is_empty() {
                    writeln!(text, "account {account} {balances:?}")?;
                }
            }
            anyhow::Ok(text)
        });
        summed.expect("nothing dies while reading").expect("everything can be read")
    }
}

/// Refunds, disputes, payouts and what people saved, in an order that does not depend on when we heard of them.
async fn others(app: &App, customers: Vec<CustomerId>) -> anyhow::Result<Vec<String>> {
    let read = async move |tx: &mut Tx| {
        let mut lines = Vec::new();
        for refund in refunds::list(tx, MERCHANT, None, (false, 1_000)).await? {
            lines.push(format!("refund {} {:?}", refund.amount, refund.state));
        }
        for dispute in disputes::newest(tx, MERCHANT, disputes::Of::Merchant, None, 1_000).await? {
            lines.push(format!("dispute {} {:?} {:?}", dispute.amount, dispute.state, dispute.lost_as));
        }
        for payout in payouts::newest(tx, MERCHANT, None, 1_000).await? {
            lines.push(format!("payout {} {:?}", payout.amount, payout.state));
        }
        for customer in &customers {
            for saved in payment_methods::list_of_customer(tx, MERCHANT, *customer).await? {
                let is_allowed = saved.mandate_id.is_some();
                lines.push(format!("saved {} {} mandate {is_allowed}", saved.name, saved.last4));
            }
        }
        Ok(lines)
    };
    let mut lines = app.store.read(read).await?;
    lines.sort();
    Ok(lines)
}
