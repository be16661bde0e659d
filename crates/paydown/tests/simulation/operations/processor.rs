//! What the processor and the banks behind it do of their own accord.

use crate::world::{World, nothing};
use serde_json::{Value, json};

pub(super) fn take_back(world: &mut World) -> Result<(), String> {
    let is_debit = |charge: &Value| charge["payment_method_details"]["type"] != "card";
    let Some(charge) = world.some_charge(is_debit) else { return Ok(()) };
    let code = match charge["currency"] == "eur" {
        true => ["MD06", "AM04"][world.draw(2)],
        false => ["R01", "R10", "R29", "R05"][world.draw(4)],
    };
    let id = charge["id"].as_str().unwrap_or_default();
    world.control(&format!("/charges/{id}/return"), &json!({ "code": code }));
    world.collect_webhooks();
    Ok(())
}

pub(super) fn pay_after_end(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    let Some(session) = told.session else { return Ok(()) };
    world.control(&format!("/sessions/{session}/succeed_after_end"), &nothing());
    world.collect_webhooks();
    Ok(())
}

pub(super) fn take_another_amount(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    let Some(session) = told.session else { return Ok(()) };
    let amount = match world.draw(3) {
        0 => told.amount_minor + 500,
        1 => (told.amount_minor / 2).max(1),
        _ => told.amount_minor,
    };
    let mut body = json!({ "session": session, "amount": amount });
    if world.often(15) {
        body["currency"] = json!("gbp");
    }
    world.control("/capture_override", &body);
    Ok(())
}

pub(super) fn change_fees(world: &mut World) -> Result<(), String> {
    let mode = if world.often(50) { "later" } else { "at_once" };
    world.control("/fees", &json!({ "mode": mode }));
    if mode == "at_once" {
        world.control("/fees/release", &nothing());
    }
    world.collect_webhooks();
    Ok(())
}

pub(super) fn forget_keys(world: &mut World) -> Result<(), String> {
    // They are kept for a day at least.
    world.clock.advance(std::time::Duration::from_secs(86_400));
    world.control("/keys/forget", &nothing());
    Ok(())
}

pub(super) fn pay_out_daily(world: &mut World) -> Result<(), String> {
    world.control("/payouts", &json!({ "schedule": "daily" }));
    world.collect_webhooks();
    Ok(())
}

pub(super) fn fail_next_payout(world: &mut World) -> Result<(), String> {
    world.control("/payouts", &json!({ "next_fails_with": "account_closed" }));
    Ok(())
}

pub(super) fn fail_payout(world: &mut World) -> Result<(), String> {
    let listed = world.dashboard("/v1/payouts?limit=5", None);
    let listed = listed.as_ref().and_then(|listed| listed["data"].as_array()).cloned().unwrap_or_default();
    let Some(payout) = listed.get(world.draw(listed.len())) else { return Ok(()) };
    let id = payout["id"].as_str().unwrap_or_default();
    world.control(&format!("/payouts/{id}/fail"), &json!({ "code": "account_closed" }));
    world.collect_webhooks();
    Ok(())
}
