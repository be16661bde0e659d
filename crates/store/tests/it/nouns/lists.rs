//! A customer's invoice list: every order, both directions, every tab, and counts that agree with the rows.

use crate::books::{self, M, at, customer, id};
use anyhow::Result;
use billing::ids::*;
use billing::invoice::{Figures, Lifecycle};
use jiff::civil::date;
use ledger::{Currency, Money};
use std::cmp::Reverse;
use store::both_engines;
use store::db::{Store, Tx};
use store::invoices::{
    self, Cursor, Invoice, InvoiceLine, Listed, Place, Search, Shift, Sort, Tab, TabCounts,
};
use store::testing::TestDatabase;

const SORTS: [Sort; 3] = [Sort::Due, Sort::Number, Sort::Left];
const TABS: [Tab; 4] = [Tab::ToPay, Tab::InProgress, Tab::Paid, Tab::All];
/// Rows that were made: some of each tab, a void one, a draft.
const MADE: i64 = 60;

fn invoice(n: i64) -> Invoice {
    let currency = if n % 5 == 0 { Currency::JPY } else { Currency::USD };
    let total_minor = 100 + 50 * (n % 7);
    Invoice {
        merchant: M,
        id: id!(InvoiceId, n),
        number: format!("INV-{}", 995 + n),
        customer_id: customer(),
        lifecycle: Lifecycle::Draft,
        figures: Figures { currency, total_minor, open_minor: 0, pending_minor: 0, paid_minor: 0 },
        tax_minor: 0,
        issued_on: date(2026, 1, 1),
        due_on: date(2026, 2, i8::try_from(1 + n % 9).expect("a day")),
        purchase_order: (n % 4 == 0).then(|| format!("Ä_{n}%")),
        memo: None,
        content_hash: [7; 32],
        created_at: at(n),
        issued_at: None,
        ended_at: None,
    }
}

/// Two lines each, so that a join which multiplied rows would show.
async fn insert(tx: &mut Tx, n: i64) -> Result<()> {
    let (new, total) = (invoice(n), invoice(n).figures.total_minor);
    let line = |description: String, net_minor| InvoiceLine {
        description,
        quantity: "1".into(),
        unit_amount_minor: net_minor,
        tax_rate: None,
        net_minor,
        tax_minor: 0,
    };
    let lines = [line(format!("Work {n}"), total - 10), line("Travel".into(), 10)];
    assert!(invoices::insert(tx, &new, &lines).await?);
    if n == MADE {
        return Ok(());
    }
    assert!(invoices::issue(tx, M, new.id, at(n)).await?);
    let shift = match n % 6 {
        0 => Shift { open_minor: -total, pending_minor: 0, paid_minor: total },
        1 => Shift { open_minor: 0, pending_minor: total, paid_minor: 0 },
        2 => Shift { open_minor: -30, pending_minor: 20, paid_minor: 30 },
        _ => return Ok(()),
    };
    if n == 6 {
        assert!(invoices::void(tx, M, new.id, at(n)).await?);
        return Ok(());
    }
    invoices::shift(tx, M, new.id, shift, at(n)).await
}

async fn filled(db: &TestDatabase) -> Store {
    let store = db.open().await;
    let steps = async move |tx: &mut Tx| {
        books::merchant(tx, M).await?;
        books::people(tx).await?;
        books::customer_named(tx, 900, "Initech").await?;
        for n in 1..=MADE {
            insert(tx, n).await?;
        }
        let stranger = Invoice { customer_id: id!(CustomerId, 900), number: "INV-1".into(), ..invoice(901) };
        assert!(invoices::insert(tx, &stranger, &[]).await?);
        assert!(invoices::issue(tx, M, stranger.id, at(901)).await?);
        Ok(())
    };
    store.write(steps).await.expect("the list is made");
    store
}

fn of() -> (MerchantId, CustomerId) {
    (M, customer())
}

/// Everything under a tab, put into order here.
async fn expected(tx: &mut Tx, tab: Tab, sort: Sort) -> Result<Vec<InvoiceId>> {
    let mut all = Vec::new();
    for n in 1..MADE {
        let one = invoices::find(tx, M, id!(InvoiceId, n)).await?.expect("it was made");
        let Figures { open_minor: open, pending_minor: pending, .. } = one.figures;
        let belongs = match tab {
            Tab::ToPay => open > pending,
            Tab::InProgress => open > 0 && open == pending,
            Tab::Paid => open == 0 && one.lifecycle != Lifecycle::Void,
            Tab::All => true,
        };
        all.extend(belongs.then_some(one));
    }
    match sort {
        Sort::Due => all.sort_by_key(|one| (one.due_on, one.id)),
        Sort::Number => all.sort_by_key(|one| Reverse((one.number.len(), one.number.clone()))),
        Sort::Left => all.sort_by_key(|one| (Reverse(one.figures.payable_now().minor()), one.id)),
    }
    Ok(all.into_iter().map(|one| one.id).collect())
}

