//! Fingerprints of bytes, and what they say about two files being the same generation.

use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::{Compression, Cursor, Fingerprint, Mark, Packed};
use crate::source::follow::files::Opened;

/// Bytes at the start of a generation that are part of its evidence.
pub(super) const HEAD_MAX: u64 = 1024;
/// Bytes before a position that are part of its evidence.
pub(super) const GUARD_MAX: u64 = 4096;

/// A generation of which less was read than this may look like another by chance: both may be only
/// what each start of a program writes.
pub(super) const SHORT_LEN: u64 = 16 * 1024;

/// Whether `path` is a name that rotation gives to the file that was at `old`: `app.log.1` or
/// `app.log-20261122.gz` of `app.log`, `app.log.2` of `app.log.1`; never the plain name again.
pub(super) fn is_rotated_name(old: &Path, path: &Path) -> bool {
    let (old, path) = (old.to_string_lossy(), path.to_string_lossy());
    plain_name(&old) == plain_name(&path) && plain_name(&path).len() < path.len() && old != path
}

/// The name without what rotation and compression put at its end.
fn plain_name(path: &str) -> &str {
    let path = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
    path.trim_end_matches(|end: char| end.is_ascii_digit() || matches!(end, '.' | '-' | '_'))
}

/// The fingerprint of some bytes.
pub(super) fn print_of(bytes: &[u8]) -> Fingerprint {
    first_half(Sha256::digest(bytes).as_slice())
}

/// The fingerprint that a finished hash stands for.
pub(super) fn first_half(digest: &[u8]) -> Fingerprint {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(digest) {
        *to = *from;
    }
    Fingerprint(half)
}

/// Reads up to `len` bytes from `offset` on in one call; fewer at the end of the file. A second
/// call might see another content.
pub(super) fn read_up_to(file: &impl Opened, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    loop {
        match file.read_at(&mut bytes, offset) {
            Ok(got) => {
                bytes.truncate(got);
                return Ok(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The fingerprint of the bytes before `at`, or `None` when the file is shorter.
pub(super) fn print_before(file: &impl Opened, at: u64) -> io::Result<Option<Fingerprint>> {
    let len = at.min(GUARD_MAX);
    let bytes = read_up_to(file, at - len, len as usize)?;
    Ok((bytes.len() as u64 == len).then(|| print_of(&bytes)))
}

/// What the raw bytes of a complete compressed file look like.
pub(super) fn packed_of(file: &impl Opened, format: Compression) -> io::Result<Packed> {
    let len = file.stat()?.size;
    let tail = print_before(file, len)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Packed { format, len, tail })
}

/// Whether `head`, the first bytes of some file, may be the start of the generation. In a file
/// shorter than the head, any of [`marks_within`] says more than the start could.
pub(super) fn may_start(cursor: &Cursor, head: &[u8]) -> bool {
    let start = usize::try_from(cursor.head.at).ok().and_then(|len| head.get(..len));
    start.is_none_or(|start| print_of(start) == cursor.head.print)
}

/// The points of a generation that tell a file of `len` bytes: the position if the file reaches
/// it. A shorter file is a copy only if it ends exactly where a known point is, or shares more than
/// files that only start alike do.
pub(super) fn marks_within(cursor: &Cursor, len: u64) -> impl Iterator<Item = Mark> {
    let is_long_enough = len >= cursor.position;
    let guard = is_long_enough.then_some(Mark { at: cursor.position, print: cursor.guard });
    let others = [cursor.copy, cursor.earlier].into_iter().flatten();
    let tells = move |mark: &Mark| mark.at == len || (SHORT_LEN..len).contains(&mark.at);
    guard.into_iter().chain(others.filter(move |mark| !is_long_enough && tells(mark)))
}
