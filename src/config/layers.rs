//! Lays the file over the defaults, the environment over the file, and options over all.
//!
//! Spans of all layers are bytes of the same [`Texts`], so that a value keeps its origin wherever
//! it goes. Nothing is judged here except that TOML must be TOML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::texts::{Origin, Texts, names_secret};
use super::{DEFAULTS, FILE_VARIABLE, OptionValue, PREFIX, Request};
use crate::model::nearest;

/// A table whose keys and values have their spans.
type Tree<'t> = Spanned<DeTable<'t>>;
pub(super) type Node<'t> = Spanned<DeValue<'t>>;
type Name<'t> = Spanned<Cow<'t, str>>;

/// Name of the entry in the defaults that says what every entry of its map has.
pub(super) const ANY: &str = "*";

/// A syntax error: where and what.
pub(super) type SyntaxError = (Range<usize>, String);

/// All layers as one tree, before anything is judged.
pub(super) struct Layered<'t> {
    /// Every text that was laid down.
    pub texts: Texts,
    /// Every value in effect.
    pub tree: DeTable<'t>,
    /// Where the file begins in the texts.
    pub file_base: usize,
    /// What is no TOML in the file.
    pub errors: Vec<SyntaxError>,
    /// Variables that set nothing.
    pub unknown: Vec<(Range<usize>, String, Option<String>)>,
}

impl<'t> Layered<'t> {
    /// Lays them down; `keys` is the schema.
    pub(super) fn new(file: Option<(&Path, &'t str)>, request: &'t Request, keys: &Value) -> Self {
        let mut texts = Texts::default();
        let defaults_base = texts.add(Origin::Default, DEFAULTS);
        let tree = defaults(defaults_base).into_inner();
        let mut layered =
            Self { texts, tree, file_base: 0, errors: Vec::new(), unknown: Vec::new() };
        layered.add_file(file, &request.directory);
        layered.add_environment(&request.environment, keys);
        let kinds = section_keys(keys);
        for OptionValue { option, key, value } in &request.options {
            let base = add_text(&mut layered.texts, Origin::Option(option.clone()), key, value);
            let kind = kinds.values().find(|(known, _)| known == key).map_or("", |(_, kind)| *kind);
            set(&mut layered.tree, key, kind, value, base);
        }
        layered
    }

    fn add_file(&mut self, file: Option<(&Path, &'t str)>, directory: &Path) {
        let Some((path, text)) = file else {
            return drop_patterns(&mut self.tree, &DeTable::new());
        };
        let shown = path.strip_prefix(directory).unwrap_or(path);
        self.file_base = self.texts.add(Origin::File(shown.to_owned()), text);
        let (table, errors) = parse(text, self.file_base);
        self.errors = errors;
        drop_patterns(&mut self.tree, table.get_ref());
        overlay(&mut self.tree, table.into_inner());
    }

    fn add_environment(&mut self, environment: &'t [(String, String)], keys: &Value) {
        let known = section_keys(keys);
        // What is set and empty is as good as not set.
        let is_ours = |(name, text): &&(String, String)| {
            name.starts_with(PREFIX) && name != FILE_VARIABLE && !text.is_empty()
        };
        for (name, text) in environment.iter().filter(is_ours) {
            let origin = Origin::Environment(name.clone());
            if let Some((key, kind)) = known.get(name) {
                let base = add_text(&mut self.texts, origin, key, text);
                set(&mut self.tree, key, kind, text, base);
                continue;
            }
            // It may be the name of a secret with a slip in it.
            let base = self.texts.add_secret(origin, text);
            let near = nearest(name, known.keys().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("the variable `{name}` sets nothing");
            self.unknown.push((base..base + text.len(), message, help));
        }
    }
}

fn add_text(texts: &mut Texts, origin: Origin, key: &str, text: &str) -> usize {
    if names_secret(key) { texts.add_secret(origin, text) } else { texts.add(origin, text) }
}

/// Variable → key and type, for every single value of a section.
pub(super) fn section_keys(keys: &Value) -> BTreeMap<String, (String, &str)> {
    let mut known = BTreeMap::new();
    for (section, inside) in properties(keys) {
        for (name, schema) in properties(inside) {
            let kind = schema.get("type").and_then(Value::as_str).unwrap_or("string");
            if kind != "array" && kind != "object" {
                let variable = format!("{PREFIX}{section}_{name}").to_ascii_uppercase();
                known.insert(variable, (format!("{section}.{name}"), kind));
            }
        }
    }
    known
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The tree of one TOML text that begins at `base`; as much of it as can be read.
fn parse(text: &str, base: usize) -> (Tree<'_>, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let span = shifted_span(&table.span(), base);
    let tree = Spanned::new(span, shifted_table(table.into_inner(), base));
    let describe = |error: toml::de::Error| {
        // An error without a place is one of the end, such as an unclosed string.
        let local = error.span().unwrap_or(text.len()..text.len());
        (shifted_span(&local, base), error.message().to_owned())
    };
    (tree, errors.into_iter().map(describe).collect())
}

/// The defaults, with spans of the text at `base`.
pub(super) fn defaults(base: usize) -> Tree<'static> {
    parse(DEFAULTS, base).0
}

/// Lays `upper` over `lower`. The only entry of a list of tables below, and the entry `*` of a map,
/// is what each entry above has that does not say otherwise.
fn overlay<'t>(lower: &mut DeTable<'t>, upper: DeTable<'t>) {
    let pattern = lower.remove(ANY).map(Spanned::into_inner);
    for (name, mut above) in upper {
        if let (Some(DeValue::Table(pattern)), DeValue::Table(entry)) = (&pattern, above.get_mut())
        {
            fill_entry(pattern, entry);
        }
        // The old key goes as well: it has the span of the layer below.
        let below = lower.remove_entry(name.get_ref().as_ref());
        if let Some((_, below)) = below {
            let span = above.span();
            match (below.into_inner(), above.get_mut()) {
                (DeValue::Table(mut below), DeValue::Table(above_table)) => {
                    overlay(&mut below, std::mem::replace(above_table, DeTable::new()));
                    above = Spanned::new(span, DeValue::Table(below));
                }
                (DeValue::Array(below), DeValue::Array(entries)) => fill_entries(&below, entries),
                _ => {}
            }
        }
        lower.insert(name, above);
    }
}

fn fill_entries<'t>(pattern: &DeArray<'t>, entries: &mut DeArray<'t>) {
    let Some(DeValue::Table(pattern)) = pattern.first().map(Spanned::get_ref) else { return };
    for entry in entries.iter_mut() {
        if let DeValue::Table(table) = entry.get_mut() {
            fill_entry(pattern, table);
        }
    }
}

fn fill_entry<'t>(pattern: &DeTable<'t>, entry: &mut DeTable<'t>) {
    let mut whole = pattern.clone();
    drop_patterns(&mut whole, entry);
    overlay(&mut whole, std::mem::replace(entry, DeTable::new()));
    *entry = whole;
}

