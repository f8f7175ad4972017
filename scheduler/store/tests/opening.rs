//! Who may open what: the lock, modes of files, other people's directories, newer formats, lost parts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use autoexec_store::{EmbeddedReader, EmbeddedStore, OpenOptions, Store, StoreError};
use rusqlite::Connection;

use crate::fixture::{Home, NOW, append, append_events, chunk, secret, stdout, texts};

fn reopen_error(home: &Home) -> StoreError {
    EmbeddedStore::open(&home.path(), &OpenOptions::new(NOW)).unwrap_err()
}

#[test]
fn a_second_opening_is_refused_and_names_the_holder() {
    let home = Home::new();
    let store = home.open();
    let error = reopen_error(&home);
    assert!(matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error:?}");
    assert!(error.to_string().ends_with(&format!("is in use by process {}", std::process::id())), "{error}");
    drop(store);
    home.open();
}

#[test]
fn everything_is_for_its_owner_only() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.output.push(chunk(stdout(1, 0), 0, "hello")));
    store.put_blob(&mut &b"blob"[..], NOW).unwrap();
    let mut files = 0;
    let mut look = vec![home.path()];
    while let Some(path) = look.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            look.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 7, "store.db, its log and shared memory, key, lock, a segment, a blob: {files}");
}

#[test]
fn the_instance_and_the_time_of_creation_stay() {
    let home = Home::new();
    let (store, first) = home.open_with_report();
    assert!(first.created && first.clean && first.created_ms == NOW && first.format == (1, 0), "{first:?}");
    assert!(first.instance.len() == 8 && first.instance.bytes().all(|b| b.is_ascii_hexdigit()));
    store.close().unwrap();
    let (_, second) = EmbeddedStore::open(&home.path(), &OpenOptions::new(NOW + 5)).unwrap();
    assert_eq!((second.instance, second.created_ms, second.created), (first.instance, NOW, false));
    assert_ne!(Home::new().open_with_report().1.instance, "");
}

#[test]
fn a_store_that_was_dropped_counts_as_unclean_and_loses_nothing() {
    let home = Home::new();
    let mut store = home.open();
    append_events(&mut store, 1, &["a"]);
    drop(store);
    let (store, report) = home.open_with_report();
    assert!(!report.clean && report.repairs.is_empty(), "{report:?}");
    assert_eq!(texts(store.reader().read_job(1)), ["a"]);
}

#[test]
fn a_newer_major_format_is_refused_and_a_newer_minor_is_not() {
    let home = Home::new();
    home.open().close().unwrap();
    let set = |format: &str| {
        let conn = Connection::open(home.path().join("store.db")).unwrap();
        conn.execute("UPDATE meta SET value = ?1 WHERE name = 'format'", [format]).unwrap();
    };
    set("1.9");
    assert_eq!(home.open_with_report().1.format, (1, 9));
    set("2.0");
    let error = reopen_error(&home);
    assert!(matches!(error, StoreError::NewerFormat { found: (2, 0), known: (1, 0), .. }), "{error:?}");
    assert!(matches!(EmbeddedReader::open(&home.path()), Err(StoreError::NewerFormat { .. })));
    set("nonsense");
    assert!(matches!(reopen_error(&home), StoreError::NotAStore { .. }));
}

#[test]
fn a_database_of_something_else_is_refused() {
    let home = Home::new();
    fs::create_dir(home.path()).unwrap();
    Connection::open(home.path().join("store.db")).unwrap().execute_batch("CREATE TABLE theirs(x)").unwrap();
    let error = reopen_error(&home);
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error:?}");
    fs::write(home.path().join("store.db"), "not a database at all, but long enough to be looked at by anyone who opens it, and with a few more words behind").unwrap();
    let error = reopen_error(&home);
    assert!(matches!(error, StoreError::Corrupt { table: "store.db", .. }), "{error:?}");
    assert!(EmbeddedReader::open(&home.dir.path().join("nothing here")).is_err());
}

#[test]
fn a_crash_while_the_store_was_made_is_repaired_by_making_it() {
    let home = Home::new();
    fs::create_dir(home.path()).unwrap();
    fs::write(home.path().join("store.db"), "").unwrap();
    let (store, report) = home.open_with_report();
    assert!(report.created);
    drop(store);
}

#[test]
fn a_lost_database_is_not_replaced_by_an_empty_one() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.output.push(chunk(stdout(1, 0), 0, "hello")));
    store.close().unwrap();
    fs::remove_file(home.path().join("store.db")).unwrap();
    let error = reopen_error(&home);
    assert!(matches!(error, StoreError::Incomplete { missing: "store.db", .. }), "{error:?}");
    assert!(home.path().join("outputs/1/000001.seg").exists(), "nothing was removed");
}

#[test]
fn a_key_that_others_may_read_or_that_is_lost_is_refused() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.secrets.push(secret(1, "password", "s3cret")));
    store.close().unwrap();
    let key = home.path().join("secret.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let error = reopen_error(&home);
    assert!(matches!(error, StoreError::KeyPermissions { mode: 0o640, .. }), "{error:?}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let content = fs::read(&key).unwrap();
    fs::write(&key, &content[..20]).unwrap();
    assert!(matches!(reopen_error(&home), StoreError::KeyMalformed { .. }));
    fs::remove_file(&key).unwrap();
    assert!(matches!(reopen_error(&home), StoreError::Incomplete { missing: "secret.key", .. }));
    fs::write(&key, &content).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(home.open().secrets(1).unwrap()["password"].expose(), b"s3cret");
}
