//! Who may see the pages, and through what: TLS, passwords, tokens.
//!
//! A file is looked at again when somebody connects or asks for a page, at most once a second, and
//! read again when it, or a file that it names, is another one. One that was written less than a
//! second ago is left until the next look: it may not be complete yet.
//!
//! **Invariant**: a file that can't be read any more, or is wrong, changes nothing: what held
//! before goes on to hold, and one line says why.

mod config;
mod credentials;
mod tls;
mod yaml;

use std::fmt;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_rustls::TlsAcceptor;

use crate::terminal::tell;
pub use config::{ClientAuth, TlsServer, WebConfig, WebConfigError};
use credentials::Credentials;

/// From one look at the files to the next, and how long a file must have been left alone.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who may see the pages, and through what, at any time.
pub struct Access {
    held: Mutex<Held>,
}

struct Held {
    policy: Arc<Policy>,
    watched: Option<Watched>,
}

/// What holds at one moment.
pub(super) struct Policy {
    pub(super) tls: Option<TlsAcceptor>,
    /// `None`: nobody is asked who they are.
    credentials: Option<Credentials>,
}

/// A configuration file, and what it was when it was read.
struct Watched {
    file: PathBuf,
    /// It and the files that it names.
    files: Vec<PathBuf>,
    stamp: Vec<Stamp>,
    /// What was seen at the last look.
    seen: Vec<Stamp>,
    looked: Instant,
}

/// What a file is, as far as can be told without reading it; `None`: it is not there.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Access {
    /// Everybody, in the clear.
    pub fn open() -> Access {
        Access::holding(Policy { tls: None, credentials: None }, None)
    }

    /// What a configuration says; it does not change.
    ///
    /// # Errors
    /// [`WebConfigError`] where a file that it names can't be used.
    pub fn of(config: &WebConfig) -> Result<Access, WebConfigError> {
        Ok(Access::holding(Policy::of(config, Path::new("the web configuration"))?, None))
    }

    /// What a file in the format of Prometheus' exporter-toolkit says, at any time.
    ///
    /// # Errors
    /// [`WebConfigError`] where it can't be used now.
    pub fn read(file: &Path) -> Result<Access, WebConfigError> {
        let mut watched = Watched::new(file);
        let policy = watched.read()?;
        Ok(Access::holding(policy, Some(watched)))
    }

    /// Reads the file again now, whether it has changed or not.
    ///
    /// # Errors
    /// [`WebConfigError`] where it can't be used; then what held before still holds.
    pub fn reload(&self) -> Result<(), WebConfigError> {
        let mut held = self.held();
        if let Some(watched) = &mut held.watched {
            let policy = watched.read()?;
            held.policy = Arc::new(policy);
        }
        Ok(())
    }

    /// Whether everybody may see the pages.
    pub fn lets_everybody_in(&self) -> bool {
        let policy = self.policy();
        policy.credentials.is_none() && policy.tls.is_none()
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.policy().tls.is_some() { "https" } else { "http" }
    }

    /// What holds now. Looks at the files if it is time to.
    pub(super) fn policy(&self) -> Arc<Policy> {
        let mut held = self.held();
        if let Some(watched) = &mut held.watched
            && watched.has_changed(Instant::now(), SystemTime::now())
        {
            let file = watched.file.display().to_string();
            match watched.read() {
                Ok(policy) => {
                    held.policy = Arc::new(policy);
                    tell(&format!("{file} has changed and holds now"));
                }
                Err(error) => tell(&format!("{error}; what {file} said before still holds")),
            }
        }
        Arc::clone(&held.policy)
    }

    fn holding(policy: Policy, watched: Option<Watched>) -> Access {
        Access { held: Mutex::new(Held { policy: Arc::new(policy), watched }) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("scheme", &self.scheme()).finish_non_exhaustive()
    }
}

impl Policy {
    /// `file` is what is at fault where no other file is.
    fn of(config: &WebConfig, file: &Path) -> Result<Policy, WebConfigError> {
        let tls = config.tls.as_ref().map(tls::server_config).transpose()?;
        let credentials = config.asks_who().then(|| Credentials::new(config)).transpose();
        let credentials = credentials.map_err(|_| WebConfigError {
            file: file.to_owned(),
            line: None,
            why: "this system has no random numbers to keep passwords with".to_owned(),
        })?;
        Ok(Policy { tls: tls.map(|tls| TlsAcceptor::from(Arc::new(tls))), credentials })
    }
}

