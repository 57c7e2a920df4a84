//! What a process of the host is called, by the first of these that there is:
//!
//! 1. the name that the configuration gives it,
//! 2. `OTEL_SERVICE_NAME`, or `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, as it was started with,
//! 3. its systemd unit,
//! 4. its container, by what Docker, Podman or a kubelet have written about it on this host,
//! 5. its pod: the host name that it sees, where it is told of a Kubernetes,
//! 6. what it is called without a host: the package's name, the script's, its title.
//!
//! Of its environment these variables are looked at and no others, of its arguments none.

use std::path::{Path, PathBuf};

use crate::process::{Process, environment_of};

/// A service's name may be longer than this, a label hardly.
const NAME_CHARS_MAX: usize = 128;

/// A host's name has 64 at most.
const HOST_NAME_BYTES_MAX: u64 = 256;

/// Units that run others: a process in them is none of their own.
const RUNNERS: [&str; 6] = ["user@", "docker", "containerd", "kubelet", "crio", "podman"];

/// Where programs that run containers write about them.
#[derive(Clone, Debug)]
pub(super) struct Runtimes {
    root: PathBuf,
}

impl Default for Runtimes {
    fn default() -> Runtimes {
        Runtimes { root: PathBuf::from("/") }
    }
}

/// The name of a process that the configuration does not name.
pub(super) fn name(process: &Process, cgroup: &str, runtimes: &Runtimes) -> String {
    let environment = environment_of(process.identity().pid).unwrap_or_default();
    let found = by_environment(&environment)
        .or_else(|| unit(cgroup).map(str::to_owned))
        .or_else(|| container(cgroup).and_then(|id| runtimes.name(id)))
        .or_else(|| pod(process, &environment));
    found.map_or_else(|| process.name().to_owned(), |name| plain(&name))
}

/// A variable of a process' environment.
fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    let of = |entry: &'a [u8]| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    };
    environment.split(|&byte| byte == 0).find_map(of).filter(|value| !value.trim().is_empty())
}

fn by_environment(environment: &[u8]) -> Option<String> {
    if let Some(name) = variable(environment, "OTEL_SERVICE_NAME") {
        return Some(name.trim().to_owned());
    }
    let attributes = variable(environment, "OTEL_RESOURCE_ATTRIBUTES")?;
    let mut pairs = attributes.split(',').filter_map(|pair| pair.split_once('='));
    let name = pairs.find(|(key, _)| key.trim() == "service.name").map(|(_, value)| value.trim());
    name.map(decoded).filter(|name| !name.trim().is_empty())
}

/// What is written with `%20` for a blank, as values of `OTEL_RESOURCE_ATTRIBUTES` are. What can't
/// be read so stays as it is.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| first == b'%');
        let digits = digits.filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

/// The systemd unit of a control group: `shop` of `/system.slice/shop.service`.
fn unit(cgroup: &str) -> Option<&str> {
    if container(cgroup).is_some() {
        return None;
    }
    let mut units = cgroup.split('/').filter_map(|part| part.strip_suffix(".service"));
    // The innermost one is its own; a user's manager runs others.
    units.rfind(|unit| !RUNNERS.iter().any(|runner| unit.starts_with(runner)))
}

/// The id of the container that a control group is of: 64 hexadecimal digits.
fn container(cgroup: &str) -> Option<&str> {
    let is_id = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ids = cgroup.split('/').map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        // `docker-ID`, `cri-containerd-ID`, `crio-ID`, `libpod-ID`, or the id alone.
        part.rsplit('-').next().unwrap_or(part)
    });
    ids.rfind(is_id)
}

/// The host name of a process that was told of a Kubernetes: that of its pod.
fn pod(process: &Process, environment: &[u8]) -> Option<String> {
    variable(environment, "KUBERNETES_SERVICE_HOST")?;
    let told = variable(environment, "HOSTNAME").map(str::to_owned);
    told.or_else(|| {
        let name = process.read_file(Path::new("/etc/hostname"), HOST_NAME_BYTES_MAX).ok()?;
        let name = String::from_utf8(name).ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    })
}

impl Runtimes {
    fn name(&self, id: &str) -> Option<String> {
        self.by_docker(id).or_else(|| self.by_kubelet(id)).or_else(|| self.by_podman(id))
    }

