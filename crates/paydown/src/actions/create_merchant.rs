//! A business that gets paid is added: checked as a whole first, so that nothing is half set up.

use crate::app::App;
use crate::clock::Mint;
use crate::look::Colour;
use anyhow::Result;
use billing::contact::comparable_email;
use billing::ids::{AuditId, MerchantId};
use image::{ImageFormat, ImageReader, Limits};
use jiff::tz::TimeZone;
use ledger::Currency;
use std::io::Cursor;
use store::audit::{self, AuditRow};
use store::db::Tx;
use store::merchants::{self, Merchant};

/// What the audit trail calls this.
const ACT: &str = "merchant.create";
/// A started payment whose payer has not returned is given up after so long.
const ABANDON_AFTER_SECONDS: i64 = 1_800;
/// Largest logo that is read, bytes.
const MOST_LOGO_BYTES: usize = 2 * 1024 * 1024;
/// Logos are kept no larger than this, pixels.
const LOGO_WIDTH: u32 = 640;
const LOGO_HEIGHT: u32 = 240;
/// Two creators at once take the same number; one of them asks again.
const MOST_TRIES: usize = 8;

/// A merchant as somebody enters it.
#[derive(Debug, Clone)]
pub struct NewMerchant {
    /// Its word in addresses: lower-case letters, digits and hyphens, 2 to 40.
    pub slug: String,
    /// As its customers know it.
    pub name: String,
    /// Postal address, lines separated by `\n`.
    pub address: String,
    /// Where payers write for help.
    pub help_email: String,
    /// Where payers call for help.
    pub help_phone: Option<String>,
    /// The currency it thinks in.
    pub currency: Currency,
    /// IANA name, for example `Europe/Berlin`.
    pub time_zone: String,
    /// `#rrggbb`.
    pub brand_color: String,
    /// PNG or JPEG as it came; it is decoded and encoded anew.
    pub logo: Option<Vec<u8>>,
    /// Address its mails come from.
    pub sender: String,
    /// What a payer reads on the card statement: 5 to 22 letters of ASCII.
    pub statement_line: String,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why no merchant was added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotCreate {
    /// The word does not fit into an address.
    #[error("{0:?} is no short name: 2 to 40 lower-case letters, digits and hyphens, such as northwind-it")]
    Slug(String),
    /// Another merchant has it.
    #[error("a merchant with the short name {0:?} exists already")]
    SlugTaken(String),
    /// No name.
    #[error("a merchant needs a name")]
    Name,
    /// No e-mail address.
    #[error("{0:?} is no e-mail address")]
    Email(String),
    /// Not in the IANA database.
    #[error("{0:?} is no time zone; expected a name such as America/New_York or Europe/Berlin")]
    TimeZone(String),
    /// No colour.
    #[error("{0:?} is no colour; expected #1f5eff")]
    Color(String),
    /// Card networks take no such text.
    #[error(
        "{0:?} cannot stand on a card statement: 5 to 22 letters, digits and blanks, at least one letter, none of < > \\ ' \" *"
    )]
    StatementLine(String),
    /// No picture, or too large a one.
    #[error("the logo is no PNG or JPEG of at most 2 MiB")]
    Logo,
}

/// Adds a merchant.
pub async fn create_merchant(app: &App, new: NewMerchant) -> Result<Result<MerchantId, CannotCreate>> {
    if let Err(why) = check(&new) {
        return Ok(Err(why));
    }
    let logo = match new.logo.as_deref().map(redrawn).transpose() {
        Ok(logo) => logo,
        Err(why) => return Ok(Err(why)),
    };
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &new, logo.as_deref()).await).await
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    new: &NewMerchant,
    logo: Option<&[u8]>,
) -> Result<Result<MerchantId, CannotCreate>> {
    for _ in 0..MOST_TRIES {
        if merchants::find_by_slug(tx, &new.slug).await?.is_some() {
            return Ok(Err(CannotCreate::SlugTaken(new.slug.clone())));
        }
        let id = merchants::next_id(tx).await?;
        if !merchants::insert(tx, &merchant(mint, new, id)).await? {
            continue;
        }
        if logo.is_some() {
            merchants::set_logo(tx, id, logo).await?;
        }
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: new.actor.clone(),
            act: ACT.to_owned(),
            object: id.to_string(),
            before: "null".to_owned(),
            after: serde_json::json!({ "slug": new.slug, "name": new.name }).to_string(),
            at: mint.now,
        };
        audit::append(tx, id, &row).await?;
        return Ok(Ok(id));
    }
    anyhow::bail!("others add merchants at the same time; try again")
}

fn merchant(mint: &Mint, new: &NewMerchant, id: MerchantId) -> Merchant {
    Merchant {
        id,
        slug: new.slug.clone(),
        name: new.name.trim().to_owned(),
        address: new.address.trim().to_owned(),
        help_email: new.help_email.trim().to_owned(),
        help_phone: new.help_phone.clone(),
        currency: new.currency,
        time_zone: new.time_zone.clone(),
        brand_color: new.brand_color.to_ascii_lowercase(),
        sender: new.sender.trim().to_owned(),
        statement_line: new.statement_line.clone(),
        abandon_after_seconds: ABANDON_AFTER_SECONDS,
        created_at: mint.now,
    }
}

