//! Who calls: the key of a request, whether it may do what is asked, and how often it may ask. What is counted here decides
//! nothing about money; each server counts for itself.

use super::problem::{Code, Problem};
use crate::actions::note_key_use::note_key_use;
use crate::api_key::{Scope, Secret};
use crate::app::App;
use crate::clock::Clock;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billing::ids::{ApiKeyId, MerchantId};
use governor::clock::Clock as RateClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::api_keys::{self, ApiKey};
use store::db::Tx;

/// That a key was used is noted once in so long.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Keys whose calls are counted at once; beyond it counting begins anew.
const MOST_KEYS: usize = 10_000;

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose data.
    pub merchant: MerchantId,
    /// With which key.
    pub key: ApiKey,
}

impl Caller {
    /// For the audit trail.
    pub fn actor(&self) -> String {
        format!("key:{}", self.key.id)
    }

    fn may(&self, scope: Scope) -> bool {
        self.key.scopes.split(' ').any(|word| word == scope.as_str())
    }
}

/// A scope as a type, so that a route without one does not compile.
pub trait Needs: Send + Sync {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($name:ident)*) => {$(
        #[doc = concat!("See [`Scope::", stringify!($name), "`].")]
        pub struct $name;

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

scopes! { CustomersRead CustomersWrite InvoicesRead InvoicesWrite LinksRead LinksWrite PaymentsRead PaymentsWrite PayoutsRead RefundsRead RefundsWrite RefundsApprove SurchargesRead SurchargesWrite EventsRead }

/// A caller whose key has the scope.
pub struct May<S>(pub Caller, pub PhantomData<S>);

impl<S: Needs> FromRequestParts<App> for May<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<May<S>, Problem> {
        let caller = parts.extensions.get::<Caller>().ok_or_else(no_key)?;
        if !caller.may(S::SCOPE) {
            let detail = format!("This key lacks the scope {}; make one that has it.", S::SCOPE.as_str());
            return Err(Problem::new(Code::InsufficientScope, detail));
        }
        Ok(May(caller.clone(), PhantomData))
    }
}

/// Around each route: nobody without a key, nobody too often, and the headers that say how often it may be.
pub async fn around(
    State((app, counters)): State<(App, Arc<Counters>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match authenticate(&app, request.headers()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let now = app.clock.now();
    if counters.is_worth_noting(caller.key.id, now) {
        note(&app, &caller, now);
    }
    let (standing, refused) = counters.count(&app, &caller.key);
    if let Some(problem) = refused {
        let mut response = problem.into_response();
        if let Some(standing) = standing {
            standing.tell(response.headers_mut());
        }
        return response;
    }
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Some(standing) = standing {
        standing.tell(response.headers_mut());
    }
    response
}

fn no_key() -> Problem {
    Problem::new(Code::InvalidKey, "Send a key that is in force, as Authorization: Bearer paydown_….")
}

async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    if headers.contains_key(header::ORIGIN) {
        let detail =
            "This request comes from a web page, whose readers could take the key. Call from a server.";
        return Err(Problem::new(Code::BrowserOrigin, detail));
    }
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, secret) = sent.and_then(|value| value.split_once(' ')).ok_or_else(no_key)?;
    let secret = if scheme.eq_ignore_ascii_case("bearer") { Secret::parse(secret.trim()) } else { None };
    let (merchant, secret) = secret.ok_or_else(no_key)?;
    let hash = secret.hash();
    let found =
        app.store.read(async move |tx: &mut Tx| api_keys::find_by_hash(tx, merchant, &hash).await).await?;
    let now = app.clock.now();
    let in_force = |key: &ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| end > now);
    let key = found.filter(in_force).ok_or_else(no_key)?;
    Ok(Caller { merchant, key })
}

/// That a key was used is noted beside the request, and never stands in its way.
fn note(app: &App, caller: &Caller, now: Timestamp) {
    let (noting, merchant, key) = (app.clone(), caller.merchant, caller.key.id);
    app.tasks.spawn(async move {
        if let Err(error) = note_key_use(&noting, merchant, key, now).await {
            tracing::warn!(%key, error = format!("{error:#}"), "that a key was used is not noted");
        }
    });
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

/// How often each key has called, and when that was last noted.
#[derive(Default)]
pub struct Counters(Mutex<HashMap<ApiKeyId, Counted>>);

struct Counted {
    per_minute: i64,
    bucket: Option<Arc<Bucket>>,
    noted_at: Timestamp,
}

/// Our clock as the limiter reads it: since 1970. One that was set back stands still for it.
struct Ticks(Arc<dyn Clock>);

impl RateClock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now().duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
    }
}

impl Counters {
    /// True once a minute for each key.
    fn is_worth_noting(&self, key: ApiKeyId, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KEYS {
            all.clear();
        }
        let fresh = || Counted { per_minute: 0, bucket: None, noted_at: Timestamp::UNIX_EPOCH };
        let counted = all.entry(key).or_insert_with(fresh);
        let due = now.duration_since(counted.noted_at).abs() >= NOTED_EVERY;
        if due {
            counted.noted_at = now;
        }
        due
    }

    /// Counts one call: how the key stands, where it has a limit, and why the call is refused, where it is.
    fn count(&self, app: &App, key: &ApiKey) -> (Option<Standing>, Option<Problem>) {
        let Some(limit) = u32::try_from(key.requests_per_minute).ok().and_then(NonZeroU32::new) else {
            return (None, None);
        };
        let bucket = self.bucket(app, key, limit);
        match bucket.check() {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let full_in = u64::from(limit.get() - left.min(limit.get())) * 60 / u64::from(limit.get());
                (Some(Standing { limit: limit.get(), left, full_in_seconds: full_in.max(1) }), None)
            }
            Err(early) => {
                let wait = early.wait_time_from(Ticks(Arc::clone(&app.clock)).now());
                let seconds = i64::try_from(wait.as_secs()).unwrap_or(60) + 1;
                let detail = format!("This key may call {limit} times a minute. Wait {seconds} s.");
                let problem = Problem::new(Code::RateLimited, detail);
                let standing = Standing { limit: limit.get(), left: 0, full_in_seconds: 60 };
                (Some(standing), Some(Problem { retry_after_seconds: Some(seconds), ..problem }))
            }
        }
    }

    /// The key's own bucket; a new one where its limit was changed.
    fn bucket(&self, app: &App, key: &ApiKey, limit: NonZeroU32) -> Arc<Bucket> {
        let make = || {
            let limiter =
                RateLimiter::direct_with_clock(Quota::per_minute(limit), Ticks(Arc::clone(&app.clock)));
            Arc::new(limiter.with_middleware::<StateInformationMiddleware>())
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counted) = all.get_mut(&key.id) else { return make() };
        if counted.per_minute != key.requests_per_minute {
            (counted.per_minute, counted.bucket) = (key.requests_per_minute, None);
        }
        Arc::clone(counted.bucket.get_or_insert_with(make))
    }
}

/// How a key stands with its limit.
struct Standing {
    limit: u32,
    left: u32,
    full_in_seconds: u64,
}

impl Standing {
    /// The headers of the IETF's draft on rate limits.
    fn tell(&self, headers: &mut HeaderMap) {
        let Standing { limit, left, full_in_seconds } = self;
        for (name, value) in [
            ("ratelimit-policy", format!("\"key\";q={limit};w=60")),
            ("ratelimit", format!("\"key\";r={left};t={full_in_seconds}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
