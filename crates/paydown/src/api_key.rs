//! What an API key looks like and what it may do. A secret begins with words that scanners of published code can look for,
//! says whether it moves real money, and names its merchant, so that looking it up is led by the merchant as everything is.

use crate::secrets::merchant_word;
use billing::ids::MerchantId;
use data_encoding::BASE32HEX_NOPAD;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Requests a minute of a key of which nobody said how many: a thousand a second, as much as leaves room for payers.
pub const USUAL_REQUESTS_PER_MINUTE: u32 = 60_000;
/// Bytes of chance in a secret.
const SECRET_BYTES: usize = 20;
/// Their letters.
const SECRET_LETTERS: usize = 32;
/// So many of them are shown, enough to tell keys apart.
const SHOWN_LETTERS: usize = 4;

/// What a key may do. Reading and writing are apart; writing does not include reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// See customers and contacts.
    CustomersRead,
    /// Create customers and contacts.
    CustomersWrite,
    /// See invoices, ask what may be paid.
    InvoicesRead,
    /// Write, issue, credit, write off and void invoices.
    InvoicesWrite,
    /// See which links there are.
    LinksRead,
    /// Make payment links and take them back. Who has a link sees its invoice.
    LinksWrite,
    /// See payments.
    PaymentsRead,
    /// Record money that was received, say what it is for, and use customers' credit.
    PaymentsWrite,
    /// See payouts and what they are made of.
    PayoutsRead,
    /// See what is passed on of what a payment costs.
    SurchargesRead,
    /// Change it.
    SurchargesWrite,
    /// See refunds and the limits of them.
    RefundsRead,
    /// Ask for refunds, and say that one was paid from the bank.
    RefundsWrite,
    /// Approve refunds that somebody else asked for, refuse them, set the limits.
    RefundsApprove,
    /// Follow the feed of events.
    EventsRead,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 15] = [
        Scope::CustomersRead,
        Scope::CustomersWrite,
        Scope::InvoicesRead,
        Scope::InvoicesWrite,
        Scope::LinksRead,
        Scope::LinksWrite,
        Scope::PaymentsRead,
        Scope::PaymentsWrite,
        Scope::PayoutsRead,
        Scope::SurchargesRead,
        Scope::SurchargesWrite,
        Scope::RefundsRead,
        Scope::RefundsWrite,
        Scope::RefundsApprove,
        Scope::EventsRead,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::CustomersRead => "customers:read",
            Scope::CustomersWrite => "customers:write",
            Scope::InvoicesRead => "invoices:read",
            Scope::InvoicesWrite => "invoices:write",
            Scope::LinksRead => "links:read",
            Scope::LinksWrite => "links:write",
            Scope::PaymentsRead => "payments:read",
            Scope::PaymentsWrite => "payments:write",
            Scope::PayoutsRead => "payouts:read",
            Scope::SurchargesRead => "surcharges:read",
            Scope::SurchargesWrite => "surcharges:write",
            Scope::RefundsRead => "refunds:read",
            Scope::RefundsWrite => "refunds:write",
            Scope::RefundsApprove => "refunds:approve",
            Scope::EventsRead => "events:read",
        }
    }

    /// The scope behind a word.
    pub fn parse(word: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Scopes as they are stored.
pub fn words(scopes: &[Scope]) -> String {
    let list = Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).map(Scope::as_str);
    list.collect::<Vec<_>>().join(" ")
}

/// The secret of a key. `Debug` shows how it begins; the memory is wiped when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new secret of a merchant; `live`: it moves real money.
    pub fn new(merchant: MerchantId, live: bool, random: [u8; SECRET_BYTES]) -> Secret {
        let mode = if live { "live" } else { "test" };
        let letters = BASE32HEX_NOPAD.encode(&random).to_ascii_lowercase();
        Secret(Zeroizing::new(format!("paydown_{mode}_{}_{letters}", merchant_word(merchant.0))))
    }

    /// Reads a secret and the merchant it names; `None` for text that cannot be one. Proves nothing.
    pub fn parse(text: &str) -> Option<(MerchantId, Secret)> {
        let rest = text.strip_prefix("paydown_")?;
        let rest = rest.strip_prefix("live_").or_else(|| rest.strip_prefix("test_"))?;
        let (word, letters) = rest.split_once('_')?;
        let merchant = i64::from_str_radix(word, 32).ok().filter(|merchant| *merchant > 0)?;
        let plain = letters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'));
        let well_formed = merchant_word(merchant) == word && letters.len() == SECRET_LETTERS && plain;
        well_formed.then(|| (MerchantId(merchant), Secret(Zeroizing::new(text.to_owned()))))
    }

    /// The whole secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What may be shown of it for ever: `paydown_test_1_a3f7…`.
    pub fn shown(&self) -> String {
        let kept = self.0.len() - SECRET_LETTERS + SHOWN_LETTERS;
        format!("{}…", self.0.get(..kept).unwrap_or_default())
    }

    /// The hash under which it is stored. It has 160 random bits, so a bare hash is enough.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_its_mode_and_merchant_and_hides_the_rest() {
        let secret = Secret::new(MerchantId(33), false, [7; 20]);
        assert!(secret.reveal().starts_with("paydown_test_11_"), "{}", secret.reveal());
        assert_eq!(format!("{secret:?}"), "paydown_test_11_0s3g…");
        let (merchant, again) = Secret::parse(secret.reveal()).expect("its own form");
        assert_eq!((merchant, again.hash()), (MerchantId(33), secret.hash()));
        assert!(Secret::new(MerchantId(1), true, [7; 20]).reveal().starts_with("paydown_live_1_"));
    }

    #[test]
    fn only_the_canonical_form_is_a_secret() {
        let good = Secret::new(MerchantId(1), true, [9; 20]).reveal().to_owned();
        for wrong in [
            String::new(),
            good.to_uppercase(),
            good.replace("live", "prod"),
            good.replace("_1_", "_01_"),
            good.replace("_1_", "_-1_"),
            format!("{good}0"),
            good[..good.len() - 1].to_owned(),
            format!("{}w", &good[..good.len() - 1]),
        ] {
            assert!(Secret::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn scopes_are_their_words() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        assert_eq!(words(&[Scope::PaymentsWrite, Scope::InvoicesRead]), "invoices:read payments:write");
    }
}
