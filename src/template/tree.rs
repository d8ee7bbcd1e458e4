//! Groups masked messages into templates, and finds the words among them that vary.
//!
//! A fixed-depth search in the manner of Drain (He et al., "Drain: An Online Log Parsing Approach
//! with Fixed Depth Tree", ICWS 2017), with two changes. A message is first looked up by a hash
//! of its masked form, so that only a new form is ever compared. And forms are not joined by a
//! similarity threshold, which joins `connection opened` with `connection closed`: a word that
//! looks like a name (`c.e.Web`, `eth0`, after `user`) may vary at once, a plain word only when
//! [`VALUES_OF_A_VARIABLE`] forms differ in it and in nothing else.

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::Hasher;

use super::WILDCARD;
use super::mask::{self, Kind, MAX_PIECES, Piece};

/// Most templates that are kept; messages beyond belong to one template that is all wildcard.
pub const MAX_TEMPLATES: usize = 20_000;
/// Most masked forms that are remembered; known ones are found by their hash alone.
pub const MAX_SKELETONS: usize = 200_000;
/// Most templates of one shape that a new form is compared with, the latest first.
const MAX_CANDIDATES: usize = 256;
/// A place where so many plain words occur, all else equal, is a variable.
const VALUES_OF_A_VARIABLE: usize = 6;
/// The same for a message of which hardly anything else is left.
const VALUES_OF_A_SHORT_MESSAGE: usize = 8;
/// The same for words that look like identifiers, and for a word where others have a value.
const VALUES_OF_AN_IDENTIFIER: usize = 2;

/// Names one template of one [`Miner`]; [`Miner::current`] tells what it became after merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(u32);

impl TemplateId {
    /// The id as an index, dense from 0; merged templates leave gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Learns templates from messages, in order.
#[derive(Debug, Default)]
pub struct Miner {
    pieces: Vec<Piece>,
    skeletons: FxHashMap<u64, u32>,
    shapes: FxHashMap<u64, Vec<u32>>,
    templates: Vec<Template>,
    merged_into: Vec<u32>,
    overflow: Option<TemplateId>,
}

impl Miner {
    /// Makes a miner that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the template of `message`, making or widening one if it is new.
    ///
    /// An id stays valid for good; a later message may merge two templates, after which
    /// [`Self::current`] and [`Self::template`] give the same answer for both.
    pub fn learn(&mut self, message: &str) -> TemplateId {
        mask::split(message, &mut self.pieces);
        let hash = skeleton_hash(message, &self.pieces);
        if let Some(&id) = self.skeletons.get(&hash) {
            return self.current(TemplateId(id));
        }
        let id = self.learn_new(message);
        if self.skeletons.len() < MAX_SKELETONS {
            self.skeletons.insert(hash, id.0);
        }
        id
    }

    /// The text of a template, variables as `<*>`; empty for an id of another miner.
    pub fn template(&self, id: TemplateId) -> &str {
        let id = self.current(id);
        self.templates.get(id.index()).map_or("", |template| &template.text)
    }

    /// The template that `id` belongs to now.
    pub fn current(&self, mut id: TemplateId) -> TemplateId {
        // Chains stay short: a merge always points at a template that is its own.
        while let Some(&next) = self.merged_into.get(id.index()).filter(|next| **next != id.0) {
            id = TemplateId(next);
        }
        id
    }

    /// Templates that are not merged into another one.
    pub fn template_count(&self) -> usize {
        self.merged_into.iter().enumerate().filter(|(at, into)| *at == **into as usize).count()
    }

    /// Whether messages went to the all-wildcard template because [`MAX_TEMPLATES`] was reached.
    pub fn is_full(&self) -> bool {
        self.overflow.is_some()
    }

    #[cold]
    fn learn_new(&mut self, message: &str) -> TemplateId {
        let form = Template::of(message, &self.pieces);
        let shape = shape_hash(message, &self.pieces);
        let candidates = self.shapes.entry(shape).or_default();
        candidates.retain(|id| self.merged_into.get(*id as usize) == Some(id));
        let mut joined: Option<(usize, u32)> = None;
        let mut siblings: Vec<Siblings> = Vec::new();
        for &id in candidates.iter().rev().take(MAX_CANDIDATES) {
            let Some(template) = self.templates.get(id as usize) else { continue };
            let difference = template.difference(&form);
            if difference.is_none() {
                if joined.is_none_or(|(same, _)| difference.same_words > same) {
                    joined = Some((difference.same_words, id));
                }
            } else if let Some(needed) = difference.values_needed() {
                match siblings.iter_mut().find(|found| found.places == difference.places) {
                    Some(found) => {
                        found.ids.push(id);
                        found.needed = found.needed.max(needed);
                    }
                    None => siblings.push(Siblings::of(&difference, needed, id)),
                }
            }
        }
        if let Some((_, id)) = joined {
            self.widen(id, &form);
            return TemplateId(id);
        }
        let found = siblings.into_iter().filter(|found| self.varies(found, &form));
        if let Some(found) = found.max_by_key(|found| found.ids.len()) {
            return self.merge(&found.ids, &form);
        }
        self.add(shape, form)
    }

