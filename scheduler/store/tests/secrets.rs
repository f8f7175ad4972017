//! Secrets come back to their job only, and are nowhere in plain bytes.

use std::fs;

use autoexec_store::Store;
use rusqlite::Connection;

use crate::fixture::{Home, append, secret};

const VALUE: &str = "correct horse battery staple";

#[test]
fn secrets_come_back_replaced_and_deleted() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.secrets = vec![secret(1, "a", VALUE), secret(1, "b", ""), secret(2, "a", "other")]);
    append(&mut store, |c| c.secrets = vec![secret(1, "a", "new")]);
    store.close().unwrap();
    let mut store = home.open();
    let secrets = store.secrets(1).unwrap();
    assert_eq!(secrets.len(), 2);
    assert_eq!((secrets["a"].expose(), secrets["b"].expose()), (&b"new"[..], &b""[..]));
    assert_eq!(format!("{secrets:?}"), r#"{"a": [redacted], "b": [redacted]}"#);
    assert_eq!(store.delete_secrets(1).unwrap(), 2);
    assert!(store.secrets(1).unwrap().is_empty());
    assert_eq!(store.secrets(2).unwrap()["a"].expose(), b"other");
    assert!(store.secrets(3).unwrap().is_empty());
}

#[test]
fn no_file_holds_the_plain_value() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.secrets = vec![secret(1, "a", VALUE)]);
    for file in ["store.db", "store.db-wal"] {
        let bytes = fs::read(home.path().join(file)).unwrap();
        assert!(!bytes.windows(VALUE.len()).any(|w| w == VALUE.as_bytes()), "{file}");
    }
}

#[test]
fn a_sealed_value_does_not_open_for_another_job_or_name() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.secrets = vec![secret(1, "a", VALUE)]);
    store.close().unwrap();
    let conn = Connection::open(home.path().join("store.db")).unwrap();
    conn.execute("UPDATE secrets SET job = 2", []).unwrap();
    drop(conn);
    let store = home.open();
    let error = store.secrets(2).unwrap_err();
    assert!(error.to_string().contains("cannot open secret \"a\" of job 2"), "{error}");
    assert!(!error.to_string().contains(VALUE));
    let report = store.reader().verify().unwrap();
    assert!(report.problems.len() == 1 && report.secrets == 0, "{report:?}");
}
