//! The invented people of the school: names, addresses, classes and subjects.
//!
//! Names are combined from two short lists by arithmetic; every address ends in `example.test`,
//! which RFC 2606 reserves.

/// A word as people write it, and as it appears in addresses and file names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// With accents and capitals.
    pub(crate) shown: &'static str,
    /// Lower-case ASCII.
    pub(crate) slug: &'static str,
}

/// What a person does at the school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Hands in reports.
    Student,
    /// Reads them.
    Teacher,
    /// Keeps the platform.
    Admin,
}

impl Position {
    /// The word the platform's logs use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::Admin => "admin",
        }
    }
}

/// Students, who come first among the people.
pub(crate) const STUDENT_COUNT: u16 = 150;
/// Teachers, who follow the students.
pub(crate) const TEACHER_COUNT: u16 = 15;
/// Everybody: 150 students, 15 teachers, 4 administrators.
pub(crate) const PERSON_COUNT: u16 = 169;
/// Reports that can be handed in per week: one per student and subject.
pub(crate) const REPORTS_PER_WEEK: u32 = STUDENT_COUNT as u32 * SUBJECTS.len() as u32;

/// Number of the first student.
const FIRST_STUDENT_ID: u64 = 1001;

/// One person; a number below [`PERSON_COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person(pub(crate) u16);

impl Person {
    /// What the person does.
    pub(crate) fn position(self) -> Position {
        match self.0 {
            0..STUDENT_COUNT => Position::Student,
            n if n < STUDENT_COUNT + TEACHER_COUNT => Position::Teacher,
            _ => Position::Admin,
        }
    }

    /// Number by which the platform knows the person.
    pub(crate) fn id(self) -> u64 {
        FIRST_STUDENT_ID + u64::from(self.0)
    }

    /// First and family name; no two people share both.
    pub(crate) fn name(self) -> (Word, Word) {
        let index = usize::from(self.0);
        let given = index % GIVEN_NAMES.len();
        let family = (index * 7 + index / GIVEN_NAMES.len()) % FAMILY_NAMES.len();
        (word(&GIVEN_NAMES, given), word(&FAMILY_NAMES, family))
    }

    /// Appends the e-mail address.
    pub(crate) fn push_email(self, out: &mut Vec<u8>) {
        let (given, family) = self.name();
        out.extend_from_slice(given.slug.as_bytes());
        out.push(b'.');
        out.extend_from_slice(family.slug.as_bytes());
        out.extend_from_slice(b"@example.test");
    }

    /// Campus of a student.
    pub(crate) fn campus(self) -> Word {
        word(&CAMPUSES, usize::from(self.0) % CAMPUSES.len())
    }

    /// School year of a student, 3 to 5.
    pub(crate) fn year(self) -> u64 {
        3 + u64::from(self.0) / 2 % 3
    }

    /// Division of a student.
    pub(crate) fn division(self) -> &'static str {
        if (self.0 / 6).is_multiple_of(2) { "A" } else { "B" }
    }
}

/// The report that is handed in as number `nth` of its week: a student and a subject.
///
/// The first [`REPORTS_PER_WEEK`] of a week are all different; `week` turns their order, so that
/// weeks do not look alike.
pub(crate) fn enrolment(nth: u32, week: u32) -> (Person, Word) {
    // 271 shares no factor with 600, so the product visits every pair once.
    let pair = (nth % REPORTS_PER_WEEK * 271 + week * 97) % REPORTS_PER_WEEK;
    let student = (pair / SUBJECTS.len() as u32) as u16;
    (Person(student), word(&SUBJECTS, pair as usize % SUBJECTS.len()))
}

/// Subject number `index`, counted round.
pub(crate) fn subject(index: u64) -> Word {
    word(&SUBJECTS, (index % SUBJECTS.len() as u64) as usize)
}

