//! S19: every error says first whether money moved, then what to do.

use super::{New, Tells as _, attribute, filled, open_by_link, payment_path, press, start, texts};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use futures::FutureExt as _;
use jiff::SignedDuration;
use paydown::processors::STRIPE;
use std::sync::{Mutex, mpsc};
use store::db::{Engine, Tx};
use store::processor_accounts;

fn heading(page: &Page) -> String {
    texts(page, "h1").concat()
}

on_both_engines!(what_is_not_there_is_one_and_the_same_page, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    for address in ["/p/northwind/nothing/here", "/p/northwind/invoices/inv_0", "/p/northwind/payments/pay_0"]
    {
        let page = browser.get(address).await;
        assert_eq!((page.status, heading(&page).as_str()), (404, "We cannot find that page"), "{address}");
        assert!(attribute(&page, "h1[autofocus]", "tabindex").is_some());
    }
    let wrong = browser.send("DELETE", &path, &[], Vec::new()).await;
    assert_eq!((wrong.status, heading(&wrong).as_str()), (405, "This address does something else"));
    wrong.tells("Nothing was taken.");
});

on_both_engines!(an_address_that_cannot_be_read_is_a_page_too, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let page = browser.get(&format!("{path}?amount=1&amount=2")).await;
    assert_eq!((page.status, heading(&page).as_str()), (400, "We cannot read what was sent"));
    page.tells("Nothing was taken.");
});

on_both_engines!(what_is_sent_in_no_form_or_too_large_is_named, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let json = [("content-type", "application/json")];
    let pay = format!("{path}/pay");
    let large = browser.send("POST", &pay, &form, vec![b'a'; 70_000]).await;
    assert_eq!(large.status, 413);
    large.tells("Nothing was taken. Send less than 64 KB.");
    let other = browser.send("POST", &pay, &json, b"{}".to_vec()).await;
    assert_eq!(other.status, 415);
    other.tells("Nothing was taken. Go back and use the form on the page.");
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(an_invoice_left_alone_asks_for_its_link_again, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 50_000).await;
    app.settle_after(SignedDuration::from_mins(31)).await;
    for address in [path.clone(), format!("{path}/pay"), payment_path(payment)] {
        let page = browser.get(&address).await;
        assert_eq!((page.status, heading(&page).as_str()), (403, "Open the link in your e-mail again"));
        page.tells("For your safety this page closes after 30 minutes without use. Nothing was taken.");
    }
});

on_both_engines!(invoices_and_receipts_are_read_while_nothing_can_be_written, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let paid = start(&mut browser, &path, 50_000).await;
    app.card(paid, VISA).await;
    app.settle().await;
    let form = filled(&browser.get(&format!("{path}/pay?amount=30000")).await);
    app.advance(SignedDuration::from_mins(2));
    app.app.store.stop_writing("the disk is full");
    if app.app.store.engine() == Engine::Sqlite {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200);
        page.tells("Left to pay $750.00");
        page.tells("No payment can be made right now.");
        assert_eq!(texts(&page, ".pay, .pencil"), [""; 0]);
        let receipt = browser.get(&format!("{}/receipt", payment_path(paid))).await;
        assert_eq!(heading(&receipt), "Paid to Northwind");
        for page in [browser.get(&format!("{path}/pay")).await, press(&mut browser, &path, &form).await] {
            assert_eq!((page.status, heading(&page).as_str()), (503, "Payments are not available right now"));
            page.tells(
                "Nothing was taken. You can still see invoices and receipts. Try again in a few minutes.",
            );
            assert_eq!(page.headers["retry-after"], "300");
        }
        app.restart().await;
    }
    assert_eq!(app.figures(invoice).await, (75_000, 0, 50_000));
});

on_both_engines!(a_queue_that_is_full_gives_a_clock_and_takes_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = filled(&browser.get(&format!("{path}/pay?amount=50000")).await);
    app.advance(SignedDuration::from_mins(2));
    let store = app.app.store.clone();
    if store.engine() == Engine::Sqlite {
        let (open_gate, gate) = mpsc::channel::<()>();
        let (held, is_held) = tokio::sync::oneshot::channel();
        let (held, gate) = (Mutex::new(Some(held)), Mutex::new(gate));
        let holder = store.clone();
        let holding = tokio::spawn(async move {
            let hold = async move |_: &mut Tx| {
                if let Some(held) = held.lock().expect("unpoisoned").take() {
                    held.send(()).expect("the test waits for it");
                }
                assert!(gate.lock().expect("unpoisoned").recv().is_err(), "dropped, it opens");
                Ok(())
            };
            holder.write(hold).await
        });
        is_held.await.expect("the writer is held");
        let mut waiting: Vec<_> =
            (0..1_024).map(|_| Box::pin(store.write(async |_: &mut Tx| Ok(())))).collect();
        assert!(waiting.iter_mut().all(|write| write.now_or_never().is_none()), "each takes a place");
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "reading waits for nobody");
        let page = press(&mut browser, &path, &form).await;
        assert_eq!((page.status, heading(&page).as_str()), (503, "Payments are not available right now"));
        page.tells(
            "Nothing was taken. You can still see invoices and receipts. Payments are back at about 04:03",
        );
        assert_eq!(page.headers["retry-after"], "60");
        drop(open_gate);
        holding.await.expect("it ends").expect("it writes");
        futures::future::try_join_all(waiting).await.expect("what was taken is done");
    }
    assert!(press(&mut browser, &path, &form).await.left_for.is_some(), "a minute later it goes through");
    assert_eq!(app.figures(invoice).await, (125_000, 50_000, 0));
});

on_both_engines!(our_own_mistake_names_the_invoice_to_look_at, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 50_000).await;
    let key = swap_key(app, vec![1, 2, 3]).await;
    for address in [format!("{path}/pay"), payment_path(payment)] {
        let page = browser.get(&address).await;
        assert_eq!((page.status, heading(&page).as_str()), (500, "Something went wrong at our end"));
        page.tells("If you were paying, do not pay again until you have checked INV-1042.");
        assert_eq!(texts(&page, ".row a"), ["Check the invoice"]);
        assert_eq!(attribute(&page, ".row a", "href").as_deref(), Some(path.as_str()));
        let id = page.headers["x-request-id"].to_str().expect("text").to_owned();
        page.tells(&format!("Reference {}. Quote it when you write to us.", &id[..4]));
    }
    let mut stranger = Browser::another(&browser.origin);
    let page = stranger.get(&format!("{path}/pay")).await;
    assert!(!page.told().contains("INV-1042"), "who may not see it learns nothing");
    swap_key(app, key).await;
    assert_eq!(browser.get(&payment_path(payment)).await.status, 200);
});

/// Puts another sealed key in the place of the processor's; answers the one that was there. A key that does not open is
/// nothing anybody meant to happen.
async fn swap_key(app: &TestApp, sealed: Vec<u8>) -> Vec<u8> {
    let merchant = app.merchant;
    let swapped = app.app.store.write(async move |tx: &mut Tx| {
        let mut account = processor_accounts::find(tx, merchant, STRIPE).await?.expect("it is connected");
        let before = std::mem::replace(&mut account.secret_key, sealed.clone());
        processor_accounts::upsert(tx, &account).await?;
        Ok(before)
    });
    swapped.await.expect("the account is written")
}
