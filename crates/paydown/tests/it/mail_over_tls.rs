//! Mail to servers that really speak TLS: it arrives over STARTTLS and over TLS from the first byte; a certificate of an
//! unknown authority or for another name, and a server without STARTTLS, get neither a password nor a mail, which waits.

mod server;

use crate::test_app::TestApp;
use billing::ids::InvoiceId;
use jiff::SignedDuration;
use paydown::actions::create_link::send_invoice;
use paydown::actions::deliver_mail::deliver_due;
use paydown::config::{Config, Flags, Mail};
use paydown::mail::transport::{Smtp, Transport};
use server::{Authority, Line, MailServer, Speaks};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::db::Tx;
use store::mails::{self, MailState};

const PASSWORD: &str = "s3cret-of-the-mail-server";

/// How the settings lead to a mail server, its authority among them.
fn transport(scheme: &str, port: u16, authority: Option<&Authority>) -> Arc<dyn Transport> {
    let mut environment = BTreeMap::from([
        ("PAYDOWN_MAIL".to_owned(), format!("{scheme}://billing@localhost:{port}")),
        ("PAYDOWN_SMTP_PASSWORD".to_owned(), PASSWORD.to_owned()),
    ]);
    if authority.is_some() {
        environment.insert("PAYDOWN_SMTP_CA_FILE".to_owned(), "ca.pem".to_owned());
    }
    let read = |path: &Path| {
        assert_eq!(path, Path::new("ca.pem"));
        Ok(authority.expect("it is only read where it is named").pem())
    };
    let config =
        Config::resolve(&Flags::default(), &environment, None, read).expect("the settings are right");
    match config.mail {
        Mail::Smtp(settings) => Arc::new(Smtp::try_new(&settings).expect("the settings are right")),
        other => panic!("{other:?}"),
    }
}

/// Sends what is due; the state of the one mail, and what was noted about it.
async fn deliver(app: &TestApp, invoice: InvoiceId, transport: Arc<dyn Transport>) -> (MailState, String) {
    assert_eq!(deliver_due(&app.app, transport, 8).await.expect("the outbox can be read"), 1);
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| mails::list_by_invoice(tx, merchant, invoice).await;
    let mut found = app.app.store.read(read).await.expect("mails can be read");
    let mail = found.pop().expect("a mail");
    assert!(found.is_empty(), "one mail: {found:?}");
    (mail.state, mail.last_error.unwrap_or_default())
}

/// The mail goes once the mistake is mended.
async fn goes_later(app: &TestApp, invoice: InvoiceId, authority: &Authority) {
    let server = MailServer::start(Speaks::Tls, &authority.certify("localhost")).await;
    app.advance(SignedDuration::from_mins(1));
    let (state, error) = deliver(app, invoice, transport("smtps", server.port, Some(authority))).await;
    assert_eq!(state, MailState::Sent, "{error}");
    server.took(1);
}

async fn queued(app: &TestApp) -> InvoiceId {
    let invoice = app.invoice(125_000).await;
    send_invoice(&app.app, app.merchant, invoice).await.expect("it is queued");
    invoice
}

crate::on_both_engines!(mail_arrives_over_starttls, async |app: &mut TestApp| {
    let invoice = queued(app).await;
    let authority = Authority::new("Northwind");
    let server = MailServer::start(Speaks::StartTls, &authority.certify("localhost")).await;
    let (state, error) = deliver(app, invoice, transport("smtp", server.port, Some(&authority))).await;
    assert_eq!(state, MailState::Sent, "{error}");
    server.took(1);
    let clear: Vec<String> =
        server.lines().into_iter().filter(|line| !line.protected).map(|line| line.text).collect();
    assert!(
        matches!(&clear[..], [hello, tls] if hello.starts_with("EHLO ") && tls == "STARTTLS"),
        "{clear:?}"
    );
    assert!(server.lines().iter().any(signs_in));
});

crate::on_both_engines!(mail_arrives_over_tls_from_the_first_byte, async |app: &mut TestApp| {
    let invoice = queued(app).await;
    let authority = Authority::new("Northwind");
    let server = MailServer::start(Speaks::Tls, &authority.certify("localhost")).await;
    let (state, error) = deliver(app, invoice, transport("smtps", server.port, Some(&authority))).await;
    assert_eq!(state, MailState::Sent, "{error}");
    server.took(1);
    assert!(server.lines().iter().all(|line| line.protected));
    assert!(server.lines().iter().any(signs_in));
});

crate::on_both_engines!(a_certificate_nobody_vouches_for_gets_nothing, async |app: &mut TestApp| {
    let invoice = queued(app).await;
    let ours = Authority::new("Northwind");
    let (theirs, of_our_name) = (Authority::new("Somebody"), Authority::new("Northwind"));
    for (speaks, scheme, issuer, named) in [
        (Speaks::StartTls, "smtp", &theirs, Some(&ours)),
        (Speaks::Tls, "smtps", &of_our_name, Some(&ours)),
        (Speaks::Tls, "smtps", &theirs, None),
    ] {
        let server = MailServer::start(speaks, &issuer.certify("localhost")).await;
        let (state, error) = deliver(app, invoice, transport(scheme, server.port, named)).await;
        assert_eq!(state, MailState::Queued);
        assert!(error.contains("authority") && error.contains("smtp_ca_file"), "{error}");
        learned_nothing(&server);
        app.advance(SignedDuration::from_hours(6));
    }
    goes_later(app, invoice, &ours).await;
});

crate::on_both_engines!(a_certificate_for_another_name_gets_nothing, async |app: &mut TestApp| {
    let invoice = queued(app).await;
    let authority = Authority::new("Northwind");
    for (speaks, scheme) in [(Speaks::StartTls, "smtp"), (Speaks::Tls, "smtps")] {
        let server = MailServer::start(speaks, &authority.certify("mail.example")).await;
        let (state, error) = deliver(app, invoice, transport(scheme, server.port, Some(&authority))).await;
        assert_eq!(state, MailState::Queued);
        assert!(error.contains("another name") && error.contains("mail.example"), "{error}");
        learned_nothing(&server);
        app.advance(SignedDuration::from_hours(6));
    }
    goes_later(app, invoice, &authority).await;
});

crate::on_both_engines!(a_server_without_starttls_gets_nothing, async |app: &mut TestApp| {
    let invoice = queued(app).await;
    let authority = Authority::new("Northwind");
    let server = MailServer::start(Speaks::Plain, &authority.certify("localhost")).await;
    let (state, error) = deliver(app, invoice, transport("smtp", server.port, Some(&authority))).await;
    assert_eq!(state, MailState::Queued);
    assert!(error.contains("STARTTLS"), "{error}");
    learned_nothing(&server);
    goes_later(app, invoice, &authority).await;
});

fn signs_in(line: &Line) -> bool {
    line.protected && line.text.starts_with("AUTH PLAIN ")
}

/// It was spoken to, but heard of neither password nor mail.
fn learned_nothing(server: &MailServer) {
    server.took(0);
    assert!(server.was_reached());
    for line in server.lines() {
        let verb = line.text.split(' ').next().unwrap_or_default();
        assert!(matches!(verb, "EHLO" | "STARTTLS" | "QUIT" | "NOOP"), "{}", line.text);
    }
}
