//! Writes the pages of one or several PDFs as a new file with what is printed and nothing else.
//!
//! Only what [`schema`] names is carried over. Annotations and form fields become part of the page as they are printed
//! (ISO 32000-1, 12.5.3), so that no reader has to decide what to do with them.

pub(super) mod groups;
pub(super) mod hyphens;
mod layers;
mod page;
pub(super) mod schema;
mod unicode_map;

pub(super) use layers::Layers;

use self::hyphens::Substitute;
use self::schema::Role;
use super::annotations::Form;
use super::objects::items;
use crate::model::{FontProvider, Paper};
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, Number, ObjRef, Object, Stream};
use hayro::hayro_syntax::xref::XRef;
use hayro::hayro_syntax::{Filter, Pdf};
use pdf_writer::{Chunk, Finish, Obj, Ref};
use std::collections::{HashMap, HashSet};

/// Nesting of direct objects that is followed; sound files have a handful.
const MAX_DEPTH: usize = 64;

/// A file that was written from others.
pub(crate) struct Copy {
    pub(crate) pdf: Vec<u8>,
    pub(crate) pages: usize,
    /// Annotations with content that are not marked for printing.
    pub(crate) not_printed: usize,
    /// Pages that were cut into several.
    pub(crate) cut: usize,
}

/// Writes all pages of `sources`, one after the other. Pages that are much longer than `paper` become several.
pub(crate) fn copy(sources: &[&Pdf], paper: Paper, fonts: FontProvider) -> Copy {
    let mut out = pdf_writer::Pdf::new();
    let mut next = Ref::new(1);
    let (catalog, tree) = (next.bump(), next.bump());
    let shared = Shared {
        shown: next.bump(),
        hidden: next.bump(),
    };
    let mut kids = Vec::new();
    let (mut not_printed, mut cut, mut layered) = (0, 0, false);
    for source in sources {
        let mut copier = Copier::new(source, next, shared);
        let form = Form::of(source, fonts);
        for page in source.pages().iter() {
            let drawings = form.drawings(page, &copier.layers);
            not_printed += drawings.not_printed;
            let pages = copier.page(page, tree, drawings.drawings, paper);
            cut += usize::from(pages.len() > 1);
            kids.extend(pages);
        }
        copier.write_queue();
        (next, layered) = (copier.next, layered | copier.layered);
        out.extend(&copier.chunk);
    }
    let mut writer = out.catalog(catalog);
    writer.pages(tree);
    if layered {
        shared.list(&mut writer);
    }
    writer.finish();
    if layered {
        shared.write(&mut out);
    }
    let pages = kids.len();
    out.pages(tree)
        .kids(kids)
        .count(i32::try_from(pages).unwrap_or(i32::MAX));
    Copy {
        pdf: out.finish(),
        pages,
        not_printed,
        cut,
    }
}

/// The catalog of a document.
pub(super) fn root(pdf: &Pdf) -> Option<Dict<'_>> {
    pdf.xref().get::<Dict<'_>>(pdf.xref().root_id())
}

/// The two layers of the new file: all layers of the sources are either printed or not.
#[derive(Clone, Copy)]
struct Shared {
    shown: Ref,
    hidden: Ref,
}

impl Shared {
    fn list(self, catalog: &mut pdf_writer::writers::Catalog<'_>) {
        let mut properties = catalog.insert(pdf_writer::Name(b"OCProperties")).dict();
        properties
            .insert(pdf_writer::Name(b"OCGs"))
            .array()
            .items([self.shown, self.hidden]);
        let mut config = properties.insert(pdf_writer::Name(b"D")).dict();
        config.insert(pdf_writer::Name(b"ON")).array().item(self.shown);
        config.insert(pdf_writer::Name(b"OFF")).array().item(self.hidden);
    }

    fn write(self, out: &mut pdf_writer::Pdf) {
        for (id, name) in [(self.shown, "Printed"), (self.hidden, "Not printed")] {
            let mut group = out.indirect(id).dict();
            group.pair(pdf_writer::Name(b"Type"), pdf_writer::Name(b"OCG"));
            group.pair(pdf_writer::Name(b"Name"), pdf_writer::TextStr(name));
        }
    }
}

/// Copies objects of one document.
struct Copier<'s> {
    xref: &'s XRef,
    next: Ref,
    known: HashMap<(ObjRef, Role), Ref>,
    queue: Vec<(ObjRef, Role)>,
    chunk: Chunk,
    layers: Layers,
    shared: Shared,
    /// A layer of the source is referred to.
    layered: bool,
    /// Forms whose transparency group makes no difference; see [`groups`].
    ungrouped: HashSet<ObjRef>,
    /// The empty form, once it was needed.
    empty: Option<Ref>,
    standard_fonts: HashMap<&'static str, Ref>,
}

