//! Debits that a bank sends back: what each reason means, whether the debit may be tried again, and how many are too many.
//! It must never let a debit be presented a fourth time, for another amount, or against the payer's word.

mod codes;
mod rates;
mod retry;

pub use codes::{CODES, Code};
pub use rates::{CEILINGS, Ceiling, DebitCounts, Level, RateClass, WINDOW_DAYS};
pub use retry::{CannotRetry, DebitEntry, MOST_PRESENTMENTS, RETRY_DAYS, last_retry_at, may_retry};

/// Why a bank sent a debit back, in the few kinds that differ in what may follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ReturnKind {
    /// The account had too little in it.
    NotEnoughMoney,
    /// The account is closed.
    AccountClosed,
    /// No account has that number.
    NoSuchAccount,
    /// The account went to another bank, or the bank to other hands.
    AccountMoved,
    /// The payer says that nobody was given leave to debit, or takes the leave back.
    NotAuthorized,
    /// There is leave to debit, and this debit is not what was agreed.
    NotAsAgreed,
    /// The payer told the bank not to pay this one.
    StoppedByPayer,
    /// The payer asked the bank for the money back, as the scheme allows without a reason.
    TakenBackByPayer,
    /// The account is frozen, by its bank or by an order.
    Frozen,
    /// This account cannot be debited.
    NotDebitable,
    /// Whoever held the account has died, or can no longer act for its holder.
    Deceased,
    /// A law or a supervisor stands against it.
    Regulatory,
    /// The same debit was there before.
    Duplicate,
    /// Our own side asked for it back.
    Recalled,
    /// The bank sent it back late, and our side agreed.
    LateByAgreement,
    /// The bank doubts the debit.
    Questioned,
    /// The payer's bank, or a system between the banks, could not carry it.
    BankUnable,
    /// The debit was wrongly made up; not the payer's doing.
    Malformed,
    /// About a kind of entry that is never sent from here.
    NeverSentByUs,
    /// Banks arguing about an earlier return; the payer has no part in it.
    BetweenBanks,
    /// The bank gave no reason, or none that is known here.
    Unexplained,
}

/// Whether the same debit may be presented again. See [`may_retry`] for how often and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Retry {
    /// Not at all.
    Never,
    /// Twice more at most.
    TwiceMore,
    /// Only once the payer has said so.
    IfPayerAgrees,
}

/// What follows from a return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Consequences {
    /// Whether this debit may be presented again.
    pub retry: Retry,
    /// The account cannot be used any more: the payer has to name another.
    pub needs_new_account: bool,
    /// Debits of this account stop until the payer has agreed anew.
    pub needs_new_authorization: bool,
    /// A person has to clear it before anything else is asked of this account.
    pub is_legal_hold: bool,
    /// Which ceiling it counts against, beside the overall one.
    pub rate_class: Option<RateClass>,
}

impl Consequences {
    const NONE: Consequences = Consequences {
        retry: Retry::Never,
        needs_new_account: false,
        needs_new_authorization: false,
        is_legal_hold: false,
        rate_class: None,
    };

    /// True if the saved account may be debited for something else without asking the payer first.
    pub const fn leaves_account_usable(&self) -> bool {
        !(self.needs_new_account || self.needs_new_authorization || self.is_legal_hold)
    }
}

impl ReturnKind {
    /// Every kind.
    pub const ALL: [ReturnKind; 21] = [
        ReturnKind::NotEnoughMoney,
        ReturnKind::AccountClosed,
        ReturnKind::NoSuchAccount,
        ReturnKind::AccountMoved,
        ReturnKind::NotAuthorized,
        ReturnKind::NotAsAgreed,
        ReturnKind::StoppedByPayer,
        ReturnKind::TakenBackByPayer,
        ReturnKind::Frozen,
        ReturnKind::NotDebitable,
        ReturnKind::Deceased,
        ReturnKind::Regulatory,
        ReturnKind::Duplicate,
        ReturnKind::Recalled,
        ReturnKind::LateByAgreement,
        ReturnKind::Questioned,
        ReturnKind::BankUnable,
        ReturnKind::Malformed,
        ReturnKind::NeverSentByUs,
        ReturnKind::BetweenBanks,
        ReturnKind::Unexplained,
    ];

