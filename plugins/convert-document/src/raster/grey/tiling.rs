//! Tiling patterns (ISO 32000-1, 8.7.3): each tile is drawn where it lies, as long as they are few.

use super::GreyDevice;
use hayro::hayro_interpret::pattern::TilingPattern;
use hayro::hayro_interpret::{ClipPath, Device};
use hayro::kurbo::{Affine, Rect, Shape};

/// Most things drawn in all tiles of a shape. The general way draws one tile and repeats its pixels.
const MOST: usize = 10_000;

/// The tiles that reach into a part of an axis, when one tile fills `cell` and the next one is a `step` away.
fn reaching(cell: (f64, f64), step: f32, part: (f64, f64)) -> Option<std::ops::RangeInclusive<i32>> {
    let step = f64::from(step.abs());
    let (first, last) = ((part.0 - cell.1) / step, (part.1 - cell.0) / step);
    let countable = step > 0.0 && first.abs() < 1e6 && last.abs() < 1e6;
    countable.then(|| first.ceil() as i32..=last.floor() as i32)
}

impl GreyDevice<'_> {
    /// Fills a shape with tiles; false when they are too many, or see-through.
    pub(super) fn fill_tiled<'a>(&mut self, tiles: &TilingPattern<'a>, shape: &ClipPath) -> bool
    where
        Self: Device<'a>,
    {
        if tiles.opacity < 1.0 {
            return false;
        }
        let shown = shape.path.bounding_box().intersect(self.area);
        let part: Rect = tiles.matrix.inverse().transform_rect_bbox(shown);
        let cell = tiles.bbox;
        let columns = reaching((cell.x0, cell.x1), tiles.x_step, (part.x0, part.x1));
        let rows = reaching((cell.y0, cell.y1), tiles.y_step, (part.y0, part.y1));
        let Some((columns, rows)) = columns.zip(rows) else {
            return false;
        };
        let Some(count) = columns.clone().count().checked_mul(rows.clone().count()) else {
            return false;
        };
        let most = MOST / count.max(1);
        let (step_x, step_y) = (f64::from(tiles.x_step.abs()), f64::from(tiles.y_step.abs()));
        self.push_clip_path(shape);
        let outer = std::mem::replace(&mut self.in_cell, true);
        let mut few = true;
        for (row, column) in rows.flat_map(|row| columns.clone().map(move |column| (row, column))) {
            let offset = Affine::translate((f64::from(column) * step_x, f64::from(row) * step_y));
            let before = self.drawn;
            few =
                tiles.interpret(self, tiles.matrix * offset, false).is_some() && self.drawn - before <= most;
            if !few || self.unsupported {
                break;
            }
        }
        self.in_cell = outer;
        self.pop_clip();
        few
    }
}
