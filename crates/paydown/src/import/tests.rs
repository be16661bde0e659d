//! Files as other programs write them, and hostile ones: what is read, what is refused, and how it is said.

use super::*;
use proptest::prelude::*;
use rust_decimal::Decimal;

mod errors;

fn options(preset: Preset) -> ImportOptions {
    ImportOptions { preset, map: Vec::new(), dates: None, marks: None, default_currency: Currency::USD }
}

fn generic(text: &str) -> ImportPlan {
    read(text.as_bytes(), &options(Preset::Generic)).unwrap()
}

/// One invoice from one row of: number, customer, issued, due, quantity, price, and what the test adds.
fn row(more_headers: &str, more: &str) -> ImportPlan {
    generic(&format!(
        "Number,Customer,Issued,Due,Description,{more_headers}\n7,Acme,2026-11-01,2026-11-30,Work,{more}\n"
    ))
}

fn total(plan: &ImportPlan) -> i64 {
    assert_eq!(plan.errors, [], "no error");
    plan.invoices[0].expected_total.minor()
}

fn only_error(plan: &ImportPlan) -> &RowError {
    assert_eq!(plan.errors.len(), 1, "{:?}", plan.errors);
    &plan.errors[0]
}

fn refused(text: &str, preset: Preset) -> String {
    read(text.as_bytes(), &options(preset)).unwrap_err().to_string()
}

const XERO: &str = "*ContactName,EmailAddress,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,*Description,\
*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,TaxAmount,Currency\n";

#[test]
fn xero_rows_of_one_number_are_one_invoice() {
    let text = format!(
        "{XERO}Acme Ltd,dana@acme.test,INV-1,PO 9,01 Nov 2026,2026-11-30,1320.00,Design,10,100.00,,200,20% (VAT on Income),200.00,GBP\n\
         Other,,INV-2,,2026-11-01,2026-11-30,,Hosting,1,\"1,000.00\",0,200,No VAT,,GBP\n\
         Acme Ltd,,INV-1,,,,1320.00,Books,2,60,,200,Zero Rated Income,0,GBP\n"
    );
    let plan = read(text.as_bytes(), &options(Preset::Xero)).unwrap();
    assert_eq!(plan.errors, []);
    assert_eq!(plan.row_count, 3);
    let [one, two] = plan.invoices.as_slice() else { panic!("two invoices") };
    assert_eq!((one.rows.as_slice(), one.number.as_str()), ([2, 4].as_slice(), "INV-1"));
    assert_eq!((one.customer_name.as_str(), one.email.as_deref()), ("Acme Ltd", Some("dana@acme.test")));
    assert_eq!(one.purchase_order.as_deref(), Some("PO 9"));
    assert_eq!(one.issued_on, jiff::civil::date(2026, 11, 1));
    assert_eq!(one.expected_total, Money::new(132_000, Currency::try_new("GBP").unwrap()));
    assert_eq!(one.lines[0].tax_rate.unwrap().0, 200_000);
    assert_eq!(one.lines[1].tax_rate, None);
    assert_eq!(two.expected_total.minor(), 100_000);
}

#[test]
fn quickbooks_amounts_taxes_and_dates() {
    let text = "*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Memo,Item(Product/Service),ItemDescription,ItemQuantity,\
        ItemRate,*ItemAmount,Taxable,TaxRate\n\
        1001,Harbor,12/31/2026,01/30/2027,Thanks,Consulting,,2,75.50,151.00,Y,8.875%\n\
        1001,,,,,Parts,Bolts,,,20,N,\n";
    let plan = read(text.as_bytes(), &options(Preset::QuickBooks)).unwrap();
    // 01/30 and 12/31 can be read in one way only.
    assert_eq!(total(&plan), 15_100 + 1_340 + 2_000);
    let invoice = &plan.invoices[0];
    assert_eq!(invoice.due_on, jiff::civil::date(2027, 1, 30));
    assert_eq!(
        (invoice.lines[0].description.as_str(), invoice.lines[1].description.as_str()),
        ("Consulting", "Bolts")
    );
    assert_eq!(invoice.memo.as_deref(), Some("Thanks"));
}

