//! The published test bank accounts, our own magic ones, and what each of them does.
//!
//! Only these numbers are ever accepted. A number that is typed is looked up here and forgotten; what is kept is the account's token, bank
//! name and last four digits, from which its behaviour follows. A number that is not in the table is never stored, logged or echoed.

use serde::{Deserialize, Serialize};

use crate::returns;

/// The one routing number of the published test accounts in the United States.
pub(crate) const TEST_ROUTING: &str = "110000000";
const US_BANK: &str = "STRIPE TEST BANK";
const SEPA_BANK: &str = "PRACTICE BANK";

/// What becomes of a debit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccountBehaviour {
    /// Succeeds on its business day.
    Succeed,
    /// Succeeds after three minutes.
    SucceedSoon,
    /// Fails before success with a scheme's code or the processor's own, after so many days; two business days when not said.
    FailBefore { code: String, days: Option<u32> },
    /// Fails after three minutes.
    FailSoon { code: String },
    /// Succeeds, and is taken back so many days later.
    ReturnAfter { code: String, days: u32 },
    /// Stays `processing`.
    Stuck,
    /// Succeeds; a refund of it fails after so many days.
    FailRefund { days: u32 },
}

/// A published test account.
struct TestAccount {
    token: &'static str,
    number: &'static str,
    behaves: fn() -> AccountBehaviour,
}

fn fails(code: &str) -> AccountBehaviour {
    AccountBehaviour::FailBefore { code: code.to_owned(), days: None }
}

const US_ACCOUNTS: &[TestAccount] = &[
    account("pm_usBankAccount_success", "000123456789", || AccountBehaviour::Succeed),
    account("pm_usBankAccount_accountClosed", "000111111113", || fails("R02")),
    account("pm_usBankAccount_noAccount", "000111111116", || fails("R03")),
    account("pm_usBankAccount_insufficientFunds", "000222222227", || fails("R01")),
    account("pm_usBankAccount_debitNotAuthorized", "000333333335", || fails("R10")),
    account("pm_usBankAccount_invalidCurrency", "000444444440", || fails("invalid_currency")),
    account("pm_usBankAccount_dispute", "000555555559", || AccountBehaviour::ReturnAfter {
        code: "R10".to_owned(),
        days: 0,
    }),
    account(NO_MICRODEPOSITS, "000666666661", || AccountBehaviour::Succeed),
    account("pm_usBankAccount_weeklyLimitExceeded", "000777777771", || fails("charge_exceeds_source_limit")),
    account("pm_usBankAccount_tokenDeactivated", "000888888885", || {
        fails("tokenized_account_number_deactivated")
    }),
    account("pm_usBankAccount_processing", "000000000009", || AccountBehaviour::Stuck),
];
/// The account that micro-deposits cannot be sent to.
pub(crate) const NO_MICRODEPOSITS: &str = "pm_usBankAccount_failMicrodeposits";

const SEPA_ACCOUNTS: &[TestAccount] = &[
    account("pm_sepaDebit_success_at", "AT611904300234573201", || AccountBehaviour::Succeed),
    account("pm_sepaDebit_successDelayed_at", "AT321904300235473204", || AccountBehaviour::SucceedSoon),
    account("pm_sepaDebit_failed_at", "AT861904300235473202", || fails("MS03")),
    account("pm_sepaDebit_failedDelayed_at", "AT051904300235473205", || AccountBehaviour::FailSoon {
        code: "MS03".to_owned(),
    }),
    account("pm_sepaDebit_disputed_at", "AT591904300235473203", || AccountBehaviour::ReturnAfter {
        code: "MD06".to_owned(),
        days: 0,
    }),
    account("pm_sepaDebit_exceedsWeeklyVolumeLimit_at", "AT981904300000343434", || {
        fails("charge_exceeds_source_limit")
    }),
    account("pm_sepaDebit_exceedsWeeklyTransactionLimit_at", "AT601904300000121212", || {
        fails("charge_exceeds_weekly_limit")
    }),
    account("pm_sepaDebit_insufficientFunds_at", "AT981904300002222227", || fails("AM04")),
    account("pm_sepaDebit_success_de", "DE89370400440532013000", || AccountBehaviour::Succeed),
];

const fn account(
    token: &'static str,
    number: &'static str,
    behaves: fn() -> AccountBehaviour,
) -> TestAccount {
    TestAccount { token, number, behaves }
}

