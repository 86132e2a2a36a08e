//! Searches a model whole.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Debug,
    hash::Hash,
};

use stateright::{Checker as _, Model};

/// Visits every state, and returns how many there are. Fails if one contradicts a property.
pub(crate) fn holds<M>(model: M) -> usize
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Hash + Send + Sync + Clone + PartialEq,
    M::Action: Debug + Clone + PartialEq,
{
    let checker = model.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    checker.unique_state_count()
}

/// Asserts that this property is contradicted, and returns a way there.
pub(crate) fn contradicts<M>(model: M, property: &'static str) -> Vec<M::Action>
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Hash + Send + Sync + Clone + PartialEq,
    M::Action: Debug + Clone + PartialEq,
{
    let checker = model.checker().spawn_bfs().join();
    let found = checker.discovery(property);
    found.unwrap_or_else(|| panic!("no state contradicts {property:?}")).into_actions()
}

/// Returns the first state from which no way leads to a goal, if there is one. A way may have at most `limit` actions
/// that `costs` counts.
pub(crate) fn stuck<M>(
    model: &M,
    is_goal: impl Fn(&M::State) -> bool,
    costs: impl Fn(&M::Action) -> bool,
    limit: u32,
) -> Option<M::State>
where
    M: Model,
    M::State: Clone + Eq + Hash,
{
    let mut numbers = HashMap::new();
    let mut states = Vec::new();
    // For each state, those that lead to it, and whether by an action that costs.
    let mut ways: Vec<Vec<(usize, bool)>> = Vec::new();
    for state in model.init_states() {
        numbers.insert(state.clone(), states.len());
        states.push(state);
        ways.push(Vec::new());
    }
    let mut next = 0;
    let mut actions = Vec::new();
    while next < states.len() {
        let state = states[next].clone();
        actions.clear();
        model.actions(&state, &mut actions);
        for action in actions.drain(..) {
            let has_cost = costs(&action);
            let Some(after) = model.next_state(&state, action) else { continue };
            if !model.within_boundary(&after) {
                continue;
            }
            let number = *numbers.entry(after).or_insert_with_key(|after| {
                states.push(after.clone());
                ways.push(Vec::new());
                states.len() - 1
            });
            ways[number].push((next, has_cost));
        }
        next += 1;
    }
    let mut cost = vec![u32::MAX; states.len()];
    let mut queue = VecDeque::new();
    for (number, state) in states.iter().enumerate() {
        if is_goal(state) {
            cost[number] = 0;
            queue.push_back(number);
        }
    }
    while let Some(number) = queue.pop_front() {
        for &(before, has_cost) in &ways[number] {
            let through = cost[number] + u32::from(has_cost);
            if through < cost[before] {
                cost[before] = through;
                // Cheapest first.
                if has_cost { queue.push_back(before) } else { queue.push_front(before) }
            }
        }
    }
    cost.iter().position(|&cost| cost > limit).map(|number| states[number].clone())
}
