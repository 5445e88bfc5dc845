//! Reading of PDF objects, beyond what the parser offers.

use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, ObjRef, Object};
use hayro::hayro_syntax::xref::XRef;

/// Ancestors of an object that are searched for an inherited entry.
const MAX_ANCESTORS: usize = 64;

/// The object itself, or the one that the reference names.
pub(crate) fn resolve<'a>(xref: &'a XRef, value: MaybeRef<Object<'a>>) -> Option<Object<'a>> {
    match value {
        MaybeRef::Ref(reference) => xref.get::<Object<'_>>(reference.into()),
        MaybeRef::NotRef(object) => Some(object),
    }
}

/// The items of an array without those that can't be found. The iterator of the parser ends at the first of these.
pub(crate) fn items<'a>(array: &Array<'a>, xref: &'a XRef) -> impl Iterator<Item = Object<'a>> + use<'a> {
    array.raw_iter().filter_map(move |item| resolve(xref, item))
}

/// The numbers of an array.
pub(crate) fn numbers(array: &Array<'_>) -> Vec<f32> {
    let number = |item: MaybeRef<Object<'_>>| match item {
        MaybeRef::NotRef(Object::Number(number)) => Some(number.as_f32()),
        _ => None,
    };
    array
        .raw_iter()
        .filter_map(number)
        .filter(|number| number.is_finite())
        .collect()
}

/// The references in an array.
pub(crate) fn references(dict: &Dict<'_>, key: &str) -> Vec<ObjRef> {
    let array = dict.get::<Array<'_>>(key);
    array
        .iter()
        .flat_map(Array::raw_iter)
        .filter_map(|item| item.as_obj_ref())
        .collect()
}

/// Whether an entry is this name.
pub(crate) fn name_is(dict: &Dict<'_>, key: &str, value: &[u8]) -> bool {
    dict.get::<Name<'_>>(key)
        .is_some_and(|name| name.as_ref() == value)
}

/// A dictionary and its ancestors.
pub(crate) fn lineage<'a>(dict: &Dict<'a>) -> impl Iterator<Item = Dict<'a>> + use<'a> {
    let parent = |dict: &Dict<'a>| dict.get::<Dict<'_>>("Parent");
    std::iter::successors(Some(dict.clone()), parent).take(MAX_ANCESTORS)
}
