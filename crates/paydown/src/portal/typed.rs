//! What was typed and not taken, kept by the browser from the POST to the page that shows it once more with what is wrong.
//! That page can be reloaded: it sends nothing. Such text never goes into an address, and onto no other page than its own.

use crate::portal::context::Ctx;
use crate::session;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use billing::ids::MerchantId;
use data_encoding::BASE64URL_NOPAD;

/// The browser is sent straight on; so long it may take.
const KEPT_SECONDS: u32 = 120;
/// More than anybody types into these fields.
const LONGEST_BYTES: usize = 256;

/// Where it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The address at `/sign-in`.
    Email,
    /// The code at `/sign-in/code`.
    Code,
    /// The code at `/sign-in/link`.
    LinkCode,
    /// The code before a payment.
    PayerCode,
}

impl Field {
    const ALL: [Field; 4] = [Field::Email, Field::Code, Field::LinkCode, Field::PayerCode];

    fn as_str(self) -> &'static str {
        match self {
            Field::Email => "email",
            Field::Code => "code",
            Field::LinkCode => "link-code",
            Field::PayerCode => "payer-code",
        }
    }
}

/// What was typed, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    field: Field,
    text: String,
}

impl Typed {
    /// What the browser brings along.
    pub fn kept(headers: &HeaderMap, public_url: &str, merchant: MerchantId) -> Option<Typed> {
        let value = session::cookie(headers, &cookie_name(public_url, merchant))?;
        let (field, text) = value.split_once('.')?;
        let field = Field::ALL.into_iter().find(|known| known.as_str() == field)?;
        let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
        Some(Typed { field, text })
    }

    fn keep(public_url: &str, merchant: MerchantId, field: Field, text: &str) -> HeaderValue {
        let end =
            text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST_BYTES);
        let text = &text[..end.last().unwrap_or(0)];
        let value = format!("{}.{}", field.as_str(), BASE64URL_NOPAD.encode(text.as_bytes()));
        session::set_cookie_for(public_url, &cookie_name(public_url, merchant), &value, KEPT_SECONDS)
    }
}

impl Ctx {
    /// 303 to the page the text was typed on, an address under the portal.
    pub fn go_back(&self, under: &str, field: Field, text: &str) -> Response {
        let mut response = self.go(under);
        let cookie = Typed::keep(&self.app.public_url, self.merchant.id, field, text);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
    }

    /// What was typed into this field and not taken, when this page is where [`Ctx::go_back`] led.
    pub fn typed_into(&self, field: Field) -> Option<&str> {
        self.typed.as_ref().filter(|typed| typed.field == field).map(|typed| typed.text.as_str())
    }

    /// The page that shows it: the browser forgets it, so that a reload is a fresh page.
    pub fn typed_is_shown(&self, mut response: Response) -> Response {
        let public_url = &self.app.public_url;
        let forget = session::drop_cookie(public_url, &cookie_name(public_url, self.merchant.id));
        response.headers_mut().append(header::SET_COOKIE, forget);
        response
    }
}

fn cookie_name(public_url: &str, merchant: MerchantId) -> String {
    session::cookie_name(public_url, &format!("typed-{}", merchant.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "http://127.0.0.1:1";

    /// What comes back of a text.
    fn kept(field: Field, text: &str) -> Option<Typed> {
        let set = Typed::keep(HERE, MerchantId(7), field, text);
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, pair.parse().unwrap());
        Typed::kept(&headers, HERE, MerchantId(7))
    }

    #[test]
    fn any_text_comes_back_as_it_was_typed() {
        for text in ["", " 12 34 ", "a;b=c, \"d\"\r\nx", "ünï@cödé.example", "０１２"] {
            for field in Field::ALL {
                assert_eq!(kept(field, text), Some(Typed { field, text: text.to_owned() }));
            }
        }
    }

    #[test]
    fn too_long_a_text_is_cut_between_two_characters() {
        let long = "é".repeat(10_000);
        assert_eq!(kept(Field::Code, &long).unwrap().text, "é".repeat(LONGEST_BYTES / 2));
        assert_eq!(kept(Field::Code, &format!("a{long}")).unwrap().text.len(), LONGEST_BYTES - 1);
    }

    #[test]
    fn what_we_did_not_write_is_nothing() {
        for odd in ["code", "code.%%", "other.MTIz", ".MTIz", "code._w"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, format!("paydown-typed-7={odd}").parse().unwrap());
            assert_eq!(Typed::kept(&headers, HERE, MerchantId(7)), None, "{odd}");
        }
    }
}
