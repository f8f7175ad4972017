//! Plans by digest, compressed and checked.
//!
//! Fails with `PlanConflict` when one digest is given for two contents, with `Corrupt` when a stored plan is damaged, and as SQLite fails.

use rusqlite::{Connection, OptionalExtension, params};

use super::codec;
use super::layout::Layout;
use super::schema::{from_db, to_db};
use crate::api::PlanInfo;
use crate::commit::{PLAN_MAX, PlanBlob};
use crate::error::{During, Result, StoreError};

/// Refuses a digest that is known with other content, in the store or in the same commit.
pub(crate) fn check_new(conn: &Connection, layout: &Layout, plans: &[PlanBlob]) -> Result<()> {
    for (at, plan) in plans.iter().enumerate() {
        let conflicts = match get(conn, layout, &plan.digest) {
            Ok(Some(stored)) => stored != plan.bytes,
            // A damaged plan is healed by storing it again.
            Err(StoreError::Corrupt { .. }) | Ok(None) => {
                plans[..at].iter().any(|other| other.digest == plan.digest && other.bytes != plan.bytes)
            }
            Err(error) => return Err(error),
        };
        if conflicts {
            return Err(StoreError::PlanConflict { digest: plan.digest.clone() });
        }
    }
    Ok(())
}

/// True when the plan is there.
pub(crate) fn is_stored(conn: &Connection, layout: &Layout, digest: &str) -> Result<bool> {
    conn.prepare_cached("SELECT 1 FROM plans WHERE digest = ?1")
        .and_then(|mut s| s.exists([digest]))
        .during("look for a plan", &layout.db())
}

/// Stores plans; one that is there only becomes newer, and a damaged one is replaced.
pub(crate) fn insert(conn: &Connection, layout: &Layout, plans: &[PlanBlob], now_ms: u64) -> Result<()> {
    for plan in plans {
        let sql = match get(conn, layout, &plan.digest) {
            Ok(Some(_)) => {
                renew(conn, layout, &plan.digest, now_ms)?;
                continue;
            }
            Ok(None) => "INSERT",
            Err(StoreError::Corrupt { .. }) => "INSERT OR REPLACE",
            Err(error) => return Err(error),
        };
        let body = codec::pack(&plan.bytes);
        let checksum = codec::checksum(&[plan.digest.as_bytes()], &body);
        let (raw_size, size) = (to_db(plan.bytes.len() as u64), to_db(body.len() as u64));
        conn.prepare_cached(&format!(
            "{sql} INTO plans(digest, stored_ms, raw_size, size, checksum, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        ))
        .and_then(|mut s| s.execute(params![plan.digest, to_db(now_ms), raw_size, size, checksum, body]))
        .during("store a plan", &layout.db())?;
    }
    Ok(())
}

fn renew(conn: &Connection, layout: &Layout, digest: &str, now_ms: u64) -> Result<()> {
    conn.prepare_cached("UPDATE plans SET stored_ms = max(stored_ms, ?2) WHERE digest = ?1")
        .and_then(|mut s| s.execute(params![digest, to_db(now_ms)]))
        .map(|_| ())
        .during("renew a plan", &layout.db())
}

/// A plan, checked.
pub(crate) fn get(conn: &Connection, layout: &Layout, digest: &str) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>, Vec<u8>)> = conn
        .prepare_cached("SELECT checksum, body FROM plans WHERE digest = ?1")
        .and_then(|mut s| s.query_row([digest], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .during("read a plan", &layout.db())?;
    let Some((checksum, body)) = row else {
        return Ok(None);
    };
    let corrupt = |problem: String| StoreError::corrupt("plans", format!("plan {digest}"), problem);
    if codec::checksum(&[digest.as_bytes()], &body)[..] != checksum[..] {
        return Err(corrupt("the checksum does not match".to_owned()));
    }
    codec::unpack(&body, PLAN_MAX).map(Some).map_err(corrupt)
}

/// The newest plans.
pub(crate) fn list(conn: &Connection, layout: &Layout, limit: u32) -> Result<Vec<PlanInfo>> {
    let op = "list plans";
    let mut statement = conn
        .prepare_cached(
            "SELECT digest, stored_ms, raw_size, (SELECT count(*) FROM jobs WHERE plan = digest) FROM plans ORDER BY stored_ms DESC, digest LIMIT ?1",
        )
        .during(op, &layout.db())?;
    let rows = statement
        .query_map([limit], |row| {
            Ok(PlanInfo {
                digest: row.get(0)?,
                stored_ms: from_db(row.get(1)?),
                bytes: from_db(row.get(2)?),
                jobs: from_db(row.get(3)?),
            })
        })
        .during(op, &layout.db())?;
    rows.collect::<rusqlite::Result<_>>().during(op, &layout.db())
}
