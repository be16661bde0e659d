//! S2 to S4: signing in with a code, the page behind the mailed link, and choosing a company. Known and unknown addresses
//! get the same pages, words and counts.

use super::{Chrome, Viewer};
use crate::contact::in_a_sentence;
use crate::texts::{Arg, Rich};
use askama::Template;
use ledger::Money;

/// `/sign-in`.
#[derive(Template)]
#[template(path = "portal/sign_in.html")]
pub struct SignInPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// What was typed before, kept; empty at first.
    pub email: String,
    /// What is wrong with it.
    pub problem: Option<EmailProblem>,
    /// True for somebody who is signed in, and shows once more who they are before a change that matters.
    pub again: bool,
}

/// What is wrong with an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailProblem {
    /// Nothing was typed.
    Empty,
    /// It does not look like one.
    NotAnAddress,
}

impl EmailProblem {
    /// The key of its words.
    pub fn key(self) -> &'static str {
        match self {
            EmailProblem::Empty => "email-empty",
            EmailProblem::NotAnAddress => "email-not-an-address",
        }
    }
}

/// `/sign-in/code`, and wherever else a code is typed.
#[derive(Template)]
#[template(path = "portal/code.html")]
pub struct CodePage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// How somebody came here.
    pub way: CodeWay,
    /// The code as it was typed, kept after an error; empty at first.
    pub code: String,
    /// What is wrong.
    pub problem: Option<CodeProblem>,
}

/// How somebody came to the page that takes a code.
#[derive(Debug, Clone)]
pub enum CodeWay {
    /// They typed an address.
    Asked {
        /// As it was typed.
        email: String,
        /// Another code may be asked for after so long.
        wait_seconds: u32,
    },
    /// By the mailed link, in another browser than the one that asked.
    Link {
        /// The secret of the link, posted back as `token`.
        token: String,
    },
    /// The merchant wants to know who pays before this payment.
    BeforePaying {
        /// The amount.
        amount: Money,
        /// Where the code went, masked.
        masked_email: String,
        /// The invoice.
        invoice_id: String,
        /// Another code may be asked for after so long.
        wait_seconds: u32,
    },
}

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeProblem {
    /// Nothing was typed.
    Empty,
    /// It is another one.
    Wrong {
        /// Tries that remain with this code.
        tries_left: u8,
    },
    /// Old, used or replaced.
    Ended,
    /// All tries are used.
    TooManyTries,
}

/// The page behind the link in the mail, which signs in by POST only.
#[derive(Template)]
#[template(path = "portal/sign_in_link.html")]
pub struct SignInLinkPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The secret of the mailed link, posted back as `token`.
    pub token: String,
}

/// Which company? Only where an address belongs to several. Posts `customer` to `/companies`.
#[derive(Template)]
#[template(path = "portal/companies.html")]
pub struct CompaniesPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The companies, by name.
    pub companies: Vec<Company>,
    /// True when the form was sent without a choice.
    pub nothing_chosen: bool,
}

/// One company to choose.
#[derive(Debug, Clone)]
pub struct Company {
    /// The customer's id, the value of its radio.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Open invoices.
    pub open_invoices: u32,
    /// What is left, one amount per currency.
    pub left: Vec<Money>,
    /// True for the one used last, chosen at first.
    pub chosen: bool,
}

impl SignInPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        title(&self.chrome, "sign-in-title", self.problem.is_some())
    }

    /// What is wrong, in words.
    pub fn why(&self) -> Option<String> {
        self.problem.map(|problem| self.chrome.t(problem.key()))
    }
}

