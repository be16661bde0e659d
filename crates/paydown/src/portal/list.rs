//! S5: the invoices of the company somebody is signed in for. It sorts, counts and sums nothing: the store does.

use crate::pages::list::{ListPage, ListRow, Sort, Tab};
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::portal::load::{figures, status};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use billing::amount::{NumberMarks, Typed, parse_text};
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use billing::invoice::Lifecycle;
use jiff::civil::Date;
use ledger::{Currency, Money};
use serde::Deserialize;
use store::db::Tx;
use store::invoices::{self, Cursor, Invoice, Key, Listed, Owed, Place, Search, TabCounts};
use store::payments::{self, Payment};

/// Rows of one page.
const PAGE: usize = 25;
/// So much of a first line says what an invoice is for.
const WHAT_FOR: usize = 60;
/// Nobody searches for more.
const LONGEST_SEARCH: usize = 100;

/// The list's address.
#[derive(Deserialize)]
pub struct Wish {
    tab: Option<String>,
    #[serde(default)]
    q: String,
    sort: Option<String>,
    after: Option<String>,
    before: Option<String>,
    /// Ids with commas between: these rows and no others, as they stand now.
    of: Option<String>,
}

/// What is asked for, read from the address; what it does not say is the first page of what is to pay.
struct Asked {
    of: (MerchantId, CustomerId),
    tab: Tab,
    sort: Sort,
    search: String,
    place: Place,
    only: Vec<InvoiceId>,
    marks: NumberMarks,
    today: Date,
}

/// One page of the rows, and whether there are others.
struct Rows {
    rows: Vec<Listed>,
    previous: bool,
    next: bool,
}

struct Found {
    rows: Rows,
    counts: TabCounts,
    found: i64,
    owed: Vec<Owed>,
    last: Option<Payment>,
}

/// `GET /invoices`.
pub async fn show(ctx: Ctx, Query(wish): Query<Wish>) -> Result<Response, Fail> {
    let Some(contact) = &ctx.contact else {
        let proved = ctx.session.as_ref().is_some_and(|session| session.email_key.is_some());
        return Ok(ctx.go(if proved { "/companies" } else { "/sign-in" }));
    };
    let tabs = [Tab::ToPay, Tab::InProgress, Tab::Paid, Tab::All];
    let sorts = [Sort::Due, Sort::Number, Sort::Left];
    let sort = sorts.into_iter().find(|sort| Some(sort.value()) == wish.sort.as_deref()).unwrap_or(Sort::Due);
    let asked = Asked {
        of: (ctx.merchant.id, contact.customer_id),
        tab: tabs.into_iter().find(|tab| Some(tab.value()) == wish.tab.as_deref()).unwrap_or(Tab::ToPay),
        sort,
        search: wish.q.trim().chars().filter(|c| !c.is_control()).take(LONGEST_SEARCH).collect(),
        place: place(sort, &wish),
        only: only(wish.of.as_deref().unwrap_or_default()),
        marks: ctx.marks(),
        today: ctx.today(),
    };
    let (tab, search) = (asked.tab, asked.search.clone());
    let found = ctx.app.store.read(async move |tx: &mut Tx| find(tx, &asked).await).await?;
    let page = page(&ctx, &found, contact.customer_id, (tab, sort, search));
    ctx.page(StatusCode::OK, &page)
}

fn place(sort: Sort, wish: &Wish) -> Place {
    let read = |text: &Option<String>| text.as_deref().and_then(|text| cursor(sort, text));
    match (read(&wish.after), read(&wish.before)) {
        (Some(row), _) => Place::After(row),
        (None, Some(row)) => Place::Before(row),
        (None, None) => Place::First(stored_sort(sort)),
    }
}

fn only(ids: &str) -> Vec<InvoiceId> {
    ids.split(',').filter_map(|id| id.parse().ok()).take(PAGE).collect()
}

/// `2026-11-30~inv_…`, `INV-1042~inv_…`, `75000~inv_…`: what the row is ordered by, then the row.
fn cursor(sort: Sort, text: &str) -> Option<Cursor> {
    let (key, id) = text.rsplit_once('~').filter(|(key, _)| !key.contains(char::is_control))?;
    let key = match sort {
        Sort::Due => Key::Due(key.parse().ok()?),
        Sort::Number => Key::Number(key.to_owned()),
        Sort::Left => Key::Left(key.parse().ok()?),
    };
    Some(Cursor { key, id: id.parse::<InvoiceId>().ok()? })
}

fn cursor_text(sort: Sort, row: &Listed) -> String {
    let key = match Cursor::of(stored_sort(sort), &row.invoice).key {
        Key::Due(due_on) => due_on.to_string(),
        Key::Number(number) => number,
        Key::Left(minor) => minor.to_string(),
    };
    format!("{key}~{}", row.invoice.id)
}

