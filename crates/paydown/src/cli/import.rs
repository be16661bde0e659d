//! `paydown import invoices`: reads the file, imports what is right, and names what is not.

use super::world::{At, Exit, stop};
use super::{DecimalMark, ImportArgs};
use crate::actions::create_link::{Sent, send_invoice};
use crate::actions::import_invoices::{ImportAs, Outcome, import_invoices};
use crate::app::App;
use crate::import::{ImportOptions, ImportPlan, RowError, read};
use anyhow::{Context as _, Result};
use billing::amount::NumberMarks;
use billing::ids::{InvoiceId, MerchantId};
use ledger::Currency;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;

/// What the file came to.
#[derive(Default)]
struct Told {
    new: Vec<InvoiceId>,
    new_customers: usize,
    unchanged: usize,
    sent: usize,
    errors: Vec<RowError>,
    notices: Vec<String>,
}

pub(super) async fn run(at: &mut At<'_>, args: ImportArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let options = options(&args, merchant.currency)?;
    let bytes = fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let plan = read(&bytes, &options).map_err(|error| stop(Exit::Failed, error.to_string()))?;
    let rows = plan.row_count;
    let app = at.app(&config, store)?;
    let (actor, namesakes_together) = (at.actor(), args.namesakes_together);
    let how = ImportAs { actor, dry_run: args.dry_run, namesakes_together };
    let mut outcome = import(&app, merchant.id, plan, &how).await?;
    if args.send {
        for invoice in &outcome.new {
            let sent = send_invoice(&app, merchant.id, *invoice).await?;
            outcome.sent += usize::from(matches!(sent, Some(Sent::Queued(_))));
        }
    }
    at.tell(&outcome_json(&outcome, rows, args.dry_run), || outcome_text(&outcome, rows, &args))?;
    Ok(if outcome.errors.is_empty() { Exit::Done } else { Exit::Failed })
}

fn options(args: &ImportArgs, default_currency: Currency) -> Result<ImportOptions> {
    let usage = |message: String| stop(Exit::Usage, message);
    let pair = |text: &String| match text.rsplit_once('=') {
        Some((column, field)) => Ok((column.trim().to_owned(), field.trim().to_owned())),
        None => Err(usage(format!("{text:?} maps nothing; expected: --map \"COLUMN=FIELD\""))),
    };
    let currency = args.currency.as_deref().map_or(Ok(default_currency), Currency::try_new);
    Ok(ImportOptions {
        preset: args.preset,
        map: args.map.iter().map(pair).collect::<Result<_>>()?,
        dates: args.dates,
        marks: args.decimal.map(|mark| match mark {
            DecimalMark::Point => NumberMarks::ENGLISH,
            DecimalMark::Comma => NumberMarks::GERMAN,
        }),
        default_currency: currency.map_err(|error| usage(error.to_string()))?,
    })
}

async fn import(app: &App, merchant: MerchantId, plan: ImportPlan, how: &ImportAs) -> Result<Told> {
    let mut outcome = Told { errors: plan.errors, ..Told::default() };
    for imported in import_invoices(app, merchant, plan.invoices, how).await? {
        outcome.notices.extend(imported.notices);
        match imported.outcome {
            Outcome::New { invoice, new_customer } => {
                outcome.new.push(invoice);
                outcome.new_customers += usize::from(new_customer);
            }
            Outcome::Unchanged(_) => outcome.unchanged += 1,
            Outcome::Refused(error) => outcome.errors.push(error),
        }
    }
    outcome.errors.sort_by_key(|error| error.row);
    Ok(outcome)
}

fn outcome_json(outcome: &Told, rows: usize, dry_run: bool) -> Value {
    let errors: Vec<Value> = outcome
        .errors
        .iter()
        .map(|error| {
            json!({
                "row": error.row,
                "invoice": error.invoice,
                "column": error.column,
                "value": error.value,
                "problem": error.problem,
                "fix": error.fix,
            })
        })
        .collect();
    json!({
        "dry_run": dry_run,
        "rows": rows,
        "imported": outcome.new.len(),
        "unchanged": outcome.unchanged,
        "sent": outcome.sent,
        "errors": errors,
        "notices": outcome.notices,
    })
}

fn outcome_text(outcome: &Told, rows: usize, args: &ImportArgs) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let mut line = |line: String| writeln!(text, "{line}").unwrap_or_default();
    for error in &outcome.errors {
        line(error.to_string());
    }
    for notice in &outcome.notices {
        line(format!("{notice}."));
    }
    if outcome.new.is_empty() && outcome.errors.is_empty() && outcome.notices.is_empty() {
        line(format!("Nothing changed: all {} invoices are there already.", outcome.unchanged));
        return text;
    }
    let would = if args.dry_run { "would be imported" } else { "imported" };
    line(format!(
        "{} invoices {would} from {rows} rows, {} customers with them; {} were there already; {} errors.",
        outcome.new.len(),
        outcome.new_customers,
        outcome.unchanged,
        outcome.errors.len()
    ));
    if args.send {
        line(format!("{} are on their way by mail; `paydown serve` sends them.", outcome.sent));
    }
    text
}
