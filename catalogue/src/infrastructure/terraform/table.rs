//! The table in Terraform.

use serde_json::{Map, Value, json};
use threadline::entity::{EXPIRES_AT, GSI1, GSI1PK, GSI1SK, PK, SK};
use threadline::table::{Encryption, TableSpec, Throughput};

use crate::infrastructure::{billing, view};

/// Returns the table. Terraform refuses to destroy a protected one.
pub(super) fn resource(spec: &TableSpec) -> Map<String, Value> {
    let mut table = Map::new();
    let mut set = |name: &str, value: Value| table.insert(name.to_owned(), value);
    set("name", json!("${var.table_name}"));
    set("hash_key", json!(PK));
    set("range_key", json!(SK));
    set("attribute", [PK, SK, GSI1PK, GSI1SK].map(|name| json!({ "name": name, "type": "S" })).to_vec().into());
    set("deletion_protection_enabled", spec.get_deletion_protection().into());
    set("point_in_time_recovery", json!({ "enabled": spec.get_point_in_time_recovery() }));
    set("server_side_encryption", encryption(spec.get_encryption()));
    let view = view(spec.get_stream());
    set("stream_enabled", view.is_some().into());
    if let Some(view) = view {
        set("stream_view_type", json!(view));
    }
    if spec.get_time_to_live() {
        set("ttl", json!({ "attribute_name": EXPIRES_AT, "enabled": true }));
    }
    if !spec.get_tags().is_empty() {
        set("tags", json!(spec.get_tags()));
    }
    if spec.get_deletion_protection() {
        set("lifecycle", json!({ "prevent_destroy": true }));
    }
    let (mode, of_table, of_index) = billing(spec);
    set("billing_mode", json!(mode));
    if let Some(units) = of_table {
        set("read_capacity", units.read.into());
        set("write_capacity", units.write.into());
    }
    set("global_secondary_index", index(of_index));
    table
}

fn index(units: Option<Throughput>) -> Value {
    let mut index = json!({ "name": GSI1, "hash_key": GSI1PK, "range_key": GSI1SK, "projection_type": "ALL" });
    if let (Some(index), Some(units)) = (index.as_object_mut(), units) {
        index.insert("read_capacity".to_owned(), units.read.into());
        index.insert("write_capacity".to_owned(), units.write.into());
    }
    index
}

/// Returns the encryption. Without it, AWS owns the key.
fn encryption(encryption: &Encryption) -> Value {
    match encryption {
        Encryption::OwnKey(arn) => json!({ "enabled": true, "kms_key_arn": arn }),
        Encryption::OwnedByAws => json!({ "enabled": false }),
        _ => json!({ "enabled": true }),
    }
}
