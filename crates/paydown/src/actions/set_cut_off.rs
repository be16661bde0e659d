//! Until when on a day debits of saved accounts are held is set. What is held already keeps the time its payer was told.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use jiff::civil::Time;
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::cut_offs;
use store::db::Tx;

/// Sets it, to the minute.
pub async fn set_cut_off(app: &App, merchant: MerchantId, time: Time, actor: String) -> Result<()> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let before = cut_offs::find(tx, merchant).await?;
            cut_offs::put(tx, merchant, minute_of_day(time)).await?;
            let row = AuditRow {
                id: mint.id(AuditId::new),
                actor: actor.clone(),
                act: acts::CUT_OFF_SET.to_owned(),
                object: merchant.to_string(),
                before: json!(shown(before)).to_string(),
                after: json!(shown(minute_of_day(time))).to_string(),
                at: mint.now,
            };
            audit::append(tx, merchant, &row).await
        })
        .await
}

/// `16:00` as it is written; `None` for text that is no time of day.
pub fn parse(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_plain =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(hour) || minute.len() != 2 || !is_plain(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// `16:00` of minutes after midnight.
pub fn shown(minute_of_day: i64) -> String {
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

fn minute_of_day(time: Time) -> i64 {
    i64::from(time.hour()) * 60 + i64::from(time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_and_shown() {
        for (text, shown_as) in
            [("16:00", "16:00"), ("9:30", "09:30"), ("00:00", "00:00"), ("23:59", "23:59")]
        {
            let time = parse(text).unwrap();
            assert_eq!(shown(minute_of_day(time)), shown_as);
        }
        for text in ["", "16", "24:00", "16:60", "4pm", "16:0", "-1:00", "16:00:00", "+1:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
