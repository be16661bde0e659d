//! What is taken back from a payment when its bank returns it, a part of it is refunded, or a dispute is lost; and what is put
//! where once money comes back to us. Nothing here may take more from a place than the payment still has there, and whoever
//! takes all that is left takes all of it.

use crate::ids::{GrantId, InvoiceId};

/// What a payment has allocated to one invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allocated {
    /// To which.
    pub invoice: InvoiceId,
    /// Minor units.
    pub amount_minor: i64,
}

/// Customer credit of a payment's own money: its surplus, or a refund of it that failed or was withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnGrant {
    /// Which.
    pub grant: GrantId,
    /// The invoice it was born on, and goes back to; `None` for money that never was for an invoice.
    pub born_on: Option<InvoiceId>,
    /// What of it is unspent, minor units. Spent credit is not taken back.
    pub amount_minor: i64,
}

/// What is left of a payment, minor units of the currency it was captured in. Each list in the order in which it is taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Left {
    /// Set against invoices, net of what was moved away.
    pub allocated: Vec<Allocated>,
    /// Its own grants, as far as they are unspent.
    pub grants: Vec<OwnGrant>,
    /// On 2150.
    pub unapplied_minor: i64,
    /// Surcharge income of it.
    pub surcharge_minor: i64,
}

/// What came in with a payment and what went out of it again, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charge {
    /// Captured or received, the surcharge included.
    pub captured_minor: i64,
    /// Refunded of its own money: asked for, and neither failed nor withdrawn.
    pub refunded_minor: i64,
    /// Gone in disputes.
    pub charged_back_minor: i64,
}

impl Charge {
    /// What nobody has taken yet; below 0 where a dispute took what had been refunded.
    pub const fn not_taken_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor - self.charged_back_minor
    }

    /// True for a payment of which a dispute was lost and nothing captured is left: it is `charged_back`, else `succeeded`.
    pub const fn is_charged_back(&self) -> bool {
        self.charged_back_minor > 0 && self.not_taken_minor() <= 0
    }
}

/// What is taken from each place, minor units; shaped like [`Left`], without places that give nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// From what was set against invoices, which are owed again.
    pub allocated: Vec<Allocated>,
    /// From its own grants.
    pub grants: Vec<OwnGrant>,
    /// From 2150.
    pub unapplied_minor: i64,
    /// From surcharge income.
    pub surcharge_minor: i64,
}

/// From where a part is taken, once its share of the surcharge is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// What was set against invoices, then own grants, then unapplied money.
    AllocatedFirst,
    /// Unapplied money, then own grants, then what was set against invoices.
    UnspentFirst,
    /// What was set against this invoice, and nothing else.
    Invoice(InvoiceId),
    /// The surcharge, and nothing else: it should not have been asked for.
    Surcharge,
}

/// More was asked for than can be taken there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{most_minor} minor units can be taken")]
pub struct MoreThanLeft {
    /// The most that can be taken, the share of the surcharge included.
    pub most_minor: i64,
}

/// What is taken back of an amount that somebody took without asking whether it is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenWithRest {
    /// From the payment.
    pub taken: Taken,
    /// What the payment no longer has: the customer owes it (1150), or it is lost (5210). Minor units.
    pub rest_minor: i64,
}

impl Left {
    /// All that is left: allocated, own grants unspent, unapplied, surcharge kept.
    pub fn total_minor(&self) -> i64 {
        self.without_surcharge_minor() + self.surcharge_minor
    }

    fn without_surcharge_minor(&self) -> i64 {
        allocated_minor(&self.allocated) + granted_minor(&self.grants) + self.unapplied_minor
    }

    /// The share of the surcharge in a part of what is left: surcharge kept × part ÷ all that is left, rounded down.
    pub fn surcharge_share_minor(&self, part_minor: i64) -> i64 {
        let share = i128::from(self.surcharge_minor) * i128::from(part_minor);
        let share = share.checked_div(i128::from(self.total_minor())).unwrap_or(0);
        i64::try_from(share).unwrap_or(self.surcharge_minor).clamp(0, self.surcharge_minor)
    }

