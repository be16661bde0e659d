//! W2: the pages of a payer who is signed in: the first page of the list, and an invoice. Beside the bare server's page, beside
//! a database of a thousand invoices, and for a customer who has very many. It only reads.

use crate::bench::{Bench, in_turn};
use crate::http::{Connection, get};
use crate::load::{Driven, now};
use crate::program::{Place, SLUG, Server};
use crate::report::{Better, Goal, conditions, figures, say};
use crate::seed::{BIG, contact};
use crate::sign_in::{between, sign_in};
use anyhow::{Context as _, Result, ensure};
use ceilings::{INVOICES_PER_CUSTOMER, ROWS_PER_PAGE};
use hyper::StatusCode;
use std::cell::Cell;
use std::time::Duration;

const CLIENTS: usize = 8;
/// The database that lists are compared with, invoices.
const SMALL: i64 = 1_000;
/// Customers who sign in: codes are only given so often, and one list is like another.
const PAYERS: i64 = 8;
/// Which page of a long list is asked for as well, where there are so many and the way there is not too long.
const FAR: usize = 1_000;
const LONGEST_WAY: Duration = Duration::from_secs(60);

/// A server and the payers who are signed in there.
struct Portal {
    server: Server,
    place: Place,
    cookies: Vec<String>,
}

impl Portal {
    async fn open(place: Place) -> Result<Portal> {
        let server = place.serve().await?;
        server.idle().await?;
        let mails = place.data.join("mail");
        let mut cookies = Vec::new();
        for number in 0..PAYERS {
            cookies.push(sign_in(&server, &mails, &contact(number)).await?);
        }
        Ok(Portal { server, place, cookies })
    }

    /// Asks for the lists of those who are signed in, in turn.
    async fn lists(&self, bench: &Bench, clients: usize) -> Result<Driven> {
        let (path, turn) = (format!("/p/{SLUG}/invoices"), Cell::new(0));
        self.server
            .drive((clients, bench.lasting), StatusCode::OK, || {
                turn.set((turn.get() + 1) % self.cookies.len());
                get(&path, &[("cookie", &self.cookies[turn.get()])])
            })
            .await
    }

    async fn pages(&self, bench: &Bench, clients: usize, path: &str, cookie: &str) -> Result<Driven> {
        let next = || get(path, &[("cookie", cookie)]);
        self.server.drive((clients, bench.lasting), StatusCode::OK, next).await
    }
}

/// Runs it on SQLite.
pub async fn run(bench: &Bench) -> Result<Vec<Goal>> {
    let portal = Portal::open(bench.seeds.copy_paydown(bench.invoices, &bench.fresh("w2")?).await?).await?;
    let small = Portal::open(bench.seeds.copy_paydown(SMALL, &bench.fresh("w2-small")?).await?).await?;
    let big = sign_in(&portal.server, &portal.place.data.join("mail"), BIG).await?;
    let (bare, _) = bench.bare(true).await?;
    let list = format!("/p/{SLUG}/invoices");
    let invoice = first_invoice(&portal.server, &list, &portal.cookies[0]).await?;
    let (far, far_number) = far_page(&portal.server, &list, &big).await?;
    let mut goals = [
        Goal::new("W2-a", Better::Higher, 0.20, 0.40),
        Goal::new("W2-c p50", Better::Lower, 1.2, 1.1),
        Goal::new("W2-c p99", Better::Lower, 1.5, 1.2),
        Goal::new("W2-d first page", Better::Lower, 1.3, 1.1),
        Goal::new("W2-d far page", Better::Lower, 1.3, 1.1),
    ];
    for number in 1..=bench.rounds {
        conditions("W2 on SQLite", number, &bench.folder)?;
        let (ours, theirs) = in_turn(number, portal.lists(bench, CLIENTS), bare_lists(bench, &bare)).await?;
        let (ours, theirs) = (told("list, 8 clients", ours), told("A2's bare list, 8 clients", theirs));
        told("invoice page, 8 clients", portal.pages(bench, CLIENTS, &invoice, &portal.cookies[0]).await?);
        let (alone, of_small) = in_turn(number, portal.lists(bench, 1), small.lists(bench, 1)).await?;
        let alone = told("list, 1 client", alone);
        let of_small = told("list, 1 client, 1,000 invoices in all", of_small);
        let of_big = told("list of the big customer, 1 client", portal.pages(bench, 1, &list, &big).await?);
        let what = format!("its page {far_number}, 1 client");
        let of_far = told(&what, portal.pages(bench, 1, &far, &big).await?);
        let ratios = [
            ours.rate() / theirs.rate(),
            alone.millis(500) / of_small.millis(500),
            alone.millis(990) / of_small.millis(990),
            of_big.millis(500) / alone.millis(500),
            of_far.millis(500) / alone.millis(500),
        ];
        goals.iter_mut().zip(ratios).for_each(|(goal, ratio)| goal.add(ratio));
    }
    say(&format!("  memory after the lists: {:.0} MB", portal.server.megabytes()?));
    portal.server.stop()?;
    small.server.stop()?;
    portal.place.verify()?.say();
    bench.discard(&portal.place.data)?;
    bench.discard(&small.place.data)?;
    Ok(goals.into())
}

fn told(what: &str, driven: Driven) -> Driven {
    figures(what, &driven);
    driven
}

async fn bare_lists(bench: &Bench, bare: &Server) -> Result<Driven> {
    let turn = Cell::new(0);
    bare.drive((CLIENTS, bench.lasting), StatusCode::OK, || {
        turn.set((turn.get() + 1) % (bench.invoices / INVOICES_PER_CUSTOMER).min(PAYERS));
        get(&format!("/customers/{}", turn.get() + 1), &[])
    })
    .await
}

async fn page(connection: &mut Connection, path: &str, cookie: &str) -> Result<String> {
    let answer = connection.send(get(path, &[("cookie", cookie)])?).await?;
    ensure!(answer.status == 200, "{path} answered {}", answer.status);
    Ok(answer.text())
}

/// The address of the first invoice of the list, which has all its rows.
async fn first_invoice(server: &Server, list: &str, cookie: &str) -> Result<String> {
    let html = page(&mut Connection::open(server.address).await?, list, cookie).await?;
    let rows = html.matches("<tr role=\"row\" data-fresh").count();
    ensure!(i64::try_from(rows)? == ROWS_PER_PAGE, "the list has {rows} rows, not {ROWS_PER_PAGE}");
    let id = between(&html, "data-fresh=\"inv_", "\"").context("a row names its invoice")?;
    Ok(format!("/p/{SLUG}/invoices/inv_{id}"))
}

/// The address of the thousandth page, or of the last one that can be reached and has all its rows, and its number.
async fn far_page(server: &Server, list: &str, cookie: &str) -> Result<(String, usize)> {
    let mut connection = Connection::open(server.address).await?;
    let (mut path, mut before, mut number) = (list.to_owned(), list.to_owned(), 1);
    let began_at = now();
    while number < FAR && began_at.elapsed() < LONGEST_WAY {
        let html = page(&mut connection, &path, cookie).await?;
        let Some(next) = between(&html, "<a rel=\"next\" href=\"", "\"") else {
            // The last page may have fewer rows.
            return Ok((before, number - 1));
        };
        before = std::mem::replace(&mut path, next.replace("&#38;", "&").replace("&amp;", "&"));
        number += 1;
    }
    Ok((path, number))
}
