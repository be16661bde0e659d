//! When the money of a debit usually arrives. Bank holidays are not known here, so it is an estimate and nothing is decided by it.

use crate::payment::Method;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// Weekdays until a debit in the United States is settled.
const US_WEEKDAYS: u8 = 4;
/// Weekdays until a debit in the single euro payments area is settled.
const SEPA_WEEKDAYS: u8 = 6;

/// The day by which money that is debited today usually arrives; `None` for a method that answers at once.
pub fn arrives_on(method: Method, today: Date) -> Option<Date> {
    let mut left = match method {
        Method::UsBankAccount => US_WEEKDAYS,
        Method::SepaDebit => SEPA_WEEKDAYS,
        Method::Card | Method::Cheque | Method::Wire | Method::Cash => return None,
    };
    let mut day = today;
    while left > 0 {
        day = day.checked_add(1.day()).ok()?;
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    Some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn weekends_do_not_count() {
        let thursday = date(2026, 11, 19);
        assert_eq!(arrives_on(Method::UsBankAccount, thursday), Some(date(2026, 11, 25)));
        assert_eq!(arrives_on(Method::SepaDebit, thursday), Some(date(2026, 11, 27)));
        assert_eq!(arrives_on(Method::UsBankAccount, date(2026, 11, 21)), Some(date(2026, 11, 26)));
        assert_eq!(arrives_on(Method::Card, thursday), None);
        assert_eq!(arrives_on(Method::SepaDebit, Date::MAX), None);
    }
}
