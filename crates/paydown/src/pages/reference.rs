//! The reference of the API as a page: rendered from the very description that programs read, so that the two cannot differ.
//! It is the same for everybody, shows nobody's data and runs no script.

mod schema;
mod walk;

use crate::api::problem::Code;
use crate::api_key::Scope;
use crate::assets;
use crate::help::Place;
use askama::Template;
use askama::filters::{Html, HtmlSafe, escape};
use schema::{Field, Schemas};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
pub use walk::{Step, WALK};

#[cfg(test)]
mod tests;

/// The whole page.
#[derive(Template)]
#[template(path = "reference/page.html")]
pub struct Reference {
    /// Where the program is: `https://pay.example.com`.
    pub origin: String,
    /// Operations by what they are about.
    pub groups: Vec<Group>,
    /// Errors that any operation may answer.
    pub common: Vec<Code>,
}

/// Operations that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub name: String,
    /// Its anchor.
    pub anchor: String,
    /// In a sentence.
    pub about: Said,
    /// The operations.
    pub operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    /// Its name for programs, and its anchor.
    pub id: String,
    /// `POST`.
    pub method: String,
    /// `/v1/invoices/{id}`.
    pub path: String,
    /// What it does, in a few words.
    pub title: String,
    /// What one should know.
    pub about: Vec<Said>,
    /// The scope that the key needs.
    pub scope: String,
    /// Parameters of path, query and header: where, and what.
    pub parameters: Vec<(String, Field)>,
    /// The fields of the body and an example, if it takes one.
    pub body: Option<(Vec<Field>, String)>,
    /// What is answered where it is done.
    pub answer: Answer,
    /// What else may be answered, besides what any operation may.
    pub errors: Vec<Code>,
}

/// What is answered where all is well.
#[derive(Debug, Default)]
pub struct Answer {
    /// Status.
    pub status: String,
    /// In a few words.
    pub about: Said,
    /// What is in it.
    pub fields: Vec<Field>,
    /// As JSON.
    pub example: String,
}

/// Words of ours; what stands between backticks is code. Shown as HTML, with everything in it escaped.
#[derive(Debug, Clone, Default)]
pub struct Said(String);

impl Said {
    /// These words.
    pub fn new(words: &str) -> Said {
        Said(words.trim().to_owned())
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, piece) in self.0.split('`').enumerate() {
            let safe = escape(piece, Html).map_or_else(|never| match never {}, |safe| safe.to_string());
            if at % 2 == 1 {
                write!(f, "<code>{safe}</code>")?;
            } else {
                f.write_str(&safe)?;
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Said {}

impl Reference {
    /// The page of a description, for the program at this address.
    pub fn new(described: &Value, origin: &str) -> Reference {
        let mut groups: Vec<Group> =
            described["tags"].as_array().into_iter().flatten().map(Group::of).collect();
        let mut common: Option<BTreeSet<Code>> = None;
        for (path, method, operation) in operations(described) {
            let operation = Operation::of(Schemas(described), path, method, operation);
            let errors: BTreeSet<Code> = operation.errors.iter().copied().collect();
            common = Some(common.map_or(errors.clone(), |so_far| &so_far & &errors));
            let tag = described["paths"][path][method]["tags"][0].as_str().unwrap_or_default();
            if let Some(group) = groups.iter_mut().find(|group| group.name == tag) {
                group.operations.push(operation);
            }
        }
        let common: Vec<Code> = common.unwrap_or_default().into_iter().collect();
        for operation in groups.iter_mut().flat_map(|group| &mut group.operations) {
            operation.errors.retain(|code| !common.contains(code));
        }
        Reference { origin: origin.to_owned(), groups, common }
    }

    /// The first steps.
    pub fn walk(&self) -> &'static [Step] {
        &WALK
    }

    /// Every error.
    pub fn codes(&self) -> &'static [Code] {
        Code::ALL
    }

    /// What an error means.
    pub fn meaning(&self, code: &Code) -> Said {
        Said::new(code.meaning())
    }

    /// Every scope, with the operations that need it: anchor and title.
    pub fn scopes(&self) -> Vec<(&'static str, Vec<(&str, &str)>)> {
        let of = |scope: &str| {
            let all = self.groups.iter().flat_map(|group| &group.operations);
            let needing = all.filter(|operation| operation.scope == scope);
            needing.map(|operation| (operation.id.as_str(), operation.title.as_str())).collect()
        };
        Scope::ALL.map(|scope| (scope.as_str(), of(scope.as_str()))).into_iter().collect()
    }

    /// Address of the frame's style sheet.
    pub fn css_url(&self) -> &'static str {
        &assets::named("portal.css").url
    }

