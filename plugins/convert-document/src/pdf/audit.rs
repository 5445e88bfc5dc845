//! Whether a PDF can be handed on as it is: it prints the same everywhere, and holds nothing but what is printed.
//!
//! Everything that a page refers to is compared with the list of [`Role`]s. What is not on the list makes the file be
//! written anew, which leaves it out; known scripts, attachments and links to other files are reported as well.

use super::copy::schema::{Role, of_coding};
use super::copy::{groups, hyphens, root};
use super::objects::{name_is, resolve};
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, ObjRef, Object, Stream};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::xref::XRef;
use std::collections::HashSet;

/// Objects that are looked at; a file with more is written anew.
const MAX_OBJECTS: usize = 20_000;
/// Nesting of direct objects, of page trees and of outlines that is followed.
const MAX_DEPTH: usize = 64;

/// Entries of the catalog that neither act nor change what is printed.
const CATALOG: &str = "Type Pages Version Extensions PageLayout PageMode ViewerPreferences Lang PageLabels Dests MarkInfo \
                       OutputIntents Metadata OpenAction OCProperties";
/// Entries of layers and their states that all readers know, and that are the same on screens and in print.
const LAYER: &str = "Type Name Intent OCGs P";
const LAYER_STATES: &str = "Name Creator BaseState ON OFF Order ListMode Locked";
/// The same for nodes of the page tree, and for pages.
const NODE: &str = "Type Kids Count Parent MediaBox CropBox Rotate Resources";
const PAGE: &str = "Type Parent MediaBox CropBox BleedBox TrimBox ArtBox Rotate UserUnit Resources Contents Group Annots \
                    StructParents Tabs Metadata LastModified";
/// Entries of any object that may stay where they are.
const HARMLESS: &str = "Length Metadata StructParent StructParents LastModified ID Name";
/// Entries that act, or hold or name other files.
const ACTIVE: &str = "AA AF EF F JS OPI PS Ref URI RichMediaContent";

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Audit {
    /// There are scripts, attachments or links to other files.
    pub(crate) is_active: bool,
    /// The file has to be written anew.
    pub(crate) must_copy: bool,
}

/// Looks at all that a document prints, and at what it does besides.
pub(crate) fn audit(pdf: &Pdf) -> Audit {
    let mut auditor = Auditor {
        xref: pdf.xref(),
        found: Audit::default(),
        left: MAX_OBJECTS,
        visited: HashSet::new(),
        blends: false,
        groups: false,
    };
    auditor.catalog(&root(pdf).unwrap_or_default(), pdf.pages().len());
    for page in pdf.pages().iter() {
        auditor.page(page);
    }
    let may_blend = auditor.blends && auditor.groups;
    auditor.found.must_copy |=
        auditor.left == 0 || auditor.found.is_active || may_blend && !groups::without_effect(pdf).is_empty();
    auditor.found
}

struct Auditor<'a> {
    xref: &'a XRef,
    found: Audit,
    left: usize,
    visited: HashSet<(ObjRef, Role)>,
    /// Something is painted with a blend mode.
    blends: bool,
    /// There are groups that are not isolated.
    groups: bool,
}

impl<'a> Auditor<'a> {
    fn copy_if(&mut self, condition: bool) {
        self.found.must_copy |= condition;
    }

    fn active_if(&mut self, condition: bool) {
        self.found.is_active |= condition;
    }

    /// Compares the entries of a dictionary with a list.
    fn entries(&mut self, dict: &Dict<'_>, allowed: &str) {
        self.left = self.left.saturating_sub(1);
        self.copy_if(has_duplicates(dict));
        for key in dict.keys() {
            self.copy_if(!is_listed(allowed, key.as_ref()));
            self.active_if(is_listed(ACTIVE, key.as_ref()) && !is_listed(allowed, key.as_ref()));
        }
    }

