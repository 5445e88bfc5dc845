//! Form fields of a fax.

use super::*;

fn form(fields: &[(&str, &str)]) -> Form {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Form {
        fields,
        files: Vec::new(),
    }
}

#[test]
fn known_fields_are_sorted_and_others_refused() {
    let fields = form(&[
        ("tag[case]", "7"),
        ("to", "+1"),
        ("header_text", ""),
        ("caller_id", "+2"),
        ("region", "DE"),
    ]);
    let request = request(fields, None).expect("request");
    assert_eq!(
        (request.to.as_str(), request.region.as_deref()),
        ("+1", Some("DE"))
    );
    assert_eq!(request.options.header_text, None);
    assert_eq!(request.options.caller_id.as_deref(), Some("+2"));
    assert_eq!(request.options.tags.get("case").map(String::as_str), Some("7"));
    let problem = super::request(form(&[("to", "+1"), ("too", "+2")]), None).expect_err("refused");
    assert!(problem.detail().contains("`too`"), "{}", problem.detail());
}

#[test]
fn a_missing_or_doubled_destination_is_refused() {
    for (fields, word) in [
        (form(&[]), "missing"),
        (form(&[("to", "1"), ("to", "2")]), "more than once"),
        (
            form(&[("to", "1"), ("tag[a]", "1"), ("tag[a]", "2")]),
            "more than once",
        ),
    ] {
        let problem = request(fields, None).expect_err("refused");
        assert!(problem.detail().contains(word), "{}", problem.detail());
    }
}

#[test]
fn an_unescaped_plus_comes_back() {
    assert_eq!(restore_plus(" 12125550100"), "+12125550100");
    assert_eq!(restore_plus("+12125550100"), "+12125550100");
}
