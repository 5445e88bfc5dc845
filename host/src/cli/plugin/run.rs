//! `faxgate plugin run`: a component once on an input file, with the limits and settings it would have: what it
//! answers and what that costs. Where it leaves the decision to the next plugin of its slot, that one is asked too.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;

use super::{Alone, grants, stem};
use crate::cli::output::outln;
use crate::cli::settings::Settings;
use crate::cli::verify_callback::saved_delivery;
use faxgate_base::size::human;
use faxgate_config::Config;
use faxgate_domain::document::{DocumentErrorKind, MAX_PAGES, MAX_ROWS, MediaType, RenderOptions};
use faxgate_domain::number::Number;
use faxgate_domain::provider::Verdict;
use faxgate_policy::{
    ConvertLimits, ConvertOptions, FailureKind, Inspector, NormalizedNumber, Part, PolicyDecision,
    PolicyError, Run, Slot, image::tiff,
};

/// How much slower a guest may be while its instructions are counted.
const COUNTING: u32 = 10;

/// How long further calls may take in all.
const MOMENT: Duration = Duration::from_millis(300);
/// How many further calls are worth the wait.
const FURTHER: u128 = 201;

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

/// The plugin on two benches: one as it serves, one that counts instructions.
struct Benches {
    timed: Inspector,
    counted: Inspector,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.settings.load()?.config;
    let benches = Benches::open(&config, &args.file).await?;
    let input =
        std::fs::read(&args.input).with_context(|| format!("{} can't be read", args.input.display()))?;
    let slot = benches.timed.slot();
    outln!("slot    {slot}");
    match slot {
        Slot::NumberNormalizer => number(&benches, &config, &args, &input).await,
        Slot::Converter => document(&benches, &config, &args, input).await,
        Slot::CallbackPolicy => callback(&benches, &config, &args, &input).await,
    }
}

impl Benches {
    async fn open(config: &Config, file: &Path) -> anyhow::Result<Self> {
        let name = stem(file)?;
        let wasm = std::fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
        let own = config.plugins.named.get(&name).cloned().unwrap_or_default();
        let mut patient = own.clone();
        patient.cpu = own.cpu.saturating_mul(COUNTING);
        patient.wall = own.wall.saturating_mul(COUNTING);
        let refused = |error| anyhow!("{}: {error}", file.display());
        let timed = Inspector::open(&name, wasm.clone(), &own, &grants(config), false).await;
        let counted = Inspector::open(&name, wasm, &patient, &grants(config), true).await;
        Ok(Self {
            timed: timed.map_err(refused)?,
            counted: counted.map_err(refused)?,
        })
    }

    /// Runs a call on both benches and tells its cost; what it answered, none when it failed.
    async fn both<T: Debug, F: AsyncFn(&Inspector) -> Run<T>>(&self, call: F) -> Option<T> {
        let timed = call(&self.timed).await;
        let usual = match &timed.outcome {
            Ok(_) => self.usual(timed.time, &call).await,
            Err(_) => None,
        };
        let late = |kind: FailureKind| matches!(kind, FailureKind::CpuDeadline | FailureKind::WallDeadline);
        let fuel = match &timed.outcome {
            Err(failure) if late(failure.kind) => None,
            _ => call(&self.counted).await.fuel,
        };
        let Run {
            outcome,
            time,
            memory_bytes,
            denied_growth,
            ..
        } = timed;
        match usual {
            Some(usual) => outln!("time    {} at first, {} once warm", span(time), span(usual)),
            None => outln!("time    {}", span(time)),
        }
        outln!("memory  {}", human(memory_bytes));
        if denied_growth > 0 {
            outln!("denied  memory was denied {denied_growth} times: see memory_mb");
        }
        match fuel {
            Some(fuel) => outln!("fuel    {fuel} (the same on every machine)"),
            None => outln!("fuel    not counted: it did not come to its end"),
        }
        outcome
            .map_err(|failure| {
                outln!("failed  {}: {}", failure.kind, failure.cause);
                outln!("remedy  {}", failure.kind.remedy());
            })
            .ok()
    }

    /// The median time of further calls, as many as fit into a moment: the first one maps its memory. None when
    /// there was time for a few only.
    async fn usual<T, F: AsyncFn(&Inspector) -> Run<T>>(
        &self,
        first: Duration,
        call: &F,
    ) -> Option<Duration> {
        let fitting = MOMENT.as_nanos() / first.as_nanos().max(1);
        let mut times = Vec::new();
        for _ in 0..fitting.min(FURTHER) {
            times.push(call(&self.timed).await.time);
        }
        times.sort();
        times.get(times.len() / 2).copied().filter(|_| times.len() >= 5)
    }
}

