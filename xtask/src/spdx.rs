//! Reads SPDX licence expressions and answers one question: can this expression be met from a list of licences? Grammar:
//! SPDX specification 2.3, annex D; besides, the `MIT/Apache-2.0` form that old crates use for OR. It knows no licence names.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

/// Whether `expression` can be met with licences of `allowed` alone.
///
/// A licence with an exception counts as a licence of its own, written `Apache-2.0 WITH LLVM-exception` in the list: who
/// allows the licence has not said anything about the exception.
///
/// # Errors
/// When the text is not an expression.
pub fn is_satisfied(expression: &str, allowed: &BTreeSet<String>) -> Result<bool> {
    let mut parser = Parser { tokens: tokens(expression), at: 0, allowed };
    let met = parser.any_of()?;
    match parser.peek() {
        None => Ok(met),
        Some(rest) => bail!("`{rest}` is out of place in the licence expression `{expression}`"),
    }
}

fn tokens(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

struct Parser<'a> {
    tokens: Vec<String>,
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Parser<'_> {
    fn any_of(&mut self) -> Result<bool> {
        let mut met = self.all_of()?;
        while self.take("OR") {
            // Not `||`: the right side has to be read even when the left one is enough.
            met |= self.all_of()?;
        }
        Ok(met)
    }

    fn all_of(&mut self) -> Result<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool> {
        if self.take("(") {
            let met = self.any_of()?;
            if !self.take(")") {
                bail!("a licence expression lacks a closing bracket");
            }
            return Ok(met);
        }
        let licence = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Ok(self.allowed.contains(&format!("{licence} WITH {exception}")));
        }
        Ok(self.allowed.contains(&licence))
    }

    fn name(&mut self) -> Result<String> {
        match self.peek() {
            Some(word) if !matches!(word, "AND" | "OR" | "WITH" | "(" | ")") => {
                let name = word.to_owned();
                self.at += 1;
                Ok(name)
            }
            Some(word) => bail!("a licence expression has `{word}` where a name belongs"),
            None => bail!("a licence expression ends where a name belongs"),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek() == Some(word);
        self.at += usize::from(is_next);
        is_next
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::is_satisfied;

    fn check(expression: &str) -> anyhow::Result<bool> {
        let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        is_satisfied(expression, &allowed)
    }

    #[test]
    fn one_branch_of_an_or_is_enough_and_every_branch_of_an_and_is_needed() {
        for met in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "GPL-2.0-only OR MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "MIT AND Zlib",
            "(GPL-2.0-only OR MIT) AND Zlib",
            "GPL-2.0-only AND Zlib OR MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(check(met).unwrap(), "{met}");
        }
        for refused in [
            "GPL-3.0-only",
            "Apache-2.0",
            "MIT AND GPL-3.0-only",
            "MIT WITH LLVM-exception",
            "MIT AND (GPL-2.0-only OR Apache-2.0)",
            "MIT-0",
            "mit",
        ] {
            assert!(!check(refused).unwrap(), "{refused}");
        }
    }

    #[test]
    fn text_that_is_no_expression_is_an_error() {
        for broken in ["", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT Zlib", "MIT WITH", "MIT OR OR Zlib"] {
            assert!(check(broken).is_err(), "{broken:?}");
        }
    }
}
