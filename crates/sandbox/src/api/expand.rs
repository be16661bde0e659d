//! `expand[]`: putting whole objects where an answer has their ids.

use serde_json::Value;

use super::{
    balance_transactions, charges, customers, disputes, mandates, payment_intents, payment_methods, payouts,
    refunds, setup_intents,
};
use crate::error::{ApiError, Failure};
use crate::work::Work;

const MAX_DEPTH: usize = 4;

/// Expands one dotted path; `data.` stands for each object of a list.
pub(super) fn expand(work: &Work<'_>, answer: &mut Value, path: &str) -> Result<(), Failure> {
    let members: Vec<&str> = path.split('.').collect();
    if members.len() > MAX_DEPTH + 1 {
        let message =
            format!("You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}");
        return Err(ApiError::invalid(message).param("expand").into());
    }
    expand_members(work, answer, &members, path)
}

fn expand_members(work: &Work<'_>, value: &mut Value, members: &[&str], path: &str) -> Result<(), Failure> {
    let Some((member, rest)) = members.split_first() else { return Ok(()) };
    if let Value::Array(items) = value {
        return items.iter_mut().try_for_each(|item| expand_members(work, item, members, path));
    }
    let refusal = || ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand");
    let Some(found) = value.as_object_mut().and_then(|object| object.get_mut(*member)) else {
        return Err(refusal().into());
    };
    match found {
        Value::Null => return Ok(()),
        Value::String(id) => *found = load(work, id)?.ok_or_else(refusal)?,
        Value::Array(_) | Value::Object(_) => {}
        _ => return Err(refusal().into()),
    }
    expand_members(work, found, rest, path)
}

fn load(work: &Work<'_>, id: &str) -> Result<Option<Value>, Failure> {
    Ok(match id.split_once('_').map(|(prefix, _)| prefix) {
        Some("pi") => Some(payment_intents::view(work, &work.own(id)?)),
        Some("ch" | "py") => Some(charges::view(&work.own(id)?)),
        Some("txn") => Some(balance_transactions::view(work, &work.own(id)?)),
        Some("pm") => Some(payment_methods::view(&work.own(id)?)),
        Some("mandate") => Some(mandates::view(&work.own(id)?)),
        Some("re" | "pyr") => Some(refunds::view(&work.own(id)?)),
        Some("seti") => Some(setup_intents::view(work, &work.own(id)?)),
        Some("du") => Some(disputes::view(work, &work.own(id)?)),
        Some("po") => Some(payouts::view(&work.own(id)?)),
        Some("cus") => Some(customers::view(&work.own(id)?)),
        _ => None,
    })
}