    /// Whether each place in which the siblings and `form` differ has enough values.
    fn varies(&self, siblings: &Siblings, form: &Template) -> bool {
        if siblings.ids.len() + 1 < siblings.needed {
            return false;
        }
        (0..MAX_PIECES).filter(|at| siblings.places >> at & 1 == 1).all(|at| {
            let of_siblings = siblings.ids.iter().filter_map(|id| self.templates.get(*id as usize));
            let templates = of_siblings.chain([form]);
            let values = templates.filter_map(|template| template.places.get(at));
            let distinct: FxHashSet<_> = values.map(|place| place.literal.as_deref()).collect();
            distinct.len() >= siblings.needed
        })
    }

    fn add(&mut self, shape: u64, form: Template) -> TemplateId {
        if self.templates.len() >= MAX_TEMPLATES {
            return self.overflow();
        }
        let id = self.templates.len() as u32;
        self.templates.push(form);
        self.merged_into.push(id);
        self.shapes.entry(shape).or_default().push(id);
        TemplateId(id)
    }

    fn overflow(&mut self) -> TemplateId {
        if let Some(id) = self.overflow {
            return id;
        }
        let id = self.templates.len() as u32;
        self.templates.push(Template { places: Vec::new(), text: WILDCARD.to_owned() });
        self.merged_into.push(id);
        *self.overflow.insert(TemplateId(id))
    }

    /// Makes wildcards of the places in which `form` differs.
    fn widen(&mut self, id: u32, form: &Template) {
        if let Some(template) = self.templates.get_mut(id as usize) {
            template.widen(form);
        }
    }

    /// Merges templates into the oldest of them, which is widened for all and for `form`.
    fn merge(&mut self, ids: &[u32], form: &Template) -> TemplateId {
        let oldest = ids.iter().copied().min().unwrap_or(0);
        self.widen(oldest, form);
        for &id in ids.iter().filter(|id| **id != oldest) {
            let Some(other) = self.templates.get_mut(id as usize).map(std::mem::take) else {
                continue;
            };
            self.widen(oldest, &other);
            if let Some(into) = self.merged_into.get_mut(id as usize) {
                *into = oldest;
            }
        }
        TemplateId(oldest)
    }
}

/// Templates that differ from a new form in the same places.
struct Siblings {
    places: u64,
    needed: usize,
    ids: Vec<u32>,
}

impl Siblings {
    fn of(difference: &Difference, needed: usize, id: u32) -> Self {
        Self { places: difference.places, needed, ids: vec![id] }
    }
}

#[derive(Debug, Default)]
struct Template {
    places: Vec<Place>,
    text: String,
}

#[derive(Clone, Debug)]
struct Place {
    /// The word or mark; `None` for a wildcard.
    literal: Option<Box<str>>,
    blank_before: bool,
    strength: Strength,
}

/// How sure it is that a literal belongs to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// A place that was seen to vary.
    Varies,
    /// A value by its form, or a word that varies as soon as another one is seen.
    Name,
    /// A word in the form of an identifier.
    Identifier,
    /// A plain word.
    Word,
    /// A mark; never varies within a shape.
    Mark,
}

impl Template {
    fn of(message: &str, pieces: &[Piece]) -> Self {
        let mut places: Vec<Place> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let literal = piece.literal(message).map(|literal| match piece.kind {
                Kind::Named => format!("{literal}{WILDCARD}").into(),
                _ => Box::from(literal),
            });
            let strength = strength_of(piece.kind, literal.as_deref(), &places);
            places.push(Place { literal, blank_before: piece.blank_before, strength });
        }
        weaken_bracketed(&mut places);
        let text = text_of(&places);
        Self { places, text }
    }

    fn difference(&self, form: &Self) -> Difference {
        let mut difference = Difference::default();
        for (at, (own, other)) in self.places.iter().zip(&form.places).enumerate().take(MAX_PIECES)
        {
            match (&own.literal, &other.literal) {
                (Some(a), Some(b)) if a == b => {
                    let holds = matches!(own.strength, Strength::Identifier | Strength::Word);
                    difference.same_words += usize::from(holds);
                }
                (None, None) => {}
                _ if own.strength == Strength::Varies => {}
                (own_literal, other_literal) => {
                    let mut strength = own.strength.max(other.strength);
                    if own_literal.is_none() || other_literal.is_none() {
                        strength = strength.min(Strength::Identifier);
                    }
                    difference.name_count += usize::from(strength == Strength::Name);
                    if strength > Strength::Name {
                        difference.places |= 1 << at;
                        difference.strength = difference.strength.max(strength);
                    }
                }
            }
        }
        difference
    }

    fn widen(&mut self, form: &Self) {
        for (own, other) in self.places.iter_mut().zip(&form.places) {
            if own.literal != other.literal {
                own.literal = None;
                own.strength = Strength::Varies;
            }
        }
        self.text = text_of(&self.places);
    }
}

/// In what a new form differs from a template of the same shape.
struct Difference {
    /// Places of plain words and identifiers that differ, as bits.
    places: u64,
    /// Places that differ and may.
    name_count: usize,
    /// Words that are the same.
    same_words: usize,
    /// The strongest word among those that differ.
    strength: Strength,
}

