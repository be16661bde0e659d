//! Lists: a page at a time, followed by the id of the last row seen, so that what is added meanwhile neither hides a row nor
//! shows one twice.

use super::problem::{Code, Problem};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

/// Rows of a page, where nobody says how many.
const USUAL: u16 = 25;
/// Most rows of a page.
pub const MOST: u16 = 100;

/// How many rows are asked for: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

impl Default for Limit {
    fn default() -> Limit {
        Limit(USUAL)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Limit, D::Error> {
        let text = String::deserialize(from)?;
        let plain = !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if plain && !text.starts_with('0') { text.parse().ok() } else { None };
        let fine = number.filter(|number| (1..=MOST).contains(number));
        fine.map(Limit).ok_or_else(|| de::Error::custom("a number of rows from 1 to 100 is expected"))
    }
}

impl Limit {
    /// One more than is shown: whether there is more is seen by fetching it.
    pub fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub data: Vec<T>,
    /// True if more follow: ask again with `starting_after` and the id of the last row. The Link header has the address.
    pub has_more: bool,
}

impl<T> List<T> {
    /// The page of rows of which one more was fetched than is shown.
    pub fn of(mut rows: Vec<T>, limit: Limit) -> List<T> {
        let has_more = rows.len() > usize::from(limit.0);
        rows.truncate(usize::from(limit.0));
        List { data: rows, has_more }
    }
}

impl<T: Serialize> List<T> {
    /// The answer, with the address of the next page.
    pub fn answer(self, uri: &Uri, id: fn(&T) -> &str) -> Response {
        let next = self.data.last().filter(|_| self.has_more).map(|last| next(uri, id(last)));
        let mut response = axum::Json(self).into_response();
        if let Some(link) =
            next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok())
        {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// What is told to somebody who begins after a row that is not there.
pub fn no_such_row() -> Problem {
    let detail =
        "There is no such row in your list; begin without starting_after, or after a row you have seen.";
    Problem::new(Code::UnknownCursor, detail).at("starting_after")
}

fn next(uri: &Uri, after: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "starting_after" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("starting_after", after);
    format!("{}?{}", uri.path(), query.finish())
}
