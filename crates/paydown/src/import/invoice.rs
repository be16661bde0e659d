//! Rows to invoices: what rows of one number share, their lines and taxes, and whether they add up.

mod line;

use super::columns::{Columns, Field, name_of};
use super::table::{Table, TableRow};
use super::{ImportOptions, ImportPlan, ImportedInvoice, RowError, values};
use billing::amount::NumberMarks;
use billing::contact::comparable_email;
use billing::line::{Line, LineError, totals};
use jiff::civil::Date;
use ledger::{Currency, Money};
use std::collections::HashMap;

/// Longest texts, in characters.
const MOST_NUMBER: usize = 60;
const MOST_NAME: usize = 200;
const MOST_TEXT: usize = 2_000;
/// Values in errors are cut after so many characters.
const MOST_SHOWN: usize = 60;
/// One invoice has at most so many lines.
const MOST_LINES: usize = 1_000;

/// Where an invoice says how much it is, the plainest first.
const AMOUNTS: [Field; 3] = [Field::Total, Field::Amount, Field::Price];

/// What every row is read with.
pub(super) struct Reading<'r> {
    columns: &'r Columns,
    options: &'r ImportOptions,
    marks: Option<NumberMarks>,
}

/// A row with its number, before the rest is read.
struct Group<'t> {
    number: String,
    rows: Vec<&'t TableRow>,
}

/// Everything a file comes to.
pub(super) fn plan(
    table: &Table,
    columns: &Columns,
    options: &ImportOptions,
    marks: Option<NumberMarks>,
) -> ImportPlan {
    let reading = Reading { columns, options, marks };
    let mut plan = ImportPlan { invoices: Vec::new(), errors: Vec::new(), row_count: table.rows.len() };
    for group in reading.groups(table, &mut plan.errors) {
        match reading.invoice(&group) {
            Ok(invoice) => plan.invoices.push(invoice),
            Err(errors) => plan.errors.extend(errors),
        }
    }
    plan.errors.sort_by_key(|error| error.row);
    plan
}

/// Head of an invoice, which its rows share.
struct Head {
    customer_name: String,
    email: Option<String>,
    currency: Currency,
    issued_on: Date,
    due_on: Date,
    purchase_order: Option<String>,
    memo: Option<String>,
}

