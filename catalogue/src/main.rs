//! Prints the picture of the single table: `cargo run -p threadline-catalogue > docs/single-table.svg`.

use threadline_catalogue::{golden, single_table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    print!("{}", single_table(&golden::conversation().await?)?);
    Ok(())
}
