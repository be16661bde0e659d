//! `/v1/files`: evidence. The content is looked at and forgotten.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Multipart, Request};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Reply, list as listing};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::StoredFile;
use crate::work::Work;

/// The processor's limit for evidence.
const MAX_BYTES: usize = 5_000_000;
/// What the form may have beside the file.
pub(crate) const MAX_BODY_BYTES: usize = MAX_BYTES + 64 * 1024;

/// Turns an upload into parameters: what is kept of the file instead of its content.
pub(crate) async fn read_upload(request: Request) -> Result<Bytes, ApiError> {
    let broken =
        |error: &dyn std::fmt::Display| ApiError::invalid(format!("The upload cannot be read: {error}"));
    let mut upload = Multipart::from_request(request, &()).await.map_err(|error| broken(&error))?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    while let Some(field) = upload.next_field().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        let content = field.bytes().await.map_err(|error| broken(&error))?;
        if name != "file" {
            parameters.push((name, String::from_utf8_lossy(&content).into_owned()));
            continue;
        }
        if content.len() > MAX_BYTES {
            return Err(ApiError::invalid("The file is larger than 5 MB.").param("file"));
        }
        let kind = kind_of(&content).ok_or_else(|| {
            ApiError::invalid("The file is neither PDF, JPEG nor PNG.")
                .code("invalid_file_type")
                .param("file")
        })?;
        let mut member = |name: &str, value: String| parameters.push((format!("file[{name}]"), value));
        member("type", kind.to_owned());
        member("size", content.len().to_string());
        member("sha256", HEXLOWER.encode(&Sha256::digest(&content)));
        if let Some(filename) = filename {
            member("name", filename);
        }
    }
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    Ok(Bytes::from(encoded))
}

fn kind_of(content: &[u8]) -> Option<&'static str> {
    [(&b"%PDF-"[..], "pdf"), (b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png")]
        .into_iter()
        .find(|(start, _)| content.starts_with(start))
        .map(|(_, kind)| kind)
}

/// Keeps what was uploaded.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let purpose = form
        .take_choice("purpose", &["dispute_evidence"])?
        .ok_or_else(|| ApiError::missing_parameter("purpose"))?;
    let file = StoredFile {
        id: work.next_id("file_")?,
        created: work.now,
        purpose,
        filename: form.take_short("file[name]", 255)?,
        kind: form.take("file[type]")?.ok_or_else(|| ApiError::missing_parameter("file"))?,
        size_bytes: form.take_integer("file[size]")?.unwrap_or_default(),
        sha256: form.require("file[sha256]")?,
    };
    work.insert(&file)?;
    Reply::ok(view(&file))
}

/// Reads what is kept of a file.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get(id, "file")?))
}

/// Lists files, by purpose if asked.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "purpose", "purpose")?;
    listing::answer(work, &query, "/v1/files", view)
}

/// A file as callers see it. Its content is not kept, so there is no address to fetch it from.
fn view(file: &StoredFile) -> Value {
    json!({
        "id": file.id,
        "object": "file",
        "created": file.created,
        "expires_at": null,
        "filename": file.filename,
        "links": { "object": "list", "data": [], "has_more": false, "url": format!("/v1/file_links?file={}", file.id) },
        "purpose": file.purpose,
        "size": file.size_bytes,
        "title": null,
        "type": file.kind,
        "url": null,
    })
}
