//! Rooms, floors and sizes: what a machine can hold of `docs/architecture.md`.
//!
//! The floors are read from the table in `src/lib.rs`, so that table cannot become untrue.
//! Comments and literals are blanked first: only code counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Most lines of a source file, its tests not counted.
const MAX_LINES: usize = 500;
/// Widest line outside tests, characters; rustfmt holds what it can of the rest.
const MAX_WIDTH: usize = 120;
/// The only rooms that may name these crates, modules and macros outside tests.
const RESERVED: [(&str, &[&str]); 9] = [
    ("polars", &["frame", "store", "query"]),
    ("reqwest", &["alert"]),
    ("tokio", &["alert"]),
    ("clap", &["cli"]),
    ("std::env", &["cli"]),
    ("print!", &["cli"]),
    ("println!", &["cli"]),
    ("eprint!", &["cli"]),
    ("eprintln!", &["cli"]),
];
/// The only file with `unsafe`: its proof stands there.
const UNSAFE_FILE: &str = "src/decode/scan/index.rs";

/// A file of `src`.
struct Source {
    /// Such as `src/stats/rank.rs`.
    name: String,
    /// Such as `stats`; `None` for `lib.rs` and `main.rs`.
    room: Option<String>,
    /// Its code, with comments and literals blanked.
    code: String,
    /// How many lines of it are no tests.
    line_count: usize,
}

#[test]
fn the_table_of_floors_names_every_room_bottom_up() {
    let text = read(&root().join("src/lib.rs"));
    let floors = floors();
    let declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let named: BTreeSet<&str> = floors.keys().map(String::as_str).collect();
    assert_eq!(declared.iter().copied().collect::<BTreeSet<_>>(), named, "table and `mod` lines");
    let order: Vec<u32> = declared.iter().map(|room| floors[*room]).collect();
    assert!(order.is_sorted(), "`mod` lines stand bottom-up: {declared:?} are on {order:?}");
}

