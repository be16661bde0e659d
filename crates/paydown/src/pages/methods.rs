//! S17, as far as it goes: saved methods. The list of a person's own cards and accounts, adding one without paying, and what removing
//! one does, said before it is done.

use super::ways::Way;
use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::civil::Date;
use ledger::Money;

/// `/methods`.
#[derive(Template)]
#[template(path = "portal/methods.html")]
pub struct MethodsPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// What is saved; the one that is offered first leads.
    pub saved: Vec<Saved>,
    /// What was begun and is not finished.
    pub unfinished: Vec<Unfinished>,
    /// True where something can be added.
    pub may_add: bool,
    /// What has just happened.
    pub news: Option<News>,
}

/// A saved card or account.
#[derive(Debug, Clone)]
pub struct Saved {
    /// Its id, as in addresses.
    pub id: String,
    /// `Visa ending 4242`.
    pub title: String,
    /// `04/28`, of a card.
    pub expires: Option<String>,
    /// True where that is over.
    pub is_expired: bool,
    /// The day it was saved.
    pub on: Date,
    /// True for the one that is offered first.
    pub is_default: bool,
    /// What its owner agreed to, of an account: where the proof is. `None` where there is no leave to debit it.
    pub agreement: Option<Agreement>,
}

impl Saved {
    /// False where it has expired, or the leave to debit it has ended.
    pub fn can_be_charged(&self) -> bool {
        !self.is_expired && self.agreement.as_ref().is_none_or(|agreement| agreement.holds)
    }
}

/// The leave to debit an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The mandate's id, as in addresses.
    pub id: String,
    /// True where it holds.
    pub holds: bool,
}

/// Something that was begun.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// Its id, as in addresses.
    pub id: String,
    /// What is being saved.
    pub title: String,
    /// The day it was begun.
    pub on: Date,
    /// The processor's page, while it can be gone on with there.
    pub url: Option<String>,
    /// How its proof by small deposits stands.
    pub verification: Option<super::verification::Verification>,
}

/// What has just happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Something was saved.
    Added,
    /// Something was removed.
    Removed,
    /// The bank said no.
    Declined,
    /// Its owner turned back.
    NotAdded,
}

impl MethodsPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.chrome.t("methods-title")
    }

    /// What has just happened, in words.
    pub fn news_words(&self) -> Option<String> {
        Some(self.chrome.t(match self.news? {
            News::Added => "method-added",
            News::Removed => "method-removed",
            News::Declined => "method-declined",
            News::NotAdded => "method-not-added",
        }))
    }

    /// How loud that is: what did not work out is told as the notices of an invoice are.
    pub fn news_tone(&self) -> &'static str {
        match self.news {
            Some(News::Added) => "paid",
            Some(News::Declined) => "late",
            _ => "plain",
        }
    }

    /// What is said of one: when it expires, since when it is saved.
    pub fn about(&self, saved: &Saved) -> String {
        let chrome = &self.chrome;
        let on = chrome.words("method-saved-on", &[("on", Arg::text(chrome.date(&saved.on)))]);
        match (&saved.expires, saved.is_expired) {
            (Some(_), true) => format!("{} · {on}", chrome.t("method-expired")),
            (Some(until), false) => {
                let until = [("until", Arg::text(until.clone()))];
                format!("{} · {on}", chrome.words("method-expires", &until))
            }
            (None, _) => on,
        }
    }

    /// What a button of one says to who cannot see which line it stands in.
    pub fn name(&self, key: &str, saved: &Saved) -> String {
        self.chrome.words(key, &[("title", Arg::name(&saved.title))])
    }

    /// What is unfinished, in words.
    pub fn unfinished_words(&self, unfinished: &Unfinished) -> Rich {
        let on = ("on", Arg::text(self.chrome.date(&unfinished.on)));
        self.chrome.say("method-waiting", &[("title", Arg::name(&unfinished.title)), on])
    }
}

/// `/methods/add`. Posts `csrf`, `intent` and `method` to itself.
#[derive(Template)]
#[template(path = "portal/method_add.html")]
pub struct AddMethodPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// What can be saved, each with what is agreed to.
    pub ways: Vec<Way>,
    /// The one-time id made when this form was drawn.
    pub intent: String,
    /// Where it is typed: `Stripe`, `the practice processor`.
    pub processor: String,
    /// Why nothing was opened: a key of the catalogue.
    pub problem: Option<&'static str>,
}

impl AddMethodPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let title = self.chrome.t("method-add-title");
        match self.problem {
            Some(_) => self.chrome.words("error-title", &[("title", Arg::text(title))]),
            None => title,
        }
    }

    /// What happens after the button.
    pub fn under_button(&self) -> Rich {
        self.chrome.say("method-add-under", &[("processor", Arg::name(&self.processor))])
    }

    /// What is wrong, in words.
    pub fn why(&self) -> Option<Rich> {
        Some(self.chrome.say_merchant(self.problem?))
    }
}

/// `/methods/{id}/remove`: what removing it does.
#[derive(Template)]
#[template(path = "portal/method_remove.html")]
pub struct RemoveMethodPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// Its id, as in addresses.
    pub id: String,
    /// `Visa ending 4242`.
    pub heading: String,
    /// True where a leave to debit ends with it.
    pub ends_agreement: bool,
    /// Debits of it that are held and will be stopped.
    pub held: Vec<Money>,
    /// Payments by it that are on their way.
    pub pending: Vec<Money>,
}

impl RemoveMethodPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.chrome.words("remove-title", &[("title", Arg::name(&self.heading))])
    }

    /// What it does, in sentences.
    pub fn sentences(&self) -> Vec<Rich> {
        let chrome = &self.chrome;
        let of = |key: &str, amount: &Money| chrome.say(key, &[("amount", chrome.amount(*amount))]);
        let mut sentences = vec![chrome.say("remove-lead", &[])];
        sentences.extend(self.ends_agreement.then(|| chrome.say("remove-agreement", &[])));
        sentences.extend(self.held.iter().map(|amount| of("remove-held", amount)));
        sentences.extend(self.pending.iter().map(|amount| of("remove-pending", amount)));
        sentences
    }
}
