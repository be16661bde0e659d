//! What disputes and evidence look like, coming in and going out. Nothing is decided here.

use crate::actions::submit_evidence::{self, NewFile, Submitted};
use crate::api::fields::{self, Lines};
use crate::api::page::Limit;
use anyhow::Result as Outcome;
use billing::dispute::{DisputeState, LossMeaning};
use billing::evidence::MOST_FILE_BYTES;
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use store::disputes;
use store::evidence as stored;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// The largest body with evidence, bytes: two files of the largest size, as base64, and some words.
pub const LARGEST_EVIDENCE: usize = 12 * 1024 * 1024;

/// How a dispute stands.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks; no money has moved.
    Inquiry,
    /// The money was withdrawn, and evidence is awaited.
    NeedsResponse,
    /// The bank has the evidence.
    UnderReview,
    /// Decided for the merchant, or an inquiry that was closed.
    Won,
    /// Decided for the payer.
    Lost,
    /// The merchant let it be.
    Accepted,
}

/// What a lost dispute means for the invoice.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenLost {
    /// The invoice is owed again, as far as this payment had paid it.
    OwedAgain,
    /// The merchant bears it: the invoice stays paid.
    Absorbed,
}

/// A card payment, or a part of it, that its holder contests. Minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dispute {
    /// Its id.
    #[schema(example = "dsp_06a8q2m0000000000000000000")]
    pub(super) id: String,
    /// Id of the contested payment.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    payment: String,
    /// What the processor calls it.
    #[schema(example = "du_1PgafTB7WZ01zgkW")]
    processor_dispute: String,
    /// How it stands.
    status: DisputeStatus,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What is contested.
    #[schema(example = 40_000)]
    amount: i64,
    /// What the processor keeps for it so far, in the currency of its books; null while it has not told.
    fee: Option<Fee>,
    /// The processor's name of the reason.
    #[schema(example = "product_not_received")]
    reason: String,
    /// The card network's code of the reason.
    #[schema(example = "13.1")]
    network_code: Option<String>,
    /// Until when evidence is taken.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// What a loss of it is to mean, where that was chosen for it alone.
    when_lost: Option<WhenLost>,
    /// What its loss was booked as, while it is lost.
    lost_as: Option<WhenLost>,
    /// When somebody accepted it. It is lost once the processor says so.
    #[schema(format = DateTime)]
    accept_asked_at: Option<String>,
    /// What was said against it, the oldest first; null in lists.
    evidence: Option<Vec<Evidence>>,
    /// When it was opened at the processor.
    #[schema(format = DateTime)]
    opened_at: String,
}

/// What a processor keeps.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fee {
    /// Minor units.
    #[schema(example = 1_500)]
    amount: i64,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
}

/// Where evidence stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    /// It is stored and on its way to the processor.
    Sending,
    /// The processor has it.
    Sent,
    /// The processor did not take it.
    Refused,
}

/// One submission of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// Counted from 1 per dispute.
    number: i64,
    /// Where it stands.
    status: EvidenceStatus,
    /// True where it goes to the bank; false where it is kept ready at the processor.
    submit: bool,
    /// Its texts by their kinds.
    #[schema(value_type = Object)]
    texts: serde_json::Map<String, serde_json::Value>,
    /// Its files. Their contents are not kept once the processor has them.
    files: Vec<EvidenceFile>,
    /// Why the processor did not take it.
    refusal: Option<String>,
    /// When it was handed in.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A file of a submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceFile {
    /// What it is to prove.
    #[schema(example = "receipt")]
    purpose: String,
    /// What it is by its content: pdf, jpeg or png.
    #[schema(example = "pdf")]
    kind: String,
    /// What it was called.
    #[schema(example = "receipt.pdf")]
    name: String,
    /// Bytes.
    size: i64,
}

/// What is said against a dispute. Texts and files that are left out stay as they were sent before.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "texts": { "product_description": "Support in October", "other": "Dana signed for it on 12 October." },
    "files": [{ "purpose": "receipt", "name": "receipt.pdf", "content": "JVBERi0xLjcKJSVFT0Y=" }],
    "submit": true
}))]
pub struct NewEvidence {
    /// Texts, at most 20,000 characters each and 150,000 together.
    #[serde(default)]
    texts: Option<NewTexts>,
    /// Files, each purpose once.
    #[schema(max_items = 9)]
    #[serde(default, deserialize_with = "files")]
    files: Option<Vec<NewEvidenceFile>>,
    /// True, as without it: it goes to the bank, which takes it once. False keeps it ready at the processor.
    submit: Option<bool>,
}