fn check(new: &NewMerchant) -> Result<(), CannotCreate> {
    if !is_slug(&new.slug) {
        return Err(CannotCreate::Slug(new.slug.clone()));
    }
    if new.name.trim().is_empty() || new.name.chars().any(char::is_control) {
        return Err(CannotCreate::Name);
    }
    for email in [&new.help_email, &new.sender] {
        comparable_email(email).ok_or_else(|| CannotCreate::Email(email.clone()))?;
    }
    if TimeZone::get(&new.time_zone).is_err() {
        return Err(CannotCreate::TimeZone(new.time_zone.clone()));
    }
    let color = new.brand_color.starts_with('#') && Colour::from_hex(&new.brand_color).is_ok();
    if !color {
        return Err(CannotCreate::Color(new.brand_color.clone()));
    }
    if !is_statement_line(&new.statement_line) {
        return Err(CannotCreate::StatementLine(new.statement_line.clone()));
    }
    Ok(())
}

fn is_slug(slug: &str) -> bool {
    let plain = slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    plain && (2..=40).contains(&slug.len()) && !slug.starts_with('-') && !slug.ends_with('-')
}

fn is_statement_line(line: &str) -> bool {
    let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !"<>\\'\"*".contains(c);
    (5..=22).contains(&line.len())
        && line.chars().all(plain)
        && line.contains(|c: char| c.is_ascii_alphabetic())
}

/// The picture decoded and encoded anew, so that nothing but pixels passes.
fn redrawn(bytes: &[u8]) -> Result<Vec<u8>, CannotCreate> {
    if bytes.len() > MOST_LOGO_BYTES {
        return Err(CannotCreate::Logo);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(4_096);
    limits.max_image_height = Some(4_096);
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| CannotCreate::Logo)?;
    reader.limits(limits);
    let mut picture = reader.decode().map_err(|_| CannotCreate::Logo)?;
    if picture.width() > LOGO_WIDTH || picture.height() > LOGO_HEIGHT {
        picture = picture.thumbnail(LOGO_WIDTH, LOGO_HEIGHT);
    }
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|_| CannotCreate::Logo)?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn northwind() -> NewMerchant {
        NewMerchant {
            slug: "northwind-it".to_owned(),
            name: "Northwind IT".to_owned(),
            address: String::new(),
            help_email: "help@northwind.example".to_owned(),
            help_phone: None,
            currency: Currency::USD,
            time_zone: "America/Los_Angeles".to_owned(),
            brand_color: "#1f5eff".to_owned(),
            logo: None,
            sender: "billing@northwind.example".to_owned(),
            statement_line: "NORTHWIND IT".to_owned(),
            actor: "cli:test".to_owned(),
        }
    }

    #[test]
    fn what_is_entered_is_checked() {
        assert_eq!(check(&northwind()), Ok(()));
        for slug in ["", "a", "-ab", "ab-", "Ab", "a b", "é-b", "a/b", &"a".repeat(41)] {
            let refused = check(&NewMerchant { slug: slug.to_owned(), ..northwind() });
            assert_eq!(refused, Err(CannotCreate::Slug(slug.to_owned())));
        }
        for line in ["", "ABCD", "12345", "A <B> C", "Caf\u{e9} Northwind", "NORTHWIND IT SERVICES LLC"] {
            assert!(
                check(&NewMerchant { statement_line: line.to_owned(), ..northwind() }).is_err(),
                "{line}"
            );
        }
        assert!(check(&NewMerchant { time_zone: "Mars/Olympus".to_owned(), ..northwind() }).is_err());
        assert!(check(&NewMerchant { brand_color: "1f5eff".to_owned(), ..northwind() }).is_err());
        assert!(check(&NewMerchant { sender: "a@b\r\nBcc: x@y.test".to_owned(), ..northwind() }).is_err());
        assert_eq!(check(&NewMerchant { name: " ".to_owned(), ..northwind() }), Err(CannotCreate::Name));
    }

    #[test]
    fn a_logo_is_drawn_anew_and_fits() {
        let mut png = Cursor::new(Vec::new());
        image::DynamicImage::new_rgba8(1_280, 100).write_to(&mut png, ImageFormat::Png).unwrap();
        let mut bytes = png.into_inner();
        bytes.extend(b"<script>");
        let redrawn = redrawn(&bytes).unwrap();
        assert!(!redrawn.windows(8).any(|window| window == b"<script>"));
        let picture = image::load_from_memory(&redrawn).unwrap();
        assert_eq!((picture.width(), picture.height()), (640, 50));
        assert_eq!(super::redrawn(b"<svg/>"), Err(CannotCreate::Logo));
    }
}
