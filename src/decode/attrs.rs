//! The keys of a record that play no role, as one JSON object.

use std::collections::HashMap;

use rustc_hash::FxHashSet;

use super::profile::{Profile, Syntax};
use super::scan::{Written, members, outline};

/// Keys that are compared one by one for duplicates; a record with more is read the long way.
const MAX_COMPARED: usize = 32;

/// Writes the other keys of the records of one profile.
pub(super) struct OtherKeys {
    /// Keys that play a role; not from the records, so nobody can make them collide.
    used: FxHashSet<Box<[u8]>>,
    /// Whether records come from the scanner, which accepts nothing but objects.
    are_scanned: bool,
    object: Vec<u8>,
}

impl OtherKeys {
    pub(super) fn new(profile: &Profile) -> Self {
        let used = profile.fields.iter().flat_map(|(_, paths)| paths);
        let used = used.chain(profile.durations.iter().map(|field| &field.path));
        Self {
            used: used.map(|path| path.as_bytes().into()).collect(),
            are_scanned: profile.syntax == Syntax::Json,
            object: Vec::new(),
        }
    }

    /// Every key that plays no role, with its value as written: `2e2` stays `2e2`.
    ///
    /// Of duplicate keys the last counts, as in the columns. `None` when the record is no JSON
    /// object.
    pub(super) fn of(&mut self, record: &[u8]) -> Option<&str> {
        let plain = if self.are_scanned { self.compared(record) } else { None };
        let kept = match plain {
            Some(kept) => kept,
            None => self.unescaped(record)?,
        };
        self.object.clear();
        self.object.push(b'{');
        for (place, Written { key, value }) in kept.into_iter().enumerate() {
            self.object.extend_from_slice(if place == 0 { b"" } else { b"," });
            self.object.extend_from_slice(key);
            self.object.push(b':');
            self.object.extend_from_slice(value);
        }
        self.object.push(b'}');
        str::from_utf8(&self.object).ok()
    }

    /// The members to keep of a record with few and plain keys.
    fn compared<'r>(&self, record: &'r [u8]) -> Option<Vec<Written<'r>>> {
        let mut kept: Vec<Written<'r>> = Vec::with_capacity(MAX_COMPARED);
        for member in outline(record) {
            let name = member.key.get(1..member.key.len() - 1)?;
            if name.contains(&b'\\') {
                return None;
            }
            if self.used.contains(name) {
                continue;
            }
            if let Some(known) = kept.iter_mut().find(|known| known.key == member.key) {
                *known = member;
            } else if kept.len() < MAX_COMPARED {
                kept.push(member);
            } else {
                return None;
            }
        }
        Some(kept)
    }

    /// The members to keep of any record.
    fn unescaped<'r>(&self, record: &'r [u8]) -> Option<Vec<Written<'r>>> {
        let mut kept: Vec<Written<'r>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for member in members(record)? {
            if self.used.contains(member.key.as_bytes()) {
                continue;
            }
            let place = *places.entry(member.key).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(known) => *known = member.written,
                None => kept.push(member.written),
            }
        }
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::OtherKeys;
    use crate::decode::{Overrides, Profile, Sample, detect};

    fn profile() -> Profile {
        let sample = br#"{"time":"2026-11-18T14:03:22Z","level":"info"}"#;
        detect(&Sample::whole(sample), &Overrides::default()).unwrap().profile
    }

    #[test]
    fn values_stay_as_they_were_written() {
        let check = |record: &str, want: Option<&str>| {
            let mut keys = OtherKeys::new(&profile());
            assert_eq!(keys.of(record.as_bytes()), want, "{record}");
            keys.are_scanned = false;
            assert_eq!(keys.of(record.as_bytes()), want, "the long way: {record}");
        };
        check("{}", Some("{}"));
        check(r#"{"time":1,"n":2e2,"big":1e400}"#, Some(r#"{"n":2e2,"big":1e400}"#));
        check(r#"{"a":1.10,"b":[1, 2],"a":2}"#, Some(r#"{"a":2,"b":[1, 2]}"#)); // the last one
        check(r#"{"\u006ceve\u006c":"x","\u0061":1}"#, Some(r#"{"\u0061":1}"#)); // level, escaped
        check(r#"{"a":1,"\u0061":2}"#, Some(r#"{"\u0061":2}"#)); // one key, written in two ways
        check(r#" { "a" : {"b":"}\"{"} , "c":"x\\" } "#, Some(r#"{"a":{"b":"}\"{"},"c":"x\\"}"#));
    }

    #[test]
    fn text_has_no_other_keys() {
        let mut keys = OtherKeys::new(&Profile { syntax: super::Syntax::Text, ..profile() });
        assert_eq!(keys.of(b"time=1"), None);
    }

    fn value() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("1e400".to_owned()),
            Just(" null ".to_owned()),
            r#"[a-z\{\}\[\],:é"\\]{0,40}"#
                .prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        scalar.prop_recursive(3, 12, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4);
            let object = prop::collection::vec(("[a-c\\\\\"]{0,2}", inner), 0..4);
            prop_oneof![
                list.prop_map(|items| format!("[{}]", items.join(" , "))),
                object.prop_map(written)
            ]
        })
    }

    fn written(members: Vec<(String, String)>) -> String {
        let member = |(key, value)| format!("{} :{value}", serde_json::Value::from(key));
        let members: Vec<String> = members.into_iter().map(member).collect();
        format!(" {{{}}}\t", members.join(" , "))
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same(
            members in prop::collection::vec((r#"time|level|[a-e\\"é]{0,3}|[a-z]{30}"#, value()), 0..50),
        ) {
            let record = written(members);
            let mut keys = OtherKeys::new(&profile());
            let quick = keys.of(record.as_bytes()).map(str::to_owned);
            keys.are_scanned = false;
            prop_assert_eq!(quick.as_deref(), keys.of(record.as_bytes()), "{}", record);
        }
    }
}
