//! What staff and payers do with money that has no place, or not the right one: credit is applied, allocations are moved, receipts
//! without a payer are matched, returned payments are demanded, and what will never come is written off.

use crate::world::{Issued, MERCHANT, World};
use billing::ids::CreditApplicationId;
use billing::payment::Method;
use jiff::civil::date;
use ledger::{Currency, Money};
use paydown::actions::apply_credit::{ApplyCredit, apply_credit};
use paydown::actions::demand_returned_payment::{DemandReturnedPayment, demand_returned_payment};
use paydown::actions::match_receipt::{MatchReceipt, match_receipt};
use paydown::actions::move_allocation::{MoveAllocation, Whose, move_allocation};
use paydown::actions::once::Ran;
use paydown::actions::record_unmatched::{RecordUnmatched, record_unmatched};
use paydown::actions::write_off_invoice::{WriteOffInvoice, write_off_invoice};
use paydown::app::App;

impl World {
    fn some_minor(&mut self, below: usize) -> i64 {
        1 + i64::try_from(self.draw(below)).unwrap_or(0)
    }

    /// An amount, or all there is.
    fn some_money(&mut self, currency: Currency) -> Option<Money> {
        let minor = self.some_minor(40_000);
        self.often(60).then(|| Money::new(minor, currency))
    }

    fn another_invoice(&mut self, than: &Issued) -> Option<Issued> {
        let fits = |other: &&Issued| {
            other.id != than.id && (other.customer, other.currency) == (than.customer, than.currency)
        };
        let all: Vec<Issued> = self.invoices.iter().filter(fits).cloned().collect();
        let at = self.draw(all.len());
        all.get(at).cloned()
    }
}

/// Sent twice where the first answer did not come: one form is one application.
pub(super) fn apply(world: &mut World) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let id = world.live(async |app: App| app.mint().id(CreditApplicationId::new));
    let input = ApplyCredit {
        merchant: MERCHANT,
        id,
        invoice: invoice.id,
        amount: world.some_money(invoice.currency),
        contact: None,
        actor: "alice".to_owned(),
    };
    let twice = world.often(30);
    let mut first = None;
    for _ in 0..if twice { 2 } else { 1 } {
        let again = input.clone();
        match world.live(async move |app: App| apply_credit(&app, again, None).await) {
            Some(Ok(Ran::New(applied))) => {
                let amount = applied.application.amount;
                if *first.get_or_insert(amount) != amount {
                    return Err(format!("one form applied {amount} after {first:?}"));
                }
            }
            Some(Err(error)) => world.excuse("applying credit", &error)?,
            Some(Ok(_)) | None => {}
        }
    }
    Ok(())
}

pub(super) fn shift(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    let Some(from) = world.invoices.iter().find(|invoice| invoice.id == told.invoice).cloned() else {
        return Ok(());
    };
    let to = if world.often(60) { world.another_invoice(&from) } else { None };
    let input = MoveAllocation {
        merchant: MERCHANT,
        from: from.id,
        whose: Whose::Payment(told.payment),
        to: to.map(|to| to.id),
        amount: world.some_money(from.currency),
        actor: "alice".to_owned(),
    };
    match world.live(async move |app: App| move_allocation(&app, input, None).await) {
        Some(Err(error)) => world.excuse("moving an allocation", &error),
        _ => Ok(()),
    }
}

pub(super) fn write_off(world: &mut World) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let input = WriteOffInvoice {
        merchant: MERCHANT,
        invoice: invoice.id,
        amount: world.some_money(invoice.currency),
        reason: "Not worth the stamp".to_owned(),
        actor: "alice".to_owned(),
    };
    match world.live(async move |app: App| write_off_invoice(&app, input, None).await) {
        Some(Err(error)) => world.excuse("writing off", &error),
        _ => Ok(()),
    }
}

/// Money nobody knows whose it is; found out at once, later in parts, or never.
pub(super) fn receive(world: &mut World) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let amount = Money::new(world.some_minor(60_000), invoice.currency);
    let input = RecordUnmatched {
        merchant: MERCHANT,
        method: Method::Wire,
        amount,
        payer: Some("ACME LTD".to_owned()),
        reference: None,
        received_on: date(2026, 11, 16),
        actor: "alice".to_owned(),
    };
    match world.live(async move |app: App| record_unmatched(&app, input, None).await) {
        Some(Ok(Ran::New(receipt))) => world.receipts.push((receipt.id, amount)),
        Some(Err(error)) => return world.excuse("recording a receipt without a payer", &error),
        Some(Ok(_)) | None => {}
    }
    Ok(())
}

pub(super) fn place(world: &mut World) -> Result<(), String> {
    let at = world.draw(world.receipts.len());
    let Some((receipt, amount)) = world.receipts.get(at).copied() else { return Ok(()) };
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let part = if world.often(50) { amount.minor() } else { world.some_minor(30_000) };
    let credit_minor = if world.often(30) { world.some_minor(10_000) } else { 0 };
    let (allocations, customer) = match world.often(80) {
        true => (vec![(invoice.id, part)], None),
        false => (Vec::new(), Some(invoice.customer)),
    };
    let actor = "bob".to_owned();
    let input = MatchReceipt { merchant: MERCHANT, receipt, customer, allocations, credit_minor, actor };
    match world.live(async move |app: App| match_receipt(&app, input, None).await) {
        Some(Ok(Ran::New(matched))) => {
            world.told(matched.payment.id, invoice.id, amount.minor(), Method::Wire);
            Ok(())
        }
        Some(Err(error)) => world.excuse("matching a receipt", &error),
        Some(Ok(_)) | None => Ok(()),
    }
}

pub(super) fn demand(world: &mut World) -> Result<(), String> {
    let at = world.draw(world.customers.len());
    let customer = world.customers[at].0;
    let currency = if world.often(15) { Currency::EUR } else { Currency::USD };
    let input = DemandReturnedPayment {
        merchant: MERCHANT,
        customer,
        currency: Some(currency),
        amount_minor: None,
        due_on: date(2026, 12, 16),
        description: None,
        actor: "alice".to_owned(),
    };
    match world.live(async move |app: App| demand_returned_payment(&app, input, None).await) {
        Some(Ok(Ran::New(written))) => {
            world.invoices.push(Issued { id: written.invoice.id, customer, currency });
            Ok(())
        }
        Some(Err(error)) => world.excuse("demanding a returned payment", &error),
        Some(Ok(_)) | None => Ok(()),
    }
}
