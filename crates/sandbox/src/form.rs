//! Request parameters in the processor's bracket syntax: `a[b][c]=d`, `list[]=x`, `list[0][name]=y`.
//!
//! Every parameter that is read is taken out. What is left at the end is unknown and refused by name, as the processor does.

use std::collections::BTreeMap;

use crate::error::ApiError;

const MAX_PARAMETERS: usize = 1_000;

/// The parameters of one request, not yet read.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form body or a query.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, ApiError> {
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(encoded).into_owned().collect();
        if fields.len() > MAX_PARAMETERS {
            return Err(ApiError::invalid("The request has too many parameters."));
        }
        Ok(Self { fields })
    }

    /// Takes one parameter, as it came. The last one wins when it came twice.
    pub(crate) fn take_raw(&mut self, name: &str) -> Option<String> {
        let mut found = None;
        self.fields.retain_mut(|(key, value)| {
            if key != name {
                return true;
            }
            found = Some(std::mem::take(value));
            false
        });
        found
    }

    /// Takes a parameter that may be absent, but not empty.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.take_raw(name) {
            Some(value) if value.is_empty() => Err(ApiError::invalid(format!(
                "You passed an empty string for '{name}'. Empty values are read as a request to unset; leave the parameter out."
            ))
            .code("parameter_invalid_empty")
            .param(name)),
            value => Ok(value),
        }
    }

    /// Takes a parameter of at most `limit` characters.
    pub(crate) fn take_short(&mut self, name: &str, limit: usize) -> Result<Option<String>, ApiError> {
        let value = self.take(name)?;
        if value.as_ref().is_some_and(|text| text.chars().count() > limit) {
            return Err(ApiError::invalid(format!(
                "Invalid string: {name} must be at most {limit} characters."
            ))
            .param(name));
        }
        Ok(value)
    }

    pub(crate) fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.take(name)?.ok_or_else(|| ApiError::missing_parameter(name))
    }

    pub(crate) fn take_integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::invalid(format!("Invalid integer: {text}"))
                .code("parameter_invalid_integer")
                .param(name)),
        }
    }

    pub(crate) fn take_bool(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.take(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid(format!("Invalid boolean: {other}")).param(name)),
        }
    }

    /// Takes a parameter that must be one of `allowed`.
    pub(crate) fn take_choice(&mut self, name: &str, allowed: &[&str]) -> Result<Option<String>, ApiError> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        if allowed.contains(&value.as_str()) {
            return Ok(Some(value));
        }
        let choices = allowed.join(", ");
        Err(ApiError::invalid(format!("Invalid {name}: must be one of {choices}")).param(name))
    }

    /// Takes `name[]=a&name[]=b` or `name[0]=a&name[1]=b`, in the order they came.
    pub(crate) fn take_list(&mut self, name: &str) -> Vec<String> {
        let mut list = Vec::new();
        self.fields.retain_mut(|(key, value)| {
            let index = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            let is_item = index.is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()));
            if is_item {
                list.push(std::mem::take(value));
            }
            !is_item
        });
        list
    }

    /// Takes `name[key]=value` pairs; a metadata map with the processor's limits.
    pub(crate) fn take_metadata(&mut self, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
        let mut map = BTreeMap::new();
        self.fields.retain_mut(|(key, value)| {
            let inner = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            let Some(inner) = inner.filter(|inner| !inner.is_empty() && !inner.contains(['[', ']'])) else {
                return true;
            };
            map.insert(inner.to_owned(), std::mem::take(value));
            false
        });
        map.retain(|_, value| !value.is_empty());
        let is_too_big = map.len() > 50
            || map.iter().any(|(key, value)| key.chars().count() > 40 || value.chars().count() > 500);
        if is_too_big {
            let message =
                "Metadata can have up to 50 keys, with names of up to 40 and values of up to 500 characters.";
            return Err(ApiError::invalid(message).param(name));
        }
        Ok(map)
    }

    /// Whether any parameter is left whose name starts with `prefix`.
    pub(crate) fn has(&self, prefix: &str) -> bool {
        self.fields.iter().any(|(key, _)| key.starts_with(prefix))
    }

    /// Refuses what nobody read.
    pub(crate) fn finish(&self) -> Result<(), ApiError> {
        match self.fields.first() {
            Some((key, _)) => Err(ApiError::unknown_parameter(key)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn brackets_are_read_and_the_rest_is_refused_by_name() {
        let mut form =
            Form::parse(b"metadata[a]=1&metadata%5Bb%5D=2&expand[]=x&expand[1]=y&amount=12&odd[one]=1")
                .expect("parses");
        assert_eq!(form.take_list("expand"), ["x", "y"]);
        let metadata = form.take_metadata("metadata").expect("small");
        assert_eq!(
            metadata.into_iter().collect::<Vec<_>>(),
            [("a".into(), "1".into()), ("b".into(), "2".into())]
        );
        assert_eq!(form.take_integer("amount").expect("a number"), Some(12));
        let refusal = form.finish().expect_err("odd[one] was not read");
        assert_eq!(refusal.body()["error"]["param"], "odd[one]");
        assert_eq!(refusal.body()["error"]["code"], "parameter_unknown");
    }

    #[test]
    fn empty_and_malformed_values_are_refused() {
        let mut form = Form::parse(b"a=&b=1.5&c=yes").expect("parses");
        assert_eq!(form.take("a").expect_err("empty").body()["error"]["code"], "parameter_invalid_empty");
        assert_eq!(
            form.take_integer("b").expect_err("not an integer").body()["error"]["code"],
            "parameter_invalid_integer"
        );
        assert!(form.take_bool("c").is_err());
    }
}
