//! Every command as a person or a script runs it, on both engines, beside a running server. What `--json` prints is relied
//! on, so its names stay.

use crate::place::{Place, word};
use crate::program::Ended;
use billing::ids::MerchantId;
use serde_json::{Value, json};
use std::io::Cursor;
use store::audit::{self, acts};
use store::customers;
use store::db::Tx;
use store::testing::TestDatabase;

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn refused(ended: &Ended, code: i32, words: &str) {
    assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{ended:?}");
    assert!(ended.err.starts_with("error: ") && ended.err.contains(words), "{}", ended.err);
}

store::both_engines!(invoices_and_payments_are_listed_and_shown, &[], async |database: TestDatabase| {
    let mut place = Place::open(database).await;
    let (mut payer, invoice_path) = place.payer("INV-1").await;
    let form = payer.form(&invoice_path, 40_000).await;
    assert!(payer.press(&form).await.left_for.is_some());
    place.pay(&form.payment).await;
    place.books_become_equal().await;
    let list = place.command(&["invoice", "list"]).await.done().json();
    let show = place.command(&["invoice", "show", "INV-1"]).await.done().json();
    assert_eq!(list, json!([show]));
    let expected = "currency customer id number open paid payable_now pending progress status total";
    assert_eq!(names(&show).join(" "), expected);
    assert_eq!((&show["progress"], &show["open"]), (&json!("partially_paid"), &json!(85_000)));
    let payments = place.command(&["payment", "list"]).await.done().json();
    let payment = place.command(&["payment", "show", &form.payment]).await.done().json();
    assert_eq!((&payments[0]["id"], &payments[0]["state"]), (&json!(form.payment), &json!("succeeded")));
    let mut shown = names(&payments[0]);
    shown.extend(["history", "anomalies", "payout", "proposed", "settled"]);
    shown.sort_unstable();
    assert_eq!(names(&payment), shown);
    let states: Vec<&str> =
        payment["history"].as_array().expect("a list").iter().filter_map(|it| it["state"].as_str()).collect();
    assert_eq!(states, ["submitting", "requires_action", "succeeded"]);
    refused(&place.command(&["invoice", "void", "INV-1"]).await, 5, "not voided");
    refused(&place.command(&["invoice", "show", "INV-9"]).await, 3, "`paydown invoice list` shows them");
    refused(&place.command(&["payment", "show", &form.payment.replace("pay_", "inv_")]).await, 2, "pay_");
    let sent = place.command(&["invoice", "send", "INV-1"]).await.done().json();
    assert_eq!(sent, json!({ "number": "INV-1", "queued": 1 }));
    let revoked = place.command(&["invoice", "link", "INV-1", "--revoke"]).await.done().json();
    assert_eq!(names(&revoked), ["number", "revoked"]);
    let second = "Number,Customer,Email,Issued,Due,Description,Price\n\
        INV-2,Acme,dana@acme.test,2026-11-01,2026-11-30,x,10.00\n";
    place.import("second.csv", second).await;
    let voided = place.command(&["invoice", "void", "INV-2"]).await.done().json();
    assert_eq!(voided, json!({ "number": "INV-2", "status": "void" }));
    place.finish(&[&payer]).await;
});

store::both_engines!(rules_settings_and_schema_are_shown_and_set, &[], async |database: TestDatabase| {
    let place = Place::open(database).await;
    let acme = place.read(async |tx: &mut Tx| customers::find_by_name(tx, MerchantId(1), "acme").await).await;
    let customer = acme[0].id.to_string();
    for scope in [&[][..], &["--customer", &customer], &["--invoice", "INV-1"]] {
        let set = [&["policy", "set", "--partial", "always", "--minimum", "10%"][..], scope].concat();
        let told = place.command(&set).await.done().json();
        let show = place.command(&[&["policy", "show"][..], scope].concat()).await.done().json();
        assert_eq!((&told, &show["partial"]), (&show, &json!("always")), "{scope:?}");
    }
    refused(&place.command(&["policy", "set", "--minimum", "ten"]).await, 2, "expected: 25.00");
    let set = place.command(&["surcharge", "set", "--percent", "2.9", "--fixed", "0.30"]).await.done().json();
    assert_eq!(place.command(&["surcharge", "show"]).await.done().json(), set);
    assert_eq!(
        set,
        json!([{ "customer": null, "method": "card", "currency": "USD", "rate_millionths": 29_000, "fixed": 30, "cap": null }])
    );
    let status = place.command(&["migrate", "status"]).await.done().json();
    assert_eq!((names(&status), &status["pending"]), (vec!["applied", "pending"], &json!([])));
    let ran = place.command(&["migrate", "run"]).await.done().json();
    assert_eq!((names(&ran), &ran["ran"]), (vec!["ran", "version"], &json!([])));
    let shown = place.command(&["config", "show", "--origin"]).await.done().json();
    assert_eq!(shown["listen"], json!({ "value": "127.0.0.1:0", "origin": "environment PAYDOWN_LISTEN" }));
    assert_eq!(shown["log_level"]["origin"], "default");
    let verified = place.command(&["verify"]).await.done().json();
    assert_eq!(names(&verified), ["clean", "findings", "heads", "postings", "unsealed"]);
    place.finish(&[]).await;
});

