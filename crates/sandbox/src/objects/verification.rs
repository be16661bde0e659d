//! A bank account that is being verified by small deposits.

use serde::{Deserialize, Serialize};

/// What a payer types to prove that an account is theirs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verification {
    /// When the deposits should be there, in Unix seconds.
    pub(crate) arrives_at: i64,
    /// When it is too late.
    pub(crate) expires_at: i64,
    pub(crate) tries_left: u32,
    /// The one token that the page's next submit must carry.
    pub(crate) form_token: String,
    /// What was wrong with the last answer.
    pub(crate) problem: Option<String>,
    /// The mandate that becomes active with it.
    pub(crate) mandate: String,
}
