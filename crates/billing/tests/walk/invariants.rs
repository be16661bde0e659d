//! The invariants, numbered as in the rules of money and proved from the postings: what the model says of itself is
//! only ever compared with them. Nothing is changed here.

use super::{Booked, Cause, Invoice, Payment, World};
use billing::chart::{self, Channel};
use billing::dispute::{DisputePosting, Withdrawn};
use billing::invoice::Lifecycle;
use billing::payment::{Hold, PaymentState, Step};
use ledger::{Account, Currency};
use std::collections::HashMap;

impl World {
    fn balance(&self, account: Account, currency: Currency) -> i64 {
        self.balances.get(&(account, currency)).copied().unwrap_or(0)
    }

    /// The sum over all accounts of a number, in a currency.
    fn sum_of(&self, number: u16, currency: Currency) -> i64 {
        self.sums.get(&(number, currency)).copied().unwrap_or(0)
    }

    pub fn check(&self) -> Result<(), String> {
        for currency in [Currency::USD, Currency::EUR] {
            let of_currency = self.sums.iter().filter(|((_, kept_in), _)| *kept_in == currency);
            let sum: i64 = of_currency.map(|(_, sum)| sum).sum();
            ensure(sum == 0, 2, || format!("the ledger in {currency} sums to {sum}"))?;
            self.check_in_flight(currency)?;
        }
        self.invoices.iter().try_for_each(|invoice| self.check_invoice(invoice))?;
        self.payments.iter().try_for_each(|payment| self.check_payment(payment))?;
        self.booked.iter().try_for_each(|booked| self.check_booked(booked))?;
        self.check_ends()?;
        self.check_grants()
    }

    fn check_invoice(&self, invoice: &Invoice) -> Result<(), String> {
        let (id, figures) = (invoice.id, invoice.figures);
        let receivable = self.balance(chart::receivable(invoice.customer, id), figures.currency);
        ensure(figures.open_minor == receivable, 6, || {
            format!("{id} says {} is open, its receivable {receivable}", figures.open_minor)
        })?;
        let (open, pending, paid) = (figures.open_minor, figures.pending_minor, figures.paid_minor);
        ensure(0 <= pending && pending <= open, 7, || format!("{id} has {pending} pending of {open} open"))?;
        let bad_debt = self.balance(chart::bad_debt(id), figures.currency);
        let discounts = self.balance(chart::discounts(id), figures.currency);
        let reduced = (invoice.written_off_minor, invoice.discounts_minor);
        ensure((bad_debt, discounts) == reduced, 3, || {
            format!("{id}: {bad_debt}, {discounts}, {reduced:?}")
        })?;
        if invoice.lifecycle == Lifecycle::Void {
            let earned = self.balance(chart::revenue(id), figures.currency);
            ensure(receivable == 0 && earned == 0, 5, || format!("the reversal of {id} does not mirror it"))?;
            ensure(pending == 0 && paid == 0, 23, || format!("{id} is void and not at rest"))?;
            let taken_off = invoice.credited_minor + bad_debt + discounts;
            ensure(taken_off == 0, 23, || format!("{id} is void, and {taken_off} was taken off it"))?;
        } else {
            let parts = paid + invoice.credited_here_minor + bad_debt + discounts + open;
            ensure(figures.total_minor == parts && paid >= 0 && bad_debt >= 0, 6, || {
                format!("{id}: {} in total, {paid} paid, {open} open, parts of {parts}", figures.total_minor)
            })?;
        }
        let taxes_fit = invoice.taxes.iter().all(|tax| (0..=tax.charged_minor).contains(&tax.credited_minor));
        ensure(taxes_fit, 6, || format!("{id} was credited more tax than charged: {:?}", invoice.taxes))?;
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
        let is_booked = self.causes.contains_key(&Cause::Captured(id));
        let is_returned = self.causes.contains_key(&Cause::Returned(id));
        let booked = self.booked.iter().find(|booked| booked.id == id);
        let is_gone = booked.is_some_and(|booked| booked.charge.is_charged_back());
        let fits = match state {
            PaymentState::Succeeded => is_booked && !is_returned && !is_gone,
            PaymentState::ChargedBack => is_booked && !is_returned && is_gone,
            PaymentState::Returned => is_booked && is_returned,
            _ => !is_booked && !is_returned,
        };
        ensure(fits, 9, || format!("{id} is {state:?}, booked: {is_booked}, returned: {is_returned}"))?;
        for steps in payment.history.windows(2) {
            ensure(steps[0].may_become(steps[1]), 17, || format!("{id}: {:?} → {:?}", steps[0], steps[1]))?;
            let is_ghost = steps[0].hold() == Hold::Released;
            ensure(!is_ghost || payment.has_anomaly, 9, || format!("{id} came back and nobody is told"))?;
        }
        Ok(())
    }

