//! Customer credit: it goes back to the invoice it was born on, and is spent on others oldest first.

use super::{Cause, Invoice, World};
use billing::chart;
use ledger::Money;
use rand::RngExt;

impl World {
    /// A grant born on an invoice goes back to it as soon as something is payable there.
    pub fn settle(&mut self) -> Result<(), String> {
        if !self.rules.returns_grants {
            return Ok(());
        }
        for at in 0..self.grants.len() {
            let Some(invoice) = self.grants[at].born_on else { continue };
            if self.spend(at, invoice, i64::MAX)? {
                self.saw("grant went back");
            }
        }
        Ok(())
    }

    /// Somebody applies customer credit to an invoice, the oldest grant first.
    pub fn apply_credit(&mut self) -> Result<(), String> {
        let Some(invoice) = self.any_invoice() else { return Ok(()) };
        let Invoice { customer, figures, .. } = self.invoices[invoice];
        let oldest = self.grants.iter().position(|grant| {
            grant.left_minor > 0 && grant.customer == customer && grant.amount.currency() == figures.currency
        });
        let Some(grant) = oldest else { return Ok(()) };
        let at_most = self.rng.random_range(1..3_000);
        if self.spend(grant, invoice, at_most)? {
            self.saw("credit applied");
        }
        Ok(())
    }

    fn spend(&mut self, grant: usize, invoice_at: usize, at_most: i64) -> Result<bool, String> {
        let (grant, invoice) = (&mut self.grants[grant], &mut self.invoices[invoice_at]);
        let minor = at_most.min(grant.left_minor).min(invoice.figures.payable_now().minor());
        if minor <= 0 {
            return Ok(false);
        }
        grant.left_minor -= minor;
        grant.spendings += 1;
        let money = Money::new(minor, invoice.figures.currency);
        let cause = Cause::Applied(grant.id, grant.spendings);
        let posting = chart::credit_applied(grant.customer, grant.id, invoice.id, money).unwrap();
        // What went back is an allocation of the payment that bore it, and a later return takes it back.
        if let Some(source) = grant.source.filter(|_| grant.born_on == Some(invoice_at)) {
            let booked = self.booked_at(source);
            self.allocate(booked, invoice_at, minor);
            return self.post_of(source, cause, posting).map(|()| true);
        }
        grant.elsewhere_minor += minor;
        invoice.figures.open_minor -= minor;
        invoice.figures.paid_minor += minor;
        self.post(cause, posting).map(|()| true)
    }
}
