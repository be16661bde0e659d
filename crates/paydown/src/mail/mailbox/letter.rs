//! One message read back from its file: what the mailbox shows of it. File names come from the folder, never from a
//! request.

use mail_parser::{Address, MessageParser};
use std::io;
use std::path::Path;

/// A file longer than this is not one of ours and is not read, bytes.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// What is shown of a message.
pub(super) struct Letter {
    /// Name of its file; letters, digits, `-`, `_` and `.` only.
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Its own date: `2026-11-18 09:30:00 UTC`.
    pub(super) when: String,
    pub(super) text: String,
    pub(super) html: Option<String>,
}

/// A piece of a line of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) words: String,
    /// True when the words are an address that can be opened.
    pub(super) link: bool,
}

/// The newest messages of a folder, and whether there are more. A folder that is not there yet is empty.
pub(super) fn newest(folder: &Path, limit: usize) -> io::Result<(Vec<Letter>, bool)> {
    let mut names = names(folder)?;
    let more = names.len() > limit;
    names.truncate(limit);
    let letters =
        names.into_iter().filter_map(|name| read(folder, name).transpose()).collect::<io::Result<_>>()?;
    Ok((letters, more))
}

/// The message in the file of this name.
pub(super) fn find(folder: &Path, name: &str) -> io::Result<Option<Letter>> {
    match names(folder)?.into_iter().find(|there| there == name) {
        Some(name) => read(folder, name),
        None => Ok(None),
    }
}

/// Names start with the time, so the last by name is the newest.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && name.ends_with(".eml")
            && !name.starts_with('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        {
            names.push(name);
        }
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// `None` for a file that is gone by now or is no message.
fn read(folder: &Path, name: String) -> io::Result<Option<Letter>> {
    let path = folder.join(&name);
    let bytes = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= SIZE_LIMIT => std::fs::read(&path),
        Ok(_) => return Ok(None),
        Err(error) => Err(error),
    };
    match bytes {
        Ok(bytes) => Ok(parse(name, &bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(name: String, bytes: &[u8]) -> Option<Letter> {
    let message = MessageParser::default().parse(bytes)?;
    let when =
        message.date().map(|date| date.to_rfc3339()).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Some(Letter {
        name,
        subject: message.subject().unwrap_or("(no subject)").to_owned(),
        from: shown(message.from()),
        to: shown(message.to()),
        when: when.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        html: message.html_part(0).and_then(|part| part.text_contents()).map(str::to_owned),
    })
}

fn shown(address: Option<&Address<'_>>) -> String {
    let Some(first) = address.and_then(Address::first) else { return String::new() };
    let address = first.address().unwrap_or_default();
    first.name().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
}

/// A line cut into words and web addresses.
pub(super) fn pieces(line: &str) -> Vec<Piece> {
    line.split_inclusive(' ')
        .flat_map(|word| {
            let bare = word.trim_end();
            let (words, gap) = word.split_at(bare.len());
            let link = url::Url::parse(words)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && words.starts_with("http"));
            [Piece { words: words.to_owned(), link }, Piece { words: gap.to_owned(), link: false }]
        })
        .filter(|piece| !piece.words.is_empty())
        .collect()
}
