//! The scheduler itself: what it says of itself, its store, its end.

use std::path::Path;

use autoexec_model::api::{DaemonInfo, LineKind, ReportLine, RunnerRow, StoreReply, StoreVerb};
use autoexec_model::refusal::{Code, Refusal};
use autoexec_store::RetainPolicy;
use autoexec_wire::server::AdminApi;
use serde_json::json;

use super::{Services, store_refusal};
use crate::shelf::{SHELF, line};

impl AdminApi for Services {
    async fn info(&self) -> Result<DaemonInfo, Refusal> {
        let state_dir = self.state_dir.display().to_string();
        self.engine
            .query(move |engine| DaemonInfo {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                instance: engine.instance.clone(),
                state_dir,
                started_at: engine.started_at,
                live_jobs: engine.state.jobs.values().filter(|job| !job.state.is_final()).count() as u32,
                runners: engine
                    .state
                    .runners
                    .iter()
                    .map(|runner| RunnerRow {
                        name: runner.id.0.clone(),
                        connected: runner.connected,
                        live: runner.live,
                        capacity: runner.capacity,
                        version: runner.version.clone(),
                    })
                    .collect(),
                recovery: engine.recovery.clone(),
            })
            .await
    }

    async fn store(&self, verb: StoreVerb) -> Result<StoreReply, Refusal> {
        self.activity.touch();
        match verb {
            StoreVerb::Verify => self.verify().await,
            StoreVerb::Backup { to } => self.backup(to).await,
            StoreVerb::Stats => self.stats().await,
            StoreVerb::Prune { max_age, max_bytes } => self.prune(max_age, max_bytes).await,
        }
    }

    async fn shutdown(&self, idle_only: bool) -> Result<(), Refusal> {
        let live =
            self.engine.query(|engine| engine.state.jobs.values().filter(|job| !job.state.is_final()).count()).await?;
        if idle_only && live > 0 {
            return Err(Refusal::new(Code::Illegal, format!("{live} jobs are not finished"))
                .hint("they would go on after a restart; say so explicitly to stop all the same"));
        }
        self.shutdown.send_replace(true);
        Ok(())
    }
}

impl Services {
    async fn verify(&self) -> Result<StoreReply, Refusal> {
        let seen = self.read_store(|reader| reader.verify()).await?;
        let ok = seen.problems.is_empty();
        let mut report = vec![
            text(format!(
                "{} events in {} rows, {} plans, {} blobs",
                seen.events, seen.event_rows, seen.plans, seen.blobs
            )),
            text(format!("{} frames of output, {} pieces lost", seen.frames, seen.lost_pieces)),
        ];
        report.extend(seen.problems.iter().map(|problem| line(LineKind::Warning, 0, problem.to_string())));
        report.push(if ok {
            text("the store is in order")
        } else {
            line(LineKind::Warning, 0, "the store is damaged; restore a backup")
        });
        let problems: Vec<String> = seen.problems.iter().map(ToString::to_string).collect();
        let json = json!({
            "ok": ok, "events": seen.events, "event_rows": seen.event_rows, "plans": seen.plans, "blobs": seen.blobs,
            "frames": seen.frames, "lost_pieces": seen.lost_pieces, "problems": problems,
        });
        Ok(StoreReply { report, json, ok })
    }

    async fn backup(&self, to: String) -> Result<StoreReply, Refusal> {
        if !Path::new(&to).is_absolute() {
            return Err(Refusal::new(Code::Invalid, format!("`{to}` is not an absolute path")));
        }
        let folder = to.clone();
        let seen = self.read_store(move |reader| reader.backup(Path::new(&folder))).await?;
        // After the store, so that the tools and files of every job in the copy are in it too.
        let (shelf, folder) = (std::sync::Arc::clone(&self.shelf), Path::new(&to).join(SHELF));
        tokio::task::spawn_blocking(move || shelf.copy_to(&folder))
            .await
            .map_err(|error| Refusal::new(Code::Internal, format!("the copy failed: {error}")))??;
        let report = vec![
            text(format!("{} events and {} bytes copied to {to}", seen.events, seen.bytes)),
            line(LineKind::Faint, 0, "it holds the key of the secrets too: guard it like the store"),
        ];
        Ok(StoreReply {
            report,
            json: json!({ "ok": true, "to": to, "events": seen.events, "bytes": seen.bytes }),
            ok: true,
        })
    }

    async fn stats(&self) -> Result<StoreReply, Refusal> {
        let seen = self.read_store(|reader| reader.stats()).await?;
        let report = vec![
            text(format!("{} jobs, {} of them not over", seen.jobs, seen.live_jobs)),
            text(format!("{} events in {} rows", seen.events, seen.event_rows)),
            text(format!(
                "{} bytes in the database, {} in outputs, {} in blobs",
                seen.db_bytes, seen.output_bytes, seen.blob_bytes
            )),
        ];
        let json = json!({
            "jobs": seen.jobs, "live_jobs": seen.live_jobs, "events": seen.events, "event_rows": seen.event_rows,
            "db_bytes": seen.db_bytes, "event_bytes": seen.event_bytes, "plans": seen.plans, "output_bytes": seen.output_bytes, "blob_bytes": seen.blob_bytes,
        });
        Ok(StoreReply { report, json, ok: true })
    }

    async fn prune(&self, max_age: Option<u64>, max_bytes: Option<u64>) -> Result<StoreReply, Refusal> {
        let policy = RetainPolicy { max_age_ms: max_age, max_bytes, ..RetainPolicy::default() };
        let (mut jobs, mut bytes) = (Vec::new(), 0);
        loop {
            let seen = self
                .engine
                .query(move |engine| engine.retain(&policy))
                .await?
                .map_err(|error| store_refusal(&error))?;
            jobs.extend(seen.jobs.iter().copied());
            bytes += seen.bytes;
            if !seen.more {
                break;
            }
        }
        let report = vec![text(format!("{} jobs and {bytes} bytes removed", jobs.len()))];
        Ok(StoreReply { report, json: json!({ "ok": true, "jobs": jobs, "bytes": bytes }), ok: true })
    }
}

fn text(text: impl Into<String>) -> ReportLine {
    line(LineKind::Text, 0, text)
}
