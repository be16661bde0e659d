//! Lists, read to their end: only then is absence a proof, and only then do items add up.

use super::http::Transport;
use super::wire;
use crate::CallError;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

/// Objects on one page: the most that Stripe gives.
pub(super) const PAGE_SIZE: &str = "100";
/// Pages that are read of one list. The items of a payout may be many; nothing of ours is longer.
const MAX_PAGES: usize = 1_000;

/// What can be gone on after.
pub(super) trait Listed: DeserializeOwned {
    /// Its id.
    fn id(&self) -> &str;
}

/// All objects of a list, in its order. One that cannot be read is an error: a list with one missing proves nothing.
pub(super) async fn all<T: Listed>(
    transport: &Transport,
    path: &str,
    filter: &[(&'static str, String)],
) -> Result<Vec<T>, CallError> {
    let mut query = vec![("limit", PAGE_SIZE.to_owned())];
    query.extend_from_slice(filter);
    let mut found: Vec<T> = Vec::new();
    for _ in 0..MAX_PAGES {
        let page: wire::List<T> = transport.get(path, &query).await?;
        let has_more = page.has_more;
        let last_id = page.data.last().map(|last| last.id().to_owned());
        found.extend(page.data);
        if !has_more {
            return Ok(found);
        }
        go_on_after(&mut query, last_id.as_deref())?;
    }
    Err(CallError::Unreadable(format!("{path}: more than {MAX_PAGES} pages")))
}

/// A query for what was made since.
pub(super) fn since(created_after: Timestamp) -> Vec<(&'static str, String)> {
    vec![("limit", PAGE_SIZE.to_owned()), ("created[gte]", created_after.as_second().to_string())]
}

/// Turns the page. An empty one that promises more is no end, so it must not be taken for one.
pub(super) fn go_on_after(
    query: &mut Vec<(&'static str, String)>,
    last_id: Option<&str>,
) -> Result<(), CallError> {
    let last_id =
        last_id.ok_or_else(|| CallError::Unreadable("an empty page with more to come".to_owned()))?;
    query.retain(|(name, _)| *name != "starting_after");
    query.push(("starting_after", last_id.to_owned()));
    Ok(())
}

impl Listed for wire::Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for wire::Dispute {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for wire::BalanceTransaction {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for wire::PaymentMethod {
    fn id(&self) -> &str {
        &self.id
    }
}
