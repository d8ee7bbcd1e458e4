//! Compressed files: reading decompressed bytes by offset, and telling what a file holds.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use crate::model::{Compression, Fingerprint, Mark};
use crate::source::follow::evidence::{GUARD_MAX, HEAD_MAX, print_of};
use crate::source::follow::files::Opened;

/// Bytes that tell a compressed file.
pub(super) const SNIFF_LEN: u64 = 4;
const STEP_LEN: usize = 64 * 1024;

/// The compression told by the first bytes of a file, if any.
pub(super) fn sniff(head: &[u8]) -> Option<Compression> {
    if head.starts_with(&[0x1f, 0x8b, 0x08]) {
        Some(Compression::Gz)
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Some(Compression::Zst)
    } else {
        None
    }
}

/// Decompressed bytes by offset. Going back further than was asked to be kept starts again.
pub(super) struct Unpacker<H> {
    file: Arc<H>,
    format: Compression,
    stream: Box<dyn Read + Send>,
    kept: Vec<u8>,
    kept_from: u64,
}

impl<H: Opened + Send + Sync + 'static> Unpacker<H> {
    pub(super) fn new(file: Arc<H>, format: Compression) -> io::Result<Self> {
        let stream = decoder(Arc::clone(&file), format)?;
        Ok(Self { file, format, stream, kept: Vec::new(), kept_from: 0 })
    }

    /// Reads up to `len` decompressed bytes from `offset` on, fewer only at the end. What lies
    /// before `keep_from` may be forgotten.
    pub(super) fn read_up_to(
        &mut self,
        offset: u64,
        len: usize,
        keep_from: u64,
    ) -> io::Result<Vec<u8>> {
        if offset < self.kept_from {
            *self = Self::new(Arc::clone(&self.file), self.format)?;
        }
        let end = offset + len as u64;
        while self.kept_from + (self.kept.len() as u64) < end {
            self.forget_before(keep_from.min(offset));
            if self.unpack_some()? == 0 {
                break;
            }
        }
        let start = (offset - self.kept_from) as usize;
        let stop = (start + len).min(self.kept.len());
        Ok(self.kept.get(start..stop).unwrap_or_default().to_vec())
    }

    fn unpack_some(&mut self) -> io::Result<usize> {
        let had = self.kept.len();
        self.kept.resize(had + STEP_LEN, 0);
        let result = self.stream.read(self.kept.get_mut(had..).unwrap_or_default());
        self.kept.truncate(had + result.as_ref().copied().unwrap_or_default());
        result
    }

    fn forget_before(&mut self, offset: u64) {
        let len = (offset.saturating_sub(self.kept_from) as usize).min(self.kept.len());
        // Moving the rest to the front is only worth it when the rest is the smaller part.
        if len > self.kept.len() / 2 {
            self.kept.drain(..len);
            self.kept_from += len as u64;
        }
    }
}

/// What a complete compressed file holds.
pub(super) struct Content {
    /// The first [`HEAD_MAX`] decompressed bytes.
    pub(super) head: Vec<u8>,
    /// How many decompressed bytes there are.
    pub(super) len: u64,
    marks: Vec<Mark>,
}

impl Content {
    /// The fingerprint before `at`, if it was among the offsets asked for or is the end.
    pub(super) fn print_before(&self, at: u64) -> Option<Fingerprint> {
        self.marks.iter().find(|mark| mark.at == at).map(|mark| mark.print)
    }
}

/// A look through a compressed file, a step at a time.
pub(super) struct Probe {
    stream: Box<dyn Read + Send>,
    /// Offsets to take a fingerprint at, the next one last.
    wanted: Vec<u64>,
    window: Vec<u8>,
    content: Content,
}

impl Probe {
    /// Starts a look that takes the fingerprints before the `wanted` offsets.
    pub(super) fn new<H: Opened + Send + Sync + 'static>(
        file: Arc<H>,
        format: Compression,
        mut wanted: Vec<u64>,
    ) -> io::Result<Self> {
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        wanted.dedup();
        let content = Content { head: Vec::new(), len: 0, marks: Vec::new() };
        Ok(Self { stream: decoder(file, format)?, wanted, window: Vec::new(), content })
    }

    /// Looks at up to `budget` more decompressed bytes and takes them off it; says whether the end
    /// of a complete stream was reached.
    pub(super) fn step(&mut self, budget: &mut u64) -> io::Result<bool> {
        let mut chunk = vec![0; STEP_LEN];
        while *budget > 0 {
            let got = self.stream.read(&mut chunk)?;
            if got == 0 {
                let end = self.content.len;
                self.mark(end);
                return Ok(true);
            }
            *budget = budget.saturating_sub(got as u64);
            self.take(chunk.get(..got).unwrap_or_default());
        }
        Ok(false)
    }

    /// What was found; whole only once `step` has said so.
    pub(super) fn into_content(self) -> Content {
        self.content
    }

    fn take(&mut self, bytes: &[u8]) {
        let head_missing = (HEAD_MAX as usize).saturating_sub(self.content.head.len());
        self.content.head.extend(bytes.iter().take(head_missing));
        self.window.extend_from_slice(bytes);
        self.content.len += bytes.len() as u64;
        while let Some(at) = self.wanted.last().copied().filter(|at| *at <= self.content.len) {
            self.wanted.pop();
            self.mark(at);
        }
        let spare = self.window.len().saturating_sub(GUARD_MAX as usize);
        self.window.drain(..spare);
    }

    /// Takes the fingerprint before `at`, which lies within the last bytes seen.
    fn mark(&mut self, at: u64) {
        let stop = self.window.len() - (self.content.len - at) as usize;
        let start = stop.saturating_sub(GUARD_MAX as usize);
        let print = print_of(self.window.get(start..stop).unwrap_or_default());
        self.content.marks.push(Mark { at, print });
    }
}

fn decoder<H: Opened + Send + Sync + 'static>(
    file: Arc<H>,
    format: Compression,
) -> io::Result<Box<dyn Read + Send>> {
    let raw = BufReader::with_capacity(STEP_LEN, Raw { file, offset: 0 });
    Ok(match format {
        Compression::Gz => Box::new(flate2::bufread::MultiGzDecoder::new(raw)),
        Compression::Zst => Box::new(zstd::stream::read::Decoder::with_buffer(raw)?),
    })
}

struct Raw<H> {
    file: Arc<H>,
    offset: u64,
}

impl<H: Opened> Read for Raw<H> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(buf, self.offset)?;
        self.offset += got as u64;
        Ok(got)
    }
}
