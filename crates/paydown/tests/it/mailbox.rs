//! What was mailed, read as its receiver reads it.

use crate::test_app::TestApp;
use async_trait::async_trait;
use mail_parser::MessageParser;
use paydown::actions::deliver_mail::deliver_due;
use paydown::actions::run_jobs::{Queue, run_due_of};
use paydown::mail::transport::{Outgoing, Transport};
use std::sync::{Arc, Mutex};

/// One letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// All of it, headers and both parts, decoded.
    pub text: String,
}

impl Letter {
    /// The six digits in the subject of a sign-in mail.
    pub fn code(&self) -> String {
        let digits: String = self.subject.chars().take(7).filter(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 6, "{}", self.subject);
        digits
    }

    /// The first address in the text that holds these words.
    pub fn address(&self, part: &str) -> String {
        let mut words = self.text.split_whitespace();
        let found = words.find(|word| word.starts_with("http") && word.contains(part));
        found.unwrap_or_else(|| panic!("no address with {part} in {}", self.text)).to_owned()
    }
}

#[derive(Default)]
struct Captured(Mutex<Vec<Letter>>);

#[async_trait]
impl Transport for Captured {
    async fn send(&self, outgoing: &Outgoing) -> anyhow::Result<()> {
        let raw = outgoing.message.formatted();
        let parsed = MessageParser::default().parse(&raw).expect("what we write can be read");
        let to = parsed.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default();
        let text = parsed.body_text(0).unwrap_or_default();
        let html = parsed.body_html(0).unwrap_or_default();
        let letter = Letter {
            to: to.to_owned(),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            text: format!("{text}\n{html}\n{}", String::from_utf8_lossy(&raw)),
        };
        self.0.lock().expect("nobody panics while writing").push(letter);
        Ok(())
    }
}

impl TestApp {
    /// Does what is due, sends what is due and answers it, in the order it was queued.
    pub async fn letters(&self) -> Vec<Letter> {
        while run_due_of(&self.app, Queue::Jobs).await.expect("jobs can be claimed") > 0 {}
        let captured = Arc::new(Captured::default());
        loop {
            let transport = Arc::clone(&captured) as Arc<dyn Transport>;
            if deliver_due(&self.app, transport, 32).await.expect("the outbox can be read") == 0 {
                break;
            }
        }
        let letters = captured.0.lock().expect("nobody panics while writing");
        letters.clone()
    }

    /// The one letter that is due.
    pub async fn letter(&self) -> Letter {
        let mut letters = self.letters().await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }
}