impl<'s> Copier<'s> {
    fn new(source: &'s Pdf, next: Ref, shared: Shared) -> Self {
        Self {
            xref: source.xref(),
            next,
            known: HashMap::new(),
            queue: Vec::new(),
            chunk: Chunk::new(),
            layers: Layers::of_catalog(root(source).as_ref(), source.xref()),
            shared,
            layered: false,
            ungrouped: groups::without_effect(source),
            empty: None,
            standard_fonts: HashMap::new(),
        }
    }

    /// Writes everything that was referred to.
    fn write_queue(&mut self) {
        while let Some((from, role)) = self.queue.pop() {
            let Some(&to) = self.known.get(&(from, role)) else {
                continue;
            };
            let mut chunk = Chunk::new();
            match self.xref.get::<Object<'_>>(from.into()) {
                Some(Object::Stream(stream)) => self.stream(&stream, role, &mut chunk, (from, to)),
                Some(object) => self.object(&object, role, chunk.indirect(to), 0),
                None => chunk.indirect(to).primitive(pdf_writer::Null),
            }
            self.chunk.extend(&chunk);
        }
    }

    fn stream(&mut self, stream: &Stream<'s>, role: Role, chunk: &mut Chunk, (from, to): (ObjRef, Ref)) {
        if role == Role::UnicodeMap {
            let map = unicode_map::with_usual_characters(&stream.decoded_data().unwrap_or_default());
            chunk.stream(to, &map);
            return;
        }
        let sealed = stream.filters().contains(&Filter::Crypt);
        let decoded = sealed.then(|| stream.decoded_data().ok()).flatten();
        let data = decoded.unwrap_or_else(|| stream.raw_data());
        let ungrouped = role == Role::Form && self.ungrouped.contains(&from);
        let mut out = chunk.stream(to, &data);
        let dict = stream.dict();
        for (key, value) in dict.entries() {
            let key: &[u8] = key.as_ref();
            let entry = match role.of_entry(key) {
                Some(_) if ungrouped && key == b"Group" => None,
                None if !sealed => schema::of_coding(key).or_else(|| old_filter(dict, key)),
                entry => entry,
            };
            if let Some(entry) = entry.filter(|entry| self.is_copied(&value, *entry)) {
                self.value(&value, entry, out.insert(pdf_writer::Name(key)), 0);
            }
        }
    }

    /// Whether something comes of a value. Not every reader takes an entry that is null for one that is absent.
    fn is_copied(&self, value: &MaybeRef<Object<'s>>, role: Role) -> bool {
        if let MaybeRef::Ref(from) = value
            && self.known.contains_key(&(*from, role))
        {
            return true;
        }
        let fits = |object: &Object<'_>| match object {
            Object::Null(_) => false,
            Object::Dict(_) => !matches!(role, Role::Plain | Role::Data),
            Object::Stream(_) => role != Role::Plain,
            _ => true,
        };
        match value {
            MaybeRef::Ref(from) => {
                role == Role::XObject
                    || self
                        .xref
                        .get::<Object<'_>>((*from).into())
                        .is_some_and(|object| fits(&object))
            }
            MaybeRef::NotRef(object) => fits(object),
        }
    }

    fn value(&mut self, value: &MaybeRef<Object<'s>>, role: Role, out: Obj<'_>, depth: usize) {
        if role == Role::Layer {
            return self.layer(value, out);
        }
        match value {
            MaybeRef::NotRef(object) => self.object(object, role, out, depth),
            MaybeRef::Ref(from) => match self.reference(*from, role) {
                Some(to) => out.primitive(to),
                None => out.primitive(pdf_writer::Null),
            },
        }
    }

    /// A layer, or what may stand in its place in marked content: properties that print nothing.
    fn layer(&mut self, value: &MaybeRef<Object<'s>>, out: Obj<'_>) {
        let dict = match value {
            MaybeRef::Ref(from) => self.xref.get::<Dict<'_>>((*from).into()),
            MaybeRef::NotRef(Object::Dict(dict)) => Some(dict.clone()),
            MaybeRef::NotRef(_) => None,
        };
        let kind = dict.as_ref().and_then(|dict| dict.get::<Name<'_>>("Type"));
        if !kind.is_some_and(|kind| matches!(kind.as_ref(), b"OCG" | b"OCMD")) {
            out.dict().finish();
            return;
        }
        self.layered = true;
        let shows = self.layers.shows_value(value, dict.as_ref(), self.xref);
        out.primitive(if shows {
            self.shared.shown
        } else {
            self.shared.hidden
        });
    }

    /// The new number of an object; `None` if it can't be found or isn't copied.
    fn reference(&mut self, from: ObjRef, role: Role) -> Option<Ref> {
        let (from, role) = match role {
            Role::XObject => match self.x_object(from) {
                Some(found) => found,
                None => return Some(self.empty_form()),
            },
            _ => (from, role),
        };
        if let Some(to) = self.known.get(&(from, role)) {
            return Some(*to);
        }
        let to = self.next.bump();
        self.known.insert((from, role), to);
        self.queue.push((from, role));
        Some(to)
    }

    /// The image or form to print in the place of an external object; `None` if there is none.
    fn x_object(&mut self, from: ObjRef) -> Option<(ObjRef, Role)> {
        let stream = self.xref.get::<Stream<'_>>(from.into())?;
        let dict = stream.dict();
        let role = Role::of_x_object(dict)?;
        if !self.layers.shows(dict, "OC", self.xref) {
            self.layered = true;
            return None;
        }
        Some((alternate_for_printing(dict, self.xref).unwrap_or(from), role))
    }

    /// A form that draws nothing, so that its name still means something.
    fn empty_form(&mut self) -> Ref {
        if let Some(empty) = self.empty {
            return empty;
        }
        let empty = self.next.bump();
        self.empty = Some(empty);
        self.chunk
            .form_xobject(empty, b"")
            .bbox(pdf_writer::Rect::new(0.0, 0.0, 1.0, 1.0));
        empty
    }

    fn object(&mut self, object: &Object<'s>, role: Role, out: Obj<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return out.primitive(pdf_writer::Null);
        }
        match object {
            Object::Null(_) | Object::Stream(_) => out.primitive(pdf_writer::Null),
            Object::Boolean(value) => out.primitive(*value),
            Object::Number(value) => number(value, out),
            Object::String(value) => out.primitive(pdf_writer::Str(value.as_bytes())),
            Object::Name(value) => out.primitive(pdf_writer::Name(value.as_ref())),
            Object::Dict(_) if matches!(role, Role::Plain | Role::Data) => out.primitive(pdf_writer::Null),
            Object::Dict(dict) => self.dict(dict, role, out, depth + 1),
            Object::Array(items) => {
                let mut array = out.array();
                for item in items.raw_iter() {
                    self.value(&item, role, array.push(), depth + 1);
                }
            }
        }
    }

    fn dict(&mut self, dict: &Dict<'s>, role: Role, out: Obj<'_>, depth: usize) {
        let substitute = (role == Role::Font).then(|| Substitute::of(dict)).flatten();
        let mut to = out.dict();
        for (key, value) in dict.entries() {
            let key: &[u8] = key.as_ref();
            let Some(entry) = role.of_entry(key).filter(|entry| self.is_copied(&value, *entry)) else {
                continue;
            };
            let out = to.insert(pdf_writer::Name(key));
            match &substitute {
                Some(Substitute::Simple) if key == b"Encoding" => hyphens::write_encoding(dict, out),
                Some(Substitute::Composite) if key == b"ToUnicode" => {
                    self.value(&value, Role::UnicodeMap, out, depth);
                }
                _ => self.value(&value, entry, out, depth),
            }
        }
    }
}

