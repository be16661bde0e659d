//! Small deposits by which a payer proves to see an account, as the pages of a payment and of saved methods show it. The amounts are
//! typed on the processor's page: here is how it stands, until when, and the way there.

use super::Chrome;
use crate::texts::{Arg, Rich};
use jiff::civil::Date;

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Where it is.
    pub stage: Stage,
    /// True where a code is read from the statement instead of two amounts.
    pub is_code: bool,
    /// When the deposits should be there.
    pub arrives_on: Option<Date>,
    /// Until when they can be entered.
    pub ends_on: Option<Date>,
    /// The processor's page that takes them, for whoever began it.
    pub url: Option<String>,
}

/// Where a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The deposits are on their way.
    Waiting,
    /// They should be there.
    Ready,
    /// What was typed last was wrong; there are tries left.
    Wrong,
    /// Wrong too often.
    TooManyTries,
    /// Not in time.
    Expired,
    /// The deposits did not arrive.
    NotDelivered,
}

impl Verification {
    /// It in two to five words.
    pub fn heading(&self, chrome: &Chrome) -> String {
        chrome.t(match self.stage {
            Stage::Waiting => "verify-waiting-heading",
            Stage::Ready | Stage::Wrong => "verify-ready-heading",
            Stage::TooManyTries => "verify-too-many-heading",
            Stage::Expired => "verify-expired-heading",
            Stage::NotDelivered => "verify-not-delivered-heading",
        })
    }

    /// What to do, in a sentence or two.
    pub fn words(&self, chrome: &Chrome) -> Rich {
        let date =
            |date: &Option<Date>| Arg::text(date.as_ref().map(|date| chrome.date(date)).unwrap_or_default());
        let args = [("arrives", date(&self.arrives_on)), ("ends", date(&self.ends_on))];
        let key = match (self.stage, self.is_code) {
            (Stage::Waiting, false) => "verify-waiting",
            (Stage::Waiting, true) => "verify-waiting-code",
            (Stage::Ready, false) => "verify-ready",
            (Stage::Ready, true) => "verify-ready-code",
            (Stage::Wrong, false) => "verify-wrong",
            (Stage::Wrong, true) => "verify-wrong-code",
            (Stage::TooManyTries, _) => "verify-too-many",
            (Stage::Expired, _) => "verify-expired",
            (Stage::NotDelivered, _) => "verify-not-delivered",
        };
        chrome.say(key, &args)
    }

    /// True while the payer has something to enter, or will have.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Ready | Stage::Wrong)
    }
}
