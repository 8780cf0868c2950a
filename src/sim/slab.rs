//! A table that reuses its free places.

/// Values by a dense number.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<SlabPlace<T>>,
    /// The place that is filled next.
    free: Option<u32>,
}

/// Begins where a line of the processor's cache begins: an input fills one, and is read once.
#[derive(Debug)]
#[repr(align(64))]
enum SlabPlace<T> {
    Full(T),
    /// The place that is filled after this one.
    Free(Option<u32>),
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: None }
    }

    /// Inserts a value, and returns its place.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free
            && let Some(place) = self.places.get_mut(index as usize)
            && let SlabPlace::Free(next) = place
        {
            self.free = *next;
            *place = SlabPlace::Full(value);
            return index;
        }
        self.places.push(SlabPlace::Full(value));
        // Four billion values would not fit into the memory of any machine that this runs on.
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn take(&mut self, index: u32) -> Option<T> {
        let place = self.places.get_mut(index as usize)?;
        match std::mem::replace(place, SlabPlace::Free(self.free)) {
            SlabPlace::Full(value) => {
                self.free = Some(index);
                Some(value)
            }
            free @ SlabPlace::Free(_) => {
                *place = free;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::machine::Input;

    #[test]
    fn an_input_on_its_way_takes_one_line_of_the_cache() {
        assert_eq!(size_of::<SlabPlace<Input>>(), 64);
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
