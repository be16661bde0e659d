//! Finding the passages that a question is about: BM25 over the sections of the pages, with headings and titles counting
//! more, words that mean the same, and small slips of the pen forgiven. The same question always finds the same. It judges
//! how well a passage fits and never makes one up.

use crate::help::page::{Page, Section, all};
use crate::help::words::{alike, implied, is_everyday, words};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What a word in a heading, in the page's title and in the text counts.
const HEADING: f64 = 3.0;
const TITLE: f64 = 1.25;
const TEXT: f64 = 1.0;
/// BM25's own two: how soon a word that is repeated counts no more, and how far long passages are held back.
const REPEATS: f64 = 1.2;
const LENGTH: f64 = 0.8;
/// What a word that means the same counts, and one that was mistyped.
const ALIKE: f64 = 0.8;
const MISTYPED: f64 = 0.7;
/// Shorter words are not taken for mistyped ones: too many are near.
const MISTYPED_FROM: usize = 5;
/// A heading that is all in the question counts so much more.
const NAMED: f64 = 0.3;
/// How far a passage is held back for what it has nothing of.
const WHOLE: f64 = 0.2;
/// What an everyday word counts when it is judged whether a passage answers at all.
const EVERYDAY: f64 = 0.25;
/// The page that is open is preferred so far.
const HERE: f64 = 1.15;

/// A passage that fits.
#[derive(Debug, Clone, Copy)]
pub struct Hit {
    /// Its page's place in [`all`].
    pub page: usize,
    /// Its place in the page.
    pub section: usize,
    /// How well it fits, beside other passages.
    pub score: f64,
    /// How much of what the question says it has: 0 to 1.
    pub share: f64,
}

/// One word of a question and the words of the pages it stands for, each with what it counts.
#[derive(Debug)]
struct Wanted {
    /// Which words of the pages, and what they count.
    variants: Vec<(String, f64)>,
    /// How much the word says: one that is rare, or on no page at all, says most; nothing for an everyday word on no page.
    says: f64,
    is_everyday: bool,
}

impl Wanted {
    /// How much of what is asked is in this word.
    fn tells(&self) -> f64 {
        if self.is_everyday { EVERYDAY * self.says } else { self.says }
    }
}

/// What a question is about.
#[derive(Debug)]
pub struct Question {
    words: Vec<Wanted>,
}

impl Question {
    /// True where a word that is not an everyday one is on no page, not even by another name: what is asked may be about
    /// that alone.
    pub fn is_partly_strange(&self) -> bool {
        self.words.iter().any(|word| word.variants.is_empty() && !word.is_everyday)
    }

    /// True where it has a word that pages know and that is not everyday talk.
    pub fn is_about_something(&self) -> bool {
        self.words.iter().any(|word| !word.variants.is_empty() && !word.is_everyday)
    }
}

struct Passage {
    page: usize,
    section: usize,
    /// How often a word is there, weighted.
    counts: BTreeMap<String, f64>,
    /// The words of its heading.
    heading: BTreeSet<String>,
    length: f64,
}

struct Index {
    passages: Vec<Passage>,
    /// In how many passages a word is.
    spread: BTreeMap<String, usize>,
    usual_length: f64,
}

fn index() -> &'static Index {
    static INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(all()));
    &INDEX
}

/// What a question is about.
pub fn question(asked: &str) -> Question {
    let distinct: BTreeSet<String> = words(asked).into_iter().chain(implied(asked)).collect();
    Question { words: distinct.iter().map(|word| index().wanted(word)).collect() }
}

/// The passages of these pages that have anything of what is asked, the best first.
pub fn search(question: &Question, among: impl Fn(&Page) -> bool, here: Option<&str>) -> Vec<Hit> {
    let all_of_it: f64 = question.words.iter().map(Wanted::tells).sum();
    let mut hits: Vec<Hit> = Vec::new();
    for passage in &index().passages {
        let page = &all()[passage.page];
        if !among(page) {
            continue;
        }
        let (mut score, mut had) = (0.0, 0.0);
        for word in &question.words {
            let (fit, share) = index().fit(passage, word);
            score += fit;
            had += share * word.tells();
        }
        if score > 0.0 && all_of_it > 0.0 {
            let share = had / all_of_it;
            let liked = if here == Some(page.name.as_str()) { HERE } else { 1.0 };
            let named = 1.0 + NAMED * index().named(passage, question);
            let score = score * named * (1.0 - WHOLE + WHOLE * share) * liked;
            hits.push(Hit { page: passage.page, section: passage.section, score, share });
        }
    }
    // Equals stay in the order of the contents.
    hits.sort_by(|one, other| other.score.partial_cmp(&one.score).unwrap_or(Ordering::Equal));
    hits
}

/// How well a text of a passage fits, for choosing among its paragraphs.
pub fn fit_of(text: &str, question: &Question) -> f64 {
    let there: BTreeSet<String> = words(text).into_iter().collect();
    let best = |word: &Wanted| {
        let counts = word.variants.iter().filter(|(variant, _)| there.contains(variant));
        counts.map(|(_, weight)| weight * word.says).fold(0.0, f64::max)
    };
    question.words.iter().map(best).sum()
}

