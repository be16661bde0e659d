//! The written questions of `questions.toml`, asked. They measure the search; they must never be part of it.

use super::answer::Excerpt;
use super::{Asked, Place, ask, named};
use serde::Deserialize;

/// Of ten questions the right passage is among the first three for at least nine.
const RIGHT_OF_TEN: usize = 9;
const FIRST: usize = 3;
/// So many of those held out were missed when they were asked for the first time; it must not become worse.
const MISSED_OF_HELD_OUT: usize = 7;

#[derive(Deserialize)]
struct Questions {
    tune: Vec<Question>,
    held_out: Vec<Question>,
    tricks: Vec<Question>,
    held_out_tricks: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    r#for: String,
    ask: String,
    #[serde(default)]
    want: Vec<String>,
}

fn questions() -> Questions {
    toml::from_str(include_str!("questions.toml")).expect("the questions can be read")
}

impl Question {
    fn place(&self) -> Place {
        match self.r#for.as_str() {
            "payers" => Place::of_merchant("northwind"),
            "operators" => Place::of_the_program(),
            other => panic!("{}: nobody is {other}", self.ask),
        }
    }

    /// What is quoted, in order: `page#heading` each.
    fn quoted(&self) -> Vec<String> {
        let Asked::Found(answer) = ask(&self.ask, &self.place(), None) else { return Vec::new() };
        let name = |excerpt: &Excerpt| format!("{}#{}", excerpt.page.name, excerpt.section().id);
        std::iter::once(&answer.direct).chain(&answer.further).map(name).collect()
    }

    fn is_answered(&self) -> bool {
        self.quoted().iter().take(FIRST).any(|found| self.want.contains(found))
    }
}

fn failed(questions: &[Question]) -> Vec<String> {
    let told = |question: &Question| {
        format!("{:?}: {:?} {}", question.ask, question.quoted(), super::index::explained(&question.ask))
    };
    questions.iter().filter(|question| !question.is_answered()).map(told).collect()
}

#[test]
fn there_are_enough_questions_and_each_has_its_passage() {
    let questions = questions();
    assert!(questions.tune.len() + questions.held_out.len() >= 60);
    assert!(questions.held_out.len() >= 20);
    assert!(questions.tricks.len() + questions.held_out_tricks.len() >= 20);
    for question in questions.tune.iter().chain(&questions.held_out) {
        assert!(!question.want.is_empty(), "{}", question.ask);
        for want in &question.want {
            let (name, id) = want.split_once('#').expect("page#heading");
            let page = named(name, question.place().only).unwrap_or_else(|| panic!("no page {name}"));
            assert!(page.section(id).is_some(), "no passage {want}");
        }
    }
}

#[test]
fn nine_of_ten_questions_find_their_passage() {
    let questions = questions();
    let (tune, held_out) = (failed(&questions.tune), failed(&questions.held_out));
    let told = |of: &[Question], failed: &[String]| {
        format!("{} of {} found; not:\n{}", of.len() - failed.len(), of.len(), failed.join("\n"))
    };
    let told =
        format!("{}\nheld out: {}", told(&questions.tune, &tune), told(&questions.held_out, &held_out));
    let (all, failed) = (questions.tune.len() + questions.held_out.len(), tune.len() + held_out.len());
    assert!((all - failed) * 10 >= all * RIGHT_OF_TEN, "{told}");
    assert!(held_out.len() <= MISSED_OF_HELD_OUT, "{told}");
}

#[test]
fn what_no_page_answers_is_not_found() {
    let questions = questions();
    for question in questions.tricks.iter().chain(&questions.held_out_tricks) {
        let quoted = question.quoted();
        assert!(quoted.is_empty(), "{:?}: {quoted:?}", question.ask);
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    for question in questions().tune.iter().take(10) {
        assert_eq!(question.quoted(), question.quoted());
        let louder = Question {
            r#for: question.r#for.clone(),
            ask: format!("  {}??", question.ask.to_uppercase()),
            want: Vec::new(),
        };
        assert_eq!(question.quoted(), louder.quoted());
    }
}
