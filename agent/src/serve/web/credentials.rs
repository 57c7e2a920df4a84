//! Whether who asks is one of those who may.
//!
//! A password is checked against its bcrypt hash, which takes some 70 ms of a CPU by design: on
//! another thread, one at a time, and for each good one once. Then a keyed hash of it is known.
//!
//! **Invariant**: what is remembered is bounded and tells nobody a password: a keyed hash, whose
//! key is random and never leaves this process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::{digest, hmac};
use tokio::sync::Semaphore;

use super::config::WebConfig;

/// Good passwords that are remembered. One a user, and few have many users.
const KNOWN_MAX: usize = 64;

/// Longer credentials than any in use; more is not looked at.
const BYTES_MAX: usize = 4_096;

/// See the module.
pub(super) struct Credentials {
    users: BTreeMap<String, String>,
    tokens: BTreeSet<[u8; 32]>,
    key: hmac::Key,
    known: Mutex<VecDeque<[u8; 32]>>,
    at_work: Arc<Semaphore>,
}

/// What a request shows.
enum Shown {
    Password { user: String, password: Vec<u8> },
    Token(Vec<u8>),
    Nothing,
}

impl Credentials {
    /// Those of a configuration. An error is a system without random numbers.
    pub(super) fn new(config: &WebConfig) -> Result<Credentials, ring::error::Unspecified> {
        Ok(Credentials {
            users: config.users.clone(),
            tokens: config.tokens.values().copied().collect(),
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            known: Mutex::new(VecDeque::new()),
            at_work: Arc::new(Semaphore::new(1)),
        })
    }

    /// What to ask for, as a header has it.
    pub(super) fn challenge(&self) -> &'static str {
        match self.users.is_empty() {
            true => "Bearer realm=\"loopscope\"",
            false => "Basic realm=\"loopscope\", charset=\"UTF-8\"",
        }
    }

    /// Whether these headers show that one may.
    pub(super) async fn allow(&self, headers: &HeaderMap) -> bool {
        match shown(headers) {
            Shown::Token(token) => {
                let digest = digest::digest(&digest::SHA256, &token);
                self.tokens.iter().any(|known| known == digest.as_ref())
            }
            Shown::Password { user, password } => self.is_password(&user, password).await,
            Shown::Nothing => false,
        }
    }

    async fn is_password(&self, user: &str, password: Vec<u8>) -> bool {
        // A user who isn't there takes as long as one who is.
        let hash = self.users.get(user);
        let Some(asked) = hash.or_else(|| self.users.values().next()).cloned() else {
            return false;
        };
        let mark = self.mark(user, &asked, &password);
        if hash.is_some() && self.known().contains(&mark) {
            return true;
        }
        let Ok(turn) = Arc::clone(&self.at_work).acquire_owned().await else { return false };
        let checked = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also if nobody waits for it any more.
            let _turn = turn;
            bcrypt::verify(password, &asked)
        });
        let is_good = matches!(checked.await, Ok(Ok(true))) && hash.is_some();
        if is_good {
            self.remember(mark);
        }
        is_good
    }

    fn remember(&self, mark: [u8; 32]) {
        let mut known = self.known();
        if known.len() == KNOWN_MAX {
            known.pop_front();
        }
        known.push_back(mark);
    }

    /// What a password is remembered as. Lengths stand before, so that no two are alike.
    fn mark(&self, user: &str, hash: &str, password: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [user.as_bytes(), hash.as_bytes(), password] {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut mark = [0; 32];
        mark.copy_from_slice(context.sign().as_ref());
        mark
    }

    fn known(&self) -> std::sync::MutexGuard<'_, VecDeque<[u8; 32]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(headers: &HeaderMap) -> Shown {
    let value = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let value = value.filter(|value| value.len() <= BYTES_MAX).unwrap_or_default();
    let Some(space) = value.iter().position(|&byte| byte == b' ') else { return Shown::Nothing };
    let (scheme, rest) = (&value[..space], value[space..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Shown::Token(rest.to_owned());
    }
    let pair = scheme.eq_ignore_ascii_case(b"basic").then(|| password(rest)).flatten();
    pair.map_or(Shown::Nothing, |(user, password)| Shown::Password { user, password })
}

/// `user:password` in base64.
fn password(encoded: &[u8]) -> Option<(String, Vec<u8>)> {
    let pair = BASE64_STANDARD.decode(encoded).ok()?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let user = String::from_utf8(pair[..colon].to_owned()).ok()?;
    Some((user, pair[colon + 1..].to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn credentials() -> Credentials {
        let hash = bcrypt::hash("open sesame", 6).unwrap();
        let token: [u8; 32] =
            digest::digest(&digest::SHA256, b"t0ken").as_ref().try_into().unwrap();
        let config = WebConfig {
            tls: None,
            users: BTreeMap::from([("ali".to_owned(), hash)]),
            tokens: BTreeMap::from([("prometheus".to_owned(), token)]),
        };
        Credentials::new(&config).unwrap()
    }

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    fn basic(pair: &str) -> HeaderMap {
        headers(&format!("Basic {}", BASE64_STANDARD.encode(pair)))
    }

    #[tokio::test]
    async fn who_may_is_let_in_and_nobody_else() {
        let credentials = credentials();
        for good in [basic("ali:open sesame"), headers("bearer t0ken"), headers("Bearer  t0ken")] {
            assert!(credentials.allow(&good).await, "{good:?}");
        }
        let bad = [
            basic("ali:open"),
            basic("ali:"),
            basic("baba:open sesame"),
            basic("open sesame"),
            headers("Basic %%%"),
            headers("Bearer t0ke"),
            headers("Bearer "),
            headers("t0ken"),
            headers(&format!("Bearer {}", "x".repeat(9_999))),
            HeaderMap::new(),
        ];
        for bad in bad {
            assert!(!credentials.allow(&bad).await, "{bad:?}");
        }
        let nobody = Credentials::new(&WebConfig::default()).unwrap();
        assert!(!nobody.allow(&basic("ali:open sesame")).await);
    }

    #[tokio::test]
    async fn a_good_password_is_hashed_once_and_what_is_known_is_bounded() {
        let credentials = credentials();
        let good = basic("ali:open sesame");
        assert!(credentials.allow(&good).await && credentials.known().len() == 1);
        // Nobody is let in to hash one any more: only what is known counts.
        credentials.at_work.close();
        assert!(credentials.allow(&good).await);
        assert!(!credentials.allow(&basic("ali:wrong")).await);
        assert_eq!(credentials.known().len(), 1);
        for number in 0..3 * KNOWN_MAX {
            credentials.remember([u8::try_from(number % 251).unwrap(); 32]);
        }
        assert_eq!(credentials.known().len(), KNOWN_MAX);
    }
}
