//! `ProxyJump` texts: `[user@]host[:port]`, `ssh://` before it or not, several separated by commas. Pure.

/// One jump host as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpHost {
    /// The user in front of the `@`.
    pub user: Option<String>,
    /// Host name or address, an IPv6 address without its brackets.
    pub host: String,
    /// The port behind the `:`.
    pub port: Option<u16>,
}

/// Reads a list; the first host is dialled first. `none` and an empty text are a direct connection.
///
/// # Errors
/// The part that is no host, and why.
pub fn parse_jumps(text: &str) -> Result<Vec<JumpHost>, String> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    text.split(',').map(|part| parse_one(part.trim()).map_err(|why| format!("jump host `{part}`: {why}"))).collect()
}

fn parse_one(text: &str) -> Result<JumpHost, &'static str> {
    let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    // A user name may hold an `@`; a host cannot.
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) if !user.is_empty() => (Some(user.to_owned()), rest),
        Some(_) => return Err("the user is empty"),
        None => (None, text),
    };
    let (host, port) = split_port(rest)?;
    if host.is_empty() {
        return Err("the host is empty");
    }
    let port = port
        .map(|p| p.parse::<u16>().ok().filter(|p| *p > 0).ok_or("the port is no number from 1 to 65535"))
        .transpose()?;
    Ok(JumpHost { user, host: host.to_owned(), port })
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or("a bracket is not closed")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("only a port may follow the bracket"),
        };
    }
    match text.rsplit_once(':') {
        // Several colons without brackets are an IPv6 address.
        Some((host, _)) if host.contains(':') => Ok((text, None)),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(user: Option<&str>, host: &str, port: Option<u16>) -> JumpHost {
        JumpHost { user: user.map(str::to_owned), host: host.to_owned(), port }
    }

    #[test]
    fn table() {
        let cases = [
            ("none", vec![]),
            ("", vec![]),
            ("jump", vec![jump(None, "jump", None)]),
            ("admin@jump:2222", vec![jump(Some("admin"), "jump", Some(2222))]),
            ("ssh://admin@jump:2222/", vec![jump(Some("admin"), "jump", Some(2222))]),
            ("a@corp@jump", vec![jump(Some("a@corp"), "jump", None)]),
            ("one, two:23", vec![jump(None, "one", None), jump(None, "two", Some(23))]),
            ("[::1]:2222", vec![jump(None, "::1", Some(2222))]),
            ("fe80::1", vec![jump(None, "fe80::1", None)]),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_jumps(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_told() {
        for (text, why) in [
            ("one,,two", "the host is empty"),
            ("@host", "the user is empty"),
            ("host:0", "the port is no number"),
            ("host:many", "the port is no number"),
            ("[::1", "a bracket is not closed"),
            ("[::1]x", "only a port may follow"),
        ] {
            let error = parse_jumps(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
