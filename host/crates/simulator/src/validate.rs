//! What a request to send must look like. Everything wrong is 422; the vendor's texts are not known, these are ours.

use bytes::Bytes;

use super::SimulatorConfig;
use super::form::Form;
use super::record::Failure;

/// A request to send that passed.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) to: Vec<String>,
    pub(super) content_urls: Vec<String>,
    pub(super) files: Vec<Bytes>,
    pub(super) callback_url: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) header_text: Option<String>,
    pub(super) caller_id: Option<String>,
    pub(super) batch_delay: Option<u32>,
    pub(super) cancel_timeout: Option<u32>,
    pub(super) test_fail: Option<Failure>,
}

const MOST_FILES: usize = 20;
const MOST_RECIPIENTS: usize = 15;
const MOST_TAGS: usize = 10;
const LONGEST_HEADER: usize = 50;

/// What becomes of `test_fail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Testing {
    /// A test account fails as it is told to.
    Honoured,
    /// A live account sends the fax.
    Ignored,
    /// A live account that wants no tests.
    Refused,
}

impl Testing {
    pub(super) fn of(config: &SimulatorConfig) -> Self {
        match (config.test_account, config.refuse_test_fail) {
            (true, _) => Self::Honoured,
            (false, false) => Self::Ignored,
            (false, true) => Self::Refused,
        }
    }
}

/// Checks a request to send.
pub(super) fn wanted(form: &Form, testing: Testing) -> Result<Wanted, String> {
    let to = recipients(form)?;
    let content_urls: Vec<String> = form
        .all("content_url")
        .into_iter()
        .filter(|u| !u.is_empty())
        .collect();
    let files: Vec<Bytes> = form
        .uploads("file")
        .iter()
        .map(|file| file.content.clone())
        .collect();
    if content_urls.is_empty() && files.is_empty() {
        return Err("There was no file or content_url provided.".to_owned());
    }
    if content_urls.len() + files.len() > MOST_FILES {
        return Err(format!("A fax has at most {MOST_FILES} files."));
    }
    let tags = form.tags();
    if tags.len() > MOST_TAGS {
        return Err(format!("A fax has at most {MOST_TAGS} tags."));
    }
    let header_text = form.get("header_text").map(str::to_owned);
    if header_text
        .as_ref()
        .is_some_and(|text| text.chars().count() > LONGEST_HEADER)
    {
        return Err(format!("header_text has at most {LONGEST_HEADER} characters."));
    }
    let caller_id = form.get("caller_id").map(str::to_owned);
    if let Some(id) = &caller_id
        && number(id).is_none()
    {
        return Err("caller_id is not a number of this account.".to_owned());
    }
    Ok(Wanted {
        to,
        content_urls,
        files,
        callback_url: callback_url(form)?,
        tags,
        header_text,
        caller_id,
        batch_delay: whole(form, "batch_delay", 0..=3600)?,
        cancel_timeout: whole(form, "cancel_timeout", 3..=60)?,
        test_fail: test_fail(form, testing)?,
    })
}

/// A number as the vendor takes it: E.164, or ten digits of the United States.
pub(super) fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let only_digits = text.strip_prefix('+').unwrap_or(text).len() == digits.len();
    if !only_digits || digits.starts_with('0') {
        return None;
    }
    match (text.starts_with('+'), digits.len()) {
        (true, 2..=15) => Some(format!("+{digits}")),
        (false, 10) => Some(format!("+1{digits}")),
        (false, 11) if digits.starts_with('1') => Some(format!("+{digits}")),
        _ => None,
    }
}

fn recipients(form: &Form) -> Result<Vec<String>, String> {
    let given = form.all("to");
    if given.is_empty() {
        return Err("You must include a 'to' number.".to_owned());
    }
    if given.len() > MOST_RECIPIENTS {
        return Err(format!("A fax has at most {MOST_RECIPIENTS} recipients."));
    }
    given
        .iter()
        .map(|to| number(to).ok_or_else(|| format!("Phone number '{to}' is not formatted correctly.")))
        .collect()
}

