//! Every way in which a row is refused: each names the row, the column as the file calls it, the value that stands there,
//! what is wrong and what to do.

use super::*;

/// A row that is right but for what a case puts into one of its cells.
const HEADERS: [&str; 18] = [
    "Rechnung",
    "Kunde",
    "Mail",
    "Datum",
    "Bis",
    "Währung",
    "Wofür",
    "Zahl",
    "Preis",
    "Betrag",
    "Rabatt",
    "Satz",
    "Steuer",
    "Summe",
    "Art",
    "Pflicht",
    "Bestellung",
    "Notiz",
];
const FIELDS: [&str; 18] = [
    "number",
    "customer",
    "email",
    "issued",
    "due",
    "currency",
    "description",
    "quantity",
    "price",
    "amount",
    "discount",
    "tax_rate",
    "tax_amount",
    "total",
    "tax_name",
    "taxable",
    "po",
    "memo",
];
const RIGHT: [&str; 18] = [
    "7",
    "Acme",
    "",
    "2026-11-01",
    "2026-11-30",
    "USD",
    "Work",
    "1",
    "1",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
];

/// Reads one invoice of a row per list of (column, value).
fn read_rows(rows: &[&[(&str, &str)]]) -> ImportPlan {
    let quoted = |cells: &[&str]| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        cells.join(",") + "\n"
    };
    let mut text = quoted(&HEADERS);
    for changes in rows {
        let mut cells = RIGHT;
        for (column, value) in *changes {
            let place = HEADERS.iter().position(|header| header == column).expect("a column of the file");
            cells[place] = value;
        }
        text.push_str(&quoted(&cells));
    }
    let map = HEADERS.iter().zip(FIELDS).map(|(header, field)| ((*header).to_owned(), field.to_owned()));
    read(text.as_bytes(), &ImportOptions { map: map.collect(), ..options(Preset::Generic) }).unwrap()
}

/// The only error of an invoice must stand at this row and column, show this value, and say both things.
fn told(rows: &[&[(&str, &str)]], (row, column, value): (usize, &str, &str), problem: &str, fix: &str) {
    let plan = read_rows(rows);
    assert_eq!(plan.invoices, [], "{rows:?}");
    let error = only_error(&plan);
    assert_eq!((error.row, error.column.as_str(), error.value.as_str()), (row, column, value), "{error}");
    assert!(error.problem.contains(problem), "{error}");
    assert!(error.fix.contains(fix) && !error.fix.ends_with('.'), "{error}");
    assert_eq!(error.to_string().matches(&format!("row {row}, column {column}")).count(), 1, "{error}");
}

#[test]
fn the_row_that_is_changed_here_is_right() {
    assert_eq!(total(&read_rows(&[&[]])), 100);
}