store::both_engines!(merchants_are_added_with_logo_and_colour, &[], async |database: TestDatabase| {
    let place = Place::open(database).await;
    let add = async |more: &[&str]| {
        let named = ["merchant", "create", "--name", "Harbor", "--help-email", "help@harbor.example"];
        place.command(&[&named[..], more].concat()).await
    };
    let mut png = Cursor::new(Vec::new());
    let picture = image::DynamicImage::new_rgb8(40, 20);
    picture.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    place.file("logo.txt", &png.into_inner());
    place.file("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>");
    place.file("large.png", &vec![0; 2 * 1024 * 1024 + 1]);
    refused(&add(&["--logo", "logo.png"]).await, 2, "no PNG or JPEG of at most 2 MiB");
    refused(&add(&["--logo", "large.png"]).await, 2, "no PNG or JPEG of at most 2 MiB");
    refused(&add(&["--logo", "none.png"]).await, 1, "cannot read the logo none.png");
    refused(&add(&["--brand-color", "blue"]).await, 2, "expected #1f5eff");
    refused(&add(&["--currency", "dollars"]).await, 2, "dollars");
    refused(&add(&["--time-zone", "Mars/Olympus"]).await, 2, "America/New_York");
    refused(&add(&["--sender", "nobody"]).await, 2, "is no e-mail address");
    let made = add(&["--logo", "logo.txt", "--brand-color", "#204060"]).await.done().json();
    assert_eq!((&made["merchant"], &made["slug"]), (&json!("mer_2"), &json!("harbor")), "the content counts");
    let told = made["brand_color_corrected"].as_str().expect("a dark colour is lightened on dark pages");
    assert!(told.contains("lighter") && told.contains("#204060"), "{told}");
    refused(&add(&[]).await, 4, "exists already");
    let logo = place.http.get(format!("{}/p/harbor/logo", place.origin)).send().await.expect("an answer");
    assert_eq!(logo.headers()["content-type"], "image/png");
    assert_eq!(place.command(&["merchant", "list"]).await.done().json().as_array().map(Vec::len), Some(2));
    refused(&place.command(&["invoice", "list"]).await, 2, "--merchant: northwind, harbor");
    assert_eq!(place.command(&["invoice", "list", "--merchant", "harbor"]).await.done().json(), json!([]));
    place.finish(&[]).await;
});

store::both_engines!(
    imports_at_the_same_time_make_each_customer_once,
    &[],
    async |database: TestDatabase| {
        let place = Place::open(database).await;
        let head = "Number,Customer,Email,Issued,Due,Description,Price\n";
        let file = |series: &str| {
            let row =
                |n: usize| format!("{series}-{n},Firm {n},p@firm{n}.test,2026-11-01,2026-11-30,x,1.00\n");
            format!("{head}{}", (0..40).map(row).collect::<String>())
        };
        place.file("a.csv", file("A").as_bytes());
        place.file("b.csv", file("B").as_bytes());
        let import =
            |name: &'static str| place.command_of(&["import", "invoices", name, "--preset", "generic"]);
        let (a, b) = tokio::join!(import("a.csv"), import("b.csv"));
        assert_eq!((&a.done().json()["imported"], &b.done().json()["imported"]), (&json!(40), &json!(40)));
        let again = import("a.csv").await.done().json();
        assert_eq!((&again["imported"], &again["unchanged"]), (&json!(0), &json!(40)));
        for n in 0..40 {
            let name = format!("Firm {n}");
            let found = place
                .read(async move |tx: &mut Tx| customers::find_by_name(tx, MerchantId(1), &name).await)
                .await;
            assert_eq!(found.len(), 1, "Firm {n}");
        }
        let invoice = word(&place.command(&["invoice", "show", "B-7"]).await.done().json(), "id");
        let noted = place
            .read(async move |tx: &mut Tx| {
                audit::exists(tx, MerchantId(1), &invoice, acts::INVOICE_IMPORT).await
            })
            .await;
        assert!(noted, "who brought an invoice in is in the trail");
        place.finish(&[]).await;
    }
);
