//! Whether a returned debit may be presented once more: at most twice after the first, within 180 days of it, for the same
//! amount by the same company. It must never answer yes where it is not sure.

use super::{Retry, ReturnKind};
use jiff::{SignedDuration, Timestamp};
use ledger::Money;

/// A debit is presented so often at most, the first time included.
pub const MOST_PRESENTMENTS: usize = 3;
/// And never later than so many days after the first time.
pub const RETRY_DAYS: i64 = 180;

/// One presentment of a debit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DebitEntry<'a> {
    /// When it was sent. Earlier than it settles, so that counting from here is never too generous.
    pub presented_at: Timestamp,
    /// What it asked for.
    pub amount: Money,
    /// Who asked, as the payer's bank knows it.
    pub company: &'a str,
    /// Why it came back; `None` while it has not.
    pub returned: Option<ReturnKind>,
}

/// Why a debit may not be presented again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotRetry {
    /// There is nothing to try again.
    #[error("it was never presented")]
    NeverPresented,
    /// An earlier presentment has not come back: it may yet be paid.
    #[error("an earlier presentment has not come back")]
    NotReturned,
    /// A reason among the returns forbids it for good.
    #[error("it came back as {}, which is not tried again", .0.as_str())]
    Forbidden(ReturnKind),
    /// The payer stopped it, and has not agreed since.
    #[error("the payer has not agreed to another try")]
    PayerHasNotAgreed,
    /// It was presented three times.
    #[error("it was presented {0} times")]
    TooOften(usize),
    /// More than 180 days have passed since the first time.
    #[error("more than {RETRY_DAYS} days have passed since it was first presented")]
    TooLate,
    /// A retry asks for what the first one asked for.
    #[error("the first presentment asked for {0}")]
    OtherAmount(Money),
    /// A retry comes from the same company.
    #[error("another company presented it first")]
    OtherCompany,
}

/// The last moment at which a debit may be presented again that was first presented then.
pub fn last_retry_at(first_presented_at: Timestamp) -> Timestamp {
    first_presented_at.checked_add(SignedDuration::from_hours(24 * RETRY_DAYS)).unwrap_or(Timestamp::MAX)
}

