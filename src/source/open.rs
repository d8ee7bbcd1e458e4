//! Opens one input, looks at its beginning, and undoes its compression.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use crate::model::one_line;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::discover::Input;
use super::reader::{ChunkReader, Framing};

/// Bytes at the beginning of an input, after decompression, by which its format is told.
const SAMPLE_BYTES: usize = 256 * 1024;
/// Bytes that are looked at in each place further on.
const LATER_BYTES: u64 = 32 * 1024;
/// Those places, in quarters of the file; the last one is its end. A field that appears with a
/// later version of the program, or logs behind a long banner, are seen there.
const LATER_QUARTERS: [u64; 4] = [1, 2, 3, 4];

/// Files up to this size are hashed whole for the report's method section; hashing a larger one
/// would cost more than reading it.
pub const MAX_HASHED_BYTES: u64 = 256 * 1024 * 1024;

/// An input cannot be read, or ends in the middle of its compression.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read `{}`", one_line(name))]
    Io {
        /// The input.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The compressed stream is cut off or damaged.
    #[error(
        "`{}` is a damaged or incomplete {kind} file: only {read_bytes} bytes came out",
        one_line(name)
    )]
    Compressed {
        /// The input.
        name: String,
        /// `gzip` or `zstd`.
        kind: &'static str,
        /// Bytes decompressed before the damage.
        read_bytes: u64,
        /// What the decompressor said.
        source: io::Error,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// Told by the first bytes, not by the name: rotated files are renamed at will.
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    pub(super) fn error(self, name: &str, read_bytes: u64, source: io::Error) -> ReadError {
        let name = name.to_owned();
        let from_system = source.raw_os_error().is_some();
        match self {
            Self::Gzip if !from_system => {
                ReadError::Compressed { name, kind: "gzip", read_bytes, source }
            }
            Self::Zstd if !from_system => {
                ReadError::Compressed { name, kind: "zstd", read_bytes, source }
            }
            _ => ReadError::Io { name, source },
        }
    }
}

/// One input with its beginning already read.
pub struct Source {
    name: String,
    compression: Compression,
    sample: Vec<u8>,
    /// Whole lines from further on.
    later: Vec<u8>,
    /// What ended the sample before its time.
    damage: Option<ReadError>,
    bytes_on_disk: Option<u64>,
    /// What comes after the sample, for an input that cannot be opened twice.
    rest: Option<Box<dyn Read + Send>>,
    input: Input,
}

impl Source {
    /// Opens an input, reads its first 256 KiB (after decompression) and, of a regular file that
    /// is not compressed, a little in four places further on.
    ///
    /// Only standard input stays open; a file is opened anew by [`Source::into_reader`], so
    /// that a tree of ten thousand documents needs one descriptor at a time.
    ///
    /// # Errors
    /// When the input cannot be opened or read. Damage of its compression is no error yet: see
    /// [`Source::damage`].
    pub fn peek(input: &Input) -> Result<Self, ReadError> {
        let name = input.name();
        let (mut stream, compression, bytes_on_disk) = open(input)?;
        let mut sample = Vec::new();
        let read = stream.by_ref().take(SAMPLE_BYTES as u64).read_to_end(&mut sample);
        let damage = read.err().map(|e| compression.error(&name, sample.len() as u64, e));
        if let Some(error @ ReadError::Io { .. }) = damage {
            return Err(error);
        }
        let later = match (input, bytes_on_disk) {
            (Input::Named(path) | Input::Found(path), Some(bytes))
                if compression == Compression::None && bytes > SAMPLE_BYTES as u64 =>
            {
                later_lines(path, bytes)
            }
            _ => Vec::new(),
        };
        let rest = bytes_on_disk.is_none().then_some(stream);
        let input = input.clone();
        Ok(Self { name, compression, sample, later, damage, bytes_on_disk, rest, input })
    }

    /// The path as found, or `-`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The beginning of the input, after decompression.
    pub fn sample(&self) -> &[u8] {
        &self.sample
    }

