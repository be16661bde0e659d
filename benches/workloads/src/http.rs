//! One connection to a server on this machine, kept open: a request, its whole answer, the next. hyper speaks the protocol;
//! this neither follows redirects nor repeats anything.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A request that is ready to be sent.
pub type Outgoing = Request<Full<Bytes>>;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// What came of it.
    pub status: StatusCode,
    /// Cookies, places, limits.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
}

impl Answer {
    /// The body as text, for messages and pages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that is kept open.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("nobody answers at {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its error is also that of the request under way.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Connection { sender })
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, request: Outgoing) -> Result<Answer> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// A request to `path` without a body.
pub fn get(path: &str, headers: &[(&'static str, &str)]) -> Result<Outgoing> {
    request(Method::GET, path, headers, Bytes::new())
}

/// A request that brings JSON.
pub fn post_json(path: &str, headers: &[(&'static str, &str)], body: String) -> Result<Outgoing> {
    let mut request = request(Method::POST, path, headers, Bytes::from(body))?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// A request that brings a form.
pub fn post_form(path: &str, headers: &[(&'static str, &str)], fields: &[(&str, &str)]) -> Result<Outgoing> {
    let body = serde_urlencoded::to_string(fields)?;
    let mut request = request(Method::POST, path, headers, Bytes::from(body))?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(request)
}

fn request(method: Method, path: &str, headers: &[(&'static str, &str)], body: Bytes) -> Result<Outgoing> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse::<Uri>()?;
    // Every server here is on this machine; none asks for its name.
    request.headers_mut().insert(HOST, HeaderValue::from_static("127.0.0.1"));
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value)?);
    }
    Ok(request)
}
