//! One plugin on its own, for its author: what is wrong with it, and what one call of it does and costs. It goes
//! through the same loading and calling code as the set that serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{ComponentError, ComponentErrors, LoadError, PluginFailure};
use crate::host::fonts::Fonts;
use crate::load::compile::prepare;
use crate::load::plugin::{Plugin, PluginSpec, admit, check_name};
use crate::runtime::call::{CallTarget, Ended, Fault, Session, run};
use crate::runtime::engine::Runtime;
use crate::slots::converter::{self, ConversionRequest};
use crate::slots::number::{self, DialledNumber};
use crate::types::{
    ConvertLimits, ConvertOptions, Converted, Delivery, Grants, NormalizedNumber, Part, PluginInfo,
    PolicyDecision, Slot,
};
use crate::{slots::callback, slots::render};
use faxgate_config::plugins::PluginConfig;
use faxgate_domain::document::{DocumentError, FaxPage, RenderOptions};
use faxgate_domain::number::NumberError;

/// A plugin on the bench.
pub struct Inspector {
    runtime: Arc<Runtime>,
    plugin: Plugin,
    compiled_in: Duration,
    started_in: Duration,
}

/// Why a plugin did not come on the bench.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] LoadError),
    /// The plugin would not be loaded.
    #[error("{0}")]
    ComponentErrors(#[from] ComponentErrors),
}

/// One call and what it cost.
#[derive(Debug)]
pub struct Run<T> {
    /// What it answered.
    pub outcome: Result<T, PluginFailure>,
    /// How long it took.
    pub time: Duration,
    /// The most linear memory it had, in bytes.
    pub memory_bytes: u64,
    /// How often it was denied memory.
    pub denied_growth: u64,
    /// Instructions, when counted: the same for the same input on every machine.
    pub fuel: Option<u64>,
}

/// What `faxgate plugin check` tells of a component that would be loaded.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// As it would be listed.
    #[serde(flatten)]
    pub info: PluginInfo,
    /// Bytes of memory it starts with.
    pub initial_memory_bytes: u64,
    /// Milliseconds the compiler took.
    pub compile_ms: u64,
    /// Microseconds from instantiation to the answer of `check-settings`.
    pub startup_us: u64,
}

impl Inspector {
    /// Loads a component under the limits, settings and secrets of `config`. With `fuel`, calls count instructions
    /// and run slower.
    ///
    /// # Errors
    /// With everything that would keep the gateway from loading it, and the remedies.
    pub async fn open(
        name: &str,
        wasm: Vec<u8>,
        config: &PluginConfig,
        grants: &Grants,
        fuel: bool,
    ) -> Result<Self, InspectError> {
        check_name(name).map_err(ComponentErrors::from)?;
        let runtime = Runtime::start(1, fuel, Fonts::default())?;
        let begin = Instant::now();
        let prepared = {
            let runtime = Arc::clone(&runtime);
            tokio::task::spawn_blocking(move || prepare(&runtime, None, &wasm, Sha256::digest(&wasm).into()))
                .await
        };
        let prepared = prepared.unwrap_or_else(|_| {
            Err(ComponentError::Invalid("the compiler gave up on it".to_owned()).into())
        })?;
        let compiled_in = begin.elapsed();
        let begin = Instant::now();
        let terms = PluginSpec {
            name,
            builtin: false,
            config,
            grants,
        };
        let plugin = admit(&runtime, Arc::new(prepared), terms).await?;
        Ok(Self {
            runtime,
            plugin,
            compiled_in,
            started_in: begin.elapsed(),
        })
    }

    /// The slot it fills.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.plugin.callee.prepared.slot
    }

    /// What is known about it.
    #[must_use]
    pub fn inspection(&self) -> Inspection {
        Inspection {
            info: self.plugin.info(1),
            initial_memory_bytes: self.plugin.callee.prepared.memory,
            compile_ms: u64::try_from(self.compiled_in.as_millis()).unwrap_or(u64::MAX),
            startup_us: u64::try_from(self.started_in.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// Has it read a dialled string.
    pub async fn normalize(
        &self,
        raw: &str,
        region: &str,
        strict: bool,
    ) -> Run<Result<NormalizedNumber, NumberError>> {
        let dialled = DialledNumber {
            raw: raw.trim().to_owned(),
            region: region.to_owned(),
            strict,
        };
        self.run(move |session, callee| number::call_guest(session, callee, dialled).boxed())
            .await
    }

    /// Has it convert a document.
    pub async fn convert(
        &self,
        parts: Vec<Part>,
        options: ConvertOptions,
        limits: ConvertLimits,
    ) -> Run<Result<Converted, DocumentError>> {
        let order = self.order(parts, options, limits);
        self.run(move |session, callee| converter::call_guest(session, callee, order).boxed())
            .await
    }

    /// Has it draw every page of a document.
    pub async fn render(
        &self,
        parts: Vec<Part>,
        raster: RenderOptions,
        limits: ConvertLimits,
    ) -> Run<Result<Vec<FaxPage>, DocumentError>> {
        let options = ConvertOptions {
            paper: raster.paper,
            cover: None,
        };
        let work = render::RenderQueue::all(self.order(parts, options, limits), raster);
        self.run(move |session, callee| {
            let pages = render::call_guest(session, callee, work);
            pages
                .map(|pages| Ok(pages?.map(|pages| pages.into_values().collect())))
                .boxed()
        })
        .await
    }

    /// Has it judge a callback.
    pub async fn evaluate(&self, delivery: Delivery, vouched: Option<String>) -> Run<PolicyDecision> {
        let delivery = Arc::new(delivery);
        self.run(move |session, callee| callback::call_guest(session, callee, delivery, vouched).boxed())
            .await
    }

    fn order(&self, parts: Vec<Part>, options: ConvertOptions, limits: ConvertLimits) -> ConversionRequest {
        ConversionRequest {
            parts: Arc::new(parts),
            paper: options.paper,
            limits,
            checked: false,
            max_output: self.plugin.config.max_output,
        }
    }

    async fn run<T, F>(&self, work: F) -> Run<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Session, &'a CallTarget) -> BoxFuture<'a, Result<T, Fault>>
            + Send
            + 'static,
    {
        let Ended { outcome, meter } =
            run(&self.runtime, &self.plugin.callee, self.plugin.budget, None, work).await;
        Run {
            outcome,
            time: meter.elapsed(),
            memory_bytes: meter.memory_peak(),
            denied_growth: meter.denied(),
            fuel: self.runtime.counts_fuel().then(|| meter.fuel()),
        }
    }
}
