//! Writes the pages of one or several PDFs as a new file, with what is drawn and nothing that acts.
//!
//! Only what a page refers to is carried over: content, resources, the appearance of annotations and form fields.
//! Scripts, actions, attached files, links to other files and encryption stay behind.

use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, Number, ObjRef, Object, Stream};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{Filter, Pdf};
use pdf_writer::{Chunk, Finish, Obj, Ref};
use std::collections::HashMap;

/// Nesting of direct objects that is followed; sound files have a handful.
const MAX_DEPTH: usize = 64;
/// Ancestors of a page that are asked for inherited resources.
const MAX_ANCESTORS: usize = 64;

/// Entries of any dictionary that act, point outside of the file or back into its structure.
const LEFT_BEHIND: [&[u8]; 15] = [
    b"AA",
    b"AF",
    b"EF",
    b"JS",
    b"LastModified",
    b"Metadata",
    b"OPI",
    b"OpenAction",
    b"PTData",
    b"PieceInfo",
    b"Ref",
    b"RichMediaContent",
    b"StructParent",
    b"StructParents",
    b"URI",
];
/// Entries of an annotation that say how it looks.
const SEEN: [&[u8]; 20] = [
    b"AP",
    b"AS",
    b"BE",
    b"BS",
    b"Border",
    b"C",
    b"CA",
    b"DA",
    b"F",
    b"IC",
    b"InkList",
    b"L",
    b"LE",
    b"MK",
    b"OC",
    b"QuadPoints",
    b"RD",
    b"Rect",
    b"Subtype",
    b"Vertices",
];

/// All pages of `sources`, one after the other.
pub(crate) fn copy(sources: &[&Pdf]) -> Vec<u8> {
    let mut out = pdf_writer::Pdf::new();
    let mut next = Ref::new(1);
    let (catalog, tree) = (next.bump(), next.bump());
    let mut kids = Vec::new();
    let mut layers = None;
    for source in sources {
        let mut copier = Copier {
            source,
            next,
            known: HashMap::new(),
            queue: Vec::new(),
            chunk: Chunk::new(),
        };
        for page in source.pages().iter() {
            kids.push(copier.page(page, tree));
        }
        // Layers decide what is seen; those of several files can't be told apart in one list.
        if layers.is_none()
            && let Some(properties) = root(source).and_then(|root| root.get::<Dict<'_>>("OCProperties"))
        {
            let id = copier.next.bump();
            let mut chunk = Chunk::new();
            copier.dict(&properties, chunk.indirect(id).dict(), 0, &|_| true);
            copier.chunk.extend(&chunk);
            layers = Some(id);
        }
        copier.drain();
        next = copier.next;
        out.extend(&copier.chunk);
    }
    let mut writer = out.catalog(catalog);
    writer.pages(tree);
    if let Some(layers) = layers {
        writer.pair(pdf_writer::Name(b"OCProperties"), layers);
    }
    writer.finish();
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    out.pages(tree).kids(kids).count(count);
    out.finish()
}

/// The catalog.
pub(super) fn root(pdf: &Pdf) -> Option<Dict<'_>> {
    pdf.xref().get::<Dict<'_>>(pdf.xref().root_id())
}

struct Copier<'s> {
    source: &'s Pdf,
    next: Ref,
    known: HashMap<ObjRef, Ref>,
    queue: Vec<ObjRef>,
    chunk: Chunk,
}

