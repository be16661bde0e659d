//! Reads what the lock file brings in and holds it against `deny.toml`: licences, banned packages, sources. It looks at every
//! package of every platform, whether or not this machine would build it. Known vulnerabilities are not looked up here: that
//! takes a database from the network.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::spdx;

/// Fails with one line per offence.
pub fn check(sh: &Shell) -> Result<()> {
    let policy = Policy::parse(&sh.read_file("deny.toml")?)?;
    let metadata = cmd!(sh, "cargo metadata --locked --format-version 1").read()?;
    let packages = packages(&serde_json::from_str(&metadata)?)?;
    let offences = policy.offences(&packages);
    if !offences.is_empty() {
        bail!("deny.toml does not allow:\n  {}", offences.join("\n  "));
    }
    println!("{} packages are within deny.toml", packages.len());
    Ok(())
}

/// What `deny.toml` says, as far as it is checked here.
struct Policy {
    licences: BTreeSet<String>,
    registries: BTreeSet<String>,
    /// By package name: whether one version may be there, and why not more.
    banned: BTreeMap<String, Ban>,
}

struct Ban {
    one_version_is_fine: bool,
    reason: String,
}

struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// `None` for a folder on this machine.
    source: Option<String>,
    is_ours: bool,
}

impl Policy {
    fn parse(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().context("deny.toml")?;
        let list = |table: &str, key: &str| {
            let values = file.get(table).and_then(|table| table.get(key)).and_then(toml::Value::as_array);
            values.with_context(|| format!("deny.toml has no list [{table}] {key}"))
        };
        let words = |table: &str, key: &str| -> Result<BTreeSet<String>> {
            list(table, key)?
                .iter()
                .map(|value| {
                    value.as_str().map(str::to_owned).context("deny.toml: a list of texts has something else")
                })
                .collect()
        };
        let mut banned = BTreeMap::new();
        for entry in list("bans", "deny")? {
            let name = entry
                .get("crate")
                .and_then(toml::Value::as_str)
                .context("deny.toml: a ban names no crate")?;
            let reason = entry.get("reason").and_then(toml::Value::as_str);
            let reason = reason.with_context(|| format!("deny.toml: the ban of {name} gives no reason"))?;
            let only_doubles = entry.get("deny-multiple-versions").and_then(toml::Value::as_bool);
            let ban = Ban { one_version_is_fine: only_doubles.unwrap_or(false), reason: reason.to_owned() };
            banned.insert(name.to_owned(), ban);
        }
        Ok(Self {
            licences: words("licenses", "allow")?,
            registries: words("sources", "allow-registry")?,
            banned,
        })
    }

    fn offences(&self, packages: &[Package]) -> Vec<String> {
        let one_by_one = packages.iter().flat_map(|package| {
            let name = format!("{} {}", package.name, package.version);
            let offences = [self.licence_offence(package), self.source_offence(package)];
            offences.into_iter().flatten().map(move |offence| format!("{name}: {offence}"))
        });
        one_by_one.chain(self.ban_offences(packages)).collect()
    }

    fn licence_offence(&self, package: &Package) -> Option<String> {
        let Some(licence) = &package.licence else {
            return Some("names no licence".to_owned());
        };
        match spdx::is_satisfied(licence, &self.licences) {
            Ok(true) => None,
            Ok(false) => Some(format!("licence `{licence}` is not on the list")),
            Err(error) => Some(error.to_string()),
        }
    }

    fn source_offence(&self, package: &Package) -> Option<String> {
        let Some(source) = &package.source else {
            return (!package.is_ours).then(|| "comes from a folder outside this repository".to_owned());
        };
        let is_known =
            source.strip_prefix("registry+").is_some_and(|address| self.registries.contains(address));
        (!is_known).then(|| format!("comes from {source}"))
    }

    fn ban_offences(&self, packages: &[Package]) -> Vec<String> {
        let mut offences = Vec::new();
        for (name, ban) in &self.banned {
            let found: Vec<&str> = packages
                .iter()
                .filter(|package| package.name == *name)
                .map(|package| package.version.as_str())
                .collect();
            if found.len() > usize::from(ban.one_version_is_fine) {
                offences.push(format!("{name} {}: {}", found.join(" and "), ban.reason));
            }
        }
        offences
    }
}

fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let list = |key: &str| metadata[key].as_array().with_context(|| format!("cargo metadata has no {key}"));
    let members: BTreeSet<&str> = list("workspace_members")?.iter().filter_map(Value::as_str).collect();
    let read = |package: &Value| -> Option<Package> {
        Some(Package {
            name: package["name"].as_str()?.to_owned(),
            version: package["version"].as_str()?.to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
            source: package["source"].as_str().map(str::to_owned),
            is_ours: members.contains(package["id"].as_str()?),
        })
    };
    list("packages")?
        .iter()
        .map(|package| read(package).context("cargo metadata has a package without a name"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Package, Policy};

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [
            { crate = "openssl-sys", reason = "no" },
            { crate = "libsqlite3-sys", deny-multiple-versions = true, reason = "one" },
        ]
        [sources]
        allow-registry = ["https://example.org/index"]
    "#;

    fn package(name: &str, licence: Option<&str>, source: Option<&str>) -> Package {
        let (licence, source) = (licence.map(str::to_owned), source.map(str::to_owned));
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence,
            is_ours: source.is_none(),
            source,
        }
    }

    fn good(name: &str) -> Package {
        package(name, Some("MIT"), Some("registry+https://example.org/index"))
    }

    fn offences(packages: &[Package]) -> Vec<String> {
        Policy::parse(POLICY).unwrap().offences(packages)
    }

    #[test]
    fn what_is_allowed_passes() {
        assert_eq!(
            offences(&[good("a"), good("libsqlite3-sys"), package("ours", Some("MIT"), None)]),
            [""; 0]
        );
    }

    #[test]
    fn each_offence_is_named() {
        let other_folder = Package { is_ours: false, ..package("folder", Some("MIT"), None) };
        let registry = Some("registry+https://example.org/index");
        for (offender, message) in [
            (
                package("gpl", Some("GPL-3.0-only"), registry),
                "gpl 1.0.0: licence `GPL-3.0-only` is not on the list",
            ),
            (package("silent", None, registry), "silent 1.0.0: names no licence"),
            (
                package("broken", Some("MIT OR"), registry),
                "broken 1.0.0: a licence expression ends where a name belongs",
            ),
            (
                package("git", Some("MIT"), Some("git+https://e.org/g")),
                "git 1.0.0: comes from git+https://e.org/g",
            ),
            (other_folder, "folder 1.0.0: comes from a folder outside this repository"),
            (good("openssl-sys"), "openssl-sys 1.0.0: no"),
        ] {
            assert_eq!(offences(&[offender]), [message]);
        }
        let twice = [good("libsqlite3-sys"), good("libsqlite3-sys")];
        assert_eq!(offences(&twice), ["libsqlite3-sys 1.0.0 and 1.0.0: one"]);
    }

    #[test]
    fn a_policy_without_a_list_is_refused() {
        assert!(Policy::parse("[licenses]\nallow = []").is_err());
        assert!(Policy::parse(&POLICY.replace(", reason = \"no\"", "")).is_err());
    }
}