    fn catalog(&mut self, catalog: &Dict<'a>, pages: usize) {
        self.entries(catalog, CATALOG);
        // Of the names, only places in the document do nothing.
        let names = catalog.get::<Dict<'_>>("Names").unwrap_or_default();
        self.active_if(names.keys().any(|key| key.as_ref() != b"Dests"));
        match catalog.get::<Object<'_>>("OpenAction") {
            Some(Object::Dict(action)) => self.action(&action),
            None | Some(Object::Array(_)) => {}
            Some(_) => self.copy_if(true),
        }
        let layers = catalog.get::<Dict<'_>>("OCProperties").unwrap_or_default();
        self.entries(&layers, "OCGs D");
        self.entries(&layers.get::<Dict<'_>>("D").unwrap_or_default(), LAYER_STATES);
        if let Some(outlines) = catalog.get::<Dict<'_>>("Outlines") {
            self.outlines(&outlines);
        }
        let mut nodes = HashSet::new();
        let leaves = catalog
            .get_ref("Pages")
            .and_then(|tree| self.tree(tree, &mut nodes, 0));
        self.copy_if(leaves != Some(pages));
    }

    /// The pages below a node of the page tree; `None` for a tree that a reader may not find its way in.
    fn tree(&mut self, id: ObjRef, nodes: &mut HashSet<ObjRef>, depth: usize) -> Option<usize> {
        let node = self.xref.get::<Dict<'_>>(id.into())?;
        if depth > MAX_DEPTH || !nodes.insert(id) {
            return None;
        }
        if name_is(&node, "Type", b"Page") {
            return Some(1);
        }
        self.entries(&node, NODE);
        let mut leaves = 0;
        for kid in node.get::<Array<'_>>("Kids")?.raw_iter() {
            leaves += self.tree(kid.as_obj_ref()?, nodes, depth + 1)?;
        }
        (node.get::<i64>("Count") == i64::try_from(leaves).ok()).then_some(leaves)
    }

    /// Looks for actions in the outlines; they are not handed on in any case.
    fn outlines(&mut self, outlines: &Dict<'a>) {
        let mut seen = HashSet::new();
        let mut waiting = vec![outlines.get_ref("First")];
        while let Some(id) = waiting.pop() {
            let Some(id) = id.filter(|id| self.left > 0 && seen.insert(*id)) else {
                continue;
            };
            self.left -= 1;
            let Some(item) = self.xref.get::<Dict<'_>>(id.into()) else {
                continue;
            };
            if let Some(action) = item.get::<Dict<'_>>("A") {
                self.action(&action);
            }
            self.active_if(item.contains_key("AA"));
            waiting.extend([item.get_ref("Next"), item.get_ref("First")]);
        }
    }

    /// An action that does more than turn to a page or open an address (ISO 32000-1, table 198), alone or followed by one.
    fn action(&mut self, action: &Dict<'_>) {
        let harmless = |kind: &[u8]| matches!(kind, b"GoTo" | b"URI" | b"Named" | b"Thread" | b"Hide");
        let kind = action.get::<Name<'_>>("S");
        self.active_if(kind.is_some_and(|kind| !harmless(kind.as_ref())) || action.contains_key("Next"));
        self.copy_if(has_duplicates(action));
    }

    fn page(&mut self, page: &Page<'a>) {
        let raw = page.raw();
        self.entries(raw, PAGE);
        if let Some(contents) = raw.get_raw::<Object<'_>>("Contents") {
            self.value(contents, Role::Data, 0);
        }
        if let Some(group) = raw.get_raw::<Object<'_>>("Group") {
            self.value(group, Role::Group, 0);
        }
        let resources = super::objects::lineage(raw).find_map(|dict| dict.get_raw::<Object<'_>>("Resources"));
        if let Some(resources) = resources {
            self.value(resources, Role::Resources, 0);
        }
        let (media, crop) = (page.media_box(), page.crop_box());
        let sides = [
            crop.x0 - media.x0,
            crop.y0 - media.y0,
            crop.x1 - media.x1,
            crop.y1 - media.y1,
        ];
        self.copy_if(sides.iter().any(|side| side.abs() > 0.01));
        let fonts = &page.resources().fonts;
        self.copy_if(hyphens::are_mended(fonts, || {
            page.page_stream().unwrap_or_default().into()
        }));
        if let Some(annotations) = raw.get::<Array<'_>>("Annots") {
            for annotation in annotations.raw_iter() {
                match resolve(self.xref, annotation) {
                    Some(Object::Dict(annotation)) if self.left > 0 => self.annotation(&annotation),
                    _ => self.copy_if(true),
                }
            }
        }
    }

    fn annotation(&mut self, annotation: &Dict<'a>) {
        self.left = self.left.saturating_sub(1);
        let kind = annotation.get::<Name<'_>>("Subtype");
        let kind = kind.as_ref().map_or(b"".as_slice(), AsRef::as_ref);
        let carries = matches!(
            kind,
            b"FileAttachment" | b"RichMedia" | b"Movie" | b"Screen" | b"Sound"
        );
        self.active_if(carries || ["AA", "AF"].iter().any(|key| annotation.contains_key(*key)));
        for key in ["A", "PA"] {
            if let Some(action) = annotation.get::<Dict<'_>>(key) {
                self.action(&action);
            }
        }
        let is_unseen = kind == b"Popup" || kind == b"Link" && super::annotations::is_borderless(annotation);
        self.copy_if(!is_unseen || annotation.contains_key("AP") || has_duplicates(annotation));
    }

    fn value(&mut self, value: MaybeRef<Object<'a>>, role: Role, depth: usize) {
        if let MaybeRef::Ref(id) = &value
            && !self.visited.insert((*id, role))
        {
            return;
        }
        if self.left == 0 || depth > MAX_DEPTH {
            self.left = 0;
            return;
        }
        // Objects in arrays and dictionaries are part of these.
        self.left -= usize::from(matches!(value, MaybeRef::Ref(_)));
        match resolve(self.xref, value) {
            Some(Object::Stream(stream)) => self.stream(&stream, role, depth),
            Some(Object::Dict(dict)) => self.dict(&dict, role, false, depth),
            Some(Object::Array(array)) => {
                for item in array.raw_iter() {
                    if !matches!(
                        item,
                        MaybeRef::NotRef(Object::Number(_) | Object::Name(_) | Object::String(_))
                    ) {
                        self.value(item, role, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn stream(&mut self, stream: &Stream<'a>, role: Role, depth: usize) {
        let dict = stream.dict();
        // Readers don't agree where a stream ends that says something else.
        let length = i64::try_from(stream.raw_data().len());
        self.copy_if(dict.get::<i64>("Length") != length.ok());
        let role = match role {
            Role::XObject => Role::of_x_object(dict),
            role => Some(role),
        };
        let Some(role) = role else {
            // PostScript, or a kind that nobody knows.
            self.active_if(true);
            return;
        };
        if role == Role::Form {
            let group = dict.get::<Dict<'_>>("Group");
            self.groups |= group.is_some_and(|group| group.get::<bool>("I") != Some(true));
            let resources = dict.get::<Dict<'_>>("Resources");
            let fonts = resources
                .and_then(|resources| resources.get::<Dict<'_>>("Font"))
                .unwrap_or_default();
            self.copy_if(hyphens::are_mended(&fonts, || {
                stream.decoded_data().unwrap_or_default()
            }));
        }
        self.dict(dict, role, true, depth);
    }

    fn dict(&mut self, dict: &Dict<'a>, role: Role, is_stream: bool, depth: usize) {
        self.copy_if(has_duplicates(dict) || role == Role::Plain);
        if role == Role::Layer {
            return self.entries(dict, LAYER);
        }
        if role == Role::GraphicsState {
            let mode = dict.get::<Object<'_>>("BM");
            self.blends |=
                mode.is_some_and(|mode| !matches!(mode, Object::Name(mode) if mode.as_ref() == b"Normal"));
        }
        for (key, value) in dict.entries() {
            let key: &[u8] = key.as_ref();
            let entry = role
                .of_entry(key)
                .or_else(|| of_coding(key).filter(|_| is_stream));
            match entry {
                Some(Role::Plain) if matches!(value, MaybeRef::NotRef(ref object) if is_scalar(object)) => {}
                Some(entry) => self.value(value, entry, depth + 1),
                None if is_listed(HARMLESS, key) => {}
                None => {
                    self.copy_if(true);
                    self.active_if(is_listed(ACTIVE, key));
                }
            }
        }
    }
}

fn is_scalar(object: &Object<'_>) -> bool {
    !matches!(object, Object::Dict(_) | Object::Array(_) | Object::Stream(_))
}

/// Whether a name is in a list of names with spaces between them.
fn is_listed(list: &str, key: &[u8]) -> bool {
    list.as_bytes()
        .split(|byte| *byte == b' ')
        .any(|name| name == key)
}

/// Whether a key comes twice: readers don't agree which one counts.
fn has_duplicates(dict: &Dict<'_>) -> bool {
    count_keys(dict.data()) > dict.len()
}

/// The keys of a dictionary as it stands in the file, from its `<<` on.
fn count_keys(data: &[u8]) -> usize {
    let (mut rest, mut depth, mut count, mut is_key) = (data, 0_usize, 0, true);
    while let [first, more @ ..] = rest {
        let mut length = 1;
        match (first, more.first()) {
            (b'%', _) => {
                length += more
                    .iter()
                    .position(|byte| matches!(byte, b'\r' | b'\n'))
                    .unwrap_or(more.len())
            }
            (b'(', _) => {
                length += string_length(more);
                is_key |= depth == 1;
            }
            (b'<', Some(b'<')) => (depth, length) = (depth + 1, 2),
            (b'>', Some(b'>')) => {
                (depth, length) = (depth.saturating_sub(1), 2);
                is_key |= depth == 1;
            }
            (b'[', _) => depth += 1,
            (b']', _) => {
                depth = depth.saturating_sub(1);
                is_key |= depth == 1;
            }
            (b'/', _) => {
                length += more.iter().position(is_delimiter).unwrap_or(more.len());
                if depth == 1 {
                    count += usize::from(is_key);
                    is_key = !is_key;
                }
            }
            (byte, _) if byte.is_ascii_whitespace() || *byte == 0 => {}
            // Numbers, words and hexadecimal strings are values.
            _ => {
                length += more.iter().position(is_delimiter).unwrap_or(more.len());
                is_key |= depth == 1;
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    count
}

fn is_delimiter(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || b"\0()<>[]{}/%".contains(byte)
}

/// Bytes of a literal string after its opening parenthesis, with the closing one.
fn string_length(data: &[u8]) -> usize {
    let (mut depth, mut is_escaped) = (1, false);
    for (index, byte) in data.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    data.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_where_they_are_keys() {
        for (dict, count) in [
            (
                "<< /A /B /C 1 /D 2 0 R /E (x /F) /G << /H /I >> /J [/K /L] /M <2f> /N true >>",
                8,
            ),
            ("<</A/B/A/C>>", 2),
            ("<< /A % /B /C\n /D /E (\\) /F) >>", 2),
            ("<< >>", 0),
        ] {
            assert_eq!(count_keys(dict.as_bytes()), count, "{dict}");
        }
    }
}
