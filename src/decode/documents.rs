//! Decodes JSON documents of several kinds, each as its own content tells.

use std::sync::Arc;

use super::{Decoder, Overrides, Profile, Sample, Syntax, detect};
use crate::model::Wanted;

/// Kinds of documents whose decoders are kept.
const MAX_KINDS: usize = 64;

/// The decoders of the kinds of documents seen so far.
pub struct DocumentDecoders {
    overrides: Overrides,
    wanted: Wanted,
    kinds: Vec<(Arc<Profile>, Decoder)>,
}

impl DocumentDecoders {
    /// For documents whose wanted columns are to be filled.
    pub fn new(overrides: &Overrides, wanted: &Wanted) -> Self {
        Self { overrides: overrides.clone(), wanted: wanted.clone(), kinds: Vec::new() }
    }

    /// The decoder of a document whose records these are, a line each, as if the document were an
    /// input of its own; `None` when it is no JSON.
    pub fn of(&mut self, records: &[u8]) -> Option<&mut Decoder> {
        let profile = detect(&Sample::whole(records), &self.overrides).ok()?.profile;
        if profile.syntax != Syntax::Json {
            return None;
        }
        let known = self.kinds.iter().position(|(known, _)| **known == profile);
        let at = known.unwrap_or_else(|| {
            if self.kinds.len() >= MAX_KINDS {
                self.kinds.clear();
            }
            let profile = Arc::new(profile);
            let decoder = Decoder::new(&profile, &self.wanted);
            self.kinds.push((profile, decoder));
            self.kinds.len() - 1
        });
        self.kinds.get_mut(at).map(|(_, decoder)| decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::{DocumentDecoders, MAX_KINDS, Overrides};
    use crate::model::{EventBatch, NO_TIME, Wanted};

    #[test]
    fn each_document_is_read_as_its_kind() {
        let mut decoders = DocumentDecoders::new(&Overrides::default(), &Wanted::default());
        let mut times = |text: &str| {
            let mut events = EventBatch::default();
            decoders.of(text.as_bytes())?.decode(text.as_bytes(), 0, &mut events);
            Some(events.ts_us.iter().filter(|ts_us| **ts_us != NO_TIME).count())
        };
        assert_eq!(times("{\"timestamp\":\"2026-11-18T14:12:00Z\",\"msg\":\"x\"}"), Some(1));
        assert_eq!(
            times(
                "{\"academicPeriod\":{\"submittedAt\":\"2026-11-18T14:12:00Z\"},\"metadata\":{\"studentId\":1}}"
            ),
            Some(1)
        );
        assert_eq!(times("{\"cut\":"), None); // no JSON
        assert_eq!(times(""), None);
        for kind in 0..MAX_KINDS + 2 {
            // Other keys play the same role: another profile each.
            let roles = ["service", "host", "level", "version", "user", "method", "trace_id"];
            let chosen = roles.iter().enumerate().filter(|(bit, _)| kind >> bit & 1 == 1);
            let keys: Vec<String> = chosen.map(|(_, name)| format!(",\"{name}\":\"x\"")).collect();
            let keys = keys.concat();
            let text = format!("{{\"time\":\"2026-11-18T14:12:00Z\"{keys}}}");
            assert_eq!(times(&text), Some(1), "{text}");
        }
        assert!(decoders.kinds.len() <= MAX_KINDS);
    }
}
