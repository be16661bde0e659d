//! A file that was uploaded, of which only size, type and hash are kept.

use serde::{Deserialize, Serialize};

use crate::store::Document;

/// An uploaded file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) purpose: String,
    pub(crate) filename: Option<String>,
    /// `pdf`, `jpg` or `png`, by content.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) size_bytes: i64,
    pub(crate) sha256: String,
}

document!(StoredFile, "file", |_| "uploaded");
