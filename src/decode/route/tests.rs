use proptest::prelude::*;

use super::{MAX_SEGMENT_LEN, MAX_SEGMENTS, REST, route_of};

fn check(path: &str, expected: &str, expected_replaced: bool) {
    let mut route = String::from("left over");
    let replaced = route_of(path.as_bytes(), &mut route);
    assert_eq!((route.as_str(), replaced), (expected, expected_replaced), "{path}");
    let mut again = String::new();
    route_of(route.as_bytes(), &mut again);
    assert_eq!(again, route, "the route of a route, from {path}");
}

fn check_kept(path: &str) {
    check(path, path, false);
}

fn check_id(segment: &str) {
    check(&format!("/api/x/{segment}"), "/api/x/{id}", true);
}

#[test]
fn fixed_parts_stay() {
    check_kept("/");
    check_kept("/api/weekly-reports");
    check_kept("/api/v1/oauth2/token");
    check_kept("/i18n/es-AR");
    check_kept("/_next/static/webpack.js");
    check_kept("/assets/jquery-3.6.0.min.js");
    check_kept("/k8s/e2e/2fa");
    check_kept("/download/mp3-to-mp4");
    check_kept("/informes/matemáticas"); // letters of any language
    check_kept("/@vite/client"); // a scope or a handle is no e-mail
    check_kept("/deadbeef"); // hex without a digit is a word
    check_kept("GetUser"); // operation names have no slash
    check_kept("users.list/all");
    check_kept("*"); // OPTIONS *
}

#[test]
fn templates_stay() {
    check_kept("/orders/[id]");
    check_kept("/docs/[[...slug]]");
    check_kept("/orders/{orderId}/items/{id}");
    check_kept("/orders/:id");
    check_kept("/orders/<int:id>");
    check_kept("/(group)/page");
    check_kept("/static/**");
}

#[test]
fn what_names_one_thing_becomes_id() {
    check_id("0");
    check_id("83412");
    check_id("a9c6057c-b926-4efd-a319-70cb6e96f9b8"); // UUID
    check_id("A9C6057CB9264EFDA31970CB6E96F9B8");
    check_id("543c859b"); // exactly 8 hex digits
    check("/x/543c85b", "/x/543c85b", false); // 7 are too few to tell
    check_id("01ARZ3NDEKTSV4RRFFQ69G5FAV"); // ULID
    check_id("0ujtsYcgvSTl8PAuAdqWYSMnLOv"); // KSUID
    check_id("V1StGXR8_Z5jdHi6B-myT"); // nanoid
    check_id("cjld2cjxh0000qzrmn831i7rn"); // cuid
    check_id("507f1f77bcf86cd799439011"); // MongoDB
    check_id("usr_1a2b3c4d");
    check_id("ch_3MtwBwLkdIwHu7ix28a3tqPa"); // Stripe
    check_id("dQw4w9WgXcQ");
    check_id("INV-2026-00017");
    check_id("ana.perez@example.edu");
    check_id("ana%40example.edu");
    check_id("2026-11-18");
    check_id("2026-W46");
    check_id("2026-11-18T14:03:22Z");
    check_id("10.0.0.1");
    check_id("%2e%2e%2fetc%2fpasswd");
    check_id("<script>alert(1)<");
    check_id("a b");
    check_id("a\u{202e}b"); // bidirectional override
    check_id(&"x".repeat(MAX_SEGMENT_LEN + 1));
    check_kept(&format!("/{}", "x".repeat(MAX_SEGMENT_LEN)));
}

#[test]
fn what_is_no_path_is_cut() {
    check("", "/", false);
    check("?a=1", "/", false);
    check("/a?b=/c/42#d", "/a", false);
    check("/a#42", "/a", false);
    check("/a/", "/a", false);
    check("//a///b/", "/a/b", false);
    check("https://example.org:8443/a/42?x", "/a/{id}", true);
    check("https://example.org", "/", false);
    check("/login;jsessionid=12AB34CD", "/login", false);
    check("/a/;x/b", "/a/b", false);
}

#[test]
fn deep_paths_are_capped() {
    let at_bound = "/a".repeat(MAX_SEGMENTS);
    check_kept(&at_bound);
    check(&"/a".repeat(MAX_SEGMENTS + 1), &format!("{at_bound}/{{rest}}"), true);
}

#[test]
fn bytes_that_are_no_text_become_id() {
    let mut route = String::new();
    assert!(route_of(b"/a/\xff\xfe/b", &mut route));
    assert_eq!(route, "/a/{id}/b");
}

proptest! {
    #[test]
    fn a_route_is_its_own_route(path in prop::collection::vec(any::<u8>(), 0..80)) {
        let (mut once, mut twice) = (String::new(), String::new());
        route_of(&path, &mut once);
        let replaced = route_of(once.as_bytes(), &mut twice);
        prop_assert_eq!(&once, &twice);
        prop_assert!(!replaced || once.ends_with(REST));
        prop_assert!(!once.is_empty() && once.len() <= (MAX_SEGMENTS + 1) * (MAX_SEGMENT_LEN + 1));
        prop_assert!(!once.bytes().any(|byte| byte < 0x20 || byte == 0x7f));
    }

    #[test]
    fn likely_paths_too(path in "(https?://)?[a-z]{0,3}(/[a-f0-9;:@\\[\\]{}?#%.*-]{0,9}){0,5}") {
        let (mut once, mut twice) = (String::new(), String::new());
        route_of(path.as_bytes(), &mut once);
        route_of(once.as_bytes(), &mut twice);
        prop_assert_eq!(once, twice);
    }
}
