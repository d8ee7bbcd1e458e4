//! Bitmaps of a stretch of text, one bit a byte: where strings can end, and where they need care.
//!
//! One pass over 64-byte blocks finds the quotes that no backslash escapes, and the bytes that
//! make a string body more than plain text (backslashes and control bytes). Afterwards the end of
//! a string up to 56 bytes long costs one load and one count of zeros.
//!
//! This is the only module of the scanner with `unsafe`: vector loads, and the call of a function
//! that needs a processor feature, chosen once per stretch. AVX-512 was tried and changed nothing
//! that could be measured: the pass is a twentieth of a scan.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "vector loads; every block has its proof")
)]

/// Bytes described by one word of a bitmap.
const BLOCK_BYTES: usize = 64;
/// Zero bytes after each bitmap, so that a word can be read at its last byte.
const PADDING_BYTES: usize = 8;

/// Where a string ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringEnd {
    /// Position of the closing quote.
    pub(super) quote: usize,
    /// Whether a backslash or control byte lies before it.
    pub(super) is_suspect: bool,
}

/// How the bitmaps are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    /// 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 8 bytes at a time, in plain integers.
    Portable,
}

impl Backend {
    /// Returns the backends this processor can run, the fastest first.
    pub(super) fn available() -> Vec<Self> {
        let mut backends = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            backends.push(Self::Avx2);
        }
        backends.push(Self::Portable);
        backends
    }
}

/// The bitmaps of one stretch of text; positions count from its first byte.
#[derive(Debug)]
pub(super) struct Index {
    backend: Backend,
    /// Quotes that are not escaped, little-endian words.
    quotes: Vec<u8>,
    /// Backslashes and bytes below 0x20, little-endian words.
    suspects: Vec<u8>,
}

impl Index {
    /// Returns an empty index that [`rebuild`](Self::rebuild) fills by `backend`.
    ///
    /// `backend` must be one of [`Backend::available`]; another is replaced by the portable one.
    pub(super) fn new(backend: Backend) -> Self {
        let is_available = Backend::available().contains(&backend);
        let backend = if is_available { backend } else { Backend::Portable };
        Self { backend, quotes: Vec::new(), suspects: Vec::new() }
    }

    /// Describes `text` in place of what was described before; the buffers are reused.
    pub(super) fn rebuild(&mut self, text: &[u8]) {
        let bitmap_bytes = text.len().div_ceil(BLOCK_BYTES) * size_of::<u64>() + PADDING_BYTES;
        for bitmap in [&mut self.quotes, &mut self.suspects] {
            bitmap.resize(bitmap_bytes, 0);
            let padding_from = bitmap_bytes - PADDING_BYTES;
            bitmap.get_mut(padding_from..).unwrap_or_default().fill(0);
        }
        let words = Words {
            quotes: self.quotes.as_chunks_mut().0,
            suspects: self.suspects.as_chunks_mut().0,
        };
        match self.backend {
            // SAFETY: `new` keeps this backend only if the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::fill(text, words) },
            Backend::Portable => words.fill(text, masks_portable),
        }
    }

    /// Returns where a string whose body starts at `from` ends; `None` if the text has no
    /// closing quote for it.
    #[inline]
    pub(super) fn string_end(&self, from: usize) -> Option<StringEnd> {
        let quotes = word_at(&self.quotes, from)?;
        if quotes == 0 {
            return self.distant_string_end(from);
        }
        let before = quotes.wrapping_sub(1) & !quotes;
        let is_suspect = word_at(&self.suspects, from)? & before != 0;
        Some(StringEnd { quote: from + quotes.trailing_zeros() as usize, is_suspect })
    }

    /// [`string_end`](Self::string_end) for a quote more than 56 bytes away.
    #[cold]
    fn distant_string_end(&self, from: usize) -> Option<StringEnd> {
        let first_byte = from / 8;
        let skipped = u64::MAX << (from % 8);
        let words = self.quotes.get(first_byte..)?.as_chunks().0;
        let suspects = self.suspects.get(first_byte..)?.as_chunks().0;
        let mut is_suspect = false;
        let mut keep = skipped;
        for (at, (quotes, suspects)) in words.iter().zip(suspects).enumerate() {
            let quotes = u64::from_le_bytes(*quotes) & keep;
            let suspects = u64::from_le_bytes(*suspects) & keep;
            keep = u64::MAX;
            if quotes != 0 {
                is_suspect |= suspects & (quotes.wrapping_sub(1) & !quotes) != 0;
                let quote = first_byte * 8 + at * BLOCK_BYTES + quotes.trailing_zeros() as usize;
                return Some(StringEnd { quote, is_suspect });
            }
            is_suspect |= suspects != 0;
        }
        None
    }
}

/// Returns the bits from `position` on; at least 57 of them are meant.
#[inline]
fn word_at(bitmap: &[u8], position: usize) -> Option<u64> {
    let first_byte = position / 8;
    let bytes = bitmap.get(first_byte..first_byte + 8)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes) >> (position % 8))
}

