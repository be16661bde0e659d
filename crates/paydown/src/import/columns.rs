//! Which column holds what: names of the presets, names given by hand, and what is said when one is missing.

use super::{FileError, ImportOptions};
use crate::config::nearest;

/// Whose column names a file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Xero's sales invoice template
    Xero,
    /// QuickBooks Online's invoice import
    #[value(name = "quickbooks")]
    QuickBooks,
    /// Plain names: number, customer, email, issued, due, description, quantity, price, tax rate
    Generic,
}

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Number of the invoice; rows of one number are one invoice.
    Number,
    /// Name of the customer.
    Customer,
    /// Where the invoice is sent.
    Email,
    /// Date of the invoice.
    Issued,
    /// Due date.
    Due,
    /// ISO 4217 code.
    Currency,
    /// What a line is for.
    Description,
    /// What a line is for, in short; stands in where there is no description.
    Item,
    /// How many.
    Quantity,
    /// Price of one, without tax.
    Price,
    /// Quantity × price, without tax.
    Amount,
    /// Percentage off, which is not read: any value but 0 is refused.
    Discount,
    /// Tax in percent.
    TaxRate,
    /// Tax of the line as an amount.
    TaxAmount,
    /// Name of a tax, with its percentage in it.
    TaxName,
    /// Whether the line is taxed: yes or no.
    Taxable,
    /// The customer's order number.
    Po,
    /// A note.
    Memo,
    /// What the whole invoice comes to.
    Total,
}

/// Name for `--map` and errors, the field, and its headers per preset (Xero, QuickBooks, generic).
type Names = (&'static str, Field, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Headers are compared by their letters and digits only, without case.
const NAMES: [Names; 19] = [
    (
        "number",
        Field::Number,
        &["InvoiceNumber"],
        &["InvoiceNo", "InvoiceNumber", "Invoice Number", "Num"],
        &["Number", "InvoiceNumber", "InvoiceNo", "Invoice"],
    ),
    ("customer", Field::Customer, &["ContactName"], &["Customer"], &["Customer", "CustomerName", "Company"]),
    (
        "email",
        Field::Email,
        &["EmailAddress"],
        &["Email", "CustomerEmail", "EmailAddress"],
        &["Email", "EmailAddress", "CustomerEmail"],
    ),
    (
        "issued",
        Field::Issued,
        &["InvoiceDate"],
        &["InvoiceDate"],
        &["Issued", "IssuedOn", "IssueDate", "InvoiceDate", "Date"],
    ),
    ("due", Field::Due, &["DueDate"], &["DueDate"], &["Due", "DueOn", "DueDate"]),
    (
        "currency",
        Field::Currency,
        &["Currency"],
        &["Currency", "CurrencyCode"],
        &["Currency", "CurrencyCode"],
    ),
    ("description", Field::Description, &["Description"], &["ItemDescription"], &["Description"]),
    (
        "item",
        Field::Item,
        &["InventoryItemCode"],
        &["Item", "Product/Service", "Item(Product/Service)"],
        &["Item", "Product"],
    ),
    ("quantity", Field::Quantity, &["Quantity"], &["ItemQuantity"], &["Quantity", "Qty"]),
    ("price", Field::Price, &["UnitAmount"], &["ItemRate"], &["Price", "UnitPrice", "UnitAmount", "Rate"]),
    ("amount", Field::Amount, &["LineAmount"], &["ItemAmount"], &["Amount", "LineAmount", "Net"]),
    ("discount", Field::Discount, &["Discount"], &["Discount"], &["Discount"]),
    ("tax_rate", Field::TaxRate, &["TaxRate"], &["TaxRate"], &["TaxRate", "VATRate", "TaxPercent"]),
    ("tax_amount", Field::TaxAmount, &["TaxAmount"], &["ItemTaxAmount"], &["TaxAmount", "Tax", "VAT"]),
    ("tax_name", Field::TaxName, &["TaxType"], &["ItemTaxCode"], &["TaxName"]),
    ("taxable", Field::Taxable, &[], &["Taxable"], &["Taxable"]),
    ("po", Field::Po, &["Reference"], &["PONumber", "PurchaseOrder"], &["PO", "PONumber", "PurchaseOrder"]),
    ("memo", Field::Memo, &["Memo"], &["Memo"], &["Memo", "Note", "Notes"]),
    ("total", Field::Total, &["Total"], &["InvoiceTotal"], &["Total", "InvoiceTotal"]),
];

impl Preset {
    const fn headers(self, names: &Names) -> &'static [&'static str] {
        match self {
            Preset::Xero => names.2,
            Preset::QuickBooks => names.3,
            Preset::Generic => names.4,
        }
    }
}

/// Where each field stands.
pub(super) struct Columns {
    header: Vec<String>,
    places: Vec<(Field, usize)>,
}

