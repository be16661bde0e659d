//! A random walk over the postings of the chart of accounts: invoices, reservations, payments in every state, captures
//! of every size, ghosts, customer credit, late fees. After each step the invariants are proved from the postings.
//!
//! The model here is small on purpose and shares with the program only the rules themselves: the amount rule, the
//! transition table, the split of a capture and the chart. It must never repair what it finds.

#![expect(clippy::unwrap_used, reason = "a walk that cannot go on has failed")]

mod invariants;

use billing::allocation::{Asked, Surplus, Wanted, split_capture, split_received};
use billing::amount::{MethodLimits, Terms};
use billing::chart::{self, Capture, Place, Processor};
use billing::ids::{CustomerId, GrantId, InvoiceId, PaymentId};
use billing::invoice::{Figures, Lifecycle, may_void};
use billing::line::TaxRate;
use billing::payment::{Hold, PaymentState, Step};
use billing::policy::Policy;
use billing::surcharge::Surcharge;
use ledger::{Account, Currency, Money, Posting};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::HashMap;

const STEPS: usize = 300;
/// Few at a time, so that payments meet on the same invoice.
const MOST_UNPAID: usize = 3;
const PASSED_ON: Surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };

/// The rules that can be broken, to see that the walk notices.
#[derive(Clone, Copy)]
struct Rules {
    reserves: bool,
    respects_other_holds: bool,
    returns_grants: bool,
    posts_once: bool,
}

const KEPT: Rules =
    Rules { reserves: true, respects_other_holds: true, returns_grants: true, posts_once: true };

/// Why there is a posting. No two have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Cause {
    Issued(InvoiceId),
    Voided(InvoiceId),
    Captured(PaymentId),
    Received(PaymentId),
    Fee(PaymentId),
    /// The how manieth spending of a grant.
    Applied(GrantId, usize),
}

struct Invoice {
    id: InvoiceId,
    customer: CustomerId,
    lifecycle: Lifecycle,
    figures: Figures,
}

struct Payment {
    id: PaymentId,
    invoice: usize,
    asked: Asked,
    /// Every state it was in, the current one last.
    history: Vec<PaymentState>,
    has_anomaly: bool,
    has_fee: bool,
}

/// A cheque, a transfer or cash.
struct Received {
    id: PaymentId,
    received: Money,
}

struct Grant {
    id: GrantId,
    customer: CustomerId,
    born_on: usize,
    source: PaymentId,
    amount: Money,
    left_minor: i64,
    spendings: usize,
}

/// What the walk came across, so that it can be shown to have come across everything.
#[derive(Default, Debug)]
struct Tally {
    postings: usize,
    voids: usize,
    ghosts: usize,
    surpluses: usize,
    smaller: usize,
    foreign: usize,
    surcharged: usize,
    fees: usize,
    credits: usize,
    returned_grants: usize,
    received: usize,
    over_several: usize,
    without_place: usize,
    refused: usize,
    stale: usize,
}

struct World {
    rng: StdRng,
    rules: Rules,
    made: u64,
    invoices: Vec<Invoice>,
    payments: Vec<Payment>,
    received: Vec<Received>,
    /// Live reservations, by payment.
    reservations: HashMap<PaymentId, i64>,
    grants: Vec<Grant>,
    postings: Vec<Posting>,
    causes: HashMap<Cause, usize>,
    /// Debits less credits of each account, added up from the postings and from nothing else.
    balances: HashMap<(Account, Currency), i64>,
    tally: Tally,
}

/// One walk; the error names the invariant that broke.
fn walk(seed: u64, rules: Rules) -> Result<Tally, String> {
    let mut world = World::new(seed, rules);
    for step in 0..STEPS {
        let located = |broken: String| format!("seed {seed}, step {step}: {broken}");
        world.step().map_err(located)?;
        world.check().map_err(located)?;
    }
    world.recount().map_err(|broken| format!("seed {seed}, at the end: {broken}"))?;
    Ok(world.tally)
}

impl World {
    fn new(seed: u64, rules: Rules) -> World {
        World {
            rng: StdRng::seed_from_u64(seed),
            rules,
            made: 0,
            invoices: Vec::new(),
            payments: Vec::new(),
            received: Vec::new(),
            reservations: HashMap::new(),
            grants: Vec::new(),
            postings: Vec::new(),
            causes: HashMap::new(),
            balances: HashMap::new(),
            tally: Tally::default(),
        }
    }

