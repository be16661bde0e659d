//! A close look at one page: at every width and in every scheme of colours it fits, axe-core finds nothing, and it has
//! the frame that every page has. It changes how the page is shown, never the page.

use crate::visitor::Visitor;
use serde_json::{Value, json};

/// The checker, as it was published; injected by the driver, so that the page's content policy stays as it is.
const AXE: &str = include_str!("axe/axe.min.js");
/// What the law asks for: WCAG 2.2 A and AA with all that they contain.
const TAGS: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/// Each width and each scheme of colours, in pairs: what fits does so in every colour, and colours do not depend on the width.
const VIEWS: [(u32, Scheme); 5] = [
    (320, Scheme::Light),
    (320, Scheme::Dark),
    (768, Scheme::Dark),
    (1280, Scheme::Light),
    (1280, Scheme::Forced),
];
/// A telephone, and the pane of a mail program.
const LETTER_WIDTHS: [u32; 2] = [320, 600];

/// A scheme of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Light,
    Dark,
    Forced,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
            Scheme::Forced => "forced",
        }
    }

    fn features(self) -> Value {
        let scheme = if self == Scheme::Dark { "dark" } else { "light" };
        let forced = if self == Scheme::Forced { "active" } else { "none" };
        json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "forced-colors", "value": forced },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ])
    }
}

impl Visitor {
    /// Goes to a page that must be light, then looks at it closely.
    pub async fn examine_at(&self, name: &str, address: &str, words: &str) {
        self.weigh().await;
        self.go(address).await;
        self.sees(words).await;
        self.weigh().await.prove_light(name);
        self.examine(name).await;
    }

    /// Looks closely at the page as it is.
    pub async fn examine(&self, name: &str) {
        self.prove_frame(name).await;
        self.brings_axe().await;
        for (width, scheme) in VIEWS {
            self.prove_view(name, width, scheme, width != 768).await;
        }
        self.shows_as_before().await;
    }

    /// Looks closely at a mail, which has no frame of ours. The mailbox lets no script run beside a mail, so the checker
    /// could not either: it is let past that policy.
    pub async fn examine_letter(&self, name: &str, address: &str) {
        self.devtools("Page.setBypassCSP", json!({ "enabled": true })).await;
        self.go(address).await;
        self.brings_axe().await;
        for width in LETTER_WIDTHS {
            for scheme in [Scheme::Light, Scheme::Dark] {
                self.prove_view(name, width, scheme, true).await;
            }
        }
        self.shows_as_before().await;
        self.devtools("Page.setBypassCSP", json!({ "enabled": false })).await;
    }

    async fn prove_view(&self, name: &str, width: u32, scheme: Scheme, is_kept: bool) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!({ "features": scheme.features() });
        self.devtools("Emulation.setEmulatedMedia", features).await;
        let view = format!("{name}-{width}-{}", scheme.name());
        self.prove_it_fits(&view).await;
        self.prove_accessible(&view).await;
        if is_kept {
            self.keep_picture(&view).await;
        }
    }

    async fn shows_as_before(&self) {
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    /// One heading, a language, a title; on the portal's own pages all landmarks, and the skip link first.
    async fn prove_frame(&self, name: &str) {
        let script = "const count = what => document.querySelectorAll(what).length; \
            return [count('h1'), count('main'), document.documentElement.lang, document.title.includes(' – ')]";
        let frame = self.ask(script, vec![]).await;
        assert_eq!(frame, json!([1, 1, "en", true]), "the frame of {name}");
        if self.is_at_portal().await {
            let script = "return [...document.body.querySelectorAll('a, button, input, header, main, footer')] \
                .filter(one => one.matches('header, main, footer, .skip')).map(one => one.className || one.localName)";
            let parts = self.ask(script, vec![]).await;
            assert_eq!(parts, json!(["skip", "header", "main", "footer"]), "the parts of {name}");
        }
    }

    async fn prove_it_fits(&self, view: &str) {
        assert_eq!(self.too_wide().await, json!(null), "{view} scrolls sideways");
        // Of a box or a choice the label is the target, which is pressed as well.
        let script = "const target = one => one.matches('[type=radio], [type=checkbox]') ? one.labels[0] ?? one : one; \
            return [...document.querySelectorAll('button, .second, .chips a, select, input:not([type=hidden])')] \
            .filter(one => one.checkVisibility() && target(one).getBoundingClientRect().height < 44) \
            .map(one => one.outerHTML.slice(0, 120))";
        let small = self.ask(script, vec![]).await;
        assert_eq!(small, json!([]), "{view} has targets of less than 44 px");
    }

    /// What makes the page scroll sideways; null when it does not.
    pub async fn too_wide(&self) -> Value {
        let script = "const wide = innerWidth, root = document.documentElement; \
            if (root.scrollWidth <= wide) return null; \
            return [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > wide + 1) \
                .map(one => one.tagName + '.' + one.className + ' ' + one.getBoundingClientRect().right).slice(0, 8)";
        self.ask(script, vec![]).await
    }

    async fn prove_accessible(&self, view: &str) {
        let found = self.violations().await;
        assert_eq!(found["violations"], json!([]), "axe on {view}: {found:#}");
        assert!(found["checked"].as_u64() > Some(5), "axe looked at next to nothing on {view}");
    }

    /// What axe-core finds on the page as it is.
    pub async fn violations(&self) -> Value {
        let script = "const done = arguments[arguments.length - 1]; \
            const wish = { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] }; \
            axe.run(document, wish).then(found => done({ checked: found.passes.length, violations: \
                found.violations.map(one => ({ rule: one.id, \
                    where: one.nodes.map(node => node.target.join(' ') + ': ' + node.failureSummary) })) }), \
                error => done({ violations: String(error) }))";
        self.ask_later(script, vec![json!(TAGS)]).await
    }

    /// Brings the checker into the page.
    pub async fn brings_axe(&self) {
        self.ask(AXE, vec![]).await;
    }
}
