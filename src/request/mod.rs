//! Requests to a [`Store`](crate::store::Store) and its answers, as plain data.
//!
//! [`StoreExt`](crate::store::StoreExt) checks every request once, before a store receives it.

mod batch;
mod checked;
mod condition;
mod expression;
mod get;
mod operation;
mod outcome;
mod query;
mod scan;
mod transaction;
mod update;
mod write;

pub(crate) use batch::check_unique;
pub use batch::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, MAX_BATCH_GETS, MAX_BATCH_WRITES,
};
pub use checked::{Answer, Checked, Request, TypedRequest};
pub use condition::{Comparison, Condition};
pub use expression::Expressions;
pub use get::{Get, GetOutput};
pub use operation::Operation;
pub use outcome::{CancelCode, CancelReason, TransactOutcome};
pub use query::{MAX_PAGE_BYTES, Order, PageOutput, Position, Query, QuerySource, SortRange};
pub use scan::Scan;
pub use transaction::{ActionHandle, ClientToken, MAX_TRANSACTION_ACTIONS, TransactAction, Transaction};
pub use update::{AttributeChange, Update};
pub use write::{Write, WriteAction, WriteOutcome};
