//! How a request of the API is refused: one shape for every error (RFC 9457), with a code for programs, words for people, and
//! what would be accepted instead. The words never tell what another merchant has.

use crate::portal::fail::Fail;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use store::db::StoreError;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// What went wrong, as a word that stays.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {$(
            $(#[doc = $doc])+
            $name,
        )*}

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {$(Code::$name => $word,)*}
            }

            /// The status it comes with.
            pub const fn status(self) -> StatusCode {
                match self {$(Code::$name => StatusCode::$status,)*}
            }

            /// It in a few words.
            pub const fn title(self) -> &'static str {
                match self {$(Code::$name => $title,)*}
            }

            /// What it means, and what to do.
            pub const fn meaning(self) -> &'static str {
                match self {$(Code::$name => concat!($($doc),+),)*}
            }
        }
    };
}

codes! {
    /// The body is not JSON. Nothing was done.
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not JSON";
    /// Money routes need an Idempotency-Key header, so that a repeat after a lost answer does nothing twice. Send any text of 1 to 255 visible characters that you make anew for each payment and keep for its repeats.
    MissingIdempotencyKey = "missing_idempotency_key", BAD_REQUEST, "The Idempotency-Key header is missing";
    /// The Idempotency-Key has to be 1 to 255 visible characters of ASCII, in one header.
    InvalidIdempotencyKey = "invalid_idempotency_key", BAD_REQUEST, "The Idempotency-Key cannot be read";
    /// Send the key as `Authorization: Bearer paydown_…`. It is unknown, has ended or was taken back otherwise.
    InvalidKey = "invalid_key", UNAUTHORIZED, "The API key is missing or not valid";
    /// The key may not do this. Make one with the scope that the answer names.
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The API key may not do this";
    /// The request comes from a web page. Whoever opens that page could read the key: call from a server.
    BrowserOrigin = "browser_origin", FORBIDDEN, "API keys do not work from web pages";
    /// There is nothing at this address, or the id in it or in the body names nothing of yours.
    NotFound = "not_found", NOT_FOUND, "Not found";
    /// The address does not take this method; the Allow header names those it takes.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The address does not take this method";
    /// The request took too long to arrive or to answer. Repeat it with the same Idempotency-Key.
    Timeout = "timeout", REQUEST_TIMEOUT, "The request took too long";
    /// Another invoice has this number. Choose another one, or leave it out.
    NumberTaken = "number_taken", CONFLICT, "The number is taken";
    /// The customer has a contact with this address already.
    AddressTaken = "address_taken", CONFLICT, "The address is taken";
    /// Only a draft can be issued, and this invoice is none.
    NotDraft = "not_draft", CONFLICT, "The invoice is no draft";
    /// The invoice is a draft or void, so nothing can be paid on it, and nobody can be sent to it.
    NotOpen = "not_open", CONFLICT, "The invoice is not open";
    /// Something was paid on the invoice or is on its way, or it was credited in part: it cannot be voided.
    CannotVoid = "cannot_void", CONFLICT, "The invoice cannot be voided";
    /// More is asked back than is left. `left` says how much is.
    RefundAboveLeft = "refund_above_left", CONFLICT, "More than is left to refund";
    /// The payment brought no money, was taken back, or a dispute of it is open: nothing of it is refunded now.
    NotRefundable = "not_refundable", CONFLICT, "The payment cannot be refunded";
    /// The invoice cannot be credited so, as it was credited or written off before. Refund it as owed again.
    PriceNotGivenBack = "price_not_given_back", CONFLICT, "The price cannot be given back";
    /// A refund above the limit is approved by somebody else than who asked for it; a payment is settled by hand by somebody else than who said first how it ended.
    SecondPersonNeeded = "second_person_needed", CONFLICT, "A second person is needed";
    /// The refund does not wait for this: it was sent, has ended, needs no approval, or is paid by the processor.
    RefundNotWaiting = "refund_not_waiting", CONFLICT, "The refund does not wait for this";
    /// The processor was asked and answered how the payment stands. Its word counts and was applied; look at the payment again.
    ProcessorAnswered = "processor_answered", CONFLICT, "The processor answered";
    /// The payment is not one that waits for an answer, has not waited long enough, or cannot end so.
    NotResolvable = "not_resolvable", CONFLICT, "The payment cannot be settled by hand";
    /// The payment came through the processor, whose word counts. Refund it instead, which gives the money back.
    NotReversible = "not_reversible", CONFLICT, "The payment cannot be reversed";
    /// The last debit of this account for this invoice came back, and may not be presented again: for its reason, for the third time, too late, or for another amount. `detail` says why, and which day was the last. Ask the payer to pay anew.
    NotRetryable = "not_retryable", CONFLICT, "The debit cannot be presented again";
    /// The payment or receipt was reversed before.
    AlreadyReversed = "already_reversed", CONFLICT, "It was reversed already";
    /// The invoice demands a returned payment again: there is nothing to credit on it.
    CannotCredit = "cannot_credit", CONFLICT, "The invoice cannot be credited";
    /// The dispute was decided or accepted, so nothing can be said about it any more.
    DisputeEnded = "dispute_ended", CONFLICT, "The dispute has ended";
    /// Evidence is on its way to the bank or there; a bank takes it once.
    EvidenceSent = "evidence_sent", CONFLICT, "Evidence was sent already";
    /// The time in which the bank takes evidence is over.
    EvidencePastDue = "evidence_past_due", CONFLICT, "It is too late for evidence";
    /// The saved method was removed, has expired, may not be debited any more, is another company's, or the merchant does not take its kind. Ask the payer for another one.
    PaymentMethodUnusable = "payment_method_unusable", CONFLICT, "The saved method cannot be charged";
    /// The payment has ended, or the processor did not call it off: only its answer counts. Look at the payment for where it stands.
    CannotCancel = "cannot_cancel", CONFLICT, "The payment was not called off";
    /// The mandate is for one debit and allows nothing after it. Call the payment off instead.
    ForOneDebit = "for_one_debit", CONFLICT, "The mandate is for one debit";
    /// The body is larger than 1 MiB, or than 12 MiB where evidence is handed in.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body has to be `Content-Type: application/json`.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has to be JSON";
    /// A field or a parameter is missing, unknown, of another type or out of range. `param` names it.
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request is not valid";
    /// The list has no row with the id in `starting_after`. Begin without it, or after a row that the list gave you.
    UnknownCursor = "unknown_cursor", UNPROCESSABLE_ENTITY, "The list has no such row to begin after";
    /// The Idempotency-Key was used for another request within the last 30 days.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request";
    /// The lines do not make an invoice: they come to less than nothing, or to more than 15 digits.
    InvalidLines = "invalid_lines", UNPROCESSABLE_ENTITY, "The lines do not make an invoice";
    /// A text holds a card number, which must never be kept. Leave it out.
    CardNumber = "card_number", UNPROCESSABLE_ENTITY, "A text holds a card number";
    /// A file is empty, larger than 4 MiB, neither PDF, JPEG nor PNG by its content, or something else than its name says.
    FileNotTaken = "file_not_taken", UNPROCESSABLE_ENTITY, "The file is not taken";
    /// The amount is above what is payable now. `limits` says what may be paid.
    AmountAbovePayable = "amount_above_payable", UNPROCESSABLE_ENTITY, "The amount is above what is payable";
    /// The amount is not above 0.
    AmountNotPositive = "amount_not_positive", UNPROCESSABLE_ENTITY, "The amount is not above 0";
    /// The amount is above the credit that the customer has. `limits` says how much there is.
    AmountAboveCredit = "amount_above_credit", UNPROCESSABLE_ENTITY, "The amount is above the credit";
    /// The payment or grant has less on that invoice. `limits` says how much.
    AmountAboveAllocated = "amount_above_allocated", UNPROCESSABLE_ENTITY, "The amount is above what stands there";
    /// The amount is above what the invoice asked for, less what was credited and written off of it. `limits` says what is left to credit.
    AmountAboveCreditable = "amount_above_creditable", UNPROCESSABLE_ENTITY, "The amount is above what is left to credit";
    /// The customer owes less of returned payments. `limits` says how much.
    AmountAboveOwed = "amount_above_owed", UNPROCESSABLE_ENTITY, "The amount is above what is owed";
    /// The customer has no credit in the currency of the invoice.
    NoCredit = "no_credit", UNPROCESSABLE_ENTITY, "There is no credit";
    /// The customer owes nothing of a returned payment, or was asked for all of it again.
    NothingOwed = "nothing_owed", UNPROCESSABLE_ENTITY, "Nothing of the kind is owed";
    /// Nothing is left to pay on the invoice.
    NothingPayable = "nothing_payable", UNPROCESSABLE_ENTITY, "Nothing is payable";
    /// All that is owed is on its way already.
    AllInProgress = "all_in_progress", UNPROCESSABLE_ENTITY, "All of it is in progress";
    /// The merchant wants the invoice paid in full.
    PartialNotAllowed = "partial_not_allowed", UNPROCESSABLE_ENTITY, "Only the whole amount can be paid";
    /// The amount is below the least that may be paid now.
    AmountBelowMinimum = "amount_below_minimum", UNPROCESSABLE_ENTITY, "The amount is below the minimum";
    /// What would stay on the invoice is too little to be paid later.
    AmountLeavesTooLittle = "amount_leaves_too_little", UNPROCESSABLE_ENTITY, "Too little would stay";
    /// The method cannot carry the amount: below its least, above its most, or not on its steps.
    AmountNotChargeable = "amount_not_chargeable", UNPROCESSABLE_ENTITY, "The method cannot carry the amount";
    /// The surcharge is another one than was sent. Tell the payer, then send the one that the answer names.
    SurchargeChanged = "surcharge_changed", UNPROCESSABLE_ENTITY, "The surcharge is another one";
    /// The invoices cannot take all of the money. `surplus` is what has no place; send `"surplus": "customer_credit"` to keep it as the customer's credit.
    Surplus = "surplus", UNPROCESSABLE_ENTITY, "The invoices cannot take all of it";
    /// The allocations add up to more than the amount.
    AllocationsAboveAmount = "allocations_above_amount", UNPROCESSABLE_ENTITY, "More is allocated than was received";
    /// An invoice is in another currency than the payment.
    CurrencyMismatch = "currency_mismatch", UNPROCESSABLE_ENTITY, "The currencies differ";
    /// The invoices, or the customer that was named, are not of one company. Record a payment for each.
    CustomerMismatch = "customer_mismatch", UNPROCESSABLE_ENTITY, "The customers differ";
    /// The day is more than a day ahead; money that was received has come.
    DateInFuture = "date_in_future", UNPROCESSABLE_ENTITY, "The day is still to come";
    /// Too many requests with this key. Wait as long as Retry-After says.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// Our mistake. Quote the request_id; repeating with the same Idempotency-Key does nothing twice.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
    /// The database is busy, takes no writes for now, or did not say whether it wrote. Repeat with the same Idempotency-Key after Retry-After: it is done once.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available for a moment";
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let words = Code::ALL.iter().map(|code| code.as_str());
        let schema =
            ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words));
        schema.description(Some("What went wrong, as a word that stays.")).into()
    }
}

