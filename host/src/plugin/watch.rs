//! Watches the plugin folder and says when it has come to rest after a change.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long the folder must be quiet: copying a file is many events.
const QUIET: Duration = Duration::from_millis(300);
/// How long a folder that never rests is waited for.
const AT_MOST: Duration = Duration::from_secs(5);

/// A watch that ends when dropped.
pub struct Watcher {
    _watcher: RecommendedWatcher,
    task: JoinHandle<()>,
}

/// The folder can't be watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "the plugin folder {} can't be watched: {reason}; plugins change only on reload (SIGHUP or POST /admin/plugins/reload)",
    dir.display()
)]
pub struct WatchError {
    dir: PathBuf,
    reason: String,
}

/// Calls `changed` each time component files of `dir` were added, replaced or removed and the folder has come to
/// rest. The folder is made when it is missing. `changed` is not called again before its future has ended.
///
/// Must be called inside a Tokio runtime.
///
/// # Errors
/// When the folder can't be made or the system refuses to watch it.
pub fn watch<F, Fut>(dir: &Path, changed: F) -> Result<Watcher, WatchError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let failed = |reason: String| WatchError {
        dir: dir.to_owned(),
        reason,
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(error.to_string()))?;
    // One place is enough: what matters is that something happened.
    let (happened, mut events) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if matters(&event) {
            let _ = happened.try_send(());
        }
    })
    .map_err(|error| failed(error.to_string()))?;
    watcher
        .watch(dir, RecursiveMode::NonRecursive)
        .map_err(|error| failed(error.to_string()))?;
    let task = tokio::spawn(async move {
        while events.recv().await.is_some() {
            let at_most = tokio::time::Instant::now() + AT_MOST;
            while let Ok(Some(())) = tokio::time::timeout(QUIET, events.recv()).await {
                if tokio::time::Instant::now() > at_most {
                    break;
                }
            }
            changed().await;
        }
    });
    Ok(Watcher {
        _watcher: watcher,
        task,
    })
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reading files is not news, nor are files that are no components. Lost events and errors are: look again.
fn matters(event: &notify::Result<notify::Event>) -> bool {
    match event {
        Err(_) => true,
        Ok(event) if event.need_rescan() => true,
        Ok(event) if event.kind.is_access() => false,
        Ok(event) => event
            .paths
            .iter()
            .any(|path| path.extension().is_some_and(|ext| ext == "wasm")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_file_is_noticed_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("plugins");
        let (seen, mut calls) = mpsc::unbounded_channel();
        let file = folder.join("a.wasm");
        let watcher = {
            let file = file.clone();
            watch(&folder, move || {
                let size = std::fs::metadata(&file).map(|meta| meta.len()).ok();
                let _ = seen.send(size);
                async {}
            })
            .unwrap()
        };
        std::fs::write(folder.join("notes.txt"), b"not a plugin").unwrap();
        for piece in 1..=20_u64 {
            std::fs::write(&file, vec![0; 100 * usize::try_from(piece).unwrap()]).unwrap();
        }
        assert_eq!(calls.recv().await, Some(Some(2000)));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(calls.recv().await, Some(None));
        drop(watcher);
        assert_eq!(calls.recv().await, None);
    }
}
