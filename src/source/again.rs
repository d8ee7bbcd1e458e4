//! Reads single records of an input again, by the offsets that its first reading gave.
//!
//! An offset counts the bytes after decompression and unwrapping, as [`Chunk::offset`] does, so a
//! compressed or wrapped input is read from its beginning up to the last record that is asked for.
//!
//! [`Chunk::offset`]: super::Chunk::offset

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::discover::Input;
use super::open::{Compression, open};
use super::reader::{Framing, framed};

/// Most bytes of one input that are read again; records beyond it are not shown.
const MAX_PASSED_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// The first `limit` bytes of the records at `offsets`, which ascend, without their line ends.
///
/// `None` for a record that cannot be read again: the input is a stream, is gone, or ends before.
pub fn records_again(
    path: &Path,
    framing: Framing,
    offsets: &[u64],
    limit: u64,
) -> Vec<Option<Vec<u8>>> {
    let mut input = Again::open(path, framing).ok().flatten();
    let mut record = |offset: &u64| input.as_mut()?.record_at(*offset, limit).ok().flatten();
    offsets.iter().map(|offset| record(offset).filter(|record| !record.is_empty())).collect()
}

enum Again {
    /// Jumps to the record.
    Seek(File),
    /// Reads up to the record; what was read is gone.
    Pass { stream: BufReader<Box<dyn Read + Send>>, at: u64, last: Option<(u64, Vec<u8>)> },
}

impl Again {
    fn open(path: &Path, framing: Framing) -> io::Result<Option<Self>> {
        // Before it is opened: a pipe would wait for a writer that is gone.
        if !path.metadata()?.is_file() {
            return Ok(None);
        }
        let Ok((stream, compression, Some(_))) = open(&Input::Named(path.to_owned())) else {
            return Ok(None);
        };
        if framing == Framing::Lines && compression == Compression::None {
            return Ok(Some(Self::Seek(File::open(path)?)));
        }
        let stream = BufReader::new(framed(stream, framing));
        Ok(Some(Self::Pass { stream, at: 0, last: None }))
    }

    fn record_at(&mut self, offset: u64, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let line = match self {
            Self::Seek(file) => {
                file.seek(SeekFrom::Start(offset))?;
                line_of(&mut BufReader::new(file), limit)?
            }
            Self::Pass { last: Some((known, line)), .. } if *known == offset => line.clone(),
            Self::Pass { stream, at, last } => {
                let Some(passed) = offset.checked_sub(*at) else { return Ok(None) };
                if offset > MAX_PASSED_BYTES {
                    return Ok(None);
                }
                *at += io::copy(&mut stream.by_ref().take(passed), &mut io::sink())?;
                let line = line_of(stream, limit)?;
                *at += line.len() as u64;
                *last = Some((offset, line.clone()));
                line
            }
        };
        let record = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        Ok(Some(record.trim_ascii_end().to_vec()))
    }
}

/// Bytes up to a line feed, with it, or the first `limit` of them.
fn line_of(stream: &mut impl BufRead, limit: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.take(limit).read_until(b'\n', &mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::path::Path;

    use flate2::write::GzEncoder;

    use super::{Framing, records_again};

    fn check(path: &Path, framing: Framing, offsets: &[u64], want: &[Option<&str>]) {
        let got = records_again(path, framing, offsets, 12);
        let got: Vec<Option<&str>> =
            got.iter().map(|r| r.as_deref().map(|r| str::from_utf8(r).unwrap())).collect();
        assert_eq!(got, want, "{}", path.display());
    }

    #[test]
    fn a_record_is_never_cut_out_of_compressed_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let log = "\u{feff}first\nsecond\r\nthe third is long\n";
        File::create(at("plain.log")).unwrap().write_all(log.as_bytes()).unwrap();
        let mut gzip = GzEncoder::new(File::create(at("a.gz")).unwrap(), <_>::default());
        gzip.write_all(log.as_bytes()).unwrap();
        gzip.finish().unwrap();
        let zstd = zstd::encode_all(log.as_bytes(), 1).unwrap();
        File::create(at("a.zst")).unwrap().write_all(&zstd).unwrap();
        for name in ["plain.log", "a.gz", "a.zst"] {
            let want = [Some("first"), Some("second"), Some("second"), Some("the third is"), None];
            check(&at(name), Framing::Lines, &[0, 9, 9, 17, 99], &want);
        }
        let array = "[{\"a\":1},\n {\"b\":\n2}]";
        File::create(at("array.json")).unwrap().write_all(array.as_bytes()).unwrap();
        let want = [Some("{\"a\":1}"), Some("{\"b\": 2}")];
        check(&at("array.json"), Framing::JsonValues, &[0, 8], &want);
        check(&at("missing"), Framing::Lines, &[0], &[None]);
        check(dir.path(), Framing::Lines, &[0], &[None]);
    }
}
