//! S15: the payments of an invoice, newest first, each with what was left after it. Who made one is told as far as this
//! reader may know: names only to people of the same company who signed in.

use crate::pages::invoice::{By, PaymentRow, PaymentRowState};
use crate::pages::parts::Method;
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Fail;
use crate::portal::load::Loaded;
use crate::portal::refunds::Told;
use billing::contact::masked_email;
use billing::ids::{AllocationId, ContactId, LinkId, PaymentId};
use billing::payment::PaymentState;
use jiff::Timestamp;
use ledger::Money;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use store::allocations::{self, Allocation};
use store::contacts::{self, Contact};
use store::credit_notes::{self, CreditNote};
use store::db::Tx;
use store::disputes;
use store::links;
use store::payments::Payment;
use store::receipts::{self, ReceiptLine};
use store::refunds::{self, RefundOfInvoice};
use store::write_offs::{self, WriteOff};

/// What the payments themselves do not say.
struct Around {
    allocations: Vec<Allocation>,
    moved: HashSet<AllocationId>,
    notes: Vec<CreditNote>,
    write_offs: Vec<WriteOff>,
    lines: HashMap<PaymentId, ReceiptLine>,
    people: HashMap<ContactId, Contact>,
    sent_to: HashMap<LinkId, ContactId>,
    /// Payments that the card's bank looks into.
    contested: HashSet<PaymentId>,
    refunds: Vec<RefundOfInvoice>,
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
                allocations: allocations::list_by_invoice(tx, merchant, invoice).await?,
                moved: allocations::moved(tx, merchant, invoice).await?.into_iter().collect(),
                notes: credit_notes::list_by_invoice(tx, merchant, invoice).await?,
                write_offs: write_offs::list_by_invoice(tx, merchant, invoice).await?,
                lines: receipts::lines_by_invoice(tx, merchant, invoice).await?.into_iter().collect(),
                people: people.map(|contact| (contact.id, contact)).collect(),
                sent_to: links.filter_map(|link| Some((link.id, link.contact_id?))).collect(),
                contested: disputes::contested(tx, merchant, invoice).await?.into_iter().collect(),
                refunds: refunds::of_invoice(tx, merchant, invoice).await?,
            })
        })
        .await?;
    // Money that came to this invoice from another one has its row as such.
    let is_here = |payment: &&Payment| {
        let captured = payment.captured.is_some_and(|captured| captured.currency() == payment.currency);
        around.lines.contains_key(&payment.id) || !captured
    };
    let payments = loaded.payments.iter().filter(is_here);
    let payments = payments.map(|payment| (when(payment), row(ctx, loaded, payment, &around)));
    let mut rows: Vec<_> = steps(ctx, loaded, &around).into_iter().chain(payments).collect();
    rows.sort_by_key(|(at, _)| Reverse(*at));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// When a payment was received, or else started.
fn when(payment: &Payment) -> Timestamp {
    payment.captured_at.unwrap_or(payment.created_at)
}

