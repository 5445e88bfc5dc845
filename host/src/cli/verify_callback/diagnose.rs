//! Tries what may have been signed instead, the least different first.
//!
//! Two schemes share the header; the length tells them apart. 40 digits: HMAC-SHA1 with the callback token over the
//! address, the fields sorted by name and the digests of the files
//! (<https://www.phaxio.com/docs/security/callbacks>). 64 digits: HMAC-SHA256 with the API secret over the raw body,
//! as Faxbot documents it.

use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

use super::saved::{Saved, SavedFile};
use faxgate_base::secret::Secret;

/// Header that carries the signature.
const HEADER: &str = "x-phaxio-signature";

/// The secrets at hand.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Key of Phaxio's scheme.
    pub(super) callback_token: Option<Secret>,
    /// Key of Faxbot's scheme.
    pub(super) api_secret: Option<Secret>,
}

/// Which scheme is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// 40 digits.
    Phaxio,
    /// 64 digits.
    Faxbot,
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The service would believe it.
    Holds {
        /// Which scheme.
        scheme: Scheme,
    },
    /// It would not.
    Fails {
        /// Which scheme is claimed.
        scheme: Scheme,
        /// What differs, or what was tried in vain.
        reasons: Vec<String>,
    },
    /// No scheme is claimed.
    Unclaimed {
        /// Why.
        reason: &'static str,
    },
}

/// Something that may have been used instead, and what that means; no meaning for what should be used.
struct Candidate<T> {
    value: T,
    meaning: Option<String>,
}

impl Scheme {
    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Phaxio => {
                "Phaxio's own (40 digits: HMAC-SHA1 with the callback token over address, fields, files)"
            }
            Self::Faxbot => "Faxbot's (64 digits: HMAC-SHA256 with the API secret over the body)",
        }
    }
}

impl Keys {
    /// The keys for a scheme: its own, then the other one.
    fn candidates(&self, scheme: Scheme) -> Vec<Candidate<&str>> {
        let (own, other, names) = match scheme {
            Scheme::Phaxio => (
                &self.callback_token,
                &self.api_secret,
                ["callback token", "API secret"],
            ),
            Scheme::Faxbot => (
                &self.api_secret,
                &self.callback_token,
                ["API secret", "callback token"],
            ),
        };
        let [own_name, other_name] = names;
        let swapped = format!("key: it was made with the {other_name} instead of the {own_name}");
        let own = own.iter().map(|key| Candidate::right(key.reveal()));
        let other = other
            .iter()
            .map(|key| Candidate::instead(key.reveal(), swapped.clone()));
        own.chain(other).collect()
    }
}

impl<T> Candidate<T> {
    const fn right(value: T) -> Self {
        Self { value, meaning: None }
    }

    const fn instead(value: T, meaning: String) -> Self {
        Self {
            value,
            meaning: Some(meaning),
        }
    }
}

/// Checks the signature of `saved` as sent to `url`.
pub(super) fn diagnose(saved: &Saved, url: &str, keys: &Keys) -> Verdict {
    let mut claims = saved.headers.iter().filter(|(name, _)| name == HEADER);
    let Some((_, claim)) = claims.next() else {
        return Verdict::Unclaimed {
            reason: "is missing: there is no X-Phaxio-Signature header; make a callback token in the account's settings",
        };
    };
    if claims.next().is_some() {
        return Verdict::Unclaimed {
            reason: "is there twice: more than one X-Phaxio-Signature header is never believed",
        };
    }
    let Ok(code) = hex::decode(claim) else {
        return Verdict::Unclaimed {
            reason: "is not hexadecimal: X-Phaxio-Signature has 40 or 64 digits from 0 to f",
        };
    };
    let scheme = match code.len() {
        20 => Scheme::Phaxio,
        32 => Scheme::Faxbot,
        _ => {
            return Verdict::Unclaimed {
                reason: "has neither 40 nor 64 digits: it is of no known scheme",
            };
        }
    };
    let mut reasons = match scheme {
        Scheme::Phaxio => form(saved, url, keys, &code),
        Scheme::Faxbot => body(saved, keys, &code),
    };
    if claim.bytes().any(|b| b.is_ascii_uppercase()) {
        reasons.push("spelling: the digits are in upper case; only lower case is believed".to_owned());
    }
    if reasons.is_empty() {
        Verdict::Holds { scheme }
    } else {
        Verdict::Fails { scheme, reasons }
    }
}

