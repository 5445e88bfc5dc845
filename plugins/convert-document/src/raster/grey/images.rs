//! Images whose edges are parallel to those of the page: opaque ones (scans, photographs, logos) and stencil masks.

use super::GreyDevice;
use super::canvas::{FillColor, FillSource};
use super::pixel_plane::{Jpeg, Plane, is_bilevel, is_masked, is_smoothed};
use super::resample::{Scaled, Scaling};
use hayro::hayro_interpret::{
    CacheKey, Image, ImageData, ImageDrawProps, LumaData, Paint, RasterImage, StencilImage,
};
use hayro::hayro_syntax::object::Stream;
use hayro::kurbo::{Affine, Rect};
use std::collections::HashSet;
use std::rc::Rc;

/// Bytes of decoded pictures that are kept in case they come again on the page.
const KEPT: usize = 16 * 1024 * 1024;

/// An image resampled to device pixels.
pub(super) struct PlacedImage {
    left: usize,
    top: usize,
    width: usize,
    grey: Vec<u8>,
}

impl PlacedImage {
    fn row(&self, y: usize) -> &[u8] {
        let mut rows = self.grey.chunks_exact(self.width);
        let row = y.checked_sub(self.top).and_then(|y| rows.nth(y));
        row.unwrap_or_default()
    }

    fn greys(&self, x: usize, y: usize) -> impl Iterator<Item = u8> {
        // Strips begin on every fourth pixel; of those before the picture nothing is covered.
        let before = self.left.saturating_sub(x);
        let row = self.row(y).get(x.saturating_sub(self.left)..).unwrap_or_default();
        std::iter::repeat_n(0, before).chain(row.iter().copied())
    }
}

impl FillSource for PlacedImage {
    fn fills(&self, x: usize, y: usize) -> impl Iterator<Item = FillColor> {
        self.greys(x, y).map(FillColor::grey)
    }

    fn cover(&self, x: usize, y: usize, pixels: &mut [u8]) {
        let row = x.checked_sub(self.left).and_then(|x| self.row(y).get(x..));
        for (pixel, grey) in pixels.iter_mut().zip(row.unwrap_or_default()) {
            *pixel = *grey;
        }
    }
}

/// A stencil mask resampled to device pixels, and its colour.
struct Stencil {
    /// Coverage in 255ths.
    coverage: PlacedImage,
    color: FillColor,
}

impl FillSource for Stencil {
    fn fills(&self, x: usize, y: usize) -> impl Iterator<Item = FillColor> {
        self.coverage
            .greys(x, y)
            .map(|part| self.color.with_coverage(part))
    }
}

/// Decoded pictures of a page, the last ones used.
#[derive(Default)]
pub(super) struct Decoded {
    planes: Vec<(u128, Rc<Plane>)>,
    /// Which pictures there were so far.
    seen: HashSet<u128>,
}

impl Decoded {
    fn keep(&mut self, key: u128, plane: &Rc<Plane>) {
        self.planes.push((key, Rc::clone(plane)));
        let mut bytes = 0;
        let mut fits = |(_, plane): &(u128, Rc<Plane>)| {
            bytes += plane.bytes();
            bytes <= KEPT
        };
        let fitting = self.planes.iter().rev().take_while(|kept| fits(kept)).count();
        self.planes.drain(..self.planes.len() - fitting);
    }

    /// Whether a picture is asked for the first time.
    fn is_first(&mut self, key: u128) -> bool {
        self.seen.insert(key)
    }

    fn get(&self, key: u128) -> Option<Rc<Plane>> {
        let kept = self.planes.iter().find(|(kept, _)| *kept == key);
        kept.map(|(_, plane)| Rc::clone(plane))
    }
}

