//! Which keys there are and of which type: the JSON schema, and values held against it.
//!
//! Everything is found in one pass: unknown keys, wrong types, unknown words, missing keys, lists
//! too long. What is wrong is taken out, so that the rest can be read and checked as well.

use std::borrow::Cow;
use std::ops::Range;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::findings::Findings;
use super::raw::RawConfig;
use super::{settings, written};
use crate::model::nearest;

/// JSON schema (draft 7) of `plimsoll.toml`, with descriptions and defaults.
pub fn schema() -> Value {
    let mut schema = keys();
    settings::fill_defaults(&mut schema);
    schema
}

/// The schema without its defaults: what a file is held against.
pub(super) fn keys() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<RawConfig>().to_value();
    without_null(&mut schema);
    schema
}

/// TOML has no null: an optional key is left out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for name in ["default", "format"] {
                let is_noise = match object.get(name) {
                    Some(Value::String(format)) => name == "format" && format != "date",
                    Some(Value::Null | Value::Object(_) | Value::Array(_)) => name == "default",
                    _ => false,
                };
                if is_noise {
                    object.shift_remove(name);
                }
            }
            for list in ["type", "enum", "anyOf", "oneOf"] {
                drop_null(object, list);
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(parts) => parts.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn drop_null(object: &mut Map<String, Value>, list: &str) {
    let is_null = |part: &Value| {
        part.is_null() || *part == json!("null") || part.get("type") == Some(&json!("null"))
    };
    let Some(Value::Array(parts)) = object.get_mut(list) else { return };
    parts.retain(|part| !is_null(part));
    if parts.len() > 1 || list == "enum" {
        return;
    }
    match object.shift_remove(list).and_then(|parts| parts.get(0).cloned()) {
        Some(Value::Object(only)) => {
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
        Some(only) => {
            object.insert(list.to_owned(), only);
        }
        None => {}
    }
}

/// Takes out of `table` what the schema does not allow, and tells `findings`.
pub(super) fn conform(
    table: &mut Spanned<DeTable<'_>>,
    schema: &Value,
    findings: &mut Findings<'_>,
) {
    let span = table.span();
    conform_table(table.get_mut(), &span, &Allowed { schema, key: String::new() }, findings);
}

/// What is allowed at a key.
struct Allowed<'a> {
    schema: &'a Value,
    key: String,
}

impl<'a> Allowed<'a> {
    fn number(&self, name: &str) -> Option<i64> {
        self.schema.get(name).and_then(Value::as_i64)
    }

    fn bound(&self, name: &str) -> Option<f64> {
        self.schema.get(name).and_then(Value::as_f64)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.schema.get(name).and_then(Value::as_str)
    }

    /// The words that are allowed, if only some are.
    fn words(&self) -> Vec<&'a str> {
        let listed = self.schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let variants = self.schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let single = variants.flat_map(|variant| {
            let listed = variant.get("enum").and_then(Value::as_array).into_iter().flatten();
            variant.get("const").into_iter().chain(listed)
        });
        listed.chain(single).filter_map(Value::as_str).collect()
    }

    /// What must stand here: `must be a length of time such as "28d"`.
    fn need(&self) -> String {
        let words = self.words();
        if !words.is_empty() {
            return format!("must be {}", one_of(&words));
        }
        let example = self.schema.get("examples").and_then(|examples| examples.get(0));
        match (self.text("type"), self.text("title"), example) {
            (Some("string"), Some(title), Some(example)) => {
                format!("must be a {title} such as `{example}`")
            }
            (Some("integer"), ..) => match (self.number("minimum"), self.number("maximum")) {
                (Some(least), Some(most)) if least == most => format!("must be `{least}`"),
                (Some(least), Some(most)) => {
                    format!("must be a whole number from {least} to {most}")
                }
                _ => "must be a whole number".to_owned(),
            },
            (Some("number"), ..) => match (self.bound("minimum"), self.bound("maximum")) {
                (Some(least), Some(most)) => format!("must be a number from {least} to {most}"),
                _ => "must be a number".to_owned(),
            },
            (Some("boolean"), ..) => "must be `true` or `false`".to_owned(),
            (Some("array"), ..) => "must be a list in `[` and `]`".to_owned(),
            (Some("object"), ..) => "must be a table".to_owned(),
            _ => "must be text in quotes".to_owned(),
        }
    }

    fn at(&self, name: &str, schema: &'a Value) -> Self {
        let name = written::key(name);
        let key = if self.key.is_empty() { name } else { format!("{}.{name}", self.key) };
        Self { schema, key }
    }
}