/// Word number `index`, counted round, that a search asks for; its slug is percent-encoded.
pub(crate) fn search_word(index: u64) -> Word {
    word(&SEARCH_WORDS, (index % SEARCH_WORDS.len() as u64) as usize)
}

fn word(words: &[Word], index: usize) -> Word {
    words.get(index).copied().unwrap_or_default()
}

const fn w(shown: &'static str, slug: &'static str) -> Word {
    Word { shown, slug }
}

const SUBJECTS: [Word; 4] = [
    w("Física", "fisica"),
    w("Química", "quimica"),
    w("Biología", "biologia"),
    w("Matemática", "matematica"),
];

const SEARCH_WORDS: [Word; 4] = [
    w("energía", "energ%C3%ADa"),
    w("célula", "c%C3%A9lula"),
    w("ecuación", "ecuaci%C3%B3n"),
    w("enlace", "enlace"),
];

const CAMPUSES: [Word; 2] = [w("Sede Centro", "sede-centro"), w("Sede Norte", "sede-norte")];

const GIVEN_NAMES: [Word; 24] = [
    w("Ana", "ana"),
    w("Bruno", "bruno"),
    w("Camila", "camila"),
    w("Darío", "dario"),
    w("Elena", "elena"),
    w("Facundo", "facundo"),
    w("Gimena", "gimena"),
    w("Hernán", "hernan"),
    w("Inés", "ines"),
    w("Joaquín", "joaquin"),
    w("Karina", "karina"),
    w("Lautaro", "lautaro"),
    w("Malena", "malena"),
    w("Nicolás", "nicolas"),
    w("Oriana", "oriana"),
    w("Pablo", "pablo"),
    w("Quimey", "quimey"),
    w("Ramiro", "ramiro"),
    w("Sofía", "sofia"),
    w("Tomás", "tomas"),
    w("Úrsula", "ursula"),
    w("Valentín", "valentin"),
    w("Ximena", "ximena"),
    w("Zoe", "zoe"),
];

const FAMILY_NAMES: [Word; 20] = [
    w("Ruiz", "ruiz"),
    w("Acosta", "acosta"),
    w("Benítez", "benitez"),
    w("Cáceres", "caceres"),
    w("Domínguez", "dominguez"),
    w("Escobar", "escobar"),
    w("Ferreyra", "ferreyra"),
    w("Giménez", "gimenez"),
    w("Herrera", "herrera"),
    w("Ibáñez", "ibanez"),
    w("Juárez", "juarez"),
    w("Ledesma", "ledesma"),
    w("Molina", "molina"),
    w("Núñez", "nunez"),
    w("Ojeda", "ojeda"),
    w("Peralta", "peralta"),
    w("Quiroga", "quiroga"),
    w("Sosa", "sosa"),
    w("Toledo", "toledo"),
    w("Villalba", "villalba"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nobody_shares_a_name() {
        let names: HashSet<_> = (0..PERSON_COUNT)
            .map(|n| {
                let mut email = Vec::new();
                Person(n).push_email(&mut email);
                email
            })
            .collect();
        assert_eq!(names.len(), usize::from(PERSON_COUNT));
    }

    #[test]
    fn a_week_has_every_report_once() {
        let pairs: HashSet<_> = (0..REPORTS_PER_WEEK)
            .map(|nth| enrolment(nth, 3))
            .map(|(person, subject)| (person.0, subject.slug))
            .collect();
        assert_eq!(pairs.len(), REPORTS_PER_WEEK as usize);
        assert_eq!(enrolment(REPORTS_PER_WEEK, 3), enrolment(0, 3)); // one more is a revision
    }

    #[test]
    fn positions_follow_one_another() {
        for (n, position) in [
            (0, Position::Student),
            (149, Position::Student),
            (150, Position::Teacher),
            (164, Position::Teacher),
            (165, Position::Admin),
        ] {
            assert_eq!(Person(n).position(), position);
        }
    }
}
