// Vector twins of numeric/math.h: the same steps, the same bits. After a part_*.h.
#pragma once

#include "numeric/math_constants.h"

namespace hadal {
namespace {

HADAL_INLINE Part Exp(Part x) {
  using namespace math_constants;
  const Part rounded = MultiplyAdd(x, Same(kLog2E), Same(kRoundMagic));
  const Part n = Subtract(rounded, Same(kRoundMagic));
  Part r = NegativeMultiplyAdd(n, Same(kLn2High), x);
  r = NegativeMultiplyAdd(n, Same(kLn2Low), r);
  Part q = Same(kExp[4]);
  for (int i = 3; i >= 0; --i) q = MultiplyAdd(q, r, Same(kExp[i]));
  const Part p = Add(MultiplyAdd(Multiply(r, r), q, r), Same(1.0f));
  Part y = AddToExponent(p, rounded, kRoundMagicBits);
  y = IfLess(Same(kExpHigh), x, Same(__builtin_inff()), y);
  y = IfLess(x, Same(kExpLow), ZeroPart(), y);
  return IfNan(x, x, y);
}

HADAL_INLINE Part Sigmoid(Part x) {
  const Part one = Same(1.0f);
  return Divide(one, Add(one, Exp(Multiply(x, Same(-1.0f)))));
}

}  // namespace
}  // namespace hadal
