//! Who may see the pages, and through what: as a plain value, and as a file in the format of
//! Prometheus' exporter-toolkit.
//!
//! ```yaml
//! tls_server_config:
//!   cert_file: server.pem       # paths are relative to this file's folder
//!   key_file: server.key
//!   client_auth_type: RequireAndVerifyClientCert
//!   client_ca_file: clients.pem
//!   min_version: TLS13
//! basic_auth_users:
//!   alice: $2y$10$...           # bcrypt, as `htpasswd -nBC 10 alice` prints it
//! bearer_tokens:                # ours: other exporters don't know it
//!   prometheus: 9f86d0...       # SHA-256 of the token in hexadecimal digits
//! ```
//!
//! What is not understood is refused: a restriction that is passed over would leave a door open.
//!
//! **Invariant**: no error and no `Debug` shows a hash.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bcrypt::HashParts;

use super::yaml::{self, Node, Value};

/// The highest cost of a password's hash: one check takes some ten seconds by then.
const COST_MAX: u32 = 17;

/// Who may see the pages, and through what. The default is everybody, in the clear.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WebConfig {
    /// TLS; `None`: plain HTTP.
    pub tls: Option<TlsServer>,
    /// Users, each with the bcrypt hash of the password.
    pub users: BTreeMap<String, String>,
    /// Tokens by a name for people, each as its SHA-256.
    pub tokens: BTreeMap<String, [u8; 32]>,
}

impl WebConfig {
    /// Whether a user or a token is asked for.
    pub fn asks_who(&self) -> bool {
        !self.users.is_empty() || !self.tokens.is_empty()
    }
}

impl fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebConfig")
            .field("tls", &self.tls)
            .field("users", &self.users.keys())
            .field("tokens", &self.tokens.keys())
            .finish()
    }
}

/// How TLS is served: versions 1.2 and 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsServer {
    /// The certificate with its chain, in PEM.
    pub cert_file: PathBuf,
    /// Its key, in PEM.
    pub key_file: PathBuf,
    /// Whether clients must show a certificate.
    pub client_auth: ClientAuth,
    /// Who signs clients' certificates, in PEM; with any but [`ClientAuth::None`].
    pub client_ca_file: Option<PathBuf>,
    /// Whether version 1.2 is refused.
    pub only_1_3: bool,
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// None is asked for.
    #[default]
    None,
    /// One that is shown must be good.
    IfGiven,
    /// A good one must be shown.
    Required,
}

/// Why a web configuration is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfigError {
    /// The file at fault.
    pub file: PathBuf,
    /// The line in it, from 1, where that is known.
    pub line: Option<usize>,
    /// What is wrong, and what to write instead.
    pub why: String,
}

impl fmt::Display for WebConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file.display(), self.why),
            None => write!(f, "{}: {}", self.file.display(), self.why),
        }
    }
}

impl std::error::Error for WebConfigError {}

/// What is wrong in a line.
type Wrong = (usize, String);

impl WebConfig {
    /// Reads the text of a file; `file` says where it is.
    ///
    /// # Errors
    /// [`WebConfigError`] with the line, for anything that is not understood.
    pub fn parse(text: &str, file: &Path) -> Result<WebConfig, WebConfigError> {
        let config = yaml::parse(text)
            .map_err(|error| (error.line, format!("{}; correct it", error.why)))
            .and_then(|node| read(node.as_ref(), file.parent().unwrap_or(Path::new(""))));
        let at = |(line, why)| WebConfigError { file: file.to_owned(), line: Some(line), why };
        config.map_err(at)
    }
}

fn read(root: Option<&Node>, folder: &Path) -> Result<WebConfig, Wrong> {
    let empty = "nothing is set in it; set tls_server_config, basic_auth_users or bearer_tokens";
    // While an editor writes a file anew it is empty for a moment, and must not open a door.
    let root = root.ok_or_else(|| (1, empty.to_owned()))?;
    let mut config = WebConfig::default();
    for (key, node) in map(root)? {
        match key.as_str() {
            "tls_server_config" => config.tls = Some(tls(node, folder)?),
            "basic_auth_users" => config.users = users(node)?,
            "bearer_tokens" => config.tokens = tokens(node)?,
            "http_server_config" => http(node)?,
            _ => return Err(unknown(key, node)),
        }
    }
    if config.tls.is_none() && !config.asks_who() {
        return Err((root.line, empty.to_owned()));
    }
    Ok(config)
}

