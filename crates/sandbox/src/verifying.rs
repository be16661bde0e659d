//! Verifying a bank account by small deposits: the payer types two amounts, or the code beside a single one.
//!
//! The published answers are 32 and 45, or SM11AA; 10 and 11, or SM33CC, are one try too many; 40 and 41, or SM44DD, come too late; all else is wrong.
//! Nothing is debited before the account is verified.

use crate::agenda::{self, Appointment};
use crate::api::payment_intents;
use crate::banks;
use crate::calendar::{DAY_SECONDS, business_days_after};
use crate::charging::{self, Tried};
use crate::error::{ApiError, Failure};
use crate::objects::{
    Instrument, Intent, IntentStatus, MandateStatus, PaymentError, PaymentMethod, Verification,
};
use crate::work::Work;
use crate::{checkout, debits, mandates, setting_up, store};
use serde::{Deserialize, Serialize};

const TRIES: u32 = 3;
const PATIENCE_DAYS: i64 = 10;
const TOO_LATE: &str = "payment_method_microdeposit_verification_timeout";
const TOO_LATE_WORDS: &str = "The bank account was not verified in time.";

/// How an account is proved where the caller left that to the processor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Automatic {
    /// At once, as by signing in at the bank.
    #[default]
    Instant,
    /// By two small deposits.
    Microdeposits,
}

/// The setting that says it.
pub(crate) const AUTOMATIC: &str = "verification";

/// Whether a payer has to prove that the account is theirs before it is debited. `wanted` is what the caller asked for.
pub(crate) fn is_needed(
    work: &Work<'_>,
    method: &PaymentMethod,
    wanted: Option<&str>,
) -> Result<bool, Failure> {
    if method.is_verified || method.kind != "us_bank_account" {
        return Ok(false);
    }
    if wanted != Some("automatic") {
        return Ok(wanted == Some("microdeposits"));
    }
    let automatic: Automatic = store::setting(work.connection, AUTOMATIC)?;
    Ok(automatic == Automatic::Microdeposits || method.instrument.token() == banks::NO_MICRODEPOSITS)
}

/// What a payer typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// In cents, in any order.
    Amounts(i64, i64),
    DescriptorCode(String),
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    Wrong,
    OneTooMany,
    TooLate,
}

impl Proof {
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Amounts(32, 45) | Self::Amounts(45, 32) => Verdict::Right,
            Self::Amounts(10, 11) | Self::Amounts(11, 10) => Verdict::OneTooMany,
            Self::Amounts(40, 41) | Self::Amounts(41, 40) => Verdict::TooLate,
            Self::Amounts(_, _) => Verdict::Wrong,
            Self::DescriptorCode(code) => match code.trim().to_ascii_uppercase().as_str() {
                "SM11AA" => Verdict::Right,
                "SM33CC" => Verdict::OneTooMany,
                "SM44DD" => Verdict::TooLate,
                _ => Verdict::Wrong,
            },
        }
    }

    fn mismatch_code(&self) -> &'static str {
        match self {
            Self::Amounts(_, _) => "payment_method_microdeposit_verification_amounts_mismatch",
            Self::DescriptorCode(_) => "payment_method_microdeposit_verification_descriptor_code_mismatch",
        }
    }
}

/// A verification that begins now, of a mandate that waits for it.
pub(crate) fn begin(
    work: &Work<'_>,
    instrument: &Instrument,
    mandate: &str,
    object_id: &str,
) -> Result<Verification, Failure> {
    let arrives_at = business_days_after(work.now, 1);
    let verification = Verification {
        arrives_at,
        expires_at: work.now + PATIENCE_DAYS * DAY_SECONDS,
        tries_left: TRIES,
        form_token: work.next_id("tok_")?,
        problem: None,
        mandate: mandate.to_owned(),
    };
    agenda::forget(work, object_id)?;
    if instrument.token() == banks::NO_MICRODEPOSITS {
        agenda::put(work, arrives_at, &Appointment::FailMicrodeposits, object_id)?;
    }
    agenda::put(work, verification.expires_at, &Appointment::EndVerification, object_id)?;
    Ok(verification)
}

/// Asks the payer of an intent to verify first; the session is complete with it.
pub(crate) fn ask_payer(work: &Work<'_>, intent: &mut Intent, mandate: &str) -> Result<Tried, Failure> {
    let instrument =
        intent.instrument.clone().ok_or_else(|| anyhow::anyhow!("{} has no account", intent.id))?;
    intent.verification = Some(begin(work, &instrument, mandate, &intent.id)?);
    intent.status = IntentStatus::RequiresAction;
    work.update(intent)?;
    work.event("payment_intent.requires_action", payment_intents::view(work, intent))?;
    Ok(Tried::NeedsVerification)
}

