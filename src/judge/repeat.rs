//! One answer from several measurements, one after the other.

use crate::model::Answer;

/// How often may be measured, and what ends it early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// Measurements at most.
    pub count: u32,
    /// More rollbacks than this mean rollback at once.
    pub fail_limit: u32,
    /// So many goes in a row mean go at once; `None` = never.
    pub success_streak: Option<u32>,
    /// More measurements in a row than this that could not be made, or could not tell, mean hold.
    pub error_limit: u32,
}

/// Measurements so far.
#[derive(Clone, Copy, Debug)]
pub struct Repeated {
    repetition: Repetition,
    measured: u32,
    failed: u32,
    streak: u32,
    untold_in_a_row: u32,
}

impl Repeated {
    /// Nothing was measured yet.
    pub fn new(repetition: Repetition) -> Self {
        Self { repetition, measured: 0, failed: 0, streak: 0, untold_in_a_row: 0 }
    }

    /// Takes in the answer of a measurement; gives the answer of all when there is one.
    pub fn see(&mut self, answer: Answer) -> Option<Answer> {
        let Repetition { count, fail_limit, success_streak, error_limit } = self.repetition;
        self.measured += 1;
        match answer {
            Answer::Rollback => {
                self.failed += 1;
                (self.streak, self.untold_in_a_row) = (0, 0);
            }
            Answer::Hold => {
                self.untold_in_a_row += 1;
                self.streak = 0;
            }
            Answer::Go => {
                self.streak += 1;
                self.untold_in_a_row = 0;
            }
        }
        if self.failed > fail_limit {
            return Some(Answer::Rollback);
        }
        if self.untold_in_a_row > error_limit {
            return Some(Answer::Hold);
        }
        if success_streak.is_some_and(|streak| self.streak >= streak) {
            return Some(Answer::Go);
        }
        (self.measured >= count).then(|| {
            // A last measurement that fails is no ground to go on, whatever the limit forgives.
            if answer == Answer::Go { Answer::Go } else { Answer::Hold }
        })
    }

    /// Measurements made.
    pub fn measured(&self) -> u32 {
        self.measured
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Repeated, Repetition};

    #[test]
    fn measurements_end_when_their_answer_is_clear() {
        let base = Repetition { count: 4, fail_limit: 1, success_streak: None, error_limit: 2 };
        let streak = Repetition { success_streak: Some(2), ..base };
        for (repetition, answers, want, why) in [
            (base, "gggg", Some((4, Answer::Go)), "all good"),
            (base, "ggg", None, "one is missing"),
            (base, "rggg", Some((4, Answer::Go)), "one failure is forgiven"),
            (base, "rr", Some((2, Answer::Rollback)), "two are not"),
            (base, "grgr", Some((4, Answer::Rollback)), "in a row or not"),
            (base, "gggr", Some((4, Answer::Hold)), "nobody goes on a failure"),
            (base, "hhh", Some((3, Answer::Hold)), "three in a row that cannot tell"),
            (base, "hhgg", Some((4, Answer::Go)), "it told in the end"),
            (base, "gggh", Some((4, Answer::Hold)), "nobody goes on a question"),
            (streak, "gg", Some((2, Answer::Go)), "two in a row are enough"),
            (streak, "grgg", Some((4, Answer::Go)), "after a failure too"),
        ] {
            let mut repeated = Repeated::new(repetition);
            let mut ended = None;
            for letter in answers.chars() {
                assert_eq!(ended, None, "{answers}: {why}");
                let answer = match letter {
                    'g' => Answer::Go,
                    'h' => Answer::Hold,
                    _ => Answer::Rollback,
                };
                ended = repeated.see(answer).map(|answer| (repeated.measured(), answer));
            }
            assert_eq!(ended, want, "{answers}: {why}");
        }
    }
}
