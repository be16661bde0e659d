//! A random walk over the postings of the chart of accounts: invoices, reservations, payments in every state, captures of every
//! size, ghosts, credit; returns, refunds, disputes and payouts in every order; credit notes, write-offs, discounts, allocations
//! that move. After each step the invariants are proved from the postings.
//!
//! The model here is small on purpose and shares with the program only the rules themselves: the amount rule, the tables, the
//! splits and the chart. It must never repair what it finds.

#![expect(clippy::unwrap_used, reason = "a walk that cannot go on has failed")]

mod broken;
mod credit;
mod disputes;
mod early;
mod invariants;
mod payouts;
mod received;
mod reductions;
mod refunds;
mod returns;

use billing::allocation::Asked;
use billing::chart::Channel;
use billing::dispute::DisputeState;
use billing::ids::{CreditNoteId, CustomerId, DisputeId, GrantId, InvoiceId, PaymentId, PayoutId, RefundId};
use billing::invoice::{Figures, Lifecycle};
use billing::payment::PaymentState;
use billing::payout::PayoutState;
use billing::refund::RefundState;
use billing::take_back::{Charge, Taken};
use ledger::{Account, Currency, Money, Posting};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, HashMap};

const STEPS: usize = 300;

/// The rules that can be broken, to see that the walk notices.
#[derive(Clone, Copy)]
struct Rules {
    reserves: bool,
    respects_other_holds: bool,
    returns_grants: bool,
    posts_once: bool,
    takes_own_grants_only: bool,
    shares_surcharge: bool,
    reduces_payable_only: bool,
    caps_losses: bool,
    mirrors_failed_payouts: bool,
    books_late_failures_whole: bool,
}

const KEPT: Rules = Rules {
    reserves: true,
    respects_other_holds: true,
    returns_grants: true,
    posts_once: true,
    takes_own_grants_only: true,
    shares_surcharge: true,
    reduces_payable_only: true,
    caps_losses: true,
    mirrors_failed_payouts: true,
    books_late_failures_whole: true,
};

/// Why there is a posting. No two have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Cause {
    Issued(InvoiceId),
    Voided(InvoiceId),
    Captured(PaymentId),
    Received(PaymentId),
    Matched(PaymentId),
    Fee(billing::chart::Fee, PaymentId),
    /// The how manieth spending of a grant.
    Applied(GrantId, usize),
    Returned(PaymentId),
    RefundAsked(RefundId),
    RefundSucceeded(RefundId),
    RefundCameBack(RefundId),
    RefundEnded(RefundId),
    Dispute(DisputeId, billing::dispute::DisputePosting),
    Payout(PayoutId, billing::payout::PayoutPosting),
    /// The other side of a conversion.
    PayoutIn(PayoutId, billing::payout::PayoutPosting),
    Credited(CreditNoteId),
    /// A write-off, a discount, a recovery or a move, numbered.
    Numbered(&'static str, u64),
}

struct Invoice {
    id: InvoiceId,
    customer: CustomerId,
    lifecycle: Lifecycle,
    figures: Figures,
    is_returned_payment: bool,
    taxes: Vec<billing::credit_note::TaxOfInvoice>,
    /// All credit notes, and what of them was posted to the receivable.
    credited_minor: i64,
    credited_here_minor: i64,
    written_off_minor: i64,
    discounts_minor: i64,
}

struct Payment {
    id: PaymentId,
    invoice: usize,
    asked: Asked,
    is_debit: bool,
    /// Every state it was in, the current one last.
    history: Vec<PaymentState>,
    has_anomaly: bool,
}

/// Money that arrived, by a payment or at the bank.
struct Booked {
    id: PaymentId,
    /// `None` for what was received at the bank.
    payment: Option<usize>,
    /// `None` while nobody knows whose it is.
    customer: Option<CustomerId>,
    currency: Currency,
    channel: Channel,
    charge: Charge,
    returned_minor: i64,
    allocations: BTreeMap<usize, i64>,
    unapplied_minor: i64,
    surcharge_minor: i64,
    /// What was refunded through the charge, or is on its way.
    through_charge_minor: i64,
}

struct Grant {
    id: GrantId,
    customer: CustomerId,
    born_on: Option<usize>,
    /// The payment whose own money it is; `None` for a credit note's.
    source: Option<PaymentId>,
    amount: Money,
    left_minor: i64,
    /// Spent on other invoices than its own.
    elsewhere_minor: i64,
    spendings: usize,
}

