//! What annotations and form fields print (ISO 32000-1, 12.5 and 12.7).
//!
//! The appearance of an annotation is what its writer drew. Where there is none, or the form asks for new ones, it is made
//! here from the entries that describe it.

mod button;
mod field;
mod markup;
mod shapes;
mod style;
mod text;

pub(super) use self::markup::is_borderless;

use self::field::Field;
use super::copy::Layers;
use super::inspect::paints;
use super::objects::items;
use crate::model::FontProvider;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Array, Dict, Name, ObjRef, Object, Stream};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::xref::XRef;
use hayro::kurbo::{Affine, Rect, Shape};
use pdf_writer::Content;

/// Flags of annotations (ISO 32000-1, table 165).
mod flag {
    pub(super) const HIDDEN: u32 = 1 << 1;
    pub(super) const PRINT: u32 = 1 << 2;
    pub(super) const NO_VIEW: u32 = 1 << 5;
}

/// What is drawn over a page, in order.
pub(super) struct Drawings {
    pub(super) drawings: Vec<Drawing>,
    /// Annotations that are seen on screens and not marked for printing.
    pub(super) not_printed: usize,
}

/// Something to be drawn over a page.
pub(super) struct Drawing {
    /// From its own coordinates to those of the page.
    pub(super) matrix: [f64; 6],
    pub(super) source: Source,
}

pub(super) enum Source {
    /// An appearance stream of the document.
    Appearance(ObjRef),
    Made(Made),
}

/// An appearance that was made here.
pub(super) struct Made {
    pub(super) content: Vec<u8>,
    /// Left, bottom, right and top.
    pub(super) area: [f32; 4],
    /// Standard fonts, named `F0` and so on.
    pub(super) fonts: Vec<&'static str>,
    /// Files with one page each that are forms named `T0` and so on.
    pub(super) texts: Vec<Vec<u8>>,
    /// Opacity of the graphics state `G`.
    pub(super) opacity: f32,
    /// Whether that graphics state has the blend mode Multiply.
    pub(super) multiplied: bool,
}

/// The interactive form of a document.
pub(super) struct Form<'a> {
    xref: &'a XRef,
    dict: Dict<'a>,
    fonts: FontProvider,
}

impl<'a> Form<'a> {
    pub(super) fn of(pdf: &'a Pdf, fonts: FontProvider) -> Self {
        let catalog = super::copy::root(pdf).unwrap_or_default();
        Self {
            xref: pdf.xref(),
            dict: catalog.get("AcroForm").unwrap_or_default(),
            fonts,
        }
    }

    /// What the annotations of a page print.
    pub(super) fn drawings(&self, page: &Page<'a>, layers: &Layers) -> Drawings {
        let mut all = Drawings {
            drawings: Vec::new(),
            not_printed: 0,
        };
        let annotations = page.raw().get::<Array<'_>>("Annots");
        let annotations = annotations.iter().flat_map(|all| items(all, self.xref));
        for annotation in annotations.filter_map(Object::into_dict) {
            let flags = annotation.get::<u32>("F").unwrap_or(0);
            if flags & flag::HIDDEN != 0 || !layers.shows(&annotation, "OC", self.xref) {
                continue;
            }
            let is_printed = flags & flag::PRINT != 0;
            if !is_printed && (flags & flag::NO_VIEW != 0 || !matters(&annotation)) {
                continue;
            }
            match self.drawing(&annotation) {
                Some(drawing) if is_printed => all.drawings.push(drawing),
                Some(_) => all.not_printed += 1,
                None => {}
            }
        }
        all
    }

