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
