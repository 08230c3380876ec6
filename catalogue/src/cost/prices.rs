//! Prices, and amounts of money.

use std::fmt;
use std::iter::Sum;

use clap::Args;

use super::inputs::within;
use crate::error::Error;

/// The prices of a region in US dollars. Default: those of us-east-1, for the standard table class.
///
/// Sources: [on-demand](https://aws.amazon.com/dynamodb/pricing/on-demand/) and
/// [provisioned](https://aws.amazon.com/dynamodb/pricing/provisioned/) prices of AWS.
#[derive(Clone, Debug, PartialEq, Args)]
#[non_exhaustive]
pub struct Prices {
    /// Region and date of the prices, as the output shows them.
    #[arg(long, value_name = "TEXT")]
    pub prices_of: Option<String>,
    /// Price of a million write request units.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.write_million)]
    pub write_million: f64,
    /// Price of a million read request units.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.read_million)]
    pub read_million: f64,
    /// Price of a provisioned write unit for an hour.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.wcu_hour)]
    pub wcu_hour: f64,
    /// Price of a provisioned read unit for an hour.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.rcu_hour)]
    pub rcu_hour: f64,
    /// Price of a stored GB for a month.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.storage_gb)]
    pub storage_gb: f64,
    /// GB that are stored free of charge. All tables of the account in the region share this amount.
    #[arg(long, value_name = "GB", default_value_t = Self::DEFAULT.free_gb)]
    pub free_gb: f64,
    /// Price of a GB with point-in-time recovery for a month.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.pitr_gb)]
    pub pitr_gb: f64,
    /// Price of a million reads of the stream by a poller.
    #[arg(long, value_name = "USD", default_value_t = Self::DEFAULT.stream_million)]
    pub stream_million: f64,
    /// Millions of reads of the stream that are free of charge each month.
    #[arg(long, value_name = "MILLIONS", default_value_t = Self::DEFAULT.free_stream_millions)]
    pub free_stream_millions: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Prices {
    pub(super) const DEFAULT: Self = Self {
        prices_of: None,
        write_million: 0.625,
        read_million: 0.125,
        wcu_hour: 0.000_65,
        rcu_hour: 0.000_13,
        storage_gb: 0.25,
        free_gb: 25.0,
        pitr_gb: 0.2,
        stream_million: 0.2,
        free_stream_millions: 2.5,
    };
    /// The region and the date of the default prices.
    const DEFAULT_OF: &str = "us-east-1, 2026-08-01";

    /// Returns the region and the date of the prices. Prices that the caller changed have none by default.
    pub(super) fn source(&self) -> &str {
        match &self.prices_of {
            Some(source) => source,
            None if *self == Self::DEFAULT => Self::DEFAULT_OF,
            None => "prices of your own",
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        for (name, value) in [
            ("write-million", self.write_million),
            ("read-million", self.read_million),
            ("wcu-hour", self.wcu_hour),
            ("rcu-hour", self.rcu_hour),
            ("storage-gb", self.storage_gb),
            ("free-gb", self.free_gb),
            ("pitr-gb", self.pitr_gb),
            ("stream-million", self.stream_million),
            ("free-stream-millions", self.free_stream_millions),
        ] {
            within(name, value, 0.0, 1e6)?;
        }
        Ok(())
    }
}

/// An amount of money in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Money {
    dollars: f64,
}

impl Money {
    pub(super) fn new(dollars: f64) -> Self {
        Self { dollars }
    }

    /// Returns the amount in dollars, with all its digits.
    pub fn dollars(self) -> f64 {
        self.dollars
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        // An empty sum of `f64` is -0.0, which would print its sign.
        Self::new(amounts.fold(0.0, |sum, amount| sum + amount.dollars))
    }
}

/// Shows the amount with two digits, half a cent rounded up: `1,234.50`. Less than a cent is `< 0.01`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dollars > 0.0 && self.dollars < 0.01 {
            return f.pad("< 0.01");
        }
        // The small addend repairs products such as 0.145, which are stored as slightly less.
        f.pad(&grouped((self.dollars * 100.0 + 1e-6).round() / 100.0, 2))
    }
}

/// Returns a number with commas between groups of three digits.
pub(super) fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    fraction.map(|fraction| format!("{grouped}.{fraction}")).unwrap_or(grouped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_digits_and_admits_small_amounts() {
        for (dollars, text) in [
            (0.0, "0.00"),
            (0.009, "< 0.01"),
            (0.01, "0.01"),
            (0.625, "0.63"),
            (0.145, "0.15"),
            (999.995, "1,000.00"),
            (1_234_567.891, "1,234,567.89"),
        ] {
            assert_eq!(Money::new(dollars).to_string(), text);
        }
        assert_eq!([].into_iter().sum::<Money>().to_string(), "0.00");
    }
}
