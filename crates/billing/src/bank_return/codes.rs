//! Every code of a return that is known, with its kind and a few words for staff. Sources of the codes: Nacha's operating rules
//! (R01 to R85), ISO 20022 reasons as the SEPA direct debit rulebooks use them, Stripe's failure codes and dispute reasons.
//! The words are ours. Nothing is decided here: that is for the kinds.

use super::ReturnKind::{self, *};

/// A reason as a bank or a processor writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// As it is written: `R01`, `AM04`, `insufficient_funds`.
    pub code: &'static str,
    /// What it comes to.
    pub kind: ReturnKind,
    /// A few words for staff.
    pub meaning: &'static str,
}

impl Code {
    /// The code with this name, in any case; `None` for one that is not known.
    pub fn find(code: &str) -> Option<&'static Code> {
        CODES.iter().find(|row| row.code.eq_ignore_ascii_case(code.trim()))
    }
}

const fn row(code: &'static str, kind: ReturnKind, meaning: &'static str) -> Code {
    Code { code, kind, meaning }
}

/// All of them: banks of the United States, banks of the euro area, names of the processor.
pub const CODES: &[Code] = &[
    row("R01", NotEnoughMoney, "too little money"),
    row("R02", AccountClosed, "account closed"),
    row("R03", NoSuchAccount, "account not found"),
    row("R04", NoSuchAccount, "impossible account number"),
    row("R05", NotAuthorized, "company debit of a private account, not allowed"),
    row("R06", Recalled, "our bank asked for it back"),
    row("R07", NotAuthorized, "leave taken back"),
    row("R08", StoppedByPayer, "this payment stopped"),
    row("R09", NotEnoughMoney, "money there but not yet free"),
    row("R10", NotAuthorized, "payer does not know us or gave no leave"),
    row("R11", NotAsAgreed, "not what was agreed"),
    row("R12", AccountMoved, "branch sold to another bank"),
    row("R13", BankUnable, "bank takes no such debits"),
    row("R14", Deceased, "who acted for the holder died or stepped back"),
    row("R15", Deceased, "holder or beneficiary died"),
    row("R16", Frozen, "account frozen"),
    row("R17", Questioned, "unreadable, or a doubtful account number"),
    row("R18", Malformed, "wrong effective date"),
    row("R19", Malformed, "wrong amount field"),
    row("R20", NotDebitable, "account not meant for payments"),
    row("R21", Malformed, "wrong company number"),
    row("R22", Malformed, "wrong payer number"),
    row("R23", NeverSentByUs, "credit refused"),
    row("R24", Duplicate, "sent twice"),
    row("R25", Malformed, "wrong addenda"),
    row("R26", Malformed, "mandatory field wrong"),
    row("R27", Malformed, "wrong trace number"),
    row("R28", Malformed, "wrong check digit of the routing number"),
    row("R29", NotAuthorized, "company gave no leave"),
    row("R30", NeverSentByUs, "bank keeps no cheques as images"),
    row("R31", LateByAgreement, "late, with our bank's agreement"),
    row("R32", BankUnable, "bank could not settle"),
    row("R33", NeverSentByUs, "replaced cheque entry"),
    row("R34", BankUnable, "bank restricted by its supervisor"),
    row("R35", NeverSentByUs, "debit where only credits may be"),
    row("R36", NeverSentByUs, "credit where only debits may be"),
    row("R37", Duplicate, "the cheque behind it was paid too"),
    row("R38", StoppedByPayer, "the cheque behind it was stopped"),
    row("R39", NeverSentByUs, "the cheque behind it was unfit"),
    row("R40", NeverSentByUs, "enrolment refused by an agency"),
    row("R41", NeverSentByUs, "enrolment: wrong transaction code"),
    row("R42", NeverSentByUs, "enrolment: wrong routing number"),
    row("R43", NeverSentByUs, "enrolment: wrong account number"),
    row("R44", NeverSentByUs, "enrolment: wrong personal number"),
    row("R45", NeverSentByUs, "enrolment: wrong name"),
    row("R46", NeverSentByUs, "enrolment: wrong payee mark"),
    row("R47", NeverSentByUs, "enrolled before"),
    row("R50", NeverSentByUs, "state law forbids cheques presented again"),
    row("R51", NotAuthorized, "cheque presented again without right"),
    row("R52", StoppedByPayer, "cheque presented again was stopped"),
    row("R53", Duplicate, "cheque and its entry both presented"),
    row("R61", BetweenBanks, "return sent to the wrong bank"),
    row("R62", BetweenBanks, "reversal went wrong"),
    row("R67", BetweenBanks, "returned twice"),
    row("R68", BetweenBanks, "returned too late"),
    row("R69", BetweenBanks, "return has wrong fields"),
    row("R70", BetweenBanks, "return not asked for or not accepted"),
    row("R71", BetweenBanks, "objection sent to the wrong bank"),
    row("R72", BetweenBanks, "objection too late"),
    row("R73", BetweenBanks, "return was in time"),
    row("R74", BetweenBanks, "return corrected"),
    row("R75", BetweenBanks, "return was no repeat"),
    row("R76", BetweenBanks, "return had no error"),
    row("R77", BetweenBanks, "objection to a reversal not accepted"),
    row("R80", Malformed, "international entry wrongly coded"),
    row("R81", BankUnable, "gateway has no agreement for it"),
    row("R82", Malformed, "foreign bank unknown"),
    row("R83", BankUnable, "foreign bank could not settle"),
    row("R84", BankUnable, "gateway did not carry it"),
    row("R85", Regulatory, "international payment sent as a domestic one"),
    row("AC01", NoSuchAccount, "wrong IBAN"),
    row("AC04", AccountClosed, "account closed"),
    row("AC06", NotDebitable, "account blocked for debits"),
    row("AC13", NotDebitable, "account of the wrong kind, private or business"),
    row("AG01", NotDebitable, "account may not be debited"),
    row("AG02", Malformed, "wrong operation code"),
    row("AM04", NotEnoughMoney, "too little money"),
    row("AM05", Duplicate, "sent twice"),
    row("BE05", Malformed, "wrong creditor identifier"),
    row("CNOR", Malformed, "our bank is not in this scheme"),
    row("DNOR", BankUnable, "payer's bank is not in this scheme"),
    row("DT01", Malformed, "wrong date"),
    row("ED05", BankUnable, "could not be settled"),
    row("FF01", Malformed, "wrong format"),
    row("FF05", Malformed, "wrong kind of debit"),
    row("MD01", NotAuthorized, "no mandate, or an unauthorised debit"),
    row("MD02", Malformed, "mandate data missing or wrong"),
    row("MD06", TakenBackByPayer, "payer asked for the money back"),
    row("MD07", Deceased, "payer died"),
    row("MS02", StoppedByPayer, "payer refused it, no reason given"),
    row("MS03", Unexplained, "bank gave no reason"),
    row("RC01", NoSuchAccount, "wrong BIC"),
    row("RR01", Regulatory, "account or number missing, by regulation"),
    row("RR02", Regulatory, "payer's name or address missing, by regulation"),
    row("RR03", Regulatory, "our name or address missing, by regulation"),
    row("RR04", Regulatory, "regulation"),
    row("SL01", StoppedByPayer, "payer lets the bank pay named creditors only"),
    row("TM01", Malformed, "sent after the cut-off"),
    row("account_closed", AccountClosed, "account closed"),
    row("bank_account_closed", AccountClosed, "account closed"),
    row("bank_account_invalid_details", NoSuchAccount, "wrong account details"),
    row("bank_account_restricted", Frozen, "account restricted"),
    row("bank_account_unusable", NotDebitable, "account cannot be used"),
    row("bank_cannot_process", BankUnable, "bank could not carry it"),
    row("bank_ownership_changed", AccountMoved, "bank has a new owner"),
    row("branch_does_not_exist", AccountMoved, "branch is gone"),
    row("charge_exceeds_source_limit", BankUnable, "over what the processor lets an account pay in a week"),
    row("charge_exceeds_transaction_limit", BankUnable, "over what the processor lets one debit be"),
    row("charge_exceeds_weekly_limit", BankUnable, "over what the processor collects in a week"),
    row("could_not_process", BankUnable, "bank could not carry it"),
    row("customer_initiated", TakenBackByPayer, "payer asked for the money back"),
    row("debit_authorization_not_match", NotAsAgreed, "not what was agreed"),
    row("debit_not_authorized", NotAuthorized, "no leave to debit"),
    row("declined", Unexplained, "bank gave no reason"),
    row("duplicate", Duplicate, "sent twice"),
    row("fraudulent", NotAuthorized, "payer does not recognise it"),
    row("general", Unexplained, "bank gave no reason"),
    row("generic_could_not_process", Unexplained, "bank gave no reason"),
    row("generic_decline", Unexplained, "bank gave no reason"),
    row("incorrect_account_details", NoSuchAccount, "wrong account details"),
    row("incorrect_account_holder_name", NoSuchAccount, "name does not match the account"),
    row("incorrect_account_holder_tax_id", NoSuchAccount, "tax number does not match the account"),
    row("insufficient_funds", NotEnoughMoney, "too little money"),
    row("invalid_account_number", NoSuchAccount, "impossible account number"),
    row("invalid_currency", NotDebitable, "account takes another currency"),
    row("mandate_invalid", NotAuthorized, "mandate no longer valid"),
    row("no_account", NoSuchAccount, "account not found"),
    row(
        "payment_method_bank_account_blocked",
        NotDebitable,
        "processor blocks the account after earlier returns",
    ),
    row("recipient_deceased", Deceased, "payer died"),
    row("refer_to_customer", StoppedByPayer, "payer refused it, no reason given"),
    row("tokenized_account_number_deactivated", NotDebitable, "stand-in for the account number switched off"),
    row("unrecognized", NotAuthorized, "payer does not recognise it"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank_return::{RateClass, Retry};
    use std::collections::BTreeSet;

    /// The same codes by kind: a change of one must be a change of both.
    const BY_KIND: [(ReturnKind, &str); 21] = [
        (NotEnoughMoney, "R01 R09 AM04 insufficient_funds"),
        (AccountClosed, "R02 AC04 account_closed bank_account_closed"),
        (
            NoSuchAccount,
            "R03 R04 AC01 RC01 bank_account_invalid_details incorrect_account_details \
             incorrect_account_holder_name incorrect_account_holder_tax_id \
             invalid_account_number no_account",
        ),
        (AccountMoved, "R12 bank_ownership_changed branch_does_not_exist"),
        (
            NotAuthorized,
            "R05 R07 R10 R29 R51 MD01 debit_not_authorized fraudulent mandate_invalid \
             unrecognized",
        ),
        (NotAsAgreed, "R11 debit_authorization_not_match"),
        (StoppedByPayer, "R08 R38 R52 MS02 SL01 refer_to_customer"),
        (TakenBackByPayer, "MD06 customer_initiated"),
        (Frozen, "R16 bank_account_restricted"),
        (
            NotDebitable,
            "tokenized_account_number_deactivated \
             R20 AC06 AC13 AG01 bank_account_unusable invalid_currency \
             payment_method_bank_account_blocked",
        ),
        (Deceased, "R14 R15 MD07 recipient_deceased"),
        (Regulatory, "R85 RR01 RR02 RR03 RR04"),
        (Duplicate, "R24 R37 R53 AM05 duplicate"),
        (Recalled, "R06"),
        (LateByAgreement, "R31"),
        (Questioned, "R17"),
        (
            BankUnable,
            "charge_exceeds_source_limit charge_exceeds_transaction_limit charge_exceeds_weekly_limit \
             R13 R32 R34 R81 R83 R84 DNOR ED05 bank_cannot_process could_not_process",
        ),
        (Malformed, "R18 R19 R21 R22 R25 R26 R27 R28 R80 R82 AG02 BE05 CNOR DT01 FF01 FF05 MD02 TM01"),
        (NeverSentByUs, "R23 R30 R33 R35 R36 R39 R40 R41 R42 R43 R44 R45 R46 R47 R50"),
        (BetweenBanks, "R61 R62 R67 R68 R69 R70 R71 R72 R73 R74 R75 R76 R77"),
        (Unexplained, "generic_decline MS03 declined general generic_could_not_process"),
    ];

    #[test]
    fn every_code_is_of_its_kind_and_of_no_other() {
        let mut seen = BTreeSet::new();
        for (kind, codes) in BY_KIND {
            for code in codes.split_whitespace() {
                assert_eq!(ReturnKind::of_code(code), kind, "{code}");
                assert_eq!(ReturnKind::of_code(&code.to_lowercase()), kind, "{code}");
                assert!(seen.insert(code), "{code} stands twice");
            }
        }
        let all: BTreeSet<&str> = CODES.iter().map(|row| row.code).collect();
        assert_eq!(seen, all);
        assert_eq!(all.len(), CODES.len(), "a code stands twice");
        assert!(CODES.iter().all(|row| !row.meaning.is_empty()));
    }

    #[test]
    fn the_codes_of_nacha_are_complete() {
        let numbers = (1..=47).chain(50..=53).chain([61, 62]).chain(67..=77).chain(80..=85);
        let expected: BTreeSet<String> = numbers.map(|number| format!("R{number:02}")).collect();
        let is_nacha = |row: &&Code| row.code.len() == 3;
        let found: BTreeSet<String> = CODES.iter().filter(is_nacha).map(|row| row.code.to_owned()).collect();
        assert_eq!(found, expected);
    }

    /// Nacha names the codes that may be tried again and those that count against a ceiling.
    #[test]
    fn the_rules_of_nacha_name_these_codes() {
        for row in CODES.iter().filter(|row| row.code.len() == 3) {
            let follows = row.kind.consequences();
            assert_eq!(follows.retry == Retry::TwiceMore, ["R01", "R09"].contains(&row.code), "{}", row.code);
            let unauthorized = ["R05", "R07", "R10", "R11", "R29", "R51"].contains(&row.code);
            assert_eq!(follows.rate_class == Some(RateClass::Unauthorized), unauthorized, "{}", row.code);
            let administrative = ["R02", "R03", "R04"].contains(&row.code);
            assert_eq!(follows.rate_class == Some(RateClass::Administrative), administrative, "{}", row.code);
            let stops = ["R05", "R07", "R10", "R14", "R15", "R29", "R31", "R51"].contains(&row.code);
            assert_eq!(follows.needs_new_authorization, stops, "{}", row.code);
        }
    }

    #[test]
    fn what_nobody_knows_is_never_tried_again() {
        for code in ["", "R99", "R1", "R63", "AM99", "teapot"] {
            assert_eq!(Code::find(code), None, "{code}");
            assert_eq!(ReturnKind::of_code(code), Unexplained, "{code}");
        }
        assert_eq!(Unexplained.consequences().retry, Retry::Never);
        assert_eq!(ReturnKind::of_code(" r01 "), NotEnoughMoney);
    }
}