/// A value as it is written in TOML, from the examples of a schema.
fn example(schema: &Value) -> String {
    if let Some(items) = schema.get("items") {
        return format!("[{}]", example(items));
    }
    let first = schema.get("examples").and_then(|examples| examples.get(0));
    first.map_or_else(|| "\"…\"".to_owned(), Value::to_string)
}

/// Whether a list is written as `[[…]]`.
fn holds_tables(schema: &Value) -> bool {
    schema.get("items").is_some_and(|items| items.get("properties").is_some())
}

/// `a, b or c`, each in backticks.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn conform_table(
    table: &mut DeTable<'_>,
    span: &Range<usize>,
    rule: &Allowed<'_>,
    findings: &mut Findings<'_>,
) {
    let none = Map::new();
    let known = rule.schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required = rule.schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str).filter(|name| !table.contains_key(*name)) {
        let key = rule.at(name, &Value::Null).key;
        let help = match known.get(name) {
            Some(schema) if holds_tables(schema) => format!("add `[[{key}]]`"),
            Some(schema) => format!("add `{name} = {}`", example(schema)),
            None => format!("add `{name}`"),
        };
        let message = format!("`{}` needs `{name}`", rule.key);
        findings.report(span, &key, &message, Some(help));
    }
    let any = entry_schema(rule.schema);
    let most = rule.number("maxProperties").unwrap_or(i64::MAX);
    if table.len() as i64 > most {
        let message =
            format!("`{}` has {} entries, must have at most {most}", rule.key, table.len());
        findings.report(span, &rule.key, &message, None);
        *table = DeTable::new();
    }
    for (name, mut value) in std::mem::replace(table, DeTable::new()) {
        let Some(schema) = known.get(name.get_ref().as_ref()).or(any) else {
            unknown(&name, value.get_ref(), known, rule, findings);
            continue;
        };
        if conform_value(&mut value, &rule.at(name.get_ref(), schema), findings) {
            table.insert(name, value);
        }
    }
}

/// What each entry of a map is, such as each gate of `gate`.
pub(super) fn entry_schema(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|entry| entry.is_object())
}

fn unknown(
    name: &Spanned<Cow<'_, str>>,
    value: &DeValue<'_>,
    known: &Map<String, Value>,
    rule: &Allowed<'_>,
    findings: &mut Findings<'_>,
) {
    if findings.is_full() {
        return findings.report(&name.span(), "", "", None);
    }
    let written = name.get_ref().as_ref();
    let key = rule.at(written, &Value::Null).key;
    let kind = if value.is_table() { "section" } else { "key" };
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let help = match nearest(written, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match elsewhere(written, findings.keys()) {
            Some(path) => format!("did you mean `{path}`?"),
            None if rule.key.is_empty() => format!("sections are {}", one_of(&names)),
            None => format!("keys of `{}` are {}", rule.key, one_of(&names)),
        },
    };
    findings.report(&name.span(), &key, &format!("unknown {kind} `{key}`"), Some(help));
}

/// The path of a key of exactly this name in another section.
fn elsewhere(name: &str, schema: &Value) -> Option<String> {
    let sections = schema.get("properties")?.as_object()?;
    sections.iter().find_map(|(section, inside)| {
        let holder = inside.get("items").unwrap_or(inside);
        holder.get("properties")?.get(name).map(|_| format!("{section}.{name}"))
    })
}

