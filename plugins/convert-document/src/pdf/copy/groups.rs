//! Transparency groups that make no difference.
//!
//! What is painted in a group that is neither isolated nor a knockout group blends with what is below the group
//! (ISO 32000-1, 11.4.7). If the group as a whole is painted normally and opaque, it looks like its parts without a group.
//! Renderers that isolate every group would erase what is under a highlight; without the group they can't.

use super::schema::Role;
use crate::pdf::objects::{items, name_is};
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::content::UntypedIter;
use hayro::hayro_syntax::object::{Array, Dict, Name, ObjRef, Object, Stream};
use hayro::hayro_syntax::xref::XRef;
use std::collections::{HashMap, HashSet};

/// Nesting of forms that is followed.
const MAX_DEPTH: usize = 20;

/// The forms of a document whose group has no effect wherever they are drawn.
pub(crate) fn without_effect(pdf: &Pdf) -> HashSet<ObjRef> {
    let mut search = Search::new(pdf.xref());
    for page in pdf.pages().iter() {
        let resources = page.resources();
        let scope = Scope {
            states: resources.ext_g_states.clone(),
            objects: resources.x_objects.clone(),
        };
        let notes = page.raw().get::<Array<'_>>("Annots");
        let notes = notes
            .iter()
            .flat_map(|notes| items(notes, pdf.xref()))
            .filter_map(Object::into_dict);
        let group = page.raw().get::<Dict<'_>>("Group").unwrap_or_default();
        let paint = Paint {
            is_overlaid: group.get::<bool>("K") != Some(true),
            ..Paint::default()
        };
        for (id, form) in notes.flat_map(|note| appearances(&note)) {
            search.form(id, &form, &scope, paint, 0);
        }
        if search.blends(&scope, 0) {
            search.content(page.page_stream().unwrap_or_default(), &scope, paint, 0);
        }
    }
    search
        .ineffective
        .difference(&search.effective)
        .copied()
        .collect()
}

/// Named resources that content refers to.
#[derive(Clone, Default)]
struct Scope<'a> {
    states: Dict<'a>,
    objects: Dict<'a>,
}

/// How a group would be painted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Paint {
    normal: bool,
    unmasked: bool,
    opaque_fills: bool,
    opaque_strokes: bool,
    /// Not directly within a knockout group, where each object replaces those before.
    is_overlaid: bool,
}

impl Default for Paint {
    fn default() -> Self {
        Self {
            normal: true,
            unmasked: true,
            opaque_fills: true,
            opaque_strokes: true,
            is_overlaid: true,
        }
    }
}

impl Paint {
    fn is_plain(self) -> bool {
        self == Self::default()
    }

    /// Applies a graphics state (ISO 32000-1, table 58).
    fn apply(&mut self, state: &Dict<'_>, xref: &XRef) {
        if let Some(normal) = is_normal(state, xref) {
            self.normal = normal;
        }
        if state.contains_key("SMask") {
            self.unmasked = name_is(state, "SMask", b"None");
        }
        for (key, opaque) in [("ca", &mut self.opaque_fills), ("CA", &mut self.opaque_strokes)] {
            if let Some(alpha) = state.get::<f32>(key) {
                *opaque = alpha >= 1.0;
            }
        }
    }
}

/// Whether a graphics state sets the blend mode to Normal; `None` if it doesn't set it.
fn is_normal(state: &Dict<'_>, xref: &XRef) -> Option<bool> {
    let mode = match state.get::<Object<'_>>("BM")? {
        Object::Array(modes) => items(&modes, xref).next()?,
        mode => mode,
    };
    Some(matches!(mode, Object::Name(mode) if matches!(mode.as_ref(), b"Normal" | b"Compatible")))
}

struct Search<'a> {
    xref: &'a XRef,
    ineffective: HashSet<ObjRef>,
    effective: HashSet<ObjRef>,
    visited: HashSet<(ObjRef, Paint)>,
    /// Forms that are known to blend or not.
    blending: HashMap<ObjRef, bool>,
}

impl<'a> Search<'a> {
    fn new(xref: &'a XRef) -> Self {
        Self {
            xref,
            ineffective: HashSet::new(),
            effective: HashSet::new(),
            visited: HashSet::new(),
            blending: HashMap::new(),
        }
    }