struct Refund {
    id: RefundId,
    booked: Option<usize>,
    customer: CustomerId,
    amount: Money,
    taken: Taken,
    channel: Channel,
    history: Vec<RefundState>,
}

struct Dispute {
    id: DisputeId,
    booked: usize,
    amount: Money,
    taken: Taken,
    loss_minor: i64,
    history: Vec<DisputeState>,
}

struct Payout {
    id: PayoutId,
    /// What leaves the processor's balance, and what arrives.
    out: Money,
    amount: Money,
    history: Vec<PayoutState>,
}

struct World {
    rng: StdRng,
    rules: Rules,
    made: u64,
    invoices: Vec<Invoice>,
    payments: Vec<Payment>,
    booked: Vec<Booked>,
    /// Live reservations, by payment.
    reservations: HashMap<PaymentId, i64>,
    grants: Vec<Grant>,
    refunds: Vec<Refund>,
    disputes: Vec<Dispute>,
    payouts: Vec<Payout>,
    postings: Vec<Posting>,
    causes: HashMap<Cause, usize>,
    /// The postings that move a payment's own money.
    of_payment: HashMap<PaymentId, Vec<usize>>,
    /// Postings on the processor's balance that no payout has taken along yet.
    items: HashMap<Currency, Vec<usize>>,
    /// Debits less credits of each account, added up from the postings and from nothing else.
    balances: HashMap<(Account, Currency), i64>,
    /// The same, added up by account number.
    sums: HashMap<(u16, Currency), i64>,
    /// What the walk came across, so that it can be shown to have come across everything.
    tally: BTreeMap<&'static str, usize>,
}

/// One walk; the error names the invariant that broke.
fn walk(seed: u64, rules: Rules) -> Result<World, String> {
    let mut world = World::new(seed, rules);
    for step in 0..STEPS {
        let located = |broken: String| format!("seed {seed}, step {step}: {broken}");
        world.step().map_err(located)?;
        world.settle().map_err(located)?;
        world.check().map_err(located)?;
    }
    world.recount().map_err(|broken| format!("seed {seed}, at the end: {broken}"))?;
    world.refund_all_that_is_left().map_err(|broken| format!("seed {seed}, after the end: {broken}"))?;
    Ok(world)
}

impl World {
    fn new(seed: u64, rules: Rules) -> World {
        World {
            rng: StdRng::seed_from_u64(seed),
            rules,
            made: 0,
            invoices: Vec::new(),
            payments: Vec::new(),
            booked: Vec::new(),
            reservations: HashMap::new(),
            grants: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            payouts: Vec::new(),
            postings: Vec::new(),
            causes: HashMap::new(),
            of_payment: HashMap::new(),
            items: HashMap::new(),
            balances: HashMap::new(),
            sums: HashMap::new(),
            tally: BTreeMap::new(),
        }
    }

    fn step(&mut self) -> Result<(), String> {
        match self.rng.random_range(0..100) {
            0..9 => self.issue(),
            9..13 => self.void(),
            13..29 => self.start_payment(),
            29..55 => self.hear_of_payment(),
            55..58 => self.charge_fee(),
            58..62 => self.receive(),
            62..64 => self.receive_unmatched(),
            64..66 => self.match_receipt(),
            66..70 => self.apply_credit(),
            70..72 => self.return_payment(),
            72..73 => self.demand(),
            73..77 => self.ask_refund(),
            77..83 => self.hear_of_refund(),
            83..91 => self.hear_of_dispute(),
            91..95 => self.hear_of_payout(),
            95..97 => self.reduce(),
            _ => self.move_allocation(),
        }
    }