#[test]
fn a_bad_row_spoils_its_own_invoice_and_nothing_else() {
    let plan = generic(
        "Number,Customer,Issued,Due,Description,Price\n\
         A,Acme,2026-11-01,2026-11-30,Fine,10.00\n\
         B,Acme,2026-11-01,2026-11-30,Fine,10.00\n\
         A,Acme,2026-11-01,2026-11-30,Bad,ten\n\
         C,,2026-11-31,soon,Bad,1.00\n\
         ,Acme,2026-11-01,2026-11-30,Lost,1.00\n",
    );
    let good: Vec<&str> = plan.invoices.iter().map(|invoice| invoice.number.as_str()).collect();
    assert_eq!(good, ["B"]);
    let places: Vec<(usize, &str)> =
        plan.errors.iter().map(|error| (error.row, error.column.as_str())).collect();
    assert_eq!(places, [(4, "Price"), (5, "Customer"), (5, "Issued"), (5, "Due"), (6, "Number")]);
    let shown = plan.errors[0].to_string();
    assert_eq!(
        shown,
        "row 4, column Price, invoice A: \"ten\" is no amount. Write an amount such as 1250.00"
    );
    assert!(plan.errors.iter().all(|error| !error.fix.is_empty()));
}

#[test]
fn amounts_follow_the_marks_of_the_file() {
    let comma = generic(
        "Number;Customer;Issued;Due;Description;Quantity;Price\n\
         A;Acme;2026-11-01;2026-11-30;Eins;1,5;\"1.234,50\"\n\
         A;;;;Zwei;1;1.000\n",
    );
    assert_eq!(total(&comma), 185_175 + 100_000);
    let point = generic(
        "Number\tCustomer\tIssued\tDue\tDescription\tPrice\n\
         A\tAcme\t2026-11-01\t2026-11-30\tOne\t12.50\nA\t\t\t\tTwo\t1,000\n",
    );
    assert_eq!(total(&point), 101_250);
}

#[test]
fn what_can_be_read_in_two_ways_is_refused_with_the_option() {
    for (value, decides) in [("\"1,250\"", 125_000), ("1.250", 0)] {
        let error_plan = row("Price", value);
        let error = only_error(&error_plan);
        assert!(error.problem.contains("two ways") && error.fix.contains("--decimal"), "{error}");
        let text =
            format!("Number,Customer,Issued,Due,Description,Price\n7,A,2026-11-01,2026-11-30,x,{value}\n");
        let known = ImportOptions { marks: Some(NumberMarks::ENGLISH), ..options(Preset::Generic) };
        let plan = read(text.as_bytes(), &known).unwrap();
        if decides > 0 {
            assert_eq!(total(&plan), decides);
        } else {
            assert_eq!(plan.errors.len(), 1, "still neither thousands nor cents");
        }
    }
    let plan = row("Quantity,Price", "1.250,1.00");
    assert_eq!(total(&plan), 125, "the price shows the mark of the file");
    assert!(only_error(&row("Quantity,Price", "1.250,1")).fix.contains("--decimal"));
    let dates = "Number,Customer,Issued,Due,Description,Price\n7,A,03/04/2026,05/05/2026,x,1\n";
    let plan = generic(dates);
    assert_eq!(only_error(&plan).problem, "can be 2026-04-03 or 2026-03-04");
    assert!(plan.errors[0].fix.contains("--dates"));
    for (order, month) in [(DateOrder::Dmy, 4), (DateOrder::Mdy, 3)] {
        let plan = read(dates.as_bytes(), &ImportOptions { dates: Some(order), ..options(Preset::Generic) })
            .unwrap();
        assert_eq!(plan.invoices[0].issued_on.month(), month);
    }
}

#[test]
fn dates_that_are_none_are_refused() {
    for text in [
        "2026-02-30",
        "31/02/2026",
        "1/1/26",
        "2026",
        "2026-13-01",
        "yesterday",
        "Nov 2026",
        "12 Foo 2026",
        "2026-1-1-1",
        "0001-01-01",
        "9999-01-01",
        "١٢/١٢/2026",
        "46000",
        "=TODAY()",
    ] {
        let plan =
            generic(&format!("Number,Customer,Issued,Due,Description,Price\n7,A,{text},2026-12-31,x,1\n"));
        assert_eq!(only_error(&plan).column, "Issued", "{text}");
        assert_eq!(only_error(&plan).value, text);
    }
    for text in ["2026-11-01", "2026/11/1", "1 Nov 2026", "\"Nov 1, 2026\"", "1-November-2026", "2026 Nov 01"]
    {
        let plan =
            generic(&format!("Number,Customer,Issued,Due,Description,Price\n7,A,{text},31.12.2026,x,1\n"));
        assert_eq!(total(&plan), 100, "{text}");
        assert_eq!(plan.invoices[0].issued_on, jiff::civil::date(2026, 11, 1), "{text}");
    }
    let plan = generic("Number,Customer,Issued,Due,Description,Price\n7,A,2026-11-02,2026-11-01,x,1\n");
    assert!(only_error(&plan).problem.contains("before the date of the invoice"));
    let iso = ImportOptions { dates: Some(DateOrder::Iso), ..options(Preset::Generic) };
    let text = b"Number,Customer,Issued,Due,Description,Price\n7,A,13/11/2026,2026-12-01,x,1\n";
    assert!(only_error(&read(text, &iso).unwrap()).problem.contains("--dates iso"));
}

