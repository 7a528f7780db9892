//! Two machines of a test's own, joined by a cable: network namespaces, which are gone with the test. What happens on
//! them reaches no network but theirs.

use super::namespace::{Kind, Namespace};
use super::process::command;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Addresses of the first machine: the one that is watched from outside.
pub(crate) const INSIDE: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

/// Addresses of the second machine.
pub(crate) const OUTSIDE: [&str; 4] = ["192.0.2.2", "192.0.2.3", "2001:db8::2", "2001:db8::3"];

/// Says to a process of a test that it has rights of its own already.
const MAPPED: &str = "TEST_OF_TWO_MACHINES";

/// One of them.
pub(crate) struct Machine(Namespace);

/// Runs `test` on the first machine; it gets the second. Whoever is not root runs the test `name` again as who is root there
/// alone, where the kernel lets users do that.
pub(crate) fn two_machines(name: &str, test: impl FnOnce(&Machine) + Send) {
    if !rustix::process::geteuid().is_root() && std::env::var_os(MAPPED).is_none() {
        let mut again = command(Path::new("unshare"));
        again.args(["--map-root-user", "--"]).arg(std::env::current_exe().unwrap());
        let ended = again.args(["--exact", name]).env(MAPPED, "1").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}{}\nThis test needs namespaces: run it as root, or let users have them",
            String::from_utf8_lossy(&ended.stderr)
        );
        return;
    }
    let (inside, outside) = (Machine(Namespace::new(Kind::Network)), Machine(Namespace::new(Kind::Network)));
    inside.ip(&format!("link add cable type veth peer name cable netns {}", outside.0.id()));
    inside.ip("link set lo up");
    for (machine, addresses) in [(&inside, &INSIDE[..]), (&outside, &OUTSIDE[..])] {
        for address in addresses {
            let form = if address.contains(':') { "64 dev cable nodad" } else { "24 dev cable" };
            machine.ip(&format!("address add {address}/{form}"));
        }
        machine.ip("link set cable up");
    }
    inside.on(|| test(&outside));
}

impl Machine {
    /// Does this on that machine, on a thread of its own. Processes that are started there are of that machine, and end
    /// with it.
    pub(crate) fn on<T: Send>(&self, what: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(self.0.path()).unwrap();
        let done = std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                    .expect("enter a network namespace");
                what()
            });
            there.join()
        });
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The ports of `to` at which somebody answers a connection from `from`, an address of this machine.
    pub(crate) fn open_ports(&self, from: &str, to: &str) -> Vec<u16> {
        // Nothing between the machines lets a packet fall, so that a closed port refuses at once.
        let answers = |port: &u16| match connect(from, to, *port) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{to} {port}: {error}");
                false
            }
        };
        self.on(|| (1..=u16::MAX).filter(answers).collect())
    }

    fn ip(&self, arguments: &str) {
        self.on(|| {
            let ended = Command::new("ip")
                .args(arguments.split(' '))
                .output()
                .unwrap_or_else(|why| panic!("ip is not installed ({why}): run scripts/setup"));
            assert!(
                ended.status.success(),
                "ip {arguments}: {}\nThis test needs the kernel's veth",
                String::from_utf8_lossy(&ended.stderr)
            );
        });
    }
}

/// Ports at which the machine of this thread takes datagrams, by the kernel's own list.
pub(crate) fn datagram_ports() -> Vec<u16> {
    let lists =
        ["udp", "udp6"].map(|list| fs::read_to_string(format!("/proc/thread-self/net/{list}")).unwrap());
    let ports = lists.iter().flat_map(|list| list.lines().skip(1)).map(|line| {
        let local = line.split_whitespace().nth(1).unwrap();
        u16::from_str_radix(local.rsplit_once(':').unwrap().1, 16).unwrap()
    });
    ports.collect()
}

/// A connection from one address to another.
///
/// # Errors
/// That nobody takes it.
pub(crate) fn connect(from: &str, to: &str, port: u16) -> std::io::Result<TcpStream> {
    let (from, to): (IpAddr, IpAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let to = SocketAddr::new(to, port);
    let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), Duration::from_secs(30))?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    Ok(socket.into())
}

/// Sends one datagram from one address to another.
pub(crate) fn send_datagram(from: &str, to: &str, port: u16, text: &str) {
    let (from, to): (IpAddr, IpAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.send_to(text.as_bytes(), (to, port)).unwrap();
}