    /// Whole lines from the middle and the end of a long file, as they lie there; empty where that
    /// would cost reading all of it.
    pub fn later(&self) -> &[u8] {
        &self.later
    }

    /// Whether the sample is the whole input.
    pub fn is_whole(&self) -> bool {
        self.sample.len() < SAMPLE_BYTES && self.damage.is_none()
    }

    /// Takes the damage that ended the sample; the sample is what came out before it.
    pub fn take_damage(&mut self) -> Option<ReadError> {
        self.damage.take()
    }

    /// Whether more bytes will come out than lie on the disk.
    pub fn is_compressed(&self) -> bool {
        self.compression != Compression::None
    }

    /// Bytes that reading will give; `None` for a stream or a compressed file, which do not say.
    pub fn bytes_to_read(&self) -> Option<u64> {
        self.bytes_on_disk.filter(|_| self.compression == Compression::None)
    }

    /// Starts reading from the first byte.
    ///
    /// # Errors
    /// When a file cannot be opened again.
    pub fn into_reader(self, framing: Framing) -> Result<ChunkReader, ReadError> {
        let stream: Box<dyn Read + Send> = match self.rest {
            Some(rest) => Box::new(Cursor::new(self.sample).chain(rest)),
            None => open(&self.input)?.0,
        };
        Ok(ChunkReader::new(self.name, self.compression, stream, framing))
    }

    /// Gives the memory of the sample back where the file can be opened again.
    pub fn forget_sample(&mut self) {
        if self.rest.is_none() {
            self.sample = Vec::new();
        }
        self.later = Vec::new();
    }
}

/// A decompressed stream, how it was compressed, and the size of a file that can be read again.
type Opened = (Box<dyn Read + Send>, Compression, Option<u64>);

pub(super) fn open(input: &Input) -> Result<Opened, ReadError> {
    let name = input.name();
    let failed = |source| ReadError::Io { name: name.clone(), source };
    let (raw, bytes_on_disk): (Box<dyn Read + Send>, Option<u64>) = match input {
        Input::Stdin => (Box::new(io::stdin()), None),
        Input::Named(path) | Input::Found(path) => {
            let file = File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            // A named pipe such as `<(zcat …)` can be read once only.
            (Box::new(file), metadata.is_file().then_some(metadata.len()))
        }
    };
    let mut raw = raw;
    let mut head = Vec::new();
    raw.by_ref().take(4).read_to_end(&mut head).map_err(failed)?;
    let compression = Compression::of(&head);
    let raw = Cursor::new(head).chain(raw);
    let stream: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(raw),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, raw))),
        Compression::Zstd => Box::new(zstd::Decoder::new(raw).map_err(failed)?),
    };
    Ok((stream, compression, bytes_on_disk))
}

/// Whole lines from the places of [`LATER_QUARTERS`]; what cannot be read is left out, since the
/// reading of the records will say so.
fn later_lines(path: &Path, file_bytes: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    let Ok(mut file) = File::open(path) else { return lines };
    for quarter in LATER_QUARTERS {
        let from = (file_bytes / 4 * quarter).min(file_bytes - LATER_BYTES);
        let from = from.max(SAMPLE_BYTES as u64);
        let mut window = Vec::new();
        let sought = file.seek(SeekFrom::Start(from)).is_ok();
        if !sought || file.by_ref().take(LATER_BYTES).read_to_end(&mut window).is_err() {
            continue;
        }
        let whole = memchr::memchr(b'\n', &window).zip(memchr::memrchr(b'\n', &window));
        if let Some((first, last)) = whole {
            lines.extend_from_slice(window.get(first + 1..=last).unwrap_or_default());
        }
    }
    lines
}

/// SHA-256 of a file as stored, hex; `None` when it is larger than [`MAX_HASHED_BYTES`], no
/// regular file, or cannot be read.
pub fn sha256_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_HASHED_BYTES {
        return None;
    }
    let mut digest = Sha256::new();
    io::copy(&mut file, &mut digest).ok()?;
    let hex = digest.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Some(hex)
}
