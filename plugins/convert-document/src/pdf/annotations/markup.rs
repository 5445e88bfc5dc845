//! Notes, marks on text and stamps without an appearance (ISO 32000-1, 12.5.6).

use super::field::string;
use super::shapes::{self, draw_ending, draw_line, finish, inner, points};
use super::style::{Border, Colour, opacity};
use super::text::{Placement, TextStyle, blank};
use super::{Drawing, Form, Made, Source, made, rectangle};
use crate::pdf::objects::name_is;
use hayro::hayro_syntax::object::{Array, Dict, Name, Object, String as PdfString};
use hayro::kurbo::{Point, Rect};
use pdf_writer::Content;

/// Room between the border of a note and its text, in points.
const PADDING: f64 = 2.0;
/// Thickness of lines under and through text, and the height of its waves, in parts of the height of the text.
const THICKNESS: f64 = 0.06;
const WAVE: f64 = 0.08;
/// Most marks of one annotation.
const MAX_MARKS: usize = 5000;

/// What an annotation of this kind looks like; `None` for kinds that don't print without an appearance.
pub(super) fn drawing(form: &Form<'_>, annotation: &Dict<'_>, kind: &[u8]) -> Option<Drawing> {
    let made = match kind {
        b"FreeText" => free_text(form, annotation),
        b"Ink" => shapes::ink(annotation, form.xref),
        b"Line" => shapes::line(annotation, "L", false),
        b"PolyLine" => shapes::line(annotation, "Vertices", false),
        b"Polygon" => shapes::line(annotation, "Vertices", true),
        b"Square" => shapes::closed(annotation, false),
        b"Circle" => shapes::closed(annotation, true),
        b"Highlight" | b"Underline" | b"StrikeOut" | b"Squiggly" => text_marks(annotation, kind),
        b"Stamp" => stamp(form, annotation),
        b"Link" => link(annotation),
        _ => None,
    }?;
    Some(Drawing {
        matrix: [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        source: Source::Made(made),
    })
}

/// Text in a box, perhaps with a line to what it is about.
fn free_text(form: &Form<'_>, annotation: &Dict<'_>) -> Option<Made> {
    let area = rectangle(annotation)?;
    let appearance = annotation.get::<PdfString<'_>>("DA");
    let appearance = appearance.or_else(|| form.dict.get::<PdfString<'_>>("DA"));
    let style = TextStyle::read(appearance.as_ref().map_or(b"", PdfString::as_bytes), form);
    let border = Border::of(annotation);
    let is_framed = border.width > 0.0 && !name_is(annotation, "IT", b"FreeTextTypeWriter");
    let frame = inner(area, annotation);
    let line = frame.inset(-f64::from(border.width) / 2.0);
    let mut content = Content::new();
    content.set_parameters(pdf_writer::Name(b"G")).save_state();
    border.apply(&mut content);
    style.colour.stroke(&mut content);
    if let Some(callout) = annotation.get::<Array<'_>>("CL").filter(|_| border.width > 0.0) {
        let callout = points(&callout);
        draw_line(&callout, &mut content);
        content.stroke();
        if let ([first, second, ..], Some(kind)) = (callout.as_slice(), annotation.get::<Name<'_>>("LE")) {
            draw_ending(&mut content, kind.as_ref(), (*first, *second), &border, false);
        }
    }
    let background = Colour::of(annotation, "C");
    if let Some(background) = background {
        background.fill(&mut content);
    }
    content.rect(
        line.x0 as f32,
        line.y0 as f32,
        line.width() as f32,
        line.height() as f32,
    );
    finish(&mut content, background.is_some(), is_framed, true);
    content.restore_state();
    let mut made = made(content, area, opacity(annotation));
    let text = words(annotation);
    let at = Placement {
        area: frame.inset(-(f64::from(border.width) + PADDING).min(frame.height() / 4.0)),
        quadding: annotation.get::<i32>("Q").unwrap_or(0),
        is_multiline: true,
        cells: 0,
    };
    style.draw(&text, at, form, &mut made);
    Some(made)
}

/// The text of a note, or what its rich text says (ISO 32000-1, 12.7.3.4).
fn words(annotation: &Dict<'_>) -> String {
    let text = |key: &str| {
        annotation
            .get::<Object<'_>>(key)
            .and_then(string)
            .unwrap_or_default()
    };
    let plain = text("Contents");
    if !plain.trim().is_empty() {
        return plain;
    }
    let mut words = String::new();
    for part in text("RC").split('<') {
        // What comes before the first `>` is an element, and text after it.
        let (element, text) = part.split_once('>').unwrap_or(("", ""));
        if matches!(
            element.split_whitespace().next(),
            Some("/p" | "br" | "br/" | "/div")
        ) {
            words.push('\n');
        }
        words.push_str(text);
    }
    for (name, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#13;", "\n"),
        ("&amp;", "&"),
    ] {
        words = words.replace(name, character);
    }
    words
}

/// The corners of each marked piece of text: upper left, upper right, lower left, lower right, as programs write them.
fn quads(annotation: &Dict<'_>) -> Vec<[Point; 4]> {
    let corners = annotation
        .get::<Array<'_>>("QuadPoints")
        .map(|corners| points(&corners))
        .unwrap_or_default();
    let (quads, _) = corners.as_chunks::<4>();
    if !quads.is_empty() {
        return quads.iter().copied().take(MAX_MARKS).collect();
    }
    let corners = |area: Rect| {
        [
            (area.x0, area.y1),
            (area.x1, area.y1),
            (area.x0, area.y0),
            (area.x1, area.y0),
        ]
        .map(Point::from)
    };
    rectangle(annotation).map(corners).into_iter().collect()
}

/// A highlight, or lines under or through text.
fn text_marks(annotation: &Dict<'_>, kind: &[u8]) -> Option<Made> {
    let is_highlight = kind == b"Highlight";
    let usual = if is_highlight {
        Colour::Rgb([1.0, 1.0, 0.0])
    } else {
        Colour::BLACK
    };
    let colour = Colour::of(annotation, "C").unwrap_or(usual);
    let quads = quads(annotation);
    let [first, ..] = quads.first()?;
    let corners = quads.iter().flatten();
    let bounds = corners.fold(Rect::from_points(*first, *first), |all, corner| {
        all.union_pt(*corner)
    });
    let mut content = Content::new();
    content.set_parameters(pdf_writer::Name(b"G"));
    colour.fill(&mut content);
    colour.stroke(&mut content);
    for [upper_left, upper_right, lower_left, lower_right] in quads {
        let up = upper_left - lower_left;
        content.set_line_width((up.hypot() * THICKNESS).clamp(0.2, 5.0) as f32);
        match kind {
            b"Highlight" => {
                draw_line(&[lower_left, upper_left, upper_right, lower_right], &mut content);
                content.close_path().fill_nonzero();
                continue;
            }
            b"StrikeOut" => draw_line(&[lower_left + up / 2.0, lower_right + up / 2.0], &mut content),
            b"Squiggly" => draw_line(&waves(lower_left, lower_right, up.hypot()), &mut content),
            _ => draw_line(
                &[lower_left + up * THICKNESS, lower_right + up * THICKNESS],
                &mut content,
            ),
        }
        content.stroke();
    }
    let mut made = made(content, bounds.inflate(5.0, 5.0), opacity(annotation));
    made.multiplied = is_highlight;
    Some(made)
}

/// A line that goes up and down between two points, for text of this height.
fn waves(from: Point, to: Point, height: f64) -> Vec<Point> {
    let way = to - from;
    let size = (height * WAVE).clamp(0.5, 10.0);
    let count = (way.hypot() / size).clamp(1.0, 2000.0) as usize;
    let aside = way.normalize();
    let up = hayro::kurbo::Vec2::new(-aside.y, aside.x) * size;
    let at = |step: usize| {
        let along = from + way * (step as f64 / count as f64);
        if step % 2 == 1 { along + up } else { along }
    };
    let points: Vec<Point> = (0..=count).map(at).collect();
    if points.iter().all(|point| point.is_finite()) {
        points
    } else {
        Vec::new()
    }
}

/// A rubber stamp: its words in a frame.
fn stamp(form: &Form<'_>, annotation: &Dict<'_>) -> Option<Made> {
    let area = rectangle(annotation)?;
    let name = annotation.get::<Name<'_>>("Name");
    let name = name
        .as_ref()
        .map_or_else(|| "Draft".to_owned(), |name| name.as_str().to_owned());
    let mut words = String::new();
    for character in name.trim_start_matches("SB").trim_start_matches('#').chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_uppercase());
    }
    let colour = Colour::of(annotation, "C").unwrap_or(Colour::BLACK);
    let mut content = Content::new();
    content.set_parameters(pdf_writer::Name(b"G"));
    colour.stroke(&mut content);
    let frame = area.inset(-1.5);
    content.set_line_width(2.0);
    content
        .rect(
            frame.x0 as f32,
            frame.y0 as f32,
            frame.width() as f32,
            frame.height() as f32,
        )
        .stroke();
    let mut made = made(content, area, opacity(annotation));
    let inside = area.inset(-4.0);
    let size = inside
        .height()
        .min(1.4 * inside.width() / words.chars().count().max(1) as f64)
        * 0.9;
    let at = Placement {
        area: inside,
        quadding: 1,
        is_multiline: false,
        cells: 0,
    };
    TextStyle::new("Helvetica-Bold", size as f32, colour).draw(&words, at, form, &mut made);
    Some(made)
}

/// Whether a link has no border.
pub(crate) fn is_borderless(annotation: &Dict<'_>) -> bool {
    Border::of(annotation).width <= 0.0
}

/// The border of a link, which is one point wide unless it says otherwise.
fn link(annotation: &Dict<'_>) -> Option<Made> {
    let border = Border::of(annotation);
    let area = rectangle(annotation)?;
    let line = area.inset(-f64::from(border.width) / 2.0);
    if border.width <= 0.0 || line.width() <= 0.0 || line.height() <= 0.0 {
        return None;
    }
    let mut made = blank(area, 1.0);
    let mut content = Content::new();
    Colour::of(annotation, "C")
        .unwrap_or(Colour::BLACK)
        .stroke(&mut content);
    border.apply(&mut content);
    if border.is_underline {
        content
            .move_to(area.x0 as f32, line.y0 as f32)
            .line_to(area.x1 as f32, line.y0 as f32);
    } else {
        content.rect(
            line.x0 as f32,
            line.y0 as f32,
            line.width() as f32,
            line.height() as f32,
        );
    }
    content.stroke();
    made.content = content.finish().into_vec();
    Some(made)
}
