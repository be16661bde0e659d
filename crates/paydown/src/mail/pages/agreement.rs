//! The mail that brings a payer a copy of what they agreed to, and the one that says that it has ended.

use super::{Letter, Mail, Sender};
use crate::format;
use crate::texts::{Arg, texts};
use jiff::civil::Date;

/// A copy of an agreement, or its end.
#[derive(Debug, Clone)]
pub struct AgreementMail {
    /// From whom.
    pub sender: Sender,
    /// The last four digits of the account, once they are known.
    pub last4: Option<String>,
    /// What was agreed to, word for word.
    pub wording: String,
    /// Until when the debit it allows can be stopped: the time with its zone, and the day.
    pub stop_until: Option<(String, Date)>,
    /// True where it has ended.
    pub has_ended: bool,
    /// The page that shows the proof, to whoever agreed.
    pub url: String,
}

impl AgreementMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let (time, day) = self.stop_until.clone().unzip();
        let args = [
            ("merchant", Arg::name(&sender.merchant)),
            ("last4", Arg::text(self.last4.clone().unwrap_or_default())),
            ("time", Arg::text(time.unwrap_or_default())),
            ("date", Arg::text(day.map(format::date).unwrap_or_default())),
        ];
        let key = match (self.has_ended, &self.last4) {
            (false, Some(_)) => "mail-agreement",
            (false, None) => "mail-agreement-open",
            (true, Some(_)) => "mail-agreement-ended",
            (true, None) => "mail-agreement-ended-open",
        };
        let subject = texts().fmt(key, &args);
        let stop = self.stop_until.as_ref().map(|_| texts().fmt("mail-agreement-stop", &args));
        let then = if self.has_ended { "mail-agreement-no-debit" } else { "mail-agreement-keep" };
        let sentences = [Some(texts().fmt(then, &args)), stop].into_iter().flatten().collect();
        Letter {
            sender,
            preheader: texts().fmt(then, &args),
            figure: None,
            sentences,
            subject,
            button: (texts().get("mail-agreement-view"), self.url.clone()),
            second: None,
            rows: Vec::new(),
            closing: vec![texts().get("mail-your-agreement"), self.wording.clone()],
        }
        .render()
    }
}
