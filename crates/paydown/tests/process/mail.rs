//! Mail over a real connection: an invoice and a code leave by SMTP, the link and the code in them work, and neither is in a log.

use crate::payer::Payer;
use crate::place::Place;
use crate::program::{GUARD, until};
use mail_parser::MessageParser;
use serde_json::Value;
use store::testing::TestDatabase;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// A mail as it arrived: to whom, and its text.
struct Letter {
    to: String,
    text: String,
}

/// Takes mail as a server on the same machine does; its address, and what arrives.
async fn mail_server() -> (String, UnboundedReceiver<Letter>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (tell, letters) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, tell.clone()));
        }
    });
    (format!("smtp://{address}"), letters)
}

async fn take(stream: TcpStream, tell: UnboundedSender<Letter>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 here\r\n").await?;
    let (mut to, mut raw, mut in_data) = (String::new(), String::new(), false);
    while let Some(line) = lines.next_line().await? {
        if in_data && line != "." {
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            raw.push_str("\r\n");
            continue;
        }
        let upper = line.to_ascii_uppercase();
        let answer: &[u8] = if in_data {
            let message = MessageParser::default().parse(raw.as_bytes());
            let text = message.and_then(|mail| mail.body_text(0).map(|text| text.into_owned()));
            let letter = Letter { to: std::mem::take(&mut to), text: text.unwrap_or_default() };
            (in_data, raw) = (false, String::new());
            // The test may be over.
            tell.send(letter).ok();
            b"250 taken\r\n"
        } else if let Some(recipient) = upper.strip_prefix("RCPT TO:") {
            recipient.trim_matches(['<', '>']).to_ascii_lowercase().clone_into(&mut to);
            b"250 fine\r\n"
        } else if upper == "DATA" {
            in_data = true;
            b"354 go on\r\n"
        } else if upper == "QUIT" {
            writer.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            b"250 here\r\n"
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}

async fn next(letters: &mut UnboundedReceiver<Letter>) -> Letter {
    timeout(GUARD, letters.recv()).await.expect("a mail comes").expect("the mail server runs")
}

/// The log without the clock's digits, in which any six may stand.
fn timeless(log: &str) -> String {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .map(|mut line| {
            line["timestamp"].take();
            line.to_string()
        })
        .collect()
}

store::both_engines!(mail_leaves_by_smtp_and_what_is_in_it_works, &[], async |database: TestDatabase| {
    let (server, mut letters) = mail_server().await;
    let mut place = Place::set_up(database).await;
    place.settings.push(("PAYDOWN_MAIL", server));
    place.serve().await;
    place.command(&["invoice", "send", "INV-1"]).await.done();
    let invoice = next(&mut letters).await;
    assert_eq!(invoice.to, "dana@acme.test");
    let (_, rest) = invoice.text.split_once("/l/").expect("a payment link");
    let token = rest.split_whitespace().next().expect("a token").to_owned();
    place.secrets.insert(token.clone());
    let mut payer = Payer::new(&place.origin);
    payer.get(&format!("/l/{token}")).await.says("$1,250.00");

    let mut other = Payer::new(&place.origin);
    let form = other.get("/p/northwind/sign-in").await;
    let email = ("email", "dana@acme.test".to_owned());
    let asked = other.try_post("/p/northwind/sign-in", &[("csrf", form.hidden("csrf")), email]).await;
    let asked = asked.expect("an answer");
    let letter = next(&mut letters).await;
    // It is printed in two halves.
    let words: Vec<&str> = letter.text.split_whitespace().collect();
    let half = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let code = words.windows(2).find(|pair| half(pair[0]) && half(pair[1])).map(|pair| pair.concat());
    let code = code.unwrap_or_else(|| panic!("no code in {}", letter.text));
    let csrf = ("csrf", asked.hidden("csrf"));
    let path = "/p/northwind/sign-in/code";
    let signed_in = other.try_post(path, &[csrf, ("code", code.clone())]).await.expect("an answer");
    signed_in.says("INV-1");
    until("the answer to be in the log", async || place.log().contains("sign-in/code").then_some(())).await;
    assert!(!timeless(&place.log()).contains(&code), "the code is in the log");
    place.finish(&[&payer, &other]).await;
});
