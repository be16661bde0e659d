//! Help as Markdown, for programs and people who read text: pages, answers, and the two files that tell language models what
//! there is. It must never let a question become markup.

use crate::help::answer::{Answer, Asked, Excerpt};
use crate::help::contents::{Audience, groups};
use crate::help::page::{Page, all};
use crate::help::render::Place;

/// `Content-Type` of every Markdown answer.
pub const CONTENT_TYPE: &str = "text/markdown; charset=utf-8";

/// What the program is, in a sentence.
const ABOUT: &str = "Paydown is a self-hosted invoice payment portal: a customer pays a part of an invoice by card, and \
                     what is left stays on the invoice until it is paid in full.";

/// A page, with links that lead on to Markdown.
pub fn page(page: &Page, place: &Place) -> String {
    with_links(&page.source, place)
}

/// The table of contents.
pub fn index(place: &Place) -> String {
    format!("# Help\n\nAsk with `{}.md?ask=QUESTION`.\n\n{}", place.base, list(place, ""))
}

/// What a question came to; `None` where there was none.
pub fn asked(question: &str, asked: &Asked, place: &Place) -> Option<String> {
    match asked {
        Asked::Nothing => None,
        Asked::TooLong { most } => {
            Some(format!("# Too long a question\n\nAsk in at most {most} characters.\n\n{}", index(place)))
        }
        Asked::NotFound => Some(format!(
            "# Not found\n\nThe help pages do not answer this: {}\n\nUse other words, or look through the pages.\n\n{}",
            as_text(question),
            list(place, "")
        )),
        Asked::Found(answer) => Some(found(question, answer, place)),
    }
}

fn found(question: &str, answer: &Answer, place: &Place) -> String {
    let mut text = format!("# Answer\n\nTo: {}\n\n", as_text(question));
    text.push_str(&quote(&answer.direct, place));
    if !answer.further.is_empty() {
        text.push_str("## More on it\n\n");
        text.extend(answer.further.iter().map(|excerpt| quote(excerpt, place)));
    }
    text
}

/// An excerpt as a quotation with its source.
fn quote(excerpt: &Excerpt, place: &Place) -> String {
    let mut text = String::new();
    for (at, block) in excerpt.blocks().iter().enumerate() {
        if at > 0 {
            text.push_str(">\n");
        }
        let block = with_links(excerpt.page.source[block.at.clone()].trim_end(), place);
        for line in block.lines().filter(|line| !line.trim_start().starts_with("![")) {
            text.push_str(if line.is_empty() { ">" } else { "> " });
            text.push_str(line);
            text.push('\n');
        }
    }
    let (words, url) = (excerpt.title(), excerpt.url(place));
    format!("{text}\nSource: [{words}]({url})\n\n")
}

/// `/llms.txt`: what there is, with an address each, as llmstxt.org proposes it.
pub fn llms(origin: &str) -> String {
    let place = Place::of_the_program();
    format!(
        "# Paydown\n\n> {ABOUT}\n\nEvery page answers questions from the pages themselves, without a model: \
         `{origin}/help.md?ask=QUESTION`. All pages in one file: {origin}/llms-full.txt\n\n{}",
        list(&place, origin)
    )
}

/// `/llms-full.txt`: every page.
pub fn llms_full(origin: &str) -> String {
    let place = Place { base: format!("{origin}/help"), only: None };
    let mut text = format!("# Paydown\n\n> {ABOUT}\n");
    for found in all() {
        text.push_str(&format!("\n---\nSource: {origin}/help/{}\n\n", found.name));
        text.push_str(&page(found, &place));
    }
    text
}

/// The pages, grouped: a heading and a list each.
fn list(place: &Place, origin: &str) -> String {
    let mut text = String::new();
    for group in groups(place.only) {
        let whom = if group.audience == Audience::Operators { " (for operators)" } else { "" };
        text.push_str(&format!("## {}{whom}\n\n", group.title));
        for page in group.pages.iter().filter_map(|name| all().iter().find(|page| page.name == *name)) {
            let Page { name, title, summary, .. } = page;
            text.push_str(&format!("- [{title}]({origin}{}/{name}.md): {summary}\n", place.base));
        }
        text.push('\n');
    }
    text
}

/// A source with its links led to where it is read.
fn with_links(source: &str, place: &Place) -> String {
    let mut pieces = source.split("](");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (link, rest) = piece.split_at(piece.find(')').unwrap_or(0));
        text.push_str(&format!("]({}{rest}", place.target(link, ".md")));
    }
    text
}

/// Somebody's words on one line, none of them a mark.
fn as_text(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = String::with_capacity(line.len());
    for c in line.chars().filter(|c| !c.is_control()) {
        if c.is_ascii_punctuation() {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
