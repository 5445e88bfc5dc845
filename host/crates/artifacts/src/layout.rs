//! Names of kept documents.
//!
//! `outbound/01jd/z0/01jdz0….pdf`: an identifier begins with its time, so the folders are spans of 12 days and
//! 17 minutes. Documents of one moment share a folder and with it one sync, no folder grows without end, and
//! folders of a time long past become empty as a whole.

use std::path::{Component, Path};

use ulid::Ulid;

use faxgate_base::id;

/// Which way a document went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Of a fax that we send.
    Outbound,
    /// Of a fax that we received.
    Inbound,
}

impl Kind {
    /// Both.
    pub const EVERY: [Self; 2] = [Self::Outbound, Self::Inbound];

    /// The folder.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
        }
    }
}

/// The name of a document relative to the artifact folder or key prefix.
pub(super) fn name(kind: Kind, id: Ulid) -> String {
    let id = id::write(id);
    let (span, part) = (id.get(..4).unwrap_or_default(), id.get(4..6).unwrap_or_default());
    format!("{}/{span}/{part}/{id}.pdf", kind.folder())
}

/// The document that a name (or a key that ends in one) belongs to.
pub(super) fn parse(text: &str) -> Option<(Kind, Ulid)> {
    let id = id::parse(text.rsplit('/').next()?.strip_suffix(".pdf")?)?;
    let kind = Kind::EVERY.into_iter().find(|&kind| {
        text.strip_suffix(&name(kind, id))
            .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('/'))
    })?;
    Some((kind, id))
}

/// Whether a name stays inside the folder it is relative to. Names come from our own records; this keeps a
/// damaged record from reaching other files.
pub(super) fn is_inside(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_documents() {
        let id = id::parse("01jdz0abcdefghjkmnpqrstvwx").unwrap();
        for kind in Kind::EVERY {
            let name = name(kind, id);
            assert!(is_inside(&name));
            assert_eq!(parse(&name), Some((kind, id)));
            assert_eq!(parse(&format!("fax/archive/{name}")), Some((kind, id)));
            assert_eq!(parse(&format!("x{name}")), None, "another folder that ends alike");
        }
        assert_eq!(
            name(Kind::Outbound, id),
            "outbound/01jd/z0/01jdz0abcdefghjkmnpqrstvwx.pdf"
        );
    }

    #[test]
    fn other_names_are_nobodys() {
        for bad in [
            "",
            "outbound",
            "outbound/01jd/z0/notes.pdf",
            "outbound/01jd/z1/01jdz0abcdefghjkmnpqrstvwx.pdf",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        for bad in ["", "/etc/passwd", "../x", "outbound/../../x"] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}