/// What an answer is worth, the tries that are left considered.
pub(crate) fn judge(verification: &Verification, proof: &Proof) -> Verdict {
    match proof.verdict() {
        Verdict::Wrong if verification.tries_left <= 1 => Verdict::OneTooMany,
        verdict => verdict,
    }
}

/// Uses up a try.
pub(crate) fn note_wrong(work: &Work<'_>, verification: &mut Verification) -> Result<(), Failure> {
    verification.tries_left -= 1;
    verification.form_token = work.next_id("tok_")?;
    let tries = match verification.tries_left {
        1 => "1 try".to_owned(),
        left => format!("{left} tries"),
    };
    verification.problem = Some(format!("That is not what we sent. You have {tries} left"));
    Ok(())
}

/// The published code of an answer that was not right, and its words.
pub(crate) fn end_words(verdict: Verdict, proof: &Proof) -> (&'static str, &'static str) {
    match verdict {
        Verdict::OneTooMany => (
            "payment_method_microdeposit_verification_attempts_exceeded",
            "You have exceeded the number of allowed verification attempts.",
        ),
        Verdict::TooLate => (TOO_LATE, TOO_LATE_WORDS),
        Verdict::Right | Verdict::Wrong => (
            proof.mismatch_code(),
            "The amounts or the code provided do not match what was sent to the bank account.",
        ),
    }
}

/// What the object says of the answer.
pub(crate) fn error_of(verdict: Verdict, proof: &Proof) -> PaymentError {
    let (code, message) = end_words(verdict, proof);
    PaymentError {
        code: code.to_owned(),
        decline_code: None,
        network_code: None,
        message: message.to_owned(),
        charge: None,
    }
}

pub(crate) fn refusal_of(verdict: Verdict, proof: &Proof) -> ApiError {
    let (code, message) = end_words(verdict, proof);
    ApiError::state(Some(code), message)
}

/// Takes a payer's answer. A wrong one is kept as a try; the error says how it was wrong.
pub(crate) fn answer(
    work: &Work<'_>,
    intent: &mut Intent,
    proof: &Proof,
) -> Result<Result<(), ApiError>, Failure> {
    let Some(verification) = intent.verification.as_mut() else {
        let message = "This PaymentIntent is not waiting for a micro-deposit verification.";
        return Err(charging::unexpected_state(work, intent, message));
    };
    let verdict = judge(verification, proof);
    match verdict {
        Verdict::Right => {
            let mandate = verification.mandate.clone();
            mandates::turn(work, &mandate, MandateStatus::Active)?;
            if let Some(id) = &intent.payment_method {
                let mut method: PaymentMethod = work.own(id)?;
                method.is_verified = true;
                work.update(&method)?;
            }
            intent.last_error = None;
            debits::start(work, intent)?;
            return Ok(Ok(()));
        }
        Verdict::Wrong => {
            note_wrong(work, verification)?;
            intent.last_error = Some(error_of(verdict, proof));
            work.update(intent)?;
        }
        Verdict::OneTooMany | Verdict::TooLate => {
            let (code, message) = end_words(verdict, proof);
            end(work, intent, code, message)?;
        }
    }
    Ok(Err(refusal_of(verdict, proof)))
}

/// The deposits did not get through.
pub(crate) fn fail_deposits(work: &Work<'_>, object_id: &str) -> Result<(), Failure> {
    let message = "The micro-deposits could not be sent to the bank account. Check its numbers.";
    end_of(work, object_id, "payment_method_microdeposit_failed", message)
}

/// Ten days are over.
pub(crate) fn run_out(work: &Work<'_>, object_id: &str) -> Result<(), Failure> {
    end_of(work, object_id, TOO_LATE, TOO_LATE_WORDS)
}

fn end_of(work: &Work<'_>, object_id: &str, code: &str, message: &str) -> Result<(), Failure> {
    if object_id.starts_with("seti_") {
        return setting_up::end_verification(work, object_id, code, message);
    }
    let mut intent: Intent = work.own(object_id)?;
    end(work, &mut intent, code, message)
}

fn end(work: &Work<'_>, intent: &mut Intent, code: &str, message: &str) -> Result<(), Failure> {
    let Some(verification) = intent.verification.take() else { return Ok(()) };
    mandates::turn(work, &verification.mandate, MandateStatus::Inactive)?;
    intent.status = IntentStatus::RequiresPaymentMethod;
    intent.last_error = Some(PaymentError {
        code: code.to_owned(),
        decline_code: None,
        network_code: None,
        message: message.to_owned(),
        charge: None,
    });
    work.update(intent)?;
    work.event("payment_intent.payment_failed", payment_intents::view(work, intent))?;
    checkout::decide(work, intent, false)
}