    /// Each minor unit that arrived is somewhere, and stays accounted for whatever is taken of it.
    fn check_booked(&self, booked: &Booked) -> Result<(), String> {
        let (id, currency) = (booked.id, booked.currency);
        let postings: Vec<_> =
            self.of_payment.get(&id).into_iter().flatten().map(|at| &self.postings[*at]).collect();
        let net = |number: u16| postings.iter().map(|posting| posting.net_debit_minor(number)).sum::<i64>();
        let posted_as = |cause: Cause| self.causes.get(&cause).map(|at| &self.postings[*at]);
        let number = if booked.channel == Channel::Bank { chart::BANK } else { chart::CLEARING };
        let arrival = posted_as(Cause::Captured(id)).or(posted_as(Cause::Received(id)));
        let captured = arrival.map_or(0, |posting| posting.net_debit_minor(number));
        let returned = posted_as(Cause::Returned(id)).map_or(0, |posting| -posting.net_debit_minor(number));
        ensure(captured == booked.charge.captured_minor && captured > 0, 9, || {
            format!("{id} has {captured}")
        })?;
        let here = |at: &usize| self.booked[*at].id == id;
        let of_refund = |refund: &&super::Refund| refund.booked.as_ref().is_some_and(here);
        let counted = self.refunds.iter().filter(of_refund).filter(|refund| refund.state().counts());
        let refunded: i64 = counted.clone().map(|refund| refund.amount.minor()).sum();
        let through =
            counted.filter(|refund| refund.channel != Channel::Bank).map(|refund| refund.amount.minor());
        let lost = self.disputes.iter().filter(|dispute| here(&dispute.booked));
        let lost = lost.filter(|dispute| dispute.state().withdrawn() == Withdrawn::Gone);
        let charged_back: i64 = lost.map(|dispute| dispute.amount.minor()).sum();
        let allocated = -net(chart::RECEIVABLE);
        let surcharge = -self.balance(chart::surcharge_income(id), currency);
        let unapplied = -self.balance(chart::unapplied(id), currency);
        let own = self.grants.iter().filter(|grant| grant.source == Some(id));
        let granted: i64 = own.map(|grant| grant.left_minor + grant.elsewhere_minor).sum();
        let (owed, loss) = (net(chart::RETURNED_RECEIVABLE), net(chart::DISPUTE_LOSS));
        let gone = captured - refunded - returned - charged_back;
        let there = allocated + granted + unapplied + surcharge - owed - loss;
        ensure(gone == there, 12, || {
            format!(
                "{id}: {captured} − {refunded} − {returned} − {charged_back} = {gone}, and {allocated} + {granted} + \
                 {unapplied} + {surcharge} − {owed} − {loss} = {there}"
            )
        })?;
        let in_model: i64 = booked.allocations.values().sum();
        ensure(in_model == allocated, 12, || format!("{id} allocated {allocated}, says {in_model}"))?;
        let most = booked.payment.map_or(0, |payment| self.payments[payment].asked.surcharge_minor);
        ensure((0..=most).contains(&surcharge), 12, || format!("{id} keeps a surcharge of {surcharge}"))?;
        let none_below_0 = booked.allocations.values().all(|minor| *minor >= 0) && unapplied >= 0;
        ensure(none_below_0, 12, || format!("{id} gave more than it had somewhere"))?;
        let through: i64 = through.sum();
        ensure(through <= captured, 13, || format!("{through} refunded through {id} of {captured}"))
    }

    /// What is in flight stands on its account, and nothing else does.
    fn check_in_flight(&self, currency: Currency) -> Result<(), String> {
        let refunds = self.refunds.iter().filter(|refund| refund.amount.currency() == currency);
        let refunds: i64 =
            refunds.filter(|refund| refund.state().is_in_flight()).map(|refund| refund.amount.minor()).sum();
        let booked = -self.sum_of(chart::REFUNDS_PAYABLE, currency);
        ensure(booked == refunds, 14, || format!("2300 is {booked}, refunds in flight {refunds}"))?;
        let disputes = self.disputes.iter().filter(|dispute| dispute.amount.currency() == currency);
        let held: i64 = disputes.map(|dispute| self.held_minor(dispute)).sum();
        let booked = self.sum_of(chart::DISPUTE_HOLD, currency);
        ensure(booked == held, 14, || format!("1220 is {booked}, disputes open {held}"))?;
        let payouts = self.payouts.iter().filter(|payout| payout.amount.currency() == currency);
        let in_flight: i64 =
            payouts.filter(|payout| payout.state().is_in_flight()).map(|payout| payout.amount.minor()).sum();
        let booked = self.sum_of(chart::PAYOUT_IN_TRANSIT, currency);
        ensure(booked == in_flight, 14, || format!("1300 is {booked}, payouts in flight {in_flight}"))?;
        let items = self.items.get(&currency).into_iter().flatten();
        let waiting: i64 = items.map(|at| self.postings[*at].net_debit_minor(chart::CLEARING)).sum();
        let clearing = self.sum_of(chart::CLEARING, currency);
        ensure(clearing == waiting, 15, || format!("1200 is {clearing}, items without a payout {waiting}"))?;
        let owed = self.sum_of(chart::RETURNED_RECEIVABLE, currency);
        ensure(owed >= 0, 12, || format!("1150 is {owed}"))
    }

