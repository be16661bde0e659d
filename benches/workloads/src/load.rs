//! The load generator: so many clients, each with one connection, each sending its next request as soon as it has read the
//! whole answer to the last, for so long. Every answer is counted: a round ends when the last one has come, so that what was
//! accepted can be held against what was recorded. A generator that drops what is under way when its time is up cannot.
//!
//! All clients share one thread; the servers under measurement have the rest of the machine.

use crate::http::{Connection, Outgoing};
use anyhow::{Result, bail};
use futures::future::try_join_all;
use hyper::StatusCode;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a round came to.
#[derive(Debug, Clone)]
pub struct Driven {
    /// How long each request took, microseconds, in ascending order.
    micros: Vec<u32>,
    /// How long the round took.
    took: Duration,
    /// Processor time of the server for each answer, microseconds, where it was looked at.
    processor_micros: Option<f64>,
}

impl Driven {
    /// From how long each took and how long all of them took.
    pub fn new(mut micros: Vec<u32>, took: Duration) -> Driven {
        micros.sort_unstable();
        Driven { micros, took, processor_micros: None }
    }

    /// With the processor time that the server had in the round: it tells more than the clock where others take the processor.
    pub fn with_processor(mut self, time: Duration) -> Driven {
        self.processor_micros = Some(time.as_secs_f64() * 1e6 / self.micros.len() as f64);
        self
    }

    /// Processor time of the server for each answer, microseconds, where it was looked at.
    pub const fn processor_micros(&self) -> Option<f64> {
        self.processor_micros
    }

    /// Answers of the expected status.
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.took.as_secs_f64()
    }

    /// What so many thousandths of the requests stayed below, milliseconds.
    pub fn millis(&self, thousandths: usize) -> f64 {
        let at = (self.micros.len() * thousandths / 1_000).min(self.micros.len().saturating_sub(1));
        self.micros.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
    }
}

/// A round of load.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// Who is asked.
    pub address: SocketAddr,
    /// How many ask at once.
    pub clients: usize,
    /// For how long.
    pub lasting: Duration,
    /// The only status there may be; another one fails the round.
    pub expect: StatusCode,
}

/// Drives a server; `next` makes the requests, whoever's turn it is.
pub async fn drive(round: Round, next: impl FnMut() -> Result<Outgoing>) -> Result<Driven> {
    let connections = try_join_all((0..round.clients).map(|_| Connection::open(round.address))).await?;
    let next = RefCell::new(next);
    let began_at = now();
    let each = connections.into_iter().map(async |mut connection| {
        let mut micros = Vec::new();
        while began_at.elapsed() < round.lasting {
            let request = (next.borrow_mut())()?;
            let asked_at = now();
            let answer = connection.send(request).await?;
            micros.push(u32::try_from(asked_at.elapsed().as_micros())?);
            if answer.status != round.expect {
                bail!("answered {} instead of {}: {}", answer.status, round.expect, answer.text());
            }
        }
        Ok(micros)
    });
    let micros = try_join_all(each).await?.concat();
    Ok(Driven::new(micros, began_at.elapsed()))
}

/// The only clock here: a benchmark is what it is for.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::{AMOUNT_MINOR, CeilingPayments};
    use ceilings::{TOTAL_MINOR, sqlite};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn every_answer_is_counted_and_what_is_accepted_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a2.db");
        sqlite::seed(&file, 1, false).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = file.clone();
        tokio::spawn(async move { ceilings::server::serve(&served, listener).await });
        let mut payments = CeilingPayments::new(1, 1).unwrap();
        let lasting = Duration::from_millis(200);
        let round = Round { address, clients: 16, lasting, expect: StatusCode::CREATED };
        let driven = drive(round, || payments.request()).await.unwrap();
        let open = sqlite::open_minor(&sqlite::open(&file).unwrap(), 1).unwrap();
        assert!(driven.count() >= 16);
        assert_eq!(open, TOTAL_MINOR - AMOUNT_MINOR * i64::try_from(driven.count()).unwrap());
        // The same keys again change nothing; another status than the expected one fails the round.
        let mut payments = CeilingPayments::new(1, 1).unwrap();
        let wrong = Round { expect: StatusCode::OK, ..round };
        assert!(drive(wrong, || payments.request()).await.unwrap_err().to_string().contains("201"));
        assert_eq!(sqlite::open_minor(&sqlite::open(&file).unwrap(), 1).unwrap(), open);
    }

    #[test]
    fn quantiles_are_of_the_sorted_times() {
        let driven = Driven::new((1..=1_000).rev().map(|n| n * 1_000).collect(), Duration::from_secs(2));
        assert_eq!(driven.rate(), 500.0);
        assert_eq!((driven.millis(0), driven.millis(500), driven.millis(990)), (1.0, 501.0, 991.0));
        assert_eq!(driven.millis(1_000), 1_000.0);
        assert!(Driven::new(Vec::new(), Duration::from_secs(1)).millis(500).is_nan());
    }
}
