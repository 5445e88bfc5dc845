//! Forms in the three ways they come: urlencoded, multipart, JSON.

use bytes::Bytes;
use serde_json::Value;

/// Fields in the order they came, and uploaded files.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    pub(super) fields: Vec<(String, String)>,
    pub(super) files: Vec<Upload>,
}

/// An uploaded file.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) part: String,
    pub(super) content: Bytes,
}

impl Form {
    /// Reads a body by its content type; an unknown type is an empty form, as the vendor would find no parameters.
    pub(super) async fn read(content_type: &str, body: Bytes) -> Result<Self, String> {
        if let Ok(boundary) = multer::parse_boundary(content_type) {
            return Self::multipart(boundary, body).await;
        }
        let fields = if content_type.starts_with("application/x-www-form-urlencoded") {
            url::form_urlencoded::parse(&body).into_owned().collect()
        } else if content_type.starts_with("application/json") {
            Self::json(&body)?
        } else {
            Vec::new()
        };
        Ok(Self {
            fields,
            files: Vec::new(),
        })
    }

    async fn multipart(boundary: String, body: Bytes) -> Result<Self, String> {
        let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(stream, boundary);
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|e| e.to_string())? {
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let content = part.bytes().await.map_err(|e| e.to_string())?;
            if is_file {
                form.files.push(Upload { part: name, content });
            } else {
                form.fields
                    .push((name, String::from_utf8_lossy(&content).into_owned()));
            }
        }
        Ok(form)
    }

    fn json(body: &[u8]) -> Result<Vec<(String, String)>, String> {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            return Err("the body is not a JSON object".to_owned());
        };
        let mut fields = Vec::new();
        for (name, value) in object {
            match value {
                Value::Array(values) => fields.extend(values.iter().map(|v| (name.clone(), plain(v)))),
                Value::Object(tags) if name == "tags" || name == "tag" => {
                    fields.extend(tags.iter().map(|(tag, v)| (format!("tag[{tag}]"), plain(v))));
                }
                other => fields.push((name, plain(&other))),
            }
        }
        Ok(fields)
    }

    /// The last value of a field.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of `name`, `name[]` and `name[0]`.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.fields
            .iter()
            .filter(|(n, _)| is_list(n, name))
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// Every file of `name`, `name[]` and `name[0]`.
    pub(super) fn uploads(&self, name: &str) -> Vec<&Upload> {
        self.files
            .iter()
            .filter(|file| is_list(&file.part, name))
            .collect()
    }

    /// The tags, from `tag[NAME]`.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        self.fields
            .iter()
            .filter_map(|(name, value)| {
                let tag = name.strip_prefix("tag[")?.strip_suffix(']')?;
                Some((tag.to_owned(), value.clone()))
            })
            .collect()
    }
}

fn is_list(field: &str, name: &str) -> bool {
    field.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