/// What is different from a good signature of Phaxio's scheme; nothing when it is one.
fn form(saved: &Saved, url: &str, keys: &Keys, code: &[u8]) -> Vec<String> {
    let kind = saved
        .header("content-type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.starts_with("application/json") {
        return vec!["scheme: 40 digits don't cover a JSON body; this is no callback of Phaxio's".to_owned()];
    }
    let keys_at_hand = keys.candidates(Scheme::Phaxio);
    if keys_at_hand.is_empty() {
        return vec![
            "key: no callback token is set; give phaxio.callback_token (PHAXIO_CALLBACK_TOKEN)".to_owned(),
        ];
    }
    let (urls, tails) = (urls(saved, url), tails(saved));
    let mut best: Option<Vec<String>> = None;
    for key in &keys_at_hand {
        for url in &urls {
            for tail in &tails {
                if !holds_sha1(key.value, &[&url.value, &tail.value], code) {
                    continue;
                }
                let meanings = [&key.meaning, &url.meaning, &tail.meaning];
                let found: Vec<String> = meanings.into_iter().flatten().cloned().collect();
                if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                    best = Some(found);
                }
            }
        }
    }
    best.unwrap_or_else(|| {
        vec![format!(
            "unknown: none of {} addresses, {} sets of fields and {} keys fits; check the callback token, and that \
             the body was saved byte for byte",
            urls.len(),
            tails.len(),
            keys_at_hand.len()
        )]
    })
}

/// What is different from a good signature of Faxbot's scheme.
fn body(saved: &Saved, keys: &Keys, code: &[u8]) -> Vec<String> {
    let keys = keys.candidates(Scheme::Faxbot);
    if keys.is_empty() {
        return vec!["key: no API secret is set; give phaxio.api_secret (PHAXIO_API_SECRET)".to_owned()];
    }
    let trimmed = saved.body.trim_ascii_end().to_vec();
    let with_newline = [saved.body.as_slice(), b"\n"].concat();
    let text = String::from_utf8_lossy(&saved.body);
    let wire_ends = text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
    let changed = |what: &str| format!("body: {what}; save it byte for byte");
    let bodies = [
        Candidate::right(saved.body.clone()),
        Candidate::instead(
            trimmed,
            changed("the saved one has white space at its end that was not signed"),
        ),
        Candidate::instead(
            with_newline,
            changed("the saved one lacks the line end that was signed"),
        ),
        Candidate::instead(
            wire_ends,
            changed("the saved one has other line ends than were signed"),
        ),
    ];
    let holding = keys
        .iter()
        .flat_map(|key| bodies.iter().map(move |body| (key, body)))
        .find(|(key, body)| {
            let mac = Hmac::<Sha256>::new_from_slice(key.value.as_bytes());
            mac.is_ok_and(|mac| mac.chain_update(&body.value).verify_slice(code).is_ok())
        });
    match holding {
        Some((key, body)) => [&key.meaning, &body.meaning].into_iter().flatten().cloned().collect(),
        None => vec![
            "unknown: neither key fits the body; check the API secret, and that the body was saved byte for byte"
                .to_owned(),
        ],
    }
}

fn holds_sha1(key: &str, message: &[&str], code: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
        return false;
    };
    for part in message {
        mac.update(part.as_bytes());
    }
    mac.verify_slice(code).is_ok()
}

