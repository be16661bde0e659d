//! What goes over a plain connection to this machine, and files in a folder.

use super::*;
use crate::config::{Config, Flags, Mail};
use std::collections::BTreeMap;
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

/// A mail server as the setting `mail` names it.
fn smtp(address: &str) -> Smtp {
    let environment = BTreeMap::from([("PAYDOWN_MAIL".to_owned(), address.to_owned())]);
    let read = |_: &Path| anyhow::bail!("no file is named");
    match Config::resolve(&Flags::default(), &environment, None, read).unwrap().mail {
        Mail::Smtp(settings) => Smtp::try_new(&settings).unwrap(),
        other => panic!("{other:?}"),
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
    let smtp = smtp(&format!("smtp://127.0.0.1:{port}"));
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
    let smtp = smtp(&format!("smtp://127.0.0.1:{port}"));
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