    /// Each refund, dispute and payout leaves nothing on its own account, and took allowed steps.
    fn check_ends(&self) -> Result<(), String> {
        for refund in &self.refunds {
            let (id, minor) = (refund.id, refund.amount.minor());
            let left = -self.balance(chart::refunds_payable(id), refund.amount.currency());
            let expected = if refund.state().is_in_flight() { minor } else { 0 };
            ensure(left == expected, 13, || format!("{id} is {:?} and holds {left}", refund.state()))?;
            for steps in refund.history.windows(2) {
                ensure(steps[0].step(steps[1]) == Step::Move, 17, || format!("{id}: {steps:?}"))?;
            }
        }
        for dispute in &self.disputes {
            let (id, currency) = (dispute.id, dispute.amount.currency());
            let held = self.balance(chart::dispute_hold(id), currency);
            ensure(held == self.held_minor(dispute), 14, || format!("{id} holds {held}"))?;
            let loss = self.balance(chart::dispute_loss(id), currency);
            ensure(loss == dispute.loss_minor && loss >= 0, 14, || format!("{id} lost {loss}"))?;
            let opened = self.causes.contains_key(&Cause::Dispute(id, DisputePosting::Opened));
            let was_withdrawn = dispute.history.iter().any(|state| state.withdrawn() != Withdrawn::No);
            ensure(opened == was_withdrawn, 14, || format!("{id} was withdrawn: {was_withdrawn}"))?;
        }
        for payout in &self.payouts {
            let (id, currency) = (payout.id, payout.amount.currency());
            let there = self.balance(chart::payout_in_transit(id), currency);
            let expected = if payout.state().is_in_flight() { payout.amount.minor() } else { 0 };
            ensure(there == expected, 14, || format!("{id} is {:?} and holds {there}", payout.state()))?;
        }
        Ok(())
    }

    fn check_grants(&self) -> Result<(), String> {
        for grant in &self.grants {
            let (id, left) = (grant.id, grant.left_minor);
            let booked = -self.balance(chart::customer_credit(grant.customer, id), grant.amount.currency());
            ensure(left == booked && left >= 0, 16, || format!("{id} has {left} left, booked {booked}"))?;
            let Some(born_on) = grant.born_on else { continue };
            let payable = self.invoices[born_on].figures.payable_now();
            ensure(left == 0 || !payable.is_positive(), 16, || {
                format!("{id} keeps {left} while its own invoice has {payable} to pay")
            })?;
        }
        let booked: i64 =
            [Currency::USD, Currency::EUR].iter().map(|in_| -self.sum_of(chart::CUSTOMER_CREDIT, *in_)).sum();
        let left: i64 = self.grants.iter().map(|grant| grant.left_minor).sum();
        ensure(booked == left, 16, || format!("customer credit of {booked}, grants of {left}"))
    }

    /// The balances that were kept step by step equal the sums of all entries; what each invoice says was paid is what payments
    /// and credit brought it.
    pub fn recount(&self) -> Result<(), String> {
        let mut balances: HashMap<(Account, Currency), i64> = HashMap::new();
        for posting in &self.postings {
            for entry in posting.entries() {
                *balances.entry((entry.account, posting.currency())).or_default() +=
                    entry.side.sign() * entry.amount_minor;
            }
        }
        let mut sums: HashMap<(u16, Currency), i64> = HashMap::new();
        for ((account, currency), balance) in &balances {
            *sums.entry((account.number, *currency)).or_default() += balance;
        }
        ensure(balances == self.balances && sums == self.sums, 3, || {
            "a balance is not the sum of its entries".to_owned()
        })?;
        let mut paid: HashMap<Account, i64> = HashMap::new();
        for (cause, at) in &self.causes {
            let is_money = match cause {
                Cause::Issued(_) | Cause::Voided(_) | Cause::Credited(_) => false,
                Cause::Numbered(what, _) => !["written off", "discount", "recovered"].contains(what),
                _ => true,
            };
            let entries = self.postings[*at].entries().iter();
            for entry in entries.filter(|entry| is_money && entry.account.number == chart::RECEIVABLE) {
                *paid.entry(entry.account).or_default() -= entry.side.sign() * entry.amount_minor;
            }
        }
        for invoice in &self.invoices {
            let account = chart::receivable(invoice.customer, invoice.id);
            let brought = paid.get(&account).copied().unwrap_or(0);
            let says = invoice.figures.paid_minor;
            ensure(brought == says, 6, || format!("{} says {says} is paid, postings {brought}", invoice.id))?;
        }
        Ok(())
    }
}

fn ensure(holds: bool, invariant: u32, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("invariant {invariant}: {}", broken())) }
}
