//! A request somebody saved, as raw HTTP/1.1 or as JSON.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// A saved request, taken apart.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// Path and query, or the whole address.
    pub(super) target: String,
    /// Names in lower case, in the order they were sent.
    pub(super) headers: Vec<(String, String)>,
    /// The body as it went over the wire.
    pub(super) body: Vec<u8>,
    /// Form fields, decoded.
    pub(super) fields: Vec<(String, String)>,
    /// Form files.
    pub(super) files: Vec<SavedFile>,
}

/// A file part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SavedFile {
    /// Name of the part.
    pub(super) name: String,
    /// Name of the file.
    pub(super) file_name: String,
    /// Type the part declares.
    pub(super) media_type: Option<String>,
    /// Bytes in it.
    pub(super) size: usize,
    /// SHA-1 of the content, lower-case hexadecimal.
    pub(super) sha1: String,
    /// SHA-256 of it, likewise.
    pub(super) sha256: String,
}

#[derive(Deserialize)]
struct Json {
    url: String,
    headers: JsonHeaders,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JsonHeaders {
    Pairs(Vec<(String, String)>),
    Object(std::collections::BTreeMap<String, String>),
}

impl Saved {
    /// Reads either form.
    ///
    /// # Errors
    /// When it is neither, or its form can't be taken apart.
    pub(super) async fn parse(content: &[u8]) -> anyhow::Result<Self> {
        let starts_as_json = content.trim_ascii_start().first() == Some(&b'{');
        let mut saved = if starts_as_json {
            Self::from_json(content)?
        } else {
            Self::from_http(content)?
        };
        saved.read_form().await?;
        Ok(saved)
    }

    fn from_json(content: &[u8]) -> anyhow::Result<Self> {
        let json: Json =
            serde_json::from_slice(content).context("it starts as JSON but lacks url, headers or body")?;
        let body = match (json.body_base64, json.body) {
            (Some(text), _) => STANDARD
                .decode(text.trim())
                .context("body_base64 is not base64")?,
            (None, text) => text.unwrap_or_default().into_bytes(),
        };
        let headers: Vec<(String, String)> = match json.headers {
            JsonHeaders::Pairs(pairs) => pairs,
            JsonHeaders::Object(map) => map.into_iter().collect(),
        };
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Self {
            target: json.url,
            headers,
            body,
            ..Self::default()
        })
    }

    fn from_http(content: &[u8]) -> anyhow::Result<Self> {
        let (head, body) = split_head(content).context("no empty line ends the headers")?;
        let head = std::str::from_utf8(head).context("the headers are not text")?;
        let mut lines = head.lines();
        let request_line = lines.next().unwrap_or_default();
        let mut words = request_line.split_whitespace();
        let (Some(_method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
            bail!("the first line is not like POST /phaxio-callback?job_id=… HTTP/1.1");
        };
        if !version.starts_with("HTTP/") {
            bail!("the first line does not end in an HTTP version");
        }
        let headers = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':').context("a header line has no colon")?;
                Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut saved = Self {
            target: target.to_owned(),
            headers,
            body: body.to_vec(),
            ..Self::default()
        };
        // An editor may have put a line end behind the body.
        let declared = saved
            .header("content-length")
            .and_then(|text| text.parse::<usize>().ok());
        if let Some(length) = declared {
            saved.body.truncate(length);
        }
        Ok(saved)
    }

    /// The first header of this name (in lower case).
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path it was sent to.
    pub(super) fn path(&self) -> &str {
        let target = self
            .target
            .split_once("://")
            .map_or(self.target.as_str(), |(_, rest)| {
                rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
            });
        target.split(['?', '#']).next().unwrap_or_default()
    }

    /// Its query, as written.
    pub(super) fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    async fn read_form(&mut self) -> anyhow::Result<()> {
        let content_type = self.header("content-type").unwrap_or_default().to_owned();
        let kind = content_type.to_ascii_lowercase();
        if kind.starts_with("multipart/form-data") {
            self.read_multipart(&content_type).await?;
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            self.fields = url::form_urlencoded::parse(&self.body)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
        }
        Ok(())
    }

    async fn read_multipart(&mut self, content_type: &str) -> anyhow::Result<()> {
        let boundary = multer::parse_boundary(content_type).context("the content type names no boundary")?;
        let body = Bytes::from(self.body.clone());
        let stream = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
        let mut form = multer::Multipart::new(stream, boundary);
        while let Some(part) = form.next_field().await.context("the form is broken")? {
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let media_type = part.content_type().map(ToString::to_string);
            let content = part.bytes().await.context("the form is broken")?;
            match file_name {
                Some(file_name) => self.files.push(SavedFile {
                    name,
                    file_name,
                    media_type,
                    size: content.len(),
                    sha1: hex::encode(Sha1::digest(&content)),
                    sha256: hex::encode(Sha256::digest(&content)),
                }),
                None => self
                    .fields
                    .push((name, String::from_utf8_lossy(&content).into_owned())),
            }
        }
        Ok(())
    }
}

/// Head and body, whichever line ends were saved.
fn split_head(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = |mark: &[u8]| {
        content
            .windows(mark.len())
            .position(|window| window == mark)
            .map(|at| (at, mark.len()))
    };
    let (at, length) = match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(wire), Some(plain)) => wire.min(plain),
        (wire, plain) => wire.or(plain)?,
    };
    Some((content.get(..at)?, content.get(at + length..)?))
}
