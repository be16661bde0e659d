//! The connection of a merchant to its processor: keys are read and unsealed at each use, so that a command which
//! replaces them is obeyed at once.

use crate::actions::catch_up::CatchingUp;
use crate::clock::Clock;
use crate::secrets::{Place, SecretKey};
use anyhow::{Context as _, Result};
use billing::ids::{MerchantId, PaymentId};
use futures::future::BoxFuture;
use gateway::stripe::{Stripe, StripeConfig};
use gateway::{Processor, SecretText};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use store::db::{Store, Tx};
use store::processor_accounts::{self, ProcessorAccount};
use tokio::sync::OwnedMutexGuard;

/// Word of the one processor there is, also for the practice processor, which answers like it.
pub const STRIPE: &str = "stripe";

/// A call that hangs is given up after so long, so that the same one can go out again while the payer still waits.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);

/// Clients by merchant, each kept as long as its sealed key and address stay the same; turns, so that this process asks
/// about a payment once at a time; for which merchants it has caught up with the processor; when it read their payouts; and
/// whether it told somebody that the clocks differ.
#[derive(Default)]
pub struct Processors {
    /// Compared with the processors' own; without it nothing is known of theirs.
    clock: Option<Arc<dyn Clock>>,
    clients: Mutex<HashMap<MerchantId, Connected>>,
    turns: Mutex<HashMap<PaymentId, Weak<Turn>>>,
    caught_up: Mutex<HashMap<MerchantId, Arc<CatchingUp>>>,
    payouts_read_at: Mutex<HashMap<MerchantId, Timestamp>>,
    clocks: Mutex<HashMap<MerchantId, SignedDuration>>,
    /// Asked in place of the one a merchant has connected.
    in_place: Option<Arc<dyn Processor>>,
}

type Turn = tokio::sync::Mutex<()>;

/// A client and what it was made from.
struct Connected {
    sealed_key: Vec<u8>,
    address: String,
    client: Arc<Stripe>,
}

impl Processors {
    /// Connections that compare this clock with the processors'.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Processors {
        Processors { clock: Some(clock), ..Processors::default() }
    }

    /// True if this process did not read a merchant's payouts for so long. A clock that was set back must not stop it.
    pub fn is_due_to_read_payouts(
        &self,
        merchant: MerchantId,
        now: Timestamp,
        every: SignedDuration,
    ) -> bool {
        let read_at = self.payouts_read_at.lock().unwrap_or_else(PoisonError::into_inner);
        read_at.get(&merchant).is_none_or(|at| now < *at || *at + every <= now)
    }

    /// Notes that this process did.
    pub fn payouts_were_read(&self, merchant: MerchantId, now: Timestamp) {
        self.payouts_read_at.lock().unwrap_or_else(PoisonError::into_inner).insert(merchant, now);
    }

    /// Keeps how far our clock is ahead of a merchant's processor; answers what was kept before.
    pub fn keep_clock(&self, merchant: MerchantId, ahead: SignedDuration) -> Option<SignedDuration> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner).insert(merchant, ahead)
    }

    /// How far our clock is ahead of the processor that it differs from most; `None` where none has answered.
    pub fn worst_clock(&self) -> Option<SignedDuration> {
        let clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.values().copied().max_by_key(|ahead| ahead.abs())
    }

    /// Whatever a merchant has connected, this processor is asked: a simulation's, whose calls cross no network.
    pub fn in_place(processor: Arc<dyn Processor>) -> Processors {
        Processors { in_place: Some(processor), ..Processors::default() }
    }

    /// The processor of a merchant; `None` when none is connected.
    ///
    /// Boxed, because the compiler does not see that an `async fn` over these references is `Send` everywhere.
    pub fn of<'a>(
        &'a self,
        store: &'a Store,
        secrets: &'a SecretKey,
        merchant: MerchantId,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn Processor>>>> {
        Box::pin(async move {
            let found =
                store.read(async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await);
            let Some(account) = found.await? else { return Ok(None) };
            match &self.in_place {
                Some(processor) => Ok(Some(Arc::clone(processor))),
                None => self.client(secrets, account).map(Some),
            }
        })
    }

    /// Waits until no other worker of this process asks about the payment; the turn lasts as long as what is answered is
    /// kept. It spares calls that would only be told that another is under way; nothing about money relies on it.
    pub async fn turn(&self, payment: PaymentId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let there = turns.get(&payment).and_then(Weak::upgrade);
            there.unwrap_or_else(|| {
                let turn = Arc::new(Turn::default());
                turns.insert(payment, Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// How far this process has caught up with a merchant's processor.
    pub fn catching_up(&self, merchant: MerchantId) -> Arc<CatchingUp> {
        let mut caught_up = self.caught_up.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(caught_up.entry(merchant).or_default())
    }

    fn client(&self, secrets: &SecretKey, account: ProcessorAccount) -> Result<Arc<dyn Processor>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connected) = clients.get(&account.merchant_id)
            && connected.sealed_key == account.secret_key
            && connected.address == account.base_url
        {
            return Ok(Arc::clone(&connected.client) as Arc<dyn Processor>);
        }
        let mut client = connect(secrets, &account)?;
        if let Some(clock) = self.clock.clone() {
            client = client.with_clock(move || clock.now());
        }
        let client = Arc::new(client);
        let connected = Connected {
            sealed_key: account.secret_key,
            address: account.base_url,
            client: Arc::clone(&client),
        };
        clients.insert(account.merchant_id, connected);
        Ok(client)
    }
}

/// Where a merchant's processor key is sealed.
pub fn key_place(merchant: MerchantId) -> Place<'static> {
    Place { merchant: merchant.0, column: "processor_accounts.secret_key", row: STRIPE }
}

/// Where a merchant's webhook secret is sealed; the earlier one too, so that they can change places.
pub fn webhook_place(merchant: MerchantId) -> Place<'static> {
    Place { merchant: merchant.0, column: "processor_accounts.webhook_secret", row: STRIPE }
}

/// The webhook secret before the current one is accepted for so long after the account was connected anew.
pub const OLD_SECRET_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// The secrets that sign the merchant's webhooks now, newest first.
pub fn webhook_secrets(
    secrets: &SecretKey,
    account: &ProcessorAccount,
    now: Timestamp,
) -> Result<Vec<SecretText>> {
    let before_lives = now < account.connected_at + OLD_SECRET_LIVES;
    let before = account.webhook_secret_before.as_ref().filter(|_| before_lives);
    let sealed = [account.webhook_secret.as_ref(), before];
    sealed
        .into_iter()
        .flatten()
        .map(|sealed| {
            let plain = secrets.open(&webhook_place(account.merchant_id), sealed)?;
            Ok(SecretText::new(String::from_utf8(plain.to_vec())?))
        })
        .collect()
}

fn connect(secrets: &SecretKey, account: &ProcessorAccount) -> Result<Stripe> {
    let plain = secrets.open(&key_place(account.merchant_id), &account.secret_key)?;
    let secret_key = SecretText::new(String::from_utf8(plain.to_vec()).context("the key is no text")?);
    let config = StripeConfig {
        secret_key,
        address: account.base_url.clone(),
        connect_timeout: Duration::from_secs(5),
        call_timeout: CALL_TIMEOUT,
    };
    Stripe::try_new(config).context("the processor's key or address cannot be used")
}
