//! Turns bytes into one word of POSIX shell text, on a single line, whatever the bytes are.
//!
//! The words are read by `read -r` and evaluated by `eval`, where `ax_n` holds a newline. The only byte that cannot be
//! carried is NUL: no environment or argument can hold it either.

/// The value holds a NUL byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a NUL byte cannot be part of an argument or environment value")]
pub(crate) struct HasNul;

/// Appends `bytes` as one quoted word without a newline.
pub(crate) fn quote_into(to: &mut Vec<u8>, bytes: &[u8]) -> Result<(), HasNul> {
    to.push(b'\'');
    for &byte in bytes {
        match byte {
            0 => return Err(HasNul),
            b'\'' => to.extend_from_slice(br#"'"'"'"#),
            b'\n' => to.extend_from_slice(br#"'"$ax_n"'"#),
            other => to.push(other),
        }
    }
    to.push(b'\'');
    Ok(())
}

/// The quoted word.
pub(crate) fn quote(bytes: &[u8]) -> Result<Vec<u8>, HasNul> {
    let mut word = Vec::with_capacity(bytes.len() + 8);
    quote_into(&mut word, bytes)?;
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_single_lines() {
        let word = quote(b"it's\n$x").unwrap();
        assert_eq!(word, br#"'it'"'"'s'"$ax_n"'$x'"#);
        assert_eq!(quote(b"a\0b"), Err(HasNul));
    }
}
