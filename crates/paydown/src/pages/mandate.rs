//! What a payer allows before a bank account is debited: one text for the page that shows it and for the record that is kept of
//! it. A scheme that prescribes its words has them word for word.

use super::Chrome;
use crate::texts::Arg;
use billing::payment::Method;
use jiff::civil::Date;
use ledger::Money;

/// The text for one debit of an amount, on or after a day; `None` where a method needs none.
pub fn wording(chrome: &Chrome, method: Method, amount: Money, on: Date) -> Option<String> {
    let key = match method {
        Method::UsBankAccount => "mandate-us-bank-account",
        Method::SepaDebit => "mandate-sepa-debit",
        Method::Card | Method::Cheque | Method::Wire | Method::Cash => return None,
    };
    let args = [
        ("merchant", chrome.merchant_name()),
        ("amount", chrome.amount(amount)),
        ("date", Arg::text(chrome.date(&on))),
        ("help", Arg::name(&chrome.merchant.help_contact)),
    ];
    Some(chrome.words(key, &args))
}

/// What is added where the account is kept for later: the leave for debits that its owner asks for. `None` where nothing is debited.
pub fn keep_wording(chrome: &Chrome, method: Method) -> Option<String> {
    let args = [("merchant", chrome.merchant_name()), ("help", Arg::name(&chrome.merchant.help_contact))];
    Some(chrome.words(keep_key(method)?, &args))
}

/// The text for keeping an account without paying.
pub fn setup_wording(chrome: &Chrome, method: Method) -> Option<String> {
    let args = [("merchant", chrome.merchant_name()), ("help", Arg::name(&chrome.merchant.help_contact))];
    let key = match method {
        Method::UsBankAccount => "mandate-setup-us-bank-account",
        Method::SepaDebit => "mandate-setup-sepa-debit",
        Method::Card | Method::Cheque | Method::Wire | Method::Cash => return None,
    };
    Some(chrome.words(key, &args))
}

/// The text for one debit of a saved account, which its payer can stop until a time on a day.
pub fn saved_wording(
    chrome: &Chrome,
    method: Method,
    (amount, last4): (Money, &str),
    (on, until): (Date, &str),
) -> Option<String> {
    let key = match method {
        Method::UsBankAccount => "mandate-saved-us-bank-account",
        Method::SepaDebit => "mandate-saved-sepa-debit",
        Method::Card | Method::Cheque | Method::Wire | Method::Cash => return None,
    };
    let args = [
        ("merchant", chrome.merchant_name()),
        ("amount", chrome.amount(amount)),
        ("last4", Arg::text(last4.to_owned())),
        ("date", Arg::text(chrome.date(&on))),
        ("until", Arg::text(until.to_owned())),
        ("help", Arg::name(&chrome.merchant.help_contact)),
    ];
    Some(chrome.words(key, &args))
}

fn keep_key(method: Method) -> Option<&'static str> {
    match method {
        Method::UsBankAccount => Some("mandate-keep-us-bank-account"),
        Method::SepaDebit => Some("mandate-keep-sepa-debit"),
        Method::Card | Method::Cheque | Method::Wire | Method::Cash => None,
    }
}