    /// The most that can be taken from there, the share of the surcharge included.
    pub fn most_minor(&self, from: Source) -> i64 {
        let invoice = match from {
            Source::AllocatedFirst | Source::UnspentFirst => return self.total_minor(),
            Source::Surcharge => return self.surcharge_minor,
            Source::Invoice(invoice) => invoice,
        };
        let there: i64 = self.of_invoice(invoice).map(|allocated| allocated.amount_minor).sum();
        let most = i128::from(there) * i128::from(self.total_minor());
        most.checked_div(i128::from(self.without_surcharge_minor()))
            .and_then(|most| i64::try_from(most).ok())
            .unwrap_or(0)
    }

    /// Takes a part, which is what the payer gets, its share of the surcharge included.
    pub fn take(&self, part_minor: i64, from: Source) -> Result<Taken, MoreThanLeft> {
        let most_minor = self.most_minor(from);
        if part_minor > most_minor {
            return Err(MoreThanLeft { most_minor });
        }
        let surcharge_minor = match from {
            Source::Surcharge => part_minor.max(0),
            _ => self.surcharge_share_minor(part_minor.max(0)),
        };
        let mut wanted = part_minor.max(0) - surcharge_minor;
        let mut taken = Taken { surcharge_minor, ..Taken::default() };
        match from {
            Source::AllocatedFirst => {
                taken.allocated = take_allocated(self.allocated.iter(), &mut wanted);
                taken.grants = take_grants(&self.grants, &mut wanted);
                taken.unapplied_minor = take_some(self.unapplied_minor, &mut wanted);
            }
            Source::UnspentFirst => {
                taken.unapplied_minor = take_some(self.unapplied_minor, &mut wanted);
                taken.grants = take_grants(&self.grants, &mut wanted);
                taken.allocated = take_allocated(self.allocated.iter(), &mut wanted);
            }
            Source::Invoice(invoice) => {
                taken.allocated = take_allocated(self.of_invoice(invoice), &mut wanted);
            }
            Source::Surcharge => {}
        }
        Ok(taken)
    }

    /// Takes as much of an amount as is left: what a bank took back, or a lost dispute. At most the amount is taken, with the
    /// surcharge in its share, and the rest is named.
    pub fn take_up_to(&self, amount_minor: i64) -> TakenWithRest {
        let part_minor = amount_minor.clamp(0, self.total_minor());
        let taken = self.take(part_minor, Source::AllocatedFirst).unwrap_or_default();
        TakenWithRest { rest_minor: amount_minor.max(0) - taken.total_minor(), taken }
    }

    /// What of it may be refunded: never more than was captured and has not been refunded or charged back. A loss that the
    /// merchant absorbed leaves the allocation, and no money behind it.
    pub fn refundable_minor(&self, charge: &Charge) -> i64 {
        self.total_minor().min(charge.not_taken_minor()).max(0)
    }

    fn of_invoice(&self, invoice: InvoiceId) -> impl Iterator<Item = &Allocated> {
        self.allocated.iter().filter(move |allocated| allocated.invoice == invoice)
    }
}

/// Money that has come back, and the place it goes to, minor units.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GivenBack {
    /// To surcharge income.
    pub surcharge_minor: i64,
    /// To invoices, at most what is payable on each.
    pub allocated: Vec<Allocated>,
    /// To customer credit, a grant for each of these places of birth.
    pub born: Vec<Born>,
    /// To 2150, where it had been.
    pub unapplied_minor: i64,
}

/// Customer credit to be granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Born {
    /// The invoice it goes back to; `None` for money that never was for an invoice.
    pub on: Option<InvoiceId>,
    /// Minor units.
    pub amount_minor: i64,
}

impl Taken {
    /// All that was taken.
    pub fn total_minor(&self) -> i64 {
        allocated_minor(&self.allocated)
            + granted_minor(&self.grants)
            + self.unapplied_minor
            + self.surcharge_minor
    }

