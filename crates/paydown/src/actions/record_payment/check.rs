//! What must hold before received money is recorded: whose it is, which invoices can take it, and that all of it has a
//! place. Locks what it judges, and changes nothing.

use super::RecordPayment;
use crate::actions::write_off_invoice::recoverable_minor;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::allocation::{Surplus, Taken, Wanted, split_received};
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use billing::invoice::Lifecycle;
use billing::line::MOST_MINOR;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::{Currency, Money};
use std::collections::{BTreeMap, HashSet};
use store::db::Tx;
use store::invoices::{self, Invoice};
use store::{customers, merchants};

/// Why nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotRecord {
    /// The merchant has no such invoice; counted from 0.
    #[error("allocation {0} names an invoice that does not exist")]
    NoSuchInvoice(usize),
    /// The merchant has no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// An invoice is named twice; counted from 0.
    #[error("allocation {0} names an invoice that another one names; add the two")]
    InvoiceTwice(usize),
    /// The invoices, or the customer that was named, are not of one company.
    #[error("allocation {0} names an invoice of another customer; record a payment for each")]
    OtherCustomer(usize),
    /// An invoice is in another currency.
    #[error("allocation {0} names an invoice in {1}")]
    OtherCurrency(usize, Currency),
    /// A draft, or a void invoice.
    #[error("allocation {at} names an invoice that is {}; nothing can be set against it", .is.as_str())]
    NotOpen {
        /// Counted from 0.
        at: usize,
        /// What it is.
        is: Lifecycle,
    },
    /// More is meant for invoices than was received.
    #[error("{allocated} is meant for invoices, and {received} was received")]
    MoreThanReceived {
        /// In all.
        allocated: Money,
        /// In all.
        received: Money,
    },
    /// More than 15 digits.
    #[error("the amounts add up to more than 15 digits")]
    TooLarge,
    /// Received on a day that is still to come.
    #[error("{0} is still to come; a day ahead is taken, for whoever lives east of the merchant")]
    NotYet(Date),
    /// Not all of it has a place.
    #[error("{surplus} has no place: the invoices cannot take it, or it is meant for none of them")]
    Surplus {
        /// What has no place.
        surplus: Money,
        /// What is payable on each invoice now, in the order they were named.
        payable: Vec<(InvoiceId, Money)>,
    },
}

/// What may be recorded.
pub(super) struct Checked {
    pub(super) customer: CustomerId,
    pub(super) received_minor: i64,
    /// Locked, in the order they were named.
    pub(super) invoices: Vec<Invoice>,
    pub(super) taken: Vec<Taken>,
}