#[test]
fn hostile_amounts_are_refused() {
    for text in [
        "1e3",
        "0x10",
        "NaN",
        "inf",
        "1.2.3",
        "--1",
        "1.001",
        "€5",
        "5 EUR",
        "50%",
        "1_000",
        "=1+1",
        "1234567890123456",
        "\"1,23,45\"",
        "'",
        ".",
        "-",
    ] {
        let plan = row("Price", text);
        assert_eq!(only_error(&plan).column, "Price", "{text}");
        assert_eq!(plan.invoices, []);
    }
    for (text, minor) in [("$5", 500), ("USD 5.1", 510), ("0", 0), ("\"$1,250.00\"", 125_000), ("5 $", 500)] {
        assert_eq!(total(&row("Price", text)), minor, "{text}");
    }
    assert!(only_error(&row("Price", "-5")).problem.contains("less than nothing"));
    assert!(only_error(&row("Price", "(5.00)")).problem.contains("less than nothing"));
    assert!(only_error(&row("Price,Currency", "10.5,JPY")).problem.contains("more decimals than JPY"));
    assert_eq!(total(&row("Price,Currency", "1000,jpy")), 1_000);
    assert!(only_error(&row("Price,Currency", "10,XAU")).problem.contains("no currency"));
}

#[test]
fn quantities_prices_and_amounts_must_agree() {
    assert_eq!(total(&row("Quantity,Price,Amount", "3,33.33,99.99")), 9_999);
    let plan = row("Quantity,Price,Amount", "3,33.33,100.00");
    assert!(only_error(&plan).problem.contains("100.00 USD") && plan.errors[0].problem.contains("99.99 USD"));
    assert_eq!(total(&row("Quantity,Amount", "4,10.00")), 1_000);
    assert!(only_error(&row("Quantity,Amount", "3,10.00")).problem.contains("multiple"));
    assert_eq!(only_error(&row("Price,Amount", ",")).column, "Price");
    for text in ["1.1234567", "1e2", "two", "1..2", "1.", "+1", "99999999999999999999"] {
        assert_eq!(only_error(&row("Quantity,Price", &format!("{text},1.00"))).column, "Quantity", "{text}");
    }
    let deduction = generic(
        "Number,Customer,Issued,Due,Description,Price,Tax Rate\n\
         A,Acme,2026-11-01,2026-11-30,Work,100.00,19\nA,,,,Voucher,-10.00,19\n",
    );
    assert_eq!(total(&deduction), 10_710);
}

#[test]
fn taxes_are_known_or_refused() {
    assert_eq!(total(&row("Price,Tax Rate", "100.00,8.875")), 10_888);
    assert_eq!(total(&row("Price,Tax Rate", "100.00,\"8,875 %\"")), 10_888);
    assert_eq!(total(&row("Price,Tax Amount", "100.00,8.88")), 10_888);
    assert_eq!(total(&row("Price,Tax Amount", "100.00,0")), 10_000);
    assert_eq!(total(&row("Price,Tax Rate,Tax Amount", "100.00,19,19.00")), 11_900);
    assert_eq!(total(&row("Price,Taxable,Tax Rate", "100.00,N,19")), 10_000);
    assert!(only_error(&row("Price,Tax Rate,Tax Amount", "100.00,19,20.00")).problem.contains("19 %"));
    assert_eq!(only_error(&row("Price,Tax Amount", "100.00,101.00")).column, "Tax Amount");
    assert_eq!(only_error(&row("Price,Tax Amount", "0,1.00")).column, "Tax Amount");
    for rate in ["101", "-1", "x", "1.23456", "19 percent"] {
        assert_eq!(only_error(&row("Price,Tax Rate", &format!("1.00,{rate}"))).column, "Tax Rate", "{rate}");
    }
    assert_eq!(only_error(&row("Price,Taxable", "1.00,maybe")).column, "Taxable");
    let xero = |tax: &str| {
        let text = format!("{XERO}A,,1,,2026-11-01,2026-11-30,,x,1,100.00,,200,{tax},USD\n");
        read(text.as_bytes(), &options(Preset::Xero)).unwrap()
    };
    assert!(only_error(&xero("Tax on Sales,")).fix.contains("rate"));
    assert_eq!(total(&xero("Tax on Sales,8.25")), 10_825);
    assert_eq!(total(&xero("Tax Exempt (0%),")), 10_000);
    assert_eq!(total(&xero("20% (VAT on Income),")), 12_000);
    assert_eq!(total(&xero("20% (VAT on Income),17.50")), 11_750);
}

