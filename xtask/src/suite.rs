//! Runs the test binaries with all they need around them: a PostgreSQL of their own and a browser. It tells the tests where
//! these are by environment variables and nothing else.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{postgres::Cluster, tools::Tools};

/// Which tests to run, and how.
#[derive(Debug, PartialEq)]
pub struct Suite {
    long: bool,
    headed: bool,
    only: Option<Only>,
    passed_on: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Only {
    Browser,
}

impl Suite {
    /// Every test of the workspace, or of the packages that `passed_on` selects.
    pub fn everything(long: bool, passed_on: Vec<String>) -> Self {
        Self { long, headed: false, only: None, passed_on }
    }

    /// The tests that drive a browser.
    pub fn browser(headed: bool, passed_on: Vec<String>) -> Self {
        Self { long: false, headed, only: Some(Only::Browser), passed_on }
    }

    /// Where every test of the workspace is asked for: whether more generated cases are too.
    pub fn everything_and_long(&self) -> Option<bool> {
        (self.only.is_none() && self.passed_on.is_empty()).then_some(self.long)
    }

    /// Runs the tests. The database is gone when this returns, whatever the tests did.
    pub fn run(&self, sh: &Shell) -> Result<()> {
        let tools = Tools::ensure(sh)?;
        let cluster = Cluster::start(&tools.postgres_folder)?;
        let arguments = self.cargo_arguments();
        let mut command = cmd!(sh, "cargo test --locked {arguments...}")
            .env("PAYDOWN_TEST_POSTGRES", cluster.url())
            .env("PAYDOWN_TEST_CHROMEDRIVER", &tools.chromedriver)
            .env("PAYDOWN_TEST_CHROMIUM", &tools.chromium);
        if self.long {
            command = command.env("PAYDOWN_TEST_LONG", "1");
        }
        if self.headed {
            command = command.env("PAYDOWN_TEST_HEADED", "1");
        }
        command.run().context("tests failed")
    }

    fn cargo_arguments(&self) -> Vec<String> {
        let selection: &[&str] = match self.only {
            Some(Only::Browser) => &["--package", "paydown", "--test", "browser"],
            None if selects_packages(&self.passed_on) => &[],
            None => &["--workspace"],
        };
        selection.iter().map(|&argument| argument.to_owned()).chain(self.passed_on.iter().cloned()).collect()
    }
}

/// Whether arguments to `cargo test` name packages themselves. What follows a `--` is for the test binaries.
fn selects_packages(arguments: &[String]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| {
        let long = argument.split('=').next().is_some_and(|name| matches!(name, "--package" | "--workspace"));
        long || (argument.starts_with("-p") && !argument.starts_with("--"))
    })
}

#[cfg(test)]
mod tests {
    use super::Suite;

    fn arguments(line: &str) -> String {
        let passed_on = line.split_whitespace().map(str::to_owned).collect();
        Suite::everything(false, passed_on).cargo_arguments().join(" ")
    }

    #[test]
    fn a_named_package_replaces_the_workspace() {
        assert_eq!(arguments(""), "--workspace");
        assert_eq!(arguments("amount"), "--workspace amount");
        assert_eq!(arguments("-p store"), "-p store");
        assert_eq!(arguments("-pstore"), "-pstore");
        assert_eq!(arguments("--package=store"), "--package=store");
        assert_eq!(arguments("--profile dev"), "--workspace --profile dev");
        assert_eq!(arguments("-- -p"), "--workspace -- -p");
    }

    #[test]
    fn the_browser_tests_are_one_binary() {
        let arguments = Suite::browser(false, vec!["keyboard".to_owned()]).cargo_arguments().join(" ");
        assert_eq!(arguments, "--package paydown --test browser keyboard");
    }
}
