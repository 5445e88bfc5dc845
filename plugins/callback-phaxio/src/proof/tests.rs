//! Known answers of both schemes, and that no byte of what is signed may change.

use super::*;
use crate::delivery::DeliveryKind;
use crate::testing::{Request, pair};
use faxgate_protocol::phaxio::signature::sign_form;
use faxgate_protocol::phaxio::signature::vectors::{CALLBACK_URL, FORM, FormVector, INBOUND_URL, SENT};

const CALLBACK: &str = CALLBACK_URL;
const INBOUND: &str = INBOUND_URL;

fn form(url: &str, fields: &[(&str, &str)], token: &str, signature: &str) -> Request {
    Request::form(DeliveryKind::Status, url, fields)
        .token(token)
        .signed(signature)
}

/// The known signatures as requests.
fn vectors() -> Vec<Request> {
    let request = |vector: &FormVector| {
        let request = form(vector.url, vector.fields, vector.token, vector.signature);
        vector
            .files
            .iter()
            .fold(request, |request, (name, content)| request.file(name, content))
    };
    FORM.iter().map(request).collect()
}

/// Every text that differs from `text` in one byte: changed (case, neighbour, another), left out, or put in.
fn mutations(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for index in 0..=text.len() {
        let (head, tail) = text.split_at(index);
        all.push(format!("{head}~{tail}"));
        let Some(rest) = tail.get(1..) else { continue };
        let byte = text.as_bytes()[index];
        all.push(format!("{head}{rest}"));
        for other in [byte ^ 1, byte ^ 0x20, b'0', b'{'] {
            if other != byte && other.is_ascii() {
                all.push(format!("{head}{}{rest}", char::from(other)));
            }
        }
    }
    all
}

fn all_refused(changed: impl Iterator<Item = Request>) {
    let mut count = 0;
    for request in changed {
        assert!(check(&request).is_err(), "{request:?}");
        count += 1;
    }
    assert!(count > 0, "nothing was changed");
}

#[test]
fn every_vector_verifies() {
    for (index, request) in vectors().iter().enumerate() {
        assert_eq!(check(request), Ok(Proof::Address), "vector {}", index + 1);
    }
}

#[test]
fn no_byte_of_the_address_may_change() {
    for request in vectors() {
        all_refused(mutations(&request.url).into_iter().map(|url| Request {
            url,
            ..request.clone()
        }));
    }
}

#[test]
fn no_byte_of_a_field_may_change() {
    for request in vectors() {
        for field in 0..request.fields.len() {
            let (name, value) = request.fields[field].clone();
            let with = |name: String, value: String| {
                let mut changed = request.clone();
                changed.fields[field] = (name, value);
                changed
            };
            all_refused(mutations(&name).into_iter().map(|name| with(name, value.clone())));
            all_refused(
                mutations(&value)
                    .into_iter()
                    .map(|value| with(name.clone(), value)),
            );
        }
    }
}

#[test]
fn no_byte_of_the_token_may_change() {
    for request in vectors() {
        let token = String::from_utf8(request.callback_token.clone().expect("a token")).expect("text");
        all_refused(
            mutations(&token)
                .into_iter()
                .map(|token| request.clone().token(&token)),
        );
    }
}

#[test]
fn no_byte_of_the_signature_may_change() {
    for request in vectors() {
        let signature = request.headers[1].1.clone();
        all_refused(mutations(&signature).into_iter().map(|signature| {
            let mut changed = request.clone();
            changed.headers[1].1 = signature;
            changed
        }));
    }
}

#[test]
fn no_file_may_change_come_or_go() {
    for request in vectors() {
        all_refused(std::iter::once(request.clone().file("other", b"more")));
        for file in 0..request.files.len() {
            let with = |change: &dyn Fn(&mut Request)| {
                let mut changed = request.clone();
                change(&mut changed);
                changed
            };
            let part = request.files[file].clone();
            all_refused(
                mutations(&part.sha1)
                    .into_iter()
                    .map(|sha1| with(&|r| r.files[file].sha1 = sha1.clone())),
            );
            all_refused(
                mutations(&part.name)
                    .into_iter()
                    .map(|name| with(&|r| r.files[file].name = name.clone())),
            );
            all_refused(std::iter::once(with(&|r| drop(r.files.remove(file)))));
        }
    }
}

#[test]
fn no_field_may_come_or_go() {
    for request in vectors() {
        let mut more = request.clone();
        more.fields.push(pair("zz", "1"));
        all_refused(std::iter::once(more));
        for field in 0..request.fields.len() {
            let mut fewer = request.clone();
            fewer.fields.remove(field);
            all_refused(std::iter::once(fewer));
        }
    }
}

#[test]
fn scheme_and_query_belong_to_the_address() {
    let fifth = &vectors()[4];
    let with = |url: &str| Request {
        url: url.to_owned(),
        ..fifth.clone()
    };
    all_refused(
        [
            with(&CALLBACK.replace("https", "http")),
            with("https://fax.example.test/phaxio-callback"),
            with("https://fax.example.test/phaxio-callback/?job_id=abc123"),
            with("https://fax.example.test:443/phaxio-callback?job_id=abc123"),
        ]
        .into_iter(),
    );
}

#[test]
fn order_of_fields_does_not_matter() {
    for mut request in vectors() {
        request.fields.reverse();
        assert_eq!(check(&request), Ok(Proof::Address));
    }
}