#[test]
fn totals_foot_and_rows_of_one_invoice_agree() {
    assert_eq!(total(&row("Price,Total", "10.00,10.00")), 1_000);
    let plan = row("Price,Total", "10.00,10.01");
    assert!(only_error(&plan).problem.contains("a difference of 0.01 USD"), "{}", plan.errors[0]);
    let plan = generic(
        "Number,Customer,Issued,Due,Description,Price,Currency\n\
         A,Acme,2026-11-01,2026-11-30,x,1.00,USD\nA,Apex,2026-11-01,2026-11-30,y,1.00,EUR\n",
    );
    let columns: Vec<&str> = plan.errors.iter().map(|error| error.column.as_str()).collect();
    assert_eq!(columns, ["Customer", "Currency"]);
    assert!(plan.errors[0].problem.contains("row 2 of the same invoice says: \"Acme\""));
}

#[test]
fn files_arrive_in_every_dress() {
    let plain = "Number,Customer,Issued,Due,Description,Price\r\nA,Ünal,2026-11-01,2026-11-30,\"one\r\n\"\"two\"\"\",1.00\r\n\r\nB,Acme,2026-11-01,2026-11-30,x,bad\r\n";
    let with_mark = [b"\xef\xbb\xbf".as_slice(), plain.as_bytes()].concat();
    let sixteen: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let declared = format!("sep=,\r\n{plain}").into_bytes();
    for (bytes, bad_row) in [(plain.as_bytes().to_vec(), 4), (with_mark, 4), (sixteen, 4), (declared, 5)] {
        let plan = read(&bytes, &options(Preset::Generic)).unwrap();
        assert_eq!(plan.invoices[0].customer_name, "Ünal");
        assert_eq!(plan.invoices[0].lines[0].description, "one\n\"two\"");
        assert_eq!(only_error(&plan).row, bad_row, "blank rows count, breaks within a cell do not");
    }
}

#[test]
fn formulas_are_text() {
    let plan = generic(
        "Number,Customer,Issued,Due,Description,Price\n\
         =1+1,\"=HYPERLINK(\"\"http://x\"\")\",2026-11-01,2026-11-30,@SUM(A1),1.00\n",
    );
    assert_eq!(total(&plan), 100);
    assert_eq!(plan.invoices[0].number, "=1+1");
    assert_eq!(plan.invoices[0].customer_name, "=HYPERLINK(\"http://x\")");
}

#[test]
fn texts_that_cannot_be_shown_are_refused() {
    assert_eq!(only_error(&row("Memo,Price", "a\u{7}b,1")).column, "Memo");
    assert_eq!(only_error(&row("Email,Price", "not an address,1")).column, "Email");
    assert_eq!(only_error(&row("Email,Price", "\"a@b.test,c@d.test\",1")).column, "Email");
    let long = "n".repeat(61);
    let plan = generic(&format!(
        "Number,Customer,Issued,Due,Description,Price\n{long},A,2026-11-01,2026-11-30,x,1\n"
    ));
    assert!(only_error(&plan).value.chars().count() <= 61);
    let plan = generic("Number,Customer,Issued,Due,Description,Price\n7,A,2026-11-01,2026-11-30,x,1,000\n");
    assert_eq!(only_error(&plan).problem, "stands behind the last column");
    let plan = generic("Number,Customer,Issued,Due,Description,Price\n7,A,2026-11-01\n");
    assert_eq!((plan.errors[0].column.as_str(), plan.errors.len()), ("Due", 2));
}

