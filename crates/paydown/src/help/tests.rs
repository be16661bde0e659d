//! The pages against what they say of themselves and of the program.

use super::*;
use crate::help::markdown;
use pulldown_cmark::{Event, Parser, Tag};
use scraper::{Html, Selector};
use std::collections::BTreeSet;

fn places() -> [Place; 2] {
    [Place::of_the_program(), Place::of_merchant("northwind")]
}

/// Every page at every place where it is.
fn everywhere() -> impl Iterator<Item = (Place, &'static Page)> {
    let pages = |place: Place| {
        let only = place.only;
        let there = all().iter().filter(move |page| only.is_none_or(|audience| page.audience == audience));
        there.map(move |page| (place.clone(), page))
    };
    places().into_iter().flat_map(pages)
}

#[test]
fn the_contents_list_every_page_once() {
    let mut listed: Vec<&str> = groups(None).flat_map(|group| group.pages.iter().copied()).collect();
    let mut files = page::files();
    listed.sort_unstable();
    files.sort_unstable();
    assert_eq!(listed, files);
    assert_eq!(all().len(), files.len(), "each can be read");
    assert!(files.len() > 10, "pages were found");
}

#[test]
fn every_page_begins_with_its_title_and_what_it_is_about() {
    for page in all() {
        assert!(page.source.starts_with("# "), "{}", page.name);
        assert_eq!(page.source.matches("\n# ").count(), 0, "{} has one title", page.name);
        assert!((20..=200).contains(&page.summary.len()), "{}: {}", page.name, page.summary);
        assert!(page.sections.len() > 2, "{} can be found by its headings", page.name);
        for section in &page.sections {
            assert!(!section.blocks.is_empty(), "{}#{} says nothing", page.name, section.id);
        }
    }
}

#[test]
fn every_link_and_every_picture_is_there() {
    let mut links = 0;
    for (place, page) in everywhere() {
        let html = Html::parse_fragment(&render::page(page, &place).to_string());
        for link in html.select(&Selector::parse("a[href]").unwrap()) {
            let href = link.value().attr("href").unwrap();
            if href.starts_with("https://") || ["/v1/docs", "/llms.txt", "/llms-full.txt"].contains(&href) {
                continue;
            }
            let (path, anchor) = href.split_once('#').unwrap_or((href, ""));
            let target = match path.strip_prefix(&format!("{}/", place.base)) {
                Some(name) => named(name, place.only).unwrap_or_else(|| panic!("{}: {href}", page.name)),
                None if path.is_empty() => page,
                None => panic!("{} leads out of its place: {href}", page.name),
            };
            assert!(anchor.is_empty() || target.section(anchor).is_some(), "{}: {href}", page.name);
            links += 1;
        }
        for picture in html.select(&Selector::parse("img").unwrap()) {
            let of = |name| picture.value().attr(name).unwrap_or_default();
            let asset =
                crate::assets::find(of("src").trim_start_matches("/assets/")).expect("it is embedded");
            let (wide, high) = render::webp_size(&asset.bytes).expect("it is a WebP picture");
            assert_eq!((of("width"), of("height")), (&*wide.to_string(), &*high.to_string()));
            assert!(asset.bytes.len() < 60 * 1024, "{}: {} bytes", asset.url, asset.bytes.len());
            assert!(of("alt").len() > 20, "{}: {} says what it shows", page.name, asset.url);
        }
        let text = markdown::page(page, &place);
        assert!(!text.contains("](../") && !text.contains(".md.md"), "{}", page.name);
    }
    assert!(links > 10, "links were looked at");
}

#[test]
fn no_page_has_markup_of_its_own() {
    for (place, page) in everywhere() {
        let html = render::page(page, &place).to_string();
        let parsed = Html::parse_fragment(&html);
        let forbidden = Selector::parse("[style], style, script, iframe, form, [onclick]").unwrap();
        assert_eq!(parsed.select(&forbidden).count(), 0, "{}", page.name);
        for event in Parser::new_ext(&page.source, page::OPTIONS) {
            assert!(!matches!(event, Event::Html(_) | Event::InlineHtml(_)), "{}: {event:?}", page.name);
        }
        let ids: Vec<&str> = page.sections.iter().map(|section| section.id.as_str()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}", page.name);
        for id in ids {
            assert!(html.contains(&format!(" id=\"{id}\"")), "{}#{id}", page.name);
        }
    }
}

#[test]
fn markup_in_a_source_would_be_text() {
    let source = "# T\n\n<script>f()</script>\n\nA <b onclick=f()>b</b> [x](javascript:f()).\n";
    let sections = page::sections(source);
    let page = Page {
        name: "t".to_owned(),
        title: "T".to_owned(),
        summary: String::new(),
        audience: Audience::Payers,
        source: source.to_owned(),
        sections,
    };
    let html = render::page(&page, &Place::of_the_program()).to_string();
    assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn llms_txt_names_every_page() {
    let short = markdown::llms("https://pay.example.com");
    let full = markdown::llms_full("https://pay.example.com");
    for page in all() {
        let address = format!("https://pay.example.com/help/{}.md", page.name);
        assert!(short.contains(&format!("[{}]({address})", page.title)), "{}", page.name);
        assert!(
            short.contains(&page.summary) && full.contains(&format!("\n# {}\n", page.title)),
            "{}",
            page.name
        );
    }
    let linked = Parser::new(&short).filter(|event| matches!(event, Event::Start(Tag::Link { .. }))).count();
    assert_eq!(linked, all().len());
}

/// The grade of a school in which a text is understood, after Flesch and Kincaid.
fn grade(page: &Page) -> f64 {
    let texts = page.sections.iter().flat_map(|section| section.blocks.iter().map(|block| &block.text));
    let (mut sentences, mut words, mut syllables) = (0.0, 0.0, 0.0);
    for text in texts {
        sentences +=
            text.split(['.', ':', '?', ';']).filter(|part| part.split_whitespace().count() > 1).count()
                as f64;
        for word in text.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_alphabetic())) {
            words += 1.0;
            syllables += syllables_of(&word.to_lowercase());
        }
    }
    0.39 * words / sentences + 11.8 * syllables / words - 15.59
}

/// Groups of vowels, without the silent e at the end.
fn syllables_of(word: &str) -> f64 {
    let letters: Vec<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
    let vowel = |c: &char| "aeiouy".contains(*c);
    let mut count = 0;
    for (at, letter) in letters.iter().enumerate() {
        count += usize::from(vowel(letter) && (at == 0 || !vowel(&letters[at - 1])));
    }
    let silent = letters.ends_with(&['e']) && !letters.ends_with(&['l', 'e']) && count > 1;
    count.saturating_sub(usize::from(silent)).max(1) as f64
}

#[test]
fn payers_need_no_more_than_eight_years_of_school() {
    for page in all().iter().filter(|page| page.audience == Audience::Payers) {
        let grade = grade(page);
        assert!(grade <= 8.0, "{}: {grade:.1}", page.name);
    }
}
