//! Lines and shapes of annotations without an appearance (ISO 32000-1, 12.5.6.7 to 12.5.6.9 and 12.5.6.13).

use super::style::{Border, Colour, opacity};
use super::{Made, made, rectangle};
use crate::pdf::objects::{items, numbers};
use hayro::hayro_syntax::object::{Array, Dict, Name, Object};
use hayro::hayro_syntax::xref::XRef;
use hayro::kurbo::{Point, Rect, Vec2};
use pdf_writer::Content;

/// Most points of all lines of one annotation.
const MAX_POINTS: usize = 100_000;
/// Size of a line ending in widths of its line.
const ENDING: f64 = 6.0;
/// Control points of a quarter of a circle.
const ROUND: f64 = 0.552_284_75;

/// Points of a flat array of coordinates.
pub(super) fn points(array: &Array<'_>) -> Vec<Point> {
    let numbers = numbers(array);
    let pairs = numbers.as_chunks::<2>().0.iter().take(MAX_POINTS);
    pairs.map(|[x, y]| Point::new((*x).into(), (*y).into())).collect()
}

/// A line through points.
pub(super) fn draw_line(points: &[Point], content: &mut Content) {
    for (index, point) in points.iter().enumerate() {
        let (x, y) = (point.x as f32, point.y as f32);
        if index == 0 {
            content.move_to(x, y);
        } else {
            content.line_to(x, y);
        }
    }
}

/// Begins a drawing with the colours and the line of an annotation, which are black and 1 point wide by default.
fn begin(annotation: &Dict<'_>, border: &Border) -> Content {
    let mut content = Content::new();
    content.set_parameters(pdf_writer::Name(b"G"));
    Colour::of(annotation, "C")
        .unwrap_or(Colour::BLACK)
        .stroke(&mut content);
    if let Some(inside) = Colour::of(annotation, "IC") {
        inside.fill(&mut content);
    }
    border.apply(&mut content);
    content
}

/// Fills and strokes, closes or not, as the border and the colours ask for.
pub(super) fn finish(content: &mut Content, is_filled: bool, is_stroked: bool, is_closed: bool) {
    if is_closed {
        content.close_path();
    }
    match (is_filled, is_stroked) {
        (true, true) => content.fill_nonzero_and_stroke(),
        (true, false) => content.fill_nonzero(),
        (false, true) => content.stroke(),
        (false, false) => content.end_path(),
    };
}

/// The area that lines through points reach, with their endings.
fn area_of(points: &[Point], width: f64) -> Option<Rect> {
    let first = points.first()?;
    let bounds = points
        .iter()
        .fold(Rect::from_points(*first, *first), |all, point| {
            all.union_pt(*point)
        });
    Some(bounds.inflate(width * (ENDING + 2.0), width * (ENDING + 2.0)))
}

/// Strokes of a pen.
pub(super) fn ink(annotation: &Dict<'_>, xref: &XRef) -> Option<Made> {
    let border = Border::of(annotation);
    let list = annotation.get::<Array<'_>>("InkList")?;
    let strokes: Vec<Vec<Point>> = items(&list, xref)
        .filter_map(Object::into_array)
        .map(|stroke| points(&stroke))
        .collect();
    let all: Vec<Point> = strokes.iter().flatten().copied().take(MAX_POINTS).collect();
    let area = area_of(&all, border.width.into())?;
    let mut content = begin(annotation, &border);
    content.set_line_cap(pdf_writer::types::LineCapStyle::RoundCap);
    content.set_line_join(pdf_writer::types::LineJoinStyle::RoundJoin);
    for stroke in &strokes {
        draw_line(stroke, &mut content);
        if let [point] = stroke.as_slice() {
            content.line_to(point.x as f32, point.y as f32);
        }
        content.stroke();
    }
    Some(made(content, area, opacity(annotation)))
}