#[test]
fn columns_are_found_mapped_or_asked_for() {
    let error = refused("Number,Customer,Issued,Duedat,Price\n", Preset::Generic);
    assert!(error.contains("no column holds the due") && error.contains("--map \"Duedat=due\""), "{error}");
    let error = refused("Number,Customer,Issued,Due\n", Preset::Generic);
    assert!(error.contains("no column holds the price") && error.contains("Amount"), "{error}");
    assert!(refused("Number,Number,Customer,Issued,Due,Price\n", Preset::Generic).contains("two columns"));
    assert!(refused("", Preset::Xero).contains("empty"));
    assert!(refused("\n\n", Preset::Xero).contains("empty"));
    let mapped = |map: &[(&str, &str)]| {
        let map = map.iter().map(|(column, field)| ((*column).to_owned(), (*field).to_owned())).collect();
        read(
            b"Nr,Kunde,Datum,Zahlbar,Text,Preis,Number\nA,Acme,2026-11-01,2026-11-30,x,1.00,ignored\n",
            &ImportOptions { map, ..options(Preset::Generic) },
        )
    };
    let german = [
        ("nr", "number"),
        ("Kunde", "customer"),
        ("Datum", "issued"),
        ("Zahlbar", "due"),
        ("Text", "description"),
        ("Preis", "price"),
    ];
    assert_eq!(mapped(&german).unwrap().invoices[0].number, "A");
    assert!(mapped(&[("Kunden", "customer")]).unwrap_err().fix.contains("\"Kunde\""));
    assert!(mapped(&[("Kunde", "custommer")]).unwrap_err().fix.contains("\"customer\""));
    assert!(mapped(&[("Kunde", "customer"), ("Text", "customer")]).is_err());
}

#[test]
fn broken_files_are_refused_whole() {
    let open = "Number,Customer,Issued,Due,Description,Price\nA,\"Acme,2026-11-01,2026-11-30,x,1\nB,Acme,2026-11-01,2026-11-30,x,1\n";
    let error = refused(open, Preset::Generic);
    assert!(error.contains("line 2 is never closed"), "{error}");
    for bytes in [b"Number\xff,Customer".as_slice(), b"PK\x03\x04\0\0", b"\xff\xfe\x00"] {
        assert!(read(bytes, &options(Preset::Generic)).unwrap_err().problem.contains("UTF-8"));
    }
    let mut large = "Number,Customer,Issued,Due,Description,Price\n".to_owned();
    for number in 0..=MOST_ROWS {
        large.push_str(&format!("{number},A,2026-11-01,2026-11-30,x,1\n"));
    }
    assert!(refused(&large, Preset::Generic).contains("100001 rows"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever the bytes are: an answer, and no invoice that is also named in an error.
    #[test]
    fn no_file_breaks_the_reader(cells in proptest::collection::vec("[-0-9.,/a-z\"=;\n €%()]{0,12}", 0..40)) {
        let mut text = "Number,Customer,Issued,Due,Description,Quantity,Price,Tax Rate,Tax Amount,Total\n".to_owned();
        for row in cells.chunks(10) {
            text.push_str(&row.join(","));
            text.push('\n');
        }
        if let Ok(plan) = read(text.as_bytes(), &options(Preset::Generic)) {
            for invoice in &plan.invoices {
                prop_assert!(plan.errors.iter().all(|error| error.invoice.as_ref() != Some(&invoice.number)));
            }
        }
    }

    /// An amount written in the marks of a file is read as itself.
    #[test]
    fn amounts_written_are_amounts_read(minor in 0..1_000_000_000_i64, quantity in 1..1_000_i64, german: bool) {
        let (marks, decimal) = if german { (NumberMarks::GERMAN, ',') } else { (NumberMarks::ENGLISH, '.') };
        let text = format!(
            "Number;Customer;Issued;Due;Description;Quantity;Price\n1;A;2026-11-01;2026-11-30;x;{quantity};{}{decimal}{:02}\n",
            minor / 100,
            minor % 100
        );
        let known = ImportOptions { marks: Some(marks), ..options(Preset::Generic) };
        for options in [known, options(Preset::Generic)] {
            let plan = read(text.as_bytes(), &options).unwrap();
            prop_assert_eq!(plan.invoices[0].expected_total.minor(), minor * quantity);
            prop_assert_eq!(plan.invoices[0].lines[0].quantity, Decimal::from(quantity));
        }
    }
}