/// Whether `next` may be presented at its time, after `history`, the oldest first. `payer_agreed_at` is when the payer last
/// agreed to this debit being tried again; it counts after the latest presentment only. `next.returned` is not looked at.
pub fn may_retry(
    history: &[DebitEntry<'_>],
    next: &DebitEntry<'_>,
    payer_agreed_at: Option<Timestamp>,
) -> Result<(), CannotRetry> {
    let (Some(first), Some(latest)) = (history.first(), history.last()) else {
        return Err(CannotRetry::NeverPresented);
    };
    let has_agreed = payer_agreed_at
        .is_some_and(|agreed_at| (latest.presented_at..=next.presented_at).contains(&agreed_at));
    for entry in history {
        let kind = entry.returned.ok_or(CannotRetry::NotReturned)?;
        match kind.consequences().retry {
            Retry::Never => return Err(CannotRetry::Forbidden(kind)),
            Retry::IfPayerAgrees if !has_agreed => return Err(CannotRetry::PayerHasNotAgreed),
            Retry::IfPayerAgrees | Retry::TwiceMore => {}
        }
    }
    if history.len() >= MOST_PRESENTMENTS {
        return Err(CannotRetry::TooOften(history.len()));
    }
    if next.amount != first.amount {
        return Err(CannotRetry::OtherAmount(first.amount));
    }
    if next.company != first.company {
        return Err(CannotRetry::OtherCompany);
    }
    if next.presented_at > last_retry_at(first.presented_at) {
        return Err(CannotRetry::TooLate);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn entry(second: i64, minor: i64, returned: Option<&str>) -> DebitEntry<'static> {
        DebitEntry {
            presented_at: Timestamp::from_second(second).unwrap(),
            amount: Money::new(minor, Currency::USD),
            company: "northwind",
            returned: returned.map(ReturnKind::of_code),
        }
    }

    #[test]
    fn twice_more_and_no_more() {
        let returned = |day: i64| entry(day * DAY, 40_000, Some("R01"));
        let next = |day: i64| entry(day * DAY, 40_000, None);
        assert_eq!(may_retry(&[], &next(0), None), Err(CannotRetry::NeverPresented));
        assert_eq!(may_retry(&[returned(0)], &next(5), None), Ok(()));
        assert_eq!(may_retry(&[returned(0), returned(5)], &next(9), None), Ok(()));
        let thrice = [returned(0), returned(5), returned(9)];
        assert_eq!(may_retry(&thrice, &next(12), None), Err(CannotRetry::TooOften(3)));
        assert_eq!(may_retry(&[next(0)], &next(5), None), Err(CannotRetry::NotReturned));
    }

    #[test]
    fn the_180th_day_is_the_last() {
        let first = [entry(0, 40_000, Some("R09"))];
        assert_eq!(may_retry(&first, &entry(180 * DAY, 40_000, None), None), Ok(()));
        assert_eq!(may_retry(&first, &entry(180 * DAY + 1, 40_000, None), None), Err(CannotRetry::TooLate));
    }

    #[test]
    fn it_is_the_same_debit_of_the_same_company() {
        let first = [entry(0, 40_000, Some("R01"))];
        let less = may_retry(&first, &entry(DAY, 39_999, None), None);
        assert_eq!(less, Err(CannotRetry::OtherAmount(Money::new(40_000, Currency::USD))));
        let other = DebitEntry { company: "southwind", ..entry(DAY, 40_000, None) };
        assert_eq!(may_retry(&first, &other, None), Err(CannotRetry::OtherCompany));
        let euros = DebitEntry { amount: Money::new(40_000, Currency::EUR), ..entry(DAY, 40_000, None) };
        assert!(matches!(may_retry(&first, &euros, None), Err(CannotRetry::OtherAmount(_))));
    }

    #[test]
    fn a_payer_who_stopped_it_has_to_agree_again() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let first = [entry(DAY, 40_000, Some("R08"))];
        let next = entry(9 * DAY, 40_000, None);
        assert_eq!(may_retry(&first, &next, None), Err(CannotRetry::PayerHasNotAgreed));
        assert_eq!(may_retry(&first, &next, at(0)), Err(CannotRetry::PayerHasNotAgreed), "agreed before it");
        assert_eq!(may_retry(&first, &next, at(10 * DAY)), Err(CannotRetry::PayerHasNotAgreed), "not yet");
        assert_eq!(may_retry(&first, &next, at(5 * DAY)), Ok(()));
        let revoked = [entry(0, 40_000, Some("R01")), entry(DAY, 40_000, Some("R07"))];
        let forbidden = Err(CannotRetry::Forbidden(ReturnKind::NotAuthorized));
        assert_eq!(may_retry(&revoked, &next, at(5 * DAY)), forbidden, "a leave that was taken back is gone");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        /// Chains of returns in which somebody tries again at every chance there is.
        #[test]
        fn no_chain_has_a_fourth_presentment_another_amount_or_a_late_one(
            tries in proptest::collection::vec((0..super::super::CODES.len(), 1..90_i64, 0..3_i64, 0..4_u8, any::<bool>()), 1..12)
        ) {
            let mut chain = vec![entry(0, 1_000, Some(super::super::CODES[tries[0].0].code))];
            let mut day = 0;
            for (code, days, more, company, agrees) in &tries[1..] {
                day += days;
                let returned = Some(ReturnKind::of_code(super::super::CODES[*code].code));
                let company = if *company == 0 { "southwind" } else { "northwind" };
                let next = DebitEntry { company, returned, ..entry(day * DAY, 1_000 + more, None) };
                let agreed_at = agrees.then_some(next.presented_at);
                if may_retry(&chain, &next, agreed_at).is_ok() {
                    let last = chain.last().unwrap().returned.unwrap();
                    prop_assert!(agrees | (last == ReturnKind::NotEnoughMoney));
                    chain.push(next);
                }
            }
            prop_assert!(chain.len() <= 3);
            prop_assert!(chain.iter().all(|entry| entry.amount == chain[0].amount && entry.company == chain[0].company));
            prop_assert!(chain.iter().all(|entry| entry.presented_at.as_second() <= 180 * DAY));
            let retried = chain.iter().rev().skip(1).filter_map(|entry| entry.returned);
            prop_assert!(retried.into_iter().all(|kind| !kind.consequences().needs_new_authorization && !kind.consequences().is_legal_hold));
        }
    }
}
