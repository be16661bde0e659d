//! A request of one transaction that its caller may repeat: the first time it is done and what was answered is kept, word for
//! word; after that the same is answered again and nothing is done. Refusals are kept by nobody: they did nothing.
//!
//! The key is claimed before anything else is looked at. Whoever comes with the same key at the same moment waits at the
//! claim for the end of the first, on either engine.

use crate::clock::Mint;
use anyhow::Result;
use billing::ids::MerchantId;
use store::db::Tx;
use store::idempotency::{self, Key};

/// How a request is known again, and what is answered to it.
#[derive(Clone)]
pub struct Once<T> {
    /// Whose key: the printed id of an API key.
    pub owner: String,
    /// Which route.
    pub route: &'static str,
    /// The key itself.
    pub key: String,
    /// SHA-256 of what was asked for.
    pub request_hash: [u8; 32],
    /// The printed id of what was made, and the answer that tells of it. What an answer looks like is the boundary's.
    pub answer: fn(&T) -> Result<(String, String)>,
}

/// What came of a request.
#[derive(Debug)]
pub enum Ran<T, E> {
    /// It was done.
    New(T),
    /// A rule says no; nothing was done.
    Refused(E),
    /// It was done before, and this was answered.
    Repeated(String),
    /// Something else was asked for under the same key.
    OtherRequest,
}

/// Claims the key; what was answered before, if it was.
pub(super) async fn begin<T, E>(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    once: Option<&Once<T>>,
) -> Result<Option<Ran<T, E>>> {
    let Some(once) = once else { return Ok(None) };
    // A key that had its month may be swept between the two; then it is free.
    for _ in 0..2 {
        if idempotency::claim(tx, merchant, once.key(), &once.request_hash, mint.now).await? {
            return Ok(None);
        }
        if let Some(before) = idempotency::find_answer(tx, merchant, once.key()).await? {
            let same = before.request_hash == once.request_hash;
            return Ok(Some(if same { Ran::Repeated(before.answer) } else { Ran::OtherRequest }));
        }
    }
    anyhow::bail!("a key was swept twice in a moment")
}

/// Keeps what is answered, or lets the key go where nothing was done.
pub(super) async fn end<T, E>(
    tx: &mut Tx,
    merchant: MerchantId,
    once: Option<&Once<T>>,
    outcome: Result<T, E>,
) -> Result<Ran<T, E>> {
    match (outcome, once) {
        (Ok(made), Some(once)) => {
            let (resource, answer) = (once.answer)(&made)?;
            idempotency::answer(tx, merchant, once.key(), &resource, &answer).await?;
            Ok(Ran::New(made))
        }
        (Ok(made), None) => Ok(Ran::New(made)),
        (Err(why), Some(once)) => {
            idempotency::delete_claim(tx, merchant, once.key()).await?;
            Ok(Ran::Refused(why))
        }
        (Err(why), None) => Ok(Ran::Refused(why)),
    }
}

impl<T> Once<T> {
    fn key(&self) -> Key<'_> {
        Key { owner: &self.owner, route: self.route, key: &self.key }
    }
}
