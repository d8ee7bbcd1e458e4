//! A bitmap to draw on: rectangles, antialiased polygons and strokes, and text.
//!
//! Positions are in layout pixels, of which each is [`SCALE`] × [`SCALE`] bitmap pixels. The
//! bitmap belongs to plotters; outlines, of letters and of shapes alike, are rasterised with
//! `ab_glyph`, because plotters draws text without side bearings and thick lines without
//! antialiasing.

use ab_glyph::{
    Font, FontRef, Glyph, GlyphId, Outline, OutlineCurve, OutlinedGlyph, Point, PxScaleFactor,
    Rect, ScaleFont, point,
};
use plotters::prelude::{BitMapBackend, DrawingBackend, RGBAColor};
use plotters::style::Color;

use super::super::chart::Anchor;
use super::PngError;

const REGULAR: &[u8] = include_bytes!("../../../reports/fonts/inter-regular.otf");
const SEMIBOLD: &[u8] = include_bytes!("../../../reports/fonts/inter-semibold.otf");

/// Bitmap pixels per layout pixel in each direction.
pub(super) const SCALE: f64 = 2.0;

/// Shades of an antialiased edge. Few shades make the file half as large and look the same at
/// twice the density.
const SHADES: f32 = 8.0;

/// Lengths of a dash and of the gap after it.
const DASH: f64 = 4.0;

/// A colour with its opacity.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) u32, pub(super) f64);

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) paint: Paint,
}

pub(super) struct Canvas<'a> {
    backend: BitMapBackend<'a>,
    regular: FontRef<'static>,
    semibold: FontRef<'static>,
}

impl<'a> Canvas<'a> {
    /// A canvas over RGB pixels; `size` is in bitmap pixels.
    pub(super) fn new(pixels: &'a mut [u8], size: (u32, u32)) -> Result<Self, PngError> {
        let backend = BitMapBackend::with_buffer_and_format(pixels, size);
        let font = |bytes| FontRef::try_from_slice(bytes).map_err(|_| PngError::Font);
        Ok(Self {
            backend: backend.map_err(|_| PngError::Size)?,
            regular: font(REGULAR)?,
            semibold: font(SEMIBOLD)?,
        })
    }

    /// A filled rectangle: left, top, width, height.
    pub(super) fn rect(&mut self, [left, top, width, height]: [f64; 4], paint: Paint) {
        let corner = |x: f64, y: f64| ((x * SCALE).round() as i32, (y * SCALE).round() as i32);
        let (right, bottom) = corner(left + width, top + height);
        let from = corner(left, top);
        if right > from.0 && bottom > from.1 {
            let colour = paint.rgba();
            // A buffer in memory has no way to fail; what lies outside is cut off.
            let _ = self.backend.draw_rect(from, (right, bottom), &colour, true);
        }
    }

    /// A filled rectangle with round corners.
    pub(super) fn rounded(
        &mut self,
        [left, top, width, height]: [f64; 4],
        radius: f64,
        paint: Paint,
    ) {
        self.rect([left, top + radius, width, height - 2.0 * radius], paint);
        self.rect([left + radius, top, width - 2.0 * radius, radius], paint);
        self.rect([left + radius, top + height - radius, width - 2.0 * radius, radius], paint);
        let corners = [
            (left + width - radius, top + height - radius),
            (left + radius, top + height - radius),
            (left + radius, top + radius),
            (left + width - radius, top + radius),
        ];
        for (quarter, (x, y)) in corners.into_iter().enumerate() {
            let arc = (0..=8).map(|step| {
                let angle = (quarter as f64 + f64::from(step) / 8.0) * std::f64::consts::FRAC_PI_2;
                (x + radius * angle.cos(), y + radius * angle.sin())
            });
            let outline: Vec<(f64, f64)> = std::iter::once((x, y)).chain(arc).collect();
            self.polygon(&outline, paint);
        }
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, outline: &[(f64, f64)], paint: Paint) {
        let mut curves = Vec::new();
        push_closed(&mut curves, outline);
        self.fill(curves, paint);
    }

    /// Lines through points, with round joints.
    pub(super) fn strokes(
        &mut self,
        runs: &[Vec<(f64, f64)>],
        width: f64,
        dashed: bool,
        paint: Paint,
    ) {
        let mut curves = Vec::new();
        for run in runs {
            for pair in run.windows(2) {
                let [from, to] = pair else { continue };
                for (from, to) in dashes(*from, *to, dashed) {
                    push_segment(&mut curves, from, to, width / 2.0);
                }
            }
            if !dashed && width > 1.0 {
                for joint in run {
                    push_disc(&mut curves, *joint, width / 2.0);
                }
            }
        }
        self.fill(curves, paint);
    }

    /// One line of text on its base line; returns its width.
    pub(super) fn text(
        &mut self,
        (x, y): (f64, f64),
        text: &str,
        anchor: Anchor,
        face: Face,
    ) -> f64 {
        let width = self.width(text, face);
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        let font = if face.bold { &self.semibold } else { &self.regular };
        let scaled = font.as_scaled((face.size * SCALE) as f32 * line_factor(font));
        let mut pen = (left * SCALE) as f32;
        let mut glyphs = Vec::new();
        for character in drawable(font, text) {
            let mut glyph = scaled.scaled_glyph(character);
            glyph.position = point(pen, (y * SCALE).round() as f32);
            pen += scaled.h_advance(glyph.id);
            glyphs.extend(font.outline_glyph(glyph));
        }
        for glyph in glyphs {
            self.blend(&glyph, face.paint);
        }
        width
    }

