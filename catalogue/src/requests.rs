//! The requests of a case, in one line.

use threadline::card::{Card, Case, RequestCard};

/// Returns the requests of a case: `transaction: Put User, Put HandleClaim; 2 × Get User`.
///
/// If the case continues after the requests of the usual case, these are not listed again.
pub(crate) fn requests(card: &Card, case: &Case) -> String {
    let usual = card.cases.first().map_or(&[][..], |usual| usual.requests);
    match (usual, case.requests.strip_prefix(usual)) {
        ([_, .., last], Some(more @ [next, ..])) if !(last.transaction && next.transaction) => {
            format!("the usual requests; {}", list(more))
        }
        _ => list(case.requests),
    }
}

fn list(requests: &[RequestCard]) -> String {
    let text = |same: &[RequestCard]| match same {
        [request] => request.to_string(),
        requests => {
            format!("{} × {}", requests.len(), requests.first().map(RequestCard::to_string).unwrap_or_default())
        }
    };
    let parts = requests.chunk_by(|one, next| one.transaction == next.transaction).map(|requests| {
        let list: Vec<_> = requests.chunk_by(|one, next| one.to_string() == next.to_string()).map(text).collect();
        let is_transaction = requests.iter().any(|request| request.transaction);
        if is_transaction { format!("transaction: {}", list.join(", ")) } else { list.join("; ") }
    });
    parts.collect::<Vec<_>>().join("; ")
}
