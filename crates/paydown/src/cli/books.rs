//! `paydown verify` and `paydown migrate`: the books and the schema they are kept in.

use super::VerifyArgs;
use super::world::{At, Exit, stop};
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use std::fmt::Write as _;
use store::db::{Role, Tx};
use store::seals::{self, Chain, Head};
use store::verify::{Options, VerifyReport};
use store::{db, merchants, migrations::MIGRATIONS, verify as checker};

#[derive(Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Show what has run and what would
    Status,
    /// Bring the database up to date
    Run,
}

pub(super) async fn verify(at: &mut At<'_>, args: VerifyArgs) -> Result<Exit> {
    let anchors = args.anchor.iter().map(|text| text.parse::<Head>()).collect::<Result<Vec<Head>, _>>();
    let anchors = anchors.map_err(|error| stop(Exit::Usage, format!("{error:#}")))?;
    let config = at.config()?;
    let store = at.store(&config).await?;
    let report = checker::verify(&store, &Options { anchors }).await?;
    let heads = store
        .read(async move |tx: &mut Tx| {
            let mut heads = Vec::new();
            for merchant in merchants::all(tx).await? {
                for chain in Chain::ALL {
                    heads.extend(seals::head(tx, merchant.id, chain).await?);
                }
            }
            Ok(heads)
        })
        .await?;
    let heads: Vec<String> = heads.iter().map(Head::to_string).collect();
    at.tell(&report_json(&report, &heads), || report_text(&report, &heads))?;
    Ok(if report.is_clean() { Exit::Done } else { Exit::Failed })
}

fn report_json(report: &VerifyReport, heads: &[String]) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "invariant": finding.invariant,
                "title": finding.title,
                "what": finding.what,
                "rows": finding.rows,
                "row_count": finding.row_count,
            })
        })
        .collect();
    let unsealed: Vec<Value> = report
        .unsealed
        .iter()
        .map(|rows| {
            json!({ "merchant": rows.merchant_id.to_string(), "chain": rows.chain.as_str(), "count": rows.count })
        })
        .collect();
    json!({
        "clean": report.is_clean(),
        "postings": report.postings,
        "findings": findings,
        "unsealed": unsealed,
        "heads": heads,
    })
}

fn report_text(report: &VerifyReport, heads: &[String]) -> String {
    let mut text = match report.is_clean() {
        true => format!("The books are right: {} postings.\n", report.postings),
        false => format!("The books are wrong: {} findings.\n", report.findings.len()),
    };
    // Writing into a String cannot fail.
    let mut line = |line: String| writeln!(text, "{line}").unwrap_or_default();
    for finding in &report.findings {
        line(format!("{}. {}", finding.invariant, finding.title));
        line(format!("   {} ({} rows): {}", finding.what, finding.row_count, finding.rows.join(", ")));
    }
    for rows in &report.unsealed {
        line(format!("Not sealed yet: {} of {} {}", rows.count, rows.merchant_id, rows.chain.as_str()));
    }
    for head in heads {
        line(format!("Head, to keep elsewhere and give to --anchor: {head}"));
    }
    text
}

pub(super) async fn migrate(at: &mut At<'_>, command: MigrateCommand) -> Result<Exit> {
    let config = at.config()?;
    let store = at.open(&config, Role::Command).await?;
    if matches!(command, MigrateCommand::Run) {
        let report = db::migrate(&store, MIGRATIONS, at.world.clock.now().as_microsecond()).await?;
        let ran: Vec<&str> = report.ran.iter().map(|migration| migration.name).collect();
        at.tell(&json!({ "version": report.version, "ran": ran }), || match ran.as_slice() {
            [] => format!("Nothing to do: the database is at version {}.", report.version),
            ran => format!("The database is at version {} now; ran: {}.", report.version, ran.join(", ")),
        })?;
        return Ok(Exit::Done);
    }
    let status = db::status(&store, MIGRATIONS).await?;
    let applied: Vec<&str> = status.applied.iter().map(|applied| applied.name.as_str()).collect();
    let pending: Vec<&str> = status.pending.iter().map(|migration| migration.name).collect();
    at.tell(&json!({ "applied": applied, "pending": pending }), || {
        let or_none = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        format!("Applied: {}\nPending: {}", or_none(&applied), or_none(&pending))
    })?;
    Ok(Exit::Done)
}
