//! Spellings of parameters.

use super::*;

#[test]
fn names_are_case_insensitive_and_values_may_be_quoted() {
    for (value, name, expected) in [
        ("form-data; name=\"file\"", "name", Some("file")),
        ("form-data; NAME=\"file\"", "name", Some("file")),
        ("form-data;Name=file ;x=1", "name", Some("file")),
        ("form-data; name = \"to\"; filename=\"\"", "filename", Some("")),
        (
            "form-data; filename=\"name=x; y\"; name=\"to\"",
            "name",
            Some("to"),
        ),
        (
            "form-data; filename=\"a\\\"b;c.pdf\"; name=f",
            "filename",
            Some("a\"b;c.pdf"),
        ),
        (
            "form-data; filename=\"C:\\fax\\a.pdf\"",
            "filename",
            Some("C:\\fax\\a.pdf"),
        ),
        ("form-data; flag; name=to", "name", Some("to")),
        ("form-data; name=\"to", "name", Some("to")),
        ("form-data; filename=x", "name", None),
        ("form-data", "name", None),
        ("multipart/form-data; boundary = b", "boundary", Some("b")),
        ("multipart/form-data; Boundary=\"a b\"", "boundary", Some("a b")),
    ] {
        assert_eq!(parameter(value, name).as_deref(), expected, "{value}");
    }
}