impl Reading<'_> {
    /// Rows by number of the invoice, in the order in which the numbers appear.
    fn groups<'t>(&self, table: &'t Table, errors: &mut Vec<RowError>) -> Vec<Group<'t>> {
        let mut groups: Vec<Group<'t>> = Vec::new();
        let mut places: HashMap<&'t str, usize> = HashMap::new();
        let number_place = self.columns.place(Field::Number).unwrap_or(usize::MAX);
        for row in &table.rows {
            let number = row.cells.get(number_place).map_or("", String::as_str);
            if number.is_empty() {
                let fix = "Write the number of the invoice on each of its rows";
                errors.push(self.error(row, None, Field::Number, ("is empty".to_owned(), fix.to_owned())));
                continue;
            }
            let place = *places.entry(number).or_insert_with(|| {
                groups.push(Group { number: number.to_owned(), rows: Vec::new() });
                groups.len() - 1
            });
            groups[place].rows.push(row);
        }
        groups
    }

    fn invoice(&self, group: &Group<'_>) -> Result<ImportedInvoice, Vec<RowError>> {
        let mut errors = self.shape_errors(group);
        if !errors.is_empty() {
            return Err(errors);
        }
        let head = self.head(group, &mut errors);
        // Lines are read with the default currency where the head's is wrong, so that their errors are told too.
        let currency = head.as_ref().map_or(self.options.default_currency, |head| head.currency);
        let mut lines = Vec::new();
        for row in &group.rows {
            match self.line(row, currency) {
                Ok(line) => lines.push(line),
                Err((field, problem)) => errors.push(self.error(row, Some(&group.number), field, problem)),
            }
        }
        let Some(head) = head.filter(|_| errors.is_empty()) else { return Err(errors) };
        let expected_total = self.foot(group, &lines, currency).map_err(|error| vec![*error])?;
        Ok(ImportedInvoice {
            rows: group.rows.iter().map(|row| row.number).collect(),
            number: group.number.clone(),
            number_column: self.column(Field::Number),
            customer_name: head.customer_name,
            customer_column: self.column(Field::Customer),
            email: head.email,
            currency,
            issued_on: head.issued_on,
            due_on: head.due_on,
            purchase_order: head.purchase_order,
            memo: head.memo,
            lines,
            expected_total,
        })
    }

    /// What makes the cells themselves untrustworthy.
    fn shape_errors(&self, group: &Group<'_>) -> Vec<RowError> {
        let number = Some(group.number.as_str());
        let mut errors = Vec::new();
        if let Err(wrong) = plain(&group.number, MOST_NUMBER) {
            errors.push(self.error(group.rows[0], None, Field::Number, wrong));
        }
        if group.rows.len() > MOST_LINES {
            let problem = format!("has {} lines, more than {MOST_LINES}", group.rows.len());
            let wrong = (problem, "Split the invoice".to_owned());
            errors.push(self.error(group.rows[0], number, Field::Number, wrong));
        }
        for row in &group.rows {
            let more = row.cells.iter().enumerate().skip(self.columns.count());
            if let Some((place, cell)) = more.into_iter().find(|(_, cell)| !cell.is_empty()) {
                errors.push(RowError {
                    row: row.number,
                    invoice: Some(group.number.clone()),
                    column: format!("{} (without a header)", place + 1),
                    value: shortened(cell),
                    problem: "stands behind the last column".to_owned(),
                    fix: "Put texts that contain the separator in quotation marks".to_owned(),
                });
            }
        }
        errors
    }

    fn head(&self, group: &Group<'_>, errors: &mut Vec<RowError>) -> Option<Head> {
        let mut read = |field| self.shared(group, field, errors);
        let (customer, email, currency) = (read(Field::Customer), read(Field::Email), read(Field::Currency));
        let (issued, due, po, memo) =
            (read(Field::Issued), read(Field::Due), read(Field::Po), read(Field::Memo));
        let before = errors.len();
        let mut note = |field, wrong| {
            errors.push(self.error(self.told_at(group, field), Some(&group.number), field, wrong));
        };
        let customer_name = required(customer)
            .and_then(|name| plain(&name, MOST_NAME).map(|()| name))
            .map_err(|wrong| note(Field::Customer, wrong));
        let email =
            email.map(|email| self.email(email)).transpose().map_err(|wrong| note(Field::Email, wrong));
        let currency = self.currency(currency).map_err(|wrong| note(Field::Currency, wrong));
        let mut dated = |field, text| {
            required(text)
                .and_then(|text| values::date(&text, self.options.dates))
                .map_err(|wrong| note(field, wrong))
        };
        let (issued_on, due_on) = (dated(Field::Issued, issued), dated(Field::Due, due));
        if let (Ok(issued_on), Ok(due_on)) = (&issued_on, &due_on)
            && due_on < issued_on
        {
            let problem = format!("is before the date of the invoice, {issued_on}");
            note(Field::Due, (problem, "Check both dates, and the order of their numbers".to_owned()));
        }
        for (field, text) in [(Field::Po, &po), (Field::Memo, &memo)] {
            if let Err(wrong) = text.as_ref().map_or(Ok(()), |text| readable(text, MOST_TEXT)) {
                note(field, wrong);
            }
        }
        if errors.len() > before {
            return None;
        }
        Some(Head {
            customer_name: customer_name.ok()?,
            email: email.ok()?,
            currency: currency.ok()?,
            issued_on: issued_on.ok()?,
            due_on: due_on.ok()?,
            purchase_order: po,
            memo,
        })
    }

    /// The value that the rows share: empty cells say nothing, two different ones are an error.
    fn shared(&self, group: &Group<'_>, field: Field, errors: &mut Vec<RowError>) -> Option<String> {
        let mut found: Option<(&str, usize)> = None;
        for row in &group.rows {
            let text = self.cell(row, field);
            match found {
                _ if text.is_empty() => {}
                None => found = Some((text, row.number)),
                Some((first, _)) if first == text => {}
                Some((first, first_row)) => {
                    let problem = format!("is not what row {first_row} of the same invoice says: {first:?}");
                    let fix = "Give the rows of one invoice the same value, or another number".to_owned();
                    errors.push(self.error(row, Some(&group.number), field, (problem, fix)));
                }
            }
        }
        found.map(|(text, _)| text.to_owned())
    }

    fn email(&self, text: String) -> Result<String, values::Wrong> {
        match comparable_email(&text) {
            Some(_) => Ok(text),
            None => Err((
                "is no e-mail address".to_owned(),
                "Write one address, or leave the cell empty".to_owned(),
            )),
        }
    }

    fn currency(&self, text: Option<String>) -> Result<Currency, values::Wrong> {
        let Some(text) = text else { return Ok(self.options.default_currency) };
        Currency::try_new(&text)
            .map_err(|_| ("is no currency".to_owned(), "Write its three-letter code, such as USD".to_owned()))
    }

    /// The total of the lines, which is also the file's, if it has one.
    fn foot(&self, group: &Group<'_>, lines: &[Line], currency: Currency) -> Result<Money, Box<RowError>> {
        let total = totals(lines).map_err(|error| Box::new(self.no_total(group, &error)))?;
        let total = Money::new(total.total_minor, currency);
        let mut errors = Vec::new();
        let told = self.shared(group, Field::Total, &mut errors);
        if let Some(error) = errors.pop() {
            return Err(Box::new(error));
        }
        let Some(told) = told else { return Ok(total) };
        let row = self.told_at(group, Field::Total);
        let at_total = |wrong| Box::new(self.error(row, Some(&group.number), Field::Total, wrong));
        let told = Money::new(values::amount(&told, currency, self.marks).map_err(at_total)?, currency);
        if told == total {
            return Ok(total);
        }
        let difference =
            told.checked_sub(total).map_or_else(|error| error.to_string(), |money| money.to_string());
        let problem = format!("says {told}, but the lines come to {total}: a difference of {difference}");
        let fix = "Check the lines and their tax; amounts are read without tax".to_owned();
        Err(at_total((problem, fix)))
    }

    /// Why the lines come to no total. It is told where the file has a total; else where the lines have their amounts.
    fn no_total(&self, group: &Group<'_>, error: &LineError) -> RowError {
        let (rows, fields, fix) = match error {
            LineError::TooLarge { line } | LineError::QuantityTooFine { line } => (
                &group.rows[line - 1..*line],
                [Field::Amount, Field::Price, Field::Quantity],
                "Check the quantity, the price and the tax",
            ),
            LineError::TotalTooLarge => {
                (&group.rows[..], AMOUNTS, "Check the quantities and prices, or make several invoices of it")
            }
            LineError::NegativeTotal => {
                (&group.rows[..], AMOUNTS, "A credit note is no invoice; leave it out")
            }
            LineError::NoLines => (&group.rows[..], AMOUNTS, "Write at least one line"),
        };
        let told =
            |field: &Field| rows.iter().copied().filter(|row| !self.cell(row, *field).is_empty()).collect();
        let mut found = fields.into_iter().map(|field| (field, told(&field)));
        let found = found.find(|(_, rows): &(Field, Vec<&TableRow>)| !rows.is_empty());
        let (field, rows) = found.unwrap_or((fields[1], vec![rows[0]]));
        let mut wrong =
            self.error(rows[0], Some(&group.number), field, (format!("cannot be: {error}"), fix.to_owned()));
        if field != Field::Total {
            let cells: Vec<&str> = rows.iter().map(|row| self.cell(row, field)).collect();
            wrong.value = shortened(&cells.join(" + "));
        }
        wrong
    }

    /// The first row of an invoice that says something about a field; its first row if none does.
    fn told_at<'t>(&self, group: &Group<'t>, field: Field) -> &'t TableRow {
        let mut rows = group.rows.iter();
        rows.find(|row| !self.cell(row, field).is_empty()).unwrap_or(&group.rows[0])
    }

    /// What the file calls a field, or else we.
    fn column(&self, field: Field) -> String {
        match self.columns.title(field) {
            "" => name_of(field).to_owned(),
            title => title.to_owned(),
        }
    }

    fn cell<'t>(&self, row: &'t TableRow, field: Field) -> &'t str {
        let place = self.columns.place(field);
        place.and_then(|place| row.cells.get(place)).map_or("", String::as_str)
    }

    fn error(&self, row: &TableRow, invoice: Option<&str>, field: Field, wrong: values::Wrong) -> RowError {
        let (problem, fix) = wrong;
        RowError {
            row: row.number,
            invoice: invoice.map(shortened),
            column: self.column(field),
            value: shortened(self.cell(row, field)),
            problem,
            fix,
        }
    }
}

fn required(text: Option<String>) -> Result<String, values::Wrong> {
    text.ok_or_else(|| ("is empty".to_owned(), "Fill it in on one row of the invoice at least".to_owned()))
}

/// One line of text: no breaks, no control characters.
fn plain(text: &str, most: usize) -> Result<(), values::Wrong> {
    if text.contains('\n') {
        return Err(("has a line break".to_owned(), "Write it on one line".to_owned()));
    }
    readable(text, most)
}

/// Text that may have line breaks.
fn readable(text: &str, most: usize) -> Result<(), values::Wrong> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(("has a control character".to_owned(), "Remove it".to_owned()));
    }
    if text.chars().nth(most).is_some() {
        return Err((format!("has more than {most} characters"), "Shorten it".to_owned()));
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
