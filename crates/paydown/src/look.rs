//! A merchant's brand colour, made safe to read: pure functions from one colour to a small style sheet. It must never let
//! a colour through that hides words, and knows no merchant.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::fmt;

/// Paper and ground of the two schemes, as in `assets/css/portal.css`.
const PAPER_LIGHT: Colour = Colour(0xff, 0xff, 0xff);
const GROUND_LIGHT: Colour = Colour(0xf6, 0xf4, 0xf0);
const PAPER_DARK: Colour = Colour(0x22, 0x20, 0x1d);
const GROUND_DARK: Colour = Colour(0x17, 0x16, 0x14);
const WHITE: Colour = Colour(0xff, 0xff, 0xff);
const BLACK: Colour = Colour(0, 0, 0);
/// WCAG 2.2, 1.4.3: text against what it stands on.
pub const TEXT_CONTRAST: f64 = 4.5;
/// WCAG 2.2, 1.4.11: borders and marks against what is beside them.
pub const MARK_CONTRAST: f64 = 3.0;

/// A colour as red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// The text is no colour of six hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a colour like #1f5eff")]
pub struct NotAColour(pub String);

/// A brand colour and everything derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brand {
    /// The fill of the primary button: the merchant's colour itself.
    pub brand: Colour,
    /// Text on it: black or white, whichever holds 4.5:1.
    pub on_brand: Colour,
    /// The brand corrected to 3:1 on light paper and ground.
    pub accent_light: Colour,
    /// The brand corrected to 3:1 on dark paper and ground.
    pub accent_dark: Colour,
}

impl Brand {
    /// From `#1f5eff` or `1f5eff`.
    pub fn from_hex(hex: &str) -> Result<Brand, NotAColour> {
        Ok(Brand::new(Colour::from_hex(hex)?))
    }

    /// Everything that follows from one colour. It cannot fail: black or white holds 4.58:1 on any colour.
    pub fn new(brand: Colour) -> Brand {
        let on_brand = if contrast(brand, WHITE) >= TEXT_CONTRAST { WHITE } else { BLACK };
        Brand {
            brand,
            on_brand,
            accent_light: corrected(brand, BLACK, [PAPER_LIGHT, GROUND_LIGHT]),
            accent_dark: corrected(brand, WHITE, [PAPER_DARK, GROUND_DARK]),
        }
    }

    /// What a person who chose the colour should know: where marks and links had to become darker or lighter.
    pub fn corrections(&self) -> Option<String> {
        let changed = |accent: Colour, word: &str, pages: &str| {
            (accent != self.brand).then(|| format!("{word} ({accent}) on {pages} pages"))
        };
        let light = changed(self.accent_light, "darker", "light");
        let dark = changed(self.accent_dark, "lighter", "dark");
        let places: Vec<String> = [light, dark].into_iter().flatten().collect();
        (!places.is_empty()).then(|| {
            let places = places.join(" and ");
            format!("Brand colour corrected: to stand out from the page, links and marks are {places}. Buttons keep {}.", self.brand)
        })
    }

    /// The style sheet of this brand: custom properties and nothing else.
    pub fn stylesheet(&self) -> String {
        let Brand { brand, on_brand, accent_light, accent_dark } = self;
        format!(
            ":root{{--brand:{brand};--on-brand:{on_brand};--accent:{accent_light};\
             --accent:light-dark({accent_light},{accent_dark})}}\n"
        )
    }

    /// The name the style sheet is served under, which changes with its contents: `brand-1f9c0a3b.css`.
    pub fn stylesheet_name(&self) -> String {
        let hash = HEXLOWER.encode(&Sha256::digest(self.stylesheet().as_bytes())[..4]);
        format!("brand-{hash}.css")
    }
}

/// The neutral brand of a merchant who chose none.
impl Default for Brand {
    fn default() -> Brand {
        Brand::new(Colour(0x1f, 0x5e, 0xff))
    }
}

