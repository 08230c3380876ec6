//! The requests of a case, in one line.

use threadline::card::{Case, RequestCard};

/// Returns the requests of a case: `transaction: Put User, Put HandleClaim; 2 × Get User`.
pub(crate) fn requests(case: &Case) -> String {
    let text = |same: &[RequestCard]| match same {
        [request] => request.to_string(),
        requests => {
            format!("{} × {}", requests.len(), requests.first().map(RequestCard::to_string).unwrap_or_default())
        }
    };
    let parts = case.requests.chunk_by(|one, next| one.transaction == next.transaction).map(|requests| {
        let list: Vec<_> = requests.chunk_by(|one, next| one.to_string() == next.to_string()).map(text).collect();
        let is_transaction = requests.iter().any(|request| request.transaction);
        if is_transaction { format!("transaction: {}", list.join(", ")) } else { list.join("; ") }
    });
    parts.collect::<Vec<_>>().join("; ")
}
