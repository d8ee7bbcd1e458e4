//! Reproducible random numbers: the same seed gives the same bytes on every machine.
//!
//! The generator is xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. Logarithm and
//! exponential are written out here, because the standard ones may differ in the last bit between
//! platforms and releases; these use only operations that IEEE 754 defines exactly.
//! Not for secrets.

use std::f64::consts::{LN_2, SQRT_2};

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random([u64; 4]);

impl Random {
    /// Makes the stream that belongs to `seed` and `purpose`.
    ///
    /// Streams of different purposes are independent, so that drawing more from one (a higher
    /// traffic rate, say) leaves the others (the dates of the incidents) as they were.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut state = seed ^ purpose.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self(std::array::from_fn(|_| splitmix64(&mut state)))
    }

    /// Returns 64 uniform bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let [mut s0, mut s1, mut s2, mut s3] = self.0;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        self.0 = [s0, s1, s2, s3.rotate_left(45)];
        result
    }

    /// Returns a uniform number in the open interval (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        // 52 bits: with 53 the largest value plus one half would round up to 1.0.
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Returns a uniform integer in `0..bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Returns an exponential number with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -ln(self.uniform())
    }

    /// Returns a normal number with mean 0 and standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Natural logarithm of a positive, finite, normal `x`, to about 1e-15.
///
/// ln(m · 2^k) = k · ln 2 + 2 · artanh((m − 1) / (m + 1)), with m between √½ and √2.
pub(crate) fn ln(x: f64) -> f64 {
    let mut exponent = ((x.to_bits() >> 52) & 0x7FF) as i32 - 1023;
    let mut mantissa = f64::from_bits((x.to_bits() & 0x000F_FFFF_FFFF_FFFF) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let mut sum = 0.0;
    for odd in (1..=21).rev().step_by(2) {
        sum = sum * s * s + 1.0 / f64::from(odd);
    }
    f64::from(exponent) * LN_2 + 2.0 * s * sum
}

/// Exponential of `x`, to about 1e-15; `x` is taken into −700..=700 first.
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let exponent = (x / LN_2).round();
    let rest = x - exponent * LN_2;
    let mut sum = 1.0;
    for n in (1..=13).rev() {
        sum = sum * rest / f64::from(n) + 1.0;
    }
    sum * f64::from_bits(((exponent as i64 + 1023) as u64) << 52)
}

/// The standard normal value below which a share `p` of the distribution lies, to about 1e-9.
///
/// Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution
/// function", 2003: a rational function in the middle and one in each tail.
#[expect(
    clippy::unreadable_literal,
    clippy::excessive_precision,
    reason = "published coefficients, to compare digit by digit"
)]
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.383577518672690e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 5] = [
        7.784695709041462e-03,
        3.224671290700398e-01,
        2.445134137142996e+00,
        3.754408661907416e+00,
        1.0,
    ];
    const TAIL: f64 = 0.02425;
    if p < TAIL {
        let q = (-2.0 * ln(p)).sqrt();
        horner(&C, q) / horner(&D, q)
    } else if p <= 1.0 - TAIL {
        let q = p - 0.5;
        q * horner(&A, q * q) / horner(&B, q * q)
    } else {
        let q = (-2.0 * ln(1.0 - p)).sqrt();
        -horner(&C, q) / horner(&D, q)
    }
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_exponential_agree_with_the_standard_ones() {
        for x in [1e-300, 0.5 / (1_u64 << 52) as f64, 0.1, 0.7, 1.0, SQRT_2, 2.0, 10.0, 1e9] {
            assert!((ln(x) - x.ln()).abs() <= 1e-14 * x.ln().abs().max(1.0), "ln({x})");
        }
        for x in [-700.0, -9.5, -0.3466, 0.0, 1e-9, 0.3466, 1.0, 20.25, 700.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() <= 1e-13, "exp({x})");
        }
        assert!(exp(1e9).is_finite()); // beyond the bound
    }

    #[test]
    fn first_numbers_are_those_of_the_published_algorithms() {
        // splitmix64 from state 0, as in its reference implementation.
        let mut state = 0;
        assert_eq!(splitmix64(&mut state), 0xE220_A839_7B1D_CDAF);
        // xoshiro256** from state 1, 2, 3, 4, as in its reference implementation.
        let mut random = Random([1, 2, 3, 4]);
        let first = [random.bits(), random.bits(), random.bits(), random.bits()];
        assert_eq!(first, [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn normal_numbers_have_the_right_quantiles() {
        for (p, z) in [(0.5, 0.0), (0.95, 1.644_853_627), (0.01, -2.326_347_874)] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
        let mut random = Random::new(1, 1);
        let below = (0..100_000).filter(|_| random.normal() < 1.644_853_627).count();
        assert!((94_700..95_300).contains(&below), "{below}");
    }

    #[test]
    fn integers_stay_below_their_bound_and_uniforms_inside_the_open_interval() {
        let mut random = Random::new(7, 0);
        assert_eq!(random.below(0), 0);
        for _ in 0..1000 {
            assert!(random.below(3) < 3);
            let u = random.uniform();
            assert!(u > 0.0 && u < 1.0);
        }
    }
}
