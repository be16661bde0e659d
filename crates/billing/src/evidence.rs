//! Evidence against a dispute: until when it may be handed in, and which files a bank can read. A file is what its first bytes
//! say, never what its name says. Nothing here judges what is said.

use crate::dispute::DisputeState;
use jiff::Timestamp;

/// The most that one file may hold, bytes.
pub const MOST_FILE_BYTES: usize = 4 * 1024 * 1024;
/// The most that one text may have, characters.
pub const MOST_TEXT_CHARACTERS: usize = 20_000;
/// The most that all texts together may have, characters.
pub const MOST_TEXTS_CHARACTERS: usize = 150_000;

/// The types of files that banks read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum FileKind {
    /// PDF.
    Pdf,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [FileKind; 3] = [FileKind::Pdf, FileKind::Jpeg, FileKind::Png];

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            FileKind::Pdf => "pdf",
            FileKind::Jpeg => "jpeg",
            FileKind::Png => "png",
        }
    }

    /// The kind behind such a word.
    pub fn parse(word: &str) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What the first bytes of a file say it is.
    fn of_content(content: &[u8]) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| content.starts_with(kind.first_bytes()))
    }

    const fn first_bytes(self) -> &'static [u8] {
        match self {
            FileKind::Pdf => b"%PDF-",
            FileKind::Jpeg => b"\xff\xd8\xff",
            FileKind::Png => b"\x89PNG\r\n\x1a\n",
        }
    }
}

/// What the end of a file's name says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Named {
    Kind(FileKind),
    /// Something that is known to be none of the three.
    Other,
    /// Nothing that anybody knows.
    Nothing,
}

fn named(name: &str) -> Named {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    match end.as_str() {
        "pdf" => Named::Kind(FileKind::Pdf),
        "jpg" | "jpeg" | "jpe" | "jfif" => Named::Kind(FileKind::Jpeg),
        "png" => Named::Kind(FileKind::Png),
        "bmp" | "csv" | "doc" | "docx" | "exe" | "gif" | "heic" | "htm" | "html" | "js" | "odt" | "ppt"
        | "pptx" | "rtf" | "svg" | "tif" | "tiff" | "txt" | "webp" | "xls" | "xlsx" | "xml" | "zip" => {
            Named::Other
        }
        _ => Named::Nothing,
    }
}

/// Why a file is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WhyNotFile {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It holds more than [`MOST_FILE_BYTES`].
    #[error("the file has {bytes} bytes; {MOST_FILE_BYTES} (4 MiB) is the most")]
    TooLarge {
        /// So many.
        bytes: usize,
    },
    /// Banks cannot read it.
    #[error("the file is neither PDF, JPEG nor PNG, whatever its name says")]
    Unreadable,
    /// Its name says one thing, its content another.
    #[error("the file is {} and its name says something else; name it as what it is, or send the right file", is.as_str())]
    NotWhatItsNameSays {
        /// What it is.
        is: FileKind,
    },
}

/// What a file is, if it may be sent.
pub fn check_file(name: &str, content: &[u8]) -> Result<FileKind, WhyNotFile> {
    if content.is_empty() {
        return Err(WhyNotFile::Empty);
    }
    if content.len() > MOST_FILE_BYTES {
        return Err(WhyNotFile::TooLarge { bytes: content.len() });
    }
    let is = FileKind::of_content(content).ok_or(WhyNotFile::Unreadable)?;
    match named(name) {
        Named::Kind(said) if said != is => Err(WhyNotFile::NotWhatItsNameSays { is }),
        Named::Other => Err(WhyNotFile::NotWhatItsNameSays { is }),
        Named::Kind(_) | Named::Nothing => Ok(is),
    }
}

/// Why nothing can be said against a dispute now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WhyNotNow {
    /// It was decided.
    #[error("the dispute has ended: it is {}", .0.as_str())]
    Ended(DisputeState),
    /// Somebody asked to let it be.
    #[error("the dispute was accepted; the processor is being told")]
    Accepting,
    /// The bank has the evidence, which is final.
    #[error("evidence was sent to the bank already, which takes it once")]
    WithTheBank,
    /// The time is over.
    #[error("evidence was taken until {0}")]
    PastDue(Timestamp),
}

