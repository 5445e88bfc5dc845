//! Pages with their annotations as part of the content.

use super::schema::Role;
use super::{Copier, number};
use crate::model::Paper;
use crate::pdf::annotations::{Drawing, Made, Source};
use crate::pdf::cut::pieces;
use crate::pdf::objects::lineage;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Array, Dict, Object};
use hayro::hayro_syntax::page::{Page, Rotation};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Chunk, Filter, Finish, Rect, Ref};
use std::collections::BTreeMap;

/// Effort for content that is packed anew.
const DEFLATE_LEVEL: u8 = 3;

/// External objects that are added to those of the page, with their names.
type Added = BTreeMap<Vec<u8>, Ref>;

impl<'s> Copier<'s> {
    /// Writes a page with the drawings on it, and gives back the numbers of the pages that it became.
    pub(super) fn page(
        &mut self,
        page: &Page<'s>,
        tree: Ref,
        drawings: Vec<Drawing>,
        paper: Paper,
    ) -> Vec<Ref> {
        let taken = page.resources().x_objects.clone();
        let mut added = Added::new();
        let mut overlay = Vec::new();
        for drawing in drawings {
            let form = match drawing.source {
                Source::Appearance(form) => self.reference(form, Role::Form),
                Source::Made(made) => Some(self.made(&made)),
            };
            let Some(form) = form else { continue };
            let name = free_name(&taken, &added);
            let [a, b, c, d, e, f] = drawing.matrix;
            overlay.extend(format!("q {a} {b} {c} {d} {e} {f} cm /").bytes());
            overlay.extend(&name);
            overlay.extend(b" Do Q\n");
            added.insert(name, form);
        }
        let resources = self.resources(page.raw(), &added);
        let (contents, resources) = self.contents(page, resources, &overlay, &added);
        let pieces = pieces(page, paper);
        pieces
            .into_iter()
            .map(|area| self.piece(page, tree, area, &contents, resources))
            .collect()
    }

