//! What questions name and no record has: fields, and words of labels.

use std::collections::BTreeSet;

use super::condition::Compiled;
use super::plan::{Question, Take};
use super::row::{Cell, Column};
use crate::decode::route_of;
use crate::model::{EventBatch, Label, Wanted, nearest};
use crate::rule::{Cmp, Condition, Test, Value};
use crate::template::masked;

/// Different names of a label among which the word that was meant is sought.
const MAX_NAMES: usize = 2_000;

/// A word that a condition names and no record has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenWord {
    /// The field.
    pub field: String,
    /// The word, or the pattern.
    pub word: String,
    /// What records have that is near; log text.
    pub meant: Option<String>,
}

/// What was looked for and not seen yet.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    fields: Vec<(String, Column)>,
    words: Vec<Word>,
}

#[derive(Debug)]
struct Word {
    field: String,
    label: Label,
    word: String,
    compiled: Compiled,
    /// What the records have instead.
    names: BTreeSet<String>,
}

impl Unseen {
    pub(super) fn of(questions: &[Question], wanted: &mut Wanted) -> Self {
        let mut unseen = Self::default();
        for Question { filter, take, per, .. } in questions {
            let taken = match take {
                Take::Rows => None,
                Take::Values(field) | Take::Distinct(field) => Some(field),
            };
            let conditions = filter.conditions.iter();
            let named = conditions.clone().map(|condition| &condition.field.name);
            for field in named.chain(taken).chain(per) {
                let column = Column::of(field, wanted);
                if !unseen.fields.iter().any(|(known, _)| known == field) {
                    unseen.fields.push((field.clone(), column));
                }
            }
            for condition in conditions {
                unseen.look_for(condition);
            }
        }
        unseen
    }

    fn look_for(&mut self, condition: &Condition) {
        let field = &condition.field.name;
        let Some(label) = Label::find(field) else { return };
        let tests: Vec<(&str, Test)> = match &condition.test {
            Test::Compare(Cmp::Equal, Value::Text(word)) => {
                vec![(word.as_str(), condition.test.clone())]
            }
            Test::In(values) => values
                .iter()
                .filter_map(|value| match value {
                    Value::Text(word) => Some((&**word, Test::In(vec![value.clone()]))),
                    Value::Number(_) | Value::Time(_) => None,
                })
                .collect(),
            Test::Like(pattern) => vec![(pattern.as_str(), condition.test.clone())],
            _ => Vec::new(),
        };
        for (word, test) in tests {
            if self.words.iter().any(|known| known.field == *field && known.word == word) {
                continue;
            }
            self.words.push(Word {
                field: field.clone(),
                label,
                word: word.to_owned(),
                compiled: Compiled { column: Column::Label(label), test },
                names: BTreeSet::new(),
            });
        }
    }

    pub(super) fn see(&mut self, events: &EventBatch) {
        self.fields.retain(|(_, column)| {
            (0..events.len).all(|row| column.cell(events, row) == Cell::Missing)
        });
        self.words.retain_mut(|word| {
            let names = events.label(word.label).names();
            let is_seen = names.iter().any(|name| word.compiled.holds(Cell::Text(name)));
            for name in names {
                if word.names.len() < MAX_NAMES && !word.names.contains(&**name) {
                    word.names.insert((**name).to_owned());
                }
            }
            !is_seen
        });
    }

    /// Fields that no record has, and words that none has whose field some do.
    pub(super) fn finish(self) -> (Vec<String>, Vec<UnseenWord>) {
        let fields: Vec<String> = self.fields.into_iter().map(|(field, _)| field).collect();
        let words = self.words.into_iter().filter(|word| !fields.contains(&word.field));
        let words = words.map(Word::finish).collect();
        (fields, words)
    }
}

impl Word {
    fn finish(self) -> UnseenWord {
        let Self { field, label, word, names, .. } = self;
        let mut masked_word = String::new();
        match label {
            Label::Route => {
                route_of(word.as_bytes(), &mut masked_word);
            }
            Label::Template => masked_word = masked(&word),
            _ => masked_word.clone_from(&word),
        }
        let meant = nearest(&masked_word, names.iter().map(String::as_str)).map(str::to_owned);
        UnseenWord { field, word, meant }
    }
}