/// How a dispute stands, as far as answering it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its state.
    pub state: DisputeState,
    /// Until when evidence is taken, as far as it is known.
    pub due_at: Option<Timestamp>,
    /// True once evidence is on its way to the bank, or there.
    pub is_with_bank: bool,
    /// True once somebody asked to let it be.
    pub is_accepting: bool,
}

impl Standing {
    /// Whether evidence may be handed in.
    pub fn may_say(&self, now: Timestamp) -> Result<(), WhyNotNow> {
        self.may_accept()?;
        if self.state == DisputeState::UnderReview || self.is_with_bank {
            return Err(WhyNotNow::WithTheBank);
        }
        match self.due_at {
            Some(due_at) if due_at <= now => Err(WhyNotNow::PastDue(due_at)),
            _ => Ok(()),
        }
    }

    /// Whether it may be let be.
    pub fn may_accept(&self) -> Result<(), WhyNotNow> {
        if !self.state.is_open() {
            return Err(WhyNotNow::Ended(self.state));
        }
        if self.is_accepting { Err(WhyNotNow::Accepting) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDF: &[u8] = b"%PDF-1.7\n%%EOF";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0....";

    #[test]
    fn a_file_is_what_its_content_says() {
        for (name, content, expected) in [
            ("receipt.pdf", PDF, Ok(FileKind::Pdf)),
            ("RECEIPT.PDF", PDF, Ok(FileKind::Pdf)),
            ("photo.jpg", JPEG, Ok(FileKind::Jpeg)),
            ("photo.jpeg", JPEG, Ok(FileKind::Jpeg)),
            ("screen.png", PNG, Ok(FileKind::Png)),
            ("no name to speak of", PNG, Ok(FileKind::Png)),
            ("letter of 2026.11", PDF, Ok(FileKind::Pdf)),
            ("receipt.pdf", PNG, Err(WhyNotFile::NotWhatItsNameSays { is: FileKind::Png })),
            ("receipt.pdf.png", PDF, Err(WhyNotFile::NotWhatItsNameSays { is: FileKind::Pdf })),
            ("receipt.docx", PDF, Err(WhyNotFile::NotWhatItsNameSays { is: FileKind::Pdf })),
            ("receipt.pdf", b"MZ\x90\x00", Err(WhyNotFile::Unreadable)),
            ("receipt.pdf", b"\n%PDF-1.7", Err(WhyNotFile::Unreadable)),
            ("receipt.pdf", b"", Err(WhyNotFile::Empty)),
        ] {
            assert_eq!(check_file(name, content), expected, "{name}");
        }
    }

    #[test]
    fn four_mebibytes_is_the_most() {
        let mut file = vec![0; MOST_FILE_BYTES];
        file[..PDF.len()].copy_from_slice(PDF);
        assert_eq!(check_file("a.pdf", &file), Ok(FileKind::Pdf));
        file.push(0);
        assert_eq!(check_file("a.pdf", &file), Err(WhyNotFile::TooLarge { bytes: MOST_FILE_BYTES + 1 }));
    }

    #[test]
    fn evidence_is_taken_once_in_time_and_while_it_is_open() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let open = Standing {
            state: DisputeState::NeedsResponse,
            due_at: Some(at(100)),
            is_with_bank: false,
            is_accepting: false,
        };
        assert_eq!(open.may_say(at(99)), Ok(()));
        assert_eq!(open.may_say(at(100)), Err(WhyNotNow::PastDue(at(100))));
        assert_eq!(Standing { due_at: None, ..open }.may_say(at(100)), Ok(()));
        assert_eq!(Standing { is_with_bank: true, ..open }.may_say(at(1)), Err(WhyNotNow::WithTheBank));
        assert_eq!(Standing { is_accepting: true, ..open }.may_say(at(1)), Err(WhyNotNow::Accepting));
        assert_eq!(
            Standing { is_with_bank: true, ..open }.may_accept(),
            Ok(()),
            "giving up is always possible"
        );
        for state in DisputeState::ALL.into_iter().filter(|state| !state.is_open()) {
            let ended = Standing { state, ..open };
            assert_eq!(ended.may_say(at(1)), Err(WhyNotNow::Ended(state)));
            assert_eq!(ended.may_accept(), Err(WhyNotNow::Ended(state)));
        }
        let reviewed = Standing { state: DisputeState::UnderReview, ..open };
        assert_eq!(reviewed.may_say(at(1)), Err(WhyNotNow::WithTheBank));
    }
}
