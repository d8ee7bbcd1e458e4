//! Cuts one input into chunks of whole records.

use std::io::Read;

use super::open::{Compression, ReadError};
use super::unwrap::UnwrapJson;

/// Aim for the size of a chunk: large enough to amortise, small enough to stay in cache.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Longest record that is read; a longer one is counted as rejected and passed over.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Bytes asked from the input at a time.
const BLOCK_BYTES: usize = 1024 * 1024;

/// How records lie in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One record a line.
    Lines,
    /// JSON arrays, pretty-printed or concatenated documents: one record an element or document.
    JsonValues,
}

/// Whole records, one after the other, each ended by a line feed (the last may lack it).
#[derive(Debug, Default)]
pub struct Chunk {
    /// The records.
    pub bytes: Vec<u8>,
    /// Where the first byte lies in the framed input.
    pub offset: u64,
    /// Records longer than [`MAX_RECORD_BYTES`] that were passed over before this chunk.
    pub oversized: u64,
}

/// Reads one input chunk by chunk, in order, in bounded memory.
pub struct ChunkReader {
    name: String,
    compression: Compression,
    stream: Box<dyn Read + Send>,
    /// The beginning of a record whose end was not read yet.
    carry: Vec<u8>,
    offset: u64,
    finished: bool,
    /// What ended the input before its time; told once everything before it was given.
    broken: Option<ReadError>,
}

impl ChunkReader {
    pub(super) fn new(
        name: String,
        compression: Compression,
        stream: Box<dyn Read + Send>,
        framing: Framing,
    ) -> Self {
        let stream = framed(stream, framing);
        let (carry, offset, finished) = (Vec::new(), 0, false);
        Self { name, compression, stream, carry, offset, finished, broken: None }
    }

    /// Fills `chunk` with the next records; `false` at the end of the input.
    ///
    /// Of an input that is cut off, every whole record is given first; the torn one is left out.
    ///
    /// # Errors
    /// When the input cannot be read or decompressed any further.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool, ReadError> {
        chunk.bytes.clear();
        chunk.offset = self.offset;
        chunk.oversized = 0;
        if self.finished {
            return self.broken.take().map_or(Ok(false), Err);
        }
        chunk.bytes.append(&mut self.carry);
        let mut searched = 0;
        loop {
            let wanted = CHUNK_BYTES.saturating_sub(chunk.bytes.len()).max(BLOCK_BYTES);
            self.fill(&mut chunk.bytes, wanted)?;
            if self.broken.is_some() {
                let end = memchr::memrchr(b'\n', &chunk.bytes).map_or(0, |at| at + 1);
                chunk.bytes.truncate(end);
                if let Some(error) = self.broken.take_if(|_| end == 0 && chunk.oversized == 0) {
                    return Err(error);
                }
            }
            if self.finished {
                break;
            }
            let unsearched = chunk.bytes.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memrchr(b'\n', unsearched) {
                let end = searched + at + 1;
                if chunk.bytes.len() >= CHUNK_BYTES {
                    self.carry.extend_from_slice(chunk.bytes.get(end..).unwrap_or_default());
                    chunk.bytes.truncate(end);
                    break;
                }
            } else if chunk.bytes.len() > MAX_RECORD_BYTES {
                chunk.oversized += 1;
                self.skip_record(chunk)?;
                searched = 0;
            } else {
                searched = chunk.bytes.len();
            }
        }
        self.offset = chunk.offset + chunk.bytes.len() as u64;
        if chunk.offset == 0 && chunk.bytes.starts_with(b"\xef\xbb\xbf") {
            for byte in chunk.bytes.iter_mut().take(3) {
                *byte = b' '; // a byte order mark is no part of the first record
            }
        }
        Ok(!chunk.bytes.is_empty() || chunk.oversized > 0)
    }

    /// Reads up to `wanted` more bytes; sets `finished` at the end of the input, and `broken` when
    /// that came too early.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> Result<(), ReadError> {
        if self.finished {
            return Ok(());
        }
        let before = bytes.len();
        let result = self.stream.by_ref().take(wanted as u64).read_to_end(bytes);
        let read_bytes = self.offset + bytes.len() as u64;
        self.finished = result.is_err() || bytes.len() - before < wanted;
        let error = result.err().map(|e| self.compression.error(&self.name, read_bytes, e));
        match error {
            Some(error @ ReadError::Io { .. }) => Err(error),
            damage => {
                self.broken = damage;
                Ok(())
            }
        }
    }

    /// Drops the record that fills `chunk` and everything up to its line feed.
    fn skip_record(&mut self, chunk: &mut Chunk) -> Result<(), ReadError> {
        chunk.offset += chunk.bytes.len() as u64;
        chunk.bytes.clear();
        loop {
            self.fill(&mut chunk.bytes, BLOCK_BYTES)?;
            let end = memchr::memchr(b'\n', &chunk.bytes).map(|at| at + 1);
            let dropped = end.unwrap_or(chunk.bytes.len());
            chunk.offset += dropped as u64;
            chunk.bytes.drain(..dropped);
            if end.is_some() || self.finished {
                return Ok(());
            }
        }
    }
}