/// A bank account as it is kept: enough to show and to practise with, not enough to debit elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankSummary {
    /// Which test account it was, or how our own magic one behaves.
    pub(crate) token: String,
    pub(crate) bank_name: String,
    pub(crate) last4: String,
    /// Two letters, lower case for none.
    pub(crate) country: String,
    /// `individual` or `company`.
    pub(crate) holder_type: String,
    /// `checking` or `savings`.
    pub(crate) account_type: String,
    pub(crate) name: Option<String>,
}

/// A test account that was found: its token and last four digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundAccount {
    pub(crate) token: String,
    last4: String,
    country: String,
}

impl FoundAccount {
    /// The account of a typed number in the United States, or of a `pm_usBankAccount_…` id.
    pub(crate) fn us(typed: &str) -> Option<Self> {
        let found = |token: String, number: &str| Self { token, last4: last4(number), country: "US".into() };
        if let Some(account) = US_ACCOUNTS.iter().find(|account| account.token == typed) {
            return Some(found(account.token.to_owned(), account.number));
        }
        let digits: String = typed.chars().filter(|character| !is_filler(*character)).collect();
        if let Some(account) = US_ACCOUNTS.iter().find(|account| account.number == digits) {
            return Some(found(account.token.to_owned(), account.number));
        }
        let token = magic_us_token(&digits)?;
        behaviour(&token).is_some().then(|| found(token, &digits))
    }

    /// The account of a typed IBAN, or of a `pm_sepaDebit_…` id.
    pub(crate) fn sepa(typed: &str) -> Option<Self> {
        let found = |token: String, number: &str| Self {
            token,
            last4: last4(number),
            country: number.chars().take(2).collect(),
        };
        if let Some(account) = SEPA_ACCOUNTS.iter().find(|account| account.token == typed) {
            return Some(found(account.token.to_owned(), account.number));
        }
        let iban = fold_iban(typed);
        if let Some(account) = SEPA_ACCOUNTS.iter().find(|account| account.number == iban) {
            return Some(found(account.token.to_owned(), account.number));
        }
        let token = magic_iban_token(&iban)?;
        behaviour(&token).is_some().then(|| found(token, &iban))
    }

    /// What is kept of it.
    pub(crate) fn summary(self, holder_type: &str, account_type: &str, name: Option<String>) -> BankSummary {
        let bank_name = if self.country == "US" { US_BANK } else { SEPA_BANK };
        BankSummary {
            token: self.token,
            bank_name: bank_name.to_owned(),
            last4: self.last4,
            country: self.country,
            holder_type: holder_type.to_owned(),
            account_type: account_type.to_owned(),
            name,
        }
    }
}

/// The published number of a token, to fill the field again. It comes from the table, never from storage.
pub(crate) fn published_number(token: &str) -> Option<&'static str> {
    let mut accounts = US_ACCOUNTS.iter().chain(SEPA_ACCOUNTS);
    accounts.find(|account| account.token == token).map(|account| account.number)
}

/// What the account behind a token does.
pub(crate) fn behaviour(token: &str) -> Option<AccountBehaviour> {
    if let Some(account) = US_ACCOUNTS.iter().chain(SEPA_ACCOUNTS).find(|account| account.token == token) {
        return Some((account.behaves)());
    }
    let mut parts = token.strip_prefix("magic_")?.split('_');
    let (when, code, days) = (parts.next()?, parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    match when {
        "refund" => Some(AccountBehaviour::FailRefund { days }),
        _ if !returns::exists(&code) => None,
        "before" => Some(AccountBehaviour::FailBefore { code, days: Some(days) }),
        "after" => Some(AccountBehaviour::ReturnAfter { code, days }),
        _ => None,
    }
}

/// `91CCDDDD`: fails with R`CC` on day `DDDD` before success; `92…`: after it; `9300DDDD`: a refund fails on day `DDDD`.
fn magic_us_token(digits: &str) -> Option<String> {
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (when, code, days) = (when(digits.get(..2)?)?, digits.get(2..4)?, digits.get(4..)?);
    let days: u32 = days.parse().ok()?;
    Some(format!("magic_{when}_R{code}_{days}"))
}

/// `LIkk 91000 CCCC 0000DDDD`: the same with SEPA's codes, as an IBAN of Liechtenstein, whose account numbers have letters.
fn magic_iban_token(iban: &str) -> Option<String> {
    if iban.len() != 21 || !iban.starts_with("LI") || !has_iban_check_digits(iban) {
        return None;
    }
    let (bank, code, days) = (iban.get(4..9)?, iban.get(9..13)?, iban.get(13..)?);
    let when = when(bank.strip_suffix("000")?)?;
    let days: u32 = days.parse().ok()?;
    Some(format!("magic_{when}_{code}_{days}"))
}

fn when(digits: &str) -> Option<&'static str> {
    match digits {
        "91" => Some("before"),
        "92" => Some("after"),
        "93" => Some("refund"),
        _ => None,
    }
}

