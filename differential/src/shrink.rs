//! Reduces an episode with a difference to few operations that show it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::engine::Failed;
use crate::episode::{Difference, Lab};
use crate::operation::Operation;
use crate::tally::Tally;

/// The maximum time for running the operations again.
const MOST_TIME: Duration = Duration::from_secs(60);

/// Returns fewer operations that still end in a difference of the same aspect, and that difference.
pub(crate) async fn shrink(
    lab: &Lab,
    mut operations: Vec<Operation>,
    stream: bool,
    mut difference: Difference,
) -> Result<(Vec<Operation>, Difference), Failed> {
    if let Some(at) = difference.at {
        operations.truncate(at + 1);
    }
    let end = Instant::now() + MOST_TIME;
    // Operations on other partitions hardly matter.
    let partitions: Option<BTreeSet<String>> = match (&difference.partition, operations.last()) {
        (Some(partition), _) => Some([partition.clone()].into()),
        (None, Some(last)) => last.partitions().map(|names| names.into_iter().map(str::to_owned).collect()),
        (None, None) => None,
    };
    if let Some(partitions) = partitions {
        let meets = |operation: &&Operation| {
            let names = operation.partitions();
            names.is_none_or(|names| names.iter().any(|name| partitions.contains(*name)))
        };
        let fewer: Vec<Operation> = operations.iter().filter(meets).cloned().collect();
        if let Some((fewer, found)) = still(lab, fewer, stream, &difference).await? {
            (operations, difference) = (fewer, found);
        }
    }
    let mut step = operations.len() / 2;
    while step > 0 && Instant::now() < end {
        let mut from = 0;
        while from < operations.len() && Instant::now() < end {
            let to = (from + step).min(operations.len());
            let mut fewer = operations.clone();
            fewer.drain(from..to);
            match still(lab, fewer, stream, &difference).await? {
                Some((fewer, found)) => (operations, difference) = (fewer, found),
                None => from = to,
            }
        }
        step /= 2;
    }
    Ok((operations, difference))
}

/// Returns the operations up to the difference, if they have one of the same aspect.
async fn still(
    lab: &Lab,
    mut operations: Vec<Operation>,
    stream: bool,
    difference: &Difference,
) -> Result<Option<(Vec<Operation>, Difference)>, Failed> {
    let found =
        lab.play(&[difference.engine], &operations, stream, &mut Tally::default(), &ProgressBar::hidden()).await?;
    let Some(found) = found.filter(|found| found.aspects == difference.aspects) else { return Ok(None) };
    if let Some(at) = found.at {
        operations.truncate(at + 1);
    }
    Ok(Some((operations, found)))
}
