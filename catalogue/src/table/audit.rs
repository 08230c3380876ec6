//! `check` and `repair`: compare derived data with its sources, page by page.

use clap::Args;
use indicatif::ProgressBar;
use threadline::store::Store;
use threadline::store::meter::Metered;
use threadline::stream::{AuditCursor, Auditor};

use crate::error::Error;
use crate::output::print;

/// The option that sets the start of an audit.
#[derive(Debug, Args)]
pub struct AuditStart {
    /// Continue an earlier run, from the cursor that it printed
    #[arg(long, value_name = "CURSOR")]
    from: Option<AuditCursor>,
}

/// The action on discrepancies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Check,
    Repair,
}

/// Audits the whole table, and prints each finding. Returns `true` if no discrepancy remains. An error or Ctrl-C prints
/// the cursor to continue from.
pub(super) async fn audit(
    store: impl Store + Clone + 'static,
    start: &AuditStart,
    action: Action,
) -> Result<bool, Error> {
    let store = Metered::new(store);
    let auditor = Auditor::new(store.clone());
    // Hidden if the output is no terminal.
    let progress = ProgressBar::new_spinner();
    let (mut cursor, mut items, mut open, mut repaired) = (start.from.clone(), 0, 0, 0);
    // Ctrl-C ends the audit after the current page, so that its repairs are printed.
    let ctrl_c = tokio::spawn(async {
        // Without a signal handler, the audit runs to the end of the table.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    loop {
        let page = match action {
            Action::Check => auditor.check(cursor.clone()).await,
            Action::Repair => auditor.repair(cursor.clone()).await,
        };
        let page =
            page.map_err(|error| Error::Stopped { cursor: cursor_text(cursor.as_ref()), source: Some(error) })?;
        for finding in &page.findings {
            progress.suspend(|| print(&format!("  {finding}\n")))?;
            *if finding.repaired { &mut repaired } else { &mut open } += 1;
        }
        items += page.items;
        progress.set_message(format!("{items} items, {} findings", repaired + open));
        progress.tick();
        cursor = page.next;
        if cursor.is_none() {
            break;
        } else if ctrl_c.is_finished() {
            return Err(Error::Stopped { cursor: cursor_text(cursor.as_ref()), source: None });
        }
    }
    progress.finish_and_clear();
    print(&format!(
        "Items: {items}; findings: {}; repaired: {repaired}; consumed: {}\n",
        repaired + open,
        store.total()
    ))?;
    Ok(open == 0)
}

fn cursor_text(cursor: Option<&AuditCursor>) -> String {
    match cursor {
        Some(cursor) => format!("continue with --from {cursor}"),
        None => "it has not begun".to_owned(),
    }
}
