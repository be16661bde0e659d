//! Answers that were not given as flags are asked for, where a person sits at a terminal. Scripts are never asked: they are
//! told which flag is missing.

use super::NewMerchantArgs;
use super::world::{At, Exit, stop};
use crate::look::Colour;
use anyhow::Result;
use billing::contact::comparable_email;
use gateway::SecretText;
use jiff::tz::TimeZone;
use ledger::Currency;
use std::path::Path;

/// A person at a terminal.
pub trait Terminal: Send {
    /// Asks and answers what was typed, without the end of the line. Fails where nobody answers any more.
    fn line(&mut self, question: &str) -> std::io::Result<String>;
    /// The same for a secret, which is not shown while it is typed.
    fn secret(&mut self, question: &str) -> std::io::Result<String>;
}

/// Says what is wrong with an answer.
type Check = fn(&str) -> Option<&'static str>;

/// Completes what was given: by asking, or where nobody can be asked by naming the flags. A run that lacks nothing asks nothing.
pub(super) fn merchant(at: &mut At<'_>, mut args: NewMerchantArgs, may_ask: bool) -> Result<NewMerchantArgs> {
    if args.name.is_some() && args.help_email.is_some() {
        return Ok(args);
    }
    if !may_ask || at.world.terminal.is_none() {
        let message = "--name and --help-email are needed; give them, or run this on a terminal, which asks";
        return Err(stop(Exit::Usage, message));
    }
    let flag = args.name.take();
    let name = answer(at, flag, "Name that customers know", None, not_empty)?;
    args.address = Some(answer(at, args.address, "Postal address, \\n between its lines", Some(""), any)?);
    let help = answer(at, args.help_email, "Where payers write for help", None, email)?;
    let phone = answer(at, args.help_phone, "Where they call, or nothing", Some(""), any)?;
    args.help_phone = Some(phone).filter(|phone| !phone.is_empty());
    args.currency = Some(answer(at, args.currency, "Currency", Some("USD"), currency)?);
    args.time_zone = Some(answer(at, args.time_zone, "Time zone", Some("Etc/UTC"), time_zone)?);
    args.brand_color = Some(answer(at, args.brand_color, "Brand colour", Some("#1f5eff"), color)?);
    let logo = args.logo.map(|path| path.display().to_string());
    let logo = answer(at, logo, "Logo, a PNG or JPEG file, or nothing", Some(""), file)?;
    args.logo = Some(logo).filter(|path| !path.is_empty()).map(Into::into);
    args.sender = Some(answer(at, args.sender, "Address that mail comes from", Some(&help), email)?);
    (args.name, args.help_email) = (Some(name), Some(help));
    Ok(args)
}

/// A secret; `None` where nothing was typed. Fails with `otherwise` where nobody can be asked.
pub(super) fn secret(at: &mut At<'_>, question: &str, otherwise: &str) -> Result<Option<SecretText>> {
    let Some(terminal) = &mut at.world.terminal else { return Err(stop(Exit::Usage, otherwise)) };
    let typed = terminal.secret(&format!("{question}: ")).map_err(|_| stop(Exit::Usage, otherwise))?;
    Ok(Some(typed.trim()).filter(|typed| !typed.is_empty()).map(SecretText::from))
}

/// What was given by a flag, else what is typed; asked again until it is right. Nothing typed is the default.
fn answer(
    at: &mut At<'_>,
    given: Option<String>,
    question: &str,
    default: Option<&str>,
    check: Check,
) -> Result<String> {
    if let Some(given) = given {
        return Ok(given);
    }
    let question = match default {
        Some(default) if !default.is_empty() => format!("{question} [{default}]: "),
        _ => format!("{question}: "),
    };
    loop {
        let nobody = || stop(Exit::Usage, "nobody answers; nothing was set up");
        let Some(terminal) = &mut at.world.terminal else { return Err(nobody()) };
        let typed = terminal.line(&question).map_err(|_| nobody())?;
        let typed = match (typed.trim(), default) {
            ("", Some(default)) => default.to_owned(),
            (typed, _) => typed.to_owned(),
        };
        match check(&typed) {
            None => return Ok(typed),
            Some(wrong) => writeln!(at.world.err, "  {wrong}")?,
        }
    }
}

fn any(_: &str) -> Option<&'static str> {
    None
}

fn not_empty(text: &str) -> Option<&'static str> {
    text.is_empty().then_some("A name is needed.")
}

fn email(text: &str) -> Option<&'static str> {
    comparable_email(text)
        .is_none()
        .then_some("That is no e-mail address; it looks like billing@example.com.")
}

fn currency(text: &str) -> Option<&'static str> {
    Currency::try_new(text).is_err().then_some("That is no currency; it looks like USD or EUR.")
}

fn time_zone(text: &str) -> Option<&'static str> {
    TimeZone::get(text).is_err().then_some("That is no time zone; it looks like America/New_York.")
}

fn color(text: &str) -> Option<&'static str> {
    let right = text.starts_with('#') && Colour::from_hex(text).is_ok();
    (!right).then_some("That is no colour; it looks like #1f5eff.")
}

fn file(text: &str) -> Option<&'static str> {
    (!text.is_empty() && !Path::new(text).is_file()).then_some("There is no such file.")
}