/// The number to type for a return: an account number for NACHA's codes, an IBAN for SEPA's.
pub(crate) fn magic_number(is_after: bool, code: &str, days: u32) -> Option<String> {
    if !returns::exists(code) || days > 9_999 {
        return None;
    }
    let when = if is_after { "92" } else { "91" };
    match code.strip_prefix('R').filter(|rest| rest.len() == 2) {
        Some(number) => Some(format!("{when}{number}{days:04}")),
        None => Some(with_iban_check_digits("LI", &format!("{when}000{code}{days:08}"))),
    }
}

fn is_filler(character: char) -> bool {
    character.is_whitespace() || character == '-'
}

fn last4(number: &str) -> String {
    number.get(number.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}

/// An IBAN without its spaces, in capitals.
pub(crate) fn fold_iban(typed: &str) -> String {
    typed.chars().filter(|character| !is_filler(*character)).collect::<String>().to_ascii_uppercase()
}

/// Whether a routing number of nine digits passes the check of the American Bankers Association.
pub(crate) fn has_routing_checksum(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .zip([3, 7, 1].iter().cycle())
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

/// Whether an IBAN's check digits fit (ISO 7064, modulo 97).
pub(crate) fn has_iban_check_digits(iban: &str) -> bool {
    iban.is_ascii() && iban.len() > 4 && remainder(&format!("{}{}", &iban[4..], &iban[..4])) == Some(1)
}

fn with_iban_check_digits(country: &str, account: &str) -> String {
    let check = remainder(&format!("{account}{country}00")).map_or(0, |remainder| 98 - remainder);
    format!("{country}{check:02}{account}")
}

fn remainder(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |remainder, character| {
        let value = character.to_digit(36)?;
        Some(if value < 10 { (remainder * 10 + value) % 97 } else { (remainder * 100 + value) % 97 })
    })
}

#[cfg(test)]
mod tests {
    use super::{
        AccountBehaviour, FoundAccount, SEPA_ACCOUNTS, TEST_ROUTING, US_ACCOUNTS, behaviour,
        has_iban_check_digits, has_routing_checksum, magic_number,
    };

    #[test]
    fn published_accounts_pass_their_checks_and_are_found() {
        assert!(has_routing_checksum(TEST_ROUTING) && has_routing_checksum("021000021"));
        assert!(!has_routing_checksum("110000001"));
        for account in US_ACCOUNTS {
            assert_eq!(FoundAccount::us(account.number).map(|found| found.token), Some(account.token.into()));
        }
        for account in SEPA_ACCOUNTS {
            assert!(has_iban_check_digits(account.number), "{}", account.number);
            assert_eq!(
                FoundAccount::sepa(&account.number.to_lowercase()).map(|found| found.token),
                Some(account.token.into())
            );
        }
        assert_eq!(FoundAccount::us("000123456780"), None);
        assert_eq!(FoundAccount::sepa("DE89370400440532013001"), None);
    }

    #[test]
    fn magic_numbers_mean_their_code_and_day() {
        let number = magic_number(false, "R01", 2).expect("a number");
        assert_eq!(number, "91010002");
        let found = FoundAccount::us(&number).expect("an account");
        assert_eq!(
            behaviour(&found.token),
            Some(AccountBehaviour::FailBefore { code: "R01".into(), days: Some(2) })
        );
        let iban = magic_number(true, "MD06", 40).expect("an IBAN");
        assert!(has_iban_check_digits(&iban), "{iban}");
        let found = FoundAccount::sepa(&iban).expect("an account");
        assert_eq!(
            behaviour(&found.token),
            Some(AccountBehaviour::ReturnAfter { code: "MD06".into(), days: 40 })
        );
        assert_eq!(magic_number(false, "R48", 1), None);
        assert_eq!(FoundAccount::us("91480001"), None, "NACHA has no R48");
    }
}
