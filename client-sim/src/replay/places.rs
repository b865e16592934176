//! Positions of Trello (numbers that grow downwards) as neighbours.

use std::collections::HashMap;
use std::hash::Hash;

use boardcast_protocol::command::Place;

/// Between two things at the bottom.
const STEP: f64 = 65_536.0;

/// Things with their positions in groups.
#[derive(Debug)]
pub struct Places<Group, Id> {
    at: HashMap<Id, (Group, f64)>,
}

impl<Group: Copy + Eq, Id: Copy + Eq + Hash + Ord> Places<Group, Id> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { at: HashMap::new() }
    }

    /// Whether the thing is there.
    pub fn contains(&self, id: Id) -> bool {
        self.at.contains_key(&id)
    }

    /// The group of a thing.
    pub fn group(&self, id: Id) -> Option<Group> {
        self.at.get(&id).map(|(group, _)| *group)
    }

    /// Any group that has something in it.
    pub fn any(&self) -> Option<Id> {
        self.at.keys().min().copied()
    }

    /// Puts a thing into a group at a position, or at the bottom; between which neighbours that is.
    pub fn put(&mut self, id: Id, group: Group, position: Option<f64>) -> Place<Id> {
        self.at.remove(&id);
        let others = || self.at.iter().filter(|(_, (its, _))| *its == group);
        let bottom = others().map(|(_, (_, at))| *at).fold(0.0, f64::max) + STEP;
        let position = position.filter(|at| at.is_finite()).unwrap_or(bottom);
        let order = |a: &(f64, Id), b: &(f64, Id)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let above = others()
            .map(|(id, (_, at))| (*at, *id))
            .filter(|(at, _)| *at <= position)
            .max_by(order);
        let place = match above {
            Some((_, id)) => Place::after(id),
            None => others()
                .map(|(id, (_, at))| (*at, *id))
                .min_by(order)
                .map_or_else(Place::default, |(_, id)| Place::before(id)),
        };
        self.at.insert(id, (group, position));
        place
    }

    /// Takes a thing away.
    pub fn remove(&mut self, id: Id) {
        self.at.remove(&id);
    }
}

impl<Group: Copy + Eq, Id: Copy + Eq + Hash + Ord> Default for Places<Group, Id> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_becomes_a_neighbour() {
        let mut places: Places<char, u8> = Places::new();
        assert_eq!(places.put(1, 'a', Some(100.0)), Place::default());
        assert_eq!(places.put(2, 'a', None), Place::after(1));
        assert_eq!(places.put(3, 'a', Some(50.0)), Place::before(1));
        assert_eq!(
            places.put(4, 'a', Some(100.0)),
            Place::after(1),
            "equal positions"
        );
        assert_eq!(
            places.put(5, 'b', Some(1.4e14)),
            Place::default(),
            "another group"
        );
        assert_eq!(
            places.put(1, 'a', Some(1e9)),
            Place::after(2),
            "not its own neighbour"
        );
    }
}
