//! Visiting the values of a network in the order of the flat list of weights.
//!
//! Every network defines this order once, in its `visit`; counting, splitting and joining the list are visitors.

/// An operation on each group of values.
pub(super) trait Visitor {
    /// A group of `count` values; `values` is empty until it is filled.
    fn values(&mut self, values: &mut Vec<f32>, count: usize);
    /// A single value.
    fn value(&mut self, value: &mut f32);
}

/// Counts the values that the shapes need.
#[derive(Default)]
pub(super) struct Count(pub(super) usize);

impl Visitor for Count {
    fn values(&mut self, _: &mut Vec<f32>, count: usize) {
        self.0 = self.0.saturating_add(count);
    }

    fn value(&mut self, _: &mut f32) {
        self.0 = self.0.saturating_add(1);
    }
}

/// Splits a list of exactly as many values as [`Count`] found.
pub(super) struct Split<'a>(pub(super) &'a [f32]);

impl Visitor for Split<'_> {
    fn values(&mut self, values: &mut Vec<f32>, count: usize) {
        let (head, rest) = self.0.split_at(count.min(self.0.len()));
        *values = head.to_vec();
        self.0 = rest;
    }

    fn value(&mut self, value: &mut f32) {
        if let Some((&first, rest)) = self.0.split_first() {
            *value = first;
            self.0 = rest;
        }
    }
}

/// Joins all values to one list, and leaves the groups empty.
#[derive(Default)]
pub(super) struct Join(pub(super) Vec<f32>);

impl Visitor for Join {
    fn values(&mut self, values: &mut Vec<f32>, _: usize) {
        self.0.append(values);
    }

    fn value(&mut self, value: &mut f32) {
        self.0.push(*value);
    }
}