impl Copier<'_> {
    fn page(&mut self, page: &Page<'_>, tree: Ref) -> Ref {
        let id = self.next.bump();
        let raw = page.raw();
        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(id).dict();
        dict.pair(pdf_writer::Name(b"Type"), pdf_writer::Name(b"Page"));
        dict.pair(pdf_writer::Name(b"Parent"), tree);
        let area = |rect: hayro::hayro_syntax::object::Rect| {
            pdf_writer::Rect::new(rect.x0 as f32, rect.y0 as f32, rect.x1 as f32, rect.y1 as f32)
        };
        dict.pair(pdf_writer::Name(b"MediaBox"), area(page.media_box()));
        dict.pair(pdf_writer::Name(b"CropBox"), area(page.crop_box()));
        use hayro::hayro_syntax::page::Rotation;
        let turn = match page.rotation() {
            Rotation::None => 0,
            Rotation::Horizontal => 90,
            Rotation::Flipped => 180,
            Rotation::FlippedHorizontal => 270,
        };
        dict.pair(pdf_writer::Name(b"Rotate"), turn);
        for key in ["Contents", "Group", "UserUnit"] {
            if let Some(value) = raw.get_raw::<Object<'_>>(key) {
                self.value(&value, dict.insert(pdf_writer::Name(key.as_bytes())), 0);
            }
        }
        match resources(raw) {
            Some(value) => self.value(&value, dict.insert(pdf_writer::Name(b"Resources")), 0),
            None => dict.insert(pdf_writer::Name(b"Resources")).dict().finish(),
        }
        let notes: Vec<Dict<'_>> = raw
            .get::<Array<'_>>("Annots")
            .map(|notes| notes.iter::<Dict<'_>>().collect())
            .unwrap_or_default();
        let mut array = dict.insert(pdf_writer::Name(b"Annots")).array();
        for note in &notes {
            self.dict(note, array.push().dict(), 0, &|key| SEEN.contains(&key));
        }
        array.finish();
        dict.finish();
        self.chunk.extend(&chunk);
        id
    }

    /// Writes everything that was referred to.
    fn drain(&mut self) {
        while let Some(from) = self.queue.pop() {
            let Some(&to) = self.known.get(&from) else {
                continue;
            };
            let source = self.source;
            let mut chunk = Chunk::new();
            match source.xref().get::<Object<'_>>(from.into()) {
                Some(Object::Stream(stream)) => self.stream(&stream, &mut chunk, to),
                Some(object) => self.object(&object, chunk.indirect(to), 0),
                None => chunk.indirect(to).primitive(pdf_writer::Null),
            }
            self.chunk.extend(&chunk);
        }
    }

    fn stream(&mut self, stream: &Stream<'_>, chunk: &mut Chunk, id: Ref) {
        let sealed = stream.filters().contains(&Filter::Crypt);
        let external = |key: &[u8]| {
            // `F` is a file, or an old spelling of `Filter`.
            key.starts_with(b"F")
                && matches!(key, b"F" | b"FFilter" | b"FDecodeParms")
                && !matches!(
                    stream.dict().get::<Object<'_>>("F"),
                    Some(Object::Name(_) | Object::Array(_))
                )
        };
        let coding = |key: &[u8]| matches!(key, b"Filter" | b"DecodeParms" | b"F" | b"DP");
        let data = match stream.decoded_data() {
            Ok(data) if sealed => data,
            _ => stream.raw_data(),
        };
        let mut out = chunk.stream(id, &data);
        let kept = |key: &[u8]| key != b"Length" && !external(key) && !(sealed && coding(key));
        self.entries(stream.dict(), &mut out, 0, &kept);
    }

    fn value(&mut self, value: &MaybeRef<Object<'_>>, out: Obj<'_>, depth: usize) {
        match value {
            MaybeRef::NotRef(object) => self.object(object, out, depth),
            MaybeRef::Ref(from) => match self.reference(*from) {
                Some(to) => out.primitive(to),
                None => out.primitive(pdf_writer::Null),
            },
        }
    }

    /// The new number of an object; none for pages and the catalog, which would drag in what is left behind.
    fn reference(&mut self, from: ObjRef) -> Option<Ref> {
        if let Some(to) = self.known.get(&from) {
            return Some(*to);
        }
        let source = self.source;
        if let Object::Dict(dict) = source.xref().get::<Object<'_>>(from.into())? {
            let kind = dict.get::<Name<'_>>("Type");
            if kind.is_some_and(|kind| matches!(kind.as_ref(), b"Page" | b"Pages" | b"Catalog" | b"Action")) {
                return None;
            }
        }
        let to = self.next.bump();
        self.known.insert(from, to);
        self.queue.push(from);
        Some(to)
    }

    fn object(&mut self, object: &Object<'_>, out: Obj<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return out.primitive(pdf_writer::Null);
        }
        match object {
            Object::Null(_) | Object::Stream(_) => out.primitive(pdf_writer::Null),
            Object::Boolean(value) => out.primitive(*value),
            Object::Number(value) => number(value, out),
            Object::String(value) => out.primitive(pdf_writer::Str(value.as_bytes())),
            Object::Name(value) => out.primitive(pdf_writer::Name(value.as_ref())),
            Object::Dict(dict) => self.dict(dict, out.dict(), depth + 1, &|_| true),
            Object::Array(items) => {
                let mut array = out.array();
                for item in items.raw_iter() {
                    self.value(&item, array.push(), depth + 1);
                }
            }
        }
    }

    fn dict(
        &mut self,
        from: &Dict<'_>,
        mut to: pdf_writer::Dict<'_>,
        depth: usize,
        keep: &dyn Fn(&[u8]) -> bool,
    ) {
        self.entries(from, &mut to, depth, keep);
    }

    fn entries(
        &mut self,
        from: &Dict<'_>,
        to: &mut pdf_writer::Dict<'_>,
        depth: usize,
        keep: &dyn Fn(&[u8]) -> bool,
    ) {
        for (key, value) in from.entries() {
            let key: &[u8] = key.as_ref();
            if keep(key) && !LEFT_BEHIND.contains(&key) {
                self.value(&value, to.insert(pdf_writer::Name(key)), depth);
            }
        }
    }
}

fn number(value: &Number, out: Obj<'_>) {
    let float = value.as_f64();
    match i32::try_from(value.as_i64()) {
        Ok(whole) if float.fract() == 0.0 => out.primitive(whole),
        _ => out.primitive(float as f32),
    }
}

/// Resources of a page or of the nearest ancestor that has some (ISO 32000-1, 7.7.3.4).
fn resources<'a>(page: &Dict<'a>) -> Option<MaybeRef<Object<'a>>> {
    let mut dict = page.clone();
    for _ in 0..MAX_ANCESTORS {
        if let Some(value) = dict.get_raw::<Object<'_>>("Resources") {
            return Some(value);
        }
        dict = dict.get::<Dict<'_>>("Parent")?;
    }
    None
}
