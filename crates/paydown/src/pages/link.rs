//! S1: a payment link that does not lead to its invoice, and why. It never says whether an unknown link ever existed.

use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::civil::Date;

/// What a payment link, or a session that came by one, shows instead of the invoice.
#[derive(Template)]
#[template(path = "portal/link.html")]
pub struct LinkPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// Why.
    pub state: LinkState,
}

/// Why the invoice is not shown.
#[derive(Debug, Clone)]
pub enum LinkState {
    /// The session by link ended for want of use.
    SessionEnded,
    /// The whole session is over: after a day, or because somebody signed out.
    SessionOver,
    /// The link is too old.
    Expired {
        /// The day it stopped working.
        on: Date,
        /// Whom a new one may be sent to, masked (`d…@acme.test`), and where the button posts to: `/l/{token}/new`.
        renew: Option<(String, String)>,
    },
    /// A new link was asked for.
    Renewed {
        /// Whom it was sent to, masked.
        masked_email: String,
    },
    /// The merchant took it back.
    Revoked,
    /// The invoice was cancelled.
    Void {
        /// The invoice's number.
        number: String,
        /// The day, in words as short as `3 Nov`.
        on: Date,
    },
    /// A contact of another company is signed in.
    OtherCompany {
        /// `Dana`.
        name: String,
        /// The company signed in for: `Beta Ltd`.
        company: String,
        /// The company the invoice is for: `Acme Inc`.
        invoice_for: String,
        /// Where "Open as …" posts to: `/l/{token}/open`.
        open_url: String,
    },
    /// The merchant wants to know who pays before this payment.
    Identify {
        /// The amount, formatted by the page.
        amount: ledger::Money,
        /// Where the code goes, masked.
        masked_email: String,
        /// Where the button posts to.
        send_url: String,
    },
}

impl LinkPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.chrome.t(self.heading_key())
    }

    /// The heading.
    pub fn heading(&self) -> String {
        self.title()
    }

    fn heading_key(&self) -> &'static str {
        match self.state {
            LinkState::SessionEnded => "link-ended-heading",
            LinkState::SessionOver => "link-over-heading",
            LinkState::Expired { .. } => "link-expired-heading",
            LinkState::Renewed { .. } => "link-renewed-heading",
            LinkState::Revoked => "link-revoked-heading",
            LinkState::Void { .. } => "link-void-heading",
            LinkState::OtherCompany { .. } => "link-other-heading",
            LinkState::Identify { .. } => "link-identify-heading",
        }
    }

    /// What it means and what to do.
    pub fn lead(&self) -> Rich {
        let chrome = &self.chrome;
        match &self.state {
            LinkState::SessionEnded => chrome.say("link-ended", &[]),
            LinkState::SessionOver => chrome.say("link-over", &[]),
            LinkState::Expired { on, renew: Some((masked_email, _)) } => chrome.say(
                "link-expired",
                &[("on", Arg::text(chrome.date(on))), ("email", Arg::name(masked_email))],
            ),
            LinkState::Expired { on, renew: None } => {
                chrome.say("link-expired-alone", &[("on", Arg::text(chrome.date(on)))])
            }
            LinkState::Renewed { masked_email } => {
                chrome.say("link-renewed", &[("email", Arg::name(masked_email))])
            }
            LinkState::Revoked => chrome.say_merchant("link-revoked"),
            LinkState::Void { on, .. } => {
                let on = Arg::text(chrome.short_date(on));
                chrome.say("invoice-void", &[("merchant", chrome.merchant_name()), ("on", on)])
            }
            LinkState::OtherCompany { name, company, invoice_for, .. } => chrome.say(
                "link-other",
                &[
                    ("name", Arg::name(name)),
                    ("company", Arg::name(company)),
                    ("for", Arg::name(invoice_for)),
                ],
            ),
            LinkState::Identify { amount, masked_email, .. } => chrome.say(
                "link-identify",
                &[("amount", chrome.amount(*amount)), ("email", Arg::name(masked_email))],
            ),
        }
    }

    /// The one thing to press: (where it posts to, its words).
    pub fn act(&self) -> Option<(&str, Rich)> {
        match &self.state {
            LinkState::Expired { renew: Some((_, url)), .. } => {
                Some((url, self.chrome.say("link-send-new", &[])))
            }
            LinkState::OtherCompany { open_url, invoice_for, .. } => {
                Some((open_url, self.chrome.say("link-open-as", &[("company", Arg::name(invoice_for))])))
            }
            LinkState::Identify { send_url, .. } => Some((send_url, self.chrome.say("send-code", &[]))),
            _ => None,
        }
    }

    /// The way out beside it: (address, words).
    pub fn way_out(&self) -> (String, String) {
        let base = self.chrome.base();
        match &self.state {
            LinkState::OtherCompany { .. } => (format!("{base}/invoices"), self.chrome.t("cancel")),
            _ if matches!(self.chrome.viewer, Viewer::Contact { .. }) => {
                (format!("{base}/invoices"), self.chrome.t("all-invoices"))
            }
            _ => (self.chrome.sign_in_url(), self.chrome.t("sign-in-instead")),
        }
    }

    /// True where the way out is the only thing to press.
    pub fn only_way_out(&self) -> bool {
        self.act().is_none()
    }
}