    fn step(&mut self) -> Result<(), String> {
        match self.rng.random_range(0..100) {
            0..12 => self.issue(),
            12..19 => self.void(),
            19..45 => self.start_payment(),
            45..85 => self.hear_of_payment(),
            85..90 => self.charge_fee(),
            90..94 => self.receive(),
            _ => self.apply_credit(),
        }
    }

    fn new_id(&mut self) -> [u8; 16] {
        self.made += 1;
        u128::from(self.made).to_be_bytes()
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn post(&mut self, cause: Cause, posting: Posting) -> Result<(), String> {
        if self.causes.insert(cause, self.postings.len()).is_some() {
            return Err(format!("1: {cause:?} was posted twice"));
        }
        let sides = posting.entries().iter().map(|entry| entry.side.sign() * entry.amount_minor);
        if posting.entries().len() < 2 || sides.sum::<i64>() != 0 {
            return Err(format!("1: {cause:?} does not balance"));
        }
        if posting.entries().iter().any(|entry| entry.amount_minor <= 0) {
            return Err(format!("1: {cause:?} has an entry of nothing"));
        }
        for entry in posting.entries() {
            *self.balances.entry((entry.account, posting.currency())).or_default() +=
                entry.side.sign() * entry.amount_minor;
        }
        self.postings.push(posting);
        self.tally.postings += 1;
        Ok(())
    }

    fn issue(&mut self) -> Result<(), String> {
        if self.invoices.iter().filter(|invoice| invoice.figures.open_minor > 0).count() >= MOST_UNPAID {
            return Ok(());
        }
        let currency = if self.chance(70) { Currency::USD } else { Currency::EUR };
        let net_minor = if self.chance(5) { 0 } else { self.rng.random_range(1..3_000) };
        let taxes: &[i64] = if net_minor > 0 && self.chance(50) { &[190_000, 70_000] } else { &[] };
        let money = |minor| Money::new(minor, currency);
        let taxes: Vec<_> =
            taxes.iter().map(|rate| (TaxRate(*rate), money(net_minor * rate / 1_000_000))).collect();
        let total_minor = net_minor + taxes.iter().map(|(_, tax)| tax.minor()).sum::<i64>();
        let customer = CustomerId::from_bytes([self.rng.random_range(201..204); 16]);
        let id = InvoiceId::from_bytes(self.new_id());
        let figures =
            Figures { currency, total_minor, open_minor: total_minor, pending_minor: 0, paid_minor: 0 };
        self.invoices.push(Invoice { id, customer, lifecycle: Lifecycle::Open, figures });
        match chart::invoice_issued(customer, id, money(net_minor), &taxes).unwrap() {
            Some(posting) => self.post(Cause::Issued(id), posting),
            None => Ok(()),
        }
    }

    fn void(&mut self) -> Result<(), String> {
        let Some(at) = self.any(self.invoices.len()) else { return Ok(()) };
        let invoice = &mut self.invoices[at];
        if may_void(invoice.lifecycle, &invoice.figures).is_err() {
            return Ok(());
        }
        invoice.lifecycle = Lifecycle::Void;
        invoice.figures.open_minor = 0;
        self.tally.voids += 1;
        let id = invoice.id;
        match self.causes.get(&Cause::Issued(id)) {
            Some(issued) => self.post(Cause::Voided(id), self.postings[*issued].reversed()),
            None => Ok(()),
        }
    }

    fn any(&mut self, length: usize) -> Option<usize> {
        (length > 0).then(|| self.rng.random_range(0..length))
    }

    /// Any invoice, mostly one on which something is payable.
    fn any_invoice(&mut self) -> Option<usize> {
        let is_payable = |at: &usize| self.invoices[*at].figures.payable_now().is_positive();
        let payable: Vec<usize> = (0..self.invoices.len()).filter(is_payable).collect();
        if !payable.is_empty() && self.chance(90) {
            return self.any(payable.len()).map(|position| payable[position]);
        }
        self.any(self.invoices.len())
    }

    fn start_payment(&mut self) -> Result<(), String> {
        let Some(at) = self.any_invoice() else { return Ok(()) };
        let figures = self.invoices[at].figures;
        let payable = figures.payable_now();
        let wanted_minor = match self.rng.random_range(0..10) {
            0..3 => payable.minor(),
            3..9 => self.rng.random_range(0..=payable.minor().max(1)),
            _ => payable.minor() + self.rng.random_range(1..100),
        };
        let terms = Terms {
            payable,
            pending: figures.pending(),
            policy: Policy::effective(&[], 1),
            method: MethodLimits { minimum_minor: 1, maximum_minor: i64::MAX, step_minor: 1 },
        };
        let is_legal = (1..=payable.minor()).contains(&wanted_minor);
        let Ok(accepted) = terms.decide(wanted_minor) else {
            self.tally.refused += 1;
            return if is_legal { Err(format!("{wanted_minor} of {payable} was refused")) } else { Ok(()) };
        };
        if !is_legal {
            return Err(format!("{wanted_minor} of {payable} was accepted"));
        }
        let surcharge = if self.chance(30) { PASSED_ON } else { Surcharge::NONE };
        let surcharge_minor = surcharge.on(accepted.amount).unwrap().minor();
        let asked = Asked { amount_minor: wanted_minor, surcharge_minor };
        let id = PaymentId::from_bytes(self.new_id());
        let state = if self.chance(10) { PaymentState::Created } else { PaymentState::Submitting };
        self.payments.push(Payment {
            id,
            invoice: at,
            asked,
            history: vec![state],
            has_anomaly: false,
            has_fee: false,
        });
        if self.rules.reserves {
            self.reservations.insert(id, wanted_minor);
            self.invoices[at].figures.pending_minor += wanted_minor;
        }
        Ok(())
    }

    /// The processor says something of a payment, mostly of one in flight: in any order, late, or twice.
    fn hear_of_payment(&mut self) -> Result<(), String> {
        let in_flight: Vec<usize> =
            (0..self.payments.len()).filter(|at| self.payments[*at].state().hold() == Hold::Held).collect();
        let found = if self.chance(70) {
            self.any(in_flight.len()).map(|position| in_flight[position])
        } else {
            self.any(self.payments.len())
        };
        let Some(at) = found else { return Ok(()) };
        let said = match self.rng.random_range(0..100) {
            0..8 => PaymentState::Submitting,
            8..20 => PaymentState::RequiresAction,
            20..30 => PaymentState::Processing,
            30..38 => PaymentState::Unknown,
            38..48 => PaymentState::Failed,
            48..60 => PaymentState::Canceled,
            _ => PaymentState::Succeeded,
        };
        let payment = &mut self.payments[at];
        let step = payment.state().step(said);
        match step {
            Step::Stale => {
                self.tally.stale += 1;
                return Ok(());
            }
            Step::AlreadyThere if self.rules.posts_once || said != PaymentState::Succeeded => return Ok(()),
            Step::AlreadyThere => {}
            Step::Ghost => {
                self.tally.ghosts += 1;
                payment.has_anomaly = true;
                payment.history.push(said);
            }
            Step::Move => payment.history.push(said),
        }
        if said.hold() != Hold::Held {
            self.end_reservation(at);
        }
        if said == PaymentState::Succeeded {
            self.capture(at, step)?;
        }
        self.return_grants(self.payments[at].invoice)
    }

    fn end_reservation(&mut self, at: usize) {
        let payment = &self.payments[at];
        if let Some(reserved) = self.reservations.remove(&payment.id) {
            self.invoices[payment.invoice].figures.pending_minor -= reserved;
        }
    }

    /// Posts what was captured, which need not be what was asked.
    fn capture(&mut self, at: usize, step: Step) -> Result<(), String> {
        let (id, invoice_at, asked) =
            (self.payments[at].id, self.payments[at].invoice, self.payments[at].asked);
        let whole = asked.amount_minor + asked.surcharge_minor;
        let captured_minor = match self.rng.random_range(0..100) {
            0..8 => whole + self.rng.random_range(1..500),
            8..17 => self.rng.random_range(1..=whole),
            _ => whole,
        };
        let Invoice { id: invoice, customer, figures, .. } = self.invoices[invoice_at];
        if self.chance(8) {
            let other = if figures.currency == Currency::USD { Currency::EUR } else { Currency::USD };
            let captured = Money::new(captured_minor, other);
            let posting = chart::captured_in_other_currency(id, Processor::Stripe, captured).unwrap();
            self.payments[at].has_anomaly = true;
            self.tally.foreign += 1;
            return self.post(Cause::Captured(id), posting);
        }
        let captured = Money::new(captured_minor, figures.currency);
        let room = if self.rules.respects_other_holds { figures.payable_now() } else { figures.open() };
        let split = split_capture(captured, asked, room.minor());
        let grant = GrantId::from_bytes(self.new_id());
        let parties = Capture { customer, invoice, payment: id, processor: Processor::Stripe, grant };
        self.post(Cause::Captured(id), chart::payment_succeeded(&parties, captured, split).unwrap())?;
        let figures = &mut self.invoices[invoice_at].figures;
        figures.open_minor -= split.to_invoice_minor;
        figures.paid_minor += split.to_invoice_minor;
        self.tally.smaller += usize::from(captured_minor < whole);
        self.tally.surcharged += usize::from(split.surcharge_minor > 0);
        if split.surplus_minor == 0 {
            return Ok(());
        }
        if step == Step::Move && captured_minor <= whole {
            return Err(format!("R1: {id} got what it asked for, and the invoice had no room for it"));
        }
        self.tally.surpluses += 1;
        self.payments[at].has_anomaly = true;
        self.grants.push(Grant {
            id: grant,
            customer,
            born_on: invoice_at,
            source: id,
            amount: Money::new(split.surplus_minor, captured.currency()),
            left_minor: split.surplus_minor,
            spendings: 0,
        });
        Ok(())
    }

    /// Somebody enters money that was received, for one invoice or several of a customer, and now and then too much of it.
    fn receive(&mut self) -> Result<(), String> {
        let Some(first) = self.any_invoice() else { return Ok(()) };
        let (customer, currency) = (self.invoices[first].customer, self.invoices[first].figures.currency);
        let fits = |invoice: &Invoice| {
            let same = (invoice.customer, invoice.figures.currency) == (customer, currency);
            same && invoice.lifecycle != Lifecycle::Void
        };
        let mut named: Vec<usize> =
            (0..self.invoices.len()).rev().filter(|at| fits(&self.invoices[*at])).collect();
        named.truncate(self.rng.random_range(1..4));
        if named.is_empty() {
            return Ok(());
        }
        let mut wanted = Vec::new();
        for at in &named {
            let payable_minor = self.invoices[*at].figures.payable_now().minor();
            let amount_minor =
                self.rng.random_range(1..=payable_minor.max(1)) + i64::from(self.chance(20)) * 500;
            wanted.push(Wanted { amount_minor, payable_minor });
        }
        let over = if self.chance(20) { self.rng.random_range(1..300) } else { 0 };
        let minor = wanted.iter().map(|wanted| wanted.amount_minor).sum::<i64>() + over;
        let surplus = if self.chance(50) { Surplus::Refuse } else { Surplus::CustomerCredit };
        let Ok(taken) = split_received(minor, &wanted, surplus) else {
            self.tally.without_place += 1;
            return Ok(());
        };
        let id = PaymentId::from_bytes(self.new_id());
        let money = |minor| Money::new(minor, currency);
        let mut parts = Vec::new();
        for (at, taken) in named.iter().zip(&taken) {
            let figures = &mut self.invoices[*at].figures;
            figures.open_minor -= taken.to_invoice_minor;
            figures.paid_minor += taken.to_invoice_minor;
            parts.push((Place::Invoice(self.invoices[*at].id), money(taken.to_invoice_minor)));
            if taken.surplus_minor > 0 {
                let amount = money(taken.surplus_minor);
                let grant = GrantId::from_bytes(self.new_id());
                parts.push((Place::Credit(grant), amount));
                let left_minor = taken.surplus_minor;
                let (born_on, source) = (*at, id);
                self.grants.push(Grant {
                    id: grant,
                    customer,
                    born_on,
                    source,
                    amount,
                    left_minor,
                    spendings: 0,
                });
            }
        }
        self.post(Cause::Received(id), chart::money_received(customer, money(minor), &parts).unwrap())?;
        self.received.push(Received { id, received: money(minor) });
        self.tally.received += 1;
        self.tally.over_several += usize::from(named.len() > 1);
        named.into_iter().try_for_each(|at| self.return_grants(at))
    }

    /// A grant born on an invoice goes back to it as soon as something is payable there.
    fn return_grants(&mut self, invoice: usize) -> Result<(), String> {
        if !self.rules.returns_grants {
            return Ok(());
        }
        for at in 0..self.grants.len() {
            if self.grants[at].born_on == invoice {
                let spent = self.spend(at, invoice, i64::MAX)?;
                self.tally.returned_grants += usize::from(spent);
            }
        }
        Ok(())
    }

    /// Somebody applies customer credit to an invoice, the oldest grant first.
    fn apply_credit(&mut self) -> Result<(), String> {
        let Some(invoice) = self.any_invoice() else { return Ok(()) };
        let Invoice { customer, figures, .. } = self.invoices[invoice];
        let oldest = self.grants.iter().position(|grant| {
            grant.left_minor > 0 && grant.customer == customer && grant.amount.currency() == figures.currency
        });
        let Some(grant) = oldest else { return Ok(()) };
        let at_most = self.rng.random_range(1..3_000);
        let spent = self.spend(grant, invoice, at_most)?;
        self.tally.credits += usize::from(spent);
        Ok(())
    }

    fn spend(&mut self, grant: usize, invoice: usize, at_most: i64) -> Result<bool, String> {
        let (grant, invoice) = (&mut self.grants[grant], &mut self.invoices[invoice]);
        let minor = at_most.min(grant.left_minor).min(invoice.figures.payable_now().minor());
        if minor <= 0 {
            return Ok(false);
        }
        grant.left_minor -= minor;
        grant.spendings += 1;
        invoice.figures.open_minor -= minor;
        invoice.figures.paid_minor += minor;
        let cause = Cause::Applied(grant.id, grant.spendings);
        let money = Money::new(minor, invoice.figures.currency);
        let posting = chart::credit_applied(grant.customer, grant.id, invoice.id, money).unwrap();
        self.post(cause, posting).map(|()| true)
    }

    /// The processor reports its fee, some time after the success.
    fn charge_fee(&mut self) -> Result<(), String> {
        let waiting: Vec<usize> = (0..self.payments.len())
            .filter(|at| self.payments[*at].state() == PaymentState::Succeeded && !self.payments[*at].has_fee)
            .collect();
        let Some(at) = self.any(waiting.len()).map(|position| waiting[position]) else { return Ok(()) };
        let payment = &mut self.payments[at];
        payment.has_fee = true;
        let id = payment.id;
        let currency = self.postings[self.causes[&Cause::Captured(id)]].currency();
        let fee = Money::new(self.rng.random_range(1..90), currency);
        self.tally.fees += 1;
        self.post(Cause::Fee(id), chart::processing_fee_charged(id, Processor::Stripe, fee).unwrap())
    }
}

impl Payment {
    fn state(&self) -> PaymentState {
        *self.history.last().unwrap()
    }
}

#[test]
fn every_invariant_holds_on_every_walk() {
    let seeds = if std::env::var_os("PAYDOWN_TEST_LONG").is_some() { 4_000 } else { 200 };
    let mut postings = 0;
    for seed in 0..seeds {
        postings += walk(seed, KEPT).unwrap_or_else(|broken| panic!("{broken}")).postings;
    }
    assert!(
        postings > 50 * usize::try_from(seeds).unwrap(),
        "{postings} postings are too few to mean anything"
    );
}

#[test]
fn a_walk_comes_across_everything() {
    let mut seen = [0; 14];
    for seed in 0..20 {
        let tally = walk(seed, KEPT).unwrap_or_else(|broken| panic!("{broken}"));
        let counts = [
            tally.voids,
            tally.ghosts,
            tally.surpluses,
            tally.smaller,
            tally.foreign,
            tally.surcharged,
            tally.fees,
            tally.credits,
            tally.returned_grants,
            tally.received,
            tally.over_several,
            tally.without_place,
            tally.refused,
            tally.stale,
        ];
        seen.iter_mut().zip(counts).for_each(|(seen, count)| *seen += count);
    }
    assert!(seen.iter().all(|count| *count >= 20), "{seen:?}");
}

/// Walks with one rule broken: how many of 100 are caught, and at what.
fn caught(rules: Rules) -> (usize, Vec<String>) {
    let broken: Vec<String> = (0..100).filter_map(|seed| walk(seed, rules).err()).collect();
    (broken.len(), broken)
}

#[test]
fn a_missing_reservation_is_caught() {
    let (count, broken) = caught(Rules { reserves: false, ..KEPT });
    assert_eq!(count, 100);
    assert!(broken.iter().all(|told| told.contains("invariant 8")), "{broken:?}");
}

#[test]
fn a_capture_that_takes_what_others_reserved_is_caught() {
    let (count, broken) = caught(Rules { respects_other_holds: false, ..KEPT });
    assert!(count >= 50, "{count} of 100");
    assert!(broken.iter().all(|told| told.contains("invariant 7") || told.contains("R1")), "{broken:?}");
}

#[test]
fn credit_that_does_not_go_back_to_its_invoice_is_caught() {
    let (count, broken) = caught(Rules { returns_grants: false, ..KEPT });
    assert!(count >= 80, "{count} of 100");
    assert!(broken.iter().all(|told| told.contains("invariant 16")), "{broken:?}");
}

#[test]
fn a_success_that_is_posted_again_is_caught() {
    let (count, broken) = caught(Rules { posts_once: false, ..KEPT });
    assert!(count >= 90, "{count} of 100");
    assert!(broken.iter().all(|told| told.contains("posted twice")), "{broken:?}");
}
