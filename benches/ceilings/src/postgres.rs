//! A3: PostgreSQL, one payment as one function of the database, so that it costs one round trip. Whoever calls it keeps a
//! connection of its own.

use crate::{INVOICES_PER_CUSTOMER, Outcome, Pay, TOTAL_MINOR};
use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls, Statement};

const TABLES: &str = "\
CREATE TABLE invoice (id BIGINT PRIMARY KEY, customer BIGINT NOT NULL, total BIGINT NOT NULL,
  open BIGINT NOT NULL CHECK (0 <= open AND open <= total)) WITH (fillfactor = 90);
CREATE TABLE payment (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, invoice BIGINT NOT NULL, amount BIGINT NOT NULL,
  reference TEXT NOT NULL, received_on TEXT NOT NULL);
CREATE TABLE allocation (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment BIGINT NOT NULL, invoice BIGINT NOT NULL,
  amount BIGINT NOT NULL);
CREATE TABLE posting (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment BIGINT NOT NULL);
CREATE TABLE entry (posting BIGINT NOT NULL, line BIGINT NOT NULL, account BIGINT NOT NULL, customer BIGINT,
  amount BIGINT NOT NULL, PRIMARY KEY (posting, line));
CREATE TABLE event (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT NOT NULL, invoice BIGINT NOT NULL,
  payment BIGINT NOT NULL);
CREATE TABLE idempotency (key BYTEA PRIMARY KEY, payment BIGINT NOT NULL);";

/// Answers the payment's number, below 0 where it was there already; 0 where it is too much, nothing for another body.
const FUNCTION: &str = "\
CREATE FUNCTION take_payment(k BYTEA, i BIGINT, a BIGINT, r TEXT, d TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  known RECORD;
  of_customer BIGINT;
  of_payment BIGINT;
  of_posting BIGINT;
BEGIN
  SELECT payment.id, invoice, amount INTO known FROM idempotency JOIN payment ON payment.id = idempotency.payment WHERE key = k;
  IF FOUND THEN
    RETURN CASE WHEN known.invoice = i AND known.amount = a THEN -known.id END;
  END IF;
  UPDATE invoice SET open = open - a WHERE id = i AND open >= a RETURNING customer INTO of_customer;
  IF NOT FOUND THEN RETURN 0; END IF;
  INSERT INTO payment (invoice, amount, reference, received_on) VALUES (i, a, r, d) RETURNING id INTO of_payment;
  INSERT INTO allocation (payment, invoice, amount) VALUES (of_payment, i, a);
  INSERT INTO posting (payment) VALUES (of_payment) RETURNING id INTO of_posting;
  INSERT INTO entry VALUES (of_posting, 1, 1000, NULL, a), (of_posting, 2, 1100, of_customer, -a);
  INSERT INTO event (kind, invoice, payment) VALUES ('payment.succeeded', i, of_payment);
  INSERT INTO idempotency VALUES (k, of_payment);
  RETURN of_payment;
END $$;";

const FILL: &str = "\
INSERT INTO invoice SELECT id, (id - 1) / $2 + 1, $3, $3 FROM generate_series(1::BIGINT, $1::BIGINT) AS id";
const CALL: &str = "SELECT take_payment($1, $2, $3, $4, $5)";

/// A connection that can take payments.
pub struct Taker {
    client: Client,
    call: Statement,
}

impl Taker {
    /// Connects.
    pub async fn connect(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        let call = client.prepare(CALL).await?;
        Ok(Self { client, call })
    }

    /// Takes one payment; answered once it is durable.
    pub async fn take(&self, pay: &Pay) -> Result<Outcome> {
        let row = self
            .client
            .query_one(
                &self.call,
                &[&pay.key, &pay.invoice, &pay.amount_minor, &pay.reference, &pay.received_on],
            )
            .await?;
        Ok(match row.get::<_, Option<i64>>(0) {
            None => Outcome::AnotherBody,
            Some(0) => Outcome::TooMuch,
            Some(id) if id < 0 => Outcome::Repeated(-id),
            Some(id) => Outcome::Taken(id),
        })
    }
}

/// Connects; the connection ends with its client.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot connect to PostgreSQL")?;
    // Its error is also that of the next statement.
    tokio::spawn(async move { connection.await.ok() });
    Ok(client)
}

/// Makes the tables with `invoices` invoices in an empty database.
pub async fn seed(url: &str, invoices: i64) -> Result<()> {
    let client = connect(url).await?;
    client.batch_execute(TABLES).await?;
    client.batch_execute(FUNCTION).await?;
    client.execute(FILL, &[&invoices, &INVOICES_PER_CUSTOMER, &TOTAL_MINOR]).await?;
    client.batch_execute("VACUUM ANALYZE invoice").await?;
    Ok(())
}

/// What is left to pay.
pub async fn open_minor(url: &str, invoice: i64) -> Result<i64> {
    let client = connect(url).await?;
    Ok(client.query_one("SELECT open FROM invoice WHERE id = $1", &[&invoice]).await?.get(0))
}

/// Takes payments for so long with so many connections; answers how long each took, microseconds, and how long all took.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub async fn run(
    url: &str,
    clients: usize,
    lasting: Duration,
    next: impl FnMut() -> Pay,
) -> Result<(Vec<u32>, Duration)> {
    let takers = try_join_all((0..clients).map(|_| Taker::connect(url))).await?;
    let next = RefCell::new(next);
    let began_at = Instant::now();
    let each = takers.iter().map(async |taker| {
        let mut micros = Vec::new();
        while began_at.elapsed() < lasting {
            let pay = (next.borrow_mut())();
            let asked_at = Instant::now();
            let outcome = taker.take(&pay).await?;
            anyhow::ensure!(
                matches!(outcome, Outcome::Taken(_)),
                "the ceiling refused a payment: {outcome:?}"
            );
            micros.push(u32::try_from(asked_at.elapsed().as_micros())?);
        }
        Ok(micros)
    });
    let micros = try_join_all(each).await?.concat();
    Ok((micros, began_at.elapsed()))
}
