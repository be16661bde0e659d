//! A refusal of the amount rule in the page's words. It never decides one.

use crate::pages::amount::Refusal as Shown;
use crate::portal::context::Ctx;
use billing::amount::{Refusal, RefusalKind, Terms, TextError};
use ledger::Money;

/// The words for a refusal.
pub fn words(ctx: &Ctx, terms: &Terms, typed: &str, refusal: &Refusal) -> Shown {
    match &refusal.kind {
        RefusalKind::Text(error) => text(ctx, terms, typed, *error),
        RefusalKind::NotPositive => Shown::NotPositive,
        RefusalKind::Above { pending, .. } if pending.is_positive() => Shown::OverLeftInProgress,
        RefusalKind::AllInProgress => Shown::OverLeftInProgress,
        RefusalKind::Above { .. } => Shown::OverLeft,
        RefusalKind::NothingLeft => Shown::PaidMeanwhile,
        RefusalKind::PartialNotAllowed => Shown::InFullOnly,
        RefusalKind::BelowMinimum { minimum } => Shown::UnderMinimum(*minimum),
        RefusalKind::Crumb { crumb, all, at_most } => Shown::Crumb {
            amount: all.checked_sub(*crumb).unwrap_or(*all),
            leaves: *crumb,
            at_most: *at_most,
        },
        RefusalKind::BelowMethod { minimum } | RefusalKind::LeftBelowMethod { minimum, .. } => {
            Shown::UnderCardMinimum(*minimum)
        }
        RefusalKind::AboveMethod { maximum } => Shown::OverCardMaximum(*maximum),
        RefusalKind::OffStep { .. } => {
            let zero = Money::zero(terms.payable.currency());
            let below = refusal.next_legal.first().copied().unwrap_or(zero);
            Shown::NotOnStep { below, above: refusal.next_legal.last().copied().unwrap_or(below) }
        }
        RefusalKind::PercentOutOfRange { least_percent } => {
            Shown::PercentOutOfRange { least: u8::try_from(*least_percent).unwrap_or(100) }
        }
    }
}

fn text(ctx: &Ctx, terms: &Terms, typed: &str, error: TextError) -> Shown {
    match error {
        TextError::Empty => Shown::Empty,
        TextError::NotANumber | TextError::TooManyDigits => Shown::NotANumber,
        TextError::TooManyDecimals { .. } => Shown::TooManyDecimals,
        TextError::OtherCurrency => Shown::OtherCurrency,
        TextError::Unclear => {
            let digits = terms.payable.currency().exponent() as usize;
            match both_readings(typed, ctx.locale.number_marks(), digits) {
                Some((grouped, decimal)) => Shown::Unclear { grouped, decimal },
                None => Shown::NotANumber,
            }
        }
    }
}

/// `1.234` as `1,234` and as `1.23`, in the page's format.
fn both_readings(typed: &str, (decimal, grouping): (char, char), digits: usize) -> Option<(String, String)> {
    let figure = typed.trim_matches(|c: char| !c.is_ascii_digit());
    let (whole, rest) = figure.split_once(|c: char| !c.is_ascii_digit())?;
    let cut: String = rest.chars().take(digits).collect();
    Some((format!("{whole}{grouping}{rest}"), format!("{whole}{decimal}{cut}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclear_figure_is_shown_both_ways() {
        let readings = both_readings("$1.234", ('.', ','), 2);
        assert_eq!(readings, Some(("1,234".to_owned(), "1.23".to_owned())));
        assert_eq!(both_readings("abc", ('.', ','), 2), None);
    }
}
