//! S5: the invoices of the company somebody is signed in for.

use crate::pages::list::{ListPage, ListRow, Sort, Tab};
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::portal::load::{figures, status};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use billing::amount::{Typed, parse_text};
use billing::ids::InvoiceId;
use ledger::Money;
use serde::Deserialize;
use store::db::Tx;
use store::invoices::{self, Cursor, Invoice, Owed, TabCounts};
use store::payments::{self, Payment};

/// Rows of one page in the order of the due date.
const PAGE: i64 = 25;
/// Rows that are put into another order; such a list has one page.
const SORTED: i64 = 200;

/// The list's address.
#[derive(Deserialize)]
pub struct Wish {
    tab: Option<String>,
    #[serde(default)]
    q: String,
    sort: Option<String>,
    after: Option<String>,
}

struct Found {
    rows: Vec<(Invoice, String)>,
    counts: TabCounts,
    owed: Vec<Owed>,
    last: Option<Payment>,
}

/// `GET /invoices`.
pub async fn show(ctx: Ctx, Query(wish): Query<Wish>) -> Result<Response, Fail> {
    if ctx.contact.is_none() {
        let proved = ctx.session.as_ref().is_some_and(|session| session.email_key.is_some());
        return Ok(ctx.go(if proved { "/companies" } else { "/sign-in" }));
    }
    let tabs = [Tab::ToPay, Tab::InProgress, Tab::Paid, Tab::All];
    let tab = tabs.into_iter().find(|tab| Some(tab.value()) == wish.tab.as_deref()).unwrap_or(Tab::ToPay);
    let sorts = [Sort::Due, Sort::Number, Sort::Left];
    let sort = sorts.into_iter().find(|sort| Some(sort.value()) == wish.sort.as_deref()).unwrap_or(Sort::Due);
    let search: String = wish.q.trim().chars().take(100).collect();
    let limit = if sort == Sort::Due { PAGE + 1 } else { SORTED };
    let after = wish.after.as_deref().and_then(cursor).filter(|_| sort == Sort::Due);
    let mut found = find(&ctx, tab, &search, after, limit).await?;
    let mut next = None;
    if sort == Sort::Due && found.rows.len() > 25 {
        found.rows.truncate(25);
        next = found.rows.last().map(|(invoice, _)| format!("after={}_{}", invoice.due_on, invoice.id));
    }
    match sort {
        Sort::Due => {}
        Sort::Number => found.rows.sort_by(|(a, _), (b, _)| b.number.cmp(&a.number)),
        Sort::Left => {
            let left = |row: &(Invoice, String)| std::cmp::Reverse(row.0.figures.payable_now().minor());
            found.rows.sort_by_key(left);
        }
    }
    let page = page(&ctx, found, (tab, sort, search), next);
    ctx.page(StatusCode::OK, &page)
}

/// `2026-11-30_inv_…`.
fn cursor(text: &str) -> Option<Cursor> {
    let (date, id) = text.split_once('_')?;
    Some(Cursor { due_on: date.parse().ok()?, id: id.parse::<InvoiceId>().ok()? })
}

async fn find(ctx: &Ctx, tab: Tab, search: &str, after: Option<Cursor>, limit: i64) -> Result<Found, Fail> {
    let customer = ctx.contact.as_ref().map(|contact| contact.customer_id).ok_or(Fail::NotFound)?;
    let (merchant, currency, today) = (ctx.merchant.id, ctx.merchant.currency, ctx.today());
    let amount = match parse_text(search, currency, ctx.marks()) {
        Ok(Typed::Minor(minor)) => Some(minor),
        _ => None,
    };
    let (search, tab) = (search.to_owned(), stored(tab));
    let found = ctx
        .app
        .store
        .read(async move |tx: &mut Tx| {
            let of = (merchant, customer);
            let list = invoices::page(tx, of, tab, (&search, amount), after.as_ref(), limit).await?;
            let mut rows = Vec::with_capacity(list.len());
            for invoice in list {
                let lines = invoices::lines(tx, merchant, invoice.id).await?;
                let first = lines.into_iter().next().map(|line| line.description).unwrap_or_default();
                rows.push((invoice, first.chars().take(60).collect()));
            }
            Ok(Found {
                rows,
                counts: invoices::count_tabs(tx, merchant, customer).await?,
                owed: invoices::owed(tx, merchant, customer, today).await?,
                last: payments::last_paid(tx, merchant, customer, currency).await?,
            })
        })
        .await?;
    Ok(found)
}

fn stored(tab: Tab) -> invoices::Tab {
    match tab {
        Tab::ToPay => invoices::Tab::ToPay,
        Tab::InProgress => invoices::Tab::InProgress,
        Tab::Paid => invoices::Tab::Paid,
        Tab::All => invoices::Tab::All,
    }
}

fn page(ctx: &Ctx, found: Found, (tab, sort, search): (Tab, Sort, String), next: Option<String>) -> ListPage {
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    let shown = count(i64::try_from(found.rows.len()).unwrap_or(i64::MAX));
    let counted = match tab {
        Tab::ToPay => count(found.counts.to_pay),
        Tab::InProgress => count(found.counts.in_progress),
        Tab::All => count(found.counts.all),
        Tab::Paid => shown,
    };
    let amounts = |part: fn(&Owed) -> i64| -> Vec<Money> {
        let owed = found.owed.iter().map(|row| Money::new(part(row), row.currency));
        owed.filter(|money| money.is_positive()).collect()
    };
    let row = |(invoice, what_for): &(Invoice, String)| ListRow {
        id: invoice.id.to_string(),
        number: invoice.number.clone(),
        what_for: what_for.clone(),
        figures: figures(invoice),
        status: status(ctx, invoice),
        payable: invoice.figures.payable_now().is_positive(),
    };
    ListPage {
        chrome: ctx.chrome(),
        tab,
        to_pay: count(found.counts.to_pay),
        in_progress: count(found.counts.in_progress),
        left: amounts(|row| row.payable_minor),
        overdue: amounts(|row| row.overdue_minor),
        found: if search.is_empty() { counted } else { shown },
        search,
        sort,
        rows: found.rows.iter().map(row).collect(),
        next,
        last_payment: found.last.as_ref().map(|paid| {
            let on = ctx.day(paid.captured_at.unwrap_or(paid.created_at));
            (Money::new(paid.amount_minor, paid.currency), on)
        }),
        today: ctx.today(),
    }
}