/// `F`, `DP` and others are old names of `Filter` and its parameters, unless the data is in another file.
fn old_filter(dict: &Dict<'_>, key: &[u8]) -> Option<Role> {
    let is_filter = matches!(
        dict.get::<Object<'_>>("F"),
        Some(Object::Name(_) | Object::Array(_))
    );
    (key == b"F" && is_filter).then_some(Role::Plain)
}

/// The alternate image that is made for printing (ISO 32000-1, 8.9.5.4).
fn alternate_for_printing(image: &Dict<'_>, xref: &XRef) -> Option<ObjRef> {
    let alternates = image.get::<Array<'_>>("Alternates")?;
    let mut alternates = items(&alternates, xref).filter_map(Object::into_dict);
    let printed = alternates.find(|alternate| alternate.get::<bool>("DefaultForPrinting") == Some(true))?;
    let found = printed.get_ref("Image")?;
    let stream = xref.get::<Stream<'_>>(found.into())?;
    (Role::of_x_object(stream.dict()) == Some(Role::Image)).then_some(found)
}

fn number(value: &Number, out: Obj<'_>) {
    let float = value.as_f64();
    match i32::try_from(value.as_i64()) {
        Ok(whole) if float.fract() == 0.0 => out.primitive(whole),
        _ => out.primitive(float as f32),
    }
}
