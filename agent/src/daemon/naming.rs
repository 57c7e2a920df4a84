//! What a process of the host is called, by the first of these that there is:
//!
//! 1. the name that the configuration gives it,
//! 2. `OTEL_SERVICE_NAME`, or `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, as it was started with,
//! 3. its systemd unit,
//! 4. its container, by what Docker, Podman or a kubelet have written about it on this host,
//! 5. its pod: the host name that it sees, where it is told of a Kubernetes,
//! 6. the package that its script is a part of, by its `package.json`,
//! 7. what it is called without a host: its script's name, its title.
//!
//! Of its environment these variables are looked at and no others, of its arguments none.

use std::path::Path;

use super::runtimes::Home;
use crate::process::Process;

/// A service's name may be longer than this, a label hardly.
const NAME_CHARS_MAX: usize = 128;

/// A host's name has 64 at most.
const HOST_NAME_BYTES_MAX: u64 = 256;

/// Units that run others: a process in them is none of their own. Managers of containers and of
/// processes, and what starts others by the clock or for who has logged in; without what stands
/// behind an `@`.
const RUNNERS: [&str; 26] = [
    "user",
    "docker",
    "containerd",
    "kubelet",
    "crio",
    "cri-o",
    "podman",
    "k3s",
    "k3s-agent",
    "snap.docker.dockerd",
    "pm2",
    "supervisor",
    "supervisord",
    "monit",
    "runit",
    "runsvdir",
    "s6-svscan",
    "circusd",
    "cron",
    "crond",
    "cronie",
    "fcron",
    "anacron",
    "atd",
    "ssh",
    "sshd",
];

/// Before the user in the unit that `pm2 startup` makes.
const PM2: &str = "pm2-";

/// The name of a process that the configuration does not name, which was started with this
/// environment and is in this container.
pub(super) fn name(process: &Process, environment: &[u8], cgroup: &str, home: &Home) -> String {
    let known = |name: &String| !name.is_empty();
    let found = by_environment(environment)
        .or_else(|| unit(cgroup).map(str::to_owned))
        .or_else(|| Some(home.container.clone()).filter(known))
        .or_else(|| Some(home.pod.clone()).filter(known))
        .or_else(|| process.package());
    found.map_or_else(|| process.name().to_owned(), |name| plain(&name))
}

/// A variable of a process' environment.
pub(super) fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
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
    units.rfind(|unit| !runs_others(unit))
}

fn runs_others(unit: &str) -> bool {
    let name = unit.split('@').next().unwrap_or(unit);
    RUNNERS.contains(&name) || name.starts_with(PM2)
}

/// The id of the container that a control group is of: 64 hexadecimal digits.
pub(super) fn container(cgroup: &str) -> Option<&str> {
    let is_id = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ids = cgroup.split('/').map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        // `docker-ID`, `cri-containerd-ID`, `crio-ID`, `libpod-ID`, or the id alone.
        part.rsplit('-').next().unwrap_or(part)
    });
    ids.rfind(is_id)
}

/// The host name of a process that was told of a Kubernetes: that of its pod.
pub(super) fn pod(process: &Process, environment: &[u8]) -> Option<String> {
    variable(environment, "KUBERNETES_SERVICE_HOST")?;
    let told = variable(environment, "HOSTNAME").map(str::to_owned);
    told.or_else(|| {
        let name = process.read_file(Path::new("/etc/hostname"), HOST_NAME_BYTES_MAX).ok()?;
        let name = String::from_utf8(name).ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    })
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
            ("/system.slice/docker-registry.service".to_owned(), Some("docker-registry"), false),
            ("/system.slice/userdb.service".to_owned(), Some("userdb"), false),
            ("/system.slice/pm2-deploy.service".to_owned(), None, false),
            ("/system.slice/pm2.service".to_owned(), None, false),
            ("/system.slice/supervisor.service".to_owned(), None, false),
            ("/system.slice/cron.service".to_owned(), None, false),
            ("/system.slice/cron-web.service".to_owned(), Some("cron-web"), false),
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
}