    /// Writes a page that shows an area of the original one, or all of it.
    fn piece(
        &mut self,
        page: &Page<'s>,
        tree: Ref,
        area: Option<Rect>,
        contents: &[Ref],
        resources: Ref,
    ) -> Ref {
        let id = self.next.bump();
        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(id).dict();
        dict.pair(pdf_writer::Name(b"Type"), pdf_writer::Name(b"Page"));
        dict.pair(pdf_writer::Name(b"Parent"), tree);
        // Some readers print what is in the media box, others what is in the crop box.
        let area = area.unwrap_or_else(|| printed_area(page));
        dict.pair(pdf_writer::Name(b"MediaBox"), area);
        dict.pair(pdf_writer::Name(b"CropBox"), area);
        let turn = match page.rotation() {
            Rotation::None => 0,
            Rotation::Horizontal => 90,
            Rotation::Flipped => 180,
            Rotation::FlippedHorizontal => 270,
        };
        dict.pair(pdf_writer::Name(b"Rotate"), turn);
        let raw = page.raw();
        if let Some(Object::Number(unit)) = raw.get::<Object<'_>>("UserUnit") {
            number(&unit, dict.insert(pdf_writer::Name(b"UserUnit")));
        }
        if let Some(group) = raw
            .get_raw::<Object<'_>>("Group")
            .filter(|group| self.is_copied(group, Role::Group))
        {
            self.value(&group, Role::Group, dict.insert(pdf_writer::Name(b"Group")), 0);
        }
        dict.pair(pdf_writer::Name(b"Resources"), resources);
        dict.insert(pdf_writer::Name(b"Contents"))
            .array()
            .items(contents.iter().copied());
        dict.finish();
        self.chunk.extend(&chunk);
        id
    }

    /// Writes the resources of a page with some more objects.
    fn resources(&mut self, page: &Dict<'s>, added: &Added) -> Ref {
        let id = self.next.bump();
        let own = lineage(page)
            .find_map(|dict| dict.get::<Dict<'_>>("Resources"))
            .unwrap_or_default();
        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(id).dict();
        for (key, value) in own.entries() {
            let key: &[u8] = key.as_ref();
            match Role::Resources.of_entry(key) {
                Some(role) if (added.is_empty() || key != b"XObject") && self.is_copied(&value, role) => {
                    self.value(&value, role, dict.insert(pdf_writer::Name(key)), 0);
                }
                _ => {}
            }
        }
        if !added.is_empty() {
            let objects = own.get::<Dict<'_>>("XObject").unwrap_or_default();
            let mut all = dict.insert(pdf_writer::Name(b"XObject")).dict();
            for (key, value) in objects.entries() {
                self.value(
                    &value,
                    Role::XObject,
                    all.insert(pdf_writer::Name(key.as_ref())),
                    0,
                );
            }
            all.pairs(added.iter().map(|(name, form)| (pdf_writer::Name(name), *form)));
        }
        dict.finish();
        self.chunk.extend(&chunk);
        id
    }

    /// The content streams of a page with an overlay, and the resources for them.
    fn contents(
        &mut self,
        page: &Page<'s>,
        resources: Ref,
        overlay: &[u8],
        added: &Added,
    ) -> (Vec<Ref>, Ref) {
        let raw = page.raw();
        let streams = match raw.get::<Array<'_>>("Contents") {
            Some(streams) => streams
                .raw_iter()
                .filter_map(|stream| stream.as_obj_ref())
                .collect(),
            None => Vec::from_iter(raw.get_ref("Contents")),
        };
        if overlay.is_empty() {
            let copied = streams
                .into_iter()
                .filter_map(|stream| self.reference(stream, Role::Data));
            return (copied.collect(), resources);
        }
        if let Some(ending) = ending(page) {
            let begin = self.content(b"q\n");
            let end = self.content(&[ending.as_bytes(), overlay].concat());
            let mut contents = vec![begin];
            contents.extend(
                streams
                    .into_iter()
                    .filter_map(|stream| self.reference(stream, Role::Data)),
            );
            contents.push(end);
            return (contents, resources);
        }
        // Content that restores more states than it saves can't be put between others, but into a form.
        let form = self.whole_page(page, resources);
        let name = free_name(&Dict::empty(), added);
        let draw = [b"/", name.as_slice(), b" Do\n", overlay].concat();
        let content = self.content(&draw);
        let id = self.next.bump();
        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(id).dict();
        let mut objects = dict.insert(pdf_writer::Name(b"XObject")).dict();
        objects.pair(pdf_writer::Name(&name), form);
        objects.pairs(added.iter().map(|(name, form)| (pdf_writer::Name(name), *form)));
        objects.finish();
        dict.finish();
        self.chunk.extend(&chunk);
        (vec![content], id)
    }

    fn content(&mut self, content: &[u8]) -> Ref {
        let id = self.next.bump();
        self.chunk
            .stream(id, &compress_to_vec_zlib(content, DEFLATE_LEVEL))
            .filter(Filter::FlateDecode);
        id
    }

    /// The content of a page as a form with its own coordinates.
    fn whole_page(&mut self, page: &Page<'_>, resources: Ref) -> Ref {
        let id = self.next.bump();
        let packed = compress_to_vec_zlib(page.page_stream().unwrap_or_default(), DEFLATE_LEVEL);
        let area = page.media_box();
        let mut form = self.chunk.form_xobject(id, &packed);
        form.filter(Filter::FlateDecode);
        form.bbox(Rect::new(
            area.x0 as f32,
            area.y0 as f32,
            area.x1 as f32,
            area.y1 as f32,
        ));
        form.pair(pdf_writer::Name(b"Resources"), resources);
        form.finish();
        id
    }

    /// Writes the form that was made for an annotation.
    fn made(&mut self, made: &Made) -> Ref {
        let fonts: Vec<Ref> = made.fonts.iter().map(|font| self.standard_font(font)).collect();
        let texts: Vec<Ref> = made.texts.iter().filter_map(|pdf| self.text(pdf)).collect();
        let id = self.next.bump();
        let packed = compress_to_vec_zlib(&made.content, DEFLATE_LEVEL);
        let mut form = self.chunk.form_xobject(id, &packed);
        form.filter(Filter::FlateDecode);
        let [x0, y0, x1, y1] = made.area;
        form.bbox(Rect::new(x0, y0, x1, y1));
        let mut resources = form.resources();
        let mut named = resources.fonts();
        for (index, font) in fonts.iter().enumerate() {
            named.pair(pdf_writer::Name(format!("F{index}").as_bytes()), *font);
        }
        named.finish();
        let mut named = resources.x_objects();
        for (index, text) in texts.iter().enumerate() {
            named.pair(pdf_writer::Name(format!("T{index}").as_bytes()), *text);
        }
        named.finish();
        let mut states = resources.ext_g_states();
        let mut state = states
            .insert(pdf_writer::Name(b"G"))
            .start::<pdf_writer::writers::ExtGraphicsState<'_>>();
        state
            .non_stroking_alpha(made.opacity)
            .stroking_alpha(made.opacity);
        if made.multiplied {
            state.blend_mode(pdf_writer::types::BlendMode::Multiply);
        }
        state.finish();
        states.finish();
        resources.finish();
        form.finish();
        id
    }

    fn standard_font(&mut self, name: &'static str) -> Ref {
        if let Some(font) = self.standard_fonts.get(name) {
            return *font;
        }
        let id = self.next.bump();
        self.standard_fonts.insert(name, id);
        let mut font = self.chunk.type1_font(id);
        font.base_font(pdf_writer::Name(name.as_bytes()));
        if name != "ZapfDingbats" {
            font.encoding_predefined(pdf_writer::Name(b"WinAnsiEncoding"));
        }
        id
    }

    /// The first page of a file that was written here, as a form.
    fn text(&mut self, pdf: &[u8]) -> Option<Ref> {
        let pdf = Pdf::new(pdf.to_vec()).ok()?;
        let page = pdf.pages().first()?;
        let mut copier = Copier::new(&pdf, self.next, self.shared);
        let resources = copier.resources(page.raw(), &Added::new());
        let form = copier.whole_page(page, resources);
        copier.write_queue();
        self.next = copier.next;
        self.chunk.extend(&copier.chunk);
        Some(form)
    }
}

