//! `wait-tcp`: waits until a TCP port accepts connections, or until it no longer does.
//!
//! A port is open when a connection is established; nothing is sent. "Closed" means refused or unreachable: silence is not taken as
//! closed, because a firewall that drops packets looks the same as a busy host. Fails when the time is up, with what was seen last.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::json;

use super::call::{Call, Stop};
use super::poll::{Pace, Probe, millis, poll};

/// One try to connect never takes longer, so that a silent host is asked more than once.
const LONGEST_TRY: Duration = Duration::from_secs(5);

/// What one try found.
enum Seen {
    Open(SocketAddr),
    /// Refused or unreachable: nobody is there.
    Closed(String),
    /// No answer in time, or no address to ask: nobody knows.
    Unknown(String),
}

impl Seen {
    fn describe(&self) -> String {
        match self {
            Self::Open(_) => "it is open".to_owned(),
            Self::Closed(why) => format!("it is closed ({why})"),
            Self::Unknown(why) => why.clone(),
        }
    }
}

pub(super) fn run(call: &mut Call<'_>) -> Result<(), Stop> {
    let host = call.host()?;
    let port = call.number("port", 1..=65535)?.ok_or_else(|| Stop::Parameter("port is missing".to_owned()))?;
    let port = u16::try_from(port).map_err(|_| Stop::Parameter("port must be at most 65535".to_owned()))?;
    let want_open = match call.text("state")?.unwrap_or("open") {
        "open" => true,
        "closed" => false,
        _ => return Err(Stop::Parameter("state must be open or closed".to_owned())),
    };
    let pace = Pace {
        timeout: call.duration("timeout", Duration::from_secs(60))?,
        interval: call.duration("interval", Duration::from_secs(1))?,
    };
    let polled = poll(pace, |left| {
        let seen = look(&host, port, left.min(LONGEST_TRY));
        let right = match &seen {
            Seen::Open(_) => want_open,
            Seen::Closed(_) => !want_open,
            Seen::Unknown(_) => false,
        };
        Ok::<_, Stop>(if right { Probe::Right(seen) } else { Probe::NotYet(seen) })
    })?;
    let address = match &polled.last {
        Seen::Open(address) => Some(address.to_string()),
        Seen::Closed(_) | Seen::Unknown(_) => None,
    };
    let open = matches!(polled.last, Seen::Open(_));
    call.publish(&json!({
        "open": open,
        "address": address,
        "attempts": polled.attempts,
        "waited_ms": millis(polled.waited),
    }))?;
    if polled.right {
        call.say(&format!("{host} port {port} is {}", if want_open { "open" } else { "closed" }));
        return Ok(());
    }
    let wanted = if want_open { "open" } else { "closed" };
    Err(Stop::Failed(format!(
        "{host} port {port} was not {wanted} within {}: {}",
        autoexec_model::millis::Millis::from_millis(millis(pace.timeout)),
        polled.last.describe()
    )))
}

/// One try: every address of the name, in the resolver's order, until one answers.
fn look(host: &str, port: u16, limit: Duration) -> Seen {
    let addresses: Vec<_> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Seen::Unknown(format!("cannot resolve the name: {error}")),
    };
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let each = (limit / count).max(Duration::from_millis(1));
    let mut last = Seen::Unknown("the name has no address".to_owned());
    for address in addresses {
        match TcpStream::connect_timeout(&address, each) {
            Ok(_) => return Seen::Open(address),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                last = Seen::Unknown("there is no answer".to_owned());
            }
            Err(error) => last = Seen::Closed(error.to_string()),
        }
    }
    last
}
