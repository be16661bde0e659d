//! The partial-payment policy: merchant, overridden per customer, overridden per invoice. It binds money we *ask* for,
//! never money already received.

use ledger::Money;

/// May a part be paid?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Partial {
    /// Only all that is left.
    Never,
    /// Any legal part.
    #[default]
    Always,
}

/// The least that may be paid as a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Minimum {
    /// No minimum.
    None,
    /// An amount. It binds invoices in its own currency only.
    Amount(Money),
    /// Hundredths of a percent of what is left, rounded up: 10 % is 1 000.
    Percent(i64),
}

/// Must whoever pays by a link first show that the mailbox it was sent to is theirs?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Identify {
    /// The link is enough.
    #[default]
    Never,
    /// For every payment.
    Always,
    /// For payments of more than this, and for all in another currency, which cannot be compared.
    Above(Money),
}

impl Identify {
    /// True if it is demanded for a payment of this amount.
    pub fn is_demanded_for(self, amount: Money) -> bool {
        match self {
            Identify::Never => false,
            Identify::Always => true,
            Identify::Above(limit) => limit.currency() != amount.currency() || amount.minor() > limit.minor(),
        }
    }
}

/// One layer of the policy; what is `None` is left to the layer below.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PolicyLayer {
    /// May a part be paid?
    pub partial: Option<Partial>,
    /// The least part.
    pub minimum: Option<Minimum>,
    /// No crumbs: what stays is 0 or at least this, minor units of the invoice's currency.
    pub floor_minor: Option<i64>,
    /// Must a payer by link say who they are?
    pub identify: Option<Identify>,
}

/// The policy that holds for one invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// May a part be paid?
    pub partial: Partial,
    /// The least part.
    pub minimum: Minimum,
    /// What stays after a part is at least this, minor units.
    pub floor_minor: i64,
    /// Must a payer by link say who they are?
    pub identify: Identify,
}

impl Policy {
    /// The layers laid over each other, the most specific last. Without any: always, no minimum, and as floor the
    /// processor's minimum charge in the invoice's currency.
    pub fn effective(layers: &[PolicyLayer], processor_minimum_minor: i64) -> Policy {
        let start = Policy {
            partial: Partial::Always,
            minimum: Minimum::None,
            floor_minor: processor_minimum_minor,
            identify: Identify::Never,
        };
        layers.iter().fold(start, |below, layer| Policy {
            partial: layer.partial.unwrap_or(below.partial),
            minimum: layer.minimum.unwrap_or(below.minimum),
            floor_minor: layer.floor_minor.unwrap_or(below.floor_minor),
            identify: layer.identify.unwrap_or(below.identify),
        })
    }

    /// The least amount in force: never above what is payable now, and 1 where there is no minimum.
    pub fn minimum_minor(&self, payable: Money) -> i64 {
        let configured = match self.minimum {
            Minimum::Amount(minimum) if minimum.currency() == payable.currency() => minimum.minor(),
            Minimum::Percent(hundredths) => percent_rounded_up(payable.minor(), hundredths),
            Minimum::None | Minimum::Amount(_) => 1,
        };
        configured.max(1).min(payable.minor().max(1))
    }
}

fn percent_rounded_up(minor: i64, hundredths: i64) -> i64 {
    let scaled = i128::from(minor) * i128::from(hundredths);
    i64::try_from((scaled + 9_999) / 10_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn the_most_specific_layer_wins_field_by_field() {
        let merchant = PolicyLayer {
            partial: Some(Partial::Never),
            minimum: Some(Minimum::Percent(1_000)),
            floor_minor: None,
            identify: Some(Identify::Above(usd(100_000))),
        };
        let customer = PolicyLayer { partial: Some(Partial::Always), ..PolicyLayer::default() };
        let invoice = PolicyLayer { minimum: Some(Minimum::Amount(usd(2_500))), ..PolicyLayer::default() };
        let policy = Policy::effective(&[merchant, customer, invoice], 50);
        assert_eq!(
            policy,
            Policy {
                partial: Partial::Always,
                minimum: Minimum::Amount(usd(2_500)),
                floor_minor: 50,
                identify: Identify::Above(usd(100_000)),
            }
        );
        assert_eq!(Policy::effective(&[], 50).partial, Partial::Always);
    }

    #[test]
    fn a_minimum_is_never_above_what_is_left() {
        let policy =
            |minimum| Policy { partial: Partial::Always, minimum, floor_minor: 0, identify: Identify::Never };
        assert_eq!(policy(Minimum::Amount(usd(2_500))).minimum_minor(usd(1_000)), 1_000);
        assert_eq!(policy(Minimum::Amount(usd(2_500))).minimum_minor(usd(10_000)), 2_500);
        assert_eq!(policy(Minimum::Percent(1_000)).minimum_minor(usd(10_001)), 1_001);
        assert_eq!(policy(Minimum::None).minimum_minor(usd(10_000)), 1);
        assert_eq!(policy(Minimum::Amount(Money::new(2_500, Currency::EUR))).minimum_minor(usd(10_000)), 1);
    }
    #[test]
    fn identity_is_demanded_above_an_amount_or_where_it_cannot_be_compared() {
        let above = Identify::Above(usd(100_000));
        assert!(!above.is_demanded_for(usd(100_000)));
        assert!(above.is_demanded_for(usd(100_001)));
        assert!(above.is_demanded_for(Money::new(1, Currency::EUR)));
        assert!(Identify::Always.is_demanded_for(usd(1)) && !Identify::Never.is_demanded_for(usd(i64::MAX)));
    }
}
