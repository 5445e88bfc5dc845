//! Pages that are one picture and nothing else, as scanners make them: the picture is averaged straight down to the
//! grey of the fax page. The general way would make it colour, filter it, and draw it as a pattern on a page of
//! 15 MB first.

use super::halftone::luma;
use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::util::RectExt;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps,
    InterpreterCache, InterpreterSettings, Paint, SoftMask, interpret_page,
};
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::Stream;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Rect, Shape};

/// Bytes of content that such a page may have. It takes a line; where there is much more, looking costs more than it
/// spares.
const CONTENT: usize = 4096;
/// Fax pixels that one of the picture may become.
const SCALE: f64 = 8.0;
/// From their own size on, up to here, pictures in black and white are copied: each pixel is on the page, as black or as
/// white as it was. Larger ones are drawn the general way.
const COPIED_SCALE: f64 = 2.5;
/// A clip that cuts off less than this many pixels is taken for the edge of the picture.
const EDGE: f64 = 1.0;

/// Grey values of a page of `width` by `height` pixels, when it is one upright opaque picture on white.
pub(super) fn draw<'a>(
    page: &'a Page<'a>,
    settings: &InterpreterSettings,
    transform: Affine,
    (width, height): (u16, u16),
) -> Option<Vec<u8>> {
    if page.page_stream()?.len() > CONTENT {
        return None;
    }
    let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let cache = InterpreterCache::new();
    let interpret = |device: &mut Sole| {
        let mut context = Context::new(transform, area, &cache, page.xref(), settings.clone());
        interpret_page(page, &mut context, device);
    };
    // What lies outside the crop box isn't shown.
    let shown = transform.transform_rect_bbox(page.intersected_crop_box().to_kurbo());
    let mut sole = Sole::new(area, shown);
    interpret(&mut sole);
    if sole.other || sole.pictures != 1 {
        return None;
    }
    let mut sole = Sole {
        canvas: Some(Vec::new()),
        ..Sole::new(area, shown)
    };
    interpret(&mut sole);
    sole.canvas.filter(|grey| !grey.is_empty())
}

/// A device that finds out what is on a page, and draws its picture when there is a canvas.
struct Sole {
    area: Rect,
    /// Something else than a picture is seen, or one that is not simply put on the paper.
    other: bool,
    pictures: usize,
    clips: Vec<Option<Rect>>,
    canvas: Option<Vec<u8>>,
}

impl Sole {
    fn new(area: Rect, shown: Rect) -> Self {
        Self {
            area,
            other: false,
            pictures: 0,
            clips: vec![Some(shown)],
            canvas: None,
        }
    }

    fn paint(&mut self, paint: &Paint<'_>) {
        // White under the picture is paper.
        let paper = matches!(paint, Paint::Color(color) if color.to_rgba().to_rgba8() == [255; 4]);
        self.other |= !paper || self.pictures > 0;
    }

    /// Whether no clip cuts anything off.
    fn is_whole(&self, seen: Rect) -> bool {
        let contains =
            |clip: &Option<Rect>| clip.is_some_and(|clip| clip.inflate(EDGE, EDGE).contains_rect(seen));
        self.clips.iter().all(contains)
    }
}