    /// Whether something in the scope, or in the forms that it names, blends.
    fn blends(&mut self, scope: &Scope<'a>, depth: usize) -> bool {
        let state = |key: Name<'_>| scope.states.get::<Dict<'_>>(key.as_ref());
        if scope
            .states
            .keys()
            .filter_map(state)
            .any(|state| is_normal(&state, self.xref) == Some(false))
        {
            return true;
        }
        let forms: Vec<ObjRef> = scope
            .objects
            .keys()
            .filter_map(|key| scope.objects.get_ref(key.as_ref()))
            .collect();
        depth < MAX_DEPTH && forms.into_iter().any(|form| self.form_blends(form, depth + 1))
    }

    fn form_blends(&mut self, id: ObjRef, depth: usize) -> bool {
        if let Some(known) = self.blending.get(&id) {
            return *known;
        }
        // A form that draws itself doesn't blend for that.
        self.blending.insert(id, false);
        let form = self.xref.get::<Stream<'_>>(id.into());
        let form = form.filter(|form| Role::of_x_object(form.dict()) == Some(Role::Form));
        let scope = form.and_then(|form| scope_of(&form));
        let blends = scope.is_some_and(|scope| self.blends(&scope, depth));
        self.blending.insert(id, blends);
        blends
    }

    fn form(&mut self, id: ObjRef, form: &Stream<'a>, outer: &Scope<'a>, mut paint: Paint, depth: usize) {
        if depth > MAX_DEPTH || !self.visited.insert((id, paint)) {
            return;
        }
        let scope = scope_of(form).unwrap_or_else(|| outer.clone());
        if let Some(group) = form.dict().get::<Dict<'_>>("Group") {
            let is = |key: &str| group.get::<bool>(key) == Some(true);
            let ineffective = paint.is_plain() && !is("I") && !is("K") && self.blends(&scope, 0);
            match ineffective {
                true => self.ineffective.insert(id),
                false => self.effective.insert(id),
            };
            paint = Paint {
                is_overlaid: !is("K"),
                ..Paint::default()
            };
        }
        let content = form.decoded_data().unwrap_or_default();
        self.content(&content, &scope, paint, depth + 1);
    }

    fn content(&mut self, content: &[u8], scope: &Scope<'a>, begin: Paint, depth: usize) {
        let mut paint = begin;
        let mut saved = Vec::new();
        let mut instructions = UntypedIter::new(content);
        while let Some(instruction) = instructions.next() {
            let operator: &[u8] = instruction.operator;
            let mut operands = instruction.operands();
            match (operator, operands.next()) {
                (b"q", _) => saved.push(paint),
                (b"Q", _) => paint = saved.pop().unwrap_or(paint),
                (b"gs", Some(Object::Name(name))) => {
                    let state = scope.states.get::<Dict<'_>>(name.as_ref()).unwrap_or_default();
                    paint.apply(&state, self.xref);
                    self.keep_mask(&state);
                }
                (b"Do", Some(Object::Name(name))) => {
                    let form = scope.objects.get::<Stream<'_>>(name.as_ref());
                    let form = form.filter(|form| Role::of_x_object(form.dict()) == Some(Role::Form));
                    if let Some((id, form)) = scope.objects.get_ref(name.as_ref()).zip(form) {
                        self.form(id, &form, scope, paint, depth);
                    }
                }
                _ => {}
            }
        }
    }

    /// The group of a soft mask is one by definition (ISO 32000-1, table 144).
    fn keep_mask(&mut self, state: &Dict<'a>) {
        let mask = state.get::<Dict<'_>>("SMask");
        self.effective.extend(mask.and_then(|mask| mask.get_ref("G")));
    }
}

/// The resources of a form, if it has its own.
fn scope_of<'a>(form: &Stream<'a>) -> Option<Scope<'a>> {
    let resources = form.dict().get::<Dict<'_>>("Resources")?;
    Some(Scope {
        states: resources.get("ExtGState").unwrap_or_default(),
        objects: resources.get("XObject").unwrap_or_default(),
    })
}

/// The normal appearances of an annotation.
fn appearances<'a>(note: &Dict<'a>) -> Vec<(ObjRef, Stream<'a>)> {
    let Some(appearance) = note.get::<Dict<'_>>("AP") else {
        return Vec::new();
    };
    let found = |dict: &Dict<'a>, key: &[u8]| Some((dict.get_ref(key)?, dict.get::<Stream<'_>>(key)?));
    match appearance.get::<Object<'_>>("N") {
        Some(Object::Dict(states)) => states
            .keys()
            .filter_map(|state| found(&states, state.as_ref()))
            .collect(),
        _ => found(&appearance, b"N").into_iter().collect(),
    }
}
