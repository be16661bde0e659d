//! Invoices, and payments until they end. What comes after the end is in the other files.

use super::{Booked, Cause, Grant, Invoice, Payment, World};
use billing::allocation::{Asked, split_capture};
use billing::amount::{MethodLimits, Terms};
use billing::chart::{self, Capture, Channel, Fee, Processor};
use billing::credit_note::TaxOfInvoice;
use billing::ids::{CustomerId, GrantId, InvoiceId, PaymentId};
use billing::invoice::{Figures, Lifecycle, may_void_reduced};
use billing::line::TaxRate;
use billing::payment::{Hold, PaymentState, Step};
use billing::policy::Policy;
use billing::surcharge::Surcharge;
use billing::take_back::Charge;
use ledger::{Currency, Money, Posting};
use rand::RngExt;
use std::collections::BTreeMap;

/// Few at a time, so that payments meet on the same invoice.
const MOST_UNPAID: usize = 4;
const PASSED_ON: Surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };

impl World {
    pub fn issue(&mut self) -> Result<(), String> {
        if self.invoices.iter().filter(|invoice| invoice.figures.open_minor > 0).count() >= MOST_UNPAID {
            return Ok(());
        }
        let currency = if self.chance(70) { Currency::USD } else { Currency::EUR };
        let net_minor = if self.chance(5) { 0 } else { self.rng.random_range(1..3_000) };
        let rates: &[i64] = if net_minor > 0 && self.chance(50) { &[190_000, 70_000] } else { &[] };
        let taxes: Vec<(TaxRate, i64)> =
            rates.iter().map(|rate| (TaxRate(*rate), net_minor * rate / 1_000_000)).collect();
        let total_minor = net_minor + taxes.iter().map(|(_, tax)| tax).sum::<i64>();
        let customer = CustomerId::from_bytes([self.rng.random_range(201..204); 16]);
        let at = self.new_invoice(customer, Money::new(total_minor, currency), &taxes);
        let id = self.invoices[at].id;
        let money = |minor| Money::new(minor, currency);
        let taxes: Vec<_> = taxes.into_iter().map(|(rate, tax)| (rate, money(tax))).collect();
        match chart::invoice_issued(customer, id, money(net_minor), &taxes).unwrap() {
            Some(posting) => self.post(Cause::Issued(id), posting),
            None => Ok(()),
        }
    }

    pub fn new_invoice(&mut self, customer: CustomerId, total: Money, taxes: &[(TaxRate, i64)]) -> usize {
        let id = InvoiceId::from_bytes(self.new_id());
        let figures = Figures {
            currency: total.currency(),
            total_minor: total.minor(),
            open_minor: total.minor(),
            pending_minor: 0,
            paid_minor: 0,
        };
        let tax = |(rate, charged_minor): &(TaxRate, i64)| TaxOfInvoice {
            rate: *rate,
            charged_minor: *charged_minor,
            credited_minor: 0,
        };
        self.invoices.push(Invoice {
            id,
            customer,
            lifecycle: Lifecycle::Open,
            figures,
            is_returned_payment: false,
            taxes: taxes.iter().map(tax).collect(),
            credited_minor: 0,
            credited_here_minor: 0,
            written_off_minor: 0,
            discounts_minor: 0,
        });
        self.invoices.len() - 1
    }

    pub fn void(&mut self) -> Result<(), String> {
        let Some(at) = self.any(self.invoices.len()) else { return Ok(()) };
        let invoice = &mut self.invoices[at];
        let reduced_minor = invoice.credited_minor + invoice.written_off_minor + invoice.discounts_minor;
        if may_void_reduced(invoice.lifecycle, &invoice.figures, reduced_minor).is_err() {
            self.saw("void refused");
            return Ok(());
        }
        invoice.lifecycle = Lifecycle::Void;
        invoice.figures.open_minor = 0;
        let id = invoice.id;
        self.saw("void");
        match self.causes.get(&Cause::Issued(id)) {
            Some(issued) => self.post(Cause::Voided(id), self.postings[*issued].reversed()),
            None => Ok(()),
        }
    }

    /// Any invoice, mostly one on which something is payable.
    pub fn any_invoice(&mut self) -> Option<usize> {
        let is_payable = |at: &usize| self.invoices[*at].figures.payable_now().is_positive();
        let payable: Vec<usize> = (0..self.invoices.len()).filter(is_payable).collect();
        if !payable.is_empty() && self.chance(90) {
            return self.one_of(&payable);
        }
        self.any(self.invoices.len())
    }

