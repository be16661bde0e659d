//! The cookies of the portal and who is behind them. A token is only ever looked up by its hash, and a cookie of one
//! merchant is worth nothing at another.

use crate::clock::Mint;
use crate::secrets::token_hash;
use axum::http::{HeaderMap, HeaderValue, header};
use billing::ids::MerchantId;
use data_encoding::BASE32HEX_NOPAD;

/// The name of a cookie: with the prefix that binds it to https and this host, but for plain http on loopback.
pub fn cookie_name(public_url: &str, name: &str) -> String {
    if public_url.starts_with("https://") {
        format!("__Host-paydown-{name}")
    } else {
        format!("paydown-{name}")
    }
}

/// The name of a merchant's session cookie.
pub fn session_name(public_url: &str, merchant: MerchantId) -> String {
    cookie_name(public_url, &merchant.0.to_string())
}

/// The value of a cookie; `None` where there is none or it is longer than ours ever are.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
        .filter(|value| !value.is_empty() && value.len() <= 512)
}

/// A `Set-Cookie` value that scripts cannot read and other sites cannot use; it ends with the browser.
pub fn set_cookie(public_url: &str, name: &str, value: &str) -> HeaderValue {
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("names and values of ours are plain text")
}

/// The same, gone after so many seconds.
pub fn set_cookie_for(public_url: &str, name: &str, value: &str, seconds: u32) -> HeaderValue {
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).expect("names and values of ours are plain text")
}

/// A `Set-Cookie` value that takes a cookie away.
pub fn drop_cookie(public_url: &str, name: &str) -> HeaderValue {
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let text = format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}");
    HeaderValue::from_str(&text).expect("names of ours are plain text")
}

/// A new secret of 160 bits and the hash it is kept under.
pub fn new_token(mint: &Mint) -> (String, [u8; 32]) {
    let token = BASE32HEX_NOPAD.encode(&mint.bytes::<20>()).to_ascii_lowercase();
    let hash = token_hash(&token);
    (token, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_only() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("xpaydown-1=no; paydown-1=yes; paydown-2="));
        assert_eq!(cookie(&headers, "paydown-1").as_deref(), Some("yes"));
        assert_eq!(cookie(&headers, "paydown-2"), None);
        assert_eq!(cookie(&headers, "paydown"), None);
    }

    #[test]
    fn https_binds_cookies_to_the_host() {
        let name = session_name("https://pay.example", MerchantId(7));
        assert_eq!(name, "__Host-paydown-7");
        let set = set_cookie("https://pay.example", &name, "t");
        assert_eq!(set, "__Host-paydown-7=t; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(session_name("http://127.0.0.1:1", MerchantId(7)), "paydown-7");
    }
}