/// A line, or several ones from point to point.
pub(super) fn line(annotation: &Dict<'_>, key: &str, is_closed: bool) -> Option<Made> {
    let border = Border::of(annotation);
    let points = points(&annotation.get::<Array<'_>>(key)?);
    let area = area_of(&points, f64::from(border.width).max(1.0))?;
    let has_inside = Colour::of(annotation, "IC").is_some();
    let mut content = begin(annotation, &border);
    draw_line(&points, &mut content);
    finish(
        &mut content,
        is_closed && has_inside,
        border.width > 0.0,
        is_closed,
    );
    if !is_closed
        && let [first, second, ..] = points.as_slice()
        && let [.., before, last] = points.as_slice()
    {
        let endings = annotation.get::<Array<'_>>("LE");
        let ending = |index| endings.as_ref()?.iter::<Name<'_>>().nth(index);
        for (kind, at, from) in [(ending(0), first, second), (ending(1), last, before)] {
            if let Some(kind) = kind {
                draw_ending(&mut content, kind.as_ref(), (*at, *from), &border, has_inside);
            }
        }
    }
    Some(made(content, area, opacity(annotation)))
}

/// The ending of a line at a point, which it reaches from another (ISO 32000-1, table 176).
pub(super) fn draw_ending(
    content: &mut Content,
    kind: &[u8],
    (at, from): (Point, Point),
    border: &Border,
    is_filled: bool,
) {
    let way = at - from;
    let length = way.hypot();
    if length <= 0.0 || !length.is_finite() {
        return;
    }
    let size = (ENDING * f64::from(border.width).max(0.5)).min(length);
    let ahead = way / length * size;
    let aside = Vec2::new(-ahead.y, ahead.x) / 2.0;
    let (outline, is_closed) = match kind {
        b"OpenArrow" => (vec![at - ahead + aside, at, at - ahead - aside], false),
        b"ClosedArrow" => (vec![at - ahead + aside, at, at - ahead - aside], true),
        b"ROpenArrow" => (vec![at + ahead + aside, at, at + ahead - aside], false),
        b"RClosedArrow" => (vec![at + ahead + aside, at, at + ahead - aside], true),
        b"Butt" => (vec![at + aside, at - aside], false),
        b"Slash" => (vec![at + aside + ahead / 4.0, at - aside - ahead / 4.0], false),
        b"Diamond" => (
            vec![at + ahead / 2.0, at + aside, at - ahead / 2.0, at - aside],
            true,
        ),
        b"Square" => {
            let (ahead, aside) = (ahead / 2.0, aside);
            (
                vec![
                    at + ahead + aside,
                    at - ahead + aside,
                    at - ahead - aside,
                    at + ahead - aside,
                ],
                true,
            )
        }
        b"Circle" => {
            let half = Vec2::new(size / 2.0, size / 2.0);
            draw_ellipse(Rect::from_points(at - half, at + half), content);
            return finish(content, is_filled, true, true);
        }
        _ => return,
    };
    draw_line(&outline, content);
    finish(content, is_closed && is_filled, true, is_closed);
}

/// A rectangle or an ellipse.
pub(super) fn closed(annotation: &Dict<'_>, is_round: bool) -> Option<Made> {
    let border = Border::of(annotation);
    let area = rectangle(annotation)?;
    let inset = inner(area, annotation).inset(-f64::from(border.width) / 2.0);
    if inset.width() <= 0.0 || inset.height() <= 0.0 {
        return None;
    }
    let mut content = begin(annotation, &border);
    if is_round {
        draw_ellipse(inset, &mut content);
    } else {
        content.rect(
            inset.x0 as f32,
            inset.y0 as f32,
            inset.width() as f32,
            inset.height() as f32,
        );
    }
    finish(
        &mut content,
        Colour::of(annotation, "IC").is_some(),
        border.width > 0.0,
        true,
    );
    Some(made(content, area, opacity(annotation)))
}

/// The rectangle without the differences that the annotation names (entry RD).
pub(super) fn inner(area: Rect, annotation: &Dict<'_>) -> Rect {
    let [left, top, right, bottom] = annotation.get::<[f64; 4]>("RD").unwrap_or_default();
    let inner = Rect::new(area.x0 + left, area.y0 + top, area.x1 - right, area.y1 - bottom);
    let is_usable = [left, top, right, bottom].iter().all(|side| *side >= 0.0);
    if is_usable && inner.width() > 0.0 && inner.height() > 0.0 {
        inner
    } else {
        area
    }
}

fn draw_ellipse(area: Rect, content: &mut Content) {
    let (x, y) = (area.center().x, area.center().y);
    let (a, b) = (area.width() / 2.0, area.height() / 2.0);
    content.move_to((x + a) as f32, y as f32);
    for (from, to) in [
        ((1.0, 0.0), (0.0, 1.0)),
        ((0.0, 1.0), (-1.0, 0.0)),
        ((-1.0, 0.0), (0.0, -1.0)),
        ((0.0, -1.0), (1.0, 0.0)),
    ] {
        let first = (from.0 + to.0 * ROUND, from.1 + to.1 * ROUND);
        let second = (to.0 + from.0 * ROUND, to.1 + from.1 * ROUND);
        let at = |point: (f64, f64)| ((x + a * point.0) as f32, (y + b * point.1) as f32);
        let ((x1, y1), (x2, y2), (x3, y3)) = (at(first), at(second), at(to));
        content.cubic_to(x1, y1, x2, y2, x3, y3);
    }
}