/// The stream as one record a line.
pub(super) fn framed(stream: Box<dyn Read + Send>, framing: Framing) -> Box<dyn Read + Send> {
    match framing {
        Framing::Lines => stream,
        Framing::JsonValues => Box::new(UnwrapJson::new(stream)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::{CHUNK_BYTES, Chunk, ChunkReader, Compression, Framing, MAX_RECORD_BYTES};

    /// Reads everything; gives the bytes, the number of chunks and of oversized records.
    fn read(input: Vec<u8>) -> (Vec<u8>, usize, u64) {
        let stream = Box::new(Cursor::new(input));
        let mut reader =
            ChunkReader::new("t".to_owned(), Compression::None, stream, Framing::Lines);
        let (mut chunk, mut all, mut chunks, mut oversized) = (Chunk::default(), vec![], 0, 0);
        while reader.next(&mut chunk).unwrap() {
            if oversized + chunk.oversized == 0 {
                assert_eq!(chunk.offset, all.len() as u64);
            }
            all.extend_from_slice(&chunk.bytes);
            chunks += 1;
            oversized += chunk.oversized;
        }
        (all, chunks, oversized)
    }

    #[test]
    fn chunks_hold_whole_records_and_lose_no_byte() {
        let line = |len: usize| [vec![b'x'; len - 1], vec![b'\n']].concat();
        for (input, chunks) in [
            (vec![], 0),
            (b"no line feed at the end".to_vec(), 1),
            (line(CHUNK_BYTES - 1), 1),
            (line(CHUNK_BYTES), 1),
            ([line(CHUNK_BYTES + 1), line(7)].concat(), 1),
            (line(100).repeat(3 * CHUNK_BYTES / 100), 4),
            ([line(9 * 1024 * 1024), b"tail".to_vec()].concat(), 1),
        ] {
            let (all, got, oversized) = read(input.clone());
            assert!(all == input, "{} bytes in, {} out", input.len(), all.len());
            assert!(got.abs_diff(chunks) <= 1, "{got} chunks, {chunks} expected");
            assert_eq!(oversized, 0);
        }
    }

    #[test]
    fn an_endless_record_is_counted_and_its_neighbours_survive() {
        let giant = [vec![b'x'; 2 * MAX_RECORD_BYTES], vec![b'\n']].concat();
        let (all, _, oversized) = read([b"a\n".to_vec(), giant.clone(), b"b\n".to_vec()].concat());
        assert_eq!((oversized, all.ends_with(b"b\n")), (1, true));
        let (all, _, oversized) = read([giant, b"b\n".to_vec()].concat());
        assert_eq!((all.as_slice(), oversized), (b"b\n".as_slice(), 1));
    }

    #[test]
    fn of_a_torn_archive_every_whole_record_is_given_before_the_error() {
        let lines = b"{\"a\":1}\n".repeat(50_000);
        let mut gzip = flate2::read::GzEncoder::new(lines.as_slice(), flate2::Compression::fast());
        let mut whole = Vec::new();
        gzip.read_to_end(&mut whole).unwrap();
        for keep in [whole.len() - 9, whole.len() / 2, 12] {
            let torn = Cursor::new(whole[..keep].to_vec());
            let stream = Box::new(flate2::read::MultiGzDecoder::new(torn));
            let mut reader =
                ChunkReader::new("t".to_owned(), Compression::Gzip, stream, Framing::Lines);
            let (mut chunk, mut all) = (Chunk::default(), Vec::new());
            let error = loop {
                match reader.next(&mut chunk) {
                    Ok(true) => all.extend_from_slice(&chunk.bytes),
                    Ok(false) => panic!("a torn archive ended well"),
                    Err(error) => break error.to_string(),
                }
            };
            assert!(error.contains("damaged or incomplete gzip"), "{error}");
            assert!(all.is_empty() || all.ends_with(b"}\n"), "a torn record was given");
            assert!(keep == 12 || all.len() > lines.len() / 4, "{} bytes came out", all.len());
            assert!(!reader.next(&mut chunk).unwrap(), "told once");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        assert_eq!(read(b"\xef\xbb\xbf{}\n".to_vec()).0, b"   {}\n");
    }
}
