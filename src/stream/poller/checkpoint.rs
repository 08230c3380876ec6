//! The checkpoint of a shard: an entity of the table.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::key::{Key, PartitionKey, SortKey, SortKeyPrefix};
use crate::stored::Entity;
use crate::stream::{SequenceNumber, StreamRecord};
use crate::tag::Tag;
use crate::tag::tag;
use crate::text::KeySegment;

const STREAM: Tag = tag!("STREAM");
const SHARD: Tag = tag!("SHARD");

/// The position up to which the poller has read a shard, at `STREAM#<UUIDv5 of the stream's ARN>` / `SHARD#<shard id>`.
///
/// The key contains a UUID because an ARN may be longer than a key segment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    stream_arn: String,
    pub(super) shard_id: KeySegment,
    /// The parent shard, which is read first. Checkpoints of version 0.1 do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<KeySegment>,
    pub(super) position: Position,
    /// `true` if the first list of the stream had the shard. A parent that was gone by then does not count as lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_first: bool,
}

/// A position in a shard. It is stored with the service's names: `TRIM_HORIZON`, `SHARD_END` or a sequence number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) enum Position {
    /// Before the oldest available record.
    TrimHorizon,
    /// After this record.
    After(SequenceNumber),
    /// After the last record of a closed shard.
    End,
}

impl Checkpoint {
    pub(super) fn new(stream_arn: &str, shard_id: &KeySegment, parent: Option<KeySegment>, position: Position) -> Self {
        Self { stream_arn: stream_arn.to_owned(), shard_id: shard_id.clone(), parent, position, is_first: false }
    }

    /// Returns the partition of all checkpoints of a stream.
    pub(super) fn partition(stream_arn: &str) -> PartitionKey {
        PartitionKey::new((STREAM, Uuid::new_v5(&Uuid::NAMESPACE_URL, stream_arn.as_bytes())))
    }

    /// Returns the prefix of the sort keys of all checkpoints.
    pub(super) fn shards() -> SortKeyPrefix {
        SortKeyPrefix::new((SHARD,))
    }

    /// Returns `true` if the record is of a checkpoint, for any stream.
    pub(super) fn is_in(record: &StreamRecord) -> bool {
        record.key().is_ok_and(|key| {
            let of_stream = key.pk.as_str().split_once('#').is_some_and(|(tag, _)| tag == STREAM.as_str());
            of_stream && key.sk.as_str().starts_with(Self::shards().as_str())
        })
    }
}

impl Entity for Checkpoint {
    const TYPE: &'static str = "StreamCheckpoint";
    type KeyParts<'a> = (&'a str, &'a KeySegment);

    fn key_from((stream_arn, shard_id): (&str, &KeySegment)) -> Key {
        Key::new(Self::partition(stream_arn), SortKey::new((SHARD, shard_id)))
    }

    fn key_parts(&self) -> (&str, &KeySegment) {
        (&self.stream_arn, &self.shard_id)
    }
}

impl TryFrom<String> for Position {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        match text.as_str() {
            "TRIM_HORIZON" => Ok(Self::TrimHorizon),
            "SHARD_END" => Ok(Self::End),
            number => number.parse().map(Self::After),
        }
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        match position {
            Position::TrimHorizon => "TRIM_HORIZON".to_owned(),
            Position::After(sequence) => sequence.to_string(),
            Position::End => "SHARD_END".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;
    use crate::stream::RecordKind;
    use serde_dynamo::AttributeValue;

    const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline/stream/2026-11-22T16:17:28.809";

    fn shard() -> KeySegment {
        KeySegment::new("shardId-00000001795364248941-6a6b57a0").unwrap()
    }

    fn record_of(key: Key) -> StreamRecord {
        let mut keys = Item::new();
        keys.insert("pk", AttributeValue::S(key.pk.into()));
        keys.insert("sk", AttributeValue::S(key.sk.into()));
        StreamRecord::new(RecordKind::Modify, keys, None)
    }

    #[test]
    fn position_round_trips_through_its_item() {
        let number: SequenceNumber = "000000000000000000007".parse().unwrap();
        for position in [Position::TrimHorizon, Position::After(number), Position::End] {
            let item = Checkpoint::new(ARN, &shard(), None, position.clone()).to_item().unwrap();
            let text = item.get_s("position").unwrap().to_owned();
            assert_eq!(Checkpoint::from_item(item).unwrap().position, position, "{text}");
        }
    }

    #[test]
    fn unknown_position_is_corrupt() {
        let mut item = Checkpoint::new(ARN, &shard(), None, Position::End).to_item().unwrap();
        item.insert("position", AttributeValue::S("somewhere".into()));
        assert_eq!(Checkpoint::from_item(item).unwrap_err().kind(), crate::ErrorKind::Corrupt);
    }

    #[test]
    fn longest_arn_and_shard_id_fit_into_a_key() {
        let arn = format!("arn:aws:dynamodb:eu-west-1:1:table/{}/stream/label", "t".repeat(255));
        let shard = KeySegment::new("s".repeat(65)).unwrap();
        assert_eq!(Checkpoint::key_from((&arn, &shard)).pk.as_str().len(), "STREAM#".len() + 36);
    }

    #[test]
    fn record_of_a_checkpoint_is_recognized() {
        assert!(Checkpoint::is_in(&record_of(Checkpoint::key_from((ARN, &shard())))));
        let other = Key::new(PartitionKey::parse("STREAMS#1").unwrap(), SortKey::parse("SHARD#1").unwrap());
        assert!(!Checkpoint::is_in(&record_of(other)));
        assert!(!Checkpoint::is_in(&StreamRecord::new(RecordKind::Modify, Item::new(), None)));
    }
}
