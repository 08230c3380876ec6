//! Scans of the whole table. ([Scan](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html))
//!
//! The table may contain other items and have other writers. The checks look only at the items of their
//! [scope](super::Scope).

use threadline::entity::{Item, Key, PK};
use threadline::store::{PageOutput, Scan, Write};

use super::scope::{item_at, sort_key};
use super::support::{assert_item, done, limit, of_size, put, put_all, s, scan_pages, sort_keys, with, write};
use super::{Scope, Store};

/// Returns the items of this scope, in the order of their sort keys.
fn own(scope: &Scope, pages: Vec<PageOutput>) -> Vec<Item> {
    let (here, other) = (scope.partition(), scope.other_partition());
    let is_own = |item: &Item| [Some(here.as_str()), Some(other.as_str())].contains(&item.get_s(PK));
    let mut items: Vec<Item> = pages.into_iter().flat_map(|page| page.items).filter(is_own).collect();
    items.sort_by_key(|item| sort_keys(std::slice::from_ref(item))[0].to_owned());
    items
}

/// A scan reads every item of every partition once, with all attributes.
pub async fn a_scan_reads_every_item_once(store: &dyn Store, scope: &Scope) {
    let elsewhere = Key::new(scope.other_partition(), sort_key("c"));
    let items = [with(scope.item("a"), "title", s("one")), scope.indexed("b", "1"), item_at(&elsewhere)];
    put_all(store, &items).await;
    let found = own(scope, scan_pages(store, Scan::new()).await);
    assert_eq!(sort_keys(&found), ["a", "b", "c"], "the items of the scan");
    for (found, item) in found.into_iter().zip(&items) {
        assert_item(Some(found), item);
    }
}

/// Pages of a scan with a limit return each item once.
pub async fn pages_of_a_scan_return_each_item_once(store: &dyn Store, scope: &Scope) {
    let expected = ["a", "b", "c", "d", "e"];
    put_all(store, &expected.map(|sk| scope.item(sk))).await;
    for size in [3, 7] {
        let pages = scan_pages(store, Scan::new().limit(limit(size))).await;
        for page in &pages {
            assert!(page.items.len() <= size, "a page of {size} must not have {} items", page.items.len());
        }
        assert_eq!(sort_keys(&own(scope, pages)), expected, "all items, in pages of {size}");
    }
}

/// A page of a scan ends at 1 MB too.
pub async fn a_page_of_a_scan_ends_at_one_megabyte(store: &dyn Store, scope: &Scope) {
    let expected = ["a", "b", "c", "d"];
    for sk in expected {
        put(store, &of_size(scope.item(sk), 390 * 1024)).await;
    }
    let pages = scan_pages(store, Scan::new()).await;
    assert!(pages.len() > 1, "4 items of 390 KB must not be in one page");
    assert_eq!(sort_keys(&own(scope, pages)), expected, "all items, over pages of 1 MB");
}

/// A scan does not read deleted items.
pub async fn a_scan_does_not_read_deleted_items(store: &dyn Store, scope: &Scope) {
    put_all(store, &["a", "b"].map(|sk| scope.item(sk))).await;
    done(write(store, Write::delete(scope.key("a"))).await);
    assert_eq!(sort_keys(&own(scope, scan_pages(store, Scan::new()).await)), ["b"], "the items of the scan");
}
