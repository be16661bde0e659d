//! A person with a browser: what they read, press and type, in the words of the page. It knows nothing of the program
//! behind the pages and reaches into none of it.

use crate::chromedriver::{Chromedriver, needed};
use crate::watch::Watch;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel, TypingData, WindowHandle};

/// Nothing takes longer; a page that does is stuck.
const GUARD: Duration = Duration::from_secs(20);
/// How often a page is looked at again while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Whether pages may run their script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// As most people have it.
    On,
    /// Switched off in the browser's settings.
    Off,
}

/// One browser with a profile of its own.
pub struct Visitor {
    /// The session; closed by [`Visitor::leave`], or at the latest when it is dropped.
    driver: WebDriver,
    script: Script,
    portal: String,
    watch: RefCell<Watch>,
    clicks: Cell<u32>,
    /// Last, so that it outlives the session.
    _chromedriver: Arc<Chromedriver>,
}

impl Visitor {
    /// Opens a browser that may talk to these origins only, the portal's first.
    pub async fn open(script: Script, origins: &[String]) -> Visitor {
        // The driver's client wants a TLS library even for loopback; a test that starts no program has none yet.
        rustls::crypto::ring::default_provider().install_default().ok();
        let chromedriver = Chromedriver::shared();
        let driver = WebDriver::new(chromedriver.url(), capabilities(script)).await;
        let driver = driver.expect("the browser starts");
        driver.set_page_load_timeout(GUARD).await.expect("a time-out is set");
        let portal = origins.first().expect("there is a portal").clone();
        let watch = RefCell::new(Watch::new(origins));
        Visitor { driver, script, portal, watch, clicks: Cell::new(0), _chromedriver: chromedriver }
    }

    /// Types an address, or the path of one at the portal.
    pub async fn go(&self, address: &str) {
        let address = self.address(address);
        self.driver.goto(&address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    fn address(&self, address: &str) -> String {
        if address.starts_with('/') { format!("{}{address}", self.portal) } else { address.to_owned() }
    }

    /// Clicks the one button or link with these words.
    pub async fn press(&self, words: &str) {
        self.clicks.set(self.clicks.get() + 1);
        self.until(&format!("press {words:?}"), async || match self.named(words).await?.as_slice() {
            [only] => only.click().await.map(Some),
            _ => Ok(None),
        })
        .await;
    }

    /// Clicks the one button or link that is read out with these words.
    pub async fn press_named(&self, name: &str) {
        self.clicks.set(self.clicks.get() + 1);
        let path = format!("//button[@aria-label=\"{name}\"]|//a[@aria-label=\"{name}\"]");
        self.until(&format!("press {name:?}"), async || {
            match self.driver.find_all(By::XPath(path.as_str())).await?.as_slice() {
                [only] => only.click().await.map(Some),
                _ => Ok(None),
            }
        })
        .await;
    }

    /// Clicks it twice, as fast as a hand can.
    pub async fn press_twice(&self, words: &str) {
        let found = self.named(words).await.expect("the page can be searched");
        let [only] = found.as_slice() else { panic!("{} of {words:?}", found.len()) };
        let twice = self.driver.action_chain().double_click_element(only).perform().await;
        twice.expect("it can be clicked");
    }

    /// How often this visitor has clicked.
    pub fn clicks(&self) -> u32 {
        self.clicks.get()
    }

    /// Whether a button, a link or the head of a fold has these words and can be seen.
    pub async fn offers(&self, words: &str) -> bool {
        !self.named(words).await.expect("the page can be searched").is_empty()
    }

    async fn named(&self, words: &str) -> WebDriverResult<Vec<WebElement>> {
        let path = ["button", "a", "summary"]
            .map(|tag| format!("//{tag}[normalize-space(.)=\"{words}\"]"))
            .join("|");
        let mut visible = Vec::new();
        for element in self.driver.find_all(By::XPath(path)).await? {
            if element.is_displayed().await? {
                visible.push(element);
            }
        }
        Ok(visible)
    }

    /// Replaces what is in the field with this label.
    pub async fn fill(&self, label: &str, text: &str) {
        let path = format!(
            "//input[@id=//label[normalize-space(text())=\"{label}\" or normalize-space(.)=\"{label}\"]/@for]"
        );
        let field = self
            .until(&format!("find the field {label:?}"), async || {
                Ok(self.driver.find_all(By::XPath(path.as_str())).await?.into_iter().next())
            })
            .await;
        field.clear().await.expect("the field can be emptied");
        field.send_keys(text).await.expect("the field takes keys");
    }

    /// Ticks the box, or chooses the button, with this label.
    pub async fn tick(&self, label: &str) {
        let path = format!("//label[normalize-space(.)=\"{label}\"]");
        let found = self
            .until(&format!("find the box {label:?}"), async || {
                Ok(self.driver.find_all(By::XPath(path.as_str())).await?.into_iter().next())
            })
            .await;
        found.click().await.expect("it can be clicked");
    }

    /// Types into whatever has the focus.
    pub async fn keys(&self, keys: impl Into<TypingData>) {
        let typed = self.driver.action_chain().send_keys(keys).perform().await;
        typed.expect("keys can be typed");
    }

    /// Presses Enter in whatever has the focus. Told to the browser as one event, as a keyboard does it: the driver's own
    /// Enter is sent again when the first half of it leads to another page.
    pub async fn enter(&self) {
        let event = |kind: &str| json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13 });
        let mut down = event("keyDown");
        down["text"] = json!("\r");
        self.devtools("Input.dispatchKeyEvent", down).await;
        self.devtools("Input.dispatchKeyEvent", event("keyUp")).await;
    }

