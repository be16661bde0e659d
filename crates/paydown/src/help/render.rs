//! Help pages as HTML. What comes out is trusted as markup, so only embedded pages go in: a question, a name or anything
//! else from a request must never come here.

use crate::assets;
use crate::help::contents::Audience;
use crate::help::page::{OPTIONS, Page, named};
use askama::filters::{Html, HtmlSafe, escape};
use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd, html};
use std::fmt;

/// HTML of our own pages. There is no other way to one than [`page`] and [`blocks`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpHtml(String);

impl fmt::Display for HelpHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for HelpHtml {}

/// Where help is read: its links lead to the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the pages are: `/help` or `/p/northwind/help`.
    pub base: String,
    /// Only pages for these readers are there.
    pub only: Option<Audience>,
}

impl Place {
    /// The help of the program itself.
    pub fn of_the_program() -> Place {
        Place { base: "/help".to_owned(), only: None }
    }

    /// The help in the portal of the merchant with this short name.
    pub fn of_merchant(slug: &str) -> Place {
        Place { base: format!("/p/{slug}/help"), only: Some(Audience::Payers) }
    }

    /// Where a link of a page leads; `ending` is `.md` in Markdown, else nothing.
    pub fn target(&self, link: &str, ending: &str) -> String {
        if let Some(picture) = link.strip_prefix("../assets/help/") {
            return assets::named(picture).url.clone();
        }
        let (file, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
        match file.strip_suffix(".md") {
            Some(name) if named(name, self.only).is_some() => format!("{}/{name}{ending}{anchor}", self.base),
            // What is not here is in the help of the program.
            Some(name) => format!("/help/{name}{ending}{anchor}"),
            None => link.to_owned(),
        }
    }
}

/// A whole page.
pub fn page(page: &Page, place: &Place) -> HelpHtml {
    HelpHtml(rendered(
        &page.source,
        &mut page.sections.iter().map(|section| section.id.as_str()),
        place,
        true,
    ))
}

/// Some blocks of a page, from one to the other, without their pictures.
pub fn blocks(page: &Page, section: usize, which: std::ops::Range<usize>, place: &Place) -> HelpHtml {
    let blocks = page.sections.get(section).and_then(|section| section.blocks.get(which)).unwrap_or_default();
    let shown = blocks.iter().filter(|block| !block.text.is_empty());
    HelpHtml(
        shown
            .map(|block| rendered(&page.source[block.at.clone()], &mut std::iter::empty(), place, false))
            .collect(),
    )
}

fn rendered(source: &str, ids: &mut dyn Iterator<Item = &str>, place: &Place, with_pictures: bool) -> String {
    let mut out = String::new();
    let mut picture: Option<(String, String)> = None;
    let mut events = Vec::new();
    for event in Parser::new_ext(source, OPTIONS) {
        let event = match (event, &mut picture) {
            (Event::Start(Tag::Image { dest_url, .. }), _) => {
                picture = Some((dest_url.into_string(), String::new()));
                continue;
            }
            (Event::End(TagEnd::Image), _) => {
                let (file, alt) = picture.take().unwrap_or_default();
                if !with_pictures {
                    continue;
                }
                Event::InlineHtml(CowStr::from(img(&file, &alt)))
            }
            (Event::Text(words) | Event::Code(words), Some((_, alt))) => {
                alt.push_str(&words);
                continue;
            }
            (Event::Start(Tag::Heading { level, classes, attrs, .. }), _) => {
                let id = ids.next().map(|id| CowStr::from(id.to_owned()));
                Event::Start(Tag::Heading { level, id, classes, attrs })
            }
            (Event::Start(Tag::Link { link_type, dest_url, title, id }), _) => {
                let dest_url = CowStr::from(place.target(&dest_url, ""));
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            // Markup in a source is text like any other.
            (Event::Html(words) | Event::InlineHtml(words), _) => Event::Text(words),
            (event, _) => event,
        };
        events.push(event);
    }
    html::push_html(&mut out, events.into_iter());
    out
}

/// A picture of our own pages, with its size, so that nothing moves when it arrives.
fn img(file: &str, alt: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or_default();
    let asset = assets::named(name);
    let (wide, high) = webp_size(&asset.bytes).unwrap_or((0, 0));
    let alt = escape(alt, Html).map_or_else(|never| match never {}, |safe| safe.to_string());
    format!(
        "<img src=\"{}\" width=\"{wide}\" height=\"{high}\" alt=\"{alt}\" loading=\"lazy\" decoding=\"async\">",
        asset.url
    )
}

/// Width and height of a WebP picture, pixels; RFC 9649, sections 2.5 to 2.7.
pub fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let byte = |at: usize| bytes.get(at).copied().map(u32::from);
    let two = |at: usize| Some(byte(at)? | byte(at + 1)? << 8);
    let three = |at: usize| Some(two(at)? | byte(at + 2)? << 16);
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WEBP" {
        return None;
    }
    match bytes.get(12..16)? {
        b"VP8 " => Some((two(26)? & 0x3fff, two(28)? & 0x3fff)),
        b"VP8L" => {
            let bits = two(21)? | two(23)? << 16;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((three(24)? + 1, three(27)? + 1)),
        _ => None,
    }
}