    pub fn start_payment(&mut self) -> Result<(), String> {
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
            self.saw("refused");
            return if is_legal { Err(format!("{wanted_minor} of {payable} was refused")) } else { Ok(()) };
        };
        if !is_legal {
            return Err(format!("{wanted_minor} of {payable} was accepted"));
        }
        let is_debit = self.chance(40);
        let surcharge = if self.chance(30) { PASSED_ON } else { Surcharge::NONE };
        let surcharge_minor = surcharge.on(accepted.amount).unwrap().minor();
        let asked = Asked { amount_minor: wanted_minor, surcharge_minor };
        let id = PaymentId::from_bytes(self.new_id());
        let state = if self.chance(10) { PaymentState::Created } else { PaymentState::Submitting };
        self.payments.push(Payment {
            id,
            invoice: at,
            asked,
            is_debit,
            history: vec![state],
            has_anomaly: false,
        });
        if self.rules.reserves {
            self.reservations.insert(id, wanted_minor);
            self.invoices[at].figures.pending_minor += wanted_minor;
        }
        Ok(())
    }

    /// The processor says something of a payment, mostly of one in flight: in any order, late, or twice.
    pub fn hear_of_payment(&mut self) -> Result<(), String> {
        let in_flight: Vec<usize> =
            (0..self.payments.len()).filter(|at| self.payments[*at].state().hold() == Hold::Held).collect();
        let found = if self.chance(70) { self.one_of(&in_flight) } else { self.any(self.payments.len()) };
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
                self.saw("stale");
                return Ok(());
            }
            Step::AlreadyThere if self.rules.posts_once || said != PaymentState::Succeeded => return Ok(()),
            Step::AlreadyThere => {}
            Step::Ghost => {
                payment.has_anomaly = true;
                payment.history.push(said);
                self.saw("ghost");
            }
            Step::Move => payment.history.push(said),
        }
        if said.hold() != Hold::Held {
            self.end_reservation(at);
        }
        if said == PaymentState::Succeeded { self.capture(at, step) } else { Ok(()) }
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
            self.saw("foreign capture");
            return self.book(at, captured, posting).map(|at| {
                self.booked[at].unapplied_minor = captured_minor;
            });
        }
        let captured = Money::new(captured_minor, figures.currency);
        self.recover(invoice_at, captured_minor.min(asked.amount_minor))?;
        let figures = self.invoices[invoice_at].figures;
        let room = if self.rules.respects_other_holds { figures.payable_now() } else { figures.open() };
        let split = split_capture(captured, asked, room.minor());
        let grant = GrantId::from_bytes(self.new_id());
        let parties = Capture { customer, invoice, payment: id, processor: Processor::Stripe, grant };
        let booked = self.book(at, captured, chart::payment_succeeded(&parties, captured, split).unwrap())?;
        self.booked[booked].allocations.insert(invoice_at, split.to_invoice_minor);
        self.booked[booked].surcharge_minor = split.surcharge_minor;
        let figures = &mut self.invoices[invoice_at].figures;
        figures.open_minor -= split.to_invoice_minor;
        figures.paid_minor += split.to_invoice_minor;
        if captured_minor < whole {
            self.saw("capture of a part");
        }
        if split.surcharge_minor > 0 {
            self.saw("surcharge");
        }
        if split.surplus_minor == 0 {
            return Ok(());
        }
        if step == Step::Move && captured_minor <= whole {
            return Err(format!("R1: {id} got what it asked for, and the invoice had no room for it"));
        }
        self.saw("surplus");
        self.payments[at].has_anomaly = true;
        let amount = Money::new(split.surplus_minor, captured.currency());
        self.new_grant(grant, customer, Some(invoice_at), Some(id), amount);
        Ok(())
    }

    fn book(&mut self, payment: usize, captured: Money, posting: Posting) -> Result<usize, String> {
        let Payment { id, invoice, .. } = self.payments[payment];
        let customer = Some(self.invoices[invoice].customer);
        self.post_of(id, Cause::Captured(id), posting)?;
        let channel = Channel::Processor(Processor::Stripe);
        Ok(self.new_booked(id, Some(payment), customer, captured, channel))
    }

    pub fn new_booked(
        &mut self,
        id: PaymentId,
        payment: Option<usize>,
        customer: Option<CustomerId>,
        captured: Money,
        channel: Channel,
    ) -> usize {
        self.booked.push(Booked {
            id,
            payment,
            customer,
            currency: captured.currency(),
            channel,
            charge: Charge { captured_minor: captured.minor(), ..Charge::default() },
            returned_minor: 0,
            allocations: BTreeMap::new(),
            unapplied_minor: 0,
            surcharge_minor: 0,
            through_charge_minor: 0,
        });
        self.booked.len() - 1
    }

    pub fn new_grant(
        &mut self,
        id: GrantId,
        customer: CustomerId,
        born_on: Option<usize>,
        source: Option<PaymentId>,
        amount: Money,
    ) {
        let left_minor = amount.minor();
        self.grants.push(Grant {
            id,
            customer,
            born_on,
            source,
            amount,
            left_minor,
            elsewhere_minor: 0,
            spendings: 0,
        });
    }

    /// The processor reports a fee, some time after what it is for.
    pub fn charge_fee(&mut self) -> Result<(), String> {
        let fee = [Fee::Processing, Fee::Dispute, Fee::Return][self.rng.random_range(0..3)];
        let is_due = |at: &usize| {
            let booked = &self.booked[*at];
            let is_there = match fee {
                Fee::Processing => booked.payment.is_some(),
                Fee::Dispute => self.disputes.iter().any(|dispute| dispute.booked == *at),
                Fee::Return => booked.payment.is_some() && booked.returned_minor > 0,
            };
            is_there && !self.causes.contains_key(&Cause::Fee(fee, booked.id))
        };
        let waiting: Vec<usize> = (0..self.booked.len()).filter(is_due).collect();
        let Some(at) = self.one_of(&waiting) else { return Ok(()) };
        let Booked { id, currency, .. } = self.booked[at];
        let amount = Money::new(self.rng.random_range(1..90), currency);
        self.saw("fee");
        self.post(Cause::Fee(fee, id), chart::fee_charged(fee, id, Processor::Stripe, amount).unwrap())
    }
}
