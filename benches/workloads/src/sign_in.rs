//! A payer signs in as payers do: asks for a code on the page, reads it in the mail folder, types it. What comes of it is the
//! `Cookie` header that pages are then asked for with.

use crate::http::{Answer, Connection, get, post_form};
use crate::program::{SLUG, Server};
use anyhow::{Context as _, Result, ensure};
use hyper::header::SET_COOKIE;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

/// Mails are looked for so often, this long.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 300;

/// A browser of so little as is needed: its cookies.
struct Browser {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

/// Signs in with this address; `mails` is the folder that the server's mail goes to.
pub async fn sign_in(server: &Server, mails: &Path, email: &str) -> Result<String> {
    let connection = Connection::open(server.address).await?;
    let mut browser = Browser { connection, cookies: BTreeMap::new() };
    let address = format!("/p/{SLUG}/sign-in");
    let form = browser.get(&address).await?;
    browser.post(&address, &[("csrf", hidden(&form, "csrf")?.as_str()), ("email", email)]).await?;
    let code = code(mails, email).await?;
    let address = format!("{address}/code");
    let form = browser.get(&address).await?;
    let answer =
        browser.post(&address, &[("csrf", hidden(&form, "csrf")?.as_str()), ("code", &code)]).await?;
    let place = answer.headers.get("location").and_then(|place| place.to_str().ok()).unwrap_or_default();
    ensure!(place == format!("/p/{SLUG}/invoices"), "the code led to {place:?}, not to the list");
    Ok(browser.cookie())
}

impl Browser {
    async fn get(&mut self, path: &str) -> Result<Answer> {
        let answer = self.connection.send(get(path, &[("cookie", &self.cookie())])?).await?;
        ensure!(answer.status == 200, "{path} answered {}", answer.status);
        Ok(self.kept(answer))
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let request = post_form(path, &[("cookie", &self.cookie())], fields)?;
        let answer = self.connection.send(request).await?;
        ensure!(answer.status == 303, "{path} answered {}: {}", answer.status, answer.text());
        Ok(self.kept(answer))
    }

    /// Keeps the cookies of an answer; none is taken away on the way in.
    fn kept(&mut self, answer: Answer) -> Answer {
        for line in answer.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn cookie(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

/// The value of a hidden field of the page.
fn hidden(page: &Answer, name: &str) -> Result<String> {
    let (html, before) = (page.text(), format!("name=\"{name}\" value=\""));
    between(&html, &before, "\"").map(str::to_owned).with_context(|| format!("no field {name} in {html}"))
}

/// What stands in a text between two others.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// Waits for the mail with the code.
async fn code(mails: &Path, email: &str) -> Result<String> {
    for _ in 0..LOOKS {
        for entry in fs::read_dir(mails).into_iter().flatten().flatten() {
            let mail = fs::read_to_string(entry.path()).unwrap_or_default();
            if let Some(code) = code_in(&mail, email) {
                fs::remove_file(entry.path())?;
                return Ok(code);
            }
        }
        sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("no code came for {email} to {}", mails.display())
}

/// The six digits in the subject of a mail to this address.
fn code_in(mail: &str, email: &str) -> Option<String> {
    let head = mail.split("\r\n\r\n").next()?;
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    field("To: ").filter(|to| to.contains(email))?;
    let digits: String = field("Subject: ")?.chars().filter(char::is_ascii_digit).collect();
    (digits.len() == 6).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_from_the_mail_to_this_address() {
        let mail =
            "From: b@bench.example\r\nTo: c1@bench.example\r\nSubject: 123 456 is your code\r\n\r\n987654";
        assert_eq!(code_in(mail, "c1@bench.example").as_deref(), Some("123456"));
        assert_eq!(code_in(mail, "c2@bench.example"), None);
        assert_eq!(between("a href=\"/x\">", "href=\"", "\""), Some("/x"));
    }
}