    /// Width of a text.
    pub(super) fn width(&self, text: &str, face: Face) -> f64 {
        let font = if face.bold { &self.semibold } else { &self.regular };
        let scaled = font.as_scaled(face.size as f32 * line_factor(font));
        drawable(font, text).map(|c| f64::from(scaled.h_advance(scaled.glyph_id(c)))).sum()
    }

    fn fill(&mut self, curves: Vec<OutlineCurve>, paint: Paint) {
        let mut bounds: Option<Rect> = None;
        for curve in &curves {
            let OutlineCurve::Line(from, _) = curve else { continue };
            let bounds = bounds.get_or_insert(Rect { min: *from, max: *from });
            bounds.min = point(bounds.min.x.min(from.x), bounds.min.y.min(from.y));
            bounds.max = point(bounds.max.x.max(from.x), bounds.max.y.max(from.y));
        }
        let Some(bounds) = bounds.filter(|bounds| bounds.width() < 1e4 && bounds.height() < 1e4)
        else {
            return;
        };
        let glyph = Glyph { id: GlyphId(0), scale: 1.0.into(), position: point(0.0, 0.0) };
        // Outlines of fonts point up, ours point down.
        let factor = PxScaleFactor { horizontal: 1.0, vertical: -1.0 };
        self.blend(&OutlinedGlyph::new(glyph, Outline { bounds, curves }, factor), paint);
    }

    fn blend(&mut self, glyph: &OutlinedGlyph, paint: Paint) {
        let Point { x, y } = glyph.px_bounds().min;
        let (left, top) = (x as i32, y as i32);
        let colour = paint.rgba().to_backend_color();
        glyph.draw(|x, y, coverage| {
            if coverage > 0.0 {
                let pixel = (left + x as i32, top + y as i32);
                let shade = f64::from((coverage.min(1.0) * SHADES).round() / SHADES);
                let _ = self.backend.draw_pixel(pixel, colour.mix(shade));
            }
        });
    }
}

impl Paint {
    fn rgba(self) -> RGBAColor {
        let [_, red, green, blue] = self.0.to_be_bytes();
        RGBAColor(red, green, blue, self.1)
    }
}

/// `ab_glyph` scales by the height of a line, everybody else by the em.
fn line_factor(font: &FontRef<'_>) -> f32 {
    font.units_per_em().map_or(1.0, |em| font.height_unscaled() / em)
}

/// The characters of a text as the font can draw them: log text has emoji, and their place must
/// show.
fn drawable(font: &FontRef<'_>, text: &str) -> impl Iterator<Item = char> {
    let joins = |c: &char| matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{200d}');
    text.chars().filter(move |c| !joins(c)).map(|c| match c {
        c if font.glyph_id(c) != GlyphId(0) => c,
        '❌' | '✖' | '❎' => '✗',
        '✅' | '✔' | '☑' => '✓',
        '⚠' | '🚨' => '▲',
        _ => '•',
    })
}

fn push_closed(curves: &mut Vec<OutlineCurve>, outline: &[(f64, f64)]) {
    let ends = outline.iter().skip(1).chain(outline.first());
    let scaled = |(x, y): &(f64, f64)| point((x * SCALE) as f32, (y * SCALE) as f32);
    curves.extend(outline.iter().zip(ends).map(|(a, b)| OutlineCurve::Line(scaled(a), scaled(b))));
}

/// All segments and discs turn the same way, so that overlaps add up instead of cancelling.
fn push_segment(curves: &mut Vec<OutlineCurve>, from: (f64, f64), to: (f64, f64), half: f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length < 1e-6 {
        return;
    }
    let (nx, ny) = (-dy / length * half, dx / length * half);
    let corners = [
        (from.0 - nx, from.1 - ny),
        (to.0 - nx, to.1 - ny),
        (to.0 + nx, to.1 + ny),
        (from.0 + nx, from.1 + ny),
    ];
    push_closed(curves, &corners);
}

fn push_disc(curves: &mut Vec<OutlineCurve>, (x, y): (f64, f64), radius: f64) {
    let corner = |step: i32| {
        let angle = f64::from(step) * std::f64::consts::FRAC_PI_4;
        (x + radius * angle.cos(), y + radius * angle.sin())
    };
    let corners: Vec<(f64, f64)> = (0..8).map(corner).collect();
    push_closed(curves, &corners);
}

/// The parts of a segment that are drawn.
fn dashes(from: (f64, f64), to: (f64, f64), dashed: bool) -> Vec<((f64, f64), (f64, f64))> {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    if !dashed || length <= DASH {
        return vec![(from, to)];
    }
    let at = |distance: f64| {
        let share = (distance / length).min(1.0);
        (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
    };
    let count = (length / (2.0 * DASH)).ceil() as u32;
    let starts = (0..count).map(|index| f64::from(index) * 2.0 * DASH);
    starts.map(|start| (at(start), at(start + DASH))).collect()
}
