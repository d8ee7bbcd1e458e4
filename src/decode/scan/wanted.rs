//! Which keys lead to wanted fields, in every spelling of their paths.
//!
//! A path may be spelled with nested objects, with dots in keys, or mixed. Each spelling of each
//! path owns one cell: the cells of a record are filled as its text comes, in any order, and in the
//! end each field takes the first of its cells that holds a value.

use super::slot::{Kind, Slot};
use std::fmt;

/// A path of more segments is looked for only in its wholly nested and its wholly dotted spelling:
/// the number of spellings doubles with each segment.
const MAX_MIXED_SEGMENTS: usize = 6;

/// Dotted path of a wanted field, such as `res.statusCode`.
///
/// It is found in `{"res":{"statusCode":200}}` and in `{"res.statusCode":200}` alike, and `a.b.c`
/// also in `{"a":{"b.c":1}}` and `{"a.b":{"c":1}}`. Where a record spells one path in several ways,
/// the spelling with the shorter key wins at each level, so nested objects go before dotted keys.
/// Elements of arrays have no path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// Splits `path` at its dots; every text is a path, the empty one names the empty key.
    pub fn parse(path: &str) -> Self {
        Self(path.split('.').map(str::to_owned).collect())
    }

    /// Returns the keys of the wholly nested spelling.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Returns the keys of every spelling, the one that wins first.
    fn spellings(&self) -> Vec<Vec<String>> {
        if self.0.len() > MAX_MIXED_SEGMENTS {
            return vec![self.0.clone(), vec![self.0.join(".")]];
        }
        spellings(&self.0)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// Every way to join neighbours of `segments` by dots, shorter first keys first.
fn spellings(segments: &[String]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for first_len in 1..=segments.len() {
        let (first, rest) = segments.split_at(first_len);
        let first = first.join(".");
        if rest.is_empty() {
            all.push(vec![first]);
        } else {
            all.extend(spellings(rest).into_iter().map(|mut keys| {
                keys.insert(0, first.clone());
                keys
            }));
        }
    }
    all
}

/// Place of one spelling's value among the cells of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellId(u32);

/// A key on the way to a wanted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(usize);

/// What is wanted at and below one key.
#[derive(Debug, Default)]
struct Node {
    cell: Option<CellId>,
    children: Vec<(Box<[u8]>, NodeId)>,
    below: Vec<CellId>,
}

/// The wanted keys as a tree, and how cells become the slots of the fields.
#[derive(Debug)]
pub(super) struct Wanted {
    nodes: Vec<Node>,
    field_count: usize,
    cell_count: usize,
    /// `(to, from)`: `to` takes the value of `from` if it has none; in order.
    fallbacks: Vec<(CellId, CellId)>,
}

impl Wanted {
    /// The node of the record itself.
    pub(super) const ROOT: NodeId = NodeId(0);

    /// Builds the tree; field `i` of a record is `paths[i]`.
    pub(super) fn new(paths: &[FieldPath]) -> Self {
        let mut wanted = Self {
            nodes: vec![Node::default()],
            field_count: paths.len(),
            cell_count: paths.len(),
            fallbacks: Vec::new(),
        };
        for (field, path) in paths.iter().enumerate() {
            let own = CellId(field as u32);
            for (nth, keys) in path.spellings().iter().enumerate() {
                let cell = if nth == 0 { own } else { CellId(wanted.cell_count as u32) };
                let owner = wanted.insert(keys, cell);
                wanted.cell_count += usize::from(nth > 0 && owner == cell);
                if owner != own {
                    wanted.fallbacks.push((own, owner));
                }
            }
        }
        wanted
    }

    /// Gives the value at `keys` to `cell`, or returns the cell that has it already.
    fn insert(&mut self, keys: &[String], cell: CellId) -> CellId {
        let mut at = Self::ROOT;
        let mut passed = Vec::new();
        for key in keys {
            passed.push(at);
            let next = self.child(at, key.as_bytes()).unwrap_or_else(|| {
                let next = NodeId(self.nodes.len());
                self.nodes.push(Node::default());
                if let Some(node) = self.nodes.get_mut(at.0) {
                    node.children.push((key.as_bytes().into(), next));
                }
                next
            });
            at = next;
        }
        let Some(node) = self.nodes.get_mut(at.0) else { return cell };
        let owner = *node.cell.get_or_insert(cell);
        if owner == cell {
            for node in passed {
                if let Some(node) = self.nodes.get_mut(node.0) {
                    node.below.push(cell);
                }
            }
        }
        owner
    }

    /// Returns the node of `key` (unescaped) in an object at `node`, if something there is wanted.
    pub(super) fn child(&self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        let children = &self.nodes.get(node.0)?.children;
        children.iter().find(|(name, _)| **name == *key).map(|&(_, child)| child)
    }

    /// Returns the cell of the value at `node` itself.
    pub(super) fn cell(&self, node: NodeId) -> Option<CellId> {
        self.nodes.get(node.0)?.cell
    }

    /// Returns the cells of all that is wanted inside an object at `node`.
    pub(super) fn below(&self, node: NodeId) -> &[CellId] {
        self.nodes.get(node.0).map_or(&[], |node| &node.below)
    }
}

/// The values of one record while it is read.
#[derive(Debug)]
pub(super) struct Cells {
    /// One slot a cell; the last one takes what nobody wants, which spares a branch per value.
    slots: Vec<Slot>,
    /// Position in the chunk of the text that is being read.
    pub(super) text_start: u32,
}

impl Cells {
    pub(super) fn new(wanted: &Wanted) -> Self {
        Self { slots: vec![Slot::default(); wanted.cell_count + 1], text_start: 0 }
    }

    /// Forgets the values of the record before.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.slots.fill(Slot::default());
    }

    /// The cell for values that are not wanted.
    pub(super) fn unwanted(&self) -> CellId {
        CellId(self.slots.len() as u32 - 1)
    }

    /// Puts a value at `start..end` of the text into `cell`.
    #[inline]
    pub(super) fn set(&mut self, cell: CellId, kind: Kind, start: usize, end: usize) {
        self.put(
            cell,
            Slot {
                kind,
                escaped: false,
                start: self.text_start + start as u32,
                end: self.text_start + end as u32,
            },
        );
    }

    /// Puts a string at `start..end` of the text into `cell`.
    #[inline]
    pub(super) fn set_string(&mut self, cell: CellId, escaped: bool, start: usize, end: usize) {
        self.put(
            cell,
            Slot {
                kind: Kind::String,
                escaped,
                start: self.text_start + start as u32,
                end: self.text_start + end as u32,
            },
        );
    }

    /// Takes the value out of `cell`.
    pub(super) fn unset(&mut self, cell: CellId) {
        self.put(cell, Slot::default());
    }

    /// Moves the end of the value in `cell`.
    pub(super) fn extend_to(&mut self, cell: CellId, end: usize) {
        if let Some(slot) = self.slots.get_mut(cell.0 as usize) {
            slot.end = self.text_start + end as u32;
        }
    }

    /// Settles which spelling counts and returns the slots of the wanted fields.
    #[inline]
    pub(super) fn settle(&mut self, wanted: &Wanted) -> &[Slot] {
        for &(to, from) in &wanted.fallbacks {
            let value = self.slots.get(from.0 as usize).copied().unwrap_or_default();
            match self.slots.get_mut(to.0 as usize) {
                Some(slot) if slot.kind == Kind::Absent => *slot = value,
                _ => {}
            }
        }
        self.slots.get(..wanted.field_count).unwrap_or_default()
    }

    #[inline]
    fn put(&mut self, cell: CellId, value: Slot) {
        if let Some(slot) = self.slots.get_mut(cell.0 as usize) {
            *slot = value;
        }
    }
}