impl GreyDevice<'_> {
    /// Draws an image, or marks the page as unsupported.
    pub(super) fn draw_raster_image(&mut self, image: &Image<'_, '_>, props: &ImageDrawProps<'_>) {
        let drawn = match image {
            _ if !self.may_draw(&props.soft_mask, props.blend_mode) => None,
            Image::Raster(image) => self.draw_pixels(image, props.transform),
            Image::Stencil(stencil) => self.draw_stencil(stencil, props.transform),
        };
        self.unsupported |= drawn.is_none();
    }

    fn draw_pixels(&mut self, image: &RasterImage<'_>, transform: Affine) -> Option<()> {
        let place = Place::new(image.stream(), (image.width(), image.height()), transform)?;
        if let Some(area) = place.area(self.area) {
            let picture = match self.scan(image, &place, area) {
                Some(picture) => picture,
                None => place.picture(&*self.plane(image, place.wanted())?, area)?,
            };
            self.fill_rect(&place.whole, transform, &picture);
        }
        Some(())
    }

    /// Decodes a JPEG file row by row while it is put on the page. One that comes again on a page is decoded as a whole, and
    /// kept.
    fn scan(&mut self, image: &RasterImage<'_>, place: &Place, area: Rect) -> Option<PlacedImage> {
        if !self.plain || !self.decoded.is_first(image.cache_key()) {
            return None;
        }
        let jpeg = Jpeg::of_stream(image.stream())?;
        place.picture(jpeg.scan()?, area)
    }

    fn draw_stencil(&mut self, stencil: &StencilImage<'_, '_>, transform: Affine) -> Option<()> {
        let place = Place::new(stencil.stream(), (stencil.width(), stencil.height()), transform)?;
        let Some(area) = place.area(self.area) else {
            return Some(());
        };
        let mut drawn = None;
        let put = |mask: LumaData, paint: &Paint<'_>| {
            let Paint::Color(colour) = paint else {
                return;
            };
            let coverage =
                Plane::of_image(ImageData::Luma(mask)).and_then(|plane| place.picture(&plane, area));
            drawn = coverage.map(|coverage| Stencil {
                coverage,
                color: FillColor::new(colour.to_rgba().to_rgba8()),
            });
        };
        stencil.with_stencil(put, Some(place.wanted()));
        self.fill_rect(&place.whole, transform, &drawn?);
        Some(())
    }

    fn plane(&mut self, image: &RasterImage<'_>, wanted: (u32, u32)) -> Option<Rc<Plane>> {
        let key = image.cache_key();
        if let Some(plane) = self.decoded.get(key) {
            return Some(plane);
        }
        let straight = self.plain.then(|| Plane::of_stream(image.stream())).flatten();
        let plane = Rc::new(straight.or_else(|| {
            let mut plane = None;
            let opaque = |data, alpha: Option<_>| plane = Plane::of_image(data).filter(|_| alpha.is_none());
            image.with_rgba(opaque, Some(wanted));
            plane
        })?);
        self.decoded.keep(key, &plane);
        Some(plane)
    }
}

/// Placement of an image on the page.
struct Place {
    /// Its pixels.
    whole: Rect,
    transform: Affine,
    /// How much larger it becomes across and down, in its own directions.
    scales: (f64, f64),
    /// Whether it has only black and white.
    bilevel: bool,
}

impl Place {
    /// `None` when the image needs the general renderer.
    fn new(stream: &Stream<'_>, (width, height): (u32, u32), transform: Affine) -> Option<Self> {
        let whole = Rect::new(0.0, 0.0, width.into(), height.into());
        let scales = scales(transform)?;
        let enlarged = scales.0 > 1.0 || scales.1 > 1.0;
        if is_masked(stream.dict()) || enlarged && is_smoothed(stream.dict()) {
            return None;
        }
        Some(Self {
            whole,
            transform,
            scales,
            bilevel: is_bilevel(stream),
        })
    }

    /// The whole pixels of the page that it reaches into, if it isn't beyond the page.
    fn area(&self, page: Rect) -> Option<Rect> {
        let area = self
            .transform
            .transform_rect_bbox(self.whole)
            .intersect(page)
            .expand();
        (!area.is_zero_area() && area.is_finite()).then_some(area)
    }

    /// Pixels that are worth decoding.
    fn wanted(&self) -> (u32, u32) {
        let wanted = |pixels: f64, scale: f64| (pixels * scale).ceil().max(1.0) as u32;
        (
            wanted(self.whole.width(), self.scales.0),
            wanted(self.whole.height(), self.scales.1),
        )
    }

    /// What lies on an area of the page; nothing when the pixels can't be had.
    fn picture(&self, pixels: impl Scaled, area: Rect) -> Option<PlacedImage> {
        // A reduced version may have been decoded.
        let (width, height) = pixels.size();
        let factors = Affine::scale_non_uniform(
            self.whole.width() / width as f64,
            self.whole.height() / height as f64,
        );
        let put = Affine::translate((-area.x0, -area.y0)) * self.transform * factors;
        let scaling = if self.bilevel {
            Scaling::Exact
        } else {
            Scaling::Mean
        };
        Some(PlacedImage {
            left: area.x0 as usize,
            top: area.y0 as usize,
            width: area.width() as usize,
            grey: pixels.scaled(put, area.size(), scaling)?,
        })
    }
}

/// How much larger a picture becomes across and down, in its own directions; nothing when its edges aren't parallel to
/// those of the page.
fn scales(transform: Affine) -> Option<(f64, f64)> {
    let [a, b, c, d, _, _] = transform.as_coeffs();
    let straight = b.abs() + c.abs() < 1e-9 || a.abs() + d.abs() < 1e-9;
    let scales = (a.hypot(b), c.hypot(d));
    (straight && scales.0 > 0.0 && scales.1 > 0.0).then_some(scales)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::grey::pixel_plane::Pixels;

    #[test]
    fn the_last_pictures_are_kept_as_far_as_there_is_room() {
        let plane = |bytes: usize| {
            Rc::new(Plane {
                width: bytes,
                height: 1,
                pixels: Pixels::Grey(vec![0; bytes]),
            })
        };
        let mut decoded = Decoded::default();
        for key in 0..4 {
            decoded.keep(key, &plane(KEPT / 3));
        }
        assert!(decoded.get(0).is_none());
        assert!((1..4).all(|key| decoded.get(key).is_some()));
        // One that is too large is not kept, and neither is what came before.
        decoded.keep(4, &plane(KEPT + 1));
        assert!((0..5).all(|key| decoded.get(key).is_none()));
    }
}
