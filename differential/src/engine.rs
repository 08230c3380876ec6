//! The stores to compare with, each on a new table.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client as StreamsClient;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use threadline::store::dynamodb::local_client;
use threadline::stream::{StreamRecord, local_streams_client};
use threadline::table::TableSpec;
use threadline::{Clock, DynamoDbStore};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::compare::{Record, Records};

/// A failure of the test itself, which is no difference.
pub(crate) type Failed = Box<dyn Error + Send + Sync>;

/// A store to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Engine {
    /// Amazon's DynamoDB Local, at the endpoint.
    Local,
    /// The emulator dynoxide, in this process.
    Dynoxide,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "DynamoDB Local",
            Self::Dynoxide => "dynoxide",
        }
    }
}

/// A new table of a store.
pub(crate) struct Table {
    pub(crate) engine: Engine,
    pub(crate) store: DynamoDbStore,
    client: aws_sdk_dynamodb::Client,
    /// The streams, if the table has one.
    streams: Option<StreamsClient>,
    spec: TableSpec,
    /// Ends the server when dropped.
    _server: Option<oneshot::Sender<()>>,
}

impl Table {
    pub(crate) async fn create(
        engine: Engine,
        local: &str,
        name: &str,
        stream: bool,
        clock: impl Clock + 'static,
    ) -> Result<Self, Failed> {
        let (endpoint, server) = match engine {
            Engine::Local => (local.to_owned(), None),
            Engine::Dynoxide => {
                let (endpoint, server) = serve_dynoxide().await?;
                (endpoint, Some(server))
            }
        };
        let client = local_client(&endpoint);
        // No expired item may be deleted during a comparison.
        let spec = TableSpec::new(name).deletion_protection(false).time_to_live(false).point_in_time_recovery(false);
        let spec = if stream { spec } else { spec.stream(None) };
        spec.create(&client).await?;
        let store = DynamoDbStore::new(client.clone(), name).clock(clock);
        let streams = stream.then(|| local_streams_client(&endpoint));
        Ok(Self { engine, store, client, streams, spec, _server: server })
    }

    pub(crate) async fn delete(self) -> Result<(), Failed> {
        Ok(self.spec.delete(&self.client).await?)
    }

    /// Returns the records of the table's stream, if it has one; `expected` is their number. The end of a stream is not
    /// visible: it counts as read after a while without records.
    pub(crate) async fn records(&self, expected: usize) -> Result<Option<Records>, Failed> {
        let Some(streams) = &self.streams else { return Ok(None) };
        let mut records = Records::new();
        let mut count = 0;
        let listed = streams.list_streams().table_name(self.spec.name()).send().await?;
        for stream in listed.streams() {
            let arn = stream.stream_arn().ok_or("a stream without an ARN")?;
            let described = streams.describe_stream().stream_arn(arn).send().await?;
            let described = described.stream_description().ok_or("a stream without a description")?;
            for shard in described.shards() {
                let request = streams.get_shard_iterator().stream_arn(arn).set_shard_id(shard.shard_id.clone());
                let answer = request.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
                let mut iterator = answer.shard_iterator;
                let mut empty = 0;
                while let Some(from) = iterator {
                    let page = streams.get_records().shard_iterator(from).send().await?;
                    iterator = page.next_shard_iterator;
                    let page = page.records.unwrap_or_default();
                    if page.is_empty() {
                        empty += 1;
                        if empty > 2 && count >= expected || empty > 50 {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    } else {
                        empty = 0;
                    }
                    for record in page {
                        let record = StreamRecord::from(record);
                        count += 1;
                        let StreamRecord { kind, old, new, .. } = record.clone();
                        records.entry(record.key()?).or_default().push(Record { kind, old, new });
                    }
                }
            }
        }
        Ok(Some(records))
    }
}

/// Starts dynoxide in memory, on a free port.
async fn serve_dynoxide() -> Result<(String, oneshot::Sender<()>), Failed> {
    let database = dynoxide::Database::memory()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let (server, ended) = oneshot::channel::<()>();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
        // Ends when the message is sent or dropped.
        let _ = ended.await;
    }));
    Ok((endpoint, server))
}
