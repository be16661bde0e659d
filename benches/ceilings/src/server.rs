//! A2: a bare HTTP server in front of one writer thread, which commits whatever queued up during the last flush, 256 at
//! most. `POST /payments` takes a payment, `GET /customers/{number}` is a page with the first page of a customer's invoices. It
//! checks nothing that is not needed to do that.

use crate::sqlite::{self, Listed};
use crate::{Outcome, Pay};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rusqlite::{Connection, TransactionBehavior};
use serde::Deserialize;
use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Payments in one commit at most.
const BATCH: usize = 256;

struct Job {
    pay: Pay,
    tell: oneshot::Sender<Outcome>,
}

/// What a payment's body says.
#[derive(Deserialize)]
struct Body {
    invoice: i64,
    amount: i64,
    reference: String,
    received_on: String,
}

struct Server {
    file: PathBuf,
    jobs: Sender<Job>,
}

thread_local! {
    /// One connection for each thread that answers; a page is read where it is asked for.
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Serves until the process ends.
pub async fn serve(file: &Path, listener: TcpListener) -> Result<()> {
    let (jobs, queue) = channel();
    let conn = sqlite::open(file)?;
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || write(conn, &queue))?;
    let server = Arc::new(Server { file: file.to_owned(), jobs });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&server), request));
            // An error is a caller that hung up.
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok();
        });
    }
}

fn write(mut conn: Connection, queue: &Receiver<Job>) -> Result<()> {
    let mut answers = Vec::with_capacity(BATCH);
    while let Ok(first) = queue.recv() {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        answers.push((first.tell, sqlite::take(&tx, &first.pay)?));
        while answers.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            answers.push((job.tell, sqlite::take(&tx, &job.pay)?));
        }
        tx.commit()?;
        for (tell, outcome) in answers.drain(..) {
            // Whoever left needs no answer.
            tell.send(outcome).ok();
        }
    }
    Ok(())
}

async fn answer(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answered = match request.method() {
        &Method::POST => pay(&server, request).await,
        _ => page(&server, request.uri().path()),
    };
    Ok(answered.unwrap_or_else(|error| response(StatusCode::BAD_REQUEST, "text/plain", error.to_string())))
}

async fn pay(server: &Server, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let key = request.headers().get("idempotency-key").context("no key")?.as_bytes().to_vec();
    let body: Body = serde_json::from_slice(&request.into_body().collect().await?.to_bytes())?;
    let Body { invoice, amount, reference, received_on } = body;
    let (tell, told) = oneshot::channel();
    server
        .jobs
        .send(Job { pay: Pay { key, invoice, amount_minor: amount, reference, received_on }, tell })?;
    let (status, id) = match told.await? {
        Outcome::Taken(id) | Outcome::Repeated(id) => (StatusCode::CREATED, id),
        Outcome::AnotherBody | Outcome::TooMuch => (StatusCode::UNPROCESSABLE_ENTITY, 0),
    };
    Ok(response(status, "application/json", format!("{{\"id\":{id}}}")))
}

fn page(server: &Server, path: &str) -> Result<Response<Full<Bytes>>> {
    let customer = path.strip_prefix("/customers/").context("no such page")?.parse()?;
    let rows = READER.with_borrow_mut(|reader| match reader {
        Some(conn) => sqlite::list(conn, customer),
        None => sqlite::list(reader.insert(sqlite::open(&server.file)?), customer),
    })?;
    Ok(response(StatusCode::OK, "text/html", html(&rows)?))
}

fn html(rows: &[Listed]) -> Result<String> {
    let mut html = String::with_capacity(8_192);
    html.push_str("<!doctype html><title>Invoices</title><table>");
    for Listed { id, number, due_on, total_minor, open_minor } in rows {
        write!(
            html,
            "<tr><td><a href=\"/invoices/{id}\">{number}</a><td>{due_on}<td>{}.{:02}<td>{}.{:02}",
            total_minor / 100,
            total_minor % 100,
            open_minor / 100,
            open_minor % 100
        )?;
    }
    html.push_str("</table>");
    Ok(html)
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
    response
}
