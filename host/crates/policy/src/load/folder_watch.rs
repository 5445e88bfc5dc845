//! Watches the plugin folder and says when it has come to rest after a change.
//!
//! The system's own notices make it quick. They don't tell everything: that a link leads elsewhere now, that another
//! machine wrote to a shared folder, that the folder itself went away and came back. So the folder is also looked at
//! every two seconds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long the folder must be quiet: copying a file is many events.
const QUIET_PERIOD: Duration = Duration::from_millis(300);
/// How long a folder that never rests is waited for.
const MAX_DELAY: Duration = Duration::from_secs(5);
/// How often the folder is looked at, notices or not.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// A watch that ends when dropped.
pub struct Watcher {
    task: JoinHandle<()>,
}

/// The folder can't be watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "the plugin folder {} can't be made: {reason}; plugins change only on reload (SIGHUP or POST /admin/plugins/reload)",
    dir.display()
)]
pub struct WatchError {
    dir: PathBuf,
    reason: String,
}

/// What tells one state of the folder from another, without reading its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FolderSnapshot {
    /// The folder itself: device and inode; none when there is no folder.
    folder: Option<(u64, u64)>,
    /// Components by name; links are followed.
    files: BTreeMap<OsString, FileStamp>,
}

/// Device, inode, size, and the last change of content or place in seconds and nanoseconds.
type FileStamp = (u64, u64, u64, (i64, i64));

/// The folder, its notices and how it was when last taken up.
struct FolderWatcher {
    dir: PathBuf,
    /// None where the system gives no notices.
    watcher: Option<RecommendedWatcher>,
    /// One place is enough: what matters is that something happened.
    events: mpsc::Receiver<()>,
    /// The sender lives in the watcher; without one this keeps the channel open.
    _open: mpsc::Sender<()>,
    known: FolderSnapshot,
}

/// Calls `changed` each time component files of `dir` are others than in `known` and than at the call before, and the
/// folder has come to rest. The folder is made when it is missing. `changed` is not called again before its future
/// has ended.
///
/// Must be called inside a Tokio runtime.
///
/// # Errors
/// When the folder can't be made.
pub(crate) fn watch<F, Fut>(dir: &Path, known: FolderSnapshot, changed: F) -> Result<Watcher, WatchError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    std::fs::create_dir_all(dir).map_err(|error| WatchError {
        dir: dir.to_owned(),
        reason: error.to_string(),
    })?;
    let mut watcher = FolderWatcher::open(dir, known);
    let task = tokio::spawn(async move {
        loop {
            watcher.wait().await;
            changed().await;
        }
    });
    Ok(Watcher { task })
}

impl FolderWatcher {
    fn open(dir: &Path, known: FolderSnapshot) -> Self {
        let (happened, events) = mpsc::channel(1);
        let open = happened.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if matters(&event) {
                let _ = happened.try_send(());
            }
        });
        let mut watcher = Self {
            dir: dir.to_owned(),
            watcher: watcher
                .inspect_err(|error| {
                    tracing::warn!(%error, "no notices of changes in the plugin folder; it is looked at every 2 s");
                })
                .ok(),
            events,
            _open: open,
            known,
        };
        watcher.attach();
        // A folder just made holds nothing that was not known.
        if watcher.known.folder.is_none() && watcher.known.files.is_empty() {
            watcher.known.folder = FolderSnapshot::of(dir).folder;
        }
        watcher
    }

    /// Asks for notices of the folder that is there now.
    fn attach(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            // The one before, which is another folder by now, or none.
            let _ = watcher.unwatch(&self.dir);
            if let Err(error) = watcher.watch(&self.dir, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, "no notices of changes in the plugin folder");
            }
        }
    }

    /// Returns when something changed and the folder has come to rest.
    async fn wait(&mut self) {
        loop {
            let noticed = tokio::time::timeout(POLL_INTERVAL, self.events.recv())
                .await
                .is_ok();
            let mut view = self.look().await;
            if !noticed && view == self.known {
                continue;
            }
            let at_most = Instant::now() + MAX_DELAY;
            loop {
                let quiet = tokio::time::timeout(QUIET_PERIOD, self.events.recv())
                    .await
                    .is_err();
                let later = self.look().await;
                let still = later == view;
                view = later;
                if (quiet && still) || Instant::now() > at_most {
                    break;
                }
            }
            if view.folder != self.known.folder {
                self.attach();
            }
            // A notice of something that came back to what it was is no news.
            let news = view != self.known;
            self.known = view;
            if news {
                return;
            }
        }
    }

    async fn look(&self) -> FolderSnapshot {
        let dir = self.dir.clone();
        // A folder of another machine may take its time.
        tokio::task::spawn_blocking(move || FolderSnapshot::of(&dir))
            .await
            .unwrap_or_default()
    }
}

