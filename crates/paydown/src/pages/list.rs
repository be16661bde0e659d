//! S5: the invoices of a company. It counts and sums nothing: totals and counts come in.

use super::parts::{Figures, Pill, Progress, Status, near_date};
use super::sign_in::joined;
use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::civil::Date;
use ledger::Money;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `/invoices`, one tab of it.
#[derive(Template)]
#[template(path = "portal/list.html")]
pub struct ListPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The id of the company whose list it is: by it the script knows its own page from another company's.
    pub whose: String,
    /// Which tab is open.
    pub tab: Tab,
    /// Invoices under "To pay": something is left to pay now.
    pub to_pay: u32,
    /// Invoices under "In progress": nothing left to pay now, something in flight.
    pub in_progress: u32,
    /// All invoices the company ever got.
    pub all: u32,
    /// What is left over all invoices, one amount per currency; empty when nothing is.
    pub left: Vec<Money>,
    /// What of it is overdue, one amount per currency; empty when nothing is.
    pub overdue: Vec<Money>,
    /// What was searched for; empty for no search.
    pub search: String,
    /// The order of the rows.
    pub sort: Sort,
    /// The rows of this page of the list.
    pub rows: Vec<ListRow>,
    /// All invoices this tab and search find, on whatever page.
    pub found: u32,
    /// The place of the first row, for the page before; `None` on the first page.
    pub before: Option<String>,
    /// The place of the last row, for the page after; `None` on the last page.
    pub after: Option<String>,
    /// The customer's last received payment, for "All paid.".
    pub last_payment: Option<(Money, Date)>,
    /// Today, in the merchant's zone.
    pub today: Date,
}

/// The tabs, which are links: `?tab=to-pay|in-progress|paid|all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Something is left to pay now.
    ToPay,
    /// Nothing is left to pay now, something is in flight.
    InProgress,
    /// Paid in full.
    Paid,
    /// Every invoice.
    All,
}

/// The orders: `?sort=due|number|left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Due date, the earliest first.
    Due,
    /// Number, the highest first.
    Number,
    /// What is left, the largest first.
    Left,
}

/// One invoice.
#[derive(Debug, Clone)]
pub struct ListRow {
    /// Its id, as in its address.
    pub id: String,
    /// Its number.
    pub number: String,
    /// What it is for: its first line, cut to 60 characters.
    pub what_for: String,
    /// What it says about money.
    pub figures: Figures,
    /// Its status facts.
    pub status: Status,
    /// True when it can be paid now.
    pub payable: bool,
}

impl Tab {
    /// Its value in the address.
    pub fn value(self) -> &'static str {
        match self {
            Tab::ToPay => "to-pay",
            Tab::InProgress => "in-progress",
            Tab::Paid => "paid",
            Tab::All => "all",
        }
    }
}

impl Sort {
    /// Its value in the address.
    pub fn value(self) -> &'static str {
        match self {
            Sort::Due => "due",
            Sort::Number => "number",
            Sort::Left => "left",
        }
    }
}

