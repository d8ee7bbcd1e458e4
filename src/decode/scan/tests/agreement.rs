//! Random records of few shapes, sound and damaged: the scanner agrees with `serde_json`.

use super::agree;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Paths whose spellings and parents get into each other's way.
const PATHS: [&str; 8] = ["a", "b", "a.b", "b.a", "a.b.c", "", "é", "c.c"];

/// A JSON value before it is written.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(String),
    Array(Vec<Tree>),
    Object(Vec<(&'static str, Tree)>),
}

/// How spaces are set: after brackets, around colons, after commas.
#[derive(Clone, Copy, Debug)]
struct Style {
    bracket: &'static str,
    colon: &'static str,
    comma: &'static str,
    line_break: &'static str,
}

/// Damage at a place, given as a share of the record's length.
#[derive(Clone, Debug)]
enum Damage {
    None,
    Replace(f64, u8),
    Insert(f64, u8),
    Remove(f64),
    Cut(f64),
}

fn key() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a", "b", "c", "a.b", "b.c", "a.b.c", "b.a", "c.c", "", "é", "\\u0061", "\\\"", "k\\\\",
    ])
}

fn leaf() -> impl Strategy<Value = Tree> {
    let written = vec![
        "0",
        "-1",
        "12.5",
        "1e3",
        "1.5E-7",
        "true",
        "false",
        "null",
        "\"\"",
        "\"x\"",
        "\"é🚀\"",
        "\"\\n\"",
        "\"\\\\\"",
        "\"\\\"\"",
        "\"\\ud83d\\ude80\"",
        "\"{\\\"a\\\":1}\"",
        "123456789012345678901234567890",
        "1e308",
        "1e999",
        "-1e400",
        "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
    ];
    let invalid = vec!["01", "1.", "nul", "\"\\ud800\"", "\"\\x\"", "\"\t\"", "-", "\"", "]"];
    prop_oneof![
        40 => select(written).prop_map(|leaf| Tree::Leaf(leaf.to_owned())),
        1 => select(invalid).prop_map(|leaf| Tree::Leaf(leaf.to_owned())),
        5 => any::<f64>().prop_map(|number| Tree::Leaf(format!("{number:?}"))),
        5 => any::<i64>().prop_map(|number| Tree::Leaf(number.to_string())),
        5 => "[ -~]{0,80}".prop_map(|text| Tree::Leaf(serde_json::to_string(&text).unwrap())),
    ]
}

fn object() -> impl Strategy<Value = Tree> {
    let value = leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::Array),
            vec((key(), inner), 0..4).prop_map(Tree::Object),
        ]
    });
    vec((key(), value), 0..7).prop_map(Tree::Object)
}

fn style() -> impl Strategy<Value = Style> {
    select(vec![
        Style { bracket: "", colon: ":", comma: ",", line_break: "\n" },
        Style { bracket: "", colon: ": ", comma: ", ", line_break: "\n" },
        Style { bracket: " ", colon: " : ", comma: " , ", line_break: "\r\n" },
        Style { bracket: "\t", colon: ":", comma: "\r,", line_break: " \n\n" },
    ])
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![any::<u8>(), select(b"\"\\{}[],:\n\r\t 0-.etn".to_vec())];
    prop_oneof![
        12 => Just(Damage::None),
        1 => (0.0..1.0, byte.clone()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        1 => (0.0..1.0, byte).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        1 => (0.0..1.0).prop_map(Damage::Remove),
        1 => (0.0..1.0).prop_map(Damage::Cut),
    ]
}

fn write(tree: &Tree, style: Style, out: &mut String) {
    match tree {
        Tree::Leaf(text) => out.push_str(text),
        Tree::Array(values) => {
            out.push('[');
            out.push_str(style.bracket);
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at > 0 { style.comma } else { "" });
                write(value, style, out);
            }
            out.push_str(style.bracket);
            out.push(']');
        }
        Tree::Object(members) => {
            out.push('{');
            out.push_str(style.bracket);
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(if at > 0 { style.comma } else { "" });
                for part in ["\"", key, "\"", style.colon] {
                    out.push_str(part);
                }
                write(value, style, out);
            }
            out.push_str(style.bracket);
            out.push('}');
        }
    }
}

fn line(tree: &Tree, style: Style, damage: &Damage) -> Vec<u8> {
    let mut text = String::new();
    write(tree, style, &mut text);
    text.push_str(style.line_break);
    let mut bytes = text.into_bytes();
    let place = |share: f64| (share * bytes.len() as f64) as usize;
    match *damage {
        Damage::None => {}
        Damage::Replace(share, byte) => {
            let at = place(share);
            bytes[at] = byte;
        }
        Damage::Insert(share, byte) => bytes.insert(place(share), byte),
        Damage::Remove(share) => {
            bytes.remove(place(share));
        }
        Damage::Cut(share) => {
            bytes.truncate(place(share));
            bytes.push(b'\n');
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_agrees_with_serde_json(
        trees in vec(object(), 1..5),
        lines in vec((any::<prop::sample::Index>(), style(), damage()), 1..40),
        is_ended in any::<bool>(),
    ) {
        let lines = lines.iter().map(|(nth, style, damage)| line(nth.get(&trees), *style, damage));
        let mut chunk = lines.collect::<Vec<_>>().concat();
        if !is_ended {
            chunk.pop();
        }
        agree(&PATHS, &chunk);
    }

    #[test]
    fn any_bytes_are_read_without_panic(chunk in vec(any::<u8>(), 0..300)) {
        agree(&PATHS, &chunk);
    }
}
