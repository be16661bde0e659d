//! What routes answer in common: the errors that any of them may give, and how a request that may be repeated is answered.

use super::problem::{Code, Problem, ProblemBody};
use crate::actions::once::Ran;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{IntoParams, IntoResponses, ToSchema};

/// Answers what was made, with 201; see [`done`].
pub fn made<T, E>(
    ran: Ran<T, E>,
    answer: fn(&T) -> anyhow::Result<(String, String)>,
    refused: impl FnOnce(E) -> Problem,
) -> Result<Response, Problem> {
    tell(StatusCode::CREATED, ran, answer, refused)
}

/// Answers what was done: a repeat gets the first answer, word for word, and a header that says so.
pub fn done<T, E>(
    ran: Ran<T, E>,
    answer: fn(&T) -> anyhow::Result<(String, String)>,
    refused: impl FnOnce(E) -> Problem,
) -> Result<Response, Problem> {
    tell(StatusCode::OK, ran, answer, refused)
}

fn tell<T, E>(
    status: StatusCode,
    ran: Ran<T, E>,
    answer: fn(&T) -> anyhow::Result<(String, String)>,
    refused: impl FnOnce(E) -> Problem,
) -> Result<Response, Problem> {
    const JSON: (HeaderName, HeaderValue) =
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    const REPLAYED: (HeaderName, HeaderValue) =
        (HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    match ran {
        Ran::New(made) => Ok((status, [JSON], answer(&made)?.1).into_response()),
        Ran::Repeated(before) => Ok((status, [JSON, REPLAYED], before).into_response()),
        Ran::Refused(why) => Err(refused(why)),
        Ran::OtherRequest => {
            let detail =
                "This Idempotency-Key was used for another request within the last 30 days; make a new one.";
            Err(Problem::new(Code::IdempotencyKeyReused, detail).at("Idempotency-Key"))
        }
    }
}

/// The key that makes a repeat harmless.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it only describes a header")]
pub struct OptionalKey {
    /// Any text of 1 to 255 visible characters, kept for 30 days. The same request with the same key is done once and answered the
    /// same again, with `Idempotent-Replayed: true`.
    #[param(
        rename = "Idempotency-Key", value_type = String, required = false,
        pattern = "^[!-~]{1,255}$", min_length = 1, max_length = 255
    )]
    key: Option<String>,
}

/// The same where it is required.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it only describes a header")]
pub struct RequiredKey {
    /// Any text of 1 to 255 visible characters, kept for 30 days. The same request with the same key is done once and answered the
    /// same again, with `Idempotent-Replayed: true`.
    #[param(rename = "Idempotency-Key", pattern = "^[!-~]{1,255}$", min_length = 1, max_length = 255)]
    key: String,
}

fn error(codes: &[Code]) -> RefOr<Described> {
    let words: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let described = ResponseBuilder::new().description(words.join("; "));
    described.content("application/problem+json", content).build().into()
}

fn errors(codes: &[Code]) -> BTreeMap<String, RefOr<Described>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), error(&codes))).collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident = [$($code:ident),* $(,)?];)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Described>> {
                errors(&[$(Code::$code),*])
            }
        }
    )*};
}

