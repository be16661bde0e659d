//! "Your agreement": the proof of a mandate for whoever gave it, on a page that prints well, with the way to take it back.

use super::{Chrome, Viewer};
use crate::mandate_proof::Proof;
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::Timestamp;

/// `/agreements/{id}`.
#[derive(Template)]
#[template(path = "portal/agreement.html")]
pub struct AgreementPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// What is shown.
    pub proof: Proof,
    /// True where it can be taken back here.
    pub may_revoke: bool,
    /// How many debits on it are on their way, where it has ended.
    pub pending: u32,
}

impl AgreementPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.chrome.t("agreement-title")
    }

    /// Whether it holds.
    pub fn state(&self) -> Rich {
        match &self.proof.ended {
            Some((at, _, _)) => {
                self.chrome.say("agreement-ended", &[("on", Arg::text(self.chrome.day(*at)))])
            }
            None => self.chrome.say("agreement-holds", &[]),
        }
    }

    /// That debits are on their way still.
    pub fn pending_words(&self) -> Option<Rich> {
        let count = ("count", Arg::Number(self.pending.into()));
        (self.pending > 0).then(|| self.chrome.say("agreement-pending", &[count]))
    }

    /// What there is to know: each with its label.
    pub fn rows(&self) -> Vec<(String, String)> {
        let (chrome, proof) = (&self.chrome, &self.proof);
        let account =
            match (&proof.bank_name, &proof.last4) {
                (Some(bank), Some(last4)) => Some(chrome.words(
                    "method-bank-at",
                    &[("bank", Arg::name(bank)), ("last4", Arg::text(last4.clone()))],
                )),
                (None, Some(last4)) => {
                    Some(chrome.words("method-bank-ending", &[("last4", Arg::text(last4.clone()))]))
                }
                _ => None,
            };
        let rule = if proof.rule == "once" { "agreement-once" } else { "agreement-standing" };
        let rule = match &proof.amount {
            Some(amount) => format!("{} ({amount})", chrome.t(rule)),
            None => chrome.t(rule),
        };
        let rows = [
            ("agreement-account", account),
            ("agreement-rule", Some(rule)),
            ("agreement-name", proof.name.clone()),
            ("agreement-email", proof.email.clone()),
            ("agreement-agreed", Some(self.instant(proof.agreed_at))),
            ("agreement-from", proof.client.clone()),
            ("agreement-browser", proof.user_agent.clone()),
            ("agreement-reference", Some(proof.id.clone())),
            ("agreement-hash", Some(proof.wording_hash.clone())),
        ];
        rows.into_iter().filter_map(|(key, value)| Some((chrome.t(key), value?))).collect()
    }

    fn instant(&self, at: Timestamp) -> String {
        format!("{}, {}", self.chrome.day(at), self.chrome.clock(at))
    }
}
