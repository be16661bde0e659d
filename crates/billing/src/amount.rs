//! The amount rule: one pure function for portal, API, command line and importer.
//!
//! In: typed text or minor units, what is payable, the policy, the method's limits. Out: the accepted amount, or a
//! named refusal with the limits and the next legal amounts. Nothing is clamped, rounded or guessed.

mod digits;
mod text;

pub use text::{NumberMarks, TextError, Typed, parse_text};

use crate::policy::{Partial, Policy};
use ledger::Money;

/// What a payment method can carry, minor units of the invoice's currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MethodLimits {
    /// Least amount of one charge.
    pub minimum_minor: i64,
    /// Most of one charge.
    pub maximum_minor: i64,
    /// Amounts are multiples of this: 10 where a processor wants three-decimal currencies to end in 0, else 1.
    pub step_minor: i64,
}

impl MethodLimits {
    /// Those of no method in particular.
    pub const NONE: MethodLimits = MethodLimits { minimum_minor: 1, maximum_minor: i64::MAX, step_minor: 1 };

    /// What one of two methods can carry at least. An amount within may still not suit the one that is chosen.
    #[must_use]
    pub fn widest(self, other: MethodLimits) -> MethodLimits {
        MethodLimits {
            minimum_minor: self.minimum_minor.min(other.minimum_minor),
            maximum_minor: self.maximum_minor.max(other.maximum_minor),
            step_minor: self.step_minor.min(other.step_minor),
        }
    }
}

/// Everything the rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Open less pending: the ceiling.
    pub payable: Money,
    /// What other payments have reserved.
    pub pending: Money,
    /// The policy in force for the invoice.
    pub policy: Policy,
    /// Limits of the method that would carry it.
    pub method: MethodLimits,
}

/// An amount that may be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The amount.
    pub amount: Money,
    /// What is left to pay after it.
    pub left: Money,
}

impl Accepted {
    /// True when it pays all that is left; no text may then call it partial.
    pub const fn is_full(&self) -> bool {
        self.left.is_zero()
    }
}

/// Why an amount is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefusalKind {
    /// The text could not be read.
    Text(TextError),
    /// Zero or less.
    NotPositive,
    /// More than is payable now; `pending` says how much is already on its way.
    Above {
        /// The ceiling.
        payable: Money,
        /// Reserved by payments in flight.
        pending: Money,
    },
    /// Nothing is left, nor on its way.
    NothingLeft,
    /// Nothing is left to ask for, all of it is on its way.
    AllInProgress,
    /// The merchant wants the invoice paid in full.
    PartialNotAllowed,
    /// Less than the merchant's minimum.
    BelowMinimum {
        /// The least amount.
        minimum: Money,
    },
    /// What would stay is too little to be paid later.
    Crumb {
        /// What would stay.
        crumb: Money,
        /// Pay all of it …
        all: Money,
        /// … or at most this, where there is such an amount.
        at_most: Option<Money>,
    },
    /// Less than the method can charge.
    BelowMethod {
        /// Its least charge.
        minimum: Money,
    },
    /// All that is left is less than the method can charge.
    LeftBelowMethod {
        /// What is left.
        left: Money,
        /// Its least charge.
        minimum: Money,
    },
    /// More than the method can charge at once.
    AboveMethod {
        /// Its most.
        maximum: Money,
    },
    /// Not a multiple of the method's step.
    OffStep {
        /// The step, minor units.
        step_minor: i64,
    },
    /// A percentage that comes to less than the least legal amount, or is above 100.
    PercentOutOfRange {
        /// Least whole percentage that is legal.
        least_percent: i64,
    },
}

/// A refusal with what would be accepted instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// Least and most that may be paid, if anything may.
    pub limits: Option<(Money, Money)>,
    /// Up to two legal amounts nearest to what was asked for, ascending; empty when nothing was asked or is legal.
    pub next_legal: Vec<Money>,
}

impl Terms {
    /// Judges typed text, read with the marks of the payer's locale.
    pub fn decide_text(&self, text: &str, marks: NumberMarks) -> Result<Accepted, Refusal> {
        if let Some(kind) = self.nothing_payable() {
            return Err(self.refuse(kind, None));
        }
        match parse_text(text, self.payable.currency(), marks) {
            Err(error) => Err(self.refuse(RefusalKind::Text(error), None)),
            Ok(Typed::Minor(minor)) => self.decide(minor),
            Ok(Typed::Percent(hundredths)) => self.decide_percent(hundredths),
        }
    }

    /// Judges an amount in minor units.
    pub fn decide(&self, minor: i64) -> Result<Accepted, Refusal> {
        if let Some(kind) = self.nothing_payable() {
            return Err(self.refuse(kind, None));
        }
        match self.objection(minor) {
            Some(kind) => Err(self.refuse(kind, Some(minor))),
            None => {
                let left = self.money(self.payable.minor() - minor);
                Ok(Accepted { amount: self.money(minor), left })
            }
        }
    }

    /// Least and most that may be paid now; `None` when nothing may.
    pub fn limits(&self) -> Option<(Money, Money)> {
        let (part, full) = (self.parts(), self.full());
        let least = part.map(|(least, _)| least).or(full)?;
        let most = full.or(part.map(|(_, most)| most))?;
        Some((self.money(least), self.money(most)))
    }

