//! The page is held against the description it is made from, and its examples against the schemas they are examples of.

use super::*;
use scraper::{ElementRef, Html as Document, Selector};
use serde_json::json;
use std::collections::HashSet;

fn described() -> Value {
    serde_json::to_value(crate::api::description()).unwrap()
}

fn reference() -> Reference {
    Reference::new(&described(), "https://pay.example.com")
}

fn select<'a>(page: &'a Document, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn schema_of(described: &Value, part: &Value) -> Value {
    json!({ "$ref": part["content"]["application/json"]["schema"]["$ref"], "components": described["components"] })
}

#[test]
fn every_operation_is_shown_with_examples_that_its_schemas_take() {
    let described = described();
    let reference = reference();
    let all: Vec<&Operation> = reference.groups.iter().flat_map(|group| &group.operations).collect();
    assert_eq!(all.len(), operations(&described).count(), "each operation has a tag that is described");
    for (path, method, operation) in operations(&described) {
        let id = operation["operationId"].as_str().unwrap();
        let shown = all.iter().find(|shown| shown.id == id).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!((shown.path.as_str(), shown.method.to_lowercase().as_str()), (path, method));
        assert!(Scope::parse(&shown.scope).is_some(), "{id}: {}", shown.scope);
        let done = &operation["responses"][&shown.answer.status];
        let answered = (schema_of(&described, done), &shown.answer.example);
        let asked = shown.body.as_ref().map(|(fields, example)| {
            assert!(!fields.is_empty(), "{id}");
            (schema_of(&described, &operation["requestBody"]), example)
        });
        for (schema, example) in [Some(answered), asked].into_iter().flatten() {
            let example: Value =
                serde_json::from_str(example).unwrap_or_else(|why| panic!("{id}: {why}: {example}"));
            let errors = jsonschema::validator_for(&schema).unwrap();
            let errors: Vec<String> = errors.iter_errors(&example).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{id}: {example}: {errors:?}");
        }
        for field in shown.answer.fields.iter().chain(shown.body.iter().flat_map(|(fields, _)| fields)) {
            assert!(!field.about.is_empty(), "{id}: {} is not explained", field.name);
        }
    }
}

#[test]
fn every_error_and_every_link_has_its_place_on_the_page() {
    let html = reference().render().unwrap();
    let page = Document::parse_document(&html);
    let ids: Vec<&str> = select(&page, "[id]").iter().filter_map(|element| element.value().id()).collect();
    let unique: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "an anchor is there twice");
    for code in Code::ALL {
        assert!(unique.contains(format!("error-{}", code.as_str()).as_str()), "{code:?}");
    }
    for link in select(&page, "a") {
        let target = link.value().attr("href").unwrap();
        match target.strip_prefix('#') {
            Some(anchor) => assert!(unique.contains(anchor), "{target} leads nowhere"),
            None => assert!(["/help", "/v1/openapi.json"].contains(&target), "{target}"),
        }
    }
    assert!(select(&page, "script, style, [style], iframe, img").is_empty());
    assert_eq!(select(&page, "h1").len(), 1);
}

#[test]
fn an_error_of_every_operation_is_told_once() {
    let reference = reference();
    assert!(reference.common.contains(&Code::InvalidKey) && reference.common.contains(&Code::RateLimited));
    for operation in reference.groups.iter().flat_map(|group| &group.operations) {
        assert!(operation.errors.iter().all(|code| !reference.common.contains(code)), "{}", operation.id);
    }
}

#[test]
fn words_become_code_between_backticks_and_never_markup() {
    assert_eq!(Said::new(" a `<b>` & c ").to_string(), "a <code>&#60;b&#62;</code> &#38; c");
    assert_eq!(Said::new("").to_string(), "");
}