    /// Gives an editing command by its keys: `c` and `copy`, `v` and `paste`. Without a desktop nobody else maps them.
    pub async fn edit(&self, letter: char, command: &str) {
        let code = u32::from(letter.to_ascii_uppercase());
        let event = |kind: &str| {
            json!({ "type": kind, "modifiers": 2, "key": letter.to_string(), "windowsVirtualKeyCode": code,
                "code": format!("Key{}", letter.to_ascii_uppercase()), "commands": [command] })
        };
        self.devtools("Input.dispatchKeyEvent", event("rawKeyDown")).await;
        self.devtools("Input.dispatchKeyEvent", event("keyUp")).await;
    }

    /// Holds one key and presses another.
    pub async fn hold(&self, held: Key, pressed: impl Into<TypingData>) {
        let chain = self.driver.action_chain().key_down(held.clone()).send_keys(pressed).key_up(held);
        chain.perform().await.expect("keys can be typed");
    }

    /// Waits until the page says this.
    pub async fn sees(&self, words: &str) {
        let look = async || Ok(self.page_text().await?.contains(words).then_some(()));
        self.until(&format!("see {words:?}"), look).await;
    }

    /// The page as it is now does not say this.
    pub async fn sees_no(&self, words: &str) {
        let text = self.page_text().await.expect("the page can be read");
        assert!(!text.contains(words), "the page says {words:?}: {text}");
    }

    /// What can be read on the page, in one line.
    pub async fn text(&self) -> String {
        self.page_text().await.expect("the page can be read")
    }

