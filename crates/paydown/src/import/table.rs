//! Bytes to rows: encoding, separator, quotation marks. Knows no invoice.

use super::columns;
use super::{FileError, ImportOptions, MOST_ROWS};

/// A file as rows of texts.
pub(super) struct Table {
    /// The names of the columns, trimmed.
    pub(super) header: Vec<String>,
    /// Rows that are not blank.
    pub(super) rows: Vec<TableRow>,
}

/// One row.
pub(super) struct TableRow {
    /// As a spreadsheet numbers it; the header is row 1 where the file begins with it.
    pub(super) number: usize,
    /// Trimmed. There may be fewer or more than there are headers.
    pub(super) cells: Vec<String>,
}

const SEPARATORS: [char; 3] = [',', ';', '\t'];

pub(super) fn read(bytes: &[u8], options: &ImportOptions) -> Result<Table, FileError> {
    // One kind of line end, and one at the very end, make the row numbers below exact.
    let text = decode(bytes)?.replace("\r\n", "\n").replace('\r', "\n") + "\n";
    let (declared, text, skipped) = match declared_separator(&text) {
        Some((separator, rest)) => (Some(separator), rest, 1),
        None => (None, text.as_str(), 0),
    };
    let separator = declared.unwrap_or_else(|| detect_separator(text, options));
    refuse_open_quote(text, separator, skipped)?;
    let mut rows = rows(text, separator, skipped)?.into_iter();
    let header = rows.next().ok_or_else(|| {
        FileError::new("the file is empty", "Export it again, with the names of the columns in the first row")
    })?;
    let rows: Vec<TableRow> = rows.collect();
    if rows.len() > MOST_ROWS {
        let problem = format!("the file has {} rows, more than {MOST_ROWS}", rows.len());
        return Err(FileError::new(problem, "Split it into several files"));
    }
    Ok(Table { header: header.cells, rows })
}

fn decode(bytes: &[u8]) -> Result<String, FileError> {
    let sixteen = |little: bool, rest: &[u8]| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs
            .iter()
            .map(|pair| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) })
            .collect();
        odd.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => str::from_utf8(rest).ok().map(str::to_owned),
        [0xff, 0xfe, rest @ ..] => sixteen(true, rest),
        [0xfe, 0xff, rest @ ..] => sixteen(false, rest),
        _ => str::from_utf8(bytes).ok().map(str::to_owned),
    };
    text.filter(|text| !text.contains('\0')).ok_or_else(|| {
        FileError::new(
            "the file is not text in UTF-8",
            "Save it as CSV UTF-8; a spreadsheet has to be exported first",
        )
    })
}

/// Excel's own first line: `sep=;`.
fn declared_separator(text: &str) -> Option<(char, &str)> {
    let (first, rest) = text.split_once('\n')?;
    let separator = first.trim_matches('"').strip_prefix("sep=")?;
    let separator = if separator.is_empty() { '\t' } else { separator.chars().next()? };
    SEPARATORS.contains(&separator).then_some((separator, rest))
}

/// The separator under which most headers are known; where that ties, the one that makes most columns.
fn detect_separator(text: &str, options: &ImportOptions) -> char {
    let score = |separator: char| {
        let header = first_row(text, separator);
        (columns::known(&header, options), header.len())
    };
    let best = SEPARATORS.into_iter().rev().max_by_key(|separator| score(*separator));
    best.unwrap_or(',')
}

fn first_row(text: &str, separator: char) -> Vec<String> {
    let mut reader = reader(text, separator);
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().map(|cell| cell.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn reader(text: &str, separator: char) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// Rows that are not blank. `skipped` lines were cut off in front.
fn rows(text: &str, separator: char, skipped: usize) -> Result<Vec<TableRow>, FileError> {
    let mut reader = reader(text, separator);
    let mut record = csv::StringRecord::new();
    let (mut rows, mut inner_breaks) = (Vec::new(), 0);
    loop {
        let more = reader.read_record(&mut record).map_err(|error| {
            FileError::new(format!("the file cannot be read: {error}"), "Export it again as CSV UTF-8")
        })?;
        if !more {
            return Ok(rows);
        }
        // Lines of the file less those within quotation marks are the rows of a spreadsheet.
        inner_breaks += record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
        let line = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        let number = line.saturating_sub(1 + inner_breaks) + skipped;
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            let cells = record.iter().map(|cell| cell.trim().to_owned()).collect();
            rows.push(TableRow { number, cells });
        }
    }
}

/// A quotation mark that is never closed would swallow every row after it without a word.
fn refuse_open_quote(text: &str, separator: char, skipped: usize) -> Result<(), FileError> {
    let (mut opened, mut line, mut at_start) = (None, 1 + skipped, true);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        match (opened, character) {
            (None, '"') if at_start => opened = Some(line),
            (Some(_), '"') if characters.peek() == Some(&'"') => drop(characters.next()),
            (Some(_), '"') => opened = None,
            _ => {}
        }
        at_start = opened.is_none() && (character == separator || character == '\n');
    }
    match opened {
        None => Ok(()),
        Some(line) => Err(FileError::new(
            format!("the quotation mark that opens a cell on line {line} is never closed"),
            "Close it, or write a mark within a text twice: \"\"",
        )),
    }
}