    fn json(&self, path: impl AsRef<Path>) -> Option<serde_json::Value> {
        let bytes = std::fs::read(self.root.join(path)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn by_docker(&self, id: &str) -> Option<String> {
        let told = self.json(format!("var/lib/docker/containers/{id}/config.v2.json"))?;
        let name = told.get("Name")?.as_str()?.trim_start_matches('/');
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// A kubelet links each container's log: `POD_NAMESPACE_CONTAINER-ID.log`.
    fn by_kubelet(&self, id: &str) -> Option<String> {
        let logs = std::fs::read_dir(self.root.join("var/log/containers")).ok()?;
        let end = format!("-{id}.log");
        let names = logs.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter_map(|name| name.strip_suffix(&end).map(str::to_owned))
            .find_map(|name| name.rsplit_once('_').map(|(_, container)| container.to_owned()))
    }

    fn by_podman(&self, id: &str) -> Option<String> {
        let told = self.json("var/lib/containers/storage/overlay-containers/containers.json")?;
        let of = told.as_array()?.iter().find(|of| of.get("id").is_some_and(|of| of == id))?;
        Some(of.get("names")?.as_array()?.first()?.as_str()?.to_owned())
    }
}

/// A name that moves no cursor, and is not too long.
fn plain(name: &str) -> String {
    let plain = |char: char| if char.is_control() { '?' } else { char };
    name.chars().take(NAME_CHARS_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4b2f8c1d9e0a4b2f8c1d9e0a4b2f8c1d9e0a4b2f8c1d9e0a4b2f8c1d9e0a4b2f";

    #[test]
    fn a_service_may_name_itself() {
        let environment = |text: &str| text.replace('|', "\0").into_bytes();
        for (text, name) in [
            ("A=1|OTEL_SERVICE_NAME=shop|B=2", Some("shop")),
            ("OTEL_SERVICE_NAME= |OTEL_RESOURCE_ATTRIBUTES=a=b,service.name=mail", Some("mail")),
            ("XOTEL_SERVICE_NAME=no", None),
            ("OTEL_RESOURCE_ATTRIBUTES=service.name=", None),
            ("OTEL_RESOURCE_ATTRIBUTES=service.name=my%20shop%2C%c3%bc,b=c", Some("my shop,ü")),
            ("OTEL_RESOURCE_ATTRIBUTES=service.name=100%,b=c", Some("100%")),
            ("OTEL_RESOURCE_ATTRIBUTES=service.name=%ff%2", Some("%ff%2")),
            ("OTEL_RESOURCE_ATTRIBUTES=service.name=%20", None),
            ("", None),
        ] {
            assert_eq!(by_environment(&environment(text)).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn a_control_group_names_unit_or_container() {
        let scope = |kind: &str| format!("/system.slice/{kind}-{ID}.scope");
        let pods = "/kubepods.slice/kubepods-pod1.slice";
        for (cgroup, is_unit, is_container) in [
            ("/system.slice/shop.service".to_owned(), Some("shop"), false),
            ("/system.slice/shop@2.service/worker".to_owned(), Some("shop@2"), false),
            (
                "/user.slice/user@1000.service/app.slice/mail.service".to_owned(),
                Some("mail"),
                false,
            ),
            ("/user.slice/user@1000.service/init.scope".to_owned(), None, false),
            ("/system.slice/docker.service".to_owned(), None, false),
            (scope("docker"), None, true),
            (scope("libpod"), None, true),
            (format!("{pods}/cri-containerd-{ID}.scope"), None, true),
            (format!("/docker/{ID}"), None, true),
            (format!("/kubelet.service/kubepods/pod1/{ID}"), None, true),
            ("/".to_owned(), None, false),
        ] {
            assert_eq!(unit(&cgroup), is_unit, "{cgroup}");
            assert_eq!(container(&cgroup).is_some(), is_container, "{cgroup}");
        }
    }

    #[test]
    fn a_container_is_called_as_its_runtime_calls_it() {
        let root = std::env::temp_dir().join(format!("loopscope-naming-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let docker = format!("var/lib/docker/containers/{ID}/config.v2.json");
        let log = format!("var/log/containers/shop-7d9f-x2_default_web-{ID}.log");
        let podman = "var/lib/containers/storage/overlay-containers/containers.json";
        write(podman, &format!(r#"[{{"id": "x"}}, {{"id": "{ID}", "names": ["third"]}}]"#));
        let runtimes = Runtimes { root: root.clone() };
        assert_eq!(runtimes.name(ID).as_deref(), Some("third"));
        write(&log, "");
        assert_eq!(runtimes.name(ID).as_deref(), Some("web"));
        write(&docker, r#"{"Name": "/first"}"#);
        assert_eq!(runtimes.name(ID).as_deref(), Some("first"));
        assert_eq!(runtimes.name(&ID.replace('4', "5")), None);
        write(&docker, "{");
        assert_eq!(runtimes.name(ID).as_deref(), Some("web"), "what can't be read tells nothing");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