impl Columns {
    /// Finds the columns, or says which one is missing, double or misnamed.
    pub(super) fn find(header: &[String], options: &ImportOptions) -> Result<Columns, FileError> {
        let mut places = mapped(header, options)?;
        let by_hand: Vec<Field> = places.iter().map(|(field, _)| *field).collect();
        for (place, name) in header.iter().enumerate() {
            let taken = places.iter().any(|(_, other)| *other == place);
            let Some(field) =
                field_of(name, options.preset).filter(|field| !taken && !by_hand.contains(field))
            else {
                continue;
            };
            if let Some((_, other)) = places.iter().find(|(there, _)| *there == field) {
                return Err(FileError::new(
                    format!("two columns hold the {}: {:?} and {name:?}", name_of(field), header[*other]),
                    format!("Remove one, or choose with --map \"{name}={}\"", name_of(field)),
                ));
            }
            places.push((field, place));
        }
        let columns = Columns { header: header.to_vec(), places };
        for field in [Field::Number, Field::Customer, Field::Issued, Field::Due] {
            columns.require(&[field], options.preset)?;
        }
        columns.require(&[Field::Price, Field::Amount], options.preset)?;
        Ok(columns)
    }

    /// Where a field stands, if it does.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        self.places.iter().find(|(there, _)| *there == field).map(|(_, place)| *place)
    }

    /// The header of a field's column; empty where it has none.
    pub(super) fn title(&self, field: Field) -> &str {
        self.place(field).map_or("", |place| &self.header[place])
    }

    pub(super) fn count(&self) -> usize {
        self.header.len()
    }

    fn require(&self, one_of: &[Field], preset: Preset) -> Result<(), FileError> {
        if one_of.iter().any(|field| self.place(*field).is_some()) {
            return Ok(());
        }
        let field = one_of[0];
        let expected: Vec<&str> =
            one_of.iter().flat_map(|field| preset.headers(names(*field))).copied().collect();
        let free =
            self.header.iter().enumerate().filter(|(place, name)| {
                !name.is_empty() && self.places.iter().all(|(_, taken)| taken != place)
            });
        let free: Vec<&str> = free.map(|(_, name)| name.as_str()).collect();
        let near = expected.iter().find_map(|name| nearest(name, free.iter().copied()));
        let fix = match near {
            Some(near) => format!("{near:?} looks like it: --map \"{near}={}\"", name_of(field)),
            None => format!(
                "Name the column with --map \"COLUMN={}\", or choose another --preset",
                name_of(field)
            ),
        };
        let problem = format!("no column holds the {}; expected: {}", name_of(field), expected.join(" or "));
        Err(FileError::new(problem, fix))
    }
}

/// How many headers are known; for finding the separator.
pub(super) fn known(header: &[String], options: &ImportOptions) -> usize {
    let by_hand = |name: &str| options.map.iter().any(|(column, _)| folded(column) == folded(name));
    header.iter().filter(|name| by_hand(name) || field_of(name, options.preset).is_some()).count()
}

fn mapped(header: &[String], options: &ImportOptions) -> Result<Vec<(Field, usize)>, FileError> {
    let mut places: Vec<(Field, usize)> = Vec::new();
    for (column, field) in &options.map {
        let place = header.iter().position(|name| folded(name) == folded(column)).ok_or_else(|| {
            let near = nearest(column, header.iter().map(String::as_str));
            let fix = near.map_or_else(
                || format!("The file has: {}", header.join(", ")),
                |near| format!("Did you mean {near:?}?"),
            );
            FileError::new(format!("--map names the column {column:?}, which is not in the file"), fix)
        })?;
        let names = || NAMES.iter().map(|names| names.0);
        let found = NAMES.iter().find(|names| names.0 == field).ok_or_else(|| {
            let fix = nearest(field, names()).map_or_else(
                || format!("There are: {}", names().collect::<Vec<_>>().join(", ")),
                |near| format!("Did you mean {near:?}?"),
            );
            FileError::new(format!("--map names the field {field:?}, which does not exist"), fix)
        })?;
        if places.iter().any(|(there, _)| *there == found.1) {
            return Err(FileError::new(format!("--map gives the field {field:?} twice"), "Keep one of them"));
        }
        places.push((found.1, place));
    }
    Ok(places)
}

fn field_of(header: &str, preset: Preset) -> Option<Field> {
    let wanted = folded(header);
    NAMES
        .iter()
        .find(|names| preset.headers(names).iter().any(|name| folded(name) == wanted))
        .map(|names| names.1)
}

fn names(field: Field) -> &'static Names {
    NAMES.iter().find(|names| names.1 == field).unwrap_or(&NAMES[0])
}

/// What `--map` and errors call a field.
pub(super) fn name_of(field: Field) -> &'static str {
    names(field).0
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
