//! The control socket, through which the command line talks to a running service on the same machine.
//!
//! A Unix socket in the data folder, for the service's own user only. One JSON object a line each way: a
//! [`Request`], then `{"ok": …}` or `{"error": "…"}`. A [`ControlHandler`] answers; the command line uses one of its own when
//! no service runs, so that both ways do the same.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use faxgate_base::clock::Clock;
use faxgate_service::{Actor, Error, Keys, NewKey, Page};
use faxgate_store::{AuditVerdict, Store};

/// Longest request in bytes.
const LONGEST: u64 = 64 * 1024;
/// Conversations at once.
const CONVERSATIONS: usize = 8;
/// How long a conversation may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most audit records in one answer.
const AUDIT_PAGE: usize = 500;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do")]
pub enum Request {
    /// Make a key.
    #[serde(rename = "keys.create")]
    CreateKey(NewKey),
    /// A page of keys.
    #[serde(rename = "keys.list")]
    ListKeys {
        /// Where the last page ended.
        cursor: Option<String>,
    },
    /// End a key.
    #[serde(rename = "keys.revoke")]
    RevokeKey {
        /// Its public half.
        key_id: String,
    },
    /// Give a key a new secret.
    #[serde(rename = "keys.rotate")]
    RotateKey {
        /// Its public half.
        key_id: String,
        /// How long the old secret works on.
        overlap_minutes: u64,
    },
    /// Walk the audit chain.
    #[serde(rename = "audit.verify")]
    VerifyAudit,
    /// Audit records, oldest first.
    #[serde(rename = "audit.read")]
    ReadAudit {
        /// Number of the last record already read.
        after: Option<u64>,
    },
}

/// Who answers.
#[derive(Clone)]
pub struct ControlHandler {
    keys: Keys,
    store: Store,
}

impl ControlHandler {
    /// A handler over an open database.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            keys: Keys::new(store.clone(), clock),
            store,
        }
    }

    /// Does what is asked.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn answer(&self, request: Request) -> Result<Value, String> {
        let operator = Actor::operator();
        let told = |error: Error| error.detail;
        match request {
            Request::CreateKey(new) => value(self.keys.create(&operator, new).await.map_err(told)?),
            Request::RevokeKey { key_id } => value(self.keys.revoke(&operator, &key_id).await.map_err(told)?),
            Request::RotateKey {
                key_id,
                overlap_minutes,
            } => value(
                self.keys
                    .rotate(&operator, &key_id, overlap_minutes)
                    .await
                    .map_err(told)?,
            ),
            Request::ListKeys { cursor } => {
                let page = Page { limit: None, cursor };
                let (items, next) = self.keys.list(&page).await.map_err(told)?;
                Ok(json!({ "items": items, "next_cursor": next }))
            }
            Request::VerifyAudit => self.verify_audit().await,
            Request::ReadAudit { after } => {
                let records = self
                    .store
                    .audit(after, AUDIT_PAGE)
                    .await
                    .map_err(|error| error.to_string())?;
                value(records)
            }
        }
    }

    async fn verify_audit(&self) -> Result<Value, String> {
        let verdict = self
            .store
            .verify_audit()
            .await
            .map_err(|error| error.to_string())?;
        Ok(match verdict {
            AuditVerdict::Intact { records, head } => {
                json!({ "intact": true, "records": records, "head": hex::encode(head) })
            }
            AuditVerdict::Broken { seq, fault } => {
                json!({ "intact": false, "seq": seq, "fault": fault.to_string() })
            }
        })
    }
}