    fn new_id(&mut self) -> [u8; 16] {
        self.made += 1;
        u128::from(self.made).to_be_bytes()
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn any(&mut self, length: usize) -> Option<usize> {
        (length > 0).then(|| self.rng.random_range(0..length))
    }

    /// One of these, if there is one.
    fn one_of(&mut self, found: &[usize]) -> Option<usize> {
        self.any(found.len()).map(|position| found[position])
    }

    fn saw(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn invoice_at(&self, id: InvoiceId) -> usize {
        self.invoices.iter().position(|invoice| invoice.id == id).unwrap()
    }

    fn booked_at(&self, id: PaymentId) -> usize {
        self.booked.iter().position(|booked| booked.id == id).unwrap()
    }

    fn post(&mut self, cause: Cause, posting: Posting) -> Result<(), String> {
        let at = self.postings.len();
        if self.causes.insert(cause, at).is_some() {
            return Err(format!("invariant 1: {cause:?} was posted twice"));
        }
        let sides = posting.entries().iter().map(|entry| entry.side.sign() * entry.amount_minor);
        if posting.entries().len() < 2 || sides.sum::<i64>() != 0 {
            return Err(format!("invariant 1: {cause:?} does not balance"));
        }
        if posting.entries().iter().any(|entry| entry.amount_minor <= 0) {
            return Err(format!("invariant 1: {cause:?} has an entry of nothing"));
        }
        for entry in posting.entries() {
            let minor = entry.side.sign() * entry.amount_minor;
            *self.balances.entry((entry.account, posting.currency())).or_default() += minor;
            *self.sums.entry((entry.account.number, posting.currency())).or_default() += minor;
        }
        let takes_items = matches!(cause, Cause::Payout(_, billing::payout::PayoutPosting::Created));
        if posting.net_debit_minor(billing::chart::CLEARING) != 0 && !takes_items {
            self.items.entry(posting.currency()).or_default().push(at);
        }
        self.postings.push(posting);
        Ok(())
    }

    /// Posts what moves a payment's own money.
    fn post_of(&mut self, id: PaymentId, cause: Cause, posting: Posting) -> Result<(), String> {
        self.of_payment.entry(id).or_default().push(self.postings.len());
        self.post(cause, posting)
    }
}

impl Payment {
    fn state(&self) -> PaymentState {
        *self.history.last().unwrap()
    }
}

impl Refund {
    fn state(&self) -> RefundState {
        *self.history.last().unwrap()
    }
}

impl Dispute {
    fn state(&self) -> DisputeState {
        *self.history.last().unwrap()
    }
}

impl Payout {
    fn state(&self) -> PayoutState {
        *self.history.last().unwrap()
    }
}

#[test]
fn every_invariant_holds_on_every_walk() {
    let seeds = if std::env::var_os("PAYDOWN_TEST_LONG").is_some() { 4_000 } else { 120 };
    let mut postings = 0;
    for seed in 0..seeds {
        postings += walk(seed, KEPT).unwrap_or_else(|broken| panic!("{broken}")).postings.len();
    }
    assert!(
        postings > 50 * usize::try_from(seeds).unwrap(),
        "{postings} postings are too few to mean anything"
    );
}

#[test]
fn a_walk_comes_across_everything() {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 0..60 {
        let world = walk(seed, KEPT).unwrap_or_else(|broken| panic!("{broken}"));
        for (what, count) in world.tally {
            *seen.entry(what).or_default() += count;
        }
    }
    let everything = [
        "absorbed loss",
        "capture of a part",
        "converted payout",
        "credit applied",
        "credit note",
        "credit note beside a payment in flight",
        "credit note of more than is payable",
        "credit refunded",
        "demand",
        "discount",
        "dispute after a refund",
        "dispute won",
        "dispute won after it was lost",
        "dispute with surcharge",
        "fee",
        "foreign capture",
        "ghost",
        "grant went back",
        "late failure of a refund",
        "lost dispute",
        "lost dispute of more than is left",
        "match",
        "move",
        "negative payout",
        "own allocation refunded",
        "payment over several invoices",
        "payout failed",
        "payout failed after it was paid",
        "price given back",
        "price not given back",
        "received",
        "recovery",
        "refund failed",
        "refund of all that is left",
        "refund withdrawn",
        "refused",
        "return",
        "return after a refund",
        "return of spent credit",
        "reversed receipt",
        "stale",
        "surcharge",
        "surcharge refunded alone",
        "surplus",
        "taken off",
        "unmatched receipt reversed",
        "void",
        "void refused",
        "without place",
        "write-off",
        "write-off of all",
    ];
    for what in everything {
        assert!(seen.get(what).copied().unwrap_or(0) >= 8, "{what}: {seen:?}");
    }
    assert!(seen.keys().all(|what| everything.contains(what)), "{seen:?}");
}
