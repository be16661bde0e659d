//! Pages under a strict content policy: what a template or a style sheet must not contain, because a browser would refuse it
//! or because it would let a stranger's text become markup. It does not look at what a page says.

use crate::tree::{File, Finding, NOTHING, check, lines_found};

/// Templates that may print a value unescaped, as (path, why it cannot carry a stranger's text).
const MAY_BE_UNESCAPED: [(&str, &str); 0] = [];

fn is_template(file: &File) -> bool {
    file.path.contains("/templates/") && file.path.ends_with(".html")
}

fn inline_code(file: &File) -> Vec<Finding> {
    if !is_template(file) {
        return Vec::new();
    }
    let markup = without_expressions(&file.text);
    let mut findings = Vec::new();
    for (at, name) in attributes(&markup) {
        // Mail programs know no style sheets, and no content policy reaches them.
        if name == "style" && !file.path.contains("/templates/mail/") {
            findings.push(
                file.finding(line_at(&markup, at), "`style=`: use a class; the content policy refuses it"),
            );
        }
        let is_handler =
            name.len() > 2 && name.starts_with("on") && name.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_handler {
            let message =
                format!("`{name}=`: add the listener in a script file; the content policy refuses it");
            findings.push(file.finding(line_at(&markup, at), message));
        }
    }
    for (at, _) in markup.match_indices("<script") {
        let tag = markup[at..].split('>').next().unwrap_or_default();
        if !attributes(tag).iter().any(|(_, name)| name == "src") {
            findings.push(
                file.finding(
                    line_at(&markup, at),
                    "`<script>` without `src`: move it into a file of assets/js",
                ),
            );
        }
    }
    findings
}

fn unescaped_value(file: &File) -> Vec<Finding> {
    let is_listed = MAY_BE_UNESCAPED.iter().any(|(path, _)| *path == file.path);
    if !is_template(file) || is_listed {
        return Vec::new();
    }
    let bars = file.text.match_indices('|').filter(|(at, _)| {
        let filter = file.text[at + 1..].trim_start();
        filter
            .strip_prefix("safe")
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    });
    let mend =
        "`|safe` prints a stranger's text as markup; let it be escaped, or list it in tidy with the reason";
    bars.map(|(at, _)| file.finding(line_at(&file.text, at), mend)).collect()
}

fn external_url(file: &File) -> Vec<Finding> {
    if !file.path.ends_with(".css") {
        return Vec::new();
    }
    let sheet = file.text.to_ascii_lowercase();
    let is_external = |rest: &str| {
        let target = rest.trim_start_matches([' ', '\t', '\n', '"', '\'', '(']).trim_start_matches("url(");
        let target = target.trim_start_matches(['"', '\'']);
        ["http:", "https:", "//"].iter().any(|start| target.starts_with(start))
    };
    let mut places: Vec<usize> = ["url(", "@import"]
        .iter()
        .flat_map(|word| {
            sheet.match_indices(word).map(|(at, word)| (at, at + word.len())).collect::<Vec<_>>()
        })
        .filter(|(_, end)| is_external(&sheet[*end..]))
        .map(|(at, _)| line_at(&sheet, at))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .map(|line| file.finding(line, "a page loads nothing from elsewhere; bring the file here"))
        .collect()
}

/// The template with its expressions and comments blanked out, so that only markup is left; lines stay where they are.
fn without_expressions(text: &str) -> String {
    let mut markup = text.to_owned();
    for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<!--", "-->")] {
        while let Some(from) = markup.find(open) {
            let to = markup[from + open.len()..]
                .find(close)
                .map_or(markup.len(), |at| from + open.len() + at + close.len());
            let blank: String =
                markup[from..to].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            markup.replace_range(from..to, &blank);
        }
    }
    markup.to_ascii_lowercase()
}

/// Names that stand before an equals sign and after white space or a quote, with their place.
fn attributes(markup: &str) -> Vec<(usize, String)> {
    let mut attributes = Vec::new();
    for (equals, _) in markup.match_indices('=') {
        let before = markup[..equals].trim_end();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '@');
        let start = before
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let starts_fresh = before[..start].ends_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        if starts_fresh && start < before.len() {
            attributes.push((start, before[start..].to_owned()));
        }
    }
    attributes
}

fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[test]
fn templates_have_no_code_between_the_tags() {
    check(inline_code);
    let found = |path: &str, text: &str| lines_found(inline_code, path, text);
    let page = "crates/paydown/templates/portal/invoice.html";
    for offence in [
        "<p style=\"color: red\">",
        "<p class=\"a\"STYLE = 'x'>",
        "<a href=\"/\" onclick=\"f()\">",
        "<body\n onload=f()>",
        "<script>f()</script>",
        "<script type=\"module\" data-src=\"/a.js\">f()</script>",
    ] {
        assert_eq!(found(page, offence).len(), 1, "{offence}");
    }
    for clean in [
        "<script src=\"{{ script }}\" defer></script>",
        "{# style=\"x\" #}<p data-style=\"x\" class=\"{% if once == 1 %}a{% endif %}\">",
        "<p>carry on = later</p>",
        "<!-- <script>f()</script> -->",
    ] {
        assert_eq!(found(page, clean), NOTHING, "{clean}");
    }
    assert_eq!(found("crates/paydown/templates/mail/receipt.html", "<td style=\"padding: 0\">"), NOTHING);
    assert_eq!(found("crates/paydown/templates/mail/receipt.html", "\n<td onclick=\"f()\">"), [2]);
}

#[test]
fn templates_escape_every_value() {
    check(unescaped_value);
    let page = "crates/sandbox/templates/checkout.html";
    assert_eq!(
        lines_found(unescaped_value, page, "{{ a|safe }}\n{{ b }}\n{{ c | safe }}\n{{ d|safely }}"),
        [1, 3]
    );
}

#[test]
fn style_sheets_load_nothing_from_elsewhere() {
    check(external_url);
    let sheet = "a { background: url(\"https://example.org/a.png\") }\nb { background: url(/a.png) }\n\
        @import '//example.org/a.css';\n@import url(http://example.org/b.css);\n\
        c { background: url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'\") }\n";
    assert_eq!(lines_found(external_url, "crates/paydown/assets/css/portal.css", sheet), [1, 3, 4]);
}
