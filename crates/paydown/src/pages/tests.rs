//! Every sample is rendered and read as a browser would read it.

use super::samples;
use crate::assets::{self, Asset};
use flate2::{Compression, write::GzEncoder};
use scraper::{Html, Selector};
use std::collections::HashSet;
use std::io::Write;

/// The page as it stands, without what only the script unfolds.
fn document(html: &str) -> Html {
    let Some((before, rest)) = html.split_once("<template") else { return Html::parse_document(html) };
    let (_, after) = rest.split_once("</template>").expect("a template ends");
    Html::parse_document(&format!("{before}{after}"))
}

/// The page after the pencil was pressed.
fn opened(html: &str) -> Option<Html> {
    let (_, rest) = html.split_once("<template id=\"inline\">")?;
    Some(Html::parse_fragment(rest.split_once("</template>")?.0))
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(page: &Html, selector: &str) -> String {
    let found = select(page, selector);
    let words: Vec<String> = found.iter().map(|element| element.text().collect::<String>()).collect();
    words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sample(name: &str) -> Html {
    let (_, html) = samples().into_iter().find(|(found, _)| found == name).expect("a sample by that name");
    document(&html)
}

#[test]
fn every_page_has_one_heading_a_full_title_and_landmarks() {
    let mut names = HashSet::new();
    for (name, html) in samples() {
        assert!(names.insert(name.clone()), "{name} twice");
        let page = document(&html);
        assert_eq!(select(&page, "h1").len(), 1, "{name}");
        assert!(!text(&page, "h1").is_empty(), "{name}");
        for landmark in ["header", "main", "footer"] {
            assert_eq!(select(&page, &format!("body > {landmark}")).len(), 1, "{name} {landmark}");
        }
        let merchant = text(&page, ".merchant bdi");
        let title = text(&page, "title");
        assert!(title.ends_with(&format!(" – {merchant}")), "{name}: {title}");
        let wrong = !select(&page, ".summary, [aria-invalid]").is_empty() || name.starts_with("error-");
        assert_eq!(title.starts_with("Error: "), wrong, "{name}: {title}");
        let first = select(&page, "body a")[0];
        assert_eq!(first.value().attr("href"), Some("#main"), "{name}: the skip link comes first");
        assert_eq!(select(&page, "html[lang=en]").len(), 1);
        assert_eq!(select(&page, "meta[name=robots][content=noindex]").len(), 1);
        assert!(text(&page, "footer").contains("billing@northwind.example"), "{name}");
    }
}

#[test]
fn no_page_breaks_the_policy() {
    for (name, html) in samples() {
        let page = document(&html);
        assert!(
            select(&page, "[style], style, script:not([src]), iframe, object, base").is_empty(),
            "{name}"
        );
        for element in select(&page, "*") {
            let handler = element.value().attrs().find(|(attribute, _)| attribute.starts_with("on"));
            assert_eq!(handler, None, "{name}");
        }
        for attribute in ["src", "href", "action"] {
            for element in select(&page, &format!("[{attribute}]")) {
                let url = element.value().attr(attribute).unwrap();
                let theirs = [
                    "mailto:billing@northwind.example",
                    "tel:+15035550142",
                    "https://northwind.example/terms",
                ];
                let help = theirs.contains(&url) && (attribute == "href");
                let ours = help || (url.starts_with('/') && !url.starts_with("//")) || url.starts_with('#');
                assert!(ours, "{name}: {url}");
            }
        }
        for form in select(&page, "form[method=post]") {
            let csrf = Selector::parse("input[type=hidden][name=csrf]").unwrap();
            assert_eq!(form.select(&csrf).count(), 1, "{name}: {}", form.html());
        }
    }
}

#[test]
fn every_field_has_a_label_and_every_reference_a_target() {
    for (name, html) in samples() {
        let page = document(&html);
        let ids: Vec<&str> =
            select(&page, "[id]").iter().filter_map(|element| element.value().id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{name} repeats an id");
        for field in select(&page, "input:not([type=hidden]), select") {
            let id = field.value().id().unwrap_or_else(|| panic!("{name}: a field without an id"));
            assert!(!text(&page, &format!("label[for={id}]")).is_empty(), "{name} {id}");
            assert_eq!(field.value().attr("placeholder"), None);
            assert_eq!(field.value().attr("maxlength"), None);
        }
        for attribute in ["aria-describedby", "aria-labelledby"] {
            for element in select(&page, &format!("[{attribute}]")) {
                for id in element.value().attr(attribute).unwrap().split_whitespace() {
                    assert!(ids.contains(&id), "{name}: {attribute} {id}");
                }
            }
        }
        for link in select(&page, "a") {
            let words: String = link.text().collect();
            assert!(!words.trim().is_empty(), "{name}: an empty link");
        }
        if let Some(form) = opened(&html) {
            assert_eq!(
                text(&form, "label[for=amount]"),
                "Amount to pay now, in ".to_owned() + currency(&name),
                "{name}"
            );
            assert_eq!(text(&form, "button"), "Confirm amount", "{name}: Enter has one meaning");
        }
        assert!(select(&page, ".pay").len() <= 1, "{name} has two primary buttons");
        assert!(select(&page, "[autofocus]").len() <= 1, "{name}");
    }
}

fn currency(name: &str) -> &'static str {
    if name == "invoice-yen" { "Japanese yen" } else { "US dollars" }
}

#[test]
fn nothing_hostile_gets_through() {
    let (_, html) = samples().into_iter().find(|(name, _)| name == "invoice-hostile").unwrap();
    for marks in ["<b>&", "<script>alert", "<img src=x", "<i>&"] {
        assert!(!html.contains(marks), "{marks}");
    }
    let page = document(&html);
    assert_eq!(text(&page, ".merchant bdi"), "<b>&\"'");
    assert_eq!(text(&page, "h1"), "Invoice <b>&\"");
    assert!(text(&page, "table").contains("</td><img src=x onerror=y>"));
    assert!(text(&page, ".practice").contains("no real money moves"));
}

#[test]
fn the_invoice_page_says_what_is_left() {
    let unpaid = sample("invoice-unpaid");
    assert_eq!(
        text(&unpaid, "title"),
        "Invoice INV-1042 – $1,250.00 left to pay, due 30 November 2026 – Northwind IT"
    );
    assert_eq!(text(&unpaid, ".label"), "Amount due");
    assert_eq!(text(&unpaid, ".amount strong"), "$1,250.00, 1,250 US dollars");
    assert_eq!(text(&unpaid, ".pencil"), "Change amount");
    assert_eq!(text(&unpaid, ".pay"), "Pay $1,250.00");
    assert!(select(&unpaid, ".bar").is_empty());
    let part = sample("invoice-partly-paid");
    assert_eq!(text(&part, ".label"), "Left to pay");
    assert_eq!(text(&part, ".pills"), "Partly paid Due in 12 days");
    assert_eq!(select(&part, ".bar rect").len(), 2);
    assert!(text(&part, ".timeline").contains("$750.00 left after it"));
    assert!(select(&part, ".tries").is_empty());
}

#[test]
fn tries_that_ended_without_money_are_folded_away() {
    let paid = sample("invoice-paid");
    assert_eq!(select(&paid, ".card > .timeline > li").len(), 2, "what was received stands open");
    assert_eq!(text(&paid, ".tries summary"), "3 tries not completed");
    assert_eq!(select(&paid, ".tries:not([open]) .timeline > li").len(), 3);
    assert!(text(&paid, ".tries li").contains("No money was taken"));
}

#[test]
fn a_name_with_a_full_stop_gets_no_second_one() {
    let other = sample("link-other-company");
    assert!(text(&other, ".lead").ends_with("This invoice is for Acme Inc."));
    assert_eq!(text(&other, ".pay"), "Open as Acme Inc.");
}

#[test]
fn whoever_acts_for_several_companies_may_change_it() {
    let (one, several) = (sample("invoice-partly-paid"), sample("invoice-long"));
    assert_eq!(text(&one, ".who"), "Dana, Acme Inc.");
    let link = select(&several, ".who a")[0];
    assert_eq!(link.text().collect::<String>(), "Change company");
    assert_eq!(link.value().attr("href"), Some("/p/northwind/companies"));
}

#[test]
fn a_chosen_amount_is_called_partial_only_when_it_is() {
    let chosen = sample("invoice-chosen");
    assert_eq!(text(&chosen, ".pay"), "Pay partial amount: $500.00");
    assert_eq!(text(&chosen, ".after"), "Left after this $750.00");
    assert!(text(&chosen, "title").starts_with("Paying $500.00 of $1,250.00 – "));
    assert!(text(&chosen, ".links").contains("Pay the full $1,250.00 instead"));
    let all = sample("invoice-chosen-all");
    assert_eq!(text(&all, ".pay"), "Pay $1,250.00");
    assert!(!all.html().contains("partial"));
}

#[test]
fn ended_invoices_cannot_be_paid() {
    for (name, words) in [
        ("invoice-paid", "Paid in full on 12 Nov"),
        ("invoice-void", "Northwind IT cancelled this invoice on 3 Nov. Nothing is due."),
        ("invoice-nothing-due", "Nothing due"),
        ("invoice-written-off", "Northwind IT has closed this invoice. Nothing is due."),
        ("invoice-credited", "Northwind IT credited all of this invoice. Nothing is due."),
        ("invoice-all-in-flight", "All of this invoice is being paid right now."),
        ("invoice-too-little", "$0.30 is left, less than a card can take."),
        (
            "invoice-too-much",
            "A card payment can be at most $999,999.99, and Northwind IT takes no part of this",
        ),
    ] {
        let page = sample(name);
        assert!(select(&page, ".pay, .pencil").is_empty(), "{name}");
        assert!(text(&page, "main").contains(words), "{name}");
    }
    let in_full = sample("invoice-in-full-only");
    assert!(select(&in_full, ".pencil").is_empty());
    assert!(text(&in_full, "main").contains("Northwind IT asks for this invoice to be paid in full."));
    assert_eq!(text(&in_full, ".pay"), "Pay $1,250.00");
}

#[test]
fn a_refused_amount_keeps_what_was_typed_and_says_the_same_twice() {
    for (name, html) in samples().into_iter().filter(|(name, _)| name.starts_with("amount-")) {
        let page = document(&html);
        let field = select(&page, "input#amount");
        let Some(field) = field.first() else {
            let closed = ["paid-meanwhile", "in-full-only", "all-only", "too-little-left", "all-in-flight"];
            let closed = closed.into_iter().chain(["too-much", "nothing-left", "void"]);
            assert!(closed.map(|end| format!("amount-{end}")).any(|closed| closed == name), "{name}");
            continue;
        };
        assert_eq!(text(&page, ".summary > p a[href=\"#amount\"]"), text(&page, "#why"), "{name}");
        assert_eq!(field.value().attr("aria-invalid"), Some("true"), "{name}");
        assert_eq!(text(&page, ".amount-form button"), "Confirm amount", "{name}: Enter has one meaning");
    }
    let crumb = sample("amount-crumb");
    assert_eq!(text(&crumb, "#why"), "$1,249.60 would leave $0.40. Pay $750.00, or $1,240.00 or less");
    assert_eq!(text(&crumb, ".summary .chips"), "Pay $750.00 Pay $1,240.00");
    let typed = sample("amount-not-a-number");
    assert_eq!(select(&typed, "#amount")[0].value().attr("value"), Some("<five>"));
}

#[test]
fn phones_are_asked_for_the_keypad_that_is_set() {
    let keypad =
        |name: &str| select(&sample(name), "#amount")[0].value().attr("inputmode").map(str::to_owned);
    assert_eq!(keypad("amount").as_deref(), Some("decimal"));
    assert_eq!(keypad("keyboard"), None, "the whole keyboard: a mode of none would open no keyboard at all");
    let (_, yen) = samples().into_iter().find(|(name, _)| name == "invoice-yen").unwrap();
    assert_eq!(select(&opened(&yen).unwrap(), "#amount")[0].value().attr("inputmode"), Some("numeric"));
}

#[test]
fn the_pay_page_posts_what_it_shows() {
    let page = sample("pay-fee");
    let value = |name: &str| {
        select(&page, &format!("input[name={name}]"))[0].value().attr("value").unwrap().to_owned()
    };
    assert_eq!((value("amount"), value("intent")), ("40000".to_owned(), "int_1".to_owned()));
    assert!(text(&page, ".check").contains("$11.90 · Charged to your card $411.90"));
    assert_eq!(text(&page, ".pay"), "Continue to the card page");
    assert!(text(&sample("pay-full"), ".check").contains("No fee"));
    assert!(
        text(&sample("pay-again"), ".note").starts_with("You paid $500.00 on this invoice 2 minutes ago.")
    );
}

#[test]
fn results_say_the_outcome_first() {
    for (name, heading, words) in [
        ("payment-part", "Payment received", "$500.00 paid. $750.00 is left on INV-1042, due 30 Nov."),
        ("payment-full", "Paid in full", "Nothing is left on INV-1042. Thank you."),
        ("payment-declined-limit", "Your bank said no", "It is over the limit on this card. Pay part of it?"),
        ("payment-cancelled", "You cancelled this payment", "INV-1042 still shows $1,250.00 left."),
        ("payment-expired", "You ran out of time", "No money has been taken."),
        ("payment-refused", "We could not take this payment", "Ask Northwind IT: quote CHK-12."),
        ("payment-unknown", "We do not know yet", "Do not pay it again."),
        ("payment-twice", "Payment received", "You pressed Pay twice. We only took it once."),
        (
            "payment-waiting-long",
            "Waiting for an answer",
            "Do not pay again: INV-1042 shows $500.00 as in progress.",
        ),
    ] {
        let page = sample(name);
        assert_eq!(text(&page, "h1"), heading, "{name}");
        assert!(text(&page, "main").contains(words), "{name}: {}", text(&page, "main"));
    }
    let ways = text(&sample("payment-declined-money"), ".row");
    assert_eq!(ways, "Try again Use another way Pay less");
}

#[test]
fn words_payers_must_not_meet_are_on_no_page() {
    for (name, html) in samples() {
        let page = document(&html);
        let words = text(&page, "body").to_lowercase();
        for banned in ["tender", "remit", "transaction", "invalid", "session", "token", "click here"] {
            assert!(!words.contains(banned), "{name} says {banned}");
        }
    }
}

fn gzipped(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

/// The plain names of the scripts a page names.
fn scripts(page: &Html) -> Vec<&'static Asset> {
    let found = select(page, "script[src]").into_iter().map(|script| {
        let url = script.value().attr("src").unwrap();
        let asset = assets::find(url.strip_prefix("/assets/").unwrap()).unwrap();
        assert_eq!(script.value().attr("integrity"), Some(asset.integrity.as_str()));
        asset
    });
    found.collect()
}

#[test]
fn every_page_is_small() {
    let styles = gzipped(&assets::named("portal.css").bytes);
    for (name, html) in samples() {
        let scripts = scripts(&document(&html));
        let bytes: usize = scripts.iter().map(|script| script.bytes.len()).sum();
        assert!(bytes <= 4_096, "{name} loads {bytes} bytes of script");
        let zipped: usize = scripts.iter().map(|script| gzipped(&script.bytes)).sum();
        let size = styles + zipped + gzipped(html.as_bytes());
        assert!(size <= 20 * 1024, "{name} has {size} bytes gzipped with its style sheet and scripts");
    }
}

#[test]
fn a_page_loads_the_scripts_it_needs_and_no_other() {
    let needs = [("amount.js", ".amount-form, #inline, [data-say]"), ("waiting.js", "[data-poll]")];
    for (name, html) in samples() {
        let page = document(&html);
        let loaded = scripts(&page);
        let loads = |file: &str| loaded.iter().any(|script| script.url == assets::named(file).url);
        assert!(loads("portal.js"), "{name}");
        for (file, part) in needs.into_iter().chain([("list.js", "[data-refresh]")]) {
            assert!(loads(file) || select(&page, part).is_empty(), "{name} lacks {file}");
        }
        for (kind, others) in [
            ("invoice", ["waiting.js", "list.js"]),
            ("list", ["amount.js", "waiting.js"]),
            ("payment-", ["amount.js", "list.js"]),
            ("receipt", ["amount.js", "list.js"]),
        ] {
            let idle = others.into_iter().find(|other| name.starts_with(kind) && loads(other));
            assert_eq!(idle, None, "{name} does not need it");
        }
    }
}
