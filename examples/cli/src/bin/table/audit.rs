//! `check` and `repair`: compare derived data with its sources, page by page.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use threadline::store::Store;
use threadline::store::meter::Metered;
use threadline::stream::{AuditCursor, Auditor};
use threadline_examples::say;

/// The start of an audit.
#[derive(Debug, Args)]
pub(crate) struct From {
    /// Continue an earlier run, from the cursor that it printed
    #[arg(long, value_name = "CURSOR")]
    from: Option<AuditCursor>,
}

/// The action on discrepancies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Check,
    Repair,
}

/// Audits the whole table, and prints each finding. An error or Ctrl-C prints the cursor to continue from.
pub(crate) async fn audit(
    store: impl Store + Clone + 'static,
    from: &From,
    what: What,
) -> Result<ExitCode, Box<dyn Error>> {
    let store = Metered::new(store);
    let auditor = Auditor::new(store.clone());
    // Hidden if the output is no terminal.
    let progress = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} items {msg}")?);
    let (mut cursor, mut items, mut open) = (from.from.clone(), 0, 0);
    let mut repaired = 0;
    // Ctrl-C ends the audit after the current page, so that its repairs are printed.
    let ctrl_c = tokio::spawn(async {
        // Without a signal handler, the audit runs to the end of the table.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    loop {
        let page = match what {
            What::Check => auditor.check(cursor.clone()).await,
            What::Repair => auditor.repair(cursor.clone()).await,
        };
        let page = page.inspect_err(|_| print_cursor(cursor.as_ref()))?;
        for finding in &page.findings {
            progress.suspend(|| say!("  {finding}"));
            *if finding.repaired { &mut repaired } else { &mut open } += 1;
        }
        items += page.items;
        progress.inc(u64::try_from(page.items)?);
        progress.set_message(format!("{} findings", repaired + open));
        cursor = page.next;
        if cursor.is_none() {
            break;
        } else if ctrl_c.is_finished() {
            print_cursor(cursor.as_ref());
            return Err("stopped before the end of the table".into());
        }
    }
    progress.finish_and_clear();
    say!("Items: {items}; findings: {}; repaired: {repaired}; consumed: {}", repaired + open, store.total());
    Ok(if open == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_cursor(cursor: Option<&AuditCursor>) {
    if let Some(cursor) = cursor {
        threadline_examples::warn!("to continue from here: --from {cursor}");
    }
}