#[test]
fn user_and_password_in_the_address_may_be_signed_or_not() {
    let completed: &[(&str, &str)] = &[("fax", SENT), ("event_type", "fax_completed")];
    let with = CALLBACK.replace("https://", "https://user:p@ss@");
    let bare_signed = form(
        &with,
        completed,
        "0123456789",
        "55af46383f485912ae9ea3e7a18f2766cf9990d4",
    );
    assert_eq!(check(&bare_signed), Ok(Proof::Address));
    // Computed over the address with the password.
    let full_signed = form(
        &with,
        completed,
        "0123456789",
        "b31aab8e28a1fea6f2dcb1eb1d8b607f8b00e7a5",
    );
    assert_eq!(check(&full_signed), Ok(Proof::Address));
    assert_eq!(signed_urls("https://h/a@b").count(), 1);
    assert_eq!(
        signed_urls("https://u@h?x").nth(1).as_deref(),
        Some("https://h?x")
    );
    assert_eq!(signed_urls("example.com").count(), 1);
}

#[test]
fn the_body_scheme_covers_every_byte() {
    let body = r#"{"fax":{"id":1,"status":"success"}}"#;
    let request = Request::json(body).signed_body("secret-1");
    assert_eq!(check(&request), Ok(Proof::Body));
    all_refused(mutations(body).into_iter().map(|body| Request {
        body: body.into_bytes(),
        ..request.clone()
    }));
    all_refused(mutations("secret-1").into_iter().map(|secret| {
        let mut changed = request.clone();
        changed.api_secret = Some(secret.into_bytes());
        changed
    }));
    all_refused(mutations(&request.headers[1].1).into_iter().map(|signature| {
        let mut changed = request.clone();
        changed.headers[1].1 = signature;
        changed
    }));
}

#[test]
fn a_scheme_without_its_secret_never_verifies() {
    for request in vectors() {
        let token = request.callback_token.clone();
        // The other scheme's secret does not stand in.
        all_refused(std::iter::once(Request {
            callback_token: None,
            api_secret: token,
            ..request
        }));
    }
    let request = Request::json("{}").signed_body("s");
    let secret = request.api_secret.clone();
    all_refused(std::iter::once(Request {
        api_secret: None,
        callback_token: secret,
        ..request
    }));
}

#[test]
fn other_headers_are_refused() {
    let unsigned = Request::form(DeliveryKind::Status, CALLBACK, &[("fax", SENT)]).token("0123456789");
    let long = "0".repeat(64);
    for odd in [
        "",
        " ",
        "0",
        "00",
        "sha256=00",
        &"g".repeat(40),
        &"0".repeat(39),
        &"0".repeat(41),
        &long,
    ] {
        assert!(check(&unsigned.clone().signed(odd)).is_err(), "{odd}");
    }
    assert_eq!(check(&unsigned), Err("there is no x-phaxio-signature header"));
    let twice = vectors()[4]
        .clone()
        .signed("55af46383f485912ae9ea3e7a18f2766cf9990d4");
    assert!(check(&twice).is_err());
    let upper = form(
        CALLBACK,
        &[("fax", SENT), ("event_type", "fax_completed")],
        "0123456789",
        "55AF46383F485912AE9EA3E7A18F2766CF9990D4",
    );
    assert!(check(&upper).is_err());
}

#[test]
fn the_signed_text_can_not_be_cut_otherwise() {
    let completed = vectors()[4].clone();
    // The address takes the fields up, and the body may say anything.
    let mut moved = completed.clone();
    moved.url = format!("{CALLBACK}event_typefax_completedfax{SENT}");
    moved.fields.clear();
    moved.headers[0].1 = "application/json".to_owned();
    moved.body = br#"{"fax":{"id":123456,"status":"failure"}}"#.to_vec();
    assert!(check(&moved).is_err());
    moved.headers[0].1 = "multipart/form-data; boundary=x".to_owned();
    assert!(check(&moved).is_err());
    // A name takes a neighbour up.
    let mut renamed = completed;
    renamed.fields = vec![pair(&format!("event_typefax_completedfax{SENT}"), "")];
    assert!(check(&renamed).is_err());
}

#[test]
fn a_tag_can_not_become_fields() {
    let tag = "fax[id]9fax[status]successzz";
    let fax = format!(r#"{{"id":1,"status":"failure","tags":{{"x":"{tag}"}}}}"#);
    let signature = sign_form(b"t", INBOUND, [("fax", fax.as_str())], []);
    assert_eq!(
        check(&form(INBOUND, &[("fax", &fax)], "t", &signature)),
        Ok(Proof::Address)
    );
    let (head, tail) = fax.split_once(tag).expect("the tag");
    let cut = [
        ("fa", format!("x{head}")),
        ("fax[id]", "9".into()),
        ("fax[status]", "success".into()),
        ("zz", tail.into()),
    ];
    let cut: Vec<(&str, &str)> = cut.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let form = form(INBOUND, &cut, "t", &signature);
    assert_eq!(
        form_message(cut.iter().copied(), []),
        format!("fax{fax}"),
        "the cut keeps the signed text"
    );
    assert!(check(&form).is_err());
}

#[test]
fn a_vouched_or_waived_proof_is_not_asked_for() {
    let unsigned = Request::form(DeliveryKind::Status, CALLBACK, &[("fax", SENT)]);
    assert!(check(&unsigned).is_err());
    assert_eq!(check(&unsigned.clone().unproven()), Ok(Proof::Address));
    assert_eq!(
        check(&Request {
            vouched: Some("old-token".to_owned()),
            ..unsigned
        }),
        Ok(Proof::Body)
    );
}
