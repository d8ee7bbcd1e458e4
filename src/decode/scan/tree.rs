//! A whole record at once, for what is off the hot path: its members as written, or as a tree.
//!
//! Accepts what the scanner accepts, so also numbers that `serde_json` turns down.

use super::escape::unescape;
use super::index::{Backend, Index};
use super::outline::Written;
use super::slot::Kind;
use super::walk::{Token, TokenKind, walk};
use serde_json::{Map, Value};

/// A member of the outermost object of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key, without its escapes.
    pub key: String,
    /// Both as they are written.
    pub written: Written<'a>,
}

/// The members of a record in their order, duplicates included; `None` when it is no object.
pub fn members(record: &[u8]) -> Option<Vec<Member<'_>>> {
    let tape = tape_of(record)?;
    let mut tokens = tape.iter().copied();
    if tokens.next()?.kind != TokenKind::Open(Kind::Object) {
        return None;
    }
    let mut members = Vec::new();
    while let Some(token) = tokens.next() {
        let TokenKind::Key { escaped } = token.kind else { break };
        let raw_key = record.get(token.start() - 1..=token.end())?;
        let value = value_span(record, &mut tokens)?;
        let key = text_of(record, token, escaped);
        members.push(Member { key, written: Written { key: raw_key, value } });
    }
    Some(members)
}

/// The record as a tree; a number beyond the range of an `f64` is `null`. `None` when the record
/// is no JSON.
pub fn tree(record: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(record) {
        return Some(value);
    }
    let tape = tape_of(record)?;
    let mut tokens = tape.iter().copied().peekable();
    value_of(record, &mut tokens)
}

fn tape_of(record: &[u8]) -> Option<Vec<Token>> {
    if u32::try_from(record.len()).is_err() || str::from_utf8(record).is_err() {
        return None;
    }
    let mut index = Index::new(Backend::Portable);
    index.rebuild(record);
    let mut tape = Vec::new();
    walk(record, 0, &index, &mut tape).ok()?;
    Some(tape)
}

/// Passes over one value and gives its bytes.
fn value_span<'a>(record: &'a [u8], tokens: &mut dyn Iterator<Item = Token>) -> Option<&'a [u8]> {
    let first = tokens.next()?;
    match first.kind {
        TokenKind::String { .. } => return record.get(first.start() - 1..=first.end()),
        TokenKind::Open(_) => {}
        _ => return record.get(first.start()..first.end()),
    }
    let mut depth = 1;
    for token in tokens {
        match token.kind {
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return record.get(first.start()..token.end());
        }
    }
    None
}

/// Nested at most as deep as the walk allows.
fn value_of(
    record: &[u8],
    tokens: &mut std::iter::Peekable<impl Iterator<Item = Token>>,
) -> Option<Value> {
    let first = tokens.next()?;
    let is_closed = |token: &Token| token.kind == TokenKind::Close;
    match first.kind {
        TokenKind::Open(Kind::Object) => {
            let mut object = Map::new();
            while tokens.next_if(is_closed).is_none() {
                let key = tokens.next()?;
                let TokenKind::Key { escaped } = key.kind else { return None };
                let value = value_of(record, tokens)?;
                object.insert(text_of(record, key, escaped), value);
            }
            Some(Value::Object(object))
        }
        TokenKind::Open(_) => {
            let mut items = Vec::new();
            while tokens.next_if(is_closed).is_none() {
                items.push(value_of(record, tokens)?);
            }
            Some(Value::Array(items))
        }
        TokenKind::String { escaped } => Some(Value::String(text_of(record, first, escaped))),
        TokenKind::Scalar(_) => {
            let raw = record.get(first.start()..first.end())?;
            Some(serde_json::from_slice(raw).unwrap_or(Value::Null))
        }
        TokenKind::Key { .. } | TokenKind::Close => None,
    }
}

fn text_of(record: &[u8], token: Token, escaped: bool) -> String {
    let raw = record.get(token.start()..token.end()).unwrap_or_default();
    let mut scratch = Vec::new();
    let unescaped = if escaped { unescape(raw, &mut scratch) } else { None };
    unescaped.map_or_else(|| String::from_utf8_lossy(raw).into_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{members, tree};
    use serde_json::{Value, json};

    #[test]
    fn members_are_as_written() {
        let check = |record: &str, want: &[(&str, &str, &str)]| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let got = members(record.as_bytes()).unwrap();
            let got: Vec<_> = got
                .iter()
                .map(|m| (m.key.clone(), text(m.written.key), text(m.written.value)))
                .collect();
            let want: Vec<_> =
                want.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect();
            assert_eq!(got, want, "{record}");
        };
        check("{}", &[]);
        check(r#" {"a" : 2e2 } "#, &[("a", "\"a\"", "2e2")]);
        check(
            r#"{"\u0061":"x\"y","b":[{"c":[]},1e400],"b":null}"#,
            &[
                ("a", r#""\u0061""#, r#""x\"y""#),
                ("b", "\"b\"", r#"[{"c":[]},1e400]"#),
                ("b", "\"b\"", "null"), // both of a duplicate
            ],
        );
        for none in ["", "[]", "1", "{\"a\":}", "{\"a\":1", "{} {}"] {
            assert_eq!(members(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_tree_is_that_of_serde_json_and_a_number_out_of_range_is_null() {
        for record in [
            r#"{"a":1,"b":[1.5,"x\n",{"c":null}],"a":2}"#,
            r#"{"\u00e9":"\ud83d\ude80","":{}}"#,
            "[]",
            "12",
            "[1,",
            "",
        ] {
            let want = serde_json::from_str::<Value>(record).ok();
            assert_eq!(tree(record.as_bytes()), want, "{record}");
        }
        assert_eq!(tree(br#"{"a":1e400,"b":[-1e999]}"#), Some(json!({"a": null, "b": [null]})));
    }
}
