//! What the merchant's people do.

use crate::world::{Issued, MERCHANT, World};
use billing::allocation::Surplus;
use billing::line::Line;
use billing::payment::Method;
use billing::surcharge::Surcharge;
use jiff::civil::date;
use ledger::{Currency, Money};
use paydown::actions::issue_credit_note::{IssueCreditNote, issue_credit_note};
use paydown::actions::issue_invoice::{self, NewInvoice, issue_invoice};
use paydown::actions::once::Ran;
use paydown::actions::record_payment::{RecordPayment, record_payment};
use paydown::actions::set_surcharge::{SetSurcharge, set_surcharge};
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use paydown::app::App;

pub(super) fn issue(world: &mut World) -> Result<(), String> {
    let customer = world.draw(world.customers.len());
    let customer = world.customers[customer].0;
    let currency = if world.often(15) { Currency::EUR } else { Currency::USD };
    let count = 1 + world.draw(3);
    let lines = (0..count)
        .map(|_| Line {
            description: "Work".to_owned(),
            quantity: 1.into(),
            unit_amount_minor: 200 + i64::try_from(world.draw(150_000)).unwrap_or(0),
            tax_rate: None,
        })
        .collect();
    let number = format!("INV-{}-{}", world.invoices.len(), world.diary.len());
    let new = NewInvoice {
        merchant: MERCHANT,
        customer_id: customer,
        number,
        currency,
        issued_on: date(2026, 11, 16),
        due_on: date(2026, 12, 16),
        purchase_order: None,
        memo: None,
        lines,
    };
    // Not known whether it was issued: whoever issues it again is told.
    for _ in 0..4 {
        let again = new.clone();
        match world.live(async move |app: App| issue_invoice(&app, again).await) {
            Some(Ok(Ok(issue_invoice::Issued::New(id) | issue_invoice::Issued::Unchanged(id)))) => {
                world.invoices.push(Issued { id, customer, currency });
                return Ok(());
            }
            Some(Ok(Err(why))) => return Err(format!("an invoice was refused: {why}")),
            Some(Err(error)) => world.excuse("issuing an invoice", &error)?,
            None => {}
        }
    }
    Ok(())
}

pub(super) fn record(world: &mut World) -> Result<(), String> {
    let Some(first) = world.some_invoice() else { return Ok(()) };
    let mut parts = vec![(first.id, 1 + i64::try_from(world.draw(90_000)).unwrap_or(0))];
    if world.often(30)
        && let Some(second) = world.some_invoice()
        && (second.customer, second.currency) == (first.customer, first.currency)
        && second.id != first.id
    {
        parts.push((second.id, 1 + i64::try_from(world.draw(50_000)).unwrap_or(0)));
    }
    let method = [Method::Cheque, Method::Wire, Method::Cash][world.draw(3)];
    let surplus = if world.often(60) { Surplus::CustomerCredit } else { Surplus::Refuse };
    let input = RecordPayment {
        merchant: MERCHANT,
        customer: None,
        method,
        reference: Some("1001".to_owned()),
        received_on: date(2026, 11, 16),
        currency: first.currency,
        amount_minor: None,
        allocations: parts,
        surplus,
        actor: "simulation".to_owned(),
    };
    match world.live(async move |app: App| record_payment(&app, input, None).await) {
        Some(Ok(Ran::New(recorded))) => {
            world.told(recorded.payment.id, first.id, recorded.payment.amount_minor, method);
            Ok(())
        }
        Some(Ok(_)) | None => Ok(()),
        Some(Err(error)) => world.excuse("recording a payment", &error),
    }
}

pub(super) fn void(world: &mut World) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let input = VoidInvoice { merchant: MERCHANT, invoice: invoice.id, actor: "simulation".to_owned() };
    match world.live(async move |app: App| void_invoice(&app, input).await) {
        Some(Err(error)) => world.excuse("voiding an invoice", &error),
        Some(Ok(None)) => Err(format!("{} is gone", invoice.id)),
        Some(Ok(Some(_))) | None => Ok(()),
    }
}

pub(super) fn credit(world: &mut World) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let minor = 1 + i64::try_from(world.draw(60_000)).unwrap_or(0);
    let amount = if world.often(80) { Some(Money::new(minor, invoice.currency)) } else { None };
    let input = IssueCreditNote {
        merchant: MERCHANT,
        invoice: invoice.id,
        amount,
        reason: "Less was delivered".to_owned(),
        actor: "simulation".to_owned(),
    };
    match world.live(async move |app: App| issue_credit_note(&app, input, None).await) {
        Some(Err(error)) => world.excuse("issuing a credit note", &error),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// What a card costs is passed on, or not any more.
pub(super) fn pass_on(world: &mut World) -> Result<(), String> {
    let cap_minor = [None, Some(500)][world.draw(2)];
    let surcharge = match world.often(60) {
        true => Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor },
        false => Surcharge::NONE,
    };
    let input = SetSurcharge {
        merchant: MERCHANT,
        customer: None,
        method: Method::Card,
        currency: Currency::USD,
        surcharge: Some(surcharge),
        actor: "alice".to_owned(),
    };
    match world.live(async move |app: App| set_surcharge(&app, input).await) {
        Some(Err(error)) => world.excuse("passing on what a card costs", &error),
        _ => Ok(()),
    }
}