impl Watched {
    fn new(file: &Path) -> Watched {
        let files = vec![file.to_owned()];
        let (stamp, seen) = (Vec::new(), Vec::new());
        Watched { file: file.to_owned(), files, stamp, seen, looked: Instant::now() }
    }

    /// Reads the file and those that it names, and remembers what they were.
    fn read(&mut self) -> Result<Policy, WebConfigError> {
        // Before they are read: a change meanwhile is one to come.
        self.stamp = self.stamps();
        let text = fs::read_to_string(&self.file).map_err(|error| WebConfigError {
            file: self.file.clone(),
            line: None,
            why: format!("can't be read ({error}); name a file in --web.config.file that can"),
        })?;
        let config = WebConfig::parse(&text, &self.file)?;
        let tls = config.tls.iter();
        let named = tls.flat_map(|tls| {
            [Some(&tls.cert_file), Some(&tls.key_file), tls.client_ca_file.as_ref()]
        });
        let files: Vec<PathBuf> =
            [&self.file].into_iter().chain(named.flatten()).cloned().collect();
        if files != self.files {
            self.files = files;
            self.stamp = self.stamps();
        }
        Policy::of(&config, &self.file)
    }

    /// Whether there is something new to read.
    fn has_changed(&mut self, now: Instant, time: SystemTime) -> bool {
        if now.duration_since(self.looked) < LOOK_EVERY {
            return false;
        }
        self.looked = now;
        let seen = self.stamps();
        let written = |stamp: &Stamp| stamp.map(|(written, _, _)| written);
        let is_old = |at: SystemTime| time.duration_since(at).is_ok_and(|age| age >= LOOK_EVERY);
        let is_settled = seen == self.seen || seen.iter().filter_map(written).all(is_old);
        self.seen = seen;
        is_settled && self.seen != self.stamp
    }

    fn stamps(&self) -> Vec<Stamp> {
        self.files.iter().map(|file| fs::metadata(file).ok().map(|of| stamp(&of))).collect()
    }
}

fn stamp(metadata: &Metadata) -> (SystemTime, u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    (written, metadata.len(), metadata.ino())
}

/// Lets a request through, or asks who it is.
pub(super) async fn guard(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let policy = access.policy();
    let Some(credentials) = &policy.credentials else { return next.run(request).await };
    if credentials.allow(request.headers()).await {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, credentials.challenge())];
    (StatusCode::UNAUTHORIZED, challenge, "Who are you?\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "bearer_tokens:\n  a: \
                       9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n";

    fn file(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("loopscope-web-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    #[test]
    fn a_file_that_has_changed_is_read_when_it_is_complete() {
        let path = file("changed.yml");
        fs::write(&path, ONE).unwrap();
        let mut watched = Watched::new(&path);
        watched.read().unwrap();
        let (start, later) = (Instant::now(), SystemTime::now() + Duration::from_secs(60));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!watched.has_changed(at(2), later));
        fs::write(&path, format!("{ONE}# more\n")).unwrap();
        assert!(!watched.has_changed(at(2), later), "looked a moment ago");
        assert!(!watched.has_changed(at(4), SystemTime::now()), "written a moment ago");
        assert!(watched.has_changed(at(6), SystemTime::now()), "nobody writes any more");
        watched.read().unwrap();
        assert!(!watched.has_changed(at(8), later));
        fs::write(&path, ONE).unwrap();
        assert!(watched.has_changed(at(10), later), "written long ago");
        fs::remove_file(&path).unwrap();
        assert!(watched.read().is_err());
        assert!(!watched.has_changed(at(12), later), "told once");
    }

    #[test]
    fn what_can_not_be_used_leaves_what_held() {
        let path = file("wrong.yml");
        fs::write(&path, ONE).unwrap();
        let access = Access::read(&path).unwrap();
        assert!(!access.lets_everybody_in() && access.scheme() == "http");
        fs::write(&path, "").unwrap();
        assert!(access.reload().unwrap_err().why.contains("nothing is set"));
        assert!(!access.lets_everybody_in());
        fs::write(&path, ONE).unwrap();
        access.reload().unwrap();
        fs::remove_file(&path).unwrap();
        let told = Access::read(&path).unwrap_err().to_string();
        assert!(told.contains("wrong.yml") && told.contains("--web.config.file"), "{told}");
        assert!(Access::open().lets_everybody_in());
    }
}
