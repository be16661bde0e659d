//! One piece of work: a transaction, the sandbox's time, and whom the events that come of it are credited to.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;

use crate::error::{ApiError, Failure};
use crate::objects::Event;
use crate::store::{self, Document};
use crate::webhooks::{self, WebhookMode};

/// What does not change while the sandbox runs.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) seed: u64,
    pub(crate) secret_key: String,
    /// Base of the hosted pages' addresses, without a slash at its end.
    pub(crate) public_url: String,
}

/// The API call that caused something; empty for what a payer or the clock did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause {
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// A transaction under way.
pub(crate) struct Work<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) now: i64,
    pub(crate) environment: &'a Arc<Environment>,
    pub(crate) cause: Cause,
    /// Whether anybody is told of events.
    pub(crate) has_webhook: bool,
    /// How events of this piece of work go out, when a payer typed that they are to go out otherwise.
    pub(crate) webhook_mode: Option<WebhookMode>,
}

impl Work<'_> {
    pub(crate) fn next_id(&self, prefix: &str) -> Result<String, Failure> {
        store::next_id(self.connection, self.environment.seed, prefix, 24)
    }

    pub(crate) fn next_id_of_length(&self, prefix: &str, length: usize) -> Result<String, Failure> {
        store::next_id(self.connection, self.environment.seed, prefix, length)
    }

    pub(crate) fn insert<D: Document>(&self, document: &D) -> Result<(), Failure> {
        store::insert(self.connection, document)
    }

    pub(crate) fn update<D: Document>(&self, document: &D) -> Result<(), Failure> {
        store::update(self.connection, document)
    }

    pub(crate) fn find<D: Document>(&self, id: &str) -> Result<Option<D>, Failure> {
        store::find(self.connection, id)
    }

    /// The object of this id, or the answer that there is none; `param` is the parameter that named it.
    pub(crate) fn get<D: Document>(&self, id: &str, param: &str) -> Result<D, Failure> {
        self.find(id)?.ok_or_else(|| ApiError::missing_resource(D::KIND, id, param).into())
    }

    /// The object of an id that one of our own objects names.
    pub(crate) fn own<D: Document>(&self, id: &str) -> Result<D, Failure> {
        self.find(id)?
            .ok_or_else(|| Failure::Broken(anyhow::anyhow!("{} {id} is missing from the books", D::KIND)))
    }

    /// Records an event with the object as it is now, and queues its delivery.
    pub(crate) fn event(&self, kind: &str, object: Value) -> Result<(), Failure> {
        let event = Event {
            id: self.next_id("evt_")?,
            created: self.now,
            kind: kind.to_owned(),
            object,
            request_id: self.cause.request_id.clone(),
            idempotency_key: self.cause.idempotency_key.clone(),
        };
        self.insert(&event)?;
        if self.has_webhook { webhooks::queue(self, &event.id) } else { Ok(()) }
    }
}
