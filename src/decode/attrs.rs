//! The keys of a record that play no role, as one JSON object.

use std::collections::HashMap;

use super::profile::Profile;
use super::scan::{Member, members};

/// Every key that plays no role, with its value as written: `2e2` stays `2e2`.
///
/// Of duplicate keys the last counts, as in the columns. `None` when the record is no JSON object.
pub(super) fn other_keys(record: &[u8], profile: &Profile) -> Option<String> {
    let used = profile.fields.iter().flat_map(|(_, paths)| paths.iter().map(String::as_str));
    let used: Vec<&str> =
        used.chain(profile.durations.iter().map(|field| field.path.as_str())).collect();
    let mut kept: Vec<Member<'_>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for member in members(record)?.into_iter().filter(|m| !used.contains(&m.key.as_str())) {
        if let Some(known) = places.get(&member.key).and_then(|place| kept.get_mut(*place)) {
            *known = member;
        } else {
            places.insert(member.key.clone(), kept.len());
            kept.push(member);
        }
    }
    let mut object = String::from("{");
    for (place, member) in kept.iter().enumerate() {
        object.push_str(if place == 0 { "" } else { "," });
        object.push_str(str::from_utf8(member.raw_key).ok()?);
        object.push(':');
        object.push_str(str::from_utf8(member.raw).ok()?);
    }
    object.push('}');
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::other_keys;
    use crate::decode::{Overrides, Sample, detect};

    #[test]
    fn values_stay_as_they_were_written() {
        let check = |record: &str, want: Option<&str>| {
            let sample = br#"{"time":"2026-11-18T14:03:22Z","level":"info"}"#;
            let profile = detect(&Sample::whole(sample), &Overrides::default()).unwrap().profile;
            assert_eq!(other_keys(record.as_bytes(), &profile).as_deref(), want, "{record}");
        };
        check("{}", Some("{}"));
        check(r#"{"time":1,"n":2e2,"big":1e400}"#, Some(r#"{"n":2e2,"big":1e400}"#));
        check(r#"{"a":1.10,"b":[1, 2],"a":2}"#, Some(r#"{"a":2,"b":[1, 2]}"#)); // the last one
        check(r#"{"\u006ceve\u006c":"x","\u0061":1}"#, Some(r#"{"\u0061":1}"#)); // level, escaped
        check("time=1", None);
    }
}
