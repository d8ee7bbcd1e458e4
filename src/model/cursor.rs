//! Where the reading of one file generation stands, with the evidence that finds it again.
//!
//! A cursor is stored in the same commit as the rows it speaks of. The whole list of a source is
//! rewritten with each commit, so the JSON form is compact: short names, hexadecimal
//! fingerprints, nothing that can be had from the file itself.
//! A cursor never says that a file *is* the generation; it only lets `source` test that.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One life of one file's bytes, whatever its name: a random number, shown as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId(pub u64);

/// A 128-bit fingerprint of some bytes (the first half of their SHA-256), shown as 32 hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// Which file of the machine: a device, an inode, and when it was born where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u64, u64, Option<i64>)", into = "(u64, u64, Option<i64>)")]
pub struct FileId {
    /// Device number.
    pub dev: u64,
    /// Inode number; reused by the file system once a file is gone.
    pub ino: u64,
    /// Birth time in nanoseconds since the epoch; `None` where the file system keeps none.
    pub born_ns: Option<i64>,
}

/// A known point of a generation: what the bytes just before it look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, Fingerprint)", into = "(u64, Fingerprint)")]
pub struct Mark {
    /// Offset in bytes.
    pub at: u64,
    /// Fingerprint of the up to 4,096 bytes before it.
    pub print: Fingerprint,
}

/// How the file that holds the generation is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// gzip, one or more members.
    Gz,
    /// Zstandard, one or more frames.
    Zst,
}

/// A complete compressed file, told by its raw bytes without decompressing it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// The format, told by the first bytes.
    pub format: Compression,
    /// Length of the compressed file in bytes.
    pub len: u64,
    /// Fingerprint of its last bytes; they hold the checksum of the content.
    pub tail: Fingerprint,
}

/// What is known about the file of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerationState {
    /// Under the path where it was first seen.
    Live,
    /// Under another path: renamed, copied or compressed.
    Rotated,
    /// Read to its end; nothing more is expected, but growth would be read.
    Closed,
    /// No file with these bytes is left.
    Gone,
}

/// Where the reading of one generation stands. `[0, position)` is exactly what was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The generation.
    #[serde(rename = "gen")]
    pub generation: GenerationId,
    /// Where it was last seen; for people, never evidence (a path that is not UTF-8 is bent).
    #[serde(serialize_with = "path_as_text")]
    pub path: PathBuf,
    /// The file that held it last.
    pub file: FileId,
    /// Fingerprint of the first `head.at` bytes: `min(1024, position)`.
    pub head: Mark,
    /// The next byte to read, counted in decompressed bytes.
    #[serde(rename = "pos")]
    pub position: u64,
    /// Fingerprint of the up to 4,096 bytes before `position`.
    pub guard: Fingerprint,
    /// The position at an earlier scan, if that was another: tells a copy that is shorter than
    /// what was read since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Mark>,
    /// The length at which another file was seen to be a copy of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Mark>,
    /// The largest size the file was seen with, in decompressed bytes.
    #[serde(rename = "seen")]
    pub size_seen: u64,
    /// What is known about its file.
    pub state: GenerationState,
    /// Set while the generation lives in a compressed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed: Option<Packed>,
}

/// Which version of a JSON document was handed out last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentCursor {
    /// The last version that had something new, as its rows name it.
    #[serde(rename = "gen")]
    pub generation: GenerationId,
    /// Where the document is (a path that is not UTF-8 is bent).
    #[serde(serialize_with = "path_as_text")]
    pub path: PathBuf,
    /// What it is known by since it was seen first, if that is another than its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Length in bytes of the version that `generation` names; 0 if no version had a record.
    pub len: u64,
    /// Fingerprint of all bytes of the version that was read last.
    pub version: Fingerprint,
    /// Short fingerprints of its records, 16 hex digits each; empty when there are too many.
    #[serde(with = "rows_as_text")]
    pub rows: Vec<u64>,
}

/// Where the reading of a source stands, as the store keeps it beside the source's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Positions {
    /// Of a source of logs.
    Files(Vec<Cursor>),
    /// Of a source of JSON documents.
    Documents(Vec<DocumentCursor>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentPositions {
    documents: Vec<DocumentCursor>,
}

impl Positions {
    /// Reads what [`Positions::text`] wrote.
    ///
    /// # Errors
    /// When the text is damaged.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if Self::are_of_documents(text) {
            return serde_json::from_str(text)
                .map(|DocumentPositions { documents }| Self::Documents(documents));
        }
        serde_json::from_str(text).map(Self::Files)
    }

    /// The form in which they are stored.
    pub fn text(self) -> String {
        let text = match self {
            Self::Files(cursors) => serde_json::to_string(&cursors),
            Self::Documents(documents) => serde_json::to_string(&DocumentPositions { documents }),
        };
        // Numbers, texts and lists of them always have a JSON form.
        text.unwrap_or_default()
    }

    /// Whether the stored form is that of documents.
    pub fn are_of_documents(text: &str) -> bool {
        text.starts_with('{')
    }

    /// Each generation with how far it was read.
    pub fn ends(&self) -> Vec<(GenerationId, u64)> {
        match self {
            Self::Files(cursors) => cursors.iter().map(|it| (it.generation, it.position)).collect(),
            Self::Documents(cursors) => cursors.iter().map(|it| (it.generation, it.len)).collect(),
        }
    }
}

