//! What surrounds every page: whose portal it is, who looks at it, and how figures are written. Never a page's own facts.

use crate::assets::{self, Asset};
use crate::contact::{Contact, contacts};
use crate::format::{self, Locale};
use crate::texts::{Arg, Rich, texts};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use ledger::Money;

/// What surrounds every page of one merchant's portal.
#[derive(Debug, Clone)]
pub struct Chrome {
    /// Whose portal it is.
    pub merchant: Merchant,
    /// Who looks at it.
    pub viewer: Viewer,
    /// How this reader writes figures.
    pub locale: Locale,
    /// The session's token against forged forms; empty where there is no session, and then no form is drawn that needs it.
    pub csrf: String,
    /// This page under the portal's address, where one may come back to it after signing in: `/invoices/inv_1`.
    pub here: Option<String>,
    /// Seconds until the session ends without further use; `None` without a session. The script warns two minutes before.
    pub session_seconds: Option<u32>,
}

/// The merchant as a payer meets it.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// The name payers know, at most 60 characters: `Northwind IT`.
    pub name: String,
    /// Its part of the address: `northwind` in `/p/northwind`.
    pub slug: String,
    /// Address of the logo, already re-encoded by us; `None` shows the first letter of the name.
    pub logo_url: Option<String>,
    /// Address of the brand's style sheet: `/p/northwind/brand-1f9c0a3b.css` (see `look::Brand::stylesheet_name`).
    pub brand_css_url: String,
    /// Whom to ask, in the footer of every page: `billing@northwind.example, +1 503 555 0142`.
    pub help_contact: String,
    /// Where else it wants payers to go, in the footer of every page.
    pub links: Vec<FooterLink>,
    /// What the card statement will read: `NORTHWIND IT`.
    pub statement_line: String,
    /// Where the merchant is: dates and clock times are in this zone.
    pub zone: TimeZone,
    /// True when its processor is the practice one; every page then says that no real money moves.
    pub practice: bool,
}

/// A link that the merchant set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FooterLink {
    /// Its words: a key of the catalogue.
    pub key: &'static str,
    /// Where it leads: http or https, checked when it was set.
    pub url: String,
}

/// Who looks at a page, as far as the header says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody known: sign-in pages, errors.
    Nobody,
    /// Somebody with a payment link.
    Link,
    /// A signed-in contact.
    Contact {
        /// The person: `Dana`.
        name: String,
        /// The company they act for: `Acme Inc.`
        company: String,
        /// True when the address belongs to several companies, which adds a way to change it.
        several_companies: bool,
    },
}

impl Chrome {
    /// The portal's own address: `/p/northwind`.
    pub fn base(&self) -> String {
        format!("/p/{}", self.merchant.slug)
    }

    /// Where somebody signs in who then comes back to this page.
    pub fn sign_in_url(&self) -> String {
        match &self.here {
            Some(here) => format!("{}/sign-in?next={here}", self.base()),
            None => format!("{}/sign-in", self.base()),
        }
    }

    /// The merchant's first letter, where there is no logo.
    pub fn initial(&self) -> String {
        self.merchant.name.chars().next().map_or_else(String::new, |c| c.to_uppercase().collect())
    }

    /// The ways to reach the merchant, each a link where it can be one.
    pub fn contacts(&self) -> Vec<Contact> {
        contacts(&self.merchant.help_contact)
    }

    /// A text of the catalogue.
    pub fn t(&self, key: &str) -> String {
        texts().get(key)
    }

    /// A sentence for the page.
    pub fn say(&self, key: &str, args: &[(&str, Arg)]) -> Rich {
        texts().rich(key, args)
    }

    /// The same words without marks, for titles and attributes.
    pub fn words(&self, key: &str, args: &[(&str, Arg)]) -> String {
        texts().fmt(key, args)
    }

    /// A sentence that names the merchant and nothing else.
    pub fn say_merchant(&self, key: &str) -> Rich {
        self.say(key, &[("merchant", self.merchant_name())])
    }

    /// The merchant's name inside a sentence.
    pub fn merchant_name(&self) -> Arg {
        Arg::name(&self.merchant.name)
    }

    /// An amount in the reader's format.
    pub fn money(&self, money: impl AsMoney) -> String {
        self.locale.money(money.as_money())
    }

    /// An amount inside a sentence.
    pub fn amount(&self, money: Money) -> Arg {
        Arg::text(self.locale.money(money))
    }

    /// An amount as it is heard: `750 US dollars`.
    pub fn spoken(&self, money: impl AsMoney) -> String {
        self.locale.spoken(money.as_money())
    }

    /// `30 November 2026`.
    pub fn date(&self, date: &Date) -> String {
        format::date(*date)
    }

    /// `30 Nov`.
    pub fn short_date(&self, date: &Date) -> String {
        format::short_date(*date)
    }

    /// `14:40 Pacific time`, in the merchant's zone.
    pub fn clock(&self, at: Timestamp) -> String {
        format::clock(at, &self.merchant.zone)
    }

    /// `30 November 2026` of an instant, in the merchant's zone.
    pub fn day(&self, at: Timestamp) -> String {
        format::date(at.to_zoned(self.merchant.zone.clone()).date())
    }

    /// How long this page lasts, in words; `None` without a session.
    pub fn session_words(&self) -> Option<String> {
        match self.viewer {
            Viewer::Nobody => None,
            Viewer::Link => Some(self.t("session-link")),
            Viewer::Contact { .. } => Some(self.t("session-contact")),
        }
    }

    /// True where use makes the session longer. What a contact proved ends after its time, used or not.
    pub fn may_stay(&self) -> bool {
        self.viewer == Viewer::Link
    }

    /// Seconds from now until the script warns, two minutes before the end.
    pub fn warn_after_seconds(&self) -> Option<u32> {
        self.session_seconds.map(|seconds| seconds.saturating_sub(120))
    }

    /// Address of the style sheet.
    pub fn css_url(&self) -> &'static str {
        &assets::named("portal.css").url
    }

    /// A script by its plain name; a page names what it needs besides the one of every page.
    pub fn script(&self, file: &str) -> &'static Asset {
        assets::named(file)
    }

    /// Address of the icon.
    pub fn icon_url(&self) -> &'static str {
        &assets::named("favicon.svg").url
    }
}

/// An amount, however many references a template put before it.
pub trait AsMoney {
    /// The amount.
    fn as_money(&self) -> Money;
}

impl AsMoney for Money {
    fn as_money(&self) -> Money {
        *self
    }
}

impl<T: AsMoney + ?Sized> AsMoney for &T {
    fn as_money(&self) -> Money {
        (**self).as_money()
    }
}
