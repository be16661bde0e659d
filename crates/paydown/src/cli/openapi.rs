//! `paydown openapi`: the description of the API, for programs that make clients of it. It reads no setting and no database.

use super::world::{At, Exit};
use anyhow::Result;

pub(super) fn print(at: &mut At<'_>) -> Result<Exit> {
    let described = crate::api::description();
    let text = if at.json { described.to_json()? } else { described.to_pretty_json()? };
    writeln!(at.world.out, "{text}")?;
    Ok(Exit::Done)
}
