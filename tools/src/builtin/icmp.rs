//! Echo requests over the unprivileged ICMP socket of Linux (`net.ipv4.ping_group_range`).
//!
//! The kernel fills in the identifier and the checksum and hands us only answers to our own requests. Opening the socket fails with
//! "permission denied" where the range does not include us; the caller then asks the system's `ping`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, connect, recv, send,
    setsockopt, socket, sockopt::ReceiveTimeout,
};
use nix::sys::time::TimeVal;

use super::poll::Stopwatch;

const ECHO_REQUEST_V4: u8 = 8;
const ECHO_REPLY_V4: u8 = 0;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;

/// Type, code, checksum, identifier, sequence number.
const HEADER: usize = 8;

/// A socket that reaches one address.
pub(super) struct Echo {
    socket: OwnedFd,
    version_6: bool,
}

impl Echo {
    /// Opens the socket; "permission denied" when this user may not.
    pub(super) fn open(address: IpAddr) -> io::Result<Self> {
        let (family, protocol) = match address {
            IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp),
            IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6),
        };
        let socket = socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, protocol)?;
        match address {
            IpAddr::V4(address) => connect(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(address, 0)))?,
            IpAddr::V6(address) => {
                connect(socket.as_raw_fd(), &SockaddrIn6::from(SocketAddrV6::new(address, 0, 0, 0)))?
            }
        }
        Ok(Self { socket, version_6: address.is_ipv6() })
    }

    /// One request and its answer; `None` when there was none in time.
    pub(super) fn ping(&self, sequence: u16, limit: Duration) -> io::Result<Option<Duration>> {
        let start = Stopwatch::start();
        match send(self.socket.as_raw_fd(), &request(self.version_6, sequence), MsgFlags::empty()) {
            Ok(_) => {}
            // What an earlier request met on its way comes back here; the request counts as lost.
            Err(errno) if is_loss(errno) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        let mut buffer = [0_u8; 256];
        loop {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            // A time-out of zero would mean "for ever".
            let micros = i64::try_from(left.as_micros()).unwrap_or(i64::MAX).max(1);
            setsockopt(&self.socket, ReceiveTimeout, &TimeVal::new(micros / 1_000_000, micros % 1_000_000))?;
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) if answers(self.version_6, sequence, &buffer[..length]) => {
                    return Ok(Some(start.elapsed()));
                }
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(nix::errno::Errno::EAGAIN) => return Ok(None),
                Err(errno) if is_loss(errno) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// The network said that the request did not arrive.
fn is_loss(errno: nix::errno::Errno) -> bool {
    use nix::errno::Errno as E;
    matches!(errno, E::EHOSTUNREACH | E::ENETUNREACH | E::ECONNREFUSED | E::EHOSTDOWN | E::ENETDOWN)
}

/// The packet; identifier and checksum are the kernel's.
fn request(version_6: bool, sequence: u16) -> [u8; HEADER + 16] {
    let mut packet = [0_u8; HEADER + 16];
    packet[0] = if version_6 { ECHO_REQUEST_V6 } else { ECHO_REQUEST_V4 };
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    packet[HEADER..].copy_from_slice(b"autoexec-ping\0\0\0");
    packet
}

/// Is this the answer to the request with that sequence number, and not a late one to an earlier?
fn answers(version_6: bool, sequence: u16, packet: &[u8]) -> bool {
    let wanted = if version_6 { ECHO_REPLY_V6 } else { ECHO_REPLY_V4 };
    packet.len() >= HEADER && packet[0] == wanted && packet[6..8] == sequence.to_be_bytes()
}

/// Is this an address that a broadcast would answer for? Then an answer says nothing.
pub(super) fn is_one_host(address: IpAddr) -> bool {
    !address.is_multicast() && !address.is_unspecified() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_this_request_counts() {
        let mut answer = request(false, 7);
        assert!(!answers(false, 7, &answer), "our own request is no answer");
        answer[0] = ECHO_REPLY_V4;
        assert!(answers(false, 7, &answer));
        assert!(!answers(false, 8, &answer), "a late answer to an earlier request");
        assert!(!answers(true, 7, &answer), "the other version");
        assert!(!answers(false, 7, &answer[..7]), "cut short");
    }
}
