// Logarithm, exponential and power in double precision, for the few numbers that are computed once
// a model (rope frequencies, softmax scales). Ours, from additions, products and divisions alone,
// so that every system gets the same bits. Relative error below 4e-16 for the arguments stated.
#pragma once

namespace hadal {

// Natural logarithm of a positive, finite, normal number.
double PreciseLog(double x);
// e^x for |x| <= 700.
double PreciseExp(double x);
// base^exponent for a positive base, where |exponent * ln(base)| <= 700. Exact for exponent 0.
double PrecisePow(double base, double exponent);

}  // namespace hadal
