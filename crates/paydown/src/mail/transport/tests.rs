//! Addresses of mail servers, what goes over a plain connection to this machine, and files in a folder.

use super::*;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

fn outgoing() -> Outgoing {
    let queued_at: Timestamp = "2026-11-18T09:30:00.25Z".parse().unwrap();
    let message = Message::builder()
        .from("billing@northwind.example".parse().unwrap())
        .to("dana@acme.test".parse().unwrap())
        .subject("A mail")
        .body(String::from("One line.\n.A line with a dot\n"))
        .unwrap();
    Outgoing { id: MailId::new(queued_at, [7; 10]), queued_at, message }
}

#[tokio::test]
async fn an_address_names_scheme_user_and_host() {
    let password = SecretText::from("s3cret");
    for fine in
        ["smtp://u@mail.example", "smtps://u%40x.example@mail.example:4650", "smtp://u@127.0.0.1:2525/"]
    {
        let smtp = Smtp::try_new(fine, Some(&password)).unwrap();
        assert!(!format!("{smtp:?}").contains("s3cret"), "{fine}");
    }
    assert!(Smtp::try_new("smtp://[::1]:2525", None).is_ok());
    let of = |address, password| Smtp::try_new(address, password).unwrap_err();
    for wrong in
        ["", "mail.example:25", "http://mail.example", "smtp://", "smtp://mail.example/x", "smtp://a?tls=no"]
    {
        assert_eq!(of(wrong, None), SmtpAddressError::Form, "{wrong:?}");
    }
    assert_eq!(of("smtp://u:p@mail.example", Some(&password)), SmtpAddressError::PasswordInAddress);
    assert_eq!(of("smtp://mail.example", Some(&password)), SmtpAddressError::HalfCredentials);
    assert_eq!(of("smtp://u@mail.example", None), SmtpAddressError::HalfCredentials);
}

#[test]
fn only_this_machine_is_spoken_to_in_the_clear() {
    for own in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]"] {
        assert!(is_this_machine(own), "{own}");
    }
    for other in
        ["localhost.example", "10.0.0.1", "0.0.0.0", "[::]", "[2001:db8::1]", "128.0.0.1", "mail.example"]
    {
        assert!(!is_this_machine(other), "{other}");
    }
}

/// Answers one client as a mail server without TLS does; returns the lines that came.
async fn plain_server(stream: TcpStream) -> Vec<String> {
    let (reader, mut writer) = stream.into_split();
    let (mut lines, mut seen, mut in_data) = (BufReader::new(reader).lines(), Vec::new(), false);
    writer.write_all(b"220 here\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match (in_data, verb.as_str()) {
            (true, _) if line == "." => Some("250 taken\r\n"),
            (true, _) => None,
            (false, "EHLO") => Some("250 here\r\n"),
            (false, "DATA") => Some("354 go on\r\n"),
            (false, _) => Some("250 fine\r\n"),
        };
        in_data = (in_data && answer.is_none()) || verb == "DATA";
        let done = answer == Some("250 taken\r\n");
        seen.push(line);
        if let Some(answer) = answer {
            writer.write_all(answer.as_bytes()).await.unwrap();
        }
        if done {
            break;
        }
    }
    seen
}

#[tokio::test]
async fn a_local_server_gets_envelope_and_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move { plain_server(listener.accept().await.unwrap().0).await });
    let smtp = Smtp::try_new(&format!("smtp://127.0.0.1:{port}"), None).unwrap();
    smtp.send(&outgoing()).await.unwrap();
    let seen = server.await.unwrap();
    assert!(seen.iter().any(|line| line.starts_with("MAIL FROM:<billing@northwind.example>")), "{seen:?}");
    assert!(seen.iter().any(|line| line.starts_with("RCPT TO:<dana@acme.test>")), "{seen:?}");
    assert!(seen.iter().any(|line| line == "Subject: A mail"), "{seen:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let smtp = Smtp::try_new(&format!("smtp://127.0.0.1:{port}"), None).unwrap();
    assert!(smtp.send(&outgoing()).await.is_err());
}

#[tokio::test]
async fn a_folder_gets_one_private_file_per_mail() {
    let home = tempfile::tempdir().unwrap();
    let folder = Folder::try_new(&home.path().join("mail/out")).unwrap();
    let outgoing = outgoing();
    folder.send(&outgoing).await.unwrap();
    folder.send(&outgoing).await.unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().unwrap();
    assert_eq!(name, format!("20261118T093000Z-{}.eml", outgoing.id));
    assert_eq!(fs::read(files[0].path()).unwrap(), outgoing.message.formatted());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
