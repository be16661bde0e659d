//! An answer to a question: the passage of the pages that fits best, quoted, with more of them behind it; or that there is
//! none. Every word of an answer stands on a page.

use crate::help::index::{self, Hit, Question};
use crate::help::page::{Block, Page, Section, all};
use crate::help::render::{self, HelpHtml, Place};
use std::ops::Range;

/// The longest question that is read, characters.
pub const LONGEST_QUESTION: usize = 500;
/// A passage that has less of what the question says is no answer; more is asked of it where some of the question is on no
/// page at all.
const ENOUGH: f64 = 0.3;
const ENOUGH_OF_STRANGE: f64 = 0.5;
/// A further passage fits at least so well beside the best.
const NEAR: f64 = 0.45;
/// So many passages are quoted, the answer among them.
const QUOTED: usize = 4;
/// A passage is quoted whole up to so many characters, and else about so much of it.
const WHOLE: usize = 900;
const PART: usize = 450;

/// What asking came to.
#[derive(Debug)]
pub enum Asked {
    /// Nothing was asked.
    Nothing,
    /// The question is longer than is read.
    TooLong {
        /// So many characters are.
        most: usize,
    },
    /// No page says it.
    NotFound,
    /// This is what the pages say.
    Found(Answer),
}

/// What the pages say to a question.
#[derive(Debug)]
pub struct Answer {
    /// The passage that fits best.
    pub direct: Excerpt,
    /// Others that fit, the best first.
    pub further: Vec<Excerpt>,
}

/// Some of what stands under a heading, to be quoted.
#[derive(Debug)]
pub struct Excerpt {
    /// On which page.
    pub page: &'static Page,
    section: usize,
    which: Range<usize>,
}

/// Answers a question from the pages that are at `place`; those of the page `here` are preferred a little.
pub fn ask(question: &str, place: &Place, here: Option<&str>) -> Asked {
    let question = question.trim();
    if question.is_empty() {
        return Asked::Nothing;
    }
    if question.chars().count() > LONGEST_QUESTION {
        return Asked::TooLong { most: LONGEST_QUESTION };
    }
    let question = index::question(question);
    let is_there = |page: &Page| place.only.is_none_or(|audience| page.audience == audience);
    let mut hits = index::search(&question, is_there, here);
    let enough = if question.is_partly_strange() { ENOUGH_OF_STRANGE } else { ENOUGH };
    let best = hits.iter().copied().find(|hit| hit.share >= enough && question.is_about_something());
    let Some(best) = best else { return Asked::NotFound };
    hits.retain(|hit| (hit.page, hit.section) != (best.page, best.section) && hit.score >= NEAR * best.score);
    let further = hits.iter().take(QUOTED - 1).map(|hit| Excerpt::of(hit, &question, PART)).collect();
    Asked::Found(Answer { direct: Excerpt::of(&best, &question, WHOLE), further })
}

impl Excerpt {
    /// The whole passage if it is at most so long, else the paragraphs around the one that fits best.
    fn of(hit: &Hit, question: &Question, most: usize) -> Excerpt {
        let page = &all()[hit.page];
        let blocks = &page.sections[hit.section].blocks;
        let lengths: Vec<usize> = blocks.iter().map(|block| block.text.chars().count()).collect();
        let mut which = 0..blocks.len();
        if lengths.iter().sum::<usize>() > most {
            let fits = blocks.iter().map(|block| index::fit_of(&block.text, question));
            let best = fits.enumerate().fold((0, 0.0), |best, fit| if fit.1 > best.1 { fit } else { best }).0;
            which = best..best + 1;
            let mut sum = lengths[best];
            // A sentence that ends with a colon belongs to what follows it.
            if best > 0 && blocks[best - 1].text.ends_with(':') {
                which.start = best - 1;
                sum += lengths[best - 1];
            }
            while let Some(more) = lengths.get(which.end).filter(|more| sum + **more <= most) {
                sum += more;
                which.end += 1;
            }
        }
        Excerpt { page, section: hit.section, which }
    }

    /// What it stands under.
    pub fn section(&self) -> &'static Section {
        &self.page.sections[self.section]
    }

    /// What is quoted; pictures are left out.
    pub fn blocks(&self) -> Vec<&'static Block> {
        let blocks = self.section().blocks[self.which.clone()].iter();
        blocks.filter(|block| !block.text.is_empty()).collect()
    }

    /// The same as HTML.
    pub fn html(&self, place: &Place) -> HelpHtml {
        render::blocks(self.page, self.section, self.which.clone(), place)
    }

    /// Page and heading, in words.
    pub fn title(&self) -> String {
        if self.section == 0 {
            return self.page.title.clone();
        }
        format!("{}: {}", self.page.title, self.section().heading)
    }

    /// Where it stands: `/help/receipts#printing-a-receipt`.
    pub fn url(&self, place: &Place) -> String {
        format!("{}/{}#{}", place.base, self.page.name, self.section().id)
    }
}