    /// The kind behind a code of a bank or a name of a processor, in any case; what is not known is
    /// [`ReturnKind::Unexplained`].
    pub fn of_code(code: &str) -> ReturnKind {
        Code::find(code).map_or(ReturnKind::Unexplained, |code| code.kind)
    }

    /// The kind behind the first of several codes of one return that is known and says more than that there was no reason. The
    /// scheme's own code goes first: a processor's name for it is coarser, such as one name for R08 and R10.
    pub fn of_codes<'a>(most_exact_first: impl IntoIterator<Item = &'a str>) -> ReturnKind {
        let mut kinds = most_exact_first.into_iter().map(ReturnKind::of_code);
        kinds.find(|kind| *kind != ReturnKind::Unexplained).unwrap_or(ReturnKind::Unexplained)
    }

    /// What follows from it. Sources: the rules of Nacha on reinitiation (two within 180 days, after R01 and R09, or R08
    /// with a new leave) and on return rates; the SEPA rulebooks leave a second presentment to the parties.
    pub const fn consequences(self) -> Consequences {
        use ReturnKind::*;
        const NONE: Consequences = Consequences::NONE;
        match self {
            NotEnoughMoney => Consequences { retry: Retry::TwiceMore, ..NONE },
            AccountClosed | NoSuchAccount => {
                Consequences { needs_new_account: true, rate_class: Some(RateClass::Administrative), ..NONE }
            }
            AccountMoved | NotDebitable | Questioned => Consequences { needs_new_account: true, ..NONE },
            NotAuthorized => Consequences {
                needs_new_authorization: true,
                rate_class: Some(RateClass::Unauthorized),
                ..NONE
            },
            NotAsAgreed => Consequences { rate_class: Some(RateClass::Unauthorized), ..NONE },
            StoppedByPayer | TakenBackByPayer => Consequences { retry: Retry::IfPayerAgrees, ..NONE },
            Frozen => Consequences { needs_new_account: true, is_legal_hold: true, ..NONE },
            Deceased => Consequences { needs_new_authorization: true, is_legal_hold: true, ..NONE },
            Regulatory => Consequences { is_legal_hold: true, ..NONE },
            LateByAgreement => Consequences { needs_new_authorization: true, ..NONE },
            Duplicate | Recalled | BankUnable | Malformed | NeverSentByUs | BetweenBanks | Unexplained => {
                NONE
            }
        }
    }

    /// True where a person of the merchant has to look, because no rule says what to do next.
    pub const fn needs_person(self) -> bool {
        use ReturnKind::*;
        self.consequences().is_legal_hold
            || matches!(self, Questioned | Malformed | NeverSentByUs | BetweenBanks | Duplicate)
    }

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        use ReturnKind::*;
        match self {
            NotEnoughMoney => "not_enough_money",
            AccountClosed => "account_closed",
            NoSuchAccount => "no_such_account",
            AccountMoved => "account_moved",
            NotAuthorized => "not_authorized",
            NotAsAgreed => "not_as_agreed",
            StoppedByPayer => "stopped_by_payer",
            TakenBackByPayer => "taken_back_by_payer",
            Frozen => "frozen",
            NotDebitable => "not_debitable",
            Deceased => "deceased",
            Regulatory => "regulatory",
            Duplicate => "duplicate",
            Recalled => "recalled",
            LateByAgreement => "late_by_agreement",
            Questioned => "questioned",
            BankUnable => "bank_unable",
            Malformed => "malformed",
            NeverSentByUs => "never_sent_by_us",
            BetweenBanks => "between_banks",
            Unexplained => "unexplained",
        }
    }

    /// The kind behind such a word.
    pub fn parse(word: &str) -> Option<ReturnKind> {
        ReturnKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The key of what the payer reads, in the catalogue of texts. A death, an order and a doubt are never told apart from a
    /// bank that gives no reason: whoever reads it need not be the one concerned.
    pub const fn payer_words(self) -> &'static str {
        use ReturnKind::*;
        match self {
            NotEnoughMoney => "bank-return-not-enough-money",
            AccountClosed => "bank-return-account-closed",
            NoSuchAccount => "bank-return-no-such-account",
            AccountMoved => "bank-return-account-moved",
            NotAuthorized | LateByAgreement => "bank-return-not-authorized",
            NotAsAgreed => "bank-return-not-as-agreed",
            StoppedByPayer => "bank-return-stopped-by-payer",
            TakenBackByPayer => "bank-return-taken-back-by-payer",
            Frozen => "bank-return-frozen",
            NotDebitable => "bank-return-not-debitable",
            BankUnable => "bank-return-bank-unable",
            Duplicate | Recalled | Malformed | NeverSentByUs | BetweenBanks => "bank-return-our-side",
            Deceased | Regulatory | Questioned | Unexplained => "bank-return-no-reason",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_lead_back_and_are_told_apart() {
        let words: BTreeSet<&str> = ReturnKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), ReturnKind::ALL.len());
        for kind in ReturnKind::ALL {
            assert_eq!(ReturnKind::parse(kind.as_str()), Some(kind));
            assert!(kind.payer_words().starts_with("bank-return-"), "{kind:?}");
        }
        assert_eq!(ReturnKind::parse("R01"), None);
    }

    /// The table of consequences, written a second time by what it means.
    #[test]
    fn what_follows_from_each_kind() {
        use ReturnKind::*;
        let among = |set: &[ReturnKind], kind: ReturnKind| set.contains(&kind);
        for kind in ReturnKind::ALL {
            let follows = kind.consequences();
            let retry = match kind {
                NotEnoughMoney => Retry::TwiceMore,
                StoppedByPayer | TakenBackByPayer => Retry::IfPayerAgrees,
                _ => Retry::Never,
            };
            assert_eq!(follows.retry, retry, "{kind:?}");
            let new_account = [AccountClosed, NoSuchAccount, AccountMoved, NotDebitable, Questioned, Frozen];
            assert_eq!(follows.needs_new_account, among(&new_account, kind), "{kind:?}");
            let new_authorization = [NotAuthorized, LateByAgreement, Deceased];
            assert_eq!(follows.needs_new_authorization, among(&new_authorization, kind), "{kind:?}");
            assert_eq!(follows.is_legal_hold, among(&[Frozen, Deceased, Regulatory], kind), "{kind:?}");
            let class = match kind {
                NotAuthorized | NotAsAgreed => Some(RateClass::Unauthorized),
                AccountClosed | NoSuchAccount => Some(RateClass::Administrative),
                _ => None,
            };
            assert_eq!(follows.rate_class, class, "{kind:?}");
            assert!(!follows.is_legal_hold || kind.needs_person(), "{kind:?}");
            let is_retried = follows.retry != Retry::Never;
            assert!(!is_retried || follows.leaves_account_usable(), "{kind:?} is tried on a dead account");
        }
    }

    #[test]
    fn the_most_exact_code_decides() {
        use ReturnKind::*;
        assert_eq!(ReturnKind::of_codes(["R08", "debit_not_authorized"]), StoppedByPayer);
        assert_eq!(ReturnKind::of_codes(["", "debit_not_authorized", "general"]), NotAuthorized);
        assert_eq!(ReturnKind::of_codes(["MS03", "insufficient_funds"]), NotEnoughMoney);
        assert_eq!(ReturnKind::of_codes(["teapot"]), Unexplained);
        assert_eq!(ReturnKind::of_codes([]), Unexplained);
    }

    #[test]
    fn nobody_reads_of_a_death_or_an_order() {
        let said = ReturnKind::Unexplained.payer_words();
        for kind in [ReturnKind::Deceased, ReturnKind::Regulatory, ReturnKind::Questioned] {
            assert_eq!(kind.payer_words(), said, "{kind:?}");
        }
    }
}
