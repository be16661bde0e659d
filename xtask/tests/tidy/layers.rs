//! Dependencies point down only. The compiler refuses a circle, but not a short cut: this reads which crate names which.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::tree;

/// Each crate of ours with those of ours that it may depend on, for tests too.
const LAYERS: [(&str, &[&str]); 9] = [
    ("ledger", &[]),
    ("billing", &["ledger"]),
    ("store", &["billing", "ledger"]),
    ("gateway", &["billing", "ledger"]),
    // Shares no type with anyone, or the test of the gateway against it would prove nothing.
    ("sandbox", &[]),
    ("paydown", &["billing", "gateway", "ledger", "sandbox", "store"]),
    ("xtask", &[]),
    // What Paydown is measured against shares nothing with it; what measures both stands above both.
    ("ceilings", &[]),
    ("workloads", &["billing", "ceilings", "gateway", "ledger", "paydown", "store"]),
];

/// Databases, each with the crates that may use it. The practice processor keeps its data in an SQLite file of its own; the
/// ceilings are what a database can do without us.
const ENGINES: [(&str, &[&str]); 5] = [
    ("rusqlite", &["store", "sandbox", "ceilings"]),
    ("libsqlite3-sys", &["store"]),
    ("tokio-postgres", &["store", "ceilings"]),
    ("deadpool-postgres", &["store"]),
    ("postgres-types", &["store"]),
];

/// Names of the dependencies of each crate of the workspace.
type Crates = BTreeMap<String, Vec<String>>;

fn offences(crates: &Crates) -> Vec<String> {
    let mut offences = Vec::new();
    for (name, dependencies) in crates {
        let Some((_, below)) = LAYERS.iter().find(|(layer, _)| layer == name) else {
            offences.push(format!(
                "crate `{name}` has no place in the layers; give it one in tidy and ARCHITECTURE.md"
            ));
            continue;
        };
        for dependency in dependencies {
            // A crate may name itself, to have its own test helpers in its tests.
            let is_another_of_ours = crates.contains_key(dependency) && dependency != name;
            if is_another_of_ours && !below.contains(&dependency.as_str()) {
                offences.push(format!(
                    "`{name}` must not depend on `{dependency}`; dependencies point down only"
                ));
            }
            let users = ENGINES.iter().find(|(engine, _)| engine == dependency).map(|(_, users)| users);
            if users.is_some_and(|users| !users.contains(&name.as_str())) {
                offences.push(format!(
                    "`{name}` must not depend on `{dependency}`; only the store talks to a database"
                ));
            }
        }
    }
    offences
}

fn workspace() -> Crates {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs this test, so it is here");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let name = |value: &Value| value["name"].as_str().expect("everything has a name").to_owned();
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    packages
        .iter()
        .map(|package| {
            let dependencies =
                package["dependencies"].as_array().expect("a package has a list of dependencies");
            (name(package), dependencies.iter().map(name).collect())
        })
        .collect()
}

#[test]
fn dependencies_point_down() {
    let crates = workspace();
    for (name, _) in LAYERS {
        assert!(crates.contains_key(name), "crate `{name}` is gone; take it out of the layers");
    }
    let offences = offences(&crates);
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn a_dependency_that_points_up_is_found() {
    let sample = |name: &str, dependencies: &[&str]| -> Vec<String> {
        let mut crates: Crates = LAYERS.iter().map(|(name, _)| ((*name).to_owned(), Vec::new())).collect();
        crates
            .insert(name.to_owned(), dependencies.iter().map(|&dependency| dependency.to_owned()).collect());
        offences(&crates)
    };
    for (name, dependency) in [
        ("ledger", "billing"),
        ("billing", "store"),
        ("store", "gateway"),
        ("gateway", "store"),
        ("sandbox", "ledger"),
        ("paydown", "rusqlite"),
        ("gateway", "tokio-postgres"),
        ("newcomer", "serde"),
        ("paydown", "ceilings"),
        ("ceilings", "store"),
        ("workloads", "rusqlite"),
    ] {
        assert_eq!(sample(name, &[dependency]).len(), 1, "{name} → {dependency}");
    }
    assert_eq!(sample("paydown", &["store", "gateway", "sandbox", "billing", "ledger", "axum"]), [""; 0]);
    assert_eq!(sample("store", &["store", "billing", "ledger", "rusqlite", "tokio-postgres"]), [""; 0]);
}
