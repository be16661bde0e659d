//! What the schemas of the API's description say: as lines for people, and as an example in JSON. It knows no route, and it
//! invents nothing: what no schema says is not shown.

use super::Said;
use serde_json::Value;

/// Deeper than this no schema is unfolded.
const DEEPEST: usize = 8;
/// More values than these are not listed one by one.
const MOST_LISTED: usize = 12;

/// The description, to look up what schemas refer to.
#[derive(Clone, Copy)]
pub struct Schemas<'d>(pub &'d Value);

/// A field of a body or a parameter, as it is shown.
#[derive(Debug)]
pub struct Field {
    /// How it is written: `lines[].quantity`.
    pub name: String,
    /// What kind of value it is, and whether it has to be there: `integer, required`.
    pub kind: String,
    /// What it means.
    pub about: Said,
    /// Its bounds, or nothing.
    pub bounds: String,
    /// Every value it takes, where these are few.
    pub values: Vec<String>,
}

impl<'d> Schemas<'d> {
    /// The schema itself, wherever it is written.
    fn resolve(self, schema: &'d Value) -> &'d Value {
        let name = schema["$ref"].as_str().and_then(|place| place.strip_prefix("#/components/schemas/"));
        name.map_or(schema, |name| &self.0["components"]["schemas"][name])
    }

    /// The alternatives to `null`; the schema itself where it has none.
    fn kinds(self, schema: &'d Value) -> Vec<&'d Value> {
        let some = ["oneOf", "anyOf", "allOf"].into_iter().find_map(|key| schema[key].as_array());
        let Some(some) = some else { return vec![schema] };
        let some = some.iter().map(|kind| self.resolve(kind)).filter(|kind| kind["type"] != "null");
        some.flat_map(|kind| self.kinds(kind)).collect()
    }

    fn is_nullable(self, schema: &Value) -> bool {
        let among = |key: &str| schema[key].as_array().is_some_and(|list| list.iter().any(is_null));
        among("type") || among("oneOf") || among("anyOf")
    }

    /// `string`, `array of objects`, `integer or string`.
    fn kind(self, schema: &'d Value) -> String {
        let schema = self.resolve(schema);
        let mut words: Vec<String> = Vec::new();
        for kind in self.kinds(schema) {
            let word = match (type_of(kind), kind["format"].as_str()) {
                ("string", Some("date")) => "date".to_owned(),
                ("string", Some("date-time")) => "date and time".to_owned(),
                ("array", _) => format!("array of {}s", self.kind(&kind["items"])),
                (word, _) => word.to_owned(),
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if self.is_nullable(schema) {
            words.push("null".to_owned());
        }
        words.join(" or ")
    }

    /// The bounds of a value, in words.
    fn bounds(self, schema: &'d Value) -> String {
        let mut words: Vec<String> = Vec::new();
        for kind in self.kinds(self.resolve(schema)) {
            let range = |least: &str, most: &str| (kind[least].as_i64(), kind[most].as_i64());
            words.extend(span(range("minLength", "maxLength"), " characters"));
            words.extend(span(range("minItems", "maxItems"), " items"));
            words.extend(span(range("minimum", "maximum"), "").filter(|_| kind["maximum"].is_number()));
            let values = kind["enum"].as_array().map_or(0, Vec::len);
            if values > MOST_LISTED {
                words.push(format!("one of {values} codes, all of them in openapi.json"));
            }
            if let Some(default) = kind.get("default") {
                words.push(format!("{default} without it"));
            }
            let example = kind["examples"][0].as_str().filter(|_| kind["pattern"].is_string());
            words.extend(example.map(|example| format!("such as {example}")));
        }
        words.join("; ")
    }

    fn values(self, schema: &'d Value) -> Vec<String> {
        let kinds = self.kinds(self.resolve(schema));
        let lists = kinds.iter().filter_map(|kind| kind["enum"].as_array());
        let few = lists.filter(|list| list.len() <= MOST_LISTED).flatten();
        few.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// A field of this name.
    pub fn field(self, name: String, required: bool, about: &str, schema: &'d Value) -> Field {
        let required = if required { ", required" } else { "" };
        let kind = format!("{}{required}", self.kind(schema));
        Field {
            name,
            kind,
            about: Said::new(about),
            bounds: self.bounds(schema),
            values: self.values(schema),
        }
    }

    /// The fields of an object, and below them those of what it holds.
    pub fn fields(self, schema: &'d Value) -> Vec<Field> {
        let mut fields = Vec::new();
        self.collect(schema, "", 0, &mut fields);
        fields
    }

    fn collect(self, schema: &'d Value, within: &str, depth: usize, fields: &mut Vec<Field>) {
        for (name, required, field) in self.properties(schema) {
            let name = format!("{within}{name}");
            // What may be null has its words beside the name of what it is otherwise.
            let either = || field["oneOf"].as_array()?.iter().find_map(|one| one["description"].as_str());
            let own = field["description"].as_str().or_else(either);
            let about = own.or_else(|| self.resolve(field)["description"].as_str()).unwrap_or_default();
            fields.push(self.field(name.clone(), required, about, field));
            let field = self.resolve(field);
            if depth == DEEPEST {
                continue;
            }
            match type_of(field) {
                "array" => self.collect(&field["items"], &format!("{name}[]."), depth + 1, fields),
                "object" => self.collect(field, &format!("{name}."), depth + 1, fields),
                _ => {}
            }
        }
    }

    /// Name, whether it is required, schema: the required ones first, in the order in which they are written.
    /// Of one that can be this or that: the fields of all, required only where each of them requires it.
    fn properties(self, schema: &'d Value) -> Vec<(&'d str, bool, &'d Value)> {
        let schema = self.resolve(schema);
        if let Some(parts) = schema["allOf"].as_array() {
            return parts.iter().flat_map(|part| self.properties(part)).collect();
        }
        if schema["properties"].is_null() && schema["oneOf"].is_array() {
            let kinds: Vec<_> = self.kinds(schema).into_iter().map(|kind| self.properties(kind)).collect();
            let always = |name: &str| kinds.iter().all(|kind| kind.iter().any(|of| of.0 == name && of.1));
            let mut all: Vec<(&'d str, bool, &'d Value)> = Vec::new();
            for (name, _, of) in kinds.iter().flatten() {
                if all.iter().all(|known| known.0 != *name) {
                    all.push((name, always(name), of));
                }
            }
            return all;
        }
        let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let first = required
            .iter()
            .filter_map(|name| properties.get_key_value(*name))
            .map(|(name, of)| (name, true, of));
        let rest = properties.iter().filter(|(name, _)| !required.contains(&name.as_str()));
        let rest = rest.map(|(name, of)| (name, false, of));
        first.chain(rest).map(|(name, required, of)| (name.as_str(), required, of)).collect()
    }

    /// A value that the schema allows, as JSON over several lines.
    pub fn example(self, schema: &'d Value) -> String {
        self.example_at(schema, 0)
    }

    /// A value over several lines; the fields of an object in the schema's order.
    fn written(self, value: &Value, schema: &'d Value, depth: usize) -> String {
        let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        let schema = self.resolve(schema);
        match value {
            Value::Object(object) => {
                let rows = self.properties(schema).into_iter().filter_map(|(name, _, of)| {
                    Some(format!("{inner}\"{name}\": {}", self.written(object.get(name)?, of, depth + 1)))
                });
                format!("{{\n{}\n{outer}}}", rows.collect::<Vec<_>>().join(",\n"))
            }
            Value::Array(list) => {
                let row = |item| format!("{inner}{}", self.written(item, &schema["items"], depth + 1));
                format!("[\n{}\n{outer}]", list.iter().map(row).collect::<Vec<_>>().join(",\n"))
            }
            plain => plain.to_string(),
        }
    }

    fn example_at(self, schema: &'d Value, depth: usize) -> String {
        let own = self.resolve(schema);
        if own["allOf"].as_array().is_some_and(|parts| parts.len() > 1) {
            return self.object_at(own, depth);
        }
        let told =
            [schema, own].into_iter().find_map(told).or_else(|| self.kinds(own).into_iter().find_map(told));
        if let Some(told) = told {
            return self.written(told, own, depth);
        }
        if self.is_nullable(own) || depth > DEEPEST {
            return "null".to_owned();
        }
        let Some(kind) = self.kinds(own).first().copied() else { return "null".to_owned() };
        let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        match (type_of(kind), kind["format"].as_str()) {
            ("object", _) => self.object_at(kind, depth),
            ("array", _) => format!("[\n{inner}{}\n{outer}]", self.example_at(&kind["items"], depth + 1)),
            ("integer", _) => kind["minimum"].as_i64().unwrap_or(0).max(0).to_string(),
            ("boolean", _) => "false".to_owned(),
            ("string", Some("date")) => "\"2026-11-30\"".to_owned(),
            ("string", Some("date-time")) => "\"2026-11-18T22:40:00Z\"".to_owned(),
            ("string", _) if kind["minLength"].as_i64() > Some(0) => "\"As agreed by telephone\"".to_owned(),
            _ => "\"\"".to_owned(),
        }
    }

    fn object_at(self, schema: &'d Value, depth: usize) -> String {
        let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        let rows = self.properties(schema).into_iter();
        let row = |(name, _, of)| format!("{inner}\"{name}\": {}", self.example_at(of, depth + 1));
        let rows: Vec<String> = rows.map(row).collect();
        if rows.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n{outer}}}", rows.join(",\n")) }
    }
}

fn is_null(value: &Value) -> bool {
    value == "null" || value["type"] == "null"
}

/// The type of a schema, leaving `null` out.
fn type_of(schema: &Value) -> &str {
    let types = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    schema["type"].as_str().or_else(|| types.into_iter().find(|word| *word != "null")).unwrap_or("value")
}

/// The example that a schema names itself.
fn told(schema: &Value) -> Option<&Value> {
    let listed = ["examples", "enum"].into_iter().find_map(|key| schema[key].get(0));
    schema.get("example").or(listed)
}

/// `1 to 200 characters`; nothing where nothing is bounded.
fn span(range: (Option<i64>, Option<i64>), of: &str) -> Option<String> {
    match range {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{of}")),
        (Some(least), None) => Some(format!("at least {least}{of}")),
        (None, Some(most)) => Some(format!("at most {most}{of}")),
        (None, None) => None,
    }
}