both_engines!(every_order_is_walked_both_ways_without_gap_or_repeat, async |db: TestDatabase| {
    let store = filled(&db).await;
    let steps = async move |tx: &mut Tx| {
        let everything = Search::default();
        for (tab, sort) in TABS.into_iter().flat_map(|tab| SORTS.map(|sort| (tab, sort))) {
            let expected = expected(tx, tab, sort).await?;
            assert!(!expected.is_empty(), "{tab:?}");
            let (mut seen, mut place, mut pages) = (Vec::new(), Place::First(sort), Vec::new());
            loop {
                let rows = invoices::page(tx, of(), tab, &everything, &place, 7).await?;
                let Some(last) = rows.last() else { break };
                place = Place::After(Cursor::of(sort, &last.invoice));
                seen.extend(rows.iter().map(|row| row.invoice.id));
                pages.push(rows);
            }
            assert_eq!(seen, expected, "{tab:?} {sort:?}");
            for pair in pages.windows(2) {
                let before = Place::Before(Cursor::of(sort, &pair[1][0].invoice));
                let back = invoices::page(tx, of(), tab, &everything, &before, 7).await?;
                assert_eq!(back, pair[0], "{tab:?} {sort:?} backwards");
            }
        }
        Ok(())
    };
    store.read(steps).await.expect("the list is read");
    store.close().await.expect("closed");
});

async fn found(tx: &mut Tx, tab: Tab, text: &str, amounts: &[Money]) -> Result<Vec<String>> {
    let search = Search::new(text, amounts);
    let rows: Vec<Listed> = invoices::page(tx, of(), tab, &search, &Place::First(Sort::Due), 99).await?;
    let counts = invoices::count_tabs(tx, of(), &search).await?;
    assert_eq!(counts.of(tab), i64::try_from(rows.len())?, "{text} {tab:?}");
    let mut numbers: Vec<_> = rows.into_iter().map(|row| row.invoice.number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

both_engines!(a_search_reads_numbers_orders_and_amounts, async |db: TestDatabase| {
    let store = filled(&db).await;
    let steps = async move |tx: &mut Tx| {
        assert_eq!(found(tx, Tab::All, "inv-1003", &[]).await?, ["INV-1003"], "small letters do");
        assert_eq!(found(tx, Tab::All, "Ä_8%", &[]).await?, ["INV-1003"], "an order number");
        assert_eq!(found(tx, Tab::All, "_", &[]).await?.len(), 14, "no wildcard of the database");
        assert_eq!(found(tx, Tab::All, "%3", &[]).await?, [""; 0]);
        assert_eq!(found(tx, Tab::All, "!", &[]).await?, [""; 0]);
        assert_eq!(found(tx, Tab::All, "INV-1055", &[]).await?, [""; 0], "a draft");
        assert_eq!(found(tx, Tab::All, "INV-1", &[]).await?.len(), 55, "nobody else's");
        let dollars = [Money::new(100, Currency::USD)];
        let numbers = found(tx, Tab::All, "?", &dollars).await?;
        assert!(numbers.contains(&"INV-1002".to_owned()), "its total: {numbers:?}");
        assert!(!numbers.contains(&"INV-1030".to_owned()), "that is yen: {numbers:?}");
        assert_eq!(found(tx, Tab::All, "?", &[Money::new(10, Currency::USD)]).await?, [""; 0], "not a part");
        let left = found(tx, Tab::ToPay, "?", &[Money::new(150, Currency::USD)]).await?;
        assert!(left.contains(&"INV-997".to_owned()), "what is left of it: {left:?}");
        assert_eq!(invoices::currencies(tx, M, customer()).await?, [Currency::JPY, Currency::USD]);
        Ok(())
    };
    store.read(steps).await.expect("the list is searched");
    store.close().await.expect("closed");
});

both_engines!(tabs_are_counted_and_owed_is_summed_by_currency, async |db: TestDatabase| {
    let store = filled(&db).await;
    let steps = async move |tx: &mut Tx| {
        let counts = invoices::count_tabs(tx, of(), &Search::default()).await?;
        assert_eq!(counts, TabCounts { to_pay: 40, in_progress: 10, paid: 8, all: 59 });
        let (mut left, mut late) = ([0, 0], [0, 0]);
        for n in 1..MADE {
            let one = invoices::find(tx, M, id!(InvoiceId, n)).await?.expect("it was made");
            let payable = one.figures.payable_now().minor();
            let which = usize::from(one.figures.currency == Currency::USD);
            left[which] += payable;
            late[which] += if one.due_on < date(2026, 2, 5) { payable } else { 0 };
        }
        let owed = invoices::owed(tx, M, customer(), date(2026, 2, 5)).await?;
        let sums: Vec<_> =
            owed.iter().map(|row| (row.currency, row.payable_minor, row.overdue_minor)).collect();
        assert_eq!(sums, [(Currency::JPY, left[0], late[0]), (Currency::USD, left[1], late[1])]);
        assert_eq!(owed.iter().map(|row| row.invoices).sum::<i64>(), counts.to_pay);
        let (first, all) = (Place::First(Sort::Number), Search::default());
        let rows = invoices::page(tx, of(), Tab::All, &all, &first, 1).await?;
        assert_eq!(rows[0].first_line.as_deref(), Some("Work 59"));
        Ok(())
    };
    store.read(steps).await.expect("the list is counted");
    store.close().await.expect("closed");
});