/// The part of a page that is shown.
fn printed_area(page: &Page<'_>) -> Rect {
    let (crop, media) = (page.intersected_crop_box(), page.media_box());
    let is_empty = crop.x1 - crop.x0 <= 0.0 || crop.y1 - crop.y0 <= 0.0;
    let area = if is_empty { media } else { crop };
    Rect::new(area.x0 as f32, area.y0 as f32, area.x1 as f32, area.y1 as f32)
}

/// A name that no object has.
fn free_name(taken: &Dict<'_>, added: &Added) -> Vec<u8> {
    let names = (added.len()..).map(|number| format!("Fax{number}").into_bytes());
    let mut free = names.filter(|name| !taken.contains_key(name) && !added.contains_key(name));
    free.next().unwrap_or_default()
}

/// What ends everything that the content of a page began, and restores the state before it; `None` if it restores more
/// states than it saves.
fn ending(page: &Page<'_>) -> Option<String> {
    let (mut states, mut marks, mut is_text) = (0_usize, 0_usize, false);
    let mut operations = page.operations();
    while let Some(operation) = operations.next() {
        let operator: &[u8] = operation.operator;
        match operator {
            b"q" => states += 1,
            b"Q" => states = states.checked_sub(1)?,
            b"BMC" | b"BDC" => marks += 1,
            b"EMC" => marks = marks.saturating_sub(1),
            b"BT" => is_text = true,
            b"ET" => is_text = false,
            _ => {}
        }
    }
    let text = if is_text { "ET " } else { "" };
    Some(format!(
        "\n{text}{}{}Q\n",
        "EMC ".repeat(marks),
        "Q ".repeat(states)
    ))
}
