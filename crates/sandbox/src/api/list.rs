//! Lists: newest first, by cursor, with `has_more`.

use serde_json::{Value, json};

use super::Reply;
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::store::{self, Document, PageQuery};
use crate::work::Work;

/// Reads the parameters every list has.
pub(super) fn page_query(form: &mut Form) -> Result<PageQuery, Failure> {
    let limit = form.take_integer("limit")?.unwrap_or(10);
    let limit = u32::try_from(limit).ok().filter(|limit| (1..=100).contains(limit)).ok_or_else(|| {
        ApiError::invalid(format!("Invalid limit: {limit} must be from 1 to 100.")).param("limit")
    })?;
    let mut created = Vec::new();
    for (name, comparison) in [
        ("created", "="),
        ("created[gt]", ">"),
        ("created[gte]", ">="),
        ("created[lt]", "<"),
        ("created[lte]", "<="),
    ] {
        if let Some(bound) = form.take_integer(name)? {
            created.push((comparison, bound));
        }
    }
    Ok(PageQuery {
        limit,
        starting_after: form.take("starting_after")?,
        ending_before: form.take("ending_before")?,
        created,
        equal: Vec::new(),
    })
}

/// Adds the filter `name=value` on a member of the stored body.
pub(super) fn filter(
    query: &mut PageQuery,
    form: &mut Form,
    name: &str,
    member: &'static str,
) -> Result<(), Failure> {
    if let Some(value) = form.take(name)? {
        query.equal.push((member, vec![value]));
    }
    Ok(())
}

/// Answers a page.
pub(super) fn answer<D: Document>(
    work: &Work<'_>,
    query: &PageQuery,
    url: &str,
    view: impl Fn(&D) -> Value,
) -> Result<Reply, Failure> {
    let (documents, has_more) = store::page::<D>(work.connection, query)?;
    let data: Vec<Value> = documents.iter().map(view).collect();
    Reply::ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": data }))
}
