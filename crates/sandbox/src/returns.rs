//! Why banks send debits back: the scheme's code and the processor's names for it.
//!
//! NACHA's codes for accounts in the United States, ISO 20022's for SEPA. The names follow the processor's published tables of failure
//! codes, network decline codes and dispute reasons; a code it does not list is one its bank could not process.

/// What the processor calls a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReturnNames {
    /// `failure_code` of the charge and `code` of the payment intent's last error.
    pub(crate) failure_code: &'static str,
    pub(crate) decline_code: &'static str,
    /// `reason` of the dispute when it comes after success.
    pub(crate) dispute_reason: &'static str,
    pub(crate) message: &'static str,
    /// Whether no further debit may be made on the mandate.
    pub(crate) ends_mandate: bool,
}

const SEPA_CODES: &[&str] = &[
    "AC01", "AC04", "AC06", "AC13", "AG01", "AG02", "AM04", "AM05", "BE05", "CNOR", "DNOR", "FF01", "MD01",
    "MD02", "MD06", "MD07", "MS02", "MS03", "RC01", "RR01", "RR02", "RR03", "RR04", "SL01", "TM01",
];
/// Numbers in NACHA's list that stand for nothing.
const NACHA_GAPS: &[u32] = &[48, 49, 54, 55, 56, 57, 58, 59, 60, 63, 64, 65, 66, 78, 79];

/// Whether NACHA or SEPA have such a code.
pub(crate) fn exists(code: &str) -> bool {
    let nacha = code.strip_prefix('R').filter(|digits| digits.len() == 2);
    match nacha.and_then(|digits| digits.parse::<u32>().ok()) {
        Some(number) => (1..=85).contains(&number) && !NACHA_GAPS.contains(&number),
        None => SEPA_CODES.contains(&code),
    }
}

/// Codes of the schemes, or of the processor's own where a scheme has none, and what they are called.
const NAMES: &[(&[&str], ReturnNames)] = &[
    (
        &["R01", "R09", "AM04"],
        named(
            "insufficient_funds",
            "insufficient_funds",
            "insufficient_funds",
            "The customer's account has insufficient funds to cover this payment.",
            false,
        ),
    ),
    (
        &["R02", "AC04"],
        named(
            "account_closed",
            "bank_account_closed",
            "bank_cannot_process",
            "The customer's bank account has been closed.",
            true,
        ),
    ),
    (
        &["R03", "BE05"],
        named(
            "no_account",
            "bank_account_invalid_details",
            "incorrect_account_details",
            "The customer's bank account could not be located.",
            true,
        ),
    ),
    (
        &["R04", "R13", "AC01", "RC01"],
        named(
            "invalid_account_number",
            "bank_account_invalid_details",
            "incorrect_account_details",
            "The bank account number is not valid.",
            true,
        ),
    ),
    (
        &["R05", "R07", "R08", "R10", "R11", "R29", "R31", "R51", "AG01", "MD01", "MD02", "MS02", "SL01"],
        named(
            "debit_not_authorized",
            "debit_not_authorized",
            "debit_not_authorized",
            "The customer has notified their bank that this payment was unauthorized.",
            true,
        ),
    ),
    (
        &["MD06"],
        named(
            "debit_not_authorized",
            "debit_not_authorized",
            "customer_initiated",
            "The customer asked their bank for the money back.",
            true,
        ),
    ),
    (
        &["R14", "R15", "MD07"],
        named(
            "recipient_deceased",
            "bank_account_restricted",
            "bank_cannot_process",
            "The customer's bank account cannot be debited.",
            true,
        ),
    ),
    (
        &["R16", "R20", "AC06", "AC13"],
        named(
            "bank_account_restricted",
            "bank_account_restricted",
            "bank_cannot_process",
            "The customer's bank account does not allow debits.",
            true,
        ),
    ),
    (
        &["R12"],
        named(
            "bank_ownership_changed",
            "bank_account_invalid_details",
            "bank_cannot_process",
            "The account was moved to another bank.",
            true,
        ),
    ),
    (
        &["invalid_currency"],
        named(
            "invalid_currency",
            "generic_decline",
            "bank_cannot_process",
            "The bank was unable to process this payment because of its currency.",
            false,
        ),
    ),
    (
        &["charge_exceeds_source_limit"],
        named(
            "charge_exceeds_source_limit",
            "generic_decline",
            "bank_cannot_process",
            "This payment exceeds the weekly volume limit of the account.",
            false,
        ),
    ),
    (
        &["charge_exceeds_weekly_limit"],
        named(
            "charge_exceeds_weekly_limit",
            "generic_decline",
            "bank_cannot_process",
            "This payment exceeds the weekly transaction limit of the account.",
            false,
        ),
    ),
    (
        &["tokenized_account_number_deactivated"],
        named(
            "tokenized_account_number_deactivated",
            "bank_account_invalid_details",
            "bank_cannot_process",
            "The tokenized account number was deactivated by the customer or their bank.",
            true,
        ),
    ),
];
const COULD_NOT_PROCESS: ReturnNames = named(
    "generic_could_not_process",
    "generic_decline",
    "bank_cannot_process",
    "The bank was unable to process this payment.",
    false,
);

const fn named(
    failure_code: &'static str,
    decline_code: &'static str,
    dispute_reason: &'static str,
    message: &'static str,
    ends_mandate: bool,
) -> ReturnNames {
    ReturnNames { failure_code, decline_code, dispute_reason, message, ends_mandate }
}

/// The processor's names of a scheme's code, or of one of its own failure codes that has none.
pub(crate) fn names(code: &str) -> ReturnNames {
    let found = NAMES.iter().find(|(codes, _)| codes.contains(&code));
    found.map_or(COULD_NOT_PROCESS, |(_, names)| *names)
}

#[cfg(test)]
mod tests {
    use super::{exists, names};

    #[test]
    fn codes_of_both_schemes_are_known_and_others_are_not() {
        for code in ["R01", "R09", "R47", "R51", "R85", "AC04", "MD06"] {
            assert!(exists(code), "{code}");
        }
        for code in ["R00", "R48", "R86", "R1", "R001", "XX99", ""] {
            assert!(!exists(code), "{code}");
        }
    }

    #[test]
    fn only_empty_accounts_may_be_asked_again_on_the_same_mandate() {
        assert!(!names("R01").ends_mandate && !names("AM04").ends_mandate);
        for code in ["R02", "R03", "R05", "R07", "R10", "R29", "MD01"] {
            assert!(names(code).ends_mandate, "{code}");
        }
        assert_eq!(names("R23").failure_code, "generic_could_not_process");
    }
}