impl ToSchema for Code {}

/// An error on its way out; the middleware writes it, with the request's id.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// In a sentence, for this request.
    pub detail: Cow<'static, str>,
    /// The field or parameter it is about: `lines[0].quantity`.
    pub param: Option<String>,
    /// What would be accepted.
    pub more: Option<Box<More>>,
    /// When to come again.
    pub retry_after_seconds: Option<i64>,
}

/// What an error about an amount tells besides. Minor units.
#[derive(Debug, Clone, Default, Serialize)]
pub struct More {
    /// Least and most that would be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Amounts near the one asked for that would be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_legal_amounts: Option<Vec<i64>>,
    /// What has no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surplus: Option<i64>,
    /// What is left to refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<i64>,
    /// What each invoice can take now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payable: Option<Vec<Payable>>,
    /// Currency of all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Least and most that may be paid now, minor units.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Limits {
    /// Least, minor units.
    pub minimum: i64,
    /// Most, minor units.
    pub maximum: i64,
}

/// What an invoice can take now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Payable {
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    pub invoice: String,
    /// Minor units.
    pub payable_now: i64,
}

/// Every error of the API: `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/v1/docs#error-not_found")]
    kind: String,
    /// The code in a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong with this request, in a sentence.
    detail: String,
    /// What went wrong, for programs.
    code: Code,
    /// The field or parameter it is about: `lines[0].quantity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    param: Option<String>,
    /// What may be paid now, where the error is about an amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    limits: Option<Limits>,
    /// Amounts near the one asked for that would be accepted, minor units, ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_legal_amounts: Option<Vec<i64>>,
    /// Received money that has no place, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    surplus: Option<i64>,
    /// What is left to refund, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    left: Option<i64>,
    /// What each invoice of the request can take now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payable: Option<Vec<Payable>>,
    /// Currency of the amounts above.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "usd")]
    currency: Option<String>,
    /// What to quote to find the request in the log.
    request_id: String,
}