impl From<(u64, u64, Option<i64>)> for FileId {
    fn from((dev, ino, born_ns): (u64, u64, Option<i64>)) -> Self {
        Self { dev, ino, born_ns }
    }
}

impl From<FileId> for (u64, u64, Option<i64>) {
    fn from(file: FileId) -> Self {
        (file.dev, file.ino, file.born_ns)
    }
}

impl From<(u64, Fingerprint)> for Mark {
    fn from((at, print): (u64, Fingerprint)) -> Self {
        Self { at, print }
    }
}

impl From<Mark> for (u64, Fingerprint) {
    fn from(mark: Mark) -> Self {
        (mark.at, mark.print)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for GenerationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GenerationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != 16 {
            return Err(de::Error::custom("a generation has 16 hex digits"));
        }
        u64::from_str_radix(&text, 16).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != 32 {
            return Err(de::Error::custom("a fingerprint has 32 hex digits"));
        }
        u128::from_str_radix(&text, 16)
            .map(|value| Self(value.to_be_bytes()))
            .map_err(de::Error::custom)
    }
}

fn path_as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

mod rows_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(rows: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        let text: Vec<String> = rows.iter().map(|row| format!("{row:016x}")).collect();
        serializer.serialize_str(&text.concat())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let row = |at: usize| {
            let digits = text.get(at..at + 16);
            let digits = digits.ok_or_else(|| de::Error::custom("a row has 16 hex digits"))?;
            u64::from_str_radix(digits, 16).map_err(de::Error::custom)
        };
        (0..text.len()).step_by(16).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            generation: GenerationId(0xab),
            path: "logs/app.log".into(),
            file: FileId { dev: 1, ino: 2, born_ns: None },
            head: Mark { at: 1024, print: Fingerprint([0x11; 16]) },
            position: 5000,
            guard: Fingerprint([0x22; 16]),
            earlier: None,
            copy: None,
            size_seen: 5001,
            state: GenerationState::Live,
            packed: None,
        }
    }

    #[test]
    fn the_stored_form_is_small_and_comes_back_the_same() {
        let text = serde_json::to_string(&cursor()).unwrap();
        insta::assert_snapshot!(text, @r#"{"gen":"00000000000000ab","path":"logs/app.log","file":[1,2,null],"head":[1024,"11111111111111111111111111111111"],"pos":5000,"guard":"22222222222222222222222222222222","seen":5001,"state":"live"}"#);
        assert!(text.len() < 300, "10,000 of these are rewritten with each commit");
        assert_eq!(serde_json::from_str::<Cursor>(&text).unwrap(), cursor());
    }

    #[test]
    fn all_optional_parts_come_back_the_same() {
        let mark = Mark { at: 7, print: Fingerprint([3; 16]) };
        let packed = Packed { format: Compression::Zst, len: 9, tail: Fingerprint([4; 16]) };
        let full = Cursor {
            earlier: Some(mark),
            copy: Some(mark),
            packed: Some(packed),
            state: GenerationState::Gone,
            ..cursor()
        };
        let text = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&text).unwrap(), full);
    }

    #[test]
    fn positions_of_files_and_of_documents_are_told_apart() {
        let document = DocumentCursor {
            generation: GenerationId(0xcd),
            path: "in/a.json".into(),
            name: Some("a.json".to_owned()),
            len: 7,
            version: Fingerprint([5; 16]),
            rows: vec![1, 2],
        };
        let check = |positions: Positions, end: u64| {
            let text = positions.clone().text();
            let read = Positions::parse(&text).unwrap();
            assert_eq!(read, positions, "{text}");
            assert!(read.ends().iter().all(|(_, at)| *at == end));
        };
        check(Positions::Files(vec![cursor()]), 5000);
        check(Positions::Files(Vec::new()), 0);
        check(Positions::Documents(vec![document.clone()]), 7);
        check(Positions::Documents(vec![DocumentCursor { name: None, ..document }]), 7);
        check(Positions::Documents(Vec::new()), 0); // still a source of documents
        for bad in ["", "{}", "{\"documents\":[{}]}", "{\"documents\":[],\"x\":1}", "[{}]"] {
            assert!(Positions::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_damaged_cursor_is_refused_and_never_half_read() {
        for bad in ["", "null", "{}", "[]", "\0\0\0\0", r#"{"gen":"xyz"}"#] {
            assert!(serde_json::from_str::<Cursor>(bad).is_err(), "{bad:?}");
        }
        for bad in ["\"00\"", "\"zz000000000000ab\"", "7", "\"+0000000000000ab\""] {
            let read = serde_json::from_str::<GenerationId>(bad);
            assert!(read.is_err() || bad.contains('+'), "{bad}");
        }
    }
}