    /// A refund that failed: all of it is customer credit now, the share of the surcharge with the first of it. What was taken
    /// from no invoice is credit that was born on none.
    pub fn refund_failed(&self) -> Vec<Born> {
        let mut born = self.without_surcharge();
        match born.first_mut() {
            Some(first) => first.amount_minor += self.surcharge_minor,
            None => add(&mut born, None, self.surcharge_minor),
        }
        born
    }

    /// A refund that was withdrawn before it was sent: the surcharge has its share again, the rest is customer credit.
    pub fn refund_withdrawn(&self) -> GivenBack {
        GivenBack {
            surcharge_minor: self.surcharge_minor,
            born: self.without_surcharge(),
            ..GivenBack::default()
        }
    }

    /// A dispute that is won after it was lost: what the loss took goes back, to an invoice as far as that has something
    /// payable, the rest as credit that is born on it. `payable_minor` says what is payable on an invoice now.
    pub fn won_after_lost(&self, payable_minor: impl Fn(InvoiceId) -> i64) -> GivenBack {
        let mut given = GivenBack {
            surcharge_minor: self.surcharge_minor,
            unapplied_minor: self.unapplied_minor,
            ..GivenBack::default()
        };
        let grants = self.grants.iter().map(|grant| (grant.born_on, grant.amount_minor));
        let allocated = self.allocated.iter().map(|part| (Some(part.invoice), part.amount_minor));
        for (invoice, amount_minor) in allocated.chain(grants) {
            let Some(on) = invoice else {
                add(&mut given.born, None, amount_minor);
                continue;
            };
            let there: i64 =
                given.allocated.iter().filter(|part| part.invoice == on).map(|part| part.amount_minor).sum();
            let fits = amount_minor.min((payable_minor(on) - there).max(0));
            match given.allocated.iter_mut().find(|part| part.invoice == on) {
                Some(part) => part.amount_minor += fits,
                None if fits > 0 => given.allocated.push(Allocated { invoice: on, amount_minor: fits }),
                None => {}
            }
            add(&mut given.born, Some(on), amount_minor - fits);
        }
        given
    }

    fn without_surcharge(&self) -> Vec<Born> {
        let mut born = Vec::new();
        for part in &self.allocated {
            add(&mut born, Some(part.invoice), part.amount_minor);
        }
        for grant in &self.grants {
            add(&mut born, grant.born_on, grant.amount_minor);
        }
        add(&mut born, None, self.unapplied_minor);
        born
    }
}

impl GivenBack {
    /// All of it.
    pub fn total_minor(&self) -> i64 {
        let born: i64 = self.born.iter().map(|born| born.amount_minor).sum();
        self.surcharge_minor + allocated_minor(&self.allocated) + born + self.unapplied_minor
    }
}

fn add(born: &mut Vec<Born>, on: Option<InvoiceId>, amount_minor: i64) {
    match born.iter_mut().find(|there| there.on == on) {
        Some(there) => there.amount_minor += amount_minor,
        None if amount_minor > 0 => born.push(Born { on, amount_minor }),
        None => {}
    }
}

fn allocated_minor(parts: &[Allocated]) -> i64 {
    parts.iter().map(|part| part.amount_minor).sum()
}

fn granted_minor(grants: &[OwnGrant]) -> i64 {
    grants.iter().map(|grant| grant.amount_minor).sum()
}

fn take_some(there_minor: i64, wanted_minor: &mut i64) -> i64 {
    let taken = there_minor.max(0).min(*wanted_minor);
    *wanted_minor -= taken;
    taken
}

fn take_allocated<'a>(parts: impl Iterator<Item = &'a Allocated>, wanted_minor: &mut i64) -> Vec<Allocated> {
    parts
        .map(|part| Allocated { amount_minor: take_some(part.amount_minor, wanted_minor), ..*part })
        .filter(|part| part.amount_minor > 0)
        .collect()
}

fn take_grants(grants: &[OwnGrant], wanted_minor: &mut i64) -> Vec<OwnGrant> {
    grants
        .iter()
        .map(|grant| OwnGrant { amount_minor: take_some(grant.amount_minor, wanted_minor), ..*grant })
        .filter(|grant| grant.amount_minor > 0)
        .collect()
}

#[cfg(test)]
mod tests;