fn callback_url(form: &Form) -> Result<Option<String>, String> {
    let Some(url) = form.get("callback_url").filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    match url::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https" | "mailto") => Ok(Some(url.to_owned())),
        _ => Err("callback_url is not a valid URL.".to_owned()),
    }
}

fn whole(form: &Form, name: &str, range: std::ops::RangeInclusive<u32>) -> Result<Option<u32>, String> {
    let Some(text) = form.get(name) else {
        return Ok(None);
    };
    text.parse()
        .ok()
        .filter(|value| range.contains(value))
        .map(Some)
        .ok_or_else(|| {
            format!(
                "{name} must be a number from {} to {}.",
                range.start(),
                range.end()
            )
        })
}

/// The failure a test asks for.
fn test_fail(form: &Form, testing: Testing) -> Result<Option<Failure>, String> {
    let Some(kind) = form.get("test_fail") else {
        return Ok(None);
    };
    match testing {
        Testing::Honoured => {}
        Testing::Ignored => return Ok(None),
        Testing::Refused => return Err("test_fail is only for test credentials.".to_owned()),
    }
    let (id, message) = match kind {
        "documentConversionError" => (122, "User simulated Document Conversion Error"),
        "lineError" => (121, "User requested simulated lineError"),
        "faxError" => (119, "User requested simulated faxError"),
        "fatalError" => (126, "User requested simulated fatalError"),
        "generalError" => (120, "User requested generalError"),
        _ => return Err("test_fail is not an error type.".to_owned()),
    };
    Ok(Some(Failure::new(kind, id, message)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        Form {
            fields: fields
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            files: Vec::new(),
        }
    }

    #[test]
    fn numbers_are_taken_as_the_vendor_does() {
        for (given, taken) in [
            ("+12125550142", Some("+12125550142")),
            ("2125550142", Some("+12125550142")),
            ("12125550142", Some("+12125550142")),
            ("+4930123456", Some("+4930123456")),
            ("4930123456789", None),
            ("+0123456", None),
            ("+1 212", None),
            ("fax", None),
            ("", None),
        ] {
            assert_eq!(number(given).as_deref(), taken, "{given}");
        }
    }

    #[test]
    fn each_limit_is_kept() {
        let long = "x".repeat(51);
        let url = ("content_url", "http://localhost/a.pdf");
        let to = ("to", "+12125550142");
        assert!(wanted(&form(&[to, url]), Testing::Honoured).is_ok());
        let tags: Vec<String> = (0..11).map(|n| format!("tag[{n}]")).collect();
        let mut many = vec![to, url];
        many.extend(tags.iter().map(|tag| (tag.as_str(), "x")));
        let crowd = vec![("to[]", "+12125550142"); 16];
        for bad in [
            vec![url],
            vec![to],
            vec![("to", "12"), url],
            many,
            [crowd, vec![url]].concat(),
            [vec![to], vec![url; 21]].concat(),
            vec![to, url, ("header_text", &long)],
            vec![to, url, ("cancel_timeout", "2")],
            vec![to, url, ("cancel_timeout", "61")],
            vec![to, url, ("batch_delay", "3601")],
            vec![to, url, ("test_fail", "coffee")],
            vec![to, url, ("callback_url", "nowhere")],
        ] {
            assert!(wanted(&form(&bad), Testing::Honoured).is_err(), "{bad:?}");
        }
        // A live account does not look at the field.
        let testing = form(&[to, url, ("test_fail", "faxError")]);
        let failure = |testing_: Testing| wanted(&testing, testing_).map(|wanted| wanted.test_fail.is_some());
        assert_eq!(failure(Testing::Honoured), Ok(true));
        assert_eq!(failure(Testing::Ignored), Ok(false));
        assert!(failure(Testing::Refused).is_err());
    }
}