/// Whether the value may stay.
fn conform_value(
    value: &mut Spanned<DeValue<'_>>,
    rule: &Allowed<'_>,
    findings: &mut Findings<'_>,
) -> bool {
    let span = value.span();
    let is_right = match (rule.text("type"), value.get_mut()) {
        (Some("object"), DeValue::Table(table)) => {
            conform_table(table, &span, rule, findings);
            return true;
        }
        (Some("array"), DeValue::Array(_)) => return conform_list(value, rule, findings),
        (Some("boolean"), DeValue::Boolean(_)) => true,
        (Some("integer"), DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
            let is_at_least =
                |number: i64| rule.number("minimum").is_none_or(|least| number >= least);
            let is_at_most = |number: i64| rule.number("maximum").is_none_or(|most| number <= most);
            number.is_some_and(|number| is_at_least(number) && is_at_most(number))
        }
        (Some("number"), DeValue::Float(_) | DeValue::Integer(_)) => {
            let number = decimal(value.get_ref());
            let is_at_least = |number: f64| rule.bound("minimum").is_none_or(|it| number >= it);
            let is_at_most = |number: f64| rule.bound("maximum").is_none_or(|it| number <= it);
            number.is_some_and(|number| is_at_least(number) && is_at_most(number))
        }
        (Some("string"), DeValue::Datetime(date)) if rule.text("format") == Some("date") => {
            let text = date.to_string();
            *value.get_mut() = DeValue::String(text.into());
            true
        }
        (Some("string") | None, DeValue::String(text)) => {
            let words = rule.words();
            if words.is_empty() || words.contains(&text.as_ref()) {
                return true;
            }
            let help = nearest(text, words.iter().copied());
            let help = help.map(|near| format!("did you mean `{near}`?"));
            findings.value(&span, &rule.key, &rule.need(), help);
            return false;
        }
        _ => false,
    };
    if !is_right {
        let help = mended(value.get_ref(), findings.text(&span), rule);
        findings.value(&span, &rule.key, &rule.need(), help);
    }
    is_right
}

/// A number as it is read later: nothing that is not finite, no integer beyond 64 bits.
fn decimal(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Float(number) => number.as_str().parse().ok()?,
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok()? as f64
        }
        _ => return None,
    };
    Some(number).filter(|number: &f64| number.is_finite())
}

/// How to write a value of the wrong type.
fn mended(value: &DeValue<'_>, text: &str, rule: &Allowed<'_>) -> Option<String> {
    let is_plain_text =
        rule.text("type") == Some("string") && rule.schema.get("examples").is_none();
    match value {
        DeValue::Table(_) if holds_tables(rule.schema) => Some(format!("write `[[{}]]`", rule.key)),
        DeValue::Table(_) | DeValue::Array(_) => None,
        DeValue::String(one) if rule.schema.pointer("/properties/from").is_some() => {
            Some(format!("write `{{ from = {} }}`", written::text(one)))
        }
        DeValue::String(one)
            if matches!(rule.text("type"), Some("integer" | "number"))
                && one.parse().is_ok_and(f64::is_finite) =>
        {
            Some(format!("write `{one}` without quotes"))
        }
        DeValue::String(one) if rule.text("type") == Some("array") => {
            Some(format!("write `[{}]`", written::text(one)))
        }
        _ if is_plain_text && text.len() <= 40 => Some(format!("write `\"{text}\"`")),
        _ => None,
    }
}

fn conform_list(
    value: &mut Spanned<DeValue<'_>>,
    rule: &Allowed<'_>,
    findings: &mut Findings<'_>,
) -> bool {
    let span = value.span();
    let DeValue::Array(list) = value.get_mut() else { return false };
    let least = rule.number("minItems").unwrap_or(0);
    let most = rule.number("maxItems").unwrap_or(i64::MAX);
    let len = list.len() as i64;
    if len < least || len > most {
        let need =
            if len < least { format!("at least {least}") } else { format!("at most {most}") };
        let message = format!("`{}` has {len} entries, must have {need}", rule.key);
        findings.report(&span, &rule.key, &message, None);
        return false;
    }
    let Some(items) = rule.schema.get("items") else { return true };
    let labels = settings::labels(list);
    for (mut entry, label) in std::mem::replace(list, DeArray::new()).into_iter().zip(labels) {
        let key = format!("{}{label}", rule.key);
        if conform_value(&mut entry, &Allowed { schema: items, key }, findings) {
            list.push(entry);
        }
    }
    true
}
