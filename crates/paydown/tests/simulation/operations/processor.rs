//! What the processor and the banks behind it do of their own accord.

use crate::world::{Told, World, nothing};
use billing::payment::Method;
use serde_json::{Value, json};

impl World {
    /// A payment that somebody was sent to a page for, and the page as the processor has it.
    fn some_page(&mut self) -> Option<(Told, Value)> {
        let told = self.some_payment()?;
        let session = told.session.clone()?;
        let listed = self.control_read("/sessions")?;
        let page = listed["sessions"].as_array()?.iter().find(|page| page["id"] == session.as_str())?.clone();
        Some((told, page))
    }
}

pub(super) fn take_back(world: &mut World) -> Result<(), String> {
    let Some((told, page)) = world.some_page() else { return Ok(()) };
    let charge = &page["payment_intent"]["latest_charge"];
    let charge = charge["id"].as_str().or(charge.as_str()).map(str::to_owned);
    let Some(charge) = charge.filter(|_| told.method.is_bank_debit()) else { return Ok(()) };
    let code = match told.method {
        Method::SepaDebit => ["MD06", "AM04"][world.draw(2)],
        _ => ["R01", "R10", "R29", "R05"][world.draw(4)],
    };
    world.control(&format!("/charges/{charge}/return"), &json!({ "code": code }));
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
