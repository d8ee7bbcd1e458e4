//! Fingerprints of bytes, and what they say about two files being the same generation.

use std::io;

use sha2::{Digest, Sha256};

use crate::model::{Compression, Cursor, Fingerprint, Mark, Packed};
use crate::source::follow::files::Opened;

/// Bytes at the start of a generation that are part of its evidence.
pub(super) const HEAD_MAX: u64 = 1024;
/// Bytes before a position that are part of its evidence.
pub(super) const GUARD_MAX: u64 = 4096;

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

/// Reads up to `len` bytes from `offset` on; fewer only at the end of the file.
pub(super) fn read_up_to(file: &impl Opened, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut got = 0;
    while let Some(rest) = bytes.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + got as u64) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(got);
    Ok(bytes)
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
/// it. A shorter file is a copy only if it ends exactly where a known point is: two files may
/// well start with the same bytes and go on differently.
pub(super) fn marks_within(cursor: &Cursor, len: u64) -> impl Iterator<Item = Mark> {
    let is_long_enough = len >= cursor.position;
    let guard = is_long_enough.then_some(Mark { at: cursor.position, print: cursor.guard });
    let others = [cursor.copy, cursor.earlier].into_iter().flatten();
    guard.into_iter().chain(others.filter(move |mark| !is_long_enough && mark.at == len))
}
