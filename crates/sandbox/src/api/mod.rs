//! The calls of the processor's published API that a payment page needs, each as documented: parameters, refusals, shapes.
//!
//! A handler runs inside one transaction and never waits for anything. Every route is on this screen.

pub(crate) mod account;
pub(crate) mod balance_transactions;
pub(crate) mod charges;
pub(crate) mod customers;
pub(crate) mod disputes;
pub(crate) mod events;
mod expand;
pub(crate) mod files;
mod list;
pub(crate) mod mandates;
pub(crate) mod payment_intents;
pub(crate) mod payment_methods;
pub(crate) mod payouts;
pub(crate) mod refunds;
pub(crate) mod sessions;
pub(crate) mod setup_intents;

use serde_json::Value;

use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::work::Work;

/// The API version whose shapes these are; callers that name another get it echoed.
pub(crate) const API_VERSION: &str = "2025-09-30.clover";

/// An answer that keeps what the call did. A refusal that undoes it is an [`ApiError`].
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    fn ok(body: Value) -> Result<Self, Failure> {
        Ok(Self { status: 200, body })
    }
}

/// Runs one call: the transaction, the id in the path (empty where there is none), the parameters.
type Handler = fn(&Work<'_>, &str, &mut Form) -> Result<Reply, Failure>;

/// A route: method, path with `{id}` for an id, what it runs.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    handler: Handler,
}

const fn get(path: &'static str, handler: Handler) -> Route {
    Route { method: "GET", path, handler }
}

const fn post(path: &'static str, handler: Handler) -> Route {
    Route { method: "POST", path, handler }
}

/// All routes.
pub(crate) const ROUTES: &[Route] = &[
    get("/v1/account", account::account),
    get("/v1/balance", account::balance),
    post("/v1/customers", customers::create),
    get("/v1/customers", customers::list),
    get("/v1/customers/{id}", customers::retrieve),
    post("/v1/checkout/sessions", sessions::create),
    get("/v1/checkout/sessions", sessions::list),
    get("/v1/checkout/sessions/{id}", sessions::retrieve),
    post("/v1/checkout/sessions/{id}/expire", sessions::expire),
    post("/v1/payment_intents", payment_intents::create),
    get("/v1/payment_intents", payment_intents::list),
    get("/v1/payment_intents/{id}", payment_intents::retrieve),
    post("/v1/payment_intents/{id}/confirm", payment_intents::confirm),
    post("/v1/payment_intents/{id}/cancel", payment_intents::cancel),
    post("/v1/payment_intents/{id}/verify_microdeposits", payment_intents::verify_microdeposits),
    post("/v1/setup_intents", setup_intents::create),
    get("/v1/setup_intents", setup_intents::list),
    get("/v1/setup_intents/{id}", setup_intents::retrieve),
    post("/v1/setup_intents/{id}/confirm", setup_intents::confirm),
    post("/v1/setup_intents/{id}/cancel", setup_intents::cancel),
    post("/v1/setup_intents/{id}/verify_microdeposits", setup_intents::verify_microdeposits),
    get("/v1/payment_methods", payment_methods::list),
    get("/v1/payment_methods/{id}", payment_methods::retrieve),
    post("/v1/payment_methods/{id}", payment_methods::update),
    post("/v1/payment_methods/{id}/attach", payment_methods::attach),
    post("/v1/payment_methods/{id}/detach", payment_methods::detach),
    get("/v1/customers/{id}/payment_methods", payment_methods::list_of_customer),
    get("/v1/mandates/{id}", mandates::retrieve),
    post("/v1/refunds", refunds::create),
    get("/v1/refunds", refunds::list),
    get("/v1/refunds/{id}", refunds::retrieve),
    post("/v1/refunds/{id}", refunds::update),
    get("/v1/disputes", disputes::list),
    get("/v1/disputes/{id}", disputes::retrieve),
    post("/v1/disputes/{id}", disputes::update),
    post("/v1/disputes/{id}/close", disputes::close),
    post("/v1/files", files::create),
    get("/v1/files", files::list),
    get("/v1/files/{id}", files::retrieve),
    post("/v1/payouts", payouts::create),
    get("/v1/payouts", payouts::list),
    get("/v1/payouts/{id}", payouts::retrieve),
    get("/v1/charges", charges::list),
    get("/v1/charges/{id}", charges::retrieve),
    get("/v1/balance_transactions", balance_transactions::list),
    get("/v1/balance_transactions/{id}", balance_transactions::retrieve),
    get("/v1/events", events::list),
    get("/v1/events/{id}", events::retrieve),
];

/// The route of a request and the id in its path.
pub(crate) fn find_route<'a>(method: &str, path: &'a str) -> Result<(&'static Route, &'a str), ApiError> {
    let found = ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| Some((route, matches(route.path, path)?)));
    found.ok_or_else(|| ApiError::not_found(format!("Unrecognized request URL ({method}: {path}).")))
}

/// The id where `path` fits the pattern; empty when the pattern has none.
pub(crate) fn matches<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let mut id = "";
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        if wanted == "{id}" && !segment.is_empty() {
            id = segment;
        } else if wanted != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(id)
}

impl Route {
    /// Runs the call, refuses parameters nobody read, and expands what was asked for.
    pub(crate) fn run(&self, work: &Work<'_>, id: &str, mut form: Form) -> Result<Reply, Failure> {
        let paths = form.take_list("expand");
        let mut reply = (self.handler)(work, id, &mut form)?;
        form.finish()?;
        if reply.status == 200 {
            for path in &paths {
                expand::expand(work, &mut reply.body, path)?;
            }
        }
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::{find_route, matches};

    #[test]
    fn paths_find_their_route_and_id() {
        assert_eq!(matches("/v1/customers/{id}", "/v1/customers/cus_1"), Some("cus_1"));
        assert_eq!(matches("/v1/customers/{id}", "/v1/customers/"), None);
        assert_eq!(matches("/v1/customers", "/v1/customers/cus_1"), None);
        let (route, id) = find_route("POST", "/v1/checkout/sessions/cs_1/expire").expect("a route");
        assert_eq!((route.path, id), ("/v1/checkout/sessions/{id}/expire", "cs_1"));
        assert!(find_route("DELETE", "/v1/customers/cus_1").is_err());
    }
}