impl CodePage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        title(&self.chrome, "code-title", self.problem.is_some())
    }

    /// Where the code went, without saying whether the address is known.
    pub fn lead(&self) -> Rich {
        match &self.way {
            CodeWay::Asked { email, .. } => self.chrome.say("code-sent", &[("email", Arg::name(email))]),
            CodeWay::Link { .. } => self.chrome.say("code-other-browser", &[]),
            CodeWay::BeforePaying { amount, masked_email, .. } => self.chrome.say(
                "code-before-paying",
                &[("amount", self.chrome.amount(*amount)), ("email", Arg::name(masked_email))],
            ),
        }
    }

    /// Where the code is sent to.
    pub fn action(&self) -> String {
        let base = self.chrome.base();
        match &self.way {
            CodeWay::Asked { .. } => format!("{base}/sign-in/code"),
            CodeWay::Link { .. } => format!("{base}/sign-in/link"),
            CodeWay::BeforePaying { .. } => self.identify_url("/code"),
        }
    }

    /// The mailed link's secret, which goes along with the code.
    pub fn token(&self) -> Option<&str> {
        match &self.way {
            CodeWay::Link { token } => Some(token),
            _ => None,
        }
    }

    /// How another code is asked for: (where the form goes, the address it carries, seconds to wait). Who came by the
    /// mailed link types the address again: the mail may have been passed on.
    pub fn again(&self) -> Option<(String, Option<&str>, u32)> {
        match &self.way {
            CodeWay::Asked { email, wait_seconds } => {
                Some((format!("{}/sign-in", self.chrome.base()), Some(email), *wait_seconds))
            }
            CodeWay::Link { .. } => None,
            CodeWay::BeforePaying { wait_seconds, .. } => Some((self.identify_url(""), None, *wait_seconds)),
        }
    }

    fn identify_url(&self, under: &str) -> String {
        match &self.way {
            CodeWay::BeforePaying { amount, invoice_id, .. } => {
                let minor = amount.minor();
                format!("{}/invoices/{invoice_id}/identify{under}?amount={minor}", self.chrome.base())
            }
            _ => String::new(),
        }
    }

    /// What is wrong, in words.
    pub fn why(&self) -> Option<String> {
        Some(match self.problem? {
            CodeProblem::Empty => self.chrome.t("code-empty"),
            CodeProblem::Wrong { tries_left } => {
                self.chrome.words("code-wrong", &[("tries", Arg::Number(tries_left.into()))])
            }
            CodeProblem::Ended => self.chrome.t("code-ended"),
            CodeProblem::TooManyTries => self.chrome.t("code-too-many"),
        })
    }

    /// True while another try makes sense; else only another code helps.
    pub fn may_try(&self) -> bool {
        !matches!(self.problem, Some(CodeProblem::Ended | CodeProblem::TooManyTries))
    }

    /// What to do when no code comes.
    pub fn no_code(&self) -> Rich {
        self.chrome
            .say("code-none", &[("contact", Arg::name(in_a_sentence(&self.chrome.merchant.help_contact)))])
    }
}

impl SignInLinkPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.chrome.t("sign-in")
    }
}

impl CompaniesPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        title(&self.chrome, "companies-title", self.nothing_chosen)
    }

    /// `3 open invoices, $3,120.00 and €400.00 left`.
    pub fn words(&self, company: &Company) -> String {
        let count = ("count", Arg::Number(company.open_invoices.into()));
        match joined(&self.chrome, &company.left) {
            left if left.is_empty() => self.chrome.words("company-nothing", &[]),
            left => self.chrome.words("company-left", &[count, ("left", Arg::text(left))]),
        }
    }
}

/// Amounts of several currencies in one phrase; they are never added together.
pub(super) fn joined(chrome: &Chrome, amounts: &[Money]) -> String {
    let mut words: Vec<String> = amounts.iter().map(|amount| chrome.money(amount)).collect();
    let Some(last) = words.pop() else { return String::new() };
    if words.is_empty() {
        return last;
    }
    chrome.words("and", &[("first", Arg::text(words.join(", "))), ("last", Arg::text(last))])
}

/// A title, with `Error:` before it when something is wrong.
pub(super) fn title(chrome: &Chrome, key: &str, wrong: bool) -> String {
    let title = chrome.t(key);
    if wrong { chrome.words("error-title", &[("title", Arg::text(title))]) } else { title }
}