    /// What one annotation looks like; `None` if it can't be seen.
    fn drawing(&self, annotation: &Dict<'a>) -> Option<Drawing> {
        let kind = annotation.get::<Name<'_>>("Subtype")?;
        if kind.as_ref() == b"Popup" {
            return None;
        }
        let field = (kind.as_ref() == b"Widget").then(|| Field::new(self, annotation));
        let appearance = self.appearance(annotation, field.as_ref());
        if let Some(field) = field {
            let shown = appearance.as_ref().map(|(_, stream)| stream);
            if let Some(made) = field.drawing().filter(|_| field.needs_appearance(shown)) {
                return Some(made);
            }
        }
        match appearance {
            // An empty appearance is what its writer wanted.
            Some((id, stream)) => placed(annotation, id, &stream).filter(|_| is_drawn(&stream)),
            None if annotation.contains_key("AP") => None,
            None => markup::drawing(self, annotation, kind.as_ref()),
        }
    }

    /// The stream that draws the present state of an annotation (ISO 32000-1, 12.5.5).
    fn appearance(
        &self,
        annotation: &Dict<'a>,
        field: Option<&Field<'_, 'a>>,
    ) -> Option<(ObjRef, Stream<'a>)> {
        let appearance = annotation.get::<Dict<'_>>("AP")?;
        let states = match appearance.get::<Object<'_>>("N")? {
            Object::Stream(stream) => return Some((appearance.get_ref("N")?, stream)),
            states => states.into_dict()?,
        };
        let state = annotation.get::<Name<'_>>("AS");
        let state = state.or_else(|| field?.state().filter(|state| states.contains_key(state.as_ref())));
        let state = state.as_ref().map_or(b"Off".as_slice(), AsRef::as_ref);
        Some((states.get_ref(state)?, states.get::<Stream<'_>>(state)?))
    }
}

/// Whether somebody would miss an annotation that isn't printed: not links, and not what only stands for something else.
fn matters(annotation: &Dict<'_>) -> bool {
    let kind = annotation.get::<Name<'_>>("Subtype");
    kind.is_some_and(|kind| {
        !matches!(
            kind.as_ref(),
            b"Link" | b"Popup" | b"Text" | b"FileAttachment" | b"Sound"
        )
    })
}

/// Whether an appearance has content that paints.
fn is_drawn(stream: &Stream<'_>) -> bool {
    stream.decoded_data().is_ok_and(|content| paints(&content))
}

/// Puts an appearance into the rectangle of its annotation (ISO 32000-1, 12.5.5, algorithm 8.1).
fn placed(annotation: &Dict<'_>, id: ObjRef, stream: &Stream<'_>) -> Option<Drawing> {
    let rect = rectangle(annotation)?;
    let dict = stream.dict();
    let bounds = dict.get::<[f64; 4]>("BBox")?;
    let matrix = dict
        .get::<[f64; 6]>("Matrix")
        .map_or(Affine::IDENTITY, Affine::new);
    let [x0, y0, x1, y1] = bounds;
    let bounds = (matrix * Rect::new(x0, y0, x1, y1).to_path(0.1)).bounding_box();
    let scale = |to: f64, from: f64| if from > 0.0 { to / from } else { 1.0 };
    let (x, y) = (
        scale(rect.width(), bounds.width()),
        scale(rect.height(), bounds.height()),
    );
    let matrix = [x, 0.0, 0.0, y, rect.x0 - x * bounds.x0, rect.y0 - y * bounds.y0];
    let usable = matrix.iter().all(|value| value.is_finite()) && x > 0.0 && y > 0.0;
    usable.then_some(Drawing {
        matrix,
        source: Source::Appearance(id),
    })
}

/// The rectangle of an annotation, with its corners in order.
fn rectangle(annotation: &Dict<'_>) -> Option<Rect> {
    let [x0, y0, x1, y1] = annotation.get::<[f64; 4]>("Rect")?;
    let rect = Rect::new(x0, y0, x1, y1).abs();
    rect.is_finite().then_some(rect)
}

/// Something drawn in the coordinates of the page, within `area`.
fn made(content: Content, area: Rect, opacity: f32) -> Made {
    Made {
        content: content.finish().into_vec(),
        area: [area.x0, area.y0, area.x1, area.y1].map(|side| side as f32),
        fonts: Vec::new(),
        texts: Vec::new(),
        opacity,
        multiplied: false,
    }
}