impl FolderSnapshot {
    /// The folder as it is now.
    pub(crate) fn of(dir: &Path) -> Self {
        let folder = std::fs::metadata(dir).ok();
        let folder = folder.map(|meta| (meta.dev(), meta.ino()));
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let files = entries
            .filter(|entry| is_component(&entry.path()))
            .map(|entry| {
                let mark = std::fs::metadata(entry.path()).map(|meta| {
                    let last = (meta.ctime(), meta.ctime_nsec());
                    (meta.dev(), meta.ino(), meta.len(), last)
                });
                // A link that leads nowhere is there, but not like any file.
                (entry.file_name(), mark.unwrap_or_default())
            })
            .collect();
        Self { folder, files }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}

/// NormalizedNumber files is not news. Whatever else happens in the folder is worth a look, which is cheap: a renamed link
/// may be what the files lie behind.
fn matters(event: &notify::Result<notify::Event>) -> bool {
    match event {
        Err(_) => true,
        Ok(event) => event.need_rescan() || !event.kind.is_access(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder, and what its watcher saw: the first byte of `a.wasm` at each change, none when there is no such file.
    struct Watched {
        dir: tempfile::TempDir,
        calls: mpsc::UnboundedReceiver<Option<u8>>,
        watcher: Watcher,
    }

    impl Watched {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let folder = dir.path().join("plugins");
            let (seen, calls) = mpsc::unbounded_channel();
            let file = folder.join("a.wasm");
            let watcher = watch(&folder, FolderSnapshot::default(), move || {
                let content = std::fs::read(&file).ok();
                let _ = seen.send(content.and_then(|content| content.first().copied()));
                async {}
            });
            Self {
                dir,
                calls,
                watcher: watcher.unwrap(),
            }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        /// Waits until a call saw this; calls that saw something on the way are let go by.
        async fn saw(&mut self, content: Option<u8>) {
            while self.calls.recv().await.expect("the watch goes on") != content {}
        }
    }

    #[tokio::test]
    async fn a_dropped_file_is_noticed_once_it_is_whole() {
        let mut watched = Watched::new();
        let file = watched.path("plugins/a.wasm");
        std::fs::write(watched.path("plugins/notes.txt"), b"not a plugin").unwrap();
        for piece in 1..=20_u8 {
            std::fs::write(&file, [piece; 100]).unwrap();
        }
        assert_eq!(watched.calls.recv().await, Some(Some(20)));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(watched.calls.recv().await, Some(None));
        drop(watched.watcher);
        assert_eq!(watched.calls.recv().await, None);
    }

    #[tokio::test]
    async fn what_lies_there_already_is_news_unless_it_is_known() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.wasm"), [1]).unwrap();
        let known = FolderSnapshot::of(dir.path());
        for (known, expected) in [(FolderSnapshot::default(), 1), (known, 2)] {
            let (seen, mut calls) = mpsc::unbounded_channel();
            let _watcher = watch(dir.path(), known, move || {
                let _ = seen.send(());
                async {}
            })
            .unwrap();
            if expected == 2 {
                std::fs::write(dir.path().join("a.wasm"), [expected]).unwrap();
            }
            assert_eq!(calls.recv().await, Some(()));
        }
    }

    #[tokio::test]
    async fn a_folder_that_goes_away_is_watched_again_when_it_is_back() {
        let mut watched = Watched::new();
        let (folder, away) = (watched.path("plugins"), watched.path("away"));
        std::fs::write(folder.join("a.wasm"), [1]).unwrap();
        watched.saw(Some(1)).await;
        std::fs::rename(&folder, &away).unwrap();
        watched.saw(None).await;
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("a.wasm"), [2]).unwrap();
        watched.saw(Some(2)).await;
        std::fs::write(folder.join("a.wasm"), [3, 3]).unwrap();
        watched.saw(Some(3)).await;
        // The folder of before is not watched any more; that of after is.
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::rename(&away, &folder).unwrap();
        watched.saw(Some(1)).await;
    }

    #[tokio::test]
    async fn a_link_is_followed_wherever_it_leads() {
        let mut watched = Watched::new();
        let fresh = watched.path("fresh");
        let link = |to: &Path, at: PathBuf| {
            std::os::unix::fs::symlink(to, &fresh).unwrap();
            std::fs::rename(&fresh, at).unwrap();
        };
        // As volumes are filled by orchestrators: files behind a link to the folder of the day.
        for (day, content) in [("1", 1), ("2", 2)] {
            std::fs::create_dir(watched.path(day)).unwrap();
            std::fs::write(watched.path(day).join("a.wasm"), [content]).unwrap();
        }
        link(&watched.path("1"), watched.path("plugins/..data"));
        link(Path::new("..data/a.wasm"), watched.path("plugins/a.wasm"));
        watched.saw(Some(1)).await;
        link(&watched.path("2"), watched.path("plugins/..data"));
        watched.saw(Some(2)).await;
        // Written where no notice comes from.
        std::fs::write(watched.path("2/a.wasm"), [3, 3]).unwrap();
        watched.saw(Some(3)).await;
        std::fs::remove_file(watched.path("2/a.wasm")).unwrap();
        watched.saw(None).await;
    }
}
