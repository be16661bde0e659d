//! A refusal of the amount rule in the page's words. It never decides one.

use crate::pages::amount::Refusal as Shown;
use crate::portal::context::Ctx;
use crate::portal::load::Loaded;
use billing::amount::{Refusal, RefusalKind, TextError};
use billing::invoice::Lifecycle;
use billing::policy::Partial;
use ledger::Money;

/// How an amount came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Typed into the field.
    Typed(&'a str),
    /// Minor units, in an address or a form that a page of ours drew: it was legal then.
    Drawn(i64),
}

/// The words for a refusal.
pub fn words(ctx: &Ctx, loaded: &Loaded, asked: Asked<'_>, refusal: &Refusal) -> Shown {
    match &refusal.kind {
        RefusalKind::Text(error) => text(ctx, loaded, asked, *error),
        RefusalKind::NotPositive => Shown::NotPositive,
        RefusalKind::Above { payable, pending } => above(ctx, loaded, asked, (*payable, *pending)),
        RefusalKind::AllInProgress => Shown::AllInFlight,
        RefusalKind::NothingLeft => nothing_left(ctx, loaded),
        RefusalKind::PartialNotAllowed => Shown::InFullOnly,
        RefusalKind::BelowMinimum { minimum } => Shown::UnderMinimum(*minimum),
        RefusalKind::Crumb { crumb, all, at_most } => Shown::Crumb {
            amount: all.checked_sub(*crumb).unwrap_or(*all),
            leaves: *crumb,
            at_most: *at_most,
        },
        RefusalKind::BelowMethod { minimum } => Shown::UnderCardMinimum(*minimum),
        RefusalKind::LeftBelowMethod { .. } => Shown::TooLittleLeft,
        RefusalKind::AboveMethod { maximum } if refusal.limits.is_none() => Shown::TooMuchForACard(*maximum),
        RefusalKind::AboveMethod { maximum } => Shown::OverCardMaximum(*maximum),
        RefusalKind::OffStep { .. } => {
            let zero = Money::zero(loaded.terms.payable.currency());
            let below = refusal.next_legal.first().copied().unwrap_or(zero);
            Shown::NotOnStep { below, above: refusal.next_legal.last().copied().unwrap_or(below) }
        }
        RefusalKind::PercentOutOfRange { least_percent } => {
            Shown::PercentOutOfRange { least: u8::try_from(*least_percent).unwrap_or(100) }
        }
    }
}

/// Why no part can be chosen at all, though something may be paid.
pub fn no_part(loaded: &Loaded) -> Shown {
    match loaded.terms.policy.partial {
        Partial::Never => Shown::InFullOnly,
        Partial::Always => Shown::AllOnly,
    }
}

/// An amount that was legal when its page was drawn is too much now because somebody paid; a typed one simply is.
fn above(ctx: &Ctx, loaded: &Loaded, asked: Asked<'_>, (payable, pending): (Money, Money)) -> Shown {
    let paid = loaded.paid_lately(ctx);
    let was_legal = match asked {
        Asked::Drawn(minor) => minor <= payable.minor().saturating_add(paid.minor()),
        Asked::Typed(_) => false,
    };
    if was_legal && paid.is_positive() {
        Shown::Changed { paid }
    } else if pending.is_positive() {
        Shown::OverLeftInProgress
    } else {
        Shown::OverLeft
    }
}

fn nothing_left(ctx: &Ctx, loaded: &Loaded) -> Shown {
    let invoice = &loaded.invoice;
    match invoice.lifecycle {
        Lifecycle::Void => Shown::Void { on: ctx.day(invoice.ended_at.unwrap_or(ctx.now)) },
        _ if loaded.paid_lately(ctx).is_positive() => Shown::PaidMeanwhile,
        _ => Shown::NothingLeft,
    }
}

fn text(ctx: &Ctx, loaded: &Loaded, asked: Asked<'_>, error: TextError) -> Shown {
    match (error, asked) {
        (TextError::Empty, _) => Shown::Empty,
        (TextError::NotANumber | TextError::TooManyDigits, _) => Shown::NotANumber,
        (TextError::TooManyDecimals { .. }, _) => Shown::TooManyDecimals,
        (TextError::OtherCurrency, _) => Shown::OtherCurrency,
        (TextError::Unclear, Asked::Typed(typed)) => {
            let digits = loaded.terms.payable.currency().exponent() as usize;
            match both_readings(typed, ctx.locale.number_marks(), digits) {
                Some((grouped, decimal)) => Shown::Unclear { grouped, decimal },
                None => Shown::NotANumber,
            }
        }
        (TextError::Unclear, Asked::Drawn(_)) => Shown::NotANumber,
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