impl Default for Difference {
    fn default() -> Self {
        Self { places: 0, name_count: 0, same_words: 0, strength: Strength::Name }
    }
}

impl Difference {
    /// Whether the form belongs to the template: it differs at most in names, of which there
    /// are no more than the words that hold the two together.
    fn is_none(&self) -> bool {
        self.places == 0 && self.name_count <= 2 * self.same_words
    }

    /// How many forms with this difference make a variable of it; `None` if they never do.
    fn values_needed(&self) -> Option<usize> {
        match (self.places.count_ones(), self.same_words, self.strength) {
            (1 | 2, 2.., Strength::Identifier) => Some(VALUES_OF_AN_IDENTIFIER),
            (1, 2.., _) | (2, 4.., _) => Some(VALUES_OF_A_VARIABLE),
            (1, 1, _) => Some(VALUES_OF_A_SHORT_MESSAGE),
            _ => None,
        }
    }
}

fn text_of(places: &[Place]) -> String {
    let mut text = String::new();
    for place in places {
        if place.blank_before && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(place.literal.as_deref().unwrap_or(WILDCARD));
    }
    text
}

/// Words after which a name comes, in the languages of the logs seen so far.
const BEFORE_NAMES: [&str; 34] = [
    "user",
    "usuario",
    "alumno",
    "alumna",
    "estudiante",
    "docente",
    "profesor",
    "host",
    "server",
    "service",
    "module",
    "class",
    "thread",
    "job",
    "task",
    "node",
    "worker",
    "session",
    "database",
    "table",
    "package",
    "file",
    "device",
    "interface",
    "archivo",
    "materia",
    "sede",
    "curso",
    "component",
    "plugin",
    "driver",
    "process",
    "program",
    "app",
];

fn strength_of(kind: Kind, literal: Option<&str>, before: &[Place]) -> Strength {
    let Some(word) = literal else {
        return Strength::Name;
    };
    match kind {
        Kind::Mark => return Strength::Mark,
        // `web:80` and `size:12` look alike; the first varies, the second hardly.
        Kind::Named => return Strength::Identifier,
        Kind::Word | Kind::Variable => {}
    }
    let bytes = word.as_bytes();
    let dotted = bytes.windows(3).any(
        |w| matches!(w, [a, b'.', b] if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric()),
    );
    let after_name_word = before
        .last()
        .and_then(|place| place.literal.as_deref())
        .is_some_and(|before| BEFORE_NAMES.iter().any(|known| before.eq_ignore_ascii_case(known)));
    let is_constant = matches!(
        word,
        "true"
            | "false"
            | "True"
            | "False"
            | "yes"
            | "no"
            | "Yes"
            | "No"
            | "on"
            | "off"
            | "ON"
            | "OFF"
            | "null"
            | "None"
            | "nil"
    );
    if dotted
        || is_constant
        || after_name_word
        || bytes.iter().any(|byte| byte.is_ascii_digit() || *byte == b':')
    {
        return Strength::Name;
    }
    let inner_capital = bytes
        .windows(2)
        .any(|w| matches!(w, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let joined = bytes.iter().any(|byte| matches!(byte, b'_' | b'$' | b'/' | b'+'));
    let is_state = bytes.len() >= 3 && bytes.iter().all(u8::is_ascii_uppercase);
    let is_method = matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD");
    let is_identifier = inner_capital || joined || (is_state && !is_method);
    if is_identifier { Strength::Identifier } else { Strength::Word }
}

/// A word that is alone in brackets, `(usable)`, is more likely a value than a plain word is.
fn weaken_bracketed(places: &mut [Place]) {
    for at in 1..places.len().saturating_sub(1) {
        let literal = |at: usize| places.get(at).and_then(|place| place.literal.as_deref());
        let bracketed = matches!(
            (literal(at - 1), literal(at + 1)),
            (Some("("), Some(")")) | (Some("["), Some("]"))
        );
        if let Some(place) = places.get_mut(at).filter(|_| bracketed) {
            place.strength = place.strength.min(Strength::Identifier);
        }
    }
}

/// Hash of the masked message. Fast and not keyed: who controls the log can at most make two of
/// his own messages share a template.
fn skeleton_hash(message: &str, pieces: &[Piece]) -> u64 {
    let mut hasher = FxHasher::default();
    for piece in pieces {
        match piece.literal(message) {
            Some(literal) => hasher.write(literal.as_bytes()),
            None => hasher.write_u8(0xff), // in no UTF-8 text
        }
        hasher.write_u8(u8::from(piece.blank_before) | u8::from(piece.kind == Kind::Named) << 1);
    }
    hasher.finish()
}

/// Hash of how words and marks follow each other, which is equal for all forms of a template.
fn shape_hash(message: &str, pieces: &[Piece]) -> u64 {
    let mut hasher = FxHasher::default();
    for piece in pieces {
        match piece.kind {
            Kind::Mark => hasher.write(piece.literal(message).unwrap_or_default().as_bytes()),
            _ => hasher.write_u8(0xff),
        }
    }
    hasher.finish()
}