#[test]
fn every_cell_that_is_wrong_is_named() {
    let long = "x".repeat(2_001);
    let shown = format!("{}…", "x".repeat(60));
    let cases: &[(&str, &str, &str, &str)] = &[
        ("Rechnung", "", "is empty", "on each of its rows"),
        ("Rechnung", "7\n8", "has a line break", "on one line"),
        ("Kunde", "", "is empty", "Fill it in"),
        ("Kunde", "A\u{7}B", "has a control character", "Remove it"),
        ("Kunde", &long, "has more than 200 characters", "Shorten"),
        ("Mail", "dana at acme", "is no e-mail address", "leave the cell empty"),
        ("Währung", "EURO", "is no currency", "three-letter code"),
        ("Datum", "soon", "is no date", "2026-12-31"),
        ("Datum", "03/04/2026", "can be 2026-04-03 or 2026-03-04", "--dates"),
        ("Datum", "1/2/26", "with a year of four digits", "2026-12-31"),
        ("Bis", "", "is empty", "Fill it in"),
        ("Bis", "2026-10-31", "is before the date of the invoice, 2026-11-01", "Check both dates"),
        ("Bestellung", "A\u{7}B", "has a control character", "Remove it"),
        ("Notiz", &long, "has more than 2000 characters", "Shorten"),
        ("Wofür", "", "is empty", "what the line is for"),
        ("Rabatt", "5%", "is a discount", "Take it off the price"),
        ("Zahl", "two", "is no number", "such as 2"),
        ("Zahl", "1.234", "can be read in two ways", "--decimal"),
        ("Zahl", "1.2345678", "has more than 6 decimals", "Round it"),
        ("Preis", "", "is empty", "0 where nothing is asked for"),
        ("Preis", "ten", "is no amount", "such as 1250.00"),
        ("Preis", "1,250", "can be read in two ways", "--decimal"),
        ("Preis", "1.005", "can be read in two ways", "--decimal"),
        ("Preis", "1.0055", "has more decimals than USD has", "at most 2 digits"),
        ("Preis", "€ 5.00", "is not in USD", "currency column"),
        ("Preis", "99999999999999999", "has more than 15 digits", "Check the amount"),
        ("Betrag", "1.01", "a difference of 1 in the last digit", "Correct the quantity"),
        ("Satz", "101", "is no tax rate", "from 0 to 100"),
        ("Satz", "8.87654", "has more than four decimals", "at most four"),
        ("Steuer", "much", "is no amount", "such as 1250.00"),
        ("Art", "Sales tax", "names a tax without its rate", "or with its rate"),
        ("Pflicht", "maybe", "is neither yes nor no", "Y or N"),
        ("Summe", "1.01", "a difference of 0.01 USD", "Check the lines"),
        ("Summe", "one", "is no amount", "such as 1250.00"),
    ];
    for (column, value, problem, fix) in cases {
        let seen = if *value == long { shown.as_str() } else { value };
        told(&[&[(column, value)]], (2, column, seen), problem, fix);
    }
}

#[test]
fn what_only_several_cells_get_wrong_is_named_too() {
    told(
        &[&[("Satz", "10"), ("Steuer", "0.20")]],
        (2, "Steuer", "0.20"),
        "is not 10 % of the line",
        "Correct the tax",
    );
    let odd = [("Preis", "0.00"), ("Steuer", "0.20")];
    told(&[&odd], (2, "Steuer", "0.20"), "does not come from a rate", "Add a column with the tax rate");
    let thirds = [("Zahl", "3"), ("Preis", ""), ("Betrag", "1.00")];
    told(&[&thirds], (2, "Betrag", "1.00"), "is no multiple of the quantity", "price of one");
    told(&[&[], &[("Kunde", "Apex")]], (3, "Kunde", "Apex"), "is not what row 2", "another number");
    told(&[&[], &[("Summe", "2.01")]], (3, "Summe", "2.01"), "a difference of 0.01 USD", "Check the lines");
}

#[test]
fn a_total_that_cannot_be_is_named_where_its_amounts_stand() {
    let most = ("Preis", "9999999999999.99");
    let both = "9999999999999.99 + 9999999999999.99";
    told(
        &[&[most], &[most]],
        (2, "Preis", both),
        "add up to more than 15 digits",
        "make several invoices of it",
    );
    let total = ("Summe", "5.00");
    let (large, negative) = ([most, total], [("Preis", "-1.00"), total]);
    told(&[&large, &[most]], (2, "Summe", "5.00"), "add up to more than 15 digits", "make several");
    told(&[&negative], (2, "Summe", "5.00"), "add up to less than nothing", "A credit note is no invoice");
    let many = [most, ("Zahl", "100")];
    told(
        &[&[], &many],
        (3, "Preis", "9999999999999.99"),
        "line 2: the amount is too large",
        "Check the quantity",
    );
}

#[test]
fn a_cell_behind_the_last_column_is_named_by_its_place() {
    let plan =
        generic("Number,Customer,Issued,Due,Description,Price\n7,Acme,2026-11-01,2026-11-30,Work,1,250.00\n");
    let error = only_error(&plan);
    assert_eq!(
        (error.row, error.column.as_str(), error.value.as_str()),
        (2, "7 (without a header)", "250.00")
    );
    assert!(
        error.problem.contains("behind the last column") && error.fix.contains("quotation marks"),
        "{error}"
    );
}
