//! What happens by itself: time, webhooks, jobs, mail, and the end of the program.

use crate::world::{MERCHANT, World};
use paydown::actions::apply_event::{Received, receive_webhook};
use paydown::actions::{deliver_mail, run_jobs as work, sweep as sweeping};
use paydown::app::App;
use sandbox::Undelivered;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl World {
    /// One webhook reaches the door. Refused ones are a broken promise: each is signed and of this account.
    pub fn deliver(&mut self, webhook: &Undelivered) -> Result<(), String> {
        let (payload, signature) = (webhook.payload.clone(), self.processor.signature(&webhook.payload));
        let received =
            self.live(async move |app: App| receive_webhook(&app, MERCHANT, &payload, &signature).await);
        match received {
            Some(Ok(Received::Stored | Received::Repeated)) => Ok(()),
            Some(Ok(other)) => Err(format!("the webhook {} was {other:?}", webhook.event)),
            // The processor sends it again.
            Some(Err(error)) => {
                self.webhooks.push_back(webhook.clone());
                self.excuse("receiving a webhook", &error)
            }
            None => {
                self.webhooks.push_back(webhook.clone());
                Ok(())
            }
        }
    }

    /// Runs what is due until nothing is, as often as could ever be needed.
    pub fn run_everything_due(&mut self) -> Result<(), String> {
        for _ in 0..200 {
            match self.live(async |app: App| work::run_due(&app).await) {
                Some(Ok(0)) => return Ok(()),
                Some(Ok(_)) | None => {}
                Some(Err(error)) => self.excuse("running jobs", &error)?,
            }
        }
        Err("jobs never come to rest".to_owned())
    }
}

/// Some of what is on the network arrives: in any order, twice, or never.
pub(super) fn deliver_webhooks(world: &mut World) -> Result<(), String> {
    world.collect_webhooks();
    let count = world.draw(world.webhooks.len() + 1);
    for _ in 0..count {
        let at = if world.often(70) { 0 } else { world.draw(world.webhooks.len()) };
        let Some(webhook) = world.webhooks.remove(at) else { break };
        if world.fate.strikes(8) {
            continue;
        }
        world.deliver(&webhook)?;
        if world.fate.strikes(10) {
            world.deliver(&webhook)?;
        }
    }
    Ok(())
}

pub(super) fn webhook_beside_jobs(world: &mut World) -> Result<(), String> {
    world.collect_webhooks();
    let Some(webhook) = world.webhooks.pop_front() else { return run_jobs(world) };
    let (payload, signature) = (webhook.payload.clone(), world.processor.signature(&webhook.payload));
    let both = world.live(async move |app: App| {
        let door = receive_webhook(&app, MERCHANT, &payload, &signature);
        futures::future::join(door, work::run_due(&app)).await
    });
    let Some((received, ran)) = both else {
        world.webhooks.push_back(webhook);
        return Ok(());
    };
    if let Err(error) = received {
        world.webhooks.push_back(webhook);
        return world.excuse("receiving a webhook beside jobs", &error);
    }
    match ran {
        Err(error) => world.excuse("running jobs beside a webhook", &error),
        Ok(_) => Ok(()),
    }
}

pub(super) fn run_jobs(world: &mut World) -> Result<(), String> {
    match world.live(async |app: App| work::run_due(&app).await) {
        Some(Err(error)) => world.excuse("running jobs", &error),
        _ => Ok(()),
    }
}

pub(super) fn poll(world: &mut World) -> Result<(), String> {
    match world.live(async |app: App| work::poll(&app).await) {
        Some(Err(error)) => world.excuse("reading events", &error),
        _ => Ok(()),
    }
}

pub(super) fn send_mail(world: &mut World) -> Result<(), String> {
    let post = Arc::clone(&world.post);
    match world.live(async move |app: App| deliver_mail::deliver_due(&app, post, 8).await) {
        Some(Err(error)) => world.excuse("sending mail", &error),
        _ => Ok(()),
    }
}

pub(super) fn seal(world: &mut World) -> Result<(), String> {
    let stragglers = world.often(20);
    match world.live(async move |app: App| work::seal(&app, stragglers).await) {
        Some(Err(error)) => world.excuse("sealing", &error),
        _ => Ok(()),
    }
}

pub(super) fn sweep(world: &mut World) -> Result<(), String> {
    let swept = world.live(async move |app: App| {
        work::sweep(&app).await?;
        sweeping::sweep_bodies(&app).await
    });
    match swept {
        Some(Err(error)) => world.excuse("sweeping", &error),
        _ => Ok(()),
    }
}

pub(super) fn let_time_pass(world: &mut World) -> Result<(), String> {
    let most = match world.draw(10) {
        0..=4 => 5 * MINUTE,
        5..=7 => HOUR,
        8 => 12 * HOUR,
        _ => 60 * HOUR,
    };
    let seconds = 1 + u64::try_from(world.draw(usize::try_from(most).unwrap_or(1))).unwrap_or(0);
    world.clock.advance(Duration::from_secs(seconds));
    Ok(())
}

pub(super) fn kill(world: &mut World) -> Result<(), String> {
    world.restart();
    Ok(())
}
