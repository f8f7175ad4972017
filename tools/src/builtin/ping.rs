//! `ping`: does a host answer echo requests?
//!
//! Uses the unprivileged ICMP socket where this user may, else the system's `ping` program; the output `method` says which. Succeeds when at
//! least one request is answered, or when no more are lost than `max_loss` allows. Fails when the name cannot be resolved, nobody
//! answers, or neither way of asking exists.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::call::{Call, Stop};
use super::icmp::{Echo, is_one_host};
use super::poll::Stopwatch;

/// Pause between two requests: faster is a flood in the eyes of some networks.
const PAUSE: Duration = Duration::from_millis(200);

/// What was seen.
struct Tally {
    method: &'static str,
    sent: u64,
    received: u64,
    /// Mean time of an answer, when it is known.
    mean: Option<Duration>,
}

pub(super) fn run(call: &mut Call<'_>) -> Result<(), Stop> {
    let host = call.host()?;
    let count = call.number("count", 1..=100)?.unwrap_or(3);
    let timeout = call.duration("timeout", Duration::from_secs(1))?;
    let max_loss = call.number("max_loss", 0..=100)?;
    let address = resolve(&host)?;
    let tally = match over_socket(address, count, timeout) {
        Ok(tally) => tally,
        Err(error) if may_not(&error) => over_program(address, count, timeout)?,
        Err(error) => return Err(Stop::Failed(format!("{host}: {error}"))),
    };
    let lost = tally.sent - tally.received.min(tally.sent);
    let loss = lost * 100 / tally.sent.max(1);
    call.publish(&json!({
        "address": address.to_string(),
        "method": tally.method,
        "sent": tally.sent,
        "received": tally.received,
        "loss_percent": loss,
        "mean_ms": tally.mean.map(|mean| (mean.as_secs_f64() * 1e6).round() / 1e3),
    }))?;
    let line = format!("{host}: {} of {} answered ({})", tally.received, tally.sent, tally.method);
    // Compared by multiplication, so that rounding never decides.
    let good = max_loss.map_or(tally.received > 0, |most| lost * 100 <= most * tally.sent);
    if good {
        call.say(&line);
        Ok(())
    } else {
        Err(Stop::Failed(line))
    }
}

fn resolve(host: &str) -> Result<IpAddr, Stop> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address = match bare.parse() {
        Ok(address) => address,
        Err(_) => (bare, 0)
            .to_socket_addrs()
            .map_err(|error| Stop::Failed(format!("cannot resolve {host}: {error}")))?
            .next()
            .map(|address| address.ip())
            .ok_or_else(|| Stop::Failed(format!("{host} has no address")))?,
    };
    if is_one_host(address) {
        Ok(address)
    } else {
        Err(Stop::Parameter(format!("{address} is not the address of one host")))
    }
}

/// Not permitted, or a system without such sockets: the other way may still work.
fn may_not(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
        || matches!(error.raw_os_error(), Some(code) if code == nix::errno::Errno::EPROTONOSUPPORT as i32)
}

fn over_socket(address: IpAddr, count: u64, timeout: Duration) -> io::Result<Tally> {
    let echo = Echo::open(address)?;
    let mut received = 0;
    let mut total = Duration::ZERO;
    for sequence in 0..count {
        let began = Stopwatch::start();
        if let Some(took) = echo.ping(u16::try_from(sequence).unwrap_or(u16::MAX), timeout)? {
            received += 1;
            total += took;
        }
        if sequence + 1 < count {
            std::thread::sleep(PAUSE.saturating_sub(began.elapsed()));
        }
    }
    let mean = u32::try_from(received).ok().filter(|answers| *answers > 0).map(|answers| total / answers);
    Ok(Tally { method: "icmp", sent: count, received, mean })
}

/// The system's `ping`; it ends by itself: `-c` bounds the requests and `-W` the wait for each.
fn over_program(address: IpAddr, count: u64, timeout: Duration) -> Result<Tally, Stop> {
    let seconds = timeout.as_millis().div_ceil(1000).max(1);
    let output = Command::new("ping")
        .args(["-n", "-q", "-c", &count.to_string(), "-W", &seconds.to_string(), &address.to_string()])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Stop::Failed(format!("this user may not open an ICMP socket, and `ping` cannot be started: {error}"))
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    if let Some((sent, received)) = counts(&text) {
        return Ok(Tally { method: "ping", sent, received, mean: mean(&text) });
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Stop::Failed(format!("`ping` gave no result: {}", why.lines().next().unwrap_or("no message").trim())))
}

/// From `3 packets transmitted, 2 received, ...` or, with BusyBox and the BSDs, `3 packets transmitted, 2 packets received`.
fn counts(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().find(|line| line.contains("packets transmitted"))?;
    let mut numbers = line.split(',').filter_map(|part| part.split_whitespace().next()?.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// From `rtt min/avg/max/mdev = 0.02/0.03/0.04/0.00 ms` and its relatives.
fn mean(text: &str) -> Option<Duration> {
    let line = text.lines().find(|line| line.contains("min/avg/max"))?;
    let millis: f64 = line.split('=').nth(1)?.split('/').nth(1)?.trim().parse().ok()?;
    Duration::try_from_secs_f64(millis / 1e3).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_the_known_ping_programs_are_read() {
        let iputils = "--- 127.0.0.1 ping statistics ---\n3 packets transmitted, 2 received, 33% packet loss, time 2029ms\n\
                       rtt min/avg/max/mdev = 0.020/1.500/0.045/0.010 ms\n";
        assert_eq!(counts(iputils), Some((3, 2)));
        assert_eq!(mean(iputils), Some(Duration::from_micros(1500)));
        let busybox =
            "3 packets transmitted, 3 packets received, 0% packet loss\nround-trip min/avg/max = 0.1/0.2/0.3 ms\n";
        assert_eq!(counts(busybox), Some((3, 3)));
        assert_eq!(mean(busybox), Some(Duration::from_micros(200)));
        let errors = "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2043ms\n";
        assert_eq!(counts(errors), Some((3, 0)));
        assert_eq!(mean(errors), None);
        assert_eq!(counts("ping: permission denied\n"), None);
    }

    #[test]
    fn an_address_that_is_not_one_host_is_refused() {
        for host in ["224.0.0.1", "0.0.0.0", "255.255.255.255", "ff02::1"] {
            assert!(matches!(resolve(host), Err(Stop::Parameter(_))), "{host}");
        }
        assert_eq!(resolve("[::1]").ok(), Some(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)));
    }
}