/// What a question was taken for: its words, what each says, and the words of the pages it stands for.
#[cfg(test)]
pub(super) fn explained(asked: &str) -> String {
    let question = question(asked);
    let best = search(&question, |_| true, None).first().map_or(0.0, |hit| hit.share);
    let word = |word: &Wanted| {
        let variants: Vec<&str> = word.variants.iter().map(|(variant, _)| variant.as_str()).collect();
        format!("{:.1} {}", word.says, variants.join("|"))
    };
    format!("{best:.2} [{}]", question.words.iter().map(word).collect::<Vec<_>>().join(", "))
}

/// Passages and different words, for who wants to know how large the index is.
pub fn size() -> (usize, usize) {
    (index().passages.len(), index().spread.len())
}

impl Index {
    fn of(pages: &[Page]) -> Index {
        let mut passages = Vec::new();
        for (page_at, page) in pages.iter().enumerate() {
            for (section_at, section) in page.sections.iter().enumerate() {
                passages.push(Passage::of(page, page_at, section, section_at));
            }
        }
        let mut spread: BTreeMap<String, usize> = BTreeMap::new();
        for word in passages.iter().flat_map(|passage| passage.counts.keys()) {
            *spread.entry(word.clone()).or_default() += 1;
        }
        let sum: f64 = passages.iter().map(|passage| passage.length).sum();
        let usual_length = sum / number(passages.len().max(1));
        Index { passages, spread, usual_length }
    }

    /// How much a word says that so many passages have: the fewer the more.
    fn says(&self, with: usize) -> f64 {
        let (of, with) = (number(self.passages.len()), number(with));
        (1.0 + (of - with + 0.5) / (with + 0.5)).ln()
    }

    fn wanted(&self, word: &str) -> Wanted {
        let mut variants = vec![(word.to_owned(), 1.0)];
        variants.extend(alike(word).filter(|other| *other != word).map(|other| (other.to_owned(), ALIKE)));
        variants.retain(|(variant, _)| self.spread.contains_key(variant));
        if variants.is_empty() && word.len() >= MISTYPED_FROM {
            let near = self.spread.keys().filter(|known| is_slip(word, known));
            variants.extend(near.map(|known| (known.clone(), MISTYPED)));
        }
        let has_any =
            |passage: &&Passage| variants.iter().any(|(variant, _)| passage.counts.contains_key(variant));
        let is_everyday = is_everyday(word);
        let says = if variants.is_empty() && is_everyday {
            0.0
        } else {
            self.says(self.passages.iter().filter(has_any).count())
        };
        Wanted { variants, says, is_everyday }
    }

    /// What a word adds to a passage's score, and the share of it that the passage has.
    fn fit(&self, passage: &Passage, word: &Wanted) -> (f64, f64) {
        let (mut share, mut count): (f64, f64) = (0.0, 0.0);
        for (variant, weight) in &word.variants {
            if let Some(found) = passage.counts.get(variant) {
                count += weight * found;
                share = share.max(*weight);
            }
        }
        let slow = REPEATS * (1.0 - LENGTH + LENGTH * passage.length / self.usual_length);
        (word.says * count * (REPEATS + 1.0) / (count + slow), share)
    }

    /// How much of a passage's heading is in the question, 0 to 1.
    fn named(&self, passage: &Passage, question: &Question) -> f64 {
        let is_asked = |word: &&String| {
            question.words.iter().any(|wanted| wanted.variants.iter().any(|(variant, _)| variant == *word))
        };
        let all: f64 = passage.heading.iter().map(|word| self.rarity(word)).sum();
        let asked: f64 = passage.heading.iter().filter(is_asked).map(|word| self.rarity(word)).sum();
        if all > 0.0 { asked / all } else { 0.0 }
    }

    fn rarity(&self, word: &str) -> f64 {
        self.says(self.spread.get(word).copied().unwrap_or(0))
    }
}

impl Passage {
    fn of(page: &Page, page_at: usize, section: &Section, section_at: usize) -> Passage {
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        let mut add = |text: &str, weight: f64| {
            let found = words(text);
            for word in &found {
                *counts.entry(word.clone()).or_default() += weight;
            }
            number(found.len())
        };
        // What comes before the first heading stands under the title alone.
        add(&page.title, if section_at == 0 { HEADING } else { TITLE });
        if section_at > 0 {
            add(&section.heading, HEADING);
        }
        let length = section.blocks.iter().map(|block| add(&block.text, TEXT)).sum();
        let heading = words(&section.heading).into_iter().collect();
        Passage { page: page_at, section: section_at, counts, heading, length }
    }
}

/// Counts here are small.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// True where one letter is wrong, missing, too many or changed places with its neighbour; the first one is right.
fn is_slip(typed: &str, meant: &str) -> bool {
    let (a, b) = (typed.as_bytes(), meant.as_bytes());
    if a.first() != b.first() || a.len().abs_diff(b.len()) > 1 || meant.len() + 1 < MISTYPED_FROM {
        return false;
    }
    let same = a.iter().zip(b).take_while(|(one, other)| one == other).count();
    let (a, b) = (&a[same..], &b[same..]);
    match (a, b) {
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([first, second, a @ ..], [one, two, b @ ..]) if first == two && second == one && a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) if a == b => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn one_slip_is_forgiven_and_no_more() {
        for (typed, meant) in
            [("reciept", "receipt"), ("invoc", "invoic"), ("minimun", "minimum"), ("cardd", "card")]
        {
            assert!(is_slip(typed, meant), "{typed} {meant}");
        }
        for (typed, meant) in [("recipe", "receipt"), ("banana", "bank"), ("fee", "see"), ("links", "inks")] {
            assert!(!is_slip(typed, meant), "{typed} {meant}");
        }
    }
}
