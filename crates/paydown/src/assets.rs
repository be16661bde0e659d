//! Style sheets, scripts and pictures inside the binary, served under names that change with their contents, so that
//! browsers may keep them for ever. It must never read a file of the machine.

use data_encoding::{BASE64, HEXLOWER};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::LazyLock;

/// `Cache-Control` for everything under `/assets/`: the address changes when the contents do.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// The list of every script a payer's browser runs, with owner, reason and how its integrity is held.
pub const PAYMENT_SCRIPTS: &str = include_str!("../assets/payment-scripts.toml");

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets"]
struct Files;

/// One embedded file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its address: `/assets/portal-3f9a0c1d22.css`.
    pub url: String,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Value for `integrity=`: `sha256-…`.
    pub integrity: String,
    /// The bytes as they are served, before compression.
    pub bytes: Cow<'static, [u8]>,
}

/// Every asset, in the order of its address.
pub fn all() -> &'static [Asset] {
    static ALL: LazyLock<Vec<Asset>> =
        LazyLock::new(|| Files::iter().filter_map(|path| load(&path)).collect());
    &ALL
}

/// The asset behind the last part of an address, such as `portal-3f9a0c1d22.css`; `None` if there is none by that name,
/// an older version included.
pub fn find(name: &str) -> Option<&'static Asset> {
    all().iter().find(|asset| asset.url.strip_prefix("/assets/") == Some(name))
}

/// The asset of a plain file name such as `portal.css`.
///
/// # Panics
/// When no such file is embedded: a mistake of ours, which the test that renders every page finds.
pub fn named(file: &str) -> &'static Asset {
    let (stem, ending) = file.rsplit_once('.').expect("an asset's name has an ending");
    let found = all().iter().find(|asset| {
        let name = asset.url.strip_prefix("/assets/").and_then(|name| name.strip_prefix(stem));
        name.is_some_and(|rest| rest.starts_with('-') && rest.ends_with(ending) && !rest[1..].contains('-'))
    });
    found.unwrap_or_else(|| panic!("{file} is not embedded"))
}

/// `None` for files that are not for browsers, such as the script inventory.
fn load(path: &str) -> Option<Asset> {
    let bytes = Files::get(path)?.data;
    let (stem, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    let content_type = match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        _ => return None,
    };
    let digest = Sha256::digest(&bytes);
    let url = format!("/assets/{stem}-{}.{ending}", HEXLOWER.encode(&digest[..5]));
    Some(Asset { url, content_type, integrity: format!("sha256-{}", BASE64.encode(&digest)), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_asset_is_found_by_its_address_only() {
        for asset in all() {
            let name = asset.url.strip_prefix("/assets/").unwrap();
            assert_eq!(find(name).unwrap().bytes, asset.bytes);
            assert!(!asset.bytes.is_empty());
        }
        for wrong in ["", "portal.css", "portal-0000000000.css", "../Cargo.toml", "payment-scripts.toml"] {
            assert!(find(wrong).is_none(), "{wrong}");
        }
        assert!(named("portal.css").url.starts_with("/assets/portal-"));
    }

    #[test]
    fn every_script_is_in_the_inventory() {
        let inventory: toml::Table = PAYMENT_SCRIPTS.parse().unwrap();
        let listed = inventory["script"].as_array().unwrap();
        let scripts: Vec<_> = Files::iter().filter(|path| path.ends_with(".js")).collect();
        assert_eq!(listed.len(), scripts.len());
        for entry in listed {
            let file = entry["file"].as_str().unwrap();
            assert!(scripts.iter().any(|path| path.as_ref() == file), "{file}");
            for field in ["owner", "reason", "integrity"] {
                assert!(!entry[field].as_str().unwrap().is_empty(), "{file} lacks {field}");
            }
        }
    }
}