impl ListPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let tab = Arg::text(self.tab_words(self.tab));
        self.chrome.words("list-title", &[("tab", tab)])
    }

    /// The tabs: (address, words, whether it is this one).
    pub fn tabs(&self) -> Vec<(String, String, bool)> {
        let tab = |tab: Tab| {
            let url = format!("{}/invoices?tab={}", self.chrome.base(), tab.value());
            (url, self.tab_words(tab), tab == self.tab)
        };
        [Tab::ToPay, Tab::InProgress, Tab::Paid, Tab::All].map(tab).into()
    }

    fn tab_words(&self, tab: Tab) -> String {
        let counted = |key, count: u32| self.chrome.words(key, &[("count", Arg::Number(count.into()))]);
        match tab {
            Tab::ToPay => counted("tab-to-pay", self.to_pay),
            Tab::InProgress => counted("tab-in-progress", self.in_progress),
            Tab::Paid => self.chrome.t("tab-paid"),
            Tab::All => self.chrome.t("tab-all"),
        }
    }

    /// `$400.00 of it is overdue.`
    pub fn overdue_words(&self) -> Option<Rich> {
        let overdue = joined(&self.chrome, &self.overdue);
        (!overdue.is_empty()).then(|| self.chrome.say("list-overdue", &[("amount", Arg::text(overdue))]))
    }

    /// `Left to pay to Northwind IT`.
    pub fn heading(&self) -> Rich {
        let key = if self.left.is_empty() { "list-heading-none" } else { "list-heading" };
        self.chrome.say_merchant(key)
    }

    /// The caption: `Invoices to pay, 3, sorted by due date`.
    pub fn caption(&self) -> String {
        let key = match self.tab {
            Tab::ToPay => "caption-to-pay",
            Tab::InProgress => "caption-in-progress",
            Tab::Paid => "caption-paid",
            Tab::All => "caption-all",
        };
        let sorted = Arg::text(self.chrome.t(self.sort_key(self.sort)));
        self.chrome.words(key, &[("count", Arg::Number(self.found.into())), ("sort", sorted)])
    }

    fn sort_key(&self, sort: Sort) -> &'static str {
        match sort {
            Sort::Due => "sort-due",
            Sort::Number => "sort-number",
            Sort::Left => "sort-left",
        }
    }

    /// The orders to choose from: (value, words, whether it is this one).
    pub fn sorts(&self) -> Vec<(&'static str, String, bool)> {
        let option = |sort: Sort| (sort.value(), self.chrome.t(self.sort_key(sort)), sort == self.sort);
        [Sort::Due, Sort::Number, Sort::Left].map(option).into()
    }

    /// True when the rows are in this order, for `aria-sort`.
    pub fn sorted_by(&self, value: &str) -> bool {
        self.sort.value() == value
    }

    /// The same tab and search in another order, from its start.
    pub fn sort_url(&self, value: &str) -> String {
        let search = utf8_percent_encode(&self.search, NON_ALPHANUMERIC);
        format!("{}/invoices?tab={}&sort={value}&q={search}", self.chrome.base(), self.tab.value())
    }

    /// The very rows of this page, as they stand by then, for the script that brings them up to date.
    pub fn refresh_url(&self) -> String {
        let ids: Vec<&str> = self.rows.iter().map(|row| row.id.as_str()).collect();
        format!("{}/invoices?tab={}&of={}", self.chrome.base(), self.tab.value(), ids.join(","))
    }

    /// `INV-1042 is now paid`, for a row that turns out to be.
    pub fn paid_words(&self, row: &ListRow) -> Option<String> {
        let number = Arg::name(&row.number);
        let is_paid = row.status.progress == Progress::Paid;
        is_paid.then(|| self.chrome.words("row-now-paid", &[("number", number)]))
    }

    /// What is said when there is no row.
    pub fn empty_words(&self) -> Rich {
        let chrome = &self.chrome;
        if !self.search.is_empty() {
            return chrome.say("list-no-match", &[("search", Arg::name(&self.search))]);
        }
        if self.all == 0 {
            return chrome.say_merchant("list-nothing-yet");
        }
        match (self.tab, self.last_payment) {
            (Tab::ToPay, _) if self.in_progress > 0 => chrome.say("list-all-in-progress", &[]),
            (Tab::ToPay | Tab::All, Some((amount, on))) => {
                let on = Arg::text(near_date(chrome, on, self.today));
                chrome.say("list-all-paid", &[("amount", chrome.amount(amount)), ("on", on)])
            }
            (Tab::ToPay | Tab::All, None) => chrome.say("list-nothing-left", &[]),
            (Tab::InProgress, _) => chrome.say("list-none-in-progress", &[]),
            (Tab::Paid, _) => chrome.say("list-none-paid", &[]),
        }
    }

    /// The same list without the search.
    pub fn clear_url(&self) -> String {
        format!("{}/invoices?tab={}", self.chrome.base(), self.tab.value())
    }

    /// Status words of a row.
    pub fn pills(&self, row: &ListRow) -> Vec<Pill> {
        row.status.pills()
    }

    /// The due date, with the year where it is another one.
    pub fn due(&self, row: &ListRow) -> String {
        near_date(&self.chrome, row.status.due, self.today)
    }

    /// `Pay`, heard as `Pay INV-1042`.
    pub fn pay_name(&self, row: &ListRow) -> Rich {
        self.chrome.say("pay-invoice", &[("number", Arg::name(&row.number))])
    }
}
