//! Which optional content is printed (ISO 32000-1, 8.11).

use crate::pdf::objects::{items, name_is, references};
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, ObjRef, Object};
use hayro::hayro_syntax::xref::XRef;
use std::collections::HashSet;

/// Nesting of visibility expressions that is followed.
const MAX_DEPTH: usize = 16;

/// The optional content groups of a document that are off when it is printed.
#[derive(Default)]
pub(crate) struct Layers {
    off: HashSet<ObjRef>,
}

impl Layers {
    /// The states of the default configuration, with the usage that its automatic states name for printing.
    pub(crate) fn of_catalog<'a>(catalog: Option<&Dict<'a>>, xref: &'a XRef) -> Self {
        let Some(properties) = catalog.and_then(|root| root.get::<Dict<'_>>("OCProperties")) else {
            return Self::default();
        };
        let config = properties.get::<Dict<'_>>("D").unwrap_or_default();
        let mut off = HashSet::new();
        if name_is(&config, "BaseState", b"OFF") {
            off.extend(references(&properties, "OCGs"));
        }
        for group in references(&config, "ON") {
            off.remove(&group);
        }
        off.extend(references(&config, "OFF"));
        let automatic = config.get::<Array<'_>>("AS");
        let automatic = automatic
            .iter()
            .flat_map(|all| items(all, xref))
            .filter_map(Object::into_dict);
        for usage in automatic.filter(|usage| name_is(usage, "Event", b"Print")) {
            for group in references(&usage, "OCGs") {
                let dict = xref.get::<Dict<'_>>(group.into()).unwrap_or_default();
                match print_state(&dict, &usage) {
                    Some(true) => {
                        off.remove(&group);
                    }
                    Some(false) => {
                        off.insert(group);
                    }
                    None => {}
                }
            }
        }
        Self { off }
    }

    /// Whether what the entry `key` of `dict` puts into a layer is printed.
    pub(crate) fn shows<'a>(&self, dict: &Dict<'a>, key: &str, xref: &'a XRef) -> bool {
        let value = dict.get_raw::<Object<'_>>(key);
        value.is_none_or(|value| self.shows_value(&value, dict.get::<Dict<'_>>(key).as_ref(), xref))
    }

    /// The same for a value and the dictionary that it is or refers to.
    pub(crate) fn shows_value<'a>(
        &self,
        value: &MaybeRef<Object<'a>>,
        layer: Option<&Dict<'a>>,
        xref: &'a XRef,
    ) -> bool {
        match (layer, value) {
            (Some(layer), _) if name_is(layer, "Type", b"OCMD") => self.shows_membership(layer, xref),
            (_, MaybeRef::Ref(group)) => !self.off.contains(group),
            _ => true,
        }
    }

    fn shows_membership<'a>(&self, membership: &Dict<'a>, xref: &'a XRef) -> bool {
        if let Some(expression) = membership.get::<Array<'_>>("VE") {
            return self.evaluate(&expression, xref, 0);
        }
        let mut groups = references(membership, "OCGs");
        groups.extend(membership.get_ref("OCGs").filter(|_| groups.is_empty()));
        let on = |group: &ObjRef| !self.off.contains(group);
        let policy = membership.get::<Name<'_>>("P");
        groups.is_empty()
            || match policy.as_ref().map(AsRef::as_ref) {
                Some(b"AllOn") => groups.iter().all(on),
                Some(b"AnyOff") => !groups.iter().all(on),
                Some(b"AllOff") => !groups.iter().any(on),
                _ => groups.iter().any(on),
            }
    }

    /// A visibility expression: an operator and its operands, each a group or an expression (8.11.2.2).
    fn evaluate<'a>(&self, expression: &Array<'a>, xref: &'a XRef, depth: usize) -> bool {
        let operator = items(expression, xref).next();
        let Some(Object::Name(operator)) = operator.filter(|_| depth < MAX_DEPTH) else {
            return true;
        };
        let mut values = expression.raw_iter().skip(1).map(|operand| match operand {
            MaybeRef::NotRef(Object::Array(inner)) => self.evaluate(&inner, xref, depth + 1),
            MaybeRef::NotRef(_) => true,
            MaybeRef::Ref(id) => match xref.get::<Array<'_>>(id.into()) {
                Some(inner) => self.evaluate(&inner, xref, depth + 1),
                None => !self.off.contains(&id),
            },
        });
        match operator.as_ref() {
            b"And" => values.all(|value| value),
            b"Or" => values.any(|value| value),
            b"Not" => !values.next().unwrap_or(false),
            _ => true,
        }
    }
}

/// The state that the usage of a group recommends for the categories of an automatic state; `None` if none does.
fn print_state(group: &Dict<'_>, automatic: &Dict<'_>) -> Option<bool> {
    let usage = group.get::<Dict<'_>>("Usage")?;
    let mut state = None;
    for category in automatic.get::<Array<'_>>("Category")?.iter::<Name<'_>>() {
        let key: &str = match category.as_ref() {
            b"Print" => "PrintState",
            b"View" => "ViewState",
            b"Export" => "ExportState",
            _ => continue,
        };
        let Some(recommended) = usage.get::<Dict<'_>>(category.as_ref()) else {
            continue;
        };
        if name_is(&recommended, key, b"OFF") {
            return Some(false);
        }
        if name_is(&recommended, key, b"ON") {
            state = Some(true);
        }
    }
    state
}
