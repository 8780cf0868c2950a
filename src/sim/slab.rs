//! A table that reuses its free places.

/// Values by a dense number.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Option<T>>,
    /// Places to fill next, the latest first: it is still in the processor's caches.
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Puts a value in a free place, and returns its number.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.places[index as usize] = Some(value);
            return index;
        }
        self.places.push(Some(value));
        // Four billion values would not fit into the memory of any machine that this runs on.
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.places.get(index as usize)?.as_ref()
    }

    pub(super) fn take(&mut self, index: u32) -> Option<T> {
        let value = self.places.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::machine::Input;

    /// All peers of a lab start at one moment: hundreds of thousands are on their way then.
    #[test]
    fn an_input_on_its_way_takes_64_bytes() {
        assert!(size_of::<Option<Input>>() <= 64, "{}", size_of::<Option<Input>>());
    }

    #[test]
    fn a_free_place_is_used_again_and_what_is_taken_is_gone() {
        let mut slab = Slab::new();
        let [a, b, c] = ["a", "b", "c"].map(|value| slab.insert(value));
        assert_eq!((slab.take(b), slab.take(b)), (Some("b"), None));
        assert_eq!(slab.take(a), Some("a"));
        assert_eq!([slab.insert("d"), slab.insert("e"), slab.insert("f")], [a, b, 3]);
        assert_eq!((slab.take(c), slab.take(a), slab.take(9)), (Some("c"), Some("d"), None));
    }
}