async fn find(tx: &mut Tx, asked: &Asked) -> anyhow::Result<Found> {
    let (merchant, customer) = asked.of;
    let currencies = invoices::currencies(tx, merchant, customer).await?;
    let search = Search::new(&asked.search, &amounts(asked, &currencies));
    let tab = stored(asked.tab);
    let counts = invoices::count_tabs(tx, asked.of, &Search::default()).await?;
    let found = if asked.search.is_empty() {
        counts.of(tab)
    } else {
        invoices::count_tabs(tx, asked.of, &search).await?.of(tab)
    };
    Ok(Found {
        rows: if asked.only.is_empty() { rows(tx, asked, &search).await? } else { these(tx, asked).await? },
        counts,
        found,
        owed: invoices::owed(tx, merchant, customer, asked.today).await?,
        last: payments::last_paid(tx, merchant, customer).await?,
    })
}

/// The search read as an amount, in each currency the company was ever billed in.
fn amounts(asked: &Asked, currencies: &[Currency]) -> Vec<Money> {
    let read = |currency: &Currency| match parse_text(&asked.search, *currency, asked.marks) {
        Ok(Typed::Minor(minor)) => Some(Money::new(minor, *currency)),
        _ => None,
    };
    currencies.iter().filter_map(read).collect()
}

/// The page that was asked for, whole: who goes back far enough comes to the first, and so does who asks for what is no
/// longer there.
async fn rows(tx: &mut Tx, asked: &Asked, search: &Search) -> anyhow::Result<Rows> {
    let (tab, sort, limit) = (stored(asked.tab), stored_sort(asked.sort), i64::try_from(PAGE + 1)?);
    let mut place = asked.place.clone();
    let mut rows = invoices::page(tx, asked.of, tab, search, &place, limit).await?;
    let came_to_an_end = match place {
        Place::First(_) => false,
        Place::After(_) => rows.is_empty(),
        Place::Before(_) => rows.len() <= PAGE,
    };
    if came_to_an_end {
        place = Place::First(sort);
        rows = invoices::page(tx, asked.of, tab, search, &place, limit).await?;
    }
    let more = rows.len() > PAGE;
    let (previous, next) = match place {
        Place::First(_) => (false, more),
        Place::After(_) => (true, more),
        Place::Before(_) => (more, true),
    };
    match place {
        Place::Before(_) if more => drop(rows.remove(0)),
        _ => rows.truncate(PAGE),
    }
    Ok(Rows { rows, previous, next })
}

/// The rows that were asked for by their ids, in that order: what is not this company's is left out.
async fn these(tx: &mut Tx, asked: &Asked) -> anyhow::Result<Rows> {
    let (merchant, customer) = asked.of;
    let mut rows = Vec::new();
    for id in &asked.only {
        let found = invoices::find(tx, merchant, *id).await?;
        let is_theirs =
            |invoice: &Invoice| invoice.customer_id == customer && invoice.lifecycle != Lifecycle::Draft;
        if let Some(invoice) = found.filter(is_theirs) {
            let first_line = invoices::lines(tx, merchant, *id).await?.into_iter().next();
            rows.push(Listed { invoice, first_line: first_line.map(|line| line.description) });
        }
    }
    Ok(Rows { rows, previous: false, next: false })
}

fn stored(tab: Tab) -> invoices::Tab {
    match tab {
        Tab::ToPay => invoices::Tab::ToPay,
        Tab::InProgress => invoices::Tab::InProgress,
        Tab::Paid => invoices::Tab::Paid,
        Tab::All => invoices::Tab::All,
    }
}

fn stored_sort(sort: Sort) -> invoices::Sort {
    match sort {
        Sort::Due => invoices::Sort::Due,
        Sort::Number => invoices::Sort::Number,
        Sort::Left => invoices::Sort::Left,
    }
}

fn page(ctx: &Ctx, found: &Found, whose: CustomerId, (tab, sort, search): (Tab, Sort, String)) -> ListPage {
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    let amounts = |part: fn(&Owed) -> i64| -> Vec<Money> {
        let owed = found.owed.iter().map(|row| Money::new(part(row), row.currency));
        owed.filter(|money| money.is_positive()).collect()
    };
    let row = |Listed { invoice, first_line }: &Listed| ListRow {
        id: invoice.id.to_string(),
        number: invoice.number.clone(),
        what_for: first_line.as_deref().unwrap_or_default().chars().take(WHAT_FOR).collect(),
        figures: figures(invoice),
        status: status(ctx, invoice),
        payable: invoice.figures.payable_now().is_positive(),
    };
    let Rows { rows, previous, next } = &found.rows;
    let cursor =
        |row: Option<&Listed>, is_there: bool| row.filter(|_| is_there).map(|row| cursor_text(sort, row));
    ListPage {
        chrome: ctx.chrome(),
        whose: whose.to_string(),
        tab,
        to_pay: count(found.counts.to_pay),
        in_progress: count(found.counts.in_progress),
        all: count(found.counts.all),
        left: amounts(|row| row.payable_minor),
        overdue: amounts(|row| row.overdue_minor),
        found: count(found.found),
        search,
        sort,
        rows: rows.iter().map(row).collect(),
        before: cursor(rows.first(), *previous),
        after: cursor(rows.last(), *next),
        last_payment: found.last.as_ref().map(|paid| {
            let on = ctx.paid_on(paid);
            (Money::new(paid.amount_minor, paid.currency), on)
        }),
        today: ctx.today(),
    }
}