/// What else lowered or raised what is owed: credit that was used or went back, what was moved, credit notes. What was left after
/// each is reckoned back from what is open now.
fn steps(ctx: &Ctx, loaded: &Loaded, around: &Around) -> Vec<(Timestamp, PaymentRow)> {
    let figures = &loaded.invoice.figures;
    let money = |minor| Money::new(minor, figures.currency);
    let mut steps: Vec<(Timestamp, i64, Option<Step<'_>>)> = Vec::new();
    for allocation in &around.allocations {
        let is_step = allocation.grant_id.is_some()
            || around.moved.contains(&allocation.id)
            || around.is_lineless(allocation);
        steps.push((allocation.at, allocation.amount_minor, is_step.then_some(Step::Allocated(allocation))));
    }
    for note in &around.notes {
        steps.push((note.issued_at, note.to_invoice_minor, Some(Step::Credited(note))));
    }
    for write_off in &around.write_offs {
        steps.push((write_off.at, write_off.amount.minor(), None));
    }
    // Newest first, also of one instant.
    steps.reverse();
    steps.sort_by_key(|(at, ..)| Reverse(*at));
    let mut open_minor = figures.open_minor;
    let mut rows = Vec::new();
    for (at, minor, step) in steps {
        let left_after = money(open_minor);
        open_minor = open_minor.saturating_add(minor);
        let Some(step) = step else { continue };
        let (id, method, amount, state) = match step {
            Step::Credited(note) => (
                None,
                Method::CreditNote { number: note.number.clone() },
                note.amount,
                PaymentRowState::Credited { left_after },
            ),
            Step::Allocated(part) => {
                let state = match (around.moved.contains(&part.id), part.payment_id) {
                    (false, _) if around.is_lineless(part) => PaymentRowState::Received { left_after },
                    (true, _) => PaymentRowState::Moved { left_after, here: part.amount_minor > 0 },
                    (false, Some(_)) => PaymentRowState::Applied { left_after },
                    (false, None) => PaymentRowState::Used { left_after },
                };
                let method = around.method_of(loaded, part);
                (part.payment_id, method, money(part.amount_minor), state)
            }
        };
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        rows.push((
            at,
            PaymentRow { id, method, amount, by: None, on: ctx.day(at), state, refunds: Vec::new() },
        ));
    }
    rows
}

/// A step that the page shows.
enum Step<'a> {
    Allocated(&'a Allocation),
    Credited(&'a CreditNote),
}

impl Around {
    /// True for money that found its place here only later, so that its receipt does not name this invoice.
    fn is_lineless(&self, part: &Allocation) -> bool {
        let is_of_payment =
            part.grant_id.is_none() && !self.moved.contains(&part.id) && part.amount_minor > 0;
        is_of_payment && part.payment_id.is_some_and(|id| !self.lines.contains_key(&id))
    }

    /// How the money of a part came: by its payment where that is what was moved, else as credit.
    fn method_of(&self, loaded: &Loaded, part: &Allocation) -> Method {
        let payment = loaded.payments.iter().find(|payment| Some(payment.id) == part.payment_id);
        match payment.filter(|_| part.grant_id.is_none()) {
            Some(payment) => method(payment, matches!(loaded.access, Access::Contact)),
            None => Method::Credit,
        }
    }
}

fn row(ctx: &Ctx, loaded: &Loaded, payment: &Payment, around: &Around) -> PaymentRow {
    let money = |minor| Money::new(minor, loaded.invoice.figures.currency);
    let line = around.lines.get(&payment.id);
    let state = match (line, payment.state) {
        (_, PaymentState::Returned) => {
            let on = ctx.day(payment.returned_at.unwrap_or(payment.changed_at));
            match payment.reversal() {
                Some(kind) => PaymentRowState::Reversed { on, kind },
                None => PaymentRowState::TakenBack { on },
            }
        }
        (_, PaymentState::ChargedBack) => PaymentRowState::TakenBack { on: ctx.day(payment.changed_at) },
        (Some(line), _) if around.contested.contains(&payment.id) => {
            PaymentRowState::Contested { left_after: money(line.open_after_minor) }
        }
        (Some(line), _) => PaymentRowState::Received { left_after: money(line.open_after_minor) },
        (None, PaymentState::Failed | PaymentState::Canceled) => PaymentRowState::NotCompleted,
        (None, PaymentState::RequiresAction) => PaymentRowState::Started,
        (None, PaymentState::Created | PaymentState::Processing) if payment.method.is_bank_debit() => {
            match payment.send_at.filter(|_| payment.state == PaymentState::Created) {
                Some(send_at) => PaymentRowState::Held { send_at },
                None => PaymentRowState::Clearing { expected_on: payment.expected_on },
            }
        }
        (None, _) => PaymentRowState::Checking,
    };
    let refunds = around.refunds.iter().rev().filter(|refund| refund.payment_id == payment.id);
    let refunds = refunds.map(|row| Told::of_invoice(row, loaded.invoice.figures.currency).note(ctx));
    let is_whole = line.is_some_and(|line| line.applied_minor == payment.amount_minor);
    let whole = matches!(loaded.access, Access::Contact) || is_whole;
    PaymentRow {
        id: payment.id.to_string(),
        method: method(payment, whole),
        amount: line.map_or(money(payment.amount_minor), |line| money(line.applied_minor)),
        by: by(ctx, loaded, payment, around),
        on: ctx.paid_on(payment),
        state,
        refunds: refunds.collect(),
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
        Access::Link(_) if payment.method.is_received() => None,
        Access::Link(_) => Some(By::Someone { company: loaded.customer.name.clone() }),
    }
}

/// How a payment was made. `whole`: the reader may see all that it paid; else its reference, which may name the rest, is kept
/// from them.
pub fn method(payment: &Payment, whole: bool) -> Method {
    if payment.method.is_received() {
        let reference = payment.reference.clone().filter(|_| whole);
        return Method::Received { by: payment.method, reference };
    }
    if payment.method.is_bank_debit() {
        let (bank_name, last4) = (payment.instrument_name.clone(), payment.instrument_last4.clone());
        return Method::BankDebit { bank_name, last4 };
    }
    let brand = payment.instrument_name.as_deref().map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    });
    Method::Card { brand, last4: payment.instrument_last4.clone() }
}
