//! What a browser met while somebody used it: its console, every request, what was blocked. It only listens; a test that
//! wants a page judged in more ways asks `examine`.

use paydown::assets;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use thirtyfour::BrowserLogEntry;

/// A page of ours may weigh so much on the wire, headers included, bytes.
const LARGEST_PAGE: u64 = 20 * 1024;
/// Its scripts so much.
const LARGEST_SCRIPTS: u64 = 4 * 1024;

/// What never leaves the browser.
const INSIDE: [&str; 4] = ["data:", "about:", "chrome:", "blob:"];

/// See the module.
pub struct Watch {
    origins: Vec<String>,
    console: Vec<BrowserLogEntry>,
    requested: Vec<String>,
    scripts: Vec<String>,
    /// Documents that were answered with an error on purpose: address and status.
    refused: Vec<(String, u64)>,
    /// The failures of ours that a story brings about and looks at: 500, 503.
    failures: Vec<u64>,
    /// True once a story has pulled the plug.
    was_offline: bool,
    blocked: Vec<String>,
    kinds: BTreeMap<String, String>,
    weight: Weight,
}

/// Bytes on the wire, by kind: `Document`, `Stylesheet`, `Script`, `Image`.
#[derive(Clone, Debug, Default)]
pub struct Weight(BTreeMap<String, u64>);

impl Weight {
    /// Holds the page to its limits.
    pub fn prove_light(&self, what: &str) {
        assert!(self.of("Document") > 0, "{what}: nothing was measured");
        assert!(self.page() <= LARGEST_PAGE, "{what} weighs {self}");
        assert!(self.of("Script") <= LARGEST_SCRIPTS, "{what} has too much script: {self}");
    }

    /// What a page needs before it can be used: its own text, its style, its script.
    fn page(&self) -> u64 {
        ["Document", "Stylesheet", "Script"].map(|kind| self.of(kind)).iter().sum()
    }

    /// Of one kind.
    fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or(0)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes: {:?}", self.page(), self.0)
    }
}

impl Watch {
    /// Watches a browser that may talk to these origins.
    pub fn new(origins: &[String]) -> Watch {
        Watch {
            origins: origins.to_vec(),
            console: Vec::new(),
            requested: Vec::new(),
            scripts: Vec::new(),
            refused: Vec::new(),
            failures: Vec::new(),
            was_offline: false,
            blocked: Vec::new(),
            kinds: BTreeMap::new(),
            weight: Weight::default(),
        }
    }

    /// From now on a page may be answered with this failure of ours.
    pub fn expect_failure(&mut self, status: u64) {
        self.failures.push(status);
    }

    /// From now on a page may ask in vain.
    pub fn expect_silence(&mut self) {
        self.was_offline = true;
    }

    /// Takes over what the browser has logged since the last time.
    pub fn note(&mut self, console: Vec<BrowserLogEntry>, network: Vec<BrowserLogEntry>) {
        self.console.extend(console);
        for entry in network {
            let message: Value = serde_json::from_str(&entry.message).expect("the traffic log is JSON");
            let told = &message["message"];
            self.note_traffic(told["method"].as_str().unwrap_or_default(), &told["params"]);
        }
    }

    fn note_traffic(&mut self, method: &str, told: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = text(&told["requestId"]);
        match method {
            "Network.requestWillBeSent" => self.requested.push(text(&told["request"]["url"])),
            "Network.responseReceived" => {
                let (kind, url) = (text(&told["type"]), text(&told["response"]["url"]));
                let status = told["response"]["status"].as_u64().unwrap_or(0);
                match kind.as_str() {
                    "Script" => self.scripts.push(url),
                    "Document" if status >= 400 => self.refused.push((url, status)),
                    _ => {}
                }
                self.kinds.insert(id, kind);
            }
            "Network.loadingFinished" => {
                // The log carries a floating-point number of whole bytes.
                let bytes = told["encodedDataLength"].to_string();
                let whole = bytes.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(0);
                if let Some(kind) = self.kinds.remove(&id) {
                    *self.weight.0.entry(kind).or_default() += whole;
                }
            }
            "Network.loadingFailed" if told["blockedReason"].is_string() => {
                self.blocked.push(format!("{} ({})", text(&told["blockedReason"]), text(&told["type"])));
            }
            _ => {}
        }
    }

    /// Every address that was asked for, in order.
    pub fn requested(&self) -> &[String] {
        &self.requested
    }

    /// The weight of what was loaded since the last time.
    pub fn take_weight(&mut self) -> Weight {
        std::mem::take(&mut self.weight)
    }

    /// What the browser should not have met; nothing when all was well.
    pub fn complaints(&self) -> Vec<String> {
        let console = self.console.iter().filter(|entry| !self.is_expected(entry));
        let console = console.map(|entry| format!("console: {} {}", entry.level, entry.message));
        let blocked = self.blocked.iter().map(|what| format!("blocked by the browser: {what}"));
        let is_ours = |url: &&String| self.origins.iter().any(|origin| within(url, origin));
        let is_inside = |url: &&String| INSIDE.iter().any(|scheme| url.starts_with(scheme));
        let foreign = self.requested.iter().filter(|url| !is_ours(url) && !is_inside(url));
        let foreign = foreign.map(|url| format!("request to another host: {url}"));
        let listed = inventory();
        let is_listed = |url: &&String| listed.iter().any(|path| url.ends_with(path.as_str()));
        let unlisted = self.scripts.iter().filter(|url| !is_listed(url));
        let unlisted = unlisted.map(|url| format!("script that is not in the inventory: {url}"));
        console.chain(blocked).chain(foreign).chain(unlisted).collect()
    }

    /// A browser reports every page that is answered with an error, and the pages that say no are meant to; below a
    /// warning it only remarks.
    fn is_expected(&self, entry: &BrowserLogEntry) -> bool {
        let is_report = entry.source.as_deref() == Some("network");
        let is_remark = matches!(entry.level.as_str(), "INFO" | "DEBUG" | "FINE");
        let is_refusal = is_report
            && self.refused.iter().any(|(url, status)| {
                ((400..500).contains(status) || self.failures.contains(status))
                    && entry.message.starts_with(url.as_str())
                    && entry.message.contains(&format!("status of {status}"))
            });
        let is_silence = is_report && self.was_offline && entry.message.contains("ERR_INTERNET_DISCONNECTED");
        is_remark || is_refusal || is_silence
    }
}

fn within(url: &str, origin: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The addresses of the scripts that `payment-scripts.toml` lists.
fn inventory() -> Vec<String> {
    let list: toml::Value = toml::from_str(assets::PAYMENT_SCRIPTS).expect("the inventory is TOML");
    let scripts = list["script"].as_array().expect("a list of scripts");
    let file = |script: &toml::Value| {
        let file = script["file"].as_str().expect("a file").rsplit('/').next().unwrap_or_default().to_owned();
        assets::named(&file).url.clone()
    };
    scripts.iter().map(file).collect()
}
