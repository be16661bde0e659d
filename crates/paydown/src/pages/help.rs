//! The help as pages: the contents, a page, an answer. In a merchant's portal they wear its look; those of the program have a
//! plain frame. Nothing here knows who reads.

use super::{Chrome, Viewer};
use crate::assets;
use crate::help::answer::{Asked, Excerpt, LONGEST_QUESTION};
use crate::help::{self, Audience, Group, HelpHtml, Page, Place, groups, render};
use crate::texts::{Arg, Rich, texts};
use askama::Template;

/// Help in a merchant's portal.
#[derive(Template)]
#[template(path = "help/in_portal.html")]
pub struct PortalHelp {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// What it shows.
    pub view: HelpView,
}

/// The program's own help.
#[derive(Template)]
#[template(path = "help/plain.html")]
pub struct PlainHelp {
    /// What it shows.
    pub view: HelpView,
}

/// What a page of the help shows.
#[derive(Debug)]
pub struct HelpView {
    /// Where the help is.
    pub place: Place,
    /// The page that is open, if one is.
    pub page: Option<&'static Page>,
    /// What was asked, as it was typed.
    pub question: String,
    /// The part below the field.
    pub body: Body,
}

/// The main part.
#[derive(Debug)]
pub enum Body {
    /// The contents.
    Contents,
    /// A page.
    Page(HelpHtml),
    /// What a question came to.
    Asked(Asked),
    /// There is no page by that name.
    NoSuchPage,
}

/// Pages that belong together, as they are listed.
pub struct Listed {
    /// What they are about.
    pub title: &'static str,
    /// Where all pages are listed and these begin a part, whom they are for: a key of the catalogue.
    pub part: Option<&'static str>,
    /// True below the heading of a part.
    pub in_part: bool,
    /// Address, title, summary.
    pub pages: Vec<(String, &'static str, &'static str)>,
}

impl HelpView {
    /// What is shown at an address: the contents or a page, or what a question came to.
    pub fn new(place: Place, page: Option<&'static Page>, question: String, asked: Asked) -> HelpView {
        let body = match (asked, page) {
            (Asked::Nothing, None) => Body::Contents,
            (Asked::Nothing, Some(page)) => Body::Page(render::page(page, &place)),
            (asked, _) => Body::Asked(asked),
        };
        HelpView { place, page, question, body }
    }

    /// A text of the catalogue.
    pub fn t(&self, key: &str) -> String {
        texts().get(key)
    }

    /// The page's title, without whose it is.
    pub fn title(&self) -> String {
        match (&self.body, self.page) {
            (Body::Page(_), Some(page)) => {
                texts().fmt("help-page-title", &[("page", Arg::text(&page.title))])
            }
            (Body::Asked(Asked::Found(_)), _) => self.t("help-answer-title"),
            (Body::Asked(Asked::TooLong { .. }), _) => {
                texts().fmt("error-title", &[("title", Arg::text(self.t("help-too-long")))])
            }
            (Body::Asked(_), _) => self.t("help-not-found-title"),
            (Body::NoSuchPage, _) => {
                texts().fmt("error-title", &[("title", Arg::text(self.t("help-no-such-page")))])
            }
            _ => self.t("help"),
        }
    }

    /// Where the field sends its question: to the page that is open.
    pub fn action(&self) -> String {
        match self.page {
            Some(page) => format!("{}/{}", self.place.base, page.name),
            None => self.place.base.clone(),
        }
    }

    /// The same as Markdown.
    pub fn markdown_url(&self) -> String {
        format!("{}.md", self.action())
    }

    /// The page that is open, as a link back: address and title.
    pub fn back(&self) -> Option<(String, &'static str)> {
        let asked = !matches!(self.body, Body::Page(_));
        self.page.filter(|_| asked).map(|page| (self.action(), page.title.as_str()))
    }

    /// True where the contents are listed: instead of a page or an answer.
    pub fn lists_contents(&self) -> bool {
        !matches!(self.body, Body::Page(_) | Body::Asked(Asked::Found(_)))
    }

    /// The contents.
    pub fn contents(&self) -> Vec<Listed> {
        let mut before = None;
        let of = |group: &'static Group| {
            let in_part = self.place.only.is_none();
            let begins = in_part && before.replace(group.audience) != Some(group.audience);
            let part = match group.audience {
                Audience::Payers => "help-for-payers",
                Audience::Operators => "help-for-operators",
            };
            let pages = group.pages.iter().filter_map(|name| self.listed(name)).collect();
            Listed { title: group.title, part: begins.then_some(part), in_part, pages }
        };
        groups(self.place.only).map(of).collect()
    }

    fn listed(&self, name: &str) -> Option<(String, &'static str, &'static str)> {
        let page = help::named(name, self.place.only)?;
        Some((format!("{}/{name}", self.place.base), page.title.as_str(), page.summary.as_str()))
    }

    /// What is quoted of a passage.
    pub fn quoted(&self, excerpt: &Excerpt) -> HelpHtml {
        excerpt.html(&self.place)
    }

    /// Where it stands.
    pub fn source(&self, excerpt: &Excerpt) -> String {
        excerpt.url(&self.place)
    }

    /// How long a question may be, in words.
    pub fn too_long(&self) -> Rich {
        texts().rich("help-too-long-do", &[("most", Arg::text(LONGEST_QUESTION.to_string()))])
    }

    /// Address of the style sheet.
    pub fn css_url(&self) -> &'static str {
        &assets::named("portal.css").url
    }

    /// Address of the icon.
    pub fn icon_url(&self) -> &'static str {
        &assets::named("favicon.svg").url
    }
}

impl PortalHelp {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        self.view.title()
    }
}
