//! The differential runs the same generated operations on the in-memory store and on other stores with DynamoDB's API.
//! It compares every answer and every record.

mod answer;
mod compare;
mod engine;
mod episode;
mod generate;
mod operation;
mod order;
mod predicate;
mod show;
mod shrink;
mod tally;
mod tolerated;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use engine::{Engine, Failed};
use episode::{Difference, Lab};
use indicatif::{ProgressBar, ProgressStyle};
use operation::Operation;
use tally::Tally;
use tolerated::TOLERATED;

/// The length of a run that should meet every tolerated difference.
const LONG: u64 = 100_000;

/// Runs the same generated operations on Threadline's in-memory store, DynamoDB Local and dynoxide, and compares the
/// answers. A difference that is not tolerated ends the run.
#[derive(Debug, Parser)]
struct Arguments {
    /// The number of operations, in whole episodes
    #[arg(long, default_value_t = 100_000)]
    operations: u64,

    /// The seed of the operations
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The first episode
    #[arg(long, default_value_t = 0)]
    episode: u64,

    /// The address of DynamoDB Local
    #[arg(long, value_name = "URL", env = "DYNAMODB_ENDPOINT", default_value = "http://127.0.0.1:8000")]
    endpoint: String,

    /// The stores to compare with
    #[arg(long, value_enum, value_delimiter = ',', default_value = "local,dynoxide")]
    against: Vec<Engine>,

    /// The number of concurrent episodes
    #[arg(long, default_value_t = 8)]
    at_once: usize,

    /// The number of differences after which to stop
    #[arg(long, default_value_t = 1)]
    differences: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// The state that the tasks of a run share.
struct Run {
    arguments: Arguments,
    lab: Lab,
    bar: ProgressBar,
    next: AtomicU64,
    end: u64,
    stop: AtomicBool,
}

/// An episode with a difference.
struct Found {
    episode: u64,
    operations: Vec<Operation>,
    difference: Difference,
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failed> {
    let started = Instant::now();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let lab = Lab {
        local: arguments.endpoint.clone(),
        run: format!("diff-{:x}", since_epoch.as_millis()),
        tables: AtomicU64::new(0),
    };
    let bar = ProgressBar::new(arguments.operations).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {human_pos} of {human_len}, {per_sec}",
    )?);
    bar.enable_steady_tick(Duration::from_millis(500));
    let (first, mut end, mut planned) = (arguments.episode, arguments.episode, 0);
    while planned < arguments.operations {
        planned += generate::length(end);
        end += 1;
    }
    bar.set_length(planned);
    let run = Arc::new(Run { lab, bar, next: AtomicU64::new(first), end, stop: AtomicBool::new(false), arguments });
    let mut tasks = Vec::new();
    for _ in 0..run.arguments.at_once {
        tasks.push(tokio::spawn(work(run.clone())));
    }
    let (mut tally, mut found) = (Tally::default(), Vec::new());
    for task in tasks {
        let (counted, differences) = task.await??;
        tally += counted;
        found.extend(differences);
    }
    run.bar.finish_and_clear();
    let took = started.elapsed();
    let found_any = !found.is_empty();
    found.sort_by_key(|found| found.episode);
    let mut shown: Vec<(Engine, Option<&str>, Vec<compare::Aspect>)> = Vec::new();
    for found in found {
        let name = found.difference.at.map(|at| found.operations[at].name());
        let signature = (found.difference.engine, name, found.difference.aspects.clone());
        if shown.contains(&signature) {
            continue;
        }
        shown.push(signature);
        report(&run, found).await?;
    }
    let all_met = summary(&run, &tally, took);
    Ok(if found_any || !all_met { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs one episode after the other.
async fn work(run: Arc<Run>) -> Result<(Tally, Vec<Found>), Failed> {
    let (mut tally, mut found) = (Tally::default(), Vec::new());
    while !run.stop.load(Ordering::Relaxed) {
        let episode = run.next.fetch_add(1, Ordering::Relaxed);
        if episode >= run.end {
            break;
        }
        let operations = generate::operations(run.arguments.seed, episode);
        let played = run
            .lab
            .play(&run.arguments.against, &operations, generate::has_stream(episode), &mut tally, &run.bar)
            .await;
        // The other tasks need not continue and meet the same failure.
        let played = played.inspect_err(|_| run.stop.store(true, Ordering::Relaxed))?;
        if let Some(difference) = played {
            // Printed at once, since shrinking takes time.
            let last = difference.at.map_or_else(String::new, |at| show::operation(&operations[at]));
            run.bar.suspend(|| eprintln!("episode {episode}: {:?}\n{last}\n{}", difference.aspects, difference.text));
            found.push(Found { episode, operations, difference });
            if found.len() >= run.arguments.differences {
                run.stop.store(true, Ordering::Relaxed);
            }
        }
    }
    Ok((tally, found))
}

/// Prints a difference, and the fewest operations that show it.
async fn report(run: &Run, found: Found) -> Result<(), Failed> {
    let Found { episode, operations, difference } = found;
    let place = difference.at.map_or_else(|| "at its end".to_owned(), |at| format!("at operation {at}"));
    println!(
        "\nA DIFFERENCE with {} in {:?}, seed {}, episode {episode}, {place}",
        difference.engine.name(),
        difference.aspects,
        run.arguments.seed,
    );
    let of_one = generate::length(episode);
    println!("run it again with --seed {} --episode {episode} --operations {of_one}", run.arguments.seed);
    let (operations, difference) =
        shrink::shrink(&run.lab, operations, generate::has_stream(episode), difference).await?;
    println!("{} operations show it:", operations.len());
    for operation in &operations {
        println!("  {}", show::operation(operation));
    }
    println!("{}", difference.text);
    Ok(())
}

/// Prints the counts. Returns `true` if a long run has met every possible tolerated difference.
fn summary(run: &Run, tally: &Tally, took: Duration) -> bool {
    let engines: Vec<&str> = run.arguments.against.iter().map(|engine| engine.name()).collect();
    println!(
        "\n{} operations, {} pages and {} changes of items, seed {}, on the in-memory store and on {}, in {} s",
        tally.operations,
        tally.pages,
        tally.changes,
        run.arguments.seed,
        engines.join(" and "),
        took.as_secs(),
    );
    for ((operation, outcome), count) in &tally.outcomes {
        println!("{count:>10}  {operation} {outcome}");
    }
    println!("Differences that are tolerated, and how often each was met:");
    let mut all_met = true;
    for (row, met) in TOLERATED.iter().zip(&tally.met) {
        let engines: Vec<&str> = row
            .engines
            .iter()
            .filter(|engine| run.arguments.against.contains(engine))
            .map(|engine| engine.name())
            .collect();
        if engines.is_empty() {
            continue;
        }
        println!("{met:>10}  {}: {}. {} {} ({})", engines.join(", "), row.name, row.what, row.why, row.link);
        if *met == 0 && tally.operations >= LONG {
            println!("            NEVER MET: remove the row, or generate what meets it");
            all_met = false;
        }
    }
    all_met
}