#[test]
fn a_room_uses_lower_floors_only() {
    let floors = floors();
    let (mut used, mut wrong) = (0, Vec::new());
    for file in sources() {
        let Some(own) = &file.room else { continue };
        for (line, other) in rooms_used(&file.code) {
            used += 1;
            let is_lower = floors.get(&other).is_some_and(|floor| *floor < floors[own]);
            if other != *own && !is_lower {
                wrong.push(format!("{}:{line}: `{own}` uses `{other}`", file.name));
            }
        }
    }
    assert!(used > 100, "only {used} uses were found: the test no longer sees the code");
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_file_has_one_use_for_each_other_room() {
    let mut wrong = Vec::new();
    for file in sources() {
        let mut seen = BTreeSet::new();
        for (line, text) in file.lines() {
            let Some(path) = text.trim_start_matches("pub ").strip_prefix("use crate::") else {
                continue;
            };
            let other = first_name(path);
            let is_own = file.room.as_ref() == Some(&other);
            if !other.is_empty() && !is_own && !seen.insert(other.clone()) {
                wrong.push(format!("{}:{line}: a second `use crate::{other}`", file.name));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn heavy_crates_and_printing_live_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (line, text) in file.lines() {
            for (name, rooms) in RESERVED {
                let is_home = file.room.as_ref().is_some_and(|own| rooms.contains(&own.as_str()));
                if !is_home && has_word(text, name) {
                    wrong.push(format!("{}:{line}: `{name}` belongs to {rooms:?}", file.name));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn unsafe_stays_in_one_file() {
    let is_unsafe = |file: &Source| file.code.lines().any(|line| has_word(line, "unsafe"));
    let files: Vec<String> = sources().into_iter().filter(is_unsafe).map(|f| f.name).collect();
    assert_eq!(files, [UNSAFE_FILE]);
}

#[test]
fn no_module_has_the_name_of_a_dependency() {
    // `mod regex;` beside the crate makes `use regex::…` ambiguous.
    let manifest = read(&root().join("Cargo.toml"));
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
    let lines = dependencies.lines().take_while(|line| !line.starts_with('['));
    let dependencies: BTreeSet<String> =
        lines.map(|line| first_name(&line.replace('-', "_"))).filter(|d| !d.is_empty()).collect();
    assert!(dependencies.contains("polars"), "{dependencies:?}");
    let mut wrong = Vec::new();
    for file in sources() {
        for (line, text) in file.lines() {
            let name = text.trim().split_once("mod ").map(|(_, name)| first_name(name));
            if let Some(name) = name.filter(|name| dependencies.contains(name)) {
                wrong.push(format!("{}:{line}: `mod {name}` is a dependency", file.name));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn files_are_short_and_narrow() {
    let mut wrong = Vec::new();
    for file in sources() {
        if file.line_count > MAX_LINES {
            wrong.push(format!("{}: {} lines without its tests", file.name, file.line_count));
        }
        for (line, text) in file.lines() {
            let width = text.chars().count();
            if width > MAX_WIDTH {
                wrong.push(format!("{}:{line}: {width} columns", file.name));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn only_code_is_looked_at() {
    for (text, want) in [
        ("a // b", "a     "),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("g \" h") i"#, r#"f("      ") i"#),
        (r##"j(r#"k " l"#) m"##, r##"j(r#"     "#) m"##),
        ("'n' 'o", "' ' 'o"),
        (r"'\'' p", r"'  ' p"),
        ("// q\nr", "    \nr"),
    ] {
        assert_eq!(code_only(text), want, "{text}");
    }
}

impl Source {
    fn new(path: &Path) -> Self {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let code = code_only(&read(path));
        let lines: Vec<&str> = code.lines().collect();
        let begins_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{');
        let tests_at = lines.windows(2).position(begins_tests).unwrap_or(lines.len());
        let line_count = if is_test(&name) { 0 } else { tests_at };
        let room = name["src/".len()..].split(['/', '.']).next().map(str::to_owned);
        let room = room.filter(|room| !matches!(room.as_str(), "lib" | "main"));
        Self { name, room, code, line_count }
    }

    /// Numbered lines that are no tests.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().take(self.line_count).enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Whether a whole file is compiled for tests only.
fn is_test(file: &str) -> bool {
    file.split(['/', '.']).any(|part| matches!(part, "tests" | "simulation"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(Source::new(&path));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Floor of each room, from the table in `src/lib.rs`.
fn floors() -> BTreeMap<String, u32> {
    let mut floors = BTreeMap::new();
    for line in read(&root().join("src/lib.rs")).lines() {
        let Some((floor, rooms)) =
            line.strip_prefix("//! | ").and_then(|row| row.split_once(" | "))
        else {
            continue;
        };
        let Ok(floor) = floor.parse() else { continue };
        floors.extend(rooms.split('`').skip(1).step_by(2).map(|room| (room.to_owned(), floor)));
    }
    assert!(floors.len() > 5, "no table of floors in src/lib.rs: {floors:?}");
    floors
}

/// Rooms named by `crate::room` and `crate::{room::…, …}`, with line numbers.
fn rooms_used(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let path = &code[at + "crate::".len()..];
        let Some(group) = path.strip_prefix('{') else {
            found.push((line, first_name(path)));
            continue;
        };
        for part in top_level_parts(group) {
            found.push((line, first_name(part.trim_start())));
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

/// Parts of `a::{b, c}, d}` that are separated by commas outside inner braces.
fn top_level_parts(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[begin..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Whether a line holds `word` with no letter right before or after it.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open_end = !word.ends_with(is_name);
        !before.is_some_and(is_name) && (open_end || !after.is_some_and(is_name))
    })
}

/// The text with comments and what stands in literals as spaces; line breaks stay.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let [open, close, end] = token(rest);
        out.push_str(&rest[..open]);
        out.extend(rest[open..close].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        out.push_str(&rest[close..end]);
        rest = &rest[end..];
    }
    out
}

/// The token at the beginning of `rest`: it is kept up to `open`, blanked up to `close`, and
/// kept again up to `end`.
fn token(rest: &str) -> [usize; 3] {
    let find = |from: usize, pattern: &str| rest[from..].find(pattern).map(|at| from + at);
    let comment = |end: usize| [0, end, end];
    if rest.starts_with("//") {
        return comment(find(0, "\n").unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return comment(end_of_comment(rest));
    }
    let after_r = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).unwrap_or("");
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    if after_r[hashes..].starts_with('"') {
        let open = rest.len() - after_r.len() + hashes + 1;
        let closing = format!("\"{}", "#".repeat(hashes));
        let close = find(open, &closing).unwrap_or(rest.len());
        return [open, close, (close + closing.len()).min(rest.len())];
    }
    let mut characters = rest.chars();
    let first = characters.next().unwrap_or_default();
    // `'a'` and `'\n'` are literals, `'a` is a lifetime.
    let is_char =
        first == '\'' && (characters.next() == Some('\\') || characters.next() == Some('\''));
    if first == '"' || is_char {
        let close = end_of_quoted(rest, first);
        return [1, close, (close + 1).min(rest.len())];
    }
    // A name is one token: the `r` of `for"` opens no raw literal.
    let length = first_name(rest).len().max(first.len_utf8());
    [length, length, length]
}

/// Position of the quote that ends the literal at the beginning of `rest`.
fn end_of_quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    rest.len()
}

/// End of the comment at the beginning of `rest`; comments nest.
fn end_of_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let step = match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