    async fn page_text(&self) -> WebDriverResult<String> {
        let script = "return document.body ? document.body.innerText : ''";
        let text: String = self.driver.execute(script, vec![]).await?.convert()?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The page's title.
    pub async fn title(&self) -> String {
        self.driver.title().await.expect("the page has a title")
    }

    /// Where the browser is, without the origin.
    pub async fn path(&self) -> String {
        self.driver.current_url().await.expect("the browser is somewhere").path().to_owned()
    }

    /// The whole address.
    pub async fn at(&self) -> String {
        self.driver.current_url().await.expect("the browser is somewhere").into()
    }

    /// Whether this is a page of the portal, not of the processor.
    pub async fn is_at_portal(&self) -> bool {
        self.at().await.starts_with(&self.portal)
    }

    /// Where the first link of a part of the page leads.
    pub async fn first_link(&self, part: &str) -> String {
        let script = "return document.querySelector(arguments[0] + ' a').href";
        self.ask(script, vec![json!(part)]).await.as_str().expect("there is a link").to_owned()
    }

    /// Where the one link leads whose words contain these.
    pub async fn link_with(&self, words: &str) -> String {
        let script = "const has = [...document.links].filter(one => one.innerText.includes(arguments[0])); \
            return has.length == 1 ? has[0].href : has.map(one => one.innerText)";
        let found = self.ask(script, vec![json!(words)]).await;
        found.as_str().unwrap_or_else(|| panic!("links with {words:?}: {found}")).to_owned()
    }

    /// From now on pages live a thousand times faster wherever they wait for longer than a minute.
    pub async fn hurries(&self) {
        let script = "const real = window.setTimeout; \
            window.setTimeout = (act, wait, ...more) => real(act, wait > 60000 ? wait / 1000 : wait, ...more)";
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Pulls the plug, or puts it back.
    pub async fn is_offline(&self, offline: bool) {
        self.watch.borrow_mut().expect_silence();
        let line =
            json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.devtools("Network.emulateNetworkConditions", line).await;
    }

    /// Fetches everything anew for each page, as on a first visit.
    pub async fn forgets_files(&self) {
        self.devtools("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    }

    /// Asks the page a question in its own language.
    pub async fn ask(&self, script: &str, arguments: Vec<Value>) -> Value {
        let answer = self.driver.execute(script, arguments).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// The same for a question that is answered later, by calling the last argument.
    pub async fn ask_later(&self, script: &str, arguments: Vec<Value>) -> Value {
        let answer = self.driver.execute_async(script, arguments).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// What has the focus: the label of a field, the words of anything else, `page` when nothing has it.
    pub async fn focus(&self) -> String {
        let script = "const at = document.activeElement; if (!at || at == document.body) return 'page'; \
            return at.labels?.[0]?.firstChild.textContent ?? at.innerText";
        let words = self.ask(script, vec![]).await;
        words.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until this has the focus.
    pub async fn is_at(&self, words: &str) {
        let look = async || Ok((self.focus().await == words).then_some(()));
        self.until(&format!("be at {words:?}"), look).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page loads again");
    }

    /// Goes back one page.
    pub async fn back(&self) {
        self.driver.back().await.expect("there is a page before");
    }

    /// Opens another tab and goes on in it; the tab that was left is answered.
    pub async fn new_tab(&self) -> WindowHandle {
        let left = self.driver.window().await.expect("the browser has a tab");
        let new = self.driver.new_tab().await.expect("a tab opens");
        self.driver.switch_to_window(new).await.expect("the tab is there");
        left
    }

    /// Goes on in another tab; the tab that was left is answered.
    pub async fn switch_to(&self, tab: WindowHandle) -> WindowHandle {
        let left = self.driver.window().await.expect("the browser has a tab");
        self.driver.switch_to_window(tab).await.expect("the tab is there");
        left
    }

    /// Tells the browser what no person can: its size, its colours, what it prints on.
    pub async fn devtools(&self, command: &str, arguments: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, arguments).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Keeps a picture of the whole page.
    pub async fn keep_picture(&self, name: &str) {
        let script = "return [document.documentElement.clientWidth, document.documentElement.scrollHeight]";
        let size = self.ask(script, vec![]).await;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.devtools("Page.captureScreenshot", wish).await;
        let encoded = picture["data"].as_str().expect("a picture");
        let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base64");
        let file = pictures().join(format!("{name}.png"));
        std::fs::write(file, bytes).expect("the target folder takes a file");
    }

    /// Prints the page on paper so wide and high, in inches; how many sheets it takes. What was printed is kept.
    pub async fn print(&self, name: &str, inches: (f32, f32)) -> usize {
        let wish = json!({ "paperWidth": inches.0, "paperHeight": inches.1, "preferCSSPageSize": false });
        let printed = self.devtools("Page.printToPDF", wish).await;
        let encoded = printed["data"].as_str().expect("a document");
        let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base64");
        std::fs::write(pictures().join(format!("{name}.pdf")), &bytes)
            .expect("the target folder takes a file");
        let text = String::from_utf8_lossy(&bytes);
        text.matches("/Type /Page").count() - text.matches("/Type /Pages").count()
    }

    /// After a failure: a picture and the words of the page, as far as they can still be had.
    #[expect(clippy::print_stdout, reason = "shown with the failure")]
    pub async fn testify(&self, name: &str) {
        let picture = pictures().join(format!("failed-{name}.png"));
        self.driver.screenshot(&picture).await.ok();
        let at = self.driver.current_url().await.map(String::from).unwrap_or_default();
        let text = self.page_text().await.unwrap_or_default();
        self.drain().await;
        println!("the browser was at {at} ({})\n{text}", picture.display());
        println!("it had asked for {:#?}", self.watch.borrow().requested());
    }

    /// From now on pages may be answered with this status, which says that something of ours failed.
    pub fn expects_failure(&self, status: u64) {
        self.watch.borrow_mut().expect_failure(status);
    }

    /// Bytes on the wire since the last time, by kind of resource.
    pub async fn weigh(&self) -> crate::watch::Weight {
        self.drain().await;
        self.watch.borrow_mut().take_weight()
    }

    /// Closes the browser and proves that it met nothing it should not have: no complaint in its console, no violation of
    /// the content policy, no request to another host, no script that is not in the inventory.
    pub async fn leave(self) {
        assert_eq!(self.close().await, Vec::<String>::new(), "the browser met what it should not have");
    }

    /// Closes the browser and answers what it met that it should not have.
    pub async fn close(self) -> Vec<String> {
        self.drain().await;
        self.driver.clone().quit().await.expect("the browser closes");
        self.watch.borrow().complaints()
    }

    async fn drain(&self) {
        let console = self.driver.get_log("browser").await.expect("the console can be read");
        let network = self.driver.get_log("performance").await.expect("the traffic can be read");
        self.watch.borrow_mut().note(console, network);
    }

    /// Looks until there is something; a page that changes meanwhile is looked at again.
    pub async fn until<T>(&self, wish: &str, look: impl AsyncFn() -> WebDriverResult<Option<T>>) -> T {
        let mut last = None;
        let found = tokio::time::timeout(GUARD, async {
            loop {
                match look().await {
                    Ok(Some(found)) => return found,
                    Ok(None) => {}
                    Err(error) => last = Some(error),
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        if let Ok(found) = found.await {
            return found;
        }
        let text = self.page_text().await.unwrap_or_default();
        panic!("cannot {wish} at {}; last error {last:?}; the page says: {text}", self.at().await)
    }

    /// Whether pages may run their script.
    pub fn script(&self) -> Script {
        self.script
    }
}

/// Where pictures are kept: under the target folder, never among the sources.
pub fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).expect("the target folder takes a folder");
    folder
}

fn capabilities(script: Script) -> ChromeCapabilities {
    let mut wish = DesiredCapabilities::chrome();
    let mut arguments = vec![
        // Its sandbox refuses to run as root, which is how CI runs; it sees our own pages only.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-breakpad",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--lang=en-US",
        "--window-size=1280,900",
    ];
    if env::var_os("PAYDOWN_TEST_HEADED").is_none() {
        arguments.push("--headless=new");
    }
    for argument in arguments {
        wish.add_arg(argument).expect("an argument is text");
    }
    wish.set_binary(&needed("PAYDOWN_TEST_CHROMIUM")).expect("a path is text");
    let blocked = if script == Script::Off { 2 } else { 1 };
    let settings = json!({
        "profile.managed_default_content_settings.javascript": blocked,
        "intl.accept_languages": "en-US,en",
        "credentials_enable_service": false,
    });
    wish.add_experimental_option("prefs", settings).expect("settings are JSON");
    for log in ["browser", "performance"] {
        wish.set_logging_prefs(log, LoggingPrefsLogLevel::All).expect("a level is text");
    }
    wish
}