    /// True when a part may be chosen at all; the pencil is hidden otherwise.
    pub fn allows_part(&self) -> bool {
        self.parts().is_some()
    }

    /// Legal amounts nearest to `minor`: the next one below and the next one above, ascending, without `minor` itself.
    pub fn next_legal(&self, minor: i64) -> Vec<Money> {
        let step = self.method.step_minor;
        let mut near = Vec::new();
        if let Some((least, most)) = self.parts() {
            near.push(minor.clamp(least, most).div_euclid(step).saturating_mul(step).max(least));
            near.push(least.max(minor.clamp(least, most)));
        }
        near.extend(self.full());
        near.retain(|candidate| *candidate != minor && self.objection(*candidate).is_none());
        near.sort_unstable();
        near.dedup();
        let below = near.iter().rev().find(|candidate| **candidate < minor);
        let above = near.iter().find(|candidate| **candidate > minor);
        below.into_iter().chain(above).map(|minor| self.money(*minor)).collect()
    }

    fn decide_percent(&self, hundredths: i64) -> Result<Accepted, Refusal> {
        let amount = self.payable.share(hundredths, 10_000).map_or(i64::MAX, Money::minor);
        let least = self.limits().map_or(1, |(least, _)| least.minor());
        if hundredths > 10_000 || amount < least {
            let scaled = i128::from(least) * 100;
            let payable = i128::from(self.payable.minor().max(1));
            let least_percent = i64::try_from((scaled + payable - 1) / payable).unwrap_or(100).clamp(1, 100);
            return Err(self.refuse(RefusalKind::PercentOutOfRange { least_percent }, None));
        }
        self.decide(amount)
    }

    fn nothing_payable(&self) -> Option<RefusalKind> {
        match (self.payable.is_positive(), self.pending.is_positive()) {
            (true, _) => None,
            (false, true) => Some(RefusalKind::AllInProgress),
            (false, false) => Some(RefusalKind::NothingLeft),
        }
    }

    fn objection(&self, minor: i64) -> Option<RefusalKind> {
        let (payable, method) = (self.payable.minor(), &self.method);
        if minor <= 0 {
            return Some(RefusalKind::NotPositive);
        }
        if minor > payable {
            return Some(RefusalKind::Above { payable: self.payable, pending: self.pending });
        }
        if payable < method.minimum_minor {
            let minimum = self.money(method.minimum_minor);
            return Some(RefusalKind::LeftBelowMethod { left: self.payable, minimum });
        }
        if minor < payable
            && let Some(kind) = self.objection_to_part(minor)
        {
            return Some(kind);
        }
        if minor > method.maximum_minor {
            return Some(RefusalKind::AboveMethod { maximum: self.money(method.maximum_minor) });
        }
        if minor % method.step_minor != 0 {
            return Some(RefusalKind::OffStep { step_minor: method.step_minor });
        }
        None
    }

    fn objection_to_part(&self, minor: i64) -> Option<RefusalKind> {
        if self.beyond_steps() > 0 && minor == self.payable.minor() - self.beyond_steps() {
            return None;
        }
        if self.policy.partial == Partial::Never {
            return Some(RefusalKind::PartialNotAllowed);
        }
        let minimum = self.policy.minimum_minor(self.payable);
        if minor < minimum {
            return Some(RefusalKind::BelowMinimum { minimum: self.money(minimum) });
        }
        if minor < self.method.minimum_minor {
            return Some(RefusalKind::BelowMethod { minimum: self.money(self.method.minimum_minor) });
        }
        let stays = self.payable.minor() - minor;
        if stays < self.policy.floor_minor {
            let at_most = self.parts().map(|(_, most)| self.money(most));
            let all = self.money(self.payable.minor() - self.beyond_steps());
            return Some(RefusalKind::Crumb { crumb: self.money(stays), all, at_most });
        }
        None
    }

    /// Least and most of a part, on the method's steps; `None` when no part is legal.
    fn parts(&self) -> Option<(i64, i64)> {
        if self.policy.partial == Partial::Never || self.payable.minor() < self.method.minimum_minor {
            return None;
        }
        let step = self.method.step_minor;
        let least = self.policy.minimum_minor(self.payable).max(self.method.minimum_minor);
        let least = least.checked_add(step - 1)?.div_euclid(step) * step;
        let most = (self.payable.minor() - self.policy.floor_minor.max(1)).min(self.method.maximum_minor);
        let most = most.div_euclid(step) * step;
        (least <= most).then_some((least, most))
    }

    /// All that is left, where the method can carry it; where its steps leave a last digit over, all but that.
    fn full(&self) -> Option<i64> {
        let minor = self.payable.minor() - self.beyond_steps();
        (minor > 0 && self.objection(minor).is_none()).then_some(minor)
    }

    /// What of the amount left no charge on the method's steps can ever reach. Nobody can do better than to leave it,
    /// so no rule of the merchant's stands against that.
    fn beyond_steps(&self) -> i64 {
        self.payable.minor().rem_euclid(self.method.step_minor)
    }

    fn refuse(&self, kind: RefusalKind, asked: Option<i64>) -> Refusal {
        let next_legal = asked.map(|minor| self.next_legal(minor)).unwrap_or_default();
        Refusal { kind, limits: self.limits(), next_legal }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.payable.currency())
    }
}

#[cfg(test)]
mod tests;
