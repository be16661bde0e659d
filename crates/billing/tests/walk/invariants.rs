//! The invariants, numbered as in the rules of money and proved from the postings: what the model says of itself is
//! only ever compared with them. Nothing is changed here.

use super::{Cause, Invoice, Payment, Received, World};
use billing::chart;
use billing::invoice::Lifecycle;
use billing::payment::{Hold, PaymentState};
use ledger::{Account, Currency, Posting};
use std::collections::HashMap;

impl World {
    fn balance(&self, account: Account, currency: Currency) -> i64 {
        self.balances.get(&(account, currency)).copied().unwrap_or(0)
    }

    pub fn check(&self) -> Result<(), String> {
        for currency in [Currency::USD, Currency::EUR] {
            let of_currency = self.balances.iter().filter(|((_, kept_in), _)| *kept_in == currency);
            let sum: i64 = of_currency.map(|(_, balance)| balance).sum();
            ensure(sum == 0, 2, || format!("the ledger in {currency} sums to {sum}"))?;
        }
        self.invoices.iter().try_for_each(|invoice| self.check_invoice(invoice))?;
        self.payments.iter().try_for_each(|payment| self.check_payment(payment))?;
        self.received.iter().try_for_each(|received| self.check_received(received))?;
        self.check_grants()
    }

    fn check_invoice(&self, invoice: &Invoice) -> Result<(), String> {
        let (id, figures) = (invoice.id, invoice.figures);
        let receivable = self.balance(chart::receivable(invoice.customer, id), figures.currency);
        ensure(figures.open_minor == receivable, 6, || {
            format!("{id} says {} is open, its receivable {receivable}", figures.open_minor)
        })?;
        let (open, pending) = (figures.open_minor, figures.pending_minor);
        ensure(0 <= pending && pending <= open, 7, || format!("{id} has {pending} pending of {open} open"))?;
        if invoice.lifecycle == Lifecycle::Void {
            let earned = self.balance(chart::revenue(id), figures.currency);
            ensure(receivable == 0 && earned == 0, 5, || format!("the reversal of {id} does not mirror it"))?;
            ensure(pending == 0 && figures.paid_minor == 0, 23, || format!("{id} is void and not at rest"))?;
        } else {
            ensure(figures.total_minor == figures.paid_minor + open, 6, || {
                format!("{id}: {} in total, {} paid, {open} open", figures.total_minor, figures.paid_minor)
            })?;
        }
        let reserved: i64 = self
            .payments
            .iter()
            .filter(|payment| self.invoices[payment.invoice].id == id)
            .filter_map(|payment| self.reservations.get(&payment.id))
            .sum();
        ensure(reserved == pending, 6, || format!("{id} has {pending} pending, {reserved} reserved"))
    }

    fn check_payment(&self, payment: &Payment) -> Result<(), String> {
        let (id, state) = (payment.id, payment.state());
        let expected = (state.hold() == Hold::Held).then_some(payment.asked.amount_minor);
        let reserved = self.reservations.get(&id).copied();
        ensure(reserved == expected, 8, || format!("{id} is {state:?} and reserves {reserved:?}"))?;
        let captured = self.causes.get(&Cause::Captured(id)).map(|at| &self.postings[*at]);
        let is_booked = captured.is_some();
        ensure(is_booked == (state == PaymentState::Succeeded), 9, || {
            format!("{id} is {state:?}, booked: {is_booked}")
        })?;
        for steps in payment.history.windows(2) {
            ensure(steps[0].may_become(steps[1]), 17, || format!("{id}: {:?} → {:?}", steps[0], steps[1]))?;
            let is_ghost = steps[0].hold() == Hold::Released;
            ensure(!is_ghost || payment.has_anomaly, 9, || format!("{id} came back and nobody is told"))?;
        }
        captured.map_or(Ok(()), |posting| self.check_captured(payment, posting))
    }

    /// Each minor unit that was captured is somewhere, and stays accounted for.
    fn check_captured(&self, payment: &Payment, posting: &Posting) -> Result<(), String> {
        let (id, currency) = (payment.id, posting.currency());
        let captured = posting.net_debit_minor(chart::CLEARING);
        let allocated = -posting.net_debit_minor(chart::RECEIVABLE);
        let surcharge = -self.balance(chart::surcharge_income(id), currency);
        let unapplied = -self.balance(chart::unapplied(id), currency);
        let granted: i64 =
            self.grants.iter().filter(|grant| grant.source == id).map(|grant| grant.amount.minor()).sum();
        ensure(captured == allocated + surcharge + unapplied + granted, 12, || {
            format!("{id} captured {captured}: {allocated} + {surcharge} + {unapplied} + {granted}")
        })?;
        let most = payment.asked.surcharge_minor;
        ensure((0..=most).contains(&surcharge), 12, || format!("{id} keeps a surcharge of {surcharge}"))
    }

    /// All that was received is at the bank, and each minor unit of it is somewhere.
    fn check_received(&self, received: &Received) -> Result<(), String> {
        let id = received.id;
        let posting = self.causes.get(&Cause::Received(id)).map(|at| &self.postings[*at]);
        let booked = posting.map(|posting| posting.net_debit_minor(chart::BANK));
        let minor = received.received.minor();
        ensure(booked == Some(minor), 9, || format!("{id} of {minor} is booked as {booked:?}"))?;
        let allocated = posting.map_or(0, |posting| -posting.net_debit_minor(chart::RECEIVABLE));
        let granted: i64 =
            self.grants.iter().filter(|grant| grant.source == id).map(|grant| grant.amount.minor()).sum();
        ensure(minor == allocated + granted, 12, || format!("{id} of {minor}: {allocated} + {granted}"))
    }

    fn check_grants(&self) -> Result<(), String> {
        for grant in &self.grants {
            let (id, left) = (grant.id, grant.left_minor);
            let booked = -self.balance(chart::customer_credit(grant.customer, id), grant.amount.currency());
            ensure(left == booked && left >= 0, 16, || format!("{id} has {left} left, booked {booked}"))?;
            let payable = self.invoices[grant.born_on].figures.payable_now();
            ensure(left == 0 || !payable.is_positive(), 16, || {
                format!("{id} keeps {left} while its own invoice has {payable} to pay")
            })?;
        }
        let booked: i64 = self
            .balances
            .iter()
            .filter(|((account, _), _)| account.number == chart::CUSTOMER_CREDIT)
            .map(|(_, balance)| -balance)
            .sum();
        let left: i64 = self.grants.iter().map(|grant| grant.left_minor).sum();
        ensure(booked == left, 16, || format!("customer credit of {booked}, grants of {left}"))
    }

    /// The balances that were kept step by step equal the sums of all entries; the clearing account is captures − fees.
    pub fn recount(&self) -> Result<(), String> {
        let mut balances: HashMap<(Account, Currency), i64> = HashMap::new();
        let (mut captured, mut fees, mut cleared) = (0, 0, 0);
        for posting in &self.postings {
            for entry in posting.entries() {
                *balances.entry((entry.account, posting.currency())).or_default() +=
                    entry.side.sign() * entry.amount_minor;
            }
            let clearing = posting.net_debit_minor(chart::CLEARING);
            captured += clearing.max(0);
            fees += posting.net_debit_minor(chart::PROCESSING_FEE);
            cleared += clearing;
        }
        ensure(balances == self.balances, 3, || "a balance is not the sum of its entries".to_owned())?;
        ensure(cleared == captured - fees, 3, || format!("clearing {cleared}, {captured} less {fees}"))
    }
}

fn ensure(holds: bool, invariant: u32, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("invariant {invariant}: {}", broken())) }
}
