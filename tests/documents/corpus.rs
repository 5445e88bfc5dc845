//! Documents of every kind through the sandbox, each with what has to come of it: pages, words that `pdftotext` finds
//! again, ink compared with Ghostscript's, or the exact class of refusal.
//!
//! All of them are made here when the test runs. Ghostscript and poppler are asked where they are installed; without
//! them what they would have shown is skipped, and said so.

use std::sync::Arc;

use super::comparison;
use bytes::Bytes;
use faxgate_config::plugins::{PluginConfig, PluginsConfig};
use faxgate_domain::document::{FaxPage, MAX_PAGES, MAX_ROWS, MediaType, Paper, RenderOptions};
use faxgate_policy::{ConvertLimits, ConvertOptions, Converted, Grants, Part, Plugins, PolicyError};
use faxgate_testkit::corpus::{Case, Expect, Ink, every_case};

/// The sandbox as the service runs it.
pub(crate) struct Sandbox {
    plugins: Plugins,
    _folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) async fn open() -> Arc<Self> {
        Self::with("convert-document", PluginConfig::default()).await
    }

    /// With other limits for one plugin.
    pub(crate) async fn with(name: &str, limits: PluginConfig) -> Arc<Self> {
        let folder = tempfile::tempdir().expect("folder");
        let config = PluginsConfig {
            dir: folder.path().join("plugins"),
            cache_dir: faxgate_testkit::paths::scratch().join("plugin-cache"),
            font_dir: folder.path().join("fonts"),
            last_good_dir: folder.path().join("last-good"),
            order: Vec::new(),
            named: std::collections::BTreeMap::from([(name.to_owned(), limits)]),
            instances: 8,
        };
        std::fs::create_dir(&config.dir).expect("folder");
        let plugins = Plugins::load(&config, Grants::default()).await.expect("plugins");
        Arc::new(Self {
            plugins,
            _folder: folder,
        })
    }

    pub(crate) async fn convert(
        &self,
        bytes: Vec<u8>,
    ) -> Result<Converted, PolicyError<faxgate_domain::document::DocumentError>> {
        let data = Bytes::from(bytes);
        let part = Part {
            media_type: MediaType::sniff(&data),
            data,
            file_name: None,
            attributes: Vec::new(),
        };
        let limits = ConvertLimits {
            max_pages: MAX_PAGES,
            max_bytes: 20 << 20,
            max_rows: MAX_ROWS,
        };
        let options = ConvertOptions {
            paper: Paper::Letter,
            cover: None,
        };
        self.plugins.convert(vec![part], options, limits).await
    }

    /// The most memory that one call has had.
    pub(crate) fn memory_peak(&self) -> u64 {
        let all = self.plugins.list();
        all.iter()
            .map(|plugin| plugin.memory_peak_bytes)
            .max()
            .unwrap_or(0)
    }

    pub(crate) async fn draw(
        &self,
        pdf: Bytes,
        pages: u32,
    ) -> Result<Vec<FaxPage>, PolicyError<faxgate_domain::document::DocumentError>> {
        self.plugins.render(pdf, 0..pages, RenderOptions::default()).await
    }
}

/// Runs one case; answers what is wrong with what came of it.
async fn run(sandbox: &Sandbox, tools: comparison::Tools, case: &Case) -> Vec<String> {
    let converted = sandbox.convert(case.bytes.clone()).await;
    match (&case.expect, converted) {
        (Expect::Refused(kind), Err(PolicyError::Refused(refusal))) => {
            let mut wrong = Vec::new();
            if refusal.kind != *kind {
                wrong.push(format!("refused as {:?}: {}", refusal.kind, refusal.message));
            }
            if refusal.message.len() < 20 {
                wrong.push(format!("says too little: {}", refusal.message));
            }
            wrong
        }
        (Expect::Refused(kind), Ok(made)) => vec![format!("{} pages instead of {kind:?}", made.pages)],
        (_, Err(error)) => vec![error.to_string()],
        (Expect::Fax { pages, .. }, Ok(made)) if made.pages != *pages => {
            vec![format!("{} pages instead of {pages}", made.pages)]
        }
        (expect @ Expect::Fax { .. }, Ok(made)) => fax(sandbox, tools, expect, made).await,
    }
}

async fn fax(sandbox: &Sandbox, tools: comparison::Tools, expect: &Expect, made: Converted) -> Vec<String> {
    let Expect::Fax {
        words, ink, without, ..
    } = expect
    else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    let pdf = made.pdf.to_vec();
    for word in without {
        if pdf.windows(word.len()).any(|window| window == word.as_bytes()) {
            wrong.push(format!("{word} is still in the file"));
        }
    }
    if !words.is_empty() && tools.pdftotext {
        wrong.extend(comparison::words(&pdf, words));
    }
    let drawn = match sandbox.draw(made.pdf, made.pages).await {
        Ok(drawn) => drawn,
        Err(error) => return vec![format!("not drawn: {error}")],
    };
    let ours: Vec<u64> = drawn.iter().map(|page| page.black).collect();
    match ink {
        Ink::Some | Ink::Near(_) if ours.contains(&0) => wrong.push(format!("a white page: {ours:?}")),
        Ink::Near(times) if tools.ghostscript => wrong.extend(comparison::ink(&pdf, &ours, *times)),
        Ink::Some | Ink::Near(_) => {}
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_becomes_what_it_should() {
    let cases = every_case();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let tools = comparison::Tools::find();
    let sandbox = Sandbox::open().await;
    let mut wrong = Vec::new();
    let total = cases.len();
    let mut cases = cases.into_iter();
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < 2
            && let Some(case) = cases.next()
        {
            let sandbox = Arc::clone(&sandbox);
            running.spawn(async move {
                let found = run(&sandbox, tools, &case).await;
                (case.name, found)
            });
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        let (name, found) = done.expect("a case that panicked");
        wrong.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    eprintln!("{total} documents, {} not as they should be", wrong.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
