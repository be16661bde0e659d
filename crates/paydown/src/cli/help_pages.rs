//! The help pages against the command line: what they tell an operator to type exists. It never runs a command.

use super::Cli;
use crate::config::{Config, Flags};
use crate::help::page;
use clap::{Command, CommandFactory as _};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, BTreeSet};

/// Every line of code on every page: (page, line).
fn code() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for page in crate::help::all() {
        let mut in_block = false;
        for event in Parser::new_ext(&page.source, page::OPTIONS) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => in_block = true,
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Code(text) => found.push((page.name.as_str(), text.into_string())),
                Event::Text(text) if in_block => {
                    let lines = text.replace("\\\n", " ");
                    found.extend(lines.lines().map(|line| (page.name.as_str(), line.to_owned())));
                }
                _ => {}
            }
        }
    }
    found
}

fn has_flag(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(flag))
}

fn any_has_flag(command: &Command, flag: &str) -> bool {
    has_flag(command, flag) || command.get_subcommands().any(|below| any_has_flag(below, flag))
}

/// What of a line that calls the program does not exist.
fn wrong(line: &str) -> Option<String> {
    let root = Cli::command();
    let (_, called) = line.split_once("paydown ")?;
    let mut command = &root;
    let mut is_path = true;
    for token in called.split_whitespace() {
        if let Some(flag) = token.strip_prefix("--") {
            is_path = false;
            let flag = flag.split('=').next().unwrap_or_default();
            if !(flag == "help" || has_flag(command, flag) || has_flag(&root, flag)) {
                return Some(format!("{} has no --{flag}", command.get_name()));
            }
        } else if is_path && command.has_subcommands() {
            match command.find_subcommand(token) {
                Some(below) => command = below,
                None => return Some(format!("{} has no {token}", command.get_name())),
            }
        }
    }
    (command.has_subcommands() && is_path).then(|| format!("{} wants a command", command.get_name()))
}

#[test]
fn every_command_on_a_page_exists() {
    let lines = code();
    let called: Vec<_> = lines.iter().filter(|(_, line)| line.contains("paydown ")).collect();
    assert!(called.len() > 30, "commands were found");
    for (page, line) in called {
        assert_eq!(wrong(line), None, "{page}: {line}");
    }
    for line in
        ["paydown invoice destroy X", "paydown serve --daemon", "paydown backup create", "paydown invoice"]
    {
        assert!(wrong(line).is_some(), "{line}");
    }
}

#[test]
fn every_flag_and_variable_on_a_page_exists() {
    let root = Cli::command();
    let config = Config::resolve(&Flags::default(), &BTreeMap::new(), None, |_| Ok(String::new()));
    let config = config.expect("defaults are settings");
    let settings: BTreeSet<&str> = config.shown().iter().map(|shown| shown.key).collect();
    let (mut flags, mut variables) = (0, 0);
    for (page, line) in code() {
        for token in line.split(|c: char| c.is_whitespace() || c == '=') {
            if let Some(flag) = token.strip_prefix("--").filter(|flag| !flag.is_empty()) {
                let is_cargos = line.starts_with("cargo ") && flag == "release";
                assert!(flag == "help" || is_cargos || any_has_flag(&root, flag), "{page}: {token}");
                flags += 1;
            }
            if let Some(name) = token.strip_prefix("PAYDOWN_").filter(|name| !name.is_empty()) {
                let key = name.to_lowercase();
                let is_there =
                    |key: &str| settings.contains(key) || settings.contains(&*key.replacen('_', ".", 1));
                let known = is_there(&key) || key.strip_suffix("_file").is_some_and(is_there);
                assert!(known, "{page}: {token}");
                variables += 1;
            }
        }
    }
    assert!(flags > 40 && variables > 4, "{flags} flags and {variables} variables were found");
}

#[test]
fn the_table_of_settings_is_whole() {
    let config = Config::resolve(&Flags::default(), &BTreeMap::new(), None, |_| Ok(String::new()));
    let page = crate::help::named("settings", None).expect("there is a page about settings");
    for shown in config.expect("defaults are settings").shown() {
        assert!(page.source.contains(&format!("| `{}` |", shown.key)), "{} is not in the table", shown.key);
    }
}