/// What one block holds, one bit a byte.
#[derive(Clone, Copy)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

/// The words to be filled, one a block and more for the padding.
struct Words<'a> {
    quotes: &'a mut [[u8; 8]],
    suspects: &'a mut [[u8; 8]],
}

impl Words<'_> {
    /// Fills the words with what `masks` finds in each block of `text`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "must take on the features of its caller")]
    fn fill(self, text: &[u8], masks: impl Fn(&[u8; BLOCK_BYTES]) -> Masks) {
        let (blocks, tail) = text.as_chunks::<BLOCK_BYTES>();
        let mut last = [b' '; BLOCK_BYTES];
        for (to, from) in last.iter_mut().zip(tail) {
            *to = *from;
        }
        let last = if tail.is_empty() { None } else { Some(&last) };
        let mut is_next_escaped = 0;
        let words = self.quotes.iter_mut().zip(self.suspects);
        for (block, (quotes, suspects)) in blocks.iter().chain(last).zip(words) {
            let found = masks(block);
            let escaped = if found.backslashes | is_next_escaped == 0 {
                0
            } else {
                escaped_bytes(found.backslashes, &mut is_next_escaped)
            };
            *quotes = (found.quotes & !escaped).to_le_bytes();
            *suspects = (found.backslashes | found.controls).to_le_bytes();
        }
    }
}

/// Returns the bytes of a block that a backslash escapes, and carries over to the next block.
///
/// In a run of backslashes every second byte is escaped, and so is the byte after a run of odd
/// length. Subtracting the run from its odd positions makes the borrow tell odd from even runs
/// without a loop (Langdale and Lemire, Parsing Gigabytes of JSON per Second, 2019).
fn escaped_bytes(backslashes: u64, is_next_escaped: &mut u64) -> u64 {
    const ODD_BITS: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    let escaping = backslashes & !*is_next_escaped;
    let odd_or_after = (escaping << 1) | ODD_BITS;
    let codes = odd_or_after.wrapping_sub(escaping) ^ ODD_BITS;
    let escaped = codes ^ (backslashes | *is_next_escaped);
    *is_next_escaped = (codes & backslashes) >> 63;
    escaped
}

/// Finds the masks of a block, eight bytes in one integer at a time.
fn masks_portable(block: &[u8; BLOCK_BYTES]) -> Masks {
    let mut masks = Masks { quotes: 0, backslashes: 0, controls: 0 };
    for (nth, bytes) in block.as_chunks().0.iter().enumerate() {
        let bytes = u64::from_le_bytes(*bytes);
        let shift = nth * size_of::<u64>();
        masks.quotes |= zero_bytes(bytes ^ eight_times(b'"')) << shift;
        masks.backslashes |= zero_bytes(bytes ^ eight_times(b'\\')) << shift;
        masks.controls |= zero_bytes(bytes & eight_times(!0x1F)) << shift;
    }
    masks
}

const fn eight_times(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Returns one bit a byte of `bytes`, the lowest for the lowest byte: whether it is zero.
fn zero_bytes(bytes: u64) -> u64 {
    const LOW_BITS: u64 = eight_times(0x7F);
    // The sum sets the high bit of a byte if any of its low bits is set, and never carries.
    let is_zero = !(((bytes & LOW_BITS) + LOW_BITS) | bytes | LOW_BITS) >> 7;
    // Each product of a bit and a term lands on a bit of its own; the top byte gathers them.
    is_zero.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    //! The same masks by vector comparisons.

    use super::{BLOCK_BYTES, Masks, Words};
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_set1_epi8,
    };

    #[target_feature(enable = "avx2")]
    pub(super) fn fill(text: &[u8], words: Words<'_>) {
        words.fill(text, |block| masks(block));
    }

    #[target_feature(enable = "avx2")]
    fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
        let (low, high) = block.split_at(BLOCK_BYTES / 2);
        // SAFETY: each half is 32 readable bytes and the load asks for no alignment.
        let (low, high) = unsafe {
            (_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast()))
        };
        let join = |low: __m256i, high: __m256i| {
            let low = _mm256_movemask_epi8(low).cast_unsigned();
            let high = _mm256_movemask_epi8(high).cast_unsigned();
            u64::from(high) << 32 | u64::from(low)
        };
        let equal = |byte: u8| {
            let byte = _mm256_set1_epi8(byte.cast_signed());
            join(_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte))
        };
        // There is no unsigned comparison: a byte is a control if the minimum with 0x1F is itself.
        let bound = _mm256_set1_epi8(0x1F);
        let is_control = |bytes| _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, bound), bytes);
        Masks {
            quotes: equal(b'"'),
            backslashes: equal(b'\\'),
            controls: join(is_control(low), is_control(high)),
        }
    }
}

#[cfg(test)]
mod tests;
