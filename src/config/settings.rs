//! What is in effect and who said it, key by key; and the defaults, for the schema.

use std::collections::HashMap;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::layers::{self, Node};
use super::texts::{MASK, Origin, Texts};
use super::{grammar, written};

/// A value in effect, for `config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Such as `store.path` or `source.app.include`.
    pub key: String,
    /// As TOML; secrets are masked.
    pub value: String,
    /// Who said it.
    pub origin: Origin,
    /// Line in the file, from 1; `None` if it does not stand in a file.
    pub line: Option<usize>,
}

/// Every value in effect, in the order of the schema; `derived` are keys that follow from others.
pub(super) fn settings(
    tree: &DeTable<'_>,
    schema: &Value,
    texts: &Texts,
    derived: &[(String, String)],
) -> Vec<Setting> {
    let mut flat = Flat { texts, derived, settings: Vec::new() };
    flat.table(tree, schema, "");
    flat.settings
}

struct Flat<'a> {
    texts: &'a Texts,
    derived: &'a [(String, String)],
    settings: Vec<Setting>,
}

impl Flat<'_> {
    fn table(&mut self, table: &DeTable<'_>, schema: &Value, path: &str) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (name, schema) in known {
            self.value(table.get(name.as_str()), schema, &joined(path, name));
        }
        let Some(schema) = grammar::entry_schema(schema) else { return };
        for (name, value) in table {
            self.value(Some(value), schema, &joined(path, name.get_ref()));
        }
    }

    fn value(&mut self, value: Option<&Node<'_>>, schema: &Value, key: &str) {
        let Some(value) = value else {
            if schema.get("properties").is_some() {
                return self.table(&DeTable::new(), schema, key);
            }
            let derived = self.derived.iter().find(|(known, _)| known == key);
            if let Some((_, text)) = derived {
                let (key, value) = (key.to_owned(), written::text(text));
                self.settings.push(Setting { key, value, origin: Origin::Default, line: None });
            }
            return;
        };
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, schema, key),
            DeValue::Array(list) if list.iter().any(|entry| entry.get_ref().is_table()) => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                for (label, entry) in labels(list).iter().zip(list.iter()) {
                    self.value(Some(entry), items, &format!("{key}{label}"));
                }
            }
            leaf => {
                let is_secret = schema.get("writeOnly") == Some(&Value::Bool(true));
                let shown = if is_secret { MASK.to_owned() } else { written::value(leaf) };
                let origin = self.texts.origin(&value.span());
                let is_file = matches!(origin, Origin::File(_));
                let line = is_file.then(|| self.texts.line(&value.span()));
                self.settings.push(Setting { key: key.to_owned(), value: shown, origin, line });
            }
        }
    }
}

/// How each entry of a list is called behind the list's own name: `.app` by its name or id where
/// only it has that, else `[2]`.
pub(super) fn labels(list: &[Node<'_>]) -> Vec<String> {
    let name = |entry: &Node<'_>| -> Option<String> {
        let DeValue::Table(table) = entry.get_ref() else { return None };
        let named = table.get("name").or_else(|| table.get("id"))?;
        named.get_ref().as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    };
    let names: Vec<Option<String>> = list.iter().map(name).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for name in names.iter().flatten() {
        *counts.entry(name).or_default() += 1;
    }
    let label = |(index, name): (usize, &Option<String>)| match name {
        Some(name) if counts.get(name.as_str()) == Some(&1) => format!(".{}", written::key(name)),
        _ => format!("[{index}]"),
    };
    names.iter().enumerate().map(label).collect()
}

/// Writes the defaults into a schema, for editors.
pub(super) fn fill_defaults(schema: &mut Value) {
    let tree = layers::defaults(0);
    fill(schema, &DeValue::Table(tree.into_inner()));
}

fn fill(schema: &mut Value, value: &DeValue<'_>) {
    match value {
        DeValue::Table(table) => {
            for (name, value) in table {
                let inside = match name.get_ref().as_ref() {
                    layers::ANY => schema.get_mut("additionalProperties"),
                    name => schema.get_mut("properties").and_then(|all| all.get_mut(name)),
                };
                if let Some(inside) = inside {
                    fill(inside, value.get_ref());
                }
            }
        }
        DeValue::Array(list) if list.iter().any(|entry| entry.get_ref().is_table()) => {
            if let (Some(items), Some(pattern)) = (schema.get_mut("items"), list.first()) {
                fill(items, pattern.get_ref());
            }
        }
        leaf => {
            if let Some(object) = schema.as_object_mut() {
                object.insert("default".to_owned(), json(leaf));
            }
        }
    }
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => number.as_str().parse::<i64>().map_or(Value::Null, Value::from),
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(answer) => Value::from(*answer),
        DeValue::Array(list) => list.iter().map(|entry| json(entry.get_ref())).collect(),
        _ => Value::Null,
    }
}

fn joined(path: &str, name: &str) -> String {
    let name = written::key(name);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