/// Opens the socket. The caller holds the database, so a socket that is there already is a dead service's.
///
/// # Errors
/// When the system refuses, for example because the path is longer than a socket's may be (about 100 bytes).
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves the socket for as long as it is polled.
pub async fn serve(listener: UnixListener, handler: ControlHandler) {
    let permits = Arc::new(Semaphore::new(CONVERSATIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let handler = handler.clone();
                tokio::spawn(async move {
                    let _permit = permit;
                    if let Err(error) = converse(stream, &handler).await {
                        tracing::debug!(%error, "a control conversation ended early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket can't accept");
                // Out of file descriptors: the next try would fail at once.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, handler: &ControlHandler) -> io::Result<()> {
    if !is_ours(&stream)? {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut reader).take(LONGEST);
        let read = bounded.read_until(b'\n', &mut line);
        let length = tokio::time::timeout(PATIENCE, read)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        if length == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => handler.answer(request).await,
            Err(error) => Err(format!("not a request of this version: {error}")),
        };
        let answer = match answer {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error }),
        };
        writer.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

/// Whether the other side runs as this user or as root. The socket's mode says the same; not every system heeds it.
fn is_ours(stream: &UnixStream) -> io::Result<bool> {
    let peer = stream.peer_cred()?.uid();
    Ok(peer == 0 || peer == rustix::process::getuid().as_raw())
}

fn value(value: impl Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;
    use tokio::io::Lines;
    use tokio::net::unix::OwnedReadHalf;
    use tokio::net::unix::OwnedWriteHalf;

    use super::*;
    use faxgate_store::StoreOptions;

    struct Talk {
        folder: TempDir,
        answers: Lines<BufReader<OwnedReadHalf>>,
        asks: OwnedWriteHalf,
    }

    impl Talk {
        async fn begin() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = Clock::system();
            let file = folder.path().join("faxgate.redb");
            let store = Store::open(&file, clock.clone(), StoreOptions::default()).unwrap();
            let socket = folder.path().join("control.sock");
            // What a service that died left behind is in nobody's way.
            drop(bind(&socket).unwrap());
            tokio::spawn(serve(bind(&socket).unwrap(), ControlHandler::new(store, clock)));
            let (reader, asks) = UnixStream::connect(&socket).await.unwrap().into_split();
            let answers = BufReader::new(reader).lines();
            Self {
                folder,
                answers,
                asks,
            }
        }

        async fn say(&mut self, line: &str) -> Value {
            self.asks.write_all(format!("{line}\n").as_bytes()).await.unwrap();
            let answer = self.answers.next_line().await.unwrap().unwrap();
            serde_json::from_str(&answer).unwrap()
        }

        async fn ask(&mut self, request: Request) -> Value {
            self.say(&serde_json::to_string(&request).unwrap()).await
        }
    }

    #[tokio::test]
    async fn a_key_lives_and_ends_through_the_socket() {
        let mut talk = Talk::begin().await;
        let new = NewKey {
            name: Some("billing".to_owned()),
            ..NewKey::default()
        };
        let made = talk.ask(Request::CreateKey(new)).await;
        let key_id = made["ok"]["key_id"].as_str().unwrap().to_owned();
        assert!(made["ok"]["token"].as_str().unwrap().starts_with("fbk_live_"));

        let listed = talk.ask(Request::ListKeys { cursor: None }).await;
        assert_eq!(listed["ok"]["items"][0]["key_id"], key_id.as_str());
        assert!(listed["ok"]["items"][0].get("token").is_none());

        let rotate = |key_id: &str| Request::RotateKey {
            key_id: key_id.to_owned(),
            overlap_minutes: 0,
        };
        let rotated = talk.ask(rotate(&key_id)).await;
        assert_ne!(rotated["ok"]["token"], made["ok"]["token"]);
        let key = key_id.clone();
        let revoked = talk.ask(Request::RevokeKey { key_id: key }).await;
        assert!(revoked["ok"]["revoked_at"].is_string());
        let refused = talk.ask(rotate(&key_id)).await;
        assert!(
            refused["error"].as_str().unwrap().contains("revoked"),
            "{refused}"
        );

        let verdict = talk.ask(Request::VerifyAudit).await;
        assert_eq!(verdict["ok"]["intact"], true);
        let records = talk.ask(Request::ReadAudit { after: None }).await;
        let what: Vec<&str> = records["ok"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["entry"]["what"].as_str().unwrap())
            .collect();
        assert_eq!(what, ["key.created", "key.rotated", "key.revoked"]);
    }

    #[tokio::test]
    async fn nonsense_is_answered_and_the_conversation_goes_on() {
        let mut talk = Talk::begin().await;
        for nonsense in ["", "hello", "{\"do\":\"keys.burn\"}", "[1]", "\u{0}"] {
            let answer = talk.say(nonsense).await;
            assert!(
                answer["error"].as_str().unwrap().starts_with("not a request"),
                "{answer}"
            );
        }
        let listed = talk.ask(Request::ListKeys { cursor: None }).await;
        assert!(listed["ok"]["items"].as_array().unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_socket_is_for_its_owner_only() {
        let talk = Talk::begin().await;
        let mode = std::fs::metadata(talk.folder.path().join("control.sock"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
