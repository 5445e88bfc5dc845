//! Asks the service of a data folder, or its database when no service runs.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::control::{ControlHandler, Request};
use faxgate_base::clock::Clock;
use faxgate_config::Config;
use faxgate_store::{Store, StoreError, StoreOptions};

/// A way to ask.
pub(super) enum ControlClient {
    /// A service runs.
    Running(BufReader<UnixStream>),
    /// None runs: the database is open here.
    Stopped(ControlHandler, Store),
}

/// What to do when there is no database yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make one.
    Create,
    /// Say so.
    Refuse,
}

impl ControlClient {
    /// Connects to the service, or opens the database.
    ///
    /// # Errors
    /// When neither is possible, with what holds the folder.
    pub(super) async fn open(config: &Config, missing: Missing) -> anyhow::Result<Self> {
        let socket = config.control_socket();
        match UnixStream::connect(&socket).await {
            Ok(stream) => return Ok(Self::Running(BufReader::new(stream))),
            Err(error) if is_nobody(&error) => {}
            Err(error) => {
                return Err(anyhow!(error)).with_context(|| {
                    format!(
                        "{} can't be used; run this command as the service's user",
                        socket.display()
                    )
                });
            }
        }
        let file = config.database_file();
        if missing == Missing::Refuse && !file.exists() {
            bail!(
                "{} does not exist: is data_dir (FAX_DATA_DIR) right?",
                file.display()
            );
        }
        make_folder(&config.data_dir)?;
        let clock = Clock::system();
        let store = match Store::open(&file, clock.clone(), StoreOptions::default()) {
            Ok(store) => store,
            Err(StoreError::Locked { file, holder }) => bail!(
                "{} is held by a running service{} whose control socket {} does not answer; stop the service, or wait \
                 until it has started",
                file.display(),
                holder.map_or_else(String::new, |id| format!(" (process id {id})")),
                socket.display()
            ),
            Err(error) => return Err(error.into()),
        };
        Ok(Self::Stopped(ControlHandler::new(store.clone(), clock), store))
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The answer's own words, or that there was none.
    pub(super) async fn ask(&mut self, request: Request) -> anyhow::Result<Value> {
        match self {
            Self::Stopped(handler, _) => handler.answer(request).await.map_err(|error| anyhow!(error)),
            Self::Running(stream) => {
                let mut line = serde_json::to_string(&request)?;
                line.push('\n');
                stream.get_mut().write_all(line.as_bytes()).await?;
                let mut answer = String::new();
                stream.read_line(&mut answer).await?;
                let mut answer: Value =
                    serde_json::from_str(&answer).context("the service ended the conversation")?;
                match answer.get_mut("ok").map(Value::take) {
                    Some(ok) => Ok(ok),
                    None => bail!(
                        "{}",
                        answer.get("error").and_then(Value::as_str).unwrap_or("no answer")
                    ),
                }
            }
        }
    }
}

impl Drop for ControlClient {
    fn drop(&mut self) {
        if let Self::Stopped(_, store) = self {
            store.close();
        }
    }
}

/// Nobody listens there.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

/// The data folder, for its owner only.
fn make_folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the data folder {} can't be made", path.display()))
}
