//! A help page taken apart: title, summary, sections, blocks. Pages are embedded Markdown that begins with its title. It
//! must never read a file of the machine.

use crate::help::contents::{Audience, groups};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use rust_embed::RustEmbed;
use std::ops::Range;
use std::sync::LazyLock;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/help"]
struct Files;

/// One page.
#[derive(Debug)]
pub struct Page {
    /// Its part of the address: `receipts` in `/help/receipts`.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// Its first paragraph, as plain words.
    pub summary: String,
    /// Whom it is for.
    pub audience: Audience,
    /// Markdown, title included.
    pub source: String,
    /// What stands under each heading; the first is the page's own.
    pub sections: Vec<Section>,
}

/// A heading and what stands under it, up to the next one.
#[derive(Debug)]
pub struct Section {
    /// Its anchor, unique on the page.
    pub id: String,
    /// Its words.
    pub heading: String,
    /// Its paragraphs, lists, tables and samples.
    pub blocks: Vec<Block>,
}

/// A paragraph, a list, a table or a sample.
#[derive(Debug)]
pub struct Block {
    /// Where it stands in the page's source.
    pub at: Range<usize>,
    /// Its words, without marks; empty for a picture alone.
    pub text: String,
}

/// What of Markdown the pages use beyond CommonMark.
pub const OPTIONS: Options = Options::ENABLE_TABLES;

/// Every page, in the order of the contents.
pub fn all() -> &'static [Page] {
    static ALL: LazyLock<Vec<Page>> = LazyLock::new(|| {
        let names = groups(None).flat_map(|group| group.pages.iter().map(|name| (*name, group.audience)));
        names.filter_map(|(name, audience)| load(name, audience)).collect()
    });
    &ALL
}

/// The page by this name; on a merchant's portal only what is for payers.
pub fn named(name: &str, only: Option<Audience>) -> Option<&'static Page> {
    all().iter().find(|page| page.name == name && only.is_none_or(|audience| page.audience == audience))
}

/// The names of the embedded files, in no order: for the test that compares them with the contents.
pub fn files() -> Vec<String> {
    Files::iter().filter_map(|file| file.strip_suffix(".md").map(str::to_owned)).collect()
}

fn load(name: &str, audience: Audience) -> Option<Page> {
    let source = String::from_utf8(Files::get(&format!("{name}.md"))?.data.into_owned()).ok()?;
    let sections = sections(&source);
    let first = sections.first()?;
    let summary = first.blocks.first().map(|block| block.text.clone()).unwrap_or_default();
    let (name, title) = (name.to_owned(), first.heading.clone());
    Some(Page { name, title, summary, audience, source, sections })
}

/// The sections of a page, in order.
pub fn sections(source: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let (mut depth, mut text, mut in_heading) = (0_u32, String::new(), false);
    for (event, at) in Parser::new_ext(source, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                depth += 1;
                in_heading |= matches!(tag, Tag::Heading { .. });
                if matches!(tag, Tag::Image { .. }) {
                    text.push('\u{0}');
                }
            }
            Event::End(TagEnd::Image) => {
                depth -= 1;
                // What a picture shows is said beside it too.
                text.truncate(text.rfind('\u{0}').unwrap_or(0));
            }
            Event::End(end) => {
                depth -= 1;
                if matches!(end, TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead | TagEnd::TableCell) {
                    text.push(' ');
                }
                if depth == 0 {
                    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    text.clear();
                    if in_heading {
                        let id = unique(&slug(&words), &sections);
                        sections.push(Section { id, heading: words, blocks: Vec::new() });
                    } else if let Some(section) = sections.last_mut() {
                        section.blocks.push(Block { at, text: words });
                    }
                    in_heading = false;
                }
            }
            Event::Text(words) | Event::Code(words) => text.push_str(&words),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    sections
}

/// `What "in progress" means` becomes `what-in-progress-means`.
fn slug(heading: &str) -> String {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '\'' | '’'));
    let words = words.filter(|word| !word.is_empty());
    let words = words.map(|word| word.replace(['\'', '’'], "").to_ascii_lowercase());
    words.collect::<Vec<_>>().join("-")
}

fn unique(slug: &str, before: &[Section]) -> String {
    let taken = |id: &str| before.iter().any(|section| section.id == id);
    if !taken(slug) {
        return slug.to_owned();
    }
    (2..).map(|number| format!("{slug}-{number}")).find(|id| !taken(id)).unwrap_or_default()
}

impl Page {
    /// The number of the section with this anchor.
    pub fn section(&self, id: &str) -> Option<usize> {
        self.sections.iter().position(|section| section.id == id)
    }
}