fn tls(node: &Node, folder: &Path) -> Result<TlsServer, Wrong> {
    let mut tls = TlsServer::default();
    for (key, node) in map(node)? {
        match key.as_str() {
            "cert_file" => tls.cert_file = folder.join(word(node)?),
            "key_file" => tls.key_file = folder.join(word(node)?),
            "client_ca_file" => tls.client_ca_file = Some(folder.join(word(node)?)),
            "client_auth_type" => tls.client_auth = client_auth(node)?,
            "min_version" => tls.only_1_3 = min_version(node)?,
            "max_version" if word(node)? == "TLS13" => {}
            "max_version" => {
                return Err((node.line, "max_version can only be TLS13; leave it out".to_owned()));
            }
            _ => return Err(unknown(key, node)),
        }
    }
    let missing = |what: &str| Err((node.line, format!("tls_server_config lacks {what}; set it")));
    match (tls.client_auth, &tls.client_ca_file) {
        _ if tls.cert_file.as_os_str().is_empty() => missing("cert_file"),
        _ if tls.key_file.as_os_str().is_empty() => missing("key_file"),
        (ClientAuth::None, Some(_)) => missing("client_auth_type, which client_ca_file is for"),
        (ClientAuth::IfGiven | ClientAuth::Required, None) => missing("client_ca_file"),
        _ => Ok(tls),
    }
}

fn client_auth(node: &Node) -> Result<ClientAuth, Wrong> {
    match word(node)? {
        "NoClientCert" => Ok(ClientAuth::None),
        "VerifyClientCertIfGiven" => Ok(ClientAuth::IfGiven),
        "RequireAndVerifyClientCert" => Ok(ClientAuth::Required),
        "RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert" => Err((
            node.line,
            "a client's certificate that is not verified proves nothing; write \
             RequireAndVerifyClientCert"
                .to_owned(),
        )),
        _ => Err((
            node.line,
            "client_auth_type is one of NoClientCert, VerifyClientCertIfGiven, \
             RequireAndVerifyClientCert"
                .to_owned(),
        )),
    }
}

/// Whether 1.3 is the lowest.
fn min_version(node: &Node) -> Result<bool, Wrong> {
    match word(node)? {
        "TLS12" => Ok(false),
        "TLS13" => Ok(true),
        "TLS10" | "TLS11" => {
            Err((node.line, "TLS before 1.2 is broken and not spoken; write TLS12".to_owned()))
        }
        _ => Err((node.line, "min_version is one of TLS12, TLS13".to_owned())),
    }
}

fn users(node: &Node) -> Result<BTreeMap<String, String>, Wrong> {
    let mut users = BTreeMap::new();
    for (name, node) in map(node)? {
        let hash = word(node)?;
        let cost = HashParts::from_str(hash).map(|parts| parts.get_cost());
        match cost {
            Ok(cost) if cost <= COST_MAX => {}
            Ok(cost) => {
                return Err((
                    node.line,
                    format!("the cost of `{name}` is {cost}; a check takes too long above 17"),
                ));
            }
            Err(_) => {
                return Err((
                    node.line,
                    format!(
                        "the password of `{name}` is no bcrypt hash; `htpasswd -nBC 10 {name}` \
                         prints one"
                    ),
                ));
            }
        }
        if name.contains(':') {
            return Err((node.line, "a user's name can't have a colon; choose another".to_owned()));
        }
        users.insert(name.clone(), hash.to_owned());
    }
    Ok(users)
}

fn tokens(node: &Node) -> Result<BTreeMap<String, [u8; 32]>, Wrong> {
    let mut tokens = BTreeMap::new();
    for (name, node) in map(node)? {
        let digest = digest(word(node)?).ok_or_else(|| {
            let cure = "`printf %s \"$TOKEN\" | sha256sum` prints one";
            (node.line, format!("the token `{name}` is no SHA-256; {cure}"))
        })?;
        tokens.insert(name.clone(), digest);
    }
    Ok(tokens)
}