/// Takes the lists of tables and the maps that the file does not have out of the defaults, where
/// they only show what an entry has.
fn drop_patterns<'t>(tree: &mut DeTable<'t>, file: &DeTable<'t>) {
    let names: Vec<Name<'t>> = tree.iter().map(|(name, _)| name.clone()).collect();
    for name in names {
        let is_pattern =
            tree.get(name.get_ref().as_ref()).is_some_and(|value| match value.get_ref() {
                DeValue::Array(list) => list.iter().any(|entry| entry.get_ref().is_table()),
                DeValue::Table(table) => table.contains_key(ANY),
                _ => false,
            });
        if is_pattern && !file.contains_key(name.get_ref().as_ref()) {
            tree.remove(name.get_ref().as_ref());
        }
    }
}

/// Sets the key of a dotted path to what an option or a variable says; `kind` is the type of the
/// key, as in the schema.
fn set<'t>(tree: &mut DeTable<'t>, path: &str, kind: &str, text: &'t str, base: usize) {
    let span = base..base + text.len();
    let parsed = if kind == "string" { None } else { DeValue::parse(text).ok() };
    let value = match parsed.map(Spanned::into_inner) {
        Some(value @ (DeValue::Integer(_) | DeValue::Boolean(_))) => value,
        _ => DeValue::String(Cow::Borrowed(text)),
    };
    let mut node = Spanned::new(span.clone(), value);
    for name in path.rsplit('.') {
        let mut table = DeTable::new();
        table.insert(Spanned::new(span.clone(), Cow::Owned(name.to_owned())), node);
        node = Spanned::new(span.clone(), DeValue::Table(table));
    }
    if let DeValue::Table(table) = node.into_inner() {
        overlay(tree, table);
    }
}

fn shifted_span(span: &Range<usize>, base: usize) -> Range<usize> {
    span.start + base..span.end + base
}

fn shifted_table(table: DeTable<'_>, base: usize) -> DeTable<'_> {
    let entries = table.into_iter().map(|(name, value)| {
        let span = shifted_span(&name.span(), base);
        (Spanned::new(span, name.into_inner()), shifted(value, base))
    });
    entries.collect()
}

/// The value with its spans moved by `base`; as deep as the parser allows, 80 levels.
fn shifted(value: Node<'_>, base: usize) -> Node<'_> {
    let span = shifted_span(&value.span(), base);
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shifted_table(table, base)),
        DeValue::Array(list) => {
            DeValue::Array(list.into_iter().map(|entry| shifted(entry, base)).collect())
        }
        leaf => leaf,
    };
    Spanned::new(span, value)
}
