//! Pixels as a PNG file: one image with a palette, without ancillary chunks.
//!
//! The picture has few colours besides the shades of its edges; the 256 most frequent are kept and
//! the rest, a few pixels, take the nearest. That halves the size and the time.
//! Source: W3C, Portable Network Graphics (third edition), sections 5, 9 and 11.

use std::cmp::Reverse;
use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use rustc_hash::FxHashMap;

use super::PngError;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

/// Most colours of a palette.
const COLOURS_MAX: usize = 256;

type Colour = [u8; 3];

/// Encodes rows of RGB pixels, top to bottom.
pub(super) fn encode(pixels: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, PngError> {
    let (pixels, _) = pixels.as_chunks::<3>();
    let palette = most_frequent(pixels);
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 3, 0, 0, 0]); // 8 bits, palette, deflate, adaptive filters, not interlaced
    let mut file = Vec::with_capacity(256 * 1024);
    file.extend(SIGNATURE);
    push_chunk(&mut file, *b"IHDR", &header);
    push_chunk(&mut file, *b"PLTE", palette.as_flattened());
    push_chunk(&mut file, *b"IDAT", &compressed(pixels, width as usize, &palette)?);
    push_chunk(&mut file, *b"IEND", &[]);
    Ok(file)
}

/// The most frequent colours, in an order that depends on nothing else.
fn most_frequent(pixels: &[Colour]) -> Vec<Colour> {
    let mut counts: FxHashMap<Colour, usize> = FxHashMap::default();
    for run in pixels.chunk_by(|a, b| a == b) {
        if let Some(colour) = run.first() {
            *counts.entry(*colour).or_default() += run.len();
        }
    }
    let mut ranked: Vec<(Reverse<usize>, Colour)> =
        counts.into_iter().map(|(colour, count)| (Reverse(count), colour)).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(COLOURS_MAX).map(|(_, colour)| colour).collect()
}

/// Rows of palette indices, each behind filter type 0, as a zlib stream.
fn compressed(pixels: &[Colour], width: usize, palette: &[Colour]) -> Result<Vec<u8>, PngError> {
    let failed = |source| PngError::Compress { source };
    let mut indices: FxHashMap<Colour, u8> =
        palette.iter().enumerate().map(|(index, colour)| (*colour, index as u8)).collect();
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(256 * 1024), Compression::new(4));
    let mut row = Vec::with_capacity(width + 1);
    for line in pixels.chunks(width.max(1)) {
        row.clear();
        row.push(0);
        for run in line.chunk_by(|a, b| a == b) {
            let Some(colour) = run.first() else { continue };
            let index = indices.entry(*colour).or_insert_with(|| nearest(*colour, palette));
            row.resize(row.len() + run.len(), *index);
        }
        encoder.write_all(&row).map_err(failed)?;
    }
    encoder.finish().map_err(failed)
}

fn nearest(wanted: Colour, palette: &[Colour]) -> u8 {
    let distance = |colour: &Colour| -> u32 {
        colour.iter().zip(wanted).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let best = palette.iter().enumerate().min_by_key(|(_, colour)| distance(colour));
    best.map_or(0, |(index, _)| index as u8)
}

fn push_chunk(file: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(body);
    file.extend((body.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(body);
    file.extend(crc.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::{COLOURS_MAX, encode, most_frequent, nearest};
    use std::io::Read;

    /// Body of the first chunk of a kind.
    fn chunk<'a>(file: &'a [u8], kind: &[u8]) -> &'a [u8] {
        let at = file.windows(4).position(|window| window == kind).unwrap();
        let length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
        &file[at + 4..at + 4 + length]
    }

    #[test]
    fn rows_are_stored_as_indices_of_the_palette() {
        let file = encode(&[9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 9], (2, 2)).unwrap();
        assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(chunk(&file, b"PLTE"), [9, 9, 9, 1, 2, 3]);
        let mut raw = Vec::new();
        flate2::read::ZlibDecoder::new(chunk(&file, b"IDAT")).read_to_end(&mut raw).unwrap();
        assert_eq!(raw, [0, 0, 0, 0, 1, 0]);
        // The checksum of an empty IEND chunk is the same in every PNG file.
        assert_eq!(&file[file.len() - 12..], b"\0\0\0\0IEND\xae\x42\x60\x82");
    }

    #[test]
    fn rare_colours_take_the_nearest_of_the_frequent_ones() {
        let mut pixels: Vec<[u8; 3]> = (0..=255).flat_map(|grey| [[grey; 3]; 2]).collect();
        pixels.push([10, 10, 12]); // the 257th colour, and the rarest
        let palette = most_frequent(&pixels);
        assert_eq!(palette.len(), COLOURS_MAX);
        assert_eq!(palette[usize::from(nearest([10, 10, 12], &palette))], [11; 3]);
        assert_eq!(nearest([1, 2, 3], &[]), 0);
    }
}
