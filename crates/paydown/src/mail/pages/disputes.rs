//! The mails to a merchant about a dispute of a card payment: that there is one to answer, and how it ended. The payer never
//! gets one of these.

use super::{Letter, Mail, Sender};
use crate::format;
use crate::texts::{Arg, texts};
use billing::dispute::{DisputeState, LossMeaning};
use jiff::civil::Date;
use ledger::Money;

/// A dispute, as the merchant's people have to know it.
#[derive(Debug, Clone)]
pub struct DisputeMail {
    /// From whom, which is to whom.
    pub sender: Sender,
    /// The dispute's id, by which the API and the command line know it.
    pub id: String,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// Who paid.
    pub customer: String,
    /// What is contested.
    pub amount: Money,
    /// Why, in words.
    pub reason: String,
    /// Where it stands.
    pub state: DisputeState,
    /// What its loss was booked as, where it was lost.
    pub lost_as: Option<LossMeaning>,
    /// Until when evidence is taken, in the merchant's zone.
    pub due: Option<Date>,
    /// The page that says what can be done.
    pub help_url: String,
}

impl DisputeMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let args = [
            ("number", Arg::name(&self.number)),
            ("amount", sender.amount(self.amount)),
            ("due", Arg::text(self.due.map(format::date).unwrap_or_default())),
        ];
        let subject = texts().fmt(self.subject(), &args);
        let mut sentences = vec![subject.clone(), texts().fmt(self.happened(), &args)];
        if self.state.is_open() {
            let key = if self.due.is_some() { "mail-dispute-answer-by" } else { "mail-dispute-answer" };
            sentences.push(texts().fmt(key, &args));
        }
        Letter {
            sender,
            preheader: texts().fmt(self.happened(), &args),
            figure: None,
            sentences,
            subject,
            button: (texts().get("mail-dispute-what-to-do"), self.help_url.clone()),
            second: None,
            rows: vec![
                (texts().get("mail-dispute-reason"), self.reason.clone()),
                (texts().get("mail-dispute-customer"), self.customer.clone()),
                (texts().get("reference"), self.reference.clone()),
                (texts().get("mail-dispute-id"), self.id.clone()),
            ],
            closing: Vec::new(),
        }
        .render()
    }

    const fn subject(&self) -> &'static str {
        match self.state {
            DisputeState::Inquiry => "mail-dispute-inquiry",
            DisputeState::NeedsResponse | DisputeState::UnderReview => "mail-dispute-opened",
            DisputeState::Won => "mail-dispute-won",
            DisputeState::Lost => "mail-dispute-lost",
            DisputeState::Accepted => "mail-dispute-accepted",
        }
    }

    const fn happened(&self) -> &'static str {
        match (self.state, self.lost_as) {
            (DisputeState::Inquiry, _) => "mail-dispute-no-money-moved",
            (DisputeState::NeedsResponse | DisputeState::UnderReview, _) => "mail-dispute-withdrawn",
            (DisputeState::Won, _) => "mail-dispute-yours",
            (_, Some(LossMeaning::Absorbed)) => "mail-dispute-absorbed",
            (_, _) => "mail-dispute-owed-again",
        }
    }
}
