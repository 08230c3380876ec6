//! A subscriber that keeps the closed spans of one test, with their attributes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// A closed span of the library.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) name: &'static str,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Closed {
    /// Returns the attributes in the order of their names: `name=value name=value`.
    pub(crate) fn text(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.join(" ")
    }

    /// Returns an attribute, or an empty text.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Replaces the value of an attribute that is recorded twice, because an exporter would send both values.
const TWICE: &str = "recorded twice";

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Closed>>>);

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn add(&mut self, field: &Field, value: String) {
        let value = if self.0.contains_key(field.name()) { TWICE.to_owned() } else { value };
        self.0.insert(field.name(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, format!("{value} as text"));
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let Fields(fields) = span.extensions_mut().remove().unwrap();
        if span.metadata().target().starts_with("threadline::") {
            self.0.lock().unwrap().push(Closed { name: span.name(), fields });
        }
    }
}

/// Runs the work, and returns the library's spans in the order of their ends.
pub(crate) async fn spans_of(work: impl Future<Output = ()>) -> Vec<Closed> {
    let recorder = Recorder::default();
    // With a single dispatcher, a span that another test's thread meets first is disabled for all threads.
    let _others = [Dispatch::new(Registry::default()), Dispatch::new(Registry::default())];
    let guard = tracing::subscriber::set_default(Registry::default().with(recorder.clone()));
    tracing::callsite::rebuild_interest_cache();
    work.await;
    drop(guard);
    let spans = std::mem::take(&mut *recorder.0.lock().unwrap());
    let is_twice = |span: &Closed| span.fields.values().any(|value| value == TWICE);
    assert!(!spans.iter().any(is_twice), "{spans:?}");
    spans
}