impl Colour {
    /// From `#1f5eff` or `1f5eff`; upper or lower case.
    pub fn from_hex(hex: &str) -> Result<Colour, NotAColour> {
        let digits = hex.strip_prefix('#').unwrap_or(hex);
        let wrong = || NotAColour(hex.chars().take(20).collect());
        match *HEXLOWER.decode(digits.to_ascii_lowercase().as_bytes()).map_err(|_| wrong())?.as_slice() {
            [red, green, blue] => Ok(Colour(red, green, blue)),
            _ => Err(wrong()),
        }
    }

    /// Relative luminance as WCAG 2.2 defines it, 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// This colour with `percent` of another in it.
    fn mixed(self, other: Colour, percent: u16) -> Colour {
        let mix = |from: u8, to: u8| {
            let sum = u16::from(from) * (100 - percent) + u16::from(to) * percent;
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Colour(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// Contrast of two colours as WCAG 2.2 defines it: 1 (none) to 21 (black on white).
pub fn contrast(one: Colour, other: Colour) -> f64 {
    let (a, b) = (one.luminance(), other.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The colour nearest to `colour`, on the way to `towards`, that stands out from each of the backgrounds.
fn corrected(colour: Colour, towards: Colour, backgrounds: [Colour; 2]) -> Colour {
    let stands_out =
        |candidate: &Colour| backgrounds.iter().all(|ground| contrast(*candidate, *ground) >= MARK_CONTRAST);
    (0..=100_u16).map(|percent| colour.mixed(towards, percent)).find(stands_out).unwrap_or(towards)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_colour_that_was_changed_is_told() {
        let told = |hex| Brand::from_hex(hex).unwrap().corrections();
        assert_eq!(told("#1f5eff"), None, "the default stands out everywhere");
        let pale = told("#ffe94d").unwrap();
        assert!(
            pale.contains("darker (#") && !pale.contains("lighter") && pale.contains("keep #ffe94d"),
            "{pale}"
        );
        let dark = told("#0b2d3b").unwrap();
        assert!(dark.contains("lighter (#") && !dark.contains("darker"), "{dark}");
    }

    #[test]
    fn contrast_is_the_standards() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
        // The grey that the standard's own examples call the lightest that passes on white.
        assert!(contrast(Colour(0x76, 0x76, 0x76), WHITE) >= TEXT_CONTRAST);
        assert!(contrast(Colour(0x77, 0x77, 0x77), WHITE) < TEXT_CONTRAST);
    }

    #[test]
    fn a_good_brand_is_left_alone() {
        let brand = Brand::from_hex("#1F5EFF").unwrap();
        assert_eq!(brand.brand.to_string(), "#1f5eff");
        assert_eq!(brand.on_brand, WHITE);
        assert_eq!(brand.accent_light, brand.brand);
        let navy = Brand::from_hex("#102a66").unwrap();
        assert_eq!((navy.accent_light, navy.on_brand), (navy.brand, WHITE));
        assert_ne!(navy.accent_dark, navy.brand, "too dark for dark paper");
        assert_eq!(Brand::from_hex("ffe600").unwrap().on_brand, BLACK);
    }

    #[test]
    fn only_colours_are_read() {
        for wrong in ["", "#fff", "#12345", "#1234567", "red", "#1f5ef\u{e9}", "}body{display:none"] {
            assert!(Brand::from_hex(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_style_sheet_holds_properties_only_and_is_named_by_contents() {
        let (one, other) = (Brand::default(), Brand::from_hex("#006644").unwrap());
        assert!(one.stylesheet().starts_with(":root{--brand:#1f5eff;--on-brand:#ffffff;--accent:"));
        assert_ne!(one.stylesheet_name(), other.stylesheet_name());
        assert_eq!(one.stylesheet_name(), Brand::default().stylesheet_name());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn every_colour_becomes_readable(red: u8, green: u8, blue: u8) {
            let brand = Brand::new(Colour(red, green, blue));
            prop_assert!(contrast(brand.brand, brand.on_brand) >= TEXT_CONTRAST);
            for ground in [PAPER_LIGHT, GROUND_LIGHT] {
                prop_assert!(contrast(brand.accent_light, ground) >= MARK_CONTRAST);
            }
            for ground in [PAPER_DARK, GROUND_DARK] {
                prop_assert!(contrast(brand.accent_dark, ground) >= MARK_CONTRAST);
            }
        }
    }
}