/// Texts, each of a kind.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTexts {
    /// What was sold.
    #[schema(inline)]
    product_description: Option<Lines<20_000>>,
    /// The payer's name.
    #[schema(inline)]
    customer_name: Option<Lines<20_000>>,
    /// The payer's address for mail.
    #[schema(inline)]
    customer_email: Option<Lines<20_000>>,
    /// The network address the payer came from.
    #[schema(inline)]
    purchase_address: Option<Lines<20_000>>,
    /// The payer's postal address.
    #[schema(inline)]
    billing_address: Option<Lines<20_000>>,
    /// When the work was done.
    #[schema(inline)]
    service_date: Option<Lines<20_000>>,
    /// What the payer used of it, and when.
    #[schema(inline)]
    access_log: Option<Lines<20_000>>,
    /// How the refund policy was shown.
    #[schema(inline)]
    refund_policy_shown: Option<Lines<20_000>>,
    /// Why no refund is due.
    #[schema(inline)]
    refund_refused: Option<Lines<20_000>>,
    /// How the cancellation policy was shown.
    #[schema(inline)]
    cancellation_policy_shown: Option<Lines<20_000>>,
    /// Why the payer had not cancelled.
    #[schema(inline)]
    cancellation_rebuttal: Option<Lines<20_000>>,
    /// Why it is not the same charge twice.
    #[schema(inline)]
    duplicate_explanation: Option<Lines<20_000>>,
    /// The processor's name of the other charge.
    #[schema(inline)]
    duplicate_charge_id: Option<Lines<20_000>>,
    /// Anything else.
    #[schema(inline)]
    other: Option<Lines<20_000>>,
}

/// What a file is to prove.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The receipt or the invoice.
    Receipt,
    /// That the work was done.
    Service,
    /// What was written between payer and merchant.
    Communication,
    /// The payer's signature.
    Signature,
    /// The refund policy.
    RefundPolicy,
    /// The cancellation policy.
    CancellationPolicy,
    /// That something was sent.
    Shipping,
    /// The documents of the other charge.
    Duplicate,
    /// Anything else.
    Other,
}

/// A file as it is handed in.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvidenceFile {
    /// What it is to prove.
    #[schema(inline)]
    purpose: Purpose,
    /// What it is called. What its end says has to be what the content is.
    #[schema(inline, example = "receipt.pdf")]
    name: fields::Line<200>,
    /// PDF, JPEG or PNG, at most 4 MiB, as base64 with padding (RFC 4648, section 4).
    #[schema(inline)]
    content: Content,
}

/// Bytes, as base64.
#[derive(Debug)]
pub struct Content(Vec<u8>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Content, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = BASE64.decode(text.as_bytes());
        bytes.map(Content).map_err(|_| de::Error::custom("base64 with padding is expected"))
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(&self.0))
    }
}

/// Whole groups of four, the last one filled up, and no bit beyond the last byte.
const BASE64_PATTERN: &str =
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

impl PartialSchema for Content {
    fn schema() -> RefOr<Schema> {
        let most = MOST_FILE_BYTES.div_ceil(3) * 4;
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .content_encoding("base64")
            .pattern(Some(BASE64_PATTERN))
            .max_length(Some(most))
            .examples(["JVBERi0xLjcKJSVFT0Y="])
            .into()
    }
}

impl ToSchema for Content {}

fn files<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<NewEvidenceFile>>, D::Error> {
    let list: Option<Vec<NewEvidenceFile>> = Option::deserialize(from)?;
    let most = submit_evidence::PURPOSES.len();
    if list.as_ref().is_some_and(|list| list.len() > most) {
        return Err(de::Error::custom(format_args!("at most {most} files are taken")));
    }
    Ok(list)
}

/// What a loss is to mean.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "when_lost": "absorbed" }))]
pub struct NewChoice {
    /// What a loss of this dispute means; null: what you usually choose.
    #[schema(inline)]
    pub(super) when_lost: Option<WhenLost>,
}

/// What lost disputes usually mean.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "when_lost": "absorbed" }))]
pub struct DisputeSettings {
    /// What a loss means where a dispute says nothing else. Owed again, unless you choose.
    #[schema(inline)]
    pub(super) when_lost: WhenLost,
}

/// Which disputes are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    pub(super) limit: Limit,
    /// Begin after this dispute.
    #[param(inline)]
    pub(super) starting_after: Option<fields::DisputeId>,
    /// Those of one payment. Not together with `status`.
    #[param(inline)]
    pub(super) payment: Option<fields::PaymentId>,
    /// Those that stand so.
    #[param(inline)]
    pub(super) status: Option<DisputeStatus>,
}

