//! S19: what went wrong with a request. Each page says first whether money moved, then what to do.

use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

/// An error as a page.
#[derive(Template)]
#[template(path = "portal/error.html")]
pub struct ErrorPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// What went wrong.
    pub error: PageError,
}

/// What went wrong.
#[derive(Debug, Clone)]
pub enum PageError {
    /// 404: no such page, invoice, payment or link, or not for this reader.
    NotFound,
    /// 403: the form did not come from our page, or its session is another one.
    FormNotOurs,
    /// 405: the address does not do that.
    WrongMethod,
    /// 400: the address cannot be read.
    NotUnderstood,
    /// 413: more was sent than is taken.
    TooLarge {
        /// The limit, in words: `64 KB`.
        limit: String,
    },
    /// 415: sent in a form that is not understood.
    WrongType,
    /// 429: too many requests.
    TooMany {
        /// When it works again.
        until: Timestamp,
        /// Today, in the merchant's zone: another day is named.
        today: Date,
    },
    /// 500: our mistake.
    Ours {
        /// What to quote: `7F3K`.
        reference: String,
        /// The invoice the reader may have been paying: (id, number).
        invoice: Option<(String, String)>,
    },
    /// 503: busy, or being looked after.
    Unavailable {
        /// When payments are back, if that is known.
        back_at: Option<Timestamp>,
    },
}

impl ErrorPage {
    /// The status code it is answered with.
    pub fn status(&self) -> u16 {
        match self.error {
            PageError::NotUnderstood => 400,
            PageError::NotFound => 404,
            PageError::FormNotOurs => 403,
            PageError::WrongMethod => 405,
            PageError::TooLarge { .. } => 413,
            PageError::WrongType => 415,
            PageError::TooMany { .. } => 429,
            PageError::Ours { .. } => 500,
            PageError::Unavailable { .. } => 503,
        }
    }

    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.chrome.words("error-title", &[("title", Arg::text(self.heading()))])
    }

    /// What went wrong, in a few words.
    pub fn heading(&self) -> String {
        self.chrome.t(match self.error {
            PageError::NotFound => "error-not-found",
            PageError::FormNotOurs => "error-form-not-ours",
            PageError::WrongMethod => "error-wrong-method",
            PageError::TooLarge { .. } => "error-too-large",
            PageError::WrongType | PageError::NotUnderstood => "error-wrong-type",
            PageError::TooMany { .. } => "error-too-many",
            PageError::Ours { .. } => "error-ours",
            PageError::Unavailable { .. } => "error-unavailable",
        })
    }

    /// Whether money moved, then what to do.
    pub fn sentences(&self) -> Vec<Rich> {
        let chrome = &self.chrome;
        let clock = |at: &Timestamp| ("at", Arg::text(chrome.clock(*at)));
        let say = |key| chrome.say(key, &[]);
        match &self.error {
            PageError::NotFound => vec![say("error-not-found-do")],
            PageError::FormNotOurs => vec![say("nothing-was-taken"), say("error-form-not-ours-do")],
            PageError::WrongMethod => vec![say("nothing-was-taken"), say("error-wrong-method-do")],
            PageError::TooLarge { limit } => {
                vec![
                    say("nothing-was-taken"),
                    chrome.say("error-too-large-do", &[("limit", Arg::text(limit))]),
                ]
            }
            PageError::WrongType | PageError::NotUnderstood => {
                vec![say("nothing-was-taken"), say("error-wrong-type-do")]
            }
            PageError::TooMany { until, today } => {
                let day = chrome.day(*until);
                let again = if day == chrome.date(today) {
                    chrome.say("error-too-many-do", &[clock(until)])
                } else {
                    chrome.say("error-too-many-do-on", &[clock(until), ("on", Arg::text(day))])
                };
                vec![say("nothing-was-taken"), again]
            }
            PageError::Ours { reference, invoice } => {
                let check = match invoice {
                    Some((_, number)) => chrome.say("error-ours-check", &[("number", Arg::name(number))]),
                    None => say("error-ours-check-any"),
                };
                vec![check, chrome.say("error-ours-reference", &[("reference", Arg::text(reference))])]
            }
            PageError::Unavailable { back_at } => {
                let back = match back_at {
                    Some(at) => chrome.say("error-unavailable-until", &[clock(at)]),
                    None => say("error-unavailable-later"),
                };
                vec![say("nothing-was-taken"), say("error-unavailable-do"), back]
            }
        }
    }

    /// The invoice somebody was at, where they may go back to it.
    fn at(&self) -> Option<&str> {
        if matches!(self.error, PageError::NotFound) {
            return None;
        }
        self.chrome.here.as_deref()?.strip_prefix("/invoices/")?.split(['/', '?']).next()
    }

    /// The way out: (address, words).
    pub fn way_out(&self) -> (String, String) {
        let base = self.chrome.base();
        match (&self.error, &self.chrome.viewer) {
            (PageError::Ours { invoice: Some((id, _)), .. }, _) => {
                (format!("{base}/invoices/{id}"), self.chrome.t("check-the-invoice"))
            }
            (_, Viewer::Link | Viewer::Contact { .. }) if self.at().is_some() => (
                format!("{base}/invoices/{}", self.at().unwrap_or_default()),
                self.chrome.t("back-to-invoice"),
            ),
            (_, Viewer::Contact { .. }) => (format!("{base}/invoices"), self.chrome.t("all-invoices")),
            _ => (self.chrome.sign_in_url(), self.chrome.t("sign-in")),
        }
    }
}
