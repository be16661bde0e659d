//! The proof of what a payer agreed to: everything that has to be shown of a mandate, made of its row and nothing else, years later
//! too. It never holds a number of an account.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::contacts::Contact;
use store::mandates::{GivenFor, Mandate, Rule};
use store::merchants::Merchant;

/// A proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The mandate's id.
    pub id: String,
    /// Who may debit.
    pub merchant: String,
    /// The exact text that was agreed to.
    pub wording: String,
    /// Its SHA-256 as it was kept, in hexadecimal.
    pub wording_hash: String,
    /// True if the text is still the one of that hash.
    pub is_intact: bool,
    /// `us_bank_account` or `sepa_debit`.
    pub method: &'static str,
    /// `once` or `standing`.
    pub rule: &'static str,
    /// `500.00 USD`, where one amount was agreed to.
    pub amount: Option<String>,
    /// The account's bank.
    pub bank_name: Option<String>,
    /// The account's last four digits.
    pub last4: Option<String>,
    /// `business` or `personal`.
    pub holder: Option<String>,
    /// How long a debit can be taken back as not allowed: `2 banking days` for a business, `60 days` for a person.
    pub unauthorized_window: Option<&'static str>,
    /// Who agreed.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// How they were identified: `signed in` or `by a link or address`.
    pub identified: &'static str,
    /// From which network address.
    pub client: Option<String>,
    /// With what browser.
    pub user_agent: Option<String>,
    /// Language tag of the text.
    pub language: String,
    /// When it was shown and agreed to.
    pub agreed_at: Timestamp,
    /// When the bank page was submitted.
    pub accepted_at: Option<Timestamp>,
    /// The payment or setup it was given for.
    pub given_for: String,
    /// The processor's name of it.
    pub processor_mandate_id: Option<String>,
    /// How it is taken back.
    pub revoke: String,
    /// When it ended, why, and by whom.
    pub ended: Option<(Timestamp, String, &'static str)>,
}

impl Proof {
    /// Makes it.
    pub fn of(mandate: &Mandate, person: Option<&Contact>, merchant: &Merchant) -> Proof {
        let now: [u8; 32] = Sha256::digest(&mandate.wording).into();
        let name = person.map(|person| person.name.clone()).filter(|name| !name.is_empty());
        Proof {
            id: mandate.id.to_string(),
            merchant: merchant.name.clone(),
            wording: mandate.wording.clone(),
            wording_hash: HEXLOWER.encode(&mandate.wording_hash),
            is_intact: now == mandate.wording_hash,
            method: mandate.method.as_str(),
            rule: mandate.rule.as_str(),
            amount: mandate.amount.map(|amount| amount.to_string()),
            bank_name: mandate.account.bank_name.clone().filter(|name| !name.is_empty()),
            last4: mandate.account.last4.clone(),
            holder: mandate.account.holder.clone(),
            unauthorized_window: match mandate.account.holder.as_deref() {
                Some("business") => Some("2 banking days with a signed agreement, else 60 days"),
                Some("personal") => Some("60 days"),
                _ => None,
            },
            name: mandate.account.name.clone().or(name),
            email: person.map(|person| person.email.clone()).or_else(|| mandate.payer_email.clone()),
            identified: match mandate.contact_id {
                Some(_) => "signed in",
                None => "by a link or address",
            },
            client: mandate.client.clone(),
            user_agent: mandate.user_agent.clone(),
            language: mandate.language.clone(),
            agreed_at: mandate.offered_at,
            accepted_at: mandate.accepted_at,
            given_for: match mandate.given_for {
                GivenFor::Payment(id) => id.to_string(),
                GivenFor::Setup(id) => id.to_string(),
            },
            processor_mandate_id: mandate.account.processor_mandate_id.clone(),
            revoke: match mandate.rule {
                Rule::Standing => {
                    format!(
                        "by removing the account under Saved methods, or by writing to {}",
                        merchant.help_email
                    )
                }
                Rule::Once => format!("it is for one debit; by writing to {}", merchant.help_email),
            },
            ended: mandate.ended.as_ref().map(|ended| (ended.at, ended.why.clone(), ended.by.as_str())),
        }
    }
}