impl DisputeStatus {
    const fn of(state: DisputeState) -> DisputeStatus {
        match state {
            DisputeState::Inquiry => DisputeStatus::Inquiry,
            DisputeState::NeedsResponse => DisputeStatus::NeedsResponse,
            DisputeState::UnderReview => DisputeStatus::UnderReview,
            DisputeState::Won => DisputeStatus::Won,
            DisputeState::Lost => DisputeStatus::Lost,
            DisputeState::Accepted => DisputeStatus::Accepted,
        }
    }

    pub(super) const fn state(self) -> DisputeState {
        match self {
            DisputeStatus::Inquiry => DisputeState::Inquiry,
            DisputeStatus::NeedsResponse => DisputeState::NeedsResponse,
            DisputeStatus::UnderReview => DisputeState::UnderReview,
            DisputeStatus::Won => DisputeState::Won,
            DisputeStatus::Lost => DisputeState::Lost,
            DisputeStatus::Accepted => DisputeState::Accepted,
        }
    }
}

impl WhenLost {
    pub(super) const fn of(meaning: LossMeaning) -> WhenLost {
        match meaning {
            LossMeaning::OwedAgain => WhenLost::OwedAgain,
            LossMeaning::Absorbed => WhenLost::Absorbed,
        }
    }

    pub(super) const fn meaning(self) -> LossMeaning {
        match self {
            WhenLost::OwedAgain => LossMeaning::OwedAgain,
            WhenLost::Absorbed => LossMeaning::Absorbed,
        }
    }
}

impl Dispute {
    pub(super) fn of(dispute: &disputes::Dispute, evidence: Option<Vec<Evidence>>) -> Dispute {
        let lower = |code: &str| code.to_ascii_lowercase();
        Dispute {
            id: dispute.id.to_string(),
            payment: dispute.payment_id.to_string(),
            processor_dispute: dispute.processor_dispute_id.clone(),
            status: DisputeStatus::of(dispute.state),
            currency: lower(dispute.amount.currency().code()),
            amount: dispute.amount.minor(),
            fee: dispute.fee.map(|fee| Fee { amount: fee.minor(), currency: lower(fee.currency().code()) }),
            reason: dispute.reason.clone(),
            network_code: dispute.network_code.clone(),
            due_at: dispute.due_at.map(|at| at.to_string()),
            when_lost: dispute.when_lost.map(WhenLost::of),
            lost_as: dispute.lost_as.map(WhenLost::of),
            accept_asked_at: dispute.accept_asked_at.map(|at| at.to_string()),
            evidence,
            opened_at: dispute.opened_at.to_string(),
        }
    }

    pub(super) fn with(submitted: &Submitted) -> Outcome<Dispute> {
        let evidence = submitted.evidence.iter().map(|(said, files)| Evidence::of(said, files));
        Ok(Dispute::of(&submitted.dispute, Some(evidence.collect::<Outcome<_>>()?)))
    }
}

impl Evidence {
    fn of(said: &stored::Evidence, files: &[stored::EvidenceFile]) -> Outcome<Evidence> {
        Ok(Evidence {
            number: said.number,
            status: match said.state {
                stored::EvidenceState::Sending => EvidenceStatus::Sending,
                stored::EvidenceState::Sent => EvidenceStatus::Sent,
                stored::EvidenceState::Refused => EvidenceStatus::Refused,
            },
            submit: said.to_bank,
            texts: serde_json::from_str(&said.texts)?,
            files: files
                .iter()
                .map(|file| EvidenceFile {
                    purpose: file.purpose.clone(),
                    kind: file.kind.clone(),
                    name: file.name.clone(),
                    size: file.size,
                })
                .collect(),
            refusal: said.refusal.clone(),
            created_at: said.created_at.to_string(),
        })
    }
}

/// The word of a value that is written as one.
fn word(value: &impl Serialize) -> Outcome<String> {
    Ok(serde_json::to_value(value)?.as_str().unwrap_or_default().to_owned())
}

/// Texts by their kind, files, and whether it is sent to the bank now.
type ReadEvidence = (Vec<(String, String)>, Vec<NewFile>, bool);

impl NewEvidence {
    pub(super) fn read(self) -> Outcome<ReadEvidence> {
        let texts = match serde_json::to_value(self.texts.unwrap_or_default())? {
            serde_json::Value::Object(texts) => texts,
            _ => serde_json::Map::new(),
        };
        let texts = texts.into_iter().filter_map(|(kind, text)| Some((kind, text.as_str()?.to_owned())));
        let files = self.files.unwrap_or_default().into_iter().map(|file| {
            Ok(NewFile { purpose: word(&file.purpose)?, name: file.name.0, content: file.content.0 })
        });
        Ok((texts.collect(), files.collect::<Outcome<_>>()?, self.submit.unwrap_or(true)))
    }
}