/// 64 hexadecimal digits.
fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::try_from(pair.iter().fold(0, |sum, digit| sum << 4 | digit)).ok()?;
    }
    Some(bytes)
}

/// HTTP/2 is offered by nobody here, so that it can be asked for or not.
fn http(node: &Node) -> Result<(), Wrong> {
    match map(node)?.iter().find(|(key, _)| key != "http2") {
        Some((key, node)) => Err(unknown(key, node)),
        None => Ok(()),
    }
}

fn unknown(key: &str, node: &Node) -> Wrong {
    (node.line, format!("`{key}` is not supported; leave it out"))
}

fn map(node: &Node) -> Result<&[(String, Node)], Wrong> {
    match &node.value {
        Value::Map(map) => Ok(map),
        _ => Err((node.line, "names with values are expected here".to_owned())),
    }
}

fn word(node: &Node) -> Result<&str, Wrong> {
    match &node.value {
        Value::Word(word) if !word.is_empty() => Ok(word),
        _ => Err((node.line, "one value is expected here".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";
    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn parse(text: &str) -> Result<WebConfig, WebConfigError> {
        WebConfig::parse(text, Path::new("/etc/web.yml"))
    }

    #[test]
    fn a_file_of_the_toolkit_is_understood() {
        let text = format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: /keys/server.key\n  \
             client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
             min_version: TLS13\nhttp_server_config:\n  http2: false\n\
             basic_auth_users:\n  alice: {HASH}\n  bob: '{HASH}'\nbearer_tokens:\n  p: {DIGEST}\n"
        );
        let config = parse(&text).unwrap();
        let tls = config.tls.as_ref().unwrap();
        assert_eq!(tls.cert_file, Path::new("/etc/server.crt"));
        assert_eq!(tls.key_file, Path::new("/keys/server.key"));
        assert_eq!(tls.client_ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!((tls.client_auth, tls.only_1_3), (ClientAuth::Required, true));
        assert_eq!(config.users.len(), 2);
        assert_eq!(config.tokens["p"][..2], [0x9f, 0x86]);
        let shown = format!("{config:?}");
        assert!(shown.contains("alice") && !shown.contains("mDwo"), "{shown}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_no_secret() {
        let check = |text: &str, line: usize, want: &str| {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, Some(line), "{text}: {error}");
            let told = error.to_string();
            assert!(told.starts_with("/etc/web.yml, line ") && told.contains(want), "{told}");
            assert!(!told.contains("secret") && !told.contains('\n'), "{told}");
        };
        check("", 1, "nothing is set");
        check("http_server_config:\n  http2: true\n", 1, "nothing is set");
        check("tls_server_config:\n  cert_file: a\n", 2, "key_file");
        check("basic_auth_users:\n  alice: secret\n", 2, "htpasswd -nBC 10 alice");
        check(&format!("basic_auth_users:\n  a: {}\n", HASH.replace("$10$", "$18$")), 2, "18");
        check("bearer_tokens:\n  p: secret\n", 2, "sha256sum");
        check(&format!("bearer_tokens:\n  p: {DIGEST}00\n"), 2, "sha256sum");
        check("bearer_tokens: [secret]\n", 1, "names with values");
        check("rate_limit:\n  burst: 1\n", 2, "`rate_limit` is not supported");
        check("tls_server_config:\n  cipher_suites: [a]\n", 2, "`cipher_suites`");
        let tls = "tls_server_config:\n  cert_file: a\n  key_file: b\n";
        check(&format!("{tls}  min_version: TLS10\n"), 4, "TLS12");
        check(&format!("{tls}  client_auth_type: RequireAnyClientCert\n"), 4, "proves nothing");
        check(&format!("{tls}  client_auth_type: RequireAndVerifyClientCert\n"), 2, "client_ca");
        check(&format!("{tls}  client_ca_file: c\n"), 2, "client_auth_type");
        check("a: b: c: secret\n", 1, "YAML");
    }
}
