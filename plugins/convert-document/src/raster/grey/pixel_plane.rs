//! The pixels of a picture, as a fax needs them: the bits of a black and white one stay bits, and of a JPEG file only the
//! brightness is decoded. Whoever draws in colour makes bytes of all that first.

use hayro::hayro_interpret::ImageData;
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::stream::ImageDecodeParams;
use hayro::hayro_syntax::object::{Array, Dict, Name, Stream};
use hayro::hayro_syntax::page::Page;
use std::borrow::Cow;
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::super::halftone::luma;
use super::jpeg::Scan;
use crate::pdf::{is_image, jpeg_decoder};

/// Rows of pixels.
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Pixels,
}

pub(super) enum Pixels {
    /// A byte each, 255 is white; `width` to a row.
    Grey(Vec<u8>),
    /// A bit each, the first one in the highest place; rows begin on a byte. `black` says what the ones are.
    Bits { bits: Vec<u8>, black: bool },
}

impl Plane {
    /// What the PDF interpreter made of a picture; nothing when there is less data than its size says.
    pub(super) fn of_image(data: ImageData) -> Option<Self> {
        let (width, height, grey) = match data {
            ImageData::Luma(luma) => (luma.width, luma.height, luma.data),
            ImageData::Rgb(rgb) => {
                let (pixels, _) = rgb.data.as_chunks::<3>();
                let luma = |&[r, g, b]: &[u8; 3]| luma(r, g, b);
                (rgb.width, rgb.height, pixels.iter().map(luma).collect())
            }
        };
        let (width, height) = (width as usize, height as usize);
        (!grey.is_empty() && grey.len() == width * height).then_some(Self {
            width,
            height,
            pixels: Pixels::Grey(grey),
        })
    }

    /// Decodes a picture straight from its stream, when it is of a kind that scanners and programs write: in grey or RGB
    /// as the device has it, with nothing on the page that could give its values another meaning
    /// ([`is_plain`]).
    pub(super) fn of_stream(stream: &Stream<'_>) -> Option<Self> {
        let dict = stream.dict();
        let space = dict.get::<Name<'_>>("ColorSpace")?;
        let size = (dict.get::<u32>("Width")?, dict.get::<u32>("Height")?);
        match (space.as_ref(), stream.filters().as_slice()) {
            (_, [Filter::DctDecode]) => Jpeg::of_stream(stream)?.plane(),
            (b"DeviceGray", _) if is_bilevel(stream) => bits(stream, size),
            _ => None,
        }
    }

    /// Memory that the pixels take.
    pub(super) fn bytes(&self) -> usize {
        match &self.pixels {
            Pixels::Grey(bytes) | Pixels::Bits { bits: bytes, .. } => bytes.len(),
        }
    }
}

/// Whether parts of a picture aren't shown.
pub(super) fn is_masked(dict: &Dict<'_>) -> bool {
    let masks = ["SMask", "Mask", "SMaskInData"];
    masks.iter().any(|key| dict.contains_key(key))
}

/// Whether a picture wants soft transitions where it is enlarged.
pub(super) fn is_smoothed(dict: &Dict<'_>) -> bool {
    let wanted = dict.get::<bool>("Interpolate").or_else(|| dict.get("I"));
    wanted == Some(true)
}

/// Whether nothing on a page, or in what it shows, changes what the values of its pictures mean: graphics states may hold
/// transfer functions, colour spaces defaults for those of the device, and forms have resources of their own.
pub(super) fn is_plain(page: &Page<'_>) -> bool {
    let resources = page.resources();
    let objects = &resources.x_objects;
    let is_picture = |name: Name<'_>| {
        let object = objects.get::<Stream<'_>>(name.as_ref());
        object.is_some_and(|object| is_image(object.dict()))
    };
    resources.ext_g_states.is_empty() && resources.color_spaces.is_empty() && objects.keys().all(is_picture)
}

/// Whether a picture has only black and white (ISO 32000-1, tables 6 and 89).
pub(super) fn is_bilevel(stream: &Stream<'_>) -> bool {
    let dict = stream.dict();
    let bits = dict.get::<i32>("BitsPerComponent").or_else(|| dict.get("BPC"));
    let fax = |filter: &Filter| matches!(filter, Filter::CcittFaxDecode | Filter::Jbig2Decode);
    bits == Some(1) || stream.filters().iter().any(fax)
}

/// The `Decode` array, when it has two values.
fn decode(stream: &Stream<'_>) -> Option<[f32; 2]> {
    let Some(array) = stream.dict().get::<Array<'_>>("Decode") else {
        return Some([0.0, 1.0]);
    };
    let mut values = array.iter::<f32>();
    let pair = [values.next()?, values.next()?];
    values.next().is_none().then_some(pair)
}

fn bits(stream: &Stream<'_>, (width, height): (u32, u32)) -> Option<Plane> {
    let black = match decode(stream)? {
        [0.0, 1.0] => false,
        [1.0, 0.0] => true,
        _ => return None,
    };
    // Pictures with a palette are decoded to bits, all others to bytes.
    let params = ImageDecodeParams {
        is_indexed: true,
        bpc: Some(1),
        num_components: Some(1),
        target_dimension: None,
        width,
        height,
    };
    let decoded = stream.decoded_image(&params).ok()?;
    let as_said = decoded
        .image_data
        .is_none_or(|data| (data.width, data.height, data.bits_per_component) == (width, height, 1));
    let (width, height) = (width as usize, height as usize);
    let bytes = width.div_ceil(8).checked_mul(height)?;
    (as_said && bytes > 0 && decoded.data.len() >= bytes).then_some(Plane {
        width,
        height,
        pixels: Pixels::Bits {
            bits: decoded.data.into_owned(),
            black,
        },
    })
}

/// A JPEG file in grey or in the colours of JFIF, whose first component is the brightness.
pub(super) struct Jpeg<'a> {
    file: Cow<'a, [u8]>,
    /// Width and height.
    size: (usize, usize),
}

impl<'a> Jpeg<'a> {
    /// Nothing when it is of another kind, or its values mean something else than brightness.
    pub(super) fn of_stream(stream: &Stream<'a>) -> Option<Self> {
        let dict = stream.dict();
        let is_plain = !dict.contains_key("Decode") && !dict.contains_key("DecodeParms");
        if !is_plain || *stream.filters() != [Filter::DctDecode] {
            return None;
        }
        let size = (dict.get::<u32>("Width")?, dict.get::<u32>("Height")?);
        let jpeg = Self {
            file: stream.raw_data(),
            size: (size.0 as usize, size.1 as usize),
        };
        let decoder = jpeg_decoder(&jpeg.file)?;
        let space = dict.get::<Name<'_>>("ColorSpace")?;
        let as_said = match decoder.input_colorspace()? {
            ColorSpace::Luma => space.as_ref() == b"DeviceGray",
            ColorSpace::YCbCr => space.as_ref() == b"DeviceRGB",
            _ => false,
        };
        (as_said && decoder.dimensions() == Some(jpeg.size)).then_some(jpeg)
    }

    /// Its rows one after the other, if it is of the usual kind.
    pub(super) fn scan(&self) -> Option<Scan<'_>> {
        Scan::new(&self.file, self.size)
    }

    /// All of it at once.
    fn plane(&self) -> Option<Plane> {
        let grey = jpeg_decoder(&self.file)?.decode().ok()?;
        let (width, height) = self.size;
        (!grey.is_empty() && grey.len() == width * height).then_some(Plane {
            width,
            height,
            pixels: Pixels::Grey(grey),
        })
    }
}

#[cfg(test)]
mod tests;
