//! Every page in each state that matters, with believable data, rendered. Tests read them, designers look at them. Never
//! shown to a payer.

mod flow;
mod invoices;
mod saved;

use super::chrome::FooterLink;
use super::parts::{Figures, Lifecycle, Progress, Status};
use super::{Chrome, Merchant, Viewer};
use crate::format::Locale;
use crate::look::Brand;
use askama::Template;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use ledger::{Currency, Money};

/// All samples: (name, HTML).
pub fn samples() -> Vec<(String, String)> {
    let mut all = invoices::samples();
    all.extend(flow::samples());
    all.extend(saved::samples());
    all
}

/// The brand of the sample merchant.
pub fn sample_brand() -> Brand {
    Brand::default()
}

fn render(name: &str, page: impl Template) -> (String, String) {
    (name.to_owned(), page.render().expect("a template writes to memory, which cannot fail"))
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

const TODAY: Date = date(2026, 11, 18);
const DUE: Date = date(2026, 11, 30);

fn noon() -> Timestamp {
    "2026-11-18T22:40:00Z".parse().expect("an instant as RFC 3339 has it")
}

fn merchant() -> Merchant {
    Merchant {
        name: "Northwind IT".to_owned(),
        slug: "northwind".to_owned(),
        logo_url: None,
        brand_css_url: format!("/p/northwind/{}", sample_brand().stylesheet_name()),
        links: vec![FooterLink { key: "link-terms", url: "https://northwind.example/terms".to_owned() }],
        help_contact: "billing@northwind.example, +1 503 555 0142".to_owned(),
        statement_line: "NORTHWIND IT".to_owned(),
        zone: TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC),
        practice: false,
    }
}

/// A signed-in contact's page.
fn signed_in() -> Chrome {
    let viewer = Viewer::Contact {
        name: "Dana".to_owned(),
        company: "Acme Inc.".to_owned(),
        several_companies: false,
    };
    Chrome {
        merchant: merchant(),
        viewer,
        locale: Locale::default(),
        csrf: "c5rf-of-this-session".to_owned(),
        here: None,
        session_seconds: Some(86_400),
    }
}

/// The page of somebody with a payment link.
fn by_link() -> Chrome {
    Chrome { viewer: Viewer::Link, session_seconds: Some(1_800), ..signed_in() }
}

/// The page of somebody unknown.
fn nobody() -> Chrome {
    Chrome { viewer: Viewer::Nobody, session_seconds: None, ..signed_in() }
}

fn figures(paid: i64, pending: i64, left: i64) -> Figures {
    let zero = usd(0);
    Figures {
        total: usd(paid + pending + left),
        paid: usd(paid),
        credited: zero,
        pending: usd(pending),
        left: usd(left),
    }
}

fn status(progress: Progress, all_in_flight: bool) -> Status {
    Status { progress, lifecycle: Lifecycle::Open, due: DUE, today: TODAY, all_in_flight }
}
