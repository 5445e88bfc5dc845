//! `faxgate plugin run`: a component once on an input file, with the limits and settings it would have.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;

use super::Alone;
use crate::cli::output::{complain, say};
use crate::cli::settings::Settings;
use crate::cli::verify_callback::saved_delivery;
use crate::config::Config;
use crate::domain::document::{MAX_PAGES, MAX_ROWS, MediaType, Raster};
use crate::domain::provider::Verdict;
use crate::plugin::{ConvertLimits, ConvertOptions, Part, PolicyError, Slot, tiff};

/// Arguments of `faxgate plugin run`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component
    file: PathBuf,
    /// What it works on: a document, a file with a dialled number, or a saved callback (see verify-callback)
    input: PathBuf,
    /// Converters: where the PDF goes
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Converters: where the pages as a fax machine prints them go
    #[arg(long, value_name = "FILE")]
    tiff: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.settings.load()?.config;
    let alone = Alone::load(&config, &args.file).await?;
    if let Some(problem) = alone.plugins.problems().first() {
        bail!("{}: {}", args.file.display(), problem.reason);
    }
    let list = alone.plugins.list();
    let plugin = list
        .iter()
        .find(|plugin| !plugin.builtin && plugin.name == alone.name)
        .with_context(|| format!("{} was not taken up", args.file.display()))?;
    let input =
        std::fs::read(&args.input).with_context(|| format!("{} can't be read", args.input.display()))?;
    let done = match plugin.slot {
        Slot::NumberNormalizer => number(&alone, &config, &input).await,
        Slot::Converter => document(&alone, &args, input).await,
        Slot::CallbackPolicy => callback(&alone, &config, &input).await,
    };
    // What it cost, whatever came out.
    if let Some(plugin) = alone
        .plugins
        .list()
        .iter()
        .find(|plugin| plugin.name == alone.name)
    {
        complain!(
            "{} calls, {} errors, {} µs, at most {} bytes of memory",
            plugin.calls,
            plugin.errors,
            plugin.p50_us,
            plugin.memory_peak_bytes
        );
    }
    done.map(|()| ExitCode::SUCCESS)
}

async fn number(alone: &Alone, config: &Config, input: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(input);
    let numbers = &config.numbers;
    let number = alone
        .plugins
        .normalize(text.trim(), &numbers.default_region, numbers.strict)
        .await;
    let number = number.map_err(refused)?;
    say!("number  {}", number.e164.as_str());
    say!(
        "region  {}",
        number.region.as_deref().unwrap_or("none of its own")
    );
    say!(
        "state   {}",
        if number.valid {
            "assigned"
        } else {
            "possible but not assigned"
        }
    );
    Ok(())
}

async fn document(alone: &Alone, args: &Args, input: Vec<u8>) -> anyhow::Result<()> {
    let part = Part {
        media_type: MediaType::sniff(&input),
        data: Bytes::from(input),
        file_name: args
            .input
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        attributes: Vec::new(),
    };
    let limits = ConvertLimits {
        max_pages: MAX_PAGES,
        max_bytes: u64::from(u32::MAX),
        max_rows: MAX_ROWS,
    };
    say!("type    {}", part.media_type.as_str());
    let converted = alone
        .plugins
        .convert(vec![part], ConvertOptions::default(), limits)
        .await
        .map_err(refused)?;
    say!("by      {}", converted.plugin);
    say!("pages   {}", converted.pages);
    for note in &converted.notes {
        say!("note    {note}");
    }
    if let Some(path) = &args.pdf {
        write(path, &converted.pdf)?;
    }
    if let Some(path) = &args.tiff {
        let pages = alone
            .plugins
            .render(converted.pdf, 0..converted.pages, Raster::default())
            .await;
        write(path, &tiff::write(&pages.map_err(refused)?))?;
    }
    Ok(())
}

async fn callback(alone: &Alone, config: &Config, input: &[u8]) -> anyhow::Result<()> {
    let delivery = saved_delivery(config, input).await?;
    match alone.plugins.evaluate(delivery).await.map_err(refused)? {
        Verdict::Accept(events) => {
            say!("accept");
            for event in events {
                say!("event   {event:?}");
            }
        }
        Verdict::Ignore(reason) => say!("ignore  {reason}"),
        Verdict::Reject(reason) => say!("reject  {reason}"),
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, content).with_context(|| format!("{} can't be written", path.display()))?;
    say!("wrote   {}", path.display());
    Ok(())
}

fn refused<R: std::fmt::Display>(error: PolicyError<R>) -> anyhow::Error {
    match error {
        PolicyError::Refused(refusal) => anyhow!("refused: {refusal}"),
        PolicyError::Busy => anyhow!("no instance was free in time"),
        PolicyError::Failed(failure) => anyhow!("{failure}"),
    }
}