answers! {
    /// What any route may answer.
    Common = [InvalidKey, InsufficientScope, BrowserOrigin, Timeout, RateLimited, Internal, Unavailable];
    /// What a route answers whose path names something.
    NotFound = [NotFound];
    /// What a list answers.
    Unclear = [InvalidRequest, UnknownCursor];
    /// What a route answers that takes a body and may be repeated.
    Unreadable = [
        InvalidJson, InvalidIdempotencyKey, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber,
        IdempotencyKeyReused,
    ];
    /// What adding a contact may answer.
    CannotAdd = [
        InvalidJson, InvalidIdempotencyKey, NotFound, AddressTaken, BodyTooLarge, UnsupportedMediaType,
        InvalidRequest, CardNumber, IdempotencyKeyReused,
    ];
    /// What writing an invoice may answer.
    CannotDraft = [
        InvalidJson, InvalidIdempotencyKey, NotFound, NumberTaken, BodyTooLarge, UnsupportedMediaType,
        InvalidRequest, CardNumber, IdempotencyKeyReused, InvalidLines,
    ];
    /// What an act on an invoice without a body may answer.
    CannotAct = [InvalidIdempotencyKey, NotFound, IdempotencyKeyReused];
    /// What issuing may answer.
    CannotFinalize = [InvalidIdempotencyKey, NotFound, NotDraft, IdempotencyKeyReused];
    /// What voiding may answer.
    CannotVoid = [InvalidIdempotencyKey, NotFound, CannotVoid, NotOpen, IdempotencyKeyReused];
    /// What making a link may answer.
    CannotLink = [
        InvalidJson, InvalidIdempotencyKey, NotFound, NotOpen, BodyTooLarge, UnsupportedMediaType,
        InvalidRequest, CardNumber, IdempotencyKeyReused,
    ];
    /// What a quote may answer.
    CannotQuote = [
        InvalidJson, NotFound, NotOpen, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber,
        AmountAbovePayable, AmountNotPositive, NothingPayable, AllInProgress, PartialNotAllowed,
        AmountBelowMinimum, AmountLeavesTooLittle, AmountNotChargeable,
    ];
    /// What setting a surcharge may answer.
    CannotPass = [InvalidJson, NotFound, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber];
    /// What asking for a refund may answer.
    CannotRefund = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotRefundable, RefundAboveLeft,
        PriceNotGivenBack, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused,
        AmountNotChargeable,
    ];
    /// What approving a refund may answer.
    CannotApprove = [
        InvalidIdempotencyKey, NotFound, NotRefundable, RefundNotWaiting, SecondPersonNeeded, InvalidRequest,
        IdempotencyKeyReused,
    ];
    /// What refusing a refund may answer.
    CannotRefuse = [
        InvalidJson, InvalidIdempotencyKey, NotFound, NotRefundable, RefundNotWaiting, SecondPersonNeeded, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused,
    ];
    /// What marking a refund as paid may answer.
    CannotMarkPaid = [
        InvalidJson, InvalidIdempotencyKey, NotFound, RefundNotWaiting, SecondPersonNeeded, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, DateInFuture,
    ];
    /// What recording a payment may answer.
    CannotRecord = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotOpen, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, Surplus,
        AllocationsAboveAmount, CurrencyMismatch, CustomerMismatch, DateInFuture, PaymentMethodUnusable,
        NotRetryable, SurchargeChanged, AmountAbovePayable, AmountNotPositive, NothingPayable, AllInProgress,
        PartialNotAllowed, AmountBelowMinimum, AmountLeavesTooLittle, AmountNotChargeable,
    ];
    /// What settling a payment by hand may answer.
    CannotResolve = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, ProcessorAnswered, NotResolvable, SecondPersonNeeded,
        BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused,
    ];
    /// What presenting a debit again may answer.
    CannotRetry = [
        MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotRetryable, PaymentMethodUnusable,
        IdempotencyKeyReused, SurchargeChanged, AmountAbovePayable, AmountNotPositive, NothingPayable,
        AllInProgress, PartialNotAllowed, AmountBelowMinimum, AmountLeavesTooLittle, AmountNotChargeable,
    ];
    /// What reversing a recorded receipt may answer.
    CannotReverse = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotReversible, AlreadyReversed,
        BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused,
    ];
    /// What applying credit may answer.
    CannotApply = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotOpen, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, AmountAbovePayable,
        AmountAboveCredit, NothingPayable, NoCredit,
    ];
    /// What moving an allocation may answer.
    CannotMove = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotOpen, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, AmountAbovePayable,
        AmountAboveAllocated, CurrencyMismatch, CustomerMismatch,
    ];
    /// What issuing a credit note may answer.
    CannotCredit = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotOpen, CannotCredit,
        BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused,
        AmountAboveCreditable,
    ];
    /// What writing off may answer.
    CannotWriteOff = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotOpen, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, AmountAbovePayable,
        NothingPayable,
    ];
    /// What demanding a returned payment again may answer.
    CannotDemand = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, NothingOwed,
        AmountAboveOwed,
    ];
    /// What recording money without a payer may answer.
    CannotReceive = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, BodyTooLarge, UnsupportedMediaType,
        InvalidRequest, CardNumber, IdempotencyKeyReused, DateInFuture,
    ];
    /// What matching a receipt may answer.
    CannotMatch = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, NotOpen, BodyTooLarge,
        UnsupportedMediaType, InvalidRequest, CardNumber, IdempotencyKeyReused, AmountAbovePayable,
        AllocationsAboveAmount, CurrencyMismatch, CustomerMismatch,
    ];
    /// What handing in evidence may answer.
    CannotSubmitEvidence = [
        InvalidJson, MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, DisputeEnded, EvidenceSent,
        EvidencePastDue, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber,
        IdempotencyKeyReused, FileNotTaken,
    ];
    /// What accepting a dispute may answer.
    CannotAcceptDispute =
        [MissingIdempotencyKey, InvalidIdempotencyKey, NotFound, DisputeEnded, IdempotencyKeyReused];
    /// What choosing what a loss means may answer.
    CannotChooseLoss = [
        InvalidJson, NotFound, DisputeEnded, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber,
    ];
    /// What setting what losses mean may answer.
    CannotSetDisputes = [InvalidJson, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber];
    /// What calling a payment off may answer.
    CannotCallOff = [NotFound, CannotCancel];
    /// What ending a mandate may answer.
    CannotEndMandate = [NotFound, ForOneDebit];
    /// What setting something may answer.
    CannotSet = [InvalidJson, BodyTooLarge, UnsupportedMediaType, InvalidRequest, CardNumber];
}