impl<'a> Device<'a> for Sole {
    fn draw_path(&mut self, _: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        if !matches!(mode, DrawMode::Invisible) {
            self.paint(&props.paint);
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        let bounds = clip.path.bounding_box();
        let is_rect = (clip.path.area().abs() - bounds.area()).abs() < 0.5;
        self.clips.push(is_rect.then_some(bounds));
    }

    fn push_transparency_group(&mut self, opacity: f32, mask: Option<SoftMask<'a>>, blend: BlendMode) {
        self.other |= opacity < 1.0 || mask.is_some() || blend != BlendMode::Normal;
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        // Text that was read from the picture lies over it without being seen.
        if !matches!(mode, DrawMode::Invisible) {
            self.paint(&props.paint);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.pictures += 1;
        let (width, height) = (image.width(), image.height());
        let Image::Raster(image) = image else {
            self.other = true;
            return;
        };
        let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let bounds = props.transform.transform_rect_bbox(bounds).intersect(self.area);
        let (x_scale, y_scale, straight) = scales(props.transform);
        let bilevel = is_bilevel(image.stream());
        let own = 1.0 - 1e-6..COPIED_SCALE;
        let copied = bilevel && own.contains(&x_scale) && own.contains(&y_scale);
        let largest = if bilevel && !copied { 1.0 } else { SCALE };
        let fits = |scale: f64| scale > 0.0 && scale <= largest;
        let upright = straight && fits(x_scale) && fits(y_scale);
        let plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        if !upright || !plain || bounds.is_zero_area() || !self.is_whole(bounds) {
            self.other = true;
            return;
        }
        let Some(canvas) = &mut self.canvas else {
            return;
        };
        let area = self.area;
        let wanted = |pixels: u32, scale: f64| (f64::from(pixels) * scale).ceil().max(1.0) as u32;
        image.with_rgba(
            |data, alpha| {
                if alpha.is_none() {
                    let (x_factor, y_factor) = data.scale_factors();
                    let factors = Affine::scale_non_uniform(f64::from(x_factor), f64::from(y_factor));
                    *canvas = average(data, props.transform * factors, area, copied);
                }
            },
            Some((wanted(width, x_scale), wanted(height, y_scale))),
        );
    }

    fn pop_clip(&mut self) {
        self.clips.pop();
    }

    fn pop_transparency_group(&mut self) {}
}

/// The share that rows or columns of a picture have in the rows or columns of the page.
struct Shares {
    /// First pixel of the picture, per place of the page.
    first: Vec<usize>,
    /// Weights of the pixels from there on in 256ths, per place as many as the place with the most needs. Their sum
    /// is 256 where the picture covers the whole place.
    weights: Vec<u16>,
    /// Weights per place.
    most: usize,
}

impl Shares {
    /// For `places` of the page that `pixels` of the picture are put on, the first at `offset`.
    fn new(places: usize, pixels: usize, scale: f64, offset: f64) -> Self {
        let most = (1.0 / scale).ceil() as usize + 1;
        let mut shares = Self {
            first: Vec::with_capacity(places),
            weights: Vec::with_capacity(places * most),
            most,
        };
        for place in 0..places {
            let at = |place: usize| ((place as f64 - offset) / scale).clamp(0.0, pixels as f64);
            let (begin, end) = (at(place), at(place + 1));
            let first = begin.floor() as usize;
            let mut given = 0;
            shares.first.push(first);
            shares.weights.extend((first..first + most).map(|pixel| {
                // What was given so far is rounded, not each weight: so the sum comes out right.
                let through = ((pixel as f64 + 1.0).min(end) - begin).max(0.0) * scale * 256.0;
                let weight = (through.round() as u16).min(256).saturating_sub(given);
                given += weight;
                weight
            }));
        }
        shares
    }

    /// As [`Shares::new`] for a scale of at least 1, with the pixel in the middle of each place alone.
    fn copying(places: usize, pixels: usize, scale: f64, offset: f64) -> Self {
        let mut shares = Self {
            first: Vec::with_capacity(places),
            weights: Vec::with_capacity(places * 2),
            most: 2,
        };
        for place in 0..places {
            let at = ((place as f64 + 0.5 - offset) / scale).floor();
            let covered = (0.0..pixels as f64).contains(&at);
            shares.first.push(if covered { at as usize } else { 0 });
            shares.weights.extend([if covered { 256 } else { 0 }, 0]);
        }
        shares
    }

    fn places(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let weights = self.weights.chunks_exact(self.most);
        self.first.iter().copied().zip(weights)
    }

    /// Averages one row of pixels, which goes on for `most` beyond its end.
    fn average(&self, row: &[u8], out: &mut [u8]) {
        match self.most {
            // Without a loop inside: enlarged pictures, and those of up to 400 dots per inch.
            2 => self.average_of::<2>(row, out),
            3 => self.average_of::<3>(row, out),
            4 => self.average_of::<4>(row, out),
            _ => {
                for (out, (first, weights)) in out.iter_mut().zip(self.places()) {
                    *out = mix(weights, row.get(first..).unwrap_or_default());
                }
            }
        }
    }

    fn average_of<const N: usize>(&self, row: &[u8], out: &mut [u8]) {
        let places = self.first.iter().zip(self.weights.as_chunks::<N>().0);
        for (out, (first, weights)) in out.iter_mut().zip(places) {
            if let Some(pixels) = row.get(*first..).and_then(<[u8]>::first_chunk::<N>) {
                *out = mix(weights, pixels);
            }
        }
    }
}

/// The weighted mean of pixels; what the weights leave of 256 is white.
#[inline(always)]
fn mix(weights: &[u16], pixels: &[u8]) -> u8 {
    let (mut sum, mut covered) = (0, 0);
    for (weight, pixel) in weights.iter().zip(pixels) {
        sum += u32::from(*weight) * u32::from(*pixel);
        covered += u32::from(*weight);
    }
    ((sum + 256_u32.saturating_sub(covered) * 255) >> 8) as u8
}

/// Whether a picture has only black and white (ISO 32000-1, tables 6 and 89).
fn is_bilevel(stream: &Stream<'_>) -> bool {
    let dict = stream.dict();
    let bits = dict.get::<i32>("BitsPerComponent").or_else(|| dict.get("BPC"));
    let fax = |filter: &Filter| matches!(filter, Filter::CcittFaxDecode | Filter::Jbig2Decode);
    bits == Some(1) || stream.filters().iter().any(fax)
}

/// How much smaller a picture becomes across and down, in its own directions, and whether its edges stay parallel to
/// those of the page.
fn scales(transform: Affine) -> (f64, f64, bool) {
    let [a, b, c, d, _, _] = transform.as_coeffs();
    let straight = b.abs() + c.abs() < 1e-9 || a.abs() + d.abs() < 1e-9;
    (a.hypot(b), c.hypot(d), straight)
}

/// Grey pixels with the way they lie on the page: straight, maybe mirrored.
struct Plane {
    grey: Vec<u8>,
    width: usize,
    transform: Affine,
}

impl Plane {
    /// Mirrors it so that its rows run to the right and follow each other downwards.
    fn unmirrored(mut self) -> Self {
        let [a, _, _, d, e, f] = self.transform.as_coeffs();
        let height = self.grey.len().checked_div(self.width).unwrap_or(0);
        let (left, top) = (e + a.min(0.0) * self.width as f64, f + d.min(0.0) * height as f64);
        match (a < 0.0, d < 0.0) {
            (false, false) => {}
            (true, true) => self.grey.reverse(),
            (mirrored, _) => {
                if !mirrored {
                    self.grey.reverse();
                }
                self.grey
                    .chunks_exact_mut(self.width.max(1))
                    .for_each(<[u8]>::reverse);
            }
        }
        self.transform = Affine::new([a.abs(), 0.0, 0.0, d.abs(), left, top]);
        self
    }
}

/// Rows of `width` pixels made columns, and columns rows.
fn turned(grey: &[u8], width: usize) -> Vec<u8> {
    /// Rows that are read side by side: as many pixels as fit into a line of the cache are then written one after the
    /// other.
    const BAND: usize = 64;
    let height = grey.len().checked_div(width).unwrap_or(0);
    let mut out = vec![0; grey.len()];
    for (band, rows) in grey.chunks(BAND * width.max(1)).enumerate() {
        for (column, line) in out.chunks_exact_mut(height.max(1)).enumerate() {
            let places = line.iter_mut().skip(band * BAND);
            for (place, row) in places.zip(rows.chunks_exact(width.max(1))) {
                if let Some(pixel) = row.get(column) {
                    *place = *pixel;
                }
            }
        }
    }
    out
}

/// Averages a picture down to the page, or copies it; empty when its data has another length than its size says.
fn average(data: ImageData, transform: Affine, area: Rect, copied: bool) -> Vec<u8> {
    let (width, height, grey) = match data {
        ImageData::Luma(luma) => (luma.width, luma.height, luma.data),
        ImageData::Rgb(rgb) => {
            let (pixels, _) = rgb.data.as_chunks::<3>();
            let luma = |&[r, g, b]: &[u8; 3]| luma(r, g, b);
            (rgb.width, rgb.height, pixels.iter().map(luma).collect())
        }
    };
    let (width, height) = (width as usize, height as usize);
    if grey.is_empty() || grey.len() != width * height {
        return Vec::new();
    }
    // One that lies on its side is averaged as it lies. What is turned then is the page, which is smaller.
    let [a, b, c, d, e, f] = transform.as_coeffs();
    let sideways = b.abs() > a.abs();
    let (transform, across, down) = match sideways {
        true => (Affine::new([b, a, d, c, f, e]), area.height(), area.width()),
        false => (transform, area.width(), area.height()),
    };
    let plane = Plane {
        grey,
        width,
        transform,
    };
    let Plane {
        grey,
        width,
        transform,
    } = plane.unmirrored();
    let height = grey.len() / width;
    let [x_scale, _, _, y_scale, left, top] = transform.as_coeffs();
    let shares = if copied { Shares::copying } else { Shares::new };
    let columns = shares(across as usize, width, x_scale, left);
    let rows = shares(down as usize, height, y_scale, top);
    let mut out = vec![u8::MAX; columns.first.len() * rows.first.len()];
    let mut sums = vec![0; width];
    let mut row = vec![0; width + columns.most];
    for (line, (first, weights)) in out.chunks_exact_mut(columns.first.len()).zip(rows.places()) {
        let covered: u16 = weights.iter().sum();
        if covered == 0 {
            continue;
        }
        // What the picture doesn't cover is white.
        sums.fill((256 - covered) * 255);
        let sources = grey.chunks_exact(width).skip(first);
        for (weight, source) in weights.iter().zip(sources).filter(|(weight, _)| **weight > 0) {
            for (sum, pixel) in sums.iter_mut().zip(source) {
                *sum += weight * u16::from(*pixel);
            }
        }
        for (mean, sum) in row.iter_mut().zip(&sums) {
            *mean = (sum >> 8) as u8;
        }
        columns.average(&row, line);
    }
    match sideways {
        true => turned(&out, columns.first.len()),
        false => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (width, height) in [(1, 1), (3, 200), (200, 3), (64, 64), (65, 130)] {
            let grey: Vec<u8> = (0..width * height).map(|at| (at * 7 % 251) as u8).collect();
            let out = turned(&grey, width);
            for (at, pixel) in out.iter().enumerate() {
                let (column, row) = (at / height, at % height);
                assert_eq!(*pixel, grey[row * width + column], "{width}x{height} {at}");
            }
            assert_eq!(turned(&out, height), grey);
        }
        assert!(turned(&[], 0).is_empty());
    }

    fn picture(width: u32, height: u32) -> ImageData {
        ImageData::Luma(hayro::hayro_interpret::LumaData {
            data: (0..width * height)
                .map(|at| if at * 37 % 101 < 40 { 0 } else { 255 })
                .collect(),
            width,
            height,
            interpolate: false,
            scale_factors: (1.0, 1.0),
        })
    }

    /// However it lies, and wherever, each place of the page has the pixel that lies there; the rest is white.
    #[test]
    fn pictures_lie_as_they_are_put() {
        let (width, height) = (31, 20);
        let area = Rect::new(0.0, 0.0, 100.0, 80.0);
        for (x, y) in [(1.0, 1.0), (1.0, 2.0), (1.7, 1.2)] {
            for lie in [[x, 0.0, 0.0, y], [0.0, x, y, 0.0]] {
                for (u, v) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
                    let [a, b, c, d] = lie;
                    let put = Affine::new([a * u, b * u, c * v, d * v, 48.25, 39.75]);
                    let ImageData::Luma(source) = picture(width, height) else {
                        unreachable!()
                    };
                    let out = average(picture(width, height), put, area, true);
                    let mut seen = std::collections::BTreeSet::new();
                    for (at, grey) in out.iter().enumerate() {
                        let place =
                            hayro::kurbo::Point::new((at % 100) as f64 + 0.5, (at / 100) as f64 + 0.5);
                        let from = put.inverse() * place;
                        let inside = (0.0..f64::from(width)).contains(&from.x)
                            && (0.0..f64::from(height)).contains(&from.y);
                        let pixel = from.y as usize * width as usize + from.x as usize;
                        assert_eq!(
                            *grey,
                            if inside { source.data[pixel] } else { 255 },
                            "{put:?} {at}"
                        );
                        seen.extend(inside.then_some(pixel));
                    }
                    let whole = (0.0..=100.0).contains(&(48.25 + 31.0 * a * u + 20.0 * c * v))
                        && (0.0..=80.0).contains(&(39.75 + 31.0 * b * u + 20.0 * d * v));
                    assert!(
                        !whole || seen.len() == source.data.len(),
                        "{put:?}: one is missing"
                    );
                }
            }
        }
    }

    /// Averaging weighs what copying takes: at whole multiples both are the same.
    #[test]
    fn averages_lie_like_copies() {
        let area = Rect::new(0.0, 0.0, 100.0, 80.0);
        for lie in [[2.0, 0.0, 0.0, 1.0], [0.0, 1.0, 2.0, 0.0]] {
            for (u, v) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
                let [a, b, c, d] = lie;
                let put = Affine::new([a * u, b * u, c * v, d * v, 50.0, 40.0]);
                let draw = |copied| average(picture(20, 20), put, area, copied);
                assert_eq!(draw(false), draw(true), "{put:?}");
            }
        }
    }
}
