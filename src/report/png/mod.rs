//! The top of the report as a picture for chats: verdict, tiles, what changed.
//!
//! 1200 × 1500 layout pixels at twice the density. Drawn with an embedded typeface, so it is the
//! same on every machine, with or without fonts. The text beside it is
//! [`alt_text`](super::alt_text).

mod canvas;
mod encode;
mod layout;

use crate::model::Report;

use canvas::{Canvas, SCALE};

/// Size in layout pixels.
const SIZE: (f64, f64) = (1_200.0, 1_500.0);

/// Why a picture could not be drawn. None of these depends on the report.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The embedded typeface cannot be read.
    #[error("embedded typeface is not a font")]
    Font,
    /// The bitmap has not the size it should have.
    #[error("bitmap does not hold the picture's pixels")]
    Size,
    /// The pixels could not be compressed.
    #[error("cannot compress the picture")]
    Compress {
        /// Cause.
        source: std::io::Error,
    },
}

/// Sections 1 to 3 of the page as a PNG file of 2400 × 3000 pixels.
///
/// # Errors
///
/// Only when the program itself is damaged, see [`PngError`].
pub fn png(report: &Report) -> Result<Vec<u8>, PngError> {
    let size = ((SIZE.0 * SCALE) as u32, (SIZE.1 * SCALE) as u32);
    let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
    layout::draw(report, &mut Canvas::new(&mut pixels, size)?);
    encode::encode(&pixels, size)
}
