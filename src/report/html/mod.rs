//! The report as one HTML file that needs nothing else.
//!
//! Guarantees: no request is made; everything is there without JavaScript (the script only sorts,
//! filters and switches the theme); the content security policy allows exactly this style sheet
//! and this script, by hash; text from logs passes an escaper on every way in.

mod detail;
mod findings;
mod foot;
mod routes;
mod table;
mod top;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use sha2::{Digest, Sha256};

use crate::model::{Report, Verdict};

use super::json;
use super::page::{self, tied};
use super::visible;

const STYLE: &str = include_str!("../../../reports/report.css");
const SCRIPT: &str = include_str!("../../../reports/report.js");

/// The whole page.
pub fn html(report: &Report) -> String {
    let island = json::island(report);
    let details = detail::that_fit(report);
    let detailed: Vec<String> = details.iter().map(|(anchor, _)| anchor.clone()).collect();
    let page = markup! {
        (DOCTYPE)
        html lang="en" class=(verdict_class(report.verdict)) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (page::title(report)) }
                link rel="icon" href=(icon(report.verdict));
                style { (PreEscaped(STYLE)) }
            }
            body {
                (top::header(report))
                main #main {
                    (top::banner(report))
                    (top::tiles(report))
                    (findings::cards(report))
                    (findings::options(report))
                    (routes::table(report, &detailed))
                    (detail::details(report, &details))
                    (detail::look_here(&report.look_here))
                    (detail::templates(&report.templates))
                    (foot::quality(report))
                    (foot::method(report, &island.left_out))
                }
                footer { p { "plimsoll " (visible::name(&report.method.version)) } }
                script type="application/json" #report-json { (PreEscaped(island.json)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Shape and word of a verdict, in its colour.
fn badge(verdict: Verdict) -> Markup {
    markup! {
        span class={ "badge " (verdict_class(verdict)) } {
            span aria-hidden="true" { (verdict.shape()) } " " (verdict.page_word())
        }
    }
}

fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "v-pass",
        Verdict::Inconclusive => "v-unknown",
        Verdict::Warn => "v-warn",
        Verdict::Fail => "v-fail",
    }
}

/// Style and script of this page only; pictures from the page itself only (the icon).
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        sha256_base64(STYLE),
        sha256_base64(SCRIPT)
    )
}

/// The verdict as the icon of the browser's tab.
fn icon(verdict: Verdict) -> String {
    let (colour, path) = match verdict {
        Verdict::Pass => ("1b6e43", "M4 9l3 3 5-7"),
        Verdict::Inconclusive => ("4d5866", "M8 4l4 4-4 4-4-4z"),
        Verdict::Warn => ("a66a00", "M8 4l4 8H4z"),
        Verdict::Fail => ("b3261e", "M5 5l6 6M11 5l-6 6"),
    };
    format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
         %3Crect width='16' height='16' rx='4' fill='%23{colour}'/%3E%3Cpath d='{path}' \
         fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E"
    )
}

/// SHA-256 in base64, as a content security policy wants it.
fn sha256_base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(44);
    for chunk in Sha256::digest(text).chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            let letter = ALPHABET.get(index as usize).filter(|_| place <= chunk.len());
            encoded.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::sha256_base64;

    #[test]
    fn hashes_are_those_a_browser_computes() {
        // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
        assert_eq!(sha256_base64("alert(1)"), "bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
        assert_eq!(sha256_base64(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
