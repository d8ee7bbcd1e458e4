//! What is learned is bounded and comes first if it is used; what is accepted is tested in
//! `scan/tests.rs`, against `serde_json`.

use super::super::index::Backend;
use super::super::wanted::Wanted;
use super::*;

fn scalar(automaton: &mut Automaton, key: &str) -> Next {
    let place = automaton.member(Automaton::START, key.as_bytes()).unwrap();
    Next::Scalar { cell: Cells::new(&Wanted::new(&[])).unwanted(), place }
}

/// The ways out of the start, as text.
fn first_ways(automaton: &Automaton) -> Vec<String> {
    let ways = &automaton.states[0].ways;
    let text = |way: &Way| String::from_utf8_lossy(&way.glue[..way.len]).into_owned();
    ways.iter().map(text).collect()
}

/// Reads `record` and says whether it was predicted.
fn accepts(automaton: &mut Automaton, record: &str) -> bool {
    let mut index = Index::new(Backend::Portable);
    index.rebuild(record.as_bytes());
    let mut cells = Cells::new(&Wanted::new(&[]));
    automaton.accept(record.as_bytes(), 0, &index, &mut cells).is_some()
}

#[test]
fn the_ways_used_most_are_tried_first() {
    let mut automaton = Automaton::new();
    for key in ["a", "b", "c"] {
        let next = scalar(&mut automaton, key);
        let way = format!("{{\"{key}\":");
        automaton.teach(Automaton::START, way.as_bytes(), next, &[]);
        automaton.teach(Automaton::START, way.as_bytes(), next, &[]); // known already
        let Next::Scalar { place, .. } = next else { unreachable!() };
        automaton.teach(place, b"}\n", Next::Record { ending_bytes: 1 }, &[]);
    }
    automaton.rank();
    assert_eq!(first_ways(&automaton), ["{\"a\":", "{\"b\":", "{\"c\":"]); // ties keep their order
    for record in ["{\"b\":1}\n", "{\"c\":2}\n", "{\"c\":3}\n"] {
        assert!(accepts(&mut automaton, record));
    }
    automaton.rank();
    assert_eq!(first_ways(&automaton), ["{\"c\":", "{\"b\":", "{\"a\":"]);
    // Old use counts for less: without new use it fades away.
    automaton.rank();
    assert!(automaton.states[0].ways.iter().all(|way| way.use_count == 0));
}

#[test]
fn states_keys_and_ways_are_bounded() {
    let mut automaton = Automaton::new();
    let longest = "k".repeat(MAX_WAY_BYTES);
    assert!(automaton.member(Automaton::START, longest.as_bytes()).is_some()); // exactly at
    assert!(automaton.member(Automaton::START, [&longest[..], "k"].concat().as_bytes()).is_none());

    let next = scalar(&mut automaton, "a");
    let way_of = |len: usize| format!("{{{}", " ".repeat(len - 1));
    automaton.teach(Automaton::START, way_of(MAX_WAY_BYTES + 1).as_bytes(), next, &[]);
    assert_eq!(automaton.states[0].ways.len(), 0); // just beyond
    for len in 1..=MAX_WAY_BYTES {
        automaton.teach(Automaton::START, way_of(len).as_bytes(), next, &[]);
    }
    let lens: Vec<_> = automaton.states[0].ways.iter().map(|way| way.len).collect();
    assert_eq!(lens.len(), MAX_WAYS);
    assert_eq!(lens[MAX_WAYS - 2..], [MAX_WAYS - 1, MAX_WAY_BYTES]); // the last one makes room

    for n in 0..2 * MAX_STATES {
        automaton.member(Automaton::START, n.to_string().as_bytes());
    }
    assert!(automaton.is_full());
    assert_eq!(automaton.states.len(), MAX_STATES);
    assert_eq!(automaton.member(Automaton::START, b"new"), None);
    assert_eq!(automaton.element(Automaton::START), None);
    assert!(automaton.member(Automaton::START, b"7").is_some()); // what is known stays
}