/// The address as configured, and what it is mistaken for.
fn urls(saved: &Saved, url: &str) -> Vec<Candidate<String>> {
    let asked = if saved.target.contains("://") {
        Some(saved.target.clone())
    } else {
        saved
            .header("host")
            .map(|host| format!("https://{host}{}", saved.target))
    };
    let mut candidates: Vec<Candidate<String>> = Vec::new();
    for (base, of) in [
        (Some(url.to_owned()), None),
        (asked, Some("it is the one the request was sent to")),
    ] {
        let Some(base) = base else {
            continue;
        };
        // What differs, the fewest differences first.
        let mut variants: Vec<(String, Vec<&str>)> = vec![(base, of.into_iter().collect())];
        for (change, what) in CHANGES {
            let changed: Vec<_> = variants
                .iter()
                .map(|(url, differences)| (change(url), [differences.as_slice(), &[what]].concat()))
                .collect();
            variants.extend(changed);
        }
        variants.sort_by_key(|(_, differences)| differences.len());
        for (value, differences) in variants {
            if candidates.iter().any(|known| known.value == value) {
                continue;
            }
            let meaning = (!differences.is_empty()).then(|| {
                let differences = differences.join(", ");
                format!(
                    "URL: {value} was signed ({differences}); give the provider and phaxio.callback_url the same \
                     address"
                )
            });
            candidates.push(Candidate { value, meaning });
        }
    }
    candidates
}

/// Something that happens to an address on its way.
type Change = fn(&str) -> String;

/// What happens to an address on its way, and how it is called.
const CHANGES: [(Change, &str); 3] = [
    (swap_scheme, "http and https differ"),
    (swap_slash, "the slash at the end of the path differs"),
    (without_query, "it has no query"),
];

fn swap_slash(url: &str) -> String {
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query)));
    let path = path
        .strip_suffix('/')
        .map_or_else(|| format!("{path}/"), str::to_owned);
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

fn without_query(url: &str) -> String {
    url.split('?').next().unwrap_or_default().to_owned()
}

fn swap_scheme(url: &str) -> String {
    match url.split_once("://") {
        Some(("https", rest)) => format!("http://{rest}"),
        Some(("http", rest)) => format!("https://{rest}"),
        _ => url.to_owned(),
    }
}

/// What follows the address: fields and files as they should be signed, and what somebody may have made of them.
fn tails(saved: &Saved) -> Vec<Candidate<String>> {
    let (fields, files) = (&saved.fields, &saved.files);
    let mut tails = vec![Candidate::right(tail(fields, files, |file| &file.name))];
    let mut instead = |value, meaning: String| tails.push(Candidate::instead(value, meaning));
    if !files.is_empty() {
        instead(
            tail(fields, files, |file| &file.file_name),
            "field: the files were signed under their file names instead of the names of their parts"
                .to_owned(),
        );
        instead(
            tail(fields, &[], |file| &file.name),
            "field: the files were not signed".to_owned(),
        );
    }
    for (at, (name, _)) in fields.iter().enumerate() {
        let others: Vec<_> = fields
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != at)
            .map(|(_, field)| field.clone())
            .collect();
        instead(
            tail(&others, files, |file| &file.name),
            format!("field: {name} was not signed; something added it on the way"),
        );
        let trimmed: Vec<_> = fields
            .iter()
            .enumerate()
            .map(|(i, (name, value))| {
                let value = if i == at {
                    value.trim_end().to_owned()
                } else {
                    value.clone()
                };
                (name.clone(), value)
            })
            .collect();
        instead(
            tail(&trimmed, files, |file| &file.name),
            format!("field: {name} has white space at its end that was not signed"),
        );
    }
    let mut unsorted = String::new();
    for (name, value) in fields {
        unsorted.push_str(name);
        unsorted.push_str(value);
    }
    for file in files {
        unsorted.push_str(&file.name);
        unsorted.push_str(&file.sha1);
    }
    instead(
        unsorted,
        "field: the fields were signed in the order they were sent, not sorted by name".to_owned(),
    );
    tails
}

fn tail<'a>(
    fields: &'a [(String, String)],
    files: &'a [SavedFile],
    name: impl Fn(&'a SavedFile) -> &'a String,
) -> String {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut files: Vec<_> = files.iter().map(|file| (name(file), &file.sha1)).collect();
    files.sort_by(|a, b| a.0.cmp(b.0));
    let fields = fields
        .into_iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let files = files
        .into_iter()
        .flat_map(|(name, sha1)| [name.as_str(), sha1.as_str()]);
    fields.chain(files).collect()
}

#[cfg(test)]
mod tests;