impl Problem {
    /// An error in a sentence.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { code, detail: detail.into(), param: None, more: None, retry_after_seconds: None }
    }

    /// It is about this field or parameter.
    pub fn at(self, param: impl Into<String>) -> Problem {
        Problem { param: Some(param.into()), ..self }
    }

    /// With what would be accepted.
    pub fn with(self, more: More) -> Problem {
        Problem { more: Some(Box::new(more)), ..self }
    }

    /// Nothing of this caller's is there.
    pub fn not_found() -> Problem {
        Problem::new(Code::NotFound, "There is nothing here, or it is not yours.")
    }

    /// The same failure of a part that the portal shares, in the words of the API.
    pub fn of(fail: &Fail, now: Timestamp) -> Problem {
        match fail {
            Fail::NotFound | Fail::LinkClosed(_) => Problem::not_found(),
            Fail::WrongMethod => Problem::new(
                Code::MethodNotAllowed,
                "The Allow header names the methods that this address takes.",
            ),
            Fail::TooLarge => Problem::new(Code::BodyTooLarge, "Send at most 1 MiB."),
            Fail::WrongType => Problem::new(Code::UnsupportedMediaType, "Send application/json."),
            Fail::TooMany(until) | Fail::Paused(until) => {
                let seconds = until.duration_since(now).as_secs().max(1);
                let problem = Problem::new(Code::RateLimited, "Wait as long as Retry-After says.");
                Problem { retry_after_seconds: Some(seconds), ..problem }
            }
            Fail::Unavailable => {
                Problem::unavailable(1, "The database is busy. Nothing was done; try again.")
            }
            Fail::ReadOnly => Problem::unavailable(
                300,
                "The database takes no writes until somebody looks after it. Nothing was done.",
            ),
            Fail::FormNotOurs | Fail::SessionOver(_) | Fail::NotUnderstood | Fail::Ours => {
                Problem::internal()
            }
        }
    }

    fn unavailable(seconds: i64, detail: &'static str) -> Problem {
        Problem { retry_after_seconds: Some(seconds), ..Problem::new(Code::Unavailable, detail) }
    }

    fn internal() -> Problem {
        let detail =
            "Our mistake. With an Idempotency-Key, the same request can be repeated and does nothing twice.";
        Problem::new(Code::Internal, detail)
    }

    /// The answer.
    pub fn render(&self, request_id: &str) -> Response {
        let more = self.more.as_deref().cloned().unwrap_or_default();
        let body = ProblemBody {
            kind: format!("/v1/docs#error-{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone().into_owned(),
            code: self.code,
            param: self.param.clone(),
            limits: more.limits,
            next_legal_amounts: more.next_legal_amounts,
            surplus: more.surplus,
            left: more.left,
            payable: more.payable,
            currency: more.currency,
            request_id: request_id.to_owned(),
        };
        let json = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (self.code.status(), json).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::InvalidKey {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"paydown\""));
        }
        response
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        match error.downcast_ref::<StoreError>() {
            Some(StoreError::ReadOnly(_)) => Problem::of(&Fail::ReadOnly, Timestamp::UNIX_EPOCH),
            Some(
                StoreError::Busy
                | StoreError::Unavailable(_)
                | StoreError::RolledBack(_)
                | StoreError::Closed,
            ) => Problem::of(&Fail::Unavailable, Timestamp::UNIX_EPOCH),
            Some(StoreError::CommitUnknown(_)) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "whether a request of the API was done is not known"
                );
                Problem::unavailable(
                    1,
                    "Whether it was done is not known. Repeat it with the same Idempotency-Key: it is done once.",
                )
            }
            _ => {
                tracing::error!(error = format!("{error:#}"), "a request of the API failed");
                Problem::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