    /// Address of this page's own style sheet.
    pub fn own_css_url(&self) -> &'static str {
        &assets::named("reference.css").url
    }

    /// Address of the icon.
    pub fn icon_url(&self) -> &'static str {
        &assets::named("favicon.svg").url
    }

    /// Address of the help.
    pub fn help_url(&self) -> String {
        Place::of_the_program().base
    }
}

impl Group {
    fn of(tag: &Value) -> Group {
        let name = tag["name"].as_str().unwrap_or_default().to_owned();
        let anchor = name.to_lowercase().replace(' ', "-");
        let about = Said::new(tag["description"].as_str().unwrap_or_default());
        Group { name, anchor, about, operations: Vec::new() }
    }
}

/// Path, method, operation: by path, and the methods in the order in which they are used.
fn operations(described: &Value) -> impl Iterator<Item = (&str, &'static str, &Value)> {
    let paths = described["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = ["post", "get", "patch", "put", "delete"].into_iter();
        methods.filter_map(move |method| Some((path.as_str(), method, item.get(method)?)))
    })
}

impl Operation {
    fn of(schemas: Schemas<'_>, path: &str, method: &str, described: &Value) -> Operation {
        let word = |key: &str| described[key].as_str().unwrap_or_default();
        let responses = described["responses"].as_object().into_iter().flatten();
        let (done, failed): (Vec<_>, Vec<_>) = responses.partition(|(status, _)| status.starts_with('2'));
        let codes = failed.iter().flat_map(|(_, answer)| codes_in(answer["description"].as_str()));
        let parameters = described["parameters"].as_array().into_iter().flatten();
        let scope = &described["security"][0]["key"][0];
        Operation {
            id: word("operationId").to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            title: word("summary").to_owned(),
            about: word("description").split("\n\n").map(Said::new).filter(|said| !said.is_empty()).collect(),
            scope: scope.as_str().unwrap_or_default().to_owned(),
            parameters: parameters.map(|parameter| parameter_of(schemas, parameter)).collect(),
            body: described.get("requestBody").map(|body| {
                let schema = &body["content"]["application/json"]["schema"];
                (schemas.fields(schema), schemas.example(schema))
            }),
            answer: done.first().map_or_else(Answer::default, |(status, answer)| {
                let schema = &answer["content"]["application/json"]["schema"];
                Answer {
                    status: (*status).clone(),
                    about: Said::new(answer["description"].as_str().unwrap_or_default()),
                    fields: schemas.fields(schema),
                    example: schemas.example(schema),
                }
            }),
            errors: codes.collect(),
        }
    }
}

fn parameter_of(schemas: Schemas<'_>, parameter: &Value) -> (String, Field) {
    let word = |key: &str| parameter[key].as_str().unwrap_or_default();
    let required = parameter["required"] == true;
    let field = schemas.field(word("name").to_owned(), required, word("description"), &parameter["schema"]);
    (word("in").to_owned(), field)
}

/// The codes that the description of an answer names, each between backticks.
fn codes_in(words: Option<&str>) -> impl Iterator<Item = Code> + use<> {
    let words: Vec<String> =
        words.unwrap_or_default().split('`').skip(1).step_by(2).map(str::to_owned).collect();
    words.into_iter().filter_map(|word| Code::ALL.iter().copied().find(|code| code.as_str() == word))
}