pub(super) async fn check(
    tx: &mut Tx,
    mint: &Mint,
    input: &RecordPayment,
) -> Result<Result<Checked, CannotRecord>> {
    let received_minor = match amounts(input) {
        Ok(minor) => minor,
        Err(why) => return Ok(Err(why)),
    };
    if still_to_come(tx, mint, input.merchant, input.received_on).await? {
        return Ok(Err(CannotRecord::NotYet(input.received_on)));
    }
    let invoices = match lock(tx, input).await? {
        Ok(invoices) => invoices,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(why) = objection(input, &invoices) {
        return Ok(Err(why));
    }
    let customer = invoices.first().context("an allocation at least")?.customer_id;
    let wanted = wanted(tx, input, received_minor, &invoices).await?;
    Ok(match split_received(received_minor, &wanted, input.surplus) {
        Ok(taken) => Ok(Checked { customer, received_minor, invoices, taken }),
        Err(surplus_minor) => Err(CannotRecord::Surplus {
            surplus: Money::new(surplus_minor, input.currency),
            payable: invoices
                .iter()
                .zip(&wanted)
                .map(|(invoice, wanted)| (invoice.id, Money::new(wanted.payable_minor, input.currency)))
                .collect(),
        }),
    })
}

/// What is meant for each invoice, and what it can take: what is payable, and what was given up of it. What is meant for none of
/// them goes to the first, where it may become credit.
async fn wanted(
    tx: &mut Tx,
    input: &RecordPayment,
    received_minor: i64,
    invoices: &[Invoice],
) -> Result<Vec<Wanted>> {
    let meant: i64 = input.allocations.iter().map(|(_, minor)| minor).sum();
    let mut for_none = match input.surplus {
        Surplus::CustomerCredit => received_minor - meant,
        Surplus::Refuse => 0,
    };
    let mut all = Vec::with_capacity(invoices.len());
    for ((_, amount_minor), invoice) in input.allocations.iter().zip(invoices) {
        let payable_minor = invoice.figures.payable_now().minor();
        let for_it = amount_minor + std::mem::take(&mut for_none);
        let recovered_minor = recoverable_minor(tx, invoice, for_it, payable_minor).await?;
        all.push(Wanted { amount_minor: *amount_minor, payable_minor: payable_minor + recovered_minor });
    }
    Ok(all)
}

/// What was received in all, minor units.
fn amounts(input: &RecordPayment) -> Result<i64, CannotRecord> {
    let mut seen = HashSet::new();
    let mut allocated_minor = 0_i64;
    for (at, (invoice, minor)) in input.allocations.iter().enumerate() {
        if !seen.insert(invoice) {
            return Err(CannotRecord::InvoiceTwice(at));
        }
        allocated_minor = allocated_minor.saturating_add(*minor);
    }
    let received_minor = input.amount_minor.unwrap_or(allocated_minor);
    if received_minor.max(allocated_minor) > MOST_MINOR {
        return Err(CannotRecord::TooLarge);
    }
    if allocated_minor > received_minor {
        let money = |minor| Money::new(minor, input.currency);
        let (allocated, received) = (money(allocated_minor), money(received_minor));
        return Err(CannotRecord::MoreThanReceived { allocated, received });
    }
    Ok(received_minor)
}

/// Whoever enters it may live a day ahead of the merchant's zone, not more. Nowhere is it earlier than the day before
/// UTC's, so UTC's own day can always be entered.
pub(in crate::actions) async fn still_to_come(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    received_on: Date,
) -> Result<bool> {
    let utc = mint.now.to_zoned(TimeZone::UTC).date();
    if received_on <= utc {
        return Ok(false);
    }
    let merchant = merchants::find(tx, merchant).await?.context("a key's merchant is there")?;
    let zone = TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC);
    let today = mint.now.to_zoned(zone).date();
    Ok(received_on > today.saturating_add(1.day()))
}

/// Locks the customer, where credit may be born, then the invoices by id. Answers them in the order they were named.
async fn lock(tx: &mut Tx, input: &RecordPayment) -> Result<Result<Vec<Invoice>, CannotRecord>> {
    let merchant = input.merchant;
    if let Some(customer) = input.customer
        && customers::find(tx, merchant, customer).await?.is_none()
    {
        return Ok(Err(CannotRecord::NoSuchCustomer));
    }
    if input.surplus == Surplus::CustomerCredit
        && let Some((first, _)) = input.allocations.first()
        && let Some(invoice) = invoices::find(tx, merchant, *first).await?
    {
        customers::lock(tx, merchant, invoice.customer_id).await?;
    }
    let mut ids: Vec<(InvoiceId, usize)> =
        input.allocations.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    ids.sort_unstable();
    let mut locked = BTreeMap::new();
    for (id, at) in ids {
        match invoices::lock(tx, merchant, id).await? {
            Some(invoice) => locked.insert(at, invoice),
            None => return Ok(Err(CannotRecord::NoSuchInvoice(at))),
        };
    }
    Ok(Ok(locked.into_values().collect()))
}

fn objection(input: &RecordPayment, invoices: &[Invoice]) -> Option<CannotRecord> {
    let customer = input.customer.or(invoices.first().map(|invoice| invoice.customer_id))?;
    invoices.iter().enumerate().find_map(|(at, invoice)| {
        let currency = invoice.figures.currency;
        if invoice.customer_id != customer {
            Some(CannotRecord::OtherCustomer(at))
        } else if currency != input.currency {
            Some(CannotRecord::OtherCurrency(at, currency))
        } else if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
            Some(CannotRecord::NotOpen { at, is: invoice.lifecycle })
        } else {
            None
        }
    })
}