async fn number(benches: &Benches, config: &Config, args: &Args, input: &[u8]) -> anyhow::Result<ExitCode> {
    let text = String::from_utf8_lossy(input);
    let (raw, region, strict) = (
        text.trim(),
        config.numbers.default_region.as_str(),
        config.numbers.strict,
    );
    let answer = benches
        .both(async |bench| bench.normalize(raw, region, strict).await)
        .await;
    match answer {
        None => return Ok(ExitCode::FAILURE),
        Some(Err(refusal)) => bail!("refused: {refusal}"),
        Some(Ok(NormalizedNumber::Dial(number))) => {
            outln!("answer  dial");
            told(&number);
            return Ok(ExitCode::SUCCESS);
        }
        Some(Ok(NormalizedNumber::Rewrite(text))) => {
            outln!("answer  rewrite to {text:?}; the next normalizer reads it")
        }
        Some(Ok(NormalizedNumber::Pass)) => outln!("answer  pass; the next normalizer is asked"),
    }
    let alone = Alone::load(config, &args.file).await?;
    let number = alone.plugins.normalize(raw, region, strict).await;
    told(&number.map_err(refused)?);
    Ok(ExitCode::SUCCESS)
}

fn told(number: &Number) {
    let region = number.region.as_deref().unwrap_or("none of its own");
    let state = if number.valid {
        "assigned"
    } else {
        "possible but not assigned"
    };
    outln!("number  {}", number.e164.as_str());
    outln!("region  {region}");
    outln!("state   {state}");
}

async fn document(
    benches: &Benches,
    config: &Config,
    args: &Args,
    input: Vec<u8>,
) -> anyhow::Result<ExitCode> {
    let file_name = args.input.file_name();
    let part = Part {
        media_type: MediaType::sniff(&input),
        data: Bytes::from(input),
        file_name: file_name.map(|name| name.to_string_lossy().into_owned()),
        attributes: Vec::new(),
    };
    let limits = ConvertLimits {
        max_pages: MAX_PAGES,
        max_bytes: u64::from(u32::MAX),
        max_rows: MAX_ROWS,
    };
    let options = ConvertOptions::default();
    outln!("type    {}", part.media_type.as_str());
    let answer = benches
        .both(async |bench| bench.convert(vec![part.clone()], options.clone(), limits).await)
        .await;
    let converted = match answer {
        None => return Ok(ExitCode::FAILURE),
        Some(Ok(converted)) => converted,
        Some(Err(refusal)) if refusal.kind == DocumentErrorKind::Unsupported => {
            outln!("answer  not its business ({refusal}); the next converter is asked");
            let alone = Alone::load(config, &args.file).await?;
            let converted = alone.plugins.convert(vec![part], options, limits).await;
            converted.map_err(refused)?
        }
        Some(Err(refusal)) => bail!("refused: {refusal}"),
    };
    outln!("by      {}", converted.plugin);
    outln!("pages   {}", converted.pages);
    for note in &converted.notes {
        outln!("note    {note}");
    }
    if let Some(path) = &args.pdf {
        write(path, &converted.pdf)?;
    }
    if let Some(path) = &args.tiff {
        // A converter may leave the drawing to the next one.
        let alone = Alone::load(config, &args.file).await?;
        let pages = 0..converted.pages;
        let pages = alone
            .plugins
            .render(converted.pdf, pages, RenderOptions::default())
            .await;
        write(path, &tiff::write(&pages.map_err(refused)?))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn callback(benches: &Benches, config: &Config, args: &Args, input: &[u8]) -> anyhow::Result<ExitCode> {
    let delivery = saved_delivery(config, input).await?;
    let answer = benches
        .both(async |bench| bench.evaluate(delivery.clone(), None).await)
        .await;
    let verdict = match answer {
        None => return Ok(ExitCode::FAILURE),
        Some(PolicyDecision::Decided(verdict)) => verdict,
        Some(undecided) => {
            match undecided {
                PolicyDecision::Vouch(proof) => {
                    outln!("answer  vouches for {proof:?}; the next policy reads the content")
                }
                _ => outln!("answer  pass; the next policy is asked"),
            }
            let alone = Alone::load(config, &args.file).await?;
            alone.plugins.evaluate(delivery).await.map_err(refused)?
        }
    };
    match verdict {
        Verdict::Accept(events) => {
            outln!("verdict accept");
            for event in events {
                outln!("event   {event:?}");
            }
        }
        Verdict::Ignore(reason) => outln!("verdict ignore: {reason}"),
        Verdict::Reject(reason) => outln!("verdict reject: {reason}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, content).with_context(|| format!("{} can't be written", path.display()))?;
    outln!("wrote   {}", path.display());
    Ok(())
}

fn refused<R: std::fmt::Display>(error: PolicyError<R>) -> anyhow::Error {
    match error {
        PolicyError::Refused(refusal) => anyhow!("refused: {refusal}"),
        PolicyError::Busy => anyhow!("no instance was free in time"),
        PolicyError::Failed(failure) => anyhow!("{failure}"),
    }
}

/// A time as people read it: three digits that matter.
fn span(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..10_000 => format!("{micros} µs"),
        _ => format!("{} ms", time.as_millis()),
    }
}
